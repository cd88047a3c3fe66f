"""Convolution in a row: numbers worked out by hand, settings that do not fit, files."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from tests.support.lab_pages import cells, image, lines, marked, objected, part, words

HTML = {"Accept": "text/html"}


def line(text: str, name: str) -> list[str]:
    """A line of the drawing, empty cells left out."""
    row = re.search(rf'<tr data-line="{name}">(.*?)</tr>', text, re.S)
    assert row
    found = [words(cell) for cell in re.findall(r"<td.*?</td>", row[1], re.S)]
    return [cell for cell in found if cell]


def test_the_row_of_the_classroom(client: TestClient) -> None:
    page = client.get("/lab/row", headers=HTML).text
    assert "<html" in page
    assert line(page, "result") == ["32", "32", "44", "44"]
    assert line(page, "products") == ["5", "6", "21"]
    assert marked(page, "data-sum") == "5·1 + 3·2 + 7·3 = 32"
    assert marked(page, "data-formula") == "n − k + 1 = 6 − 3 + 1 = 4"
    assert marked(page, "data-say") == (
        "Position 1 of 4: 5 times 1 plus 3 times 2 plus 7 times 3 makes 32."
    )


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("row=5+3+7+5+9+7&kernel=1+2+3", ["32", "32", "44", "44"]),
        ("stride=2", ["32", "44"]),  # positions 1 and 3
        ("padding=1", ["19", "32", "32", "44", "44", "23"]),  # 0 + 10 + 9; 9 + 14 + 0
        ("dilation=2", ["46", "34"]),  # 5 + 14 + 27; 3 + 10 + 21
        # Padded 0 5 3 7 5 9 7 0, read at 0 2 4 and 2 4 6: 0 + 6 + 15; 3 + 10 + 21.
        ("stride=2&padding=1&dilation=2", ["21", "34"]),
        ("turn=1", ["28", "28", "40", "40"]),  # 15 + 6 + 7; 9 + 14 + 5; 21 + 10 + 9; 15 + 18 + 7
        ("kernel=-1+1", ["−2", "4", "−2", "4", "−2"]),
        ("row=0.5+1,5&kernel=2", ["1", "3"]),
        ("mode=average", ["10.67", "10.67", "14.67", "14.67"]),
        ("row=1+-1+1&kernel=1+-1+1&mode=average", ["1.00"]),
    ],
)
def test_rows_by_hand(client: TestClient, query: str, result: list[str]) -> None:
    text, address = part(client, f"/lab/row?{query}")
    assert line(text, "result") == result
    assert address.startswith("/lab/row")


def test_the_address_says_what_is_on_screen_and_brings_it_back(client: TestClient) -> None:
    fields = "row=5&row=3&row=7&row=5&row=9&row=8&kernel=1&kernel=2&kernel=3"
    text, address = part(client, f"/lab/row?{fields}&stride=1&padding=0&at=4&mode=sum")
    assert address == "/lab/row?row=5+3+7+5+9+8&at=4"
    assert marked(text, "data-sum") == "5·1 + 9·2 + 8·3 = 47"
    page = client.get(address, headers=HTML).text
    assert marked(page, "data-sum") == "5·1 + 9·2 + 8·3 = 47"
    assert 'name="at" value="4"' in page
    assert part(client, "/lab/row")[1] == "/lab/row"


def test_results_stand_under_the_first_cell_of_their_window(client: TestClient) -> None:
    text, _ = part(client, "/lab/row?stride=2&padding=1&at=2")
    columns: dict[str, list[int]] = {}
    for name, mark in (("row", "window"), ("result", "out")):
        row = text.split(f'data-line="{name}"')[1].split("</tr>")[0]
        columns[name] = [x for x, cell in enumerate(row.split("<td")[1:]) if mark in cell]
    assert columns == {"row": [2, 3, 4], "result": [0, 2, 4]}


def test_the_general_formula_has_its_numbers_in_it(client: TestClient) -> None:
    text, _ = part(client, "/lab/row?stride=2&padding=1&dilation=2")
    assert marked(text, "data-formula") == (
        "⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1 = ⌊(6 + 2·1 − 2·(3 − 1) − 1) / 2⌋ + 1 = 2"
    )


def test_sum_and_average_are_told_apart(client: TestClient) -> None:
    text, _ = part(client, "/lab/row?mode=average&at=3")
    assert marked(text, "data-sum") == "(7·1 + 5·2 + 9·3) / 3 ≈ 14.67"
    assert "divided by the kernel’s 3 cells" in marked(text, "data-difference")
    assert "divided by the kernel’s 3 cells that is about 14.67." in marked(text, "data-say")
    plain, _ = part(client, "/lab/row")
    assert "every result times 1/3" in marked(plain, "data-difference")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("row=5&row=-&row=7", "numbers from −99 to 99"),
        ("row=5&row=&row=7", "a number is missing"),
        ("row=abc", "not “abc”"),
        ("row=100", "numbers from −99 to 99"),
        ("row=1e9", "numbers from −99 to 99"),
        ("row=nan", "numbers from −99 to 99"),
        ("row=" + "+".join("1" * 13), "from 1 to 12 numbers, not 13"),
        ("kernel=" + "+".join("1" * 6), "from 1 to 5 numbers, not 6"),
        ("row=1+2&kernel=1+2+3", "reaches over 3 numbers, and the row has only 2"),
        ("dilation=3", "reaches over 7 numbers, and the row has only 6"),
        ("stride=0", "Stride can be whole numbers from 1 to 4"),
        ("stride=-", "Stride can be whole numbers from 1 to 4"),
        ("padding=9", "Padding can be whole numbers from 0 to 4"),
        ("dilation=1.5", "Dilation can be whole numbers from 1 to 3"),
        ("mode=most", "sum, average"),
        ("length=40", "from 1 to 12"),
    ],
)
def test_nonsense_gets_a_sentence_and_changes_nothing(
    client: TestClient, query: str, says: str
) -> None:
    assert says in objected(client, f"/lab/row?{query}")
    # Straight from the address bar: the same sentence over the numbers to start with.
    page = client.get(f"/lab/row?{query}", headers=HTML)
    assert page.status_code == 200
    assert says in words(page.text)
    assert line(page.text, "result") == ["32", "32", "44", "44"]


def test_a_position_that_is_not_there_is_said(client: TestClient) -> None:
    page = client.get("/lab/row?stride=2&at=9", headers=HTML).text
    assert "The position can be 1 to 2, not “9”." in words(page)
    assert line(page, "result") == ["32", "44"]
    # The form's position was there before the stride grew: it goes to the last one.
    text, address = part(client, "/lab/row?stride=2&at=4")
    assert address == "/lab/row?stride=2&at=2"
    assert "warn" not in text


def test_rows_grow_and_shrink_and_kernels_keep_their_centre(client: TestClient) -> None:
    longer, address = part(client, "/lab/row?length=7")
    assert address == "/lab/row?row=5+3+7+5+9+7+0"
    assert cells(longer, "row") == [[""] * 7]  # fields, without text of their own
    assert part(client, "/lab/row?length=5")[1] == "/lab/row?row=5+3+7+5+9"
    assert part(client, "/lab/row?size=5")[1] == "/lab/row?kernel=0+1+2+3+0"
    assert part(client, "/lab/row?size=1")[1] == "/lab/row?kernel=2"


def test_a_form_that_is_typed_into_keeps_its_cursor(client: TestClient) -> None:
    assert 'hx-target="#controls" hx-swap="innerMorph"' in part(client, "/lab/row")[0]
    assert 'hx-target="#controls" hx-swap="innerHTML"' in part(client, "/lab/row", by_form=False)[0]
    assert "hx-partial" not in client.get("/lab/row", headers=HTML).text


def test_what_is_written_is_escaped(client: TestClient) -> None:
    text = client.get("/lab/row?row=<script>alert(1)</script>", headers=HTML).text
    assert "<script>alert" not in text


def test_the_table(client: TestClient) -> None:
    head, *rows = lines(client, "/lab/row.csv?stride=2")
    assert head[:2] == ["position", "first cell"]
    assert head[-2:] == ["sum", "average"]
    assert [float(value) for value in rows[1][:-1]] == [2, 2, 7, 5, 9, 1, 2, 3, 7, 10, 27, 44]
    assert float(rows[1][-1]) == pytest.approx(44 / 3)
    assert client.get("/lab/row.csv?stride=0").status_code == 422


def test_the_picture(client: TestClient) -> None:
    one = client.get("/lab/row.png")
    assert one.headers["content-disposition"] == 'attachment; filename="layerscope-row.png"'
    assert image(one.content).width <= 1430
    assert client.get("/lab/row.png?at=2").content != one.content
    assert client.get("/lab/row.png?at=9").status_code == 422
