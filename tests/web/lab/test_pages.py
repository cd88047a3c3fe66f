"""Every tool of the Lab has a page."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient


@pytest.mark.parametrize("tool", ["row", "grid", "photo"])
def test_every_tool_has_a_page(client: TestClient, tool: str) -> None:
    page = client.get(f"/lab/{tool}", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert f'href="/lab/{tool}" aria-current="page"' in page.text
    # Nothing inline: the page's policy would refuse it.
    assert " style=" not in page.text
    assert "<style" not in page.text
    assert " onclick=" not in page.text
