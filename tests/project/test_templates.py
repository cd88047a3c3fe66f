"""Templates can be read: no line is longer than a screen is wide."""

from __future__ import annotations

from app.web.core.templating import ROOT

COLUMNS = 160


def test_no_line_of_a_template_is_too_long() -> None:
    templates = sorted((ROOT / "templates").rglob("*.html"))
    assert len(templates) > 100
    long = [
        f"{path.relative_to(ROOT)}:{number} has {len(line)} columns"
        for path in templates
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if len(line) > COLUMNS
    ]
    assert long == [], "break it in a tag, between attributes; {%- and -%} add no white space"
