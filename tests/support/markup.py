"""Reading the markup of pages."""

from __future__ import annotations

import re


def one_line(page: str) -> str:
    """A page with spaces and line ends in a row as one space: a tag may span lines."""
    return re.sub(r"[ \t\n]+", " ", page)
