"""Reading the pages of X or O."""

from __future__ import annotations

import re

from tests.support.markup import one_line

PAGE = "/lab/xo"


def grid(text: str, name: str, which: int = 0) -> list[list[str]]:
    """The numbers of a table of the page."""
    tables = re.findall(rf'<table [^>]*data-grid="{name}">(.*?)</table>', text, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", tables[which], re.DOTALL)
    return [
        [re.sub("<[^>]*>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", row)]
        for row in map(one_line, rows)
    ]


def warnings(text: str) -> list[str]:
    return re.findall(r'<p class="warn">([^<]*)</p>', text)
