"""Served under a sub-path: every URL that a browser gets lies below it, whoever takes it off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.errors import BadRequest
from app.settings import Settings
from app.web.app import create_app
from app.web.core.base_path import base, checked_base
from tests.support.addresses import BASE, ELSEWHERE, HERE
from tests.support.picture_files import png

PREFIX = "/user/7/proxy/8000"
UNIT = "model=mini&image=cat&step=conv2&channel=3"
LOCAL = re.compile(
    r'(?:href|src|action|hx-get|hx-post|data-(?!base)[a-z-]+|hx-sse:connect)="(/[^"]*)"'
)
SAYS = {"x-forwarded-prefix": PREFIX, "accept": "text/html"}
PAGES = (
    "/",
    f"/?{UNIT}",
    f"/?{UNIT}&y=3&x=4&zoom=arithmetic",
    f"/?{UNIT}&y=3&x=4&zoom=chain",
    f"/panels/wall?{UNIT}",
    f"/cut/cover?{UNIT}",
    f"/cut/occlusion?{UNIT}",
    f"/cut/ablation?{UNIT}",
    f"/crops/panel?{UNIT}",
    f"/synthesis/wall?{UNIT}",
    "/layers/2?model=mini&image=cat",
    "/attack?model=mini&image=cat",
    "/attack?model=mini&image=cat&run=true",
    "/attack/unusual?model=mini&image=cat",
    "/attack/change?model=mini&image=cat",
    "/attack/survive?model=mini&image=cat",
    "/attack/sticker?model=mini&image=cat",
    "/compare?model=mini&image=cat",
    "/lab/grid",
    "/lab/row",
    "/lab/photo",
    "/lab/xo",
    "/docs",
    "/nowhere",
)


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[TestClient]:
    """An app that was started for a proxy on this machine."""
    app = create_app(Settings(data=tmp_path, device="cpu"), behind_proxy=True)
    with TestClient(app, base_url=BASE, follow_redirects=False, client=HERE) as client:
        yield client


def urls(page: str) -> list[str]:
    """The URLs of this server in a page."""
    return [url.replace("&amp;", "&") for url in LOCAL.findall(page)]


@pytest.mark.parametrize("path", PAGES)
def test_every_link_lies_below_the_sub_path(proxied: TestClient, path: str) -> None:
    found = urls(proxied.get(path, headers=SAYS).text)
    assert found
    assert [one for one in found if not one.startswith(f"{PREFIX}/")] == []


@pytest.mark.parametrize("path", ["/", f"/?{UNIT}&y=3&x=4&zoom=arithmetic", "/layers/2?image=cat"])
def test_what_a_page_links_to_is_there(proxied: TestClient, path: str) -> None:
    found = {one for one in urls(proxied.get(path, headers=SAYS).text) if "/operator" not in one}
    answers = {
        one: proxied.get(one.removeprefix(PREFIX), headers=SAYS).status_code
        for one in sorted(found)
        if not re.search(r"/(images|networks|events|shift|picture|delete|cover)\b", one)
    }
    assert len(answers) > 10
    assert {one: code for one, code in answers.items() if code not in (200, 303)} == {}


def test_events_carry_its_urls_and_not_those_of_another(proxied: TestClient) -> None:
    for headers, start in ((SAYS, PREFIX), ({"accept": "text/html"}, ""), (SAYS, PREFIX)):
        text = proxied.get("/runs/mini/cat/events", headers=headers).text
        found = urls(text)
        assert found
        assert all(one.startswith(f"{start}/") for one in found)
        assert not start or f'"{start}{start}' not in text
        assert start or PREFIX not in text


def test_redirects_pushed_urls_and_the_cookie_lie_below_it(proxied: TestClient) -> None:
    answer = proxied.post("/images", files={"file": ("a.png", png())}, headers=SAYS)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{PREFIX}/?model=")
    assert f"Path={PREFIX};" in answer.headers["set-cookie"]
    pushed = proxied.post(
        "/images", files={"file": ("a.png", png())}, headers={**SAYS, "hx-request": "true"}
    )
    assert pushed.headers["hx-push-url"].startswith(f"{PREFIX}/?model=")
    assert proxied.get("/lab", headers=SAYS).headers["location"] == f"{PREFIX}/lab/row"


def test_the_api_and_its_errors_know_it(proxied: TestClient) -> None:
    spec: Any = proxied.get("/openapi.json", headers=SAYS).json()
    assert spec["servers"] == [{"url": PREFIX}]
    assert "servers" not in proxied.get("/openapi.json").json()
    answer = proxied.get("/api/v1/runs/mini/nothing", headers=SAYS)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/attack", f"{PREFIX}/attack", f"{PREFIX}/healthz", PREFIX])
def test_a_proxy_may_take_it_off_or_leave_it(tmp_path: Path, path: str) -> None:
    app = create_app(Settings(data=tmp_path, device="cpu"), root_path=f"{PREFIX}/")
    with TestClient(app, base_url=BASE, follow_redirects=False) as client:
        answer = client.get(path, headers={"accept": "text/html"})
        assert answer.status_code == 200
        assert path.endswith("healthz") or f'href="{PREFIX}/attack"' in answer.text


def test_a_sub_path_like_a_page_of_its_own_is_always_taken_off(tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path, device="cpu"), root_path="/lab")
    with TestClient(app, base_url=BASE, follow_redirects=False) as client:
        text = client.get("/lab/grid", headers={"accept": "text/html"}).text
    assert 'action="/lab/lab/grid"' in text


@pytest.mark.parametrize(
    "said",
    [
        "//evil.example",
        "/a b",
        '/"><script>',
        "/..",
        "/a/../b",
        "/a" * 9,
        "a",
        "/ä",
        "/" + "a" * 300,
    ],
)
def test_what_is_no_sub_path_is_not_believed(proxied: TestClient, said: str) -> None:
    headers = {b"accept": b"text/html", b"x-forwarded-prefix": said.encode()}
    assert 'href="/attack"' in proxied.get("/", headers=headers).text
    with pytest.raises(BadRequest, match="no sub-path"):
        checked_base(said)


@pytest.mark.parametrize(("behind_proxy", "client"), [(False, HERE), (True, ELSEWHERE)])
def test_only_a_proxy_here_that_the_server_was_started_for_is_believed(
    tmp_path: Path, behind_proxy: bool, client: tuple[str, int]
) -> None:
    app = create_app(Settings(data=tmp_path, device="cpu"), behind_proxy=behind_proxy)
    with TestClient(app, base_url=BASE, client=client) as browser:
        # An address that the request itself names makes it no request from here.
        headers = {**SAYS, "x-forwarded-for": "127.0.0.1"}
        assert 'href="/attack"' in browser.get("/", headers=headers).text


def test_outside_of_requests_there_is_none() -> None:
    assert base() == ""
    assert checked_base("") == checked_base("/") == ""


def test_no_template_writes_a_path_without_it() -> None:
    bare = re.compile(r'= ?["\']/["\'a-z?]')
    templates = Path(__file__).parents[3] / "templates"
    lines = {
        f"{path.name}:{number}": line
        for path in templates.rglob("*.html")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if bare.search(line)
    }
    assert lines == {}
