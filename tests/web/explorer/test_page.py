"""Pages and partials: whole for browsers, in parts for htmx, kind when something is wrong."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import fields, is_dataclass

import pytest
from jinja2 import meta
from starlette.testclient import TestClient

from app import web
from app.settings import table
from app.web.core.templating import ROOT, environment, milliseconds, number, percent, thousands
from app.web.explorer import contexts

HX = {"HX-Request": "true", "Accept": "text/html"}
HTML = {"Accept": "text/html"}
PAGES = {
    *("ExplorerPage", "StepPane", "UnitPane", "AttackPage", "Compared", "Walk"),
    *("RowLab", "GridLab", "PhotoLab", "BoardPage", "NumbersPanel", "AblationPanel"),
}
"""Some of the contexts that have a help text for each field."""


def test_the_page_shows_the_espresso(client: TestClient) -> None:
    first = client.get("/", headers=HTML)
    assert "hx-sse:connect" in first.text
    assert client.get("/runs/mini/coffee/events").status_code == 200
    kept = client.get("/", headers=HTML).text
    # What is kept needs no stream, and no script.
    assert "hx-sse:connect" not in kept
    assert "espresso" in kept
    assert first.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("target", "there", "absent"),
    [
        ("aside#evidence", "unit-pane", 'id="river"'),
        ("div#stream", "<hx-partial", "<html"),
        ("section#gallery", 'id="upload"', "<html"),
    ],
)
def test_htmx_gets_the_part_it_asks_for(
    client: TestClient, target: str, there: str, absent: str
) -> None:
    address = "/?step=conv2&channel=58"
    part = client.get(address, headers={**HX, "HX-Target": target}).text
    assert there in part
    assert absent not in part
    whole = client.get(address, headers={**HX, "HX-History-Restore-Request": "true"}).text
    assert "<html" in whole


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/?image=gone", 404),
        ("/?model=none", 404),
        ("/?step=none", 404),
        ("/?step=conv1&channel=64", 404),
        ("/?step=conv1&channel=1&y=99&x=0", 404),
        ("/?channel=3", 422),
        ("/?step=conv1&channel=-1", 422),
        ("/?scale=wrong", 422),
        ("/nowhere", 404),
        ("/panels/none?model=mini&image=coffee&step=conv1&channel=0", 404),
        ("/panels/numbers?model=mini&image=coffee&step=fc6&channel=0", 404),
    ],
)
def test_what_is_wrong_gets_a_page_with_a_way_out(
    client: TestClient, address: str, status: int
) -> None:
    page = client.get(address, headers=HTML)
    assert page.status_code == status
    assert 'href="/"' in page.text
    assert "Traceback" not in page.text
    part = client.get(address, headers=HX)
    assert (part.status_code, part.headers["hx-retarget"]) == (status, "#notice")
    assert "<html" not in part.text


def test_what_a_url_says_is_escaped(client: TestClient) -> None:
    page = client.get("/?model=<script>alert(1)</script>", headers=HTML).text
    assert "<script>alert" not in page


def test_a_deleted_picture_on_screen_gives_way_to_the_first_sample(client: TestClient) -> None:
    import io

    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(data, "PNG")
    client.get("/")
    id = client.post("/api/v1/images", files={"file": ("t.png", data.getvalue())}).json()["id"]
    other = client.post(f"/images/{id}/delete", data={"shown": "cat"}, headers=HX)
    assert "#gallery" in other.text
    assert "#picture" not in other.text
    client.post("/api/v1/images", files={"file": ("t.png", data.getvalue())})
    shown = client.post(f"/images/{id}/delete", data={"shown": id}, headers=HX)
    assert "#picture" in shown.text
    assert "image=coffee" in shown.headers["hx-replace-url"]
    assert client.post(f"/images/{id}/delete").status_code == 404


def test_every_field_of_a_page_says_what_it_is() -> None:
    modules = [one.name for one in pkgutil.walk_packages(web.__path__, "app.web.")]
    kinds = {
        kind
        for name in modules
        for kind in vars(importlib.import_module(name)).values()
        if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == name
    }
    contexts = [kind for kind in kinds if any("help" in spec.metadata for spec in fields(kind))]
    # The others are what a URL says, and what stands inside a page or a panel.
    assert {kind.__name__ for kind in contexts} >= PAGES
    for kind in contexts:
        for spec in fields(kind):
            assert len(spec.metadata.get("help", "")) > 5, f"{kind.__name__}.{spec.name}"


def test_the_page_asks_for_nothing_that_its_context_lacks() -> None:
    env = environment()
    known = {spec.name for spec in fields(contexts.ExplorerPage)} | set(env.globals)
    source, _, _ = env.loader.get_source(env, "pages/explore.html")  # type: ignore[union-attr]
    assert meta.find_undeclared_variables(env.parse(source)) <= known


def test_settings_are_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, default, help in table():
        shown = f"`{default}`" if default else ""
        assert f"| `{name}` | {shown} | {help} |" in readme


def test_numbers_are_written_for_people() -> None:
    assert [number(v) for v in (0.0, 1.5, -0.0123456, 1234.6, 1e-5, -2e6)] == [
        "0", "1.5", "−0.0123", "1235", "1.0e−05", "−2.0e+06",
    ]  # fmt: skip
    # A half goes away from zero, as in scripts.
    assert [number(v) for v in (999.6, 9994.5, 9996, 1e4, 0.000994, 2.125, -2.125)] == [
        "1000", "9995", "9996", "1.0e+04", "9.9e−04", "2.13", "−2.13",
    ]  # fmt: skip
    shares = [percent(v) for v in (0.0, 0.0004, 0.0123, 0.9996, 1.0)]
    assert not any(" " in share for share in shares)  # A line must not break within one.
    assert [share.replace("\u00a0", " ") for share in shares] == [
        "0.0 %", "< 0.1 %", "1.2 %", "> 99.9 %", "100.0 %",
    ]  # fmt: skip
    assert [milliseconds(v) for v in (0.123, 1.234, 12.34)] == ["0.12", "1.2", "12"]
    assert thousands(1851492) == "1\u2009851\u2009492"
