"""What the templates of the Lab are given says what it is; every tool has a page."""

from __future__ import annotations

from dataclasses import fields

import pytest
from starlette.testclient import TestClient

from app.web.lab import grid_page, photo_page, row, setting_fields


@pytest.mark.parametrize(
    "kind",
    [
        row.RowLab, row.Spot, row.Strip, setting_fields.Setting, grid_page.GridLab,
        grid_page.NumberBoard,
        grid_page.Pooling, grid_page.GridPreset, photo_page.PhotoLab, photo_page.LabelledPicture,
        photo_page.FilterChoices,
    ],
)  # fmt: skip
def test_every_field_says_what_it_is(kind: type) -> None:
    for spec in fields(kind):
        assert len(spec.metadata["help"]) > 8, f"{kind.__name__}.{spec.name}"


@pytest.mark.parametrize("tool", ["row", "grid", "photo"])
def test_every_tool_has_a_page(client: TestClient, tool: str) -> None:
    page = client.get(f"/lab/{tool}", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert f'href="/lab/{tool}" aria-current="page"' in page.text
    # Nothing inline: the page's policy would refuse it.
    assert " style=" not in page.text
    assert "<style" not in page.text
    assert " onclick=" not in page.text
