"""Convolution on a grid: numbers worked out by hand, overlap, ties, what does not fit, files."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.support.lab_pages import cells, image, lines, marked, numbers, objected, part, words

HTML = {"Accept": "text/html"}
COUNTING = "picture=" + "+".join(str(i) for i in range(25))


def test_the_picture_of_the_classroom(client: TestClient) -> None:
    page = client.get("/lab/grid", headers=HTML).text
    assert numbers(page, "result") == [[4, 3, 4], [2, 4, 3], [2, 3, 4]]
    assert marked(page, "data-sum").endswith("= 4")
    assert marked(page, "data-formula") == "n − k + 1 = 5 − 3 + 1 = 3"
    assert marked(page, "data-say") == (
        "Row 0, column 0: 1 times 1 plus 1 times 1 plus 1 times 1 plus 0 times 1 plus 1 times 1 "
        "makes 4."
    )
    assert numbers(page, "products") == [[1, 0, 1], [0, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("", [[30, 35, 40], [55, 60, 65], [80, 85, 90]]),  # 0 + 2 + 6 + 10 + 12
        ("stride=2", [[30, 40], [80, 90]]),
        ("dilation=2", [[60]]),  # 0 + 4 + 12 + 20 + 24
        # In each corner the cell itself and its one diagonal neighbour: 0 + 6, 4 + 8, ...
        ("padding=1&stride=4", [[6, 12], [36, 42]]),
        ("kernel=2", [[2 * (5 * y + x) for x in range(5)] for y in range(5)]),
        ("kernel=0+1+0+0", [[1, 2, 3, 4], [6, 7, 8, 9], [11, 12, 13, 14], [16, 17, 18, 19]]),
        ("kernel=0+1+0+0&turn=1", [[5, 6, 7, 8], [10, 11, 12, 13], [15, 16, 17, 18],
                                   [20, 21, 22, 23]]),
    ],
)  # fmt: skip
def test_grids_by_hand(client: TestClient, query: str, result: list[list[float]]) -> None:
    text, _ = part(client, f"/lab/grid?{COUNTING}&{query}")
    assert numbers(text, "result") == result


def test_the_padded_picture_shows_its_zeros_and_the_window(client: TestClient) -> None:
    text, _ = part(client, f"/lab/grid?{COUNTING}&padding=1&dilation=2&y=0&x=1")
    padded = numbers(text, "padded")
    assert padded[0] == [0] * 7
    assert padded[1] == [0, 0, 1, 2, 3, 4, 0]
    table = text[text.index('data-grid="padded"') : text.index("</table>")]
    marks = [
        (y, x)
        for y, row in enumerate(table.split("<tr>")[1:])
        for x, cell in enumerate(row.split("<td")[1:])
        if "window" in cell
    ]
    assert marks == [(y, x) for y in (0, 2, 4) for x in (1, 3, 5)]
    assert "⌊(5 + 2·1 − 2·(3 − 1) − 1) / 1⌋ + 1 = 3" in marked(text, "data-formula")


def test_the_average_is_the_sum_over_the_kernels_cells(client: TestClient) -> None:
    match = "picture=1+-1+1+-1+1+-1+1+-1+1&kernel=1+-1+1+-1+1+-1+1+-1+1"
    text, _ = part(client, f"/lab/grid?{match}&mode=average&pool=1")
    assert cells(text, "result") == [["1.00"]]
    assert marked(text, "data-sum").endswith("/ 9 = 1.00")
    assert cells(part(client, f"/lab/grid?{match}&pool=1")[0], "result") == [["9"]]


def test_who_has_how_much_of_a_say(client: TestClient) -> None:
    text, _ = part(client, "/lab/grid")
    assert numbers(text, "coverage") == [
        [1, 2, 3, 2, 1], [2, 4, 6, 4, 2], [3, 6, 9, 6, 3], [2, 4, 6, 4, 2], [1, 2, 3, 2, 1],
    ]  # fmt: skip
    assert "At most 9 times, at least once: borders count less." in marked(text, "data-coverage")
    seven, _ = part(client, "/lab/grid?side=7&stride=2")
    assert numbers(seven, "coverage")[0] == [1, 1, 2, 1, 2, 1, 1]
    told = marked(seven, "data-coverage")
    assert "At most 4 times, at least once: some inside as seldom as the border." in told
    apart, _ = part(client, "/lab/grid?stride=2&kernel=1")
    assert numbers(apart, "coverage")[0] == [1, 0, 1, 0, 1]
    assert "16 cells are never read" in marked(apart, "data-coverage")


def test_pooling_overlaps_and_ties_are_told(client: TestClient) -> None:
    text, _ = part(client, "/lab/grid")
    assert numbers(text, "relu") == [[4, 3, 4], [2, 4, 3], [2, 3, 4]]
    assert numbers(text, "pooled") == [[4, 4], [4, 4]]
    told = marked(text, "data-pool")
    assert "the largest of 4, 3, 2, 4 is 4, there twice: a tie" in told
    assert "found at row 0, column 0" in told
    assert "share 1 of their 2 columns: they overlap" in told
    # Row 1, column 0 of the pooled map: 2 4 2 3, the 4 in the middle.
    below, address = part(client, "/lab/grid?py=1&px=0")
    assert "largest of 2, 4, 2, 3 is 4, found at row 1, column 1" in marked(below, "data-pool")
    assert address == "/lab/grid?py=1"
    apart, _ = part(client, "/lab/grid?pool_stride=2")
    assert numbers(apart, "pooled") == [[4]]
    assert "do not overlap" in marked(apart, "data-pool")


def test_what_wins_several_overlapping_windows_is_told(client: TestClient) -> None:
    dot = "picture=" + "+".join("9" if i == 12 else "0" for i in range(25))
    text, _ = part(client, f"/lab/grid?{dot}&kernel=1&pool=3&pool_stride=2")
    assert numbers(text, "pooled") == [[9, 9], [9, 9]]
    assert "It is the largest of 4 windows." in marked(text, "data-pool")


def test_relu_cuts_below_zero_before_pooling(client: TestClient) -> None:
    text, _ = part(client, f"/lab/grid?{COUNTING}&kernel=-1&pool=2")
    assert numbers(text, "result")[0] == [0, -1, -2, -3, -4]
    assert numbers(text, "relu") == [[0] * 5] * 5
    assert "the largest of 0, 0, 0, 0 is 0, there 4 times: a tie" in marked(text, "data-pool")


def test_a_pooling_that_does_not_fit_leaves_the_rest(client: TestClient) -> None:
    text, _ = part(client, "/lab/grid?dilation=2&pool=2")
    assert numbers(text, "result") == [[2]]  # a corner and the middle
    assert 'data-grid="pooled"' not in text
    assert "reaches over 2 rows, and the result has only 1" in marked(text, "data-pool")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("dilation=3", "reaches over 7 rows, and the picture has only 5"),
        ("size=5&dilation=2", "reaches over 9 rows"),
        ("stride=0", "Stride can be whole numbers from 1 to 4"),
        ("padding=5", "Padding can be whole numbers from 0 to 4"),
        ("kernel=1+2+3", "not 3 numbers"),
        ("picture=1+2+3+4", "3 by 3 to 9 by 9"),
        ("picture=" + "+".join("x" * 25), "not “x”"),
        ("side=10", "from 3 to 9"),
        ("size=6", "from 1 to 5"),
        ("pool=7", "from 1 to 3"),
        ("kernel=1&kernel=&kernel=3&kernel=4", "a number is missing"),
    ],
)
def test_what_does_not_fit_gets_a_sentence_and_changes_nothing(
    client: TestClient, query: str, says: str
) -> None:
    assert says in objected(client, f"/lab/grid?{query}")
    page = client.get(f"/lab/grid?{query}", headers=HTML)
    assert page.status_code == 200
    assert says in words(page.text)
    assert numbers(page.text, "result") == [[4, 3, 4], [2, 4, 3], [2, 3, 4]]


def test_cells_out_of_range_are_said(client: TestClient) -> None:
    page = client.get("/lab/grid?y=3&stride=2", headers=HTML).text
    assert "The result’s row can be 0 to 1, not “3”." in words(page)
    assert numbers(page, "result") == [[4, 4], [2, 4]]
    text, address = part(client, "/lab/grid?y=2&x=1&py=1&px=1&stride=2")
    assert address == "/lab/grid?stride=2&y=1&x=1"
    assert "warn" not in text


def test_pictures_keep_their_corner_and_kernels_their_centre(client: TestClient) -> None:
    assert part(client, "/lab/grid?side=3")[1] == "/lab/grid?picture=1+1+1+0+1+1+0+0+1"
    grown = part(client, "/lab/grid?size=5")[1]
    assert grown == ("/lab/grid?kernel=0+0+0+0+0+0+1+0+1+0+0+0+1+0+0+0+1+0+1+0+0+0+0+0+0")
    text, _ = part(client, grown)
    assert numbers(text, "result") == [[4]]
    assert part(client, grown + "&size=3")[1] == "/lab/grid"


def test_the_table_and_the_picture(client: TestClient) -> None:
    head, *rows = lines(client, "/lab/grid.csv?stride=2&pool=2")
    assert head == ["map", "row", "column", "value"]
    result = [[int(y), int(x), float(v)] for name, y, x, v in rows if name == "result"]
    assert result == [[0, 0, 4], [0, 1, 4], [1, 0, 2], [1, 1, 4]]
    assert ["pooled", "0", "0", "4.0"] in rows
    assert image(client.get("/lab/grid.png?padding=4&side=9").content).width > 700
    assert client.get("/lab/grid.png?stride=0").status_code == 422
