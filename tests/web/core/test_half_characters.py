"""Half a character, as in a file's name that is no UTF-8, is sent as a mark by every way out."""

from __future__ import annotations

import pytest

from app.errors import BadRequest, printable
from app.web.core.errors import problem
from app.web.core.file_responses import csv_response
from app.web.core.templating import render_text

HALF = "caf\udce9 \ud800"
SHOWN = "caf\ufffd \ufffd"


@pytest.mark.parametrize("text", ["", "plain", "café", "\U0001f600", SHOWN])
def test_whole_characters_stay(text: str) -> None:
    assert printable(text) == text


def test_a_page_an_error_and_a_table_show_a_mark() -> None:
    assert SHOWN in render_text("partials/_notice.html", {"title": "a", "detail": HALF})
    assert SHOWN.encode() in csv_response(("a",), [(HALF,)], "a.csv").body
    assert SHOWN.encode() in problem(BadRequest(f"Not “{HALF}”.")).body
