"""What the Lab's tests read from its pages."""

from __future__ import annotations

import csv
import html
import io
import re

from PIL import Image
from starlette.testclient import TestClient

from tests.support.markup import one_line

HX = {"HX-Request": "true", "Accept": "text/html", "HX-Target": "div#results"}
FORM = {**HX, "HX-Source": "form#controls"}
"""What htmx sends with the form's own requests."""


def part(client: TestClient, address: str, *, by_form: bool = True) -> tuple[str, str]:
    """The results alone and the address that the page then has."""
    answer = client.get(address, headers=FORM if by_form else HX)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    return one_line(answer.text), answer.headers.get("hx-replace-url", "")


def objected(client: TestClient, address: str) -> str:
    """The sentence that the form gets; what is on screen stays."""
    answer = client.get(address, headers=FORM)
    assert answer.status_code == 200
    assert answer.headers["hx-retarget"] == "#problem"
    assert answer.headers["hx-replace-url"] == "false"
    assert "data-grid" not in answer.text
    return words(answer.text)


def cells(text: str, name: str) -> list[list[str]]:
    """A grid of the page as it is read."""
    table = re.search(rf'<table class="grid [^"]*" data-grid="{name}">.*?</table>', text, re.S)
    assert table, name
    rows = re.findall(r"<tr>(.*?)</tr>", table[0], re.S)
    return [[words(cell) for cell in re.findall(r"<td.*?</td>", row, re.S)] for row in rows]


def numbers(text: str, name: str) -> list[list[float]]:
    """A grid of the page."""
    return [[float(cell.replace("−", "-")) for cell in row] for row in cells(text, name)]


def marked(text: str, attribute: str) -> str:
    """The words of the element with an attribute."""
    found = re.search(rf"<(\w+)[^>]*\s{attribute}(?=[\s=>])[^>]*>(.*?)</\1>", text, re.S)
    assert found, attribute
    return words(found[2])


def words(text: str) -> str:
    """Text without tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())


def lines(client: TestClient, address: str) -> list[list[str]]:
    """A table, its head included."""
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def image(data: bytes) -> Image.Image:
    """A PNG, opened."""
    opened = Image.open(io.BytesIO(data))
    assert opened.format == "PNG"
    return opened
