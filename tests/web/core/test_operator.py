"""Who has the operator's rights: whoever sits at this machine, or brings the key behind a proxy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.settings import Settings
from app.web.app import create_app
from tests.support.addresses import BASE, ELSEWHERE, HERE

LOOK = "/networks/squeezenet1_1/download"
MAPPED = ("::ffff:127.0.0.1", 50_000)


def status(
    app: FastAPI,
    client: tuple[str, int],
    headers: Mapping[str, str] | Mapping[bytes, bytes] | None = None,
) -> int:
    """What a browser there is answered that asks for a right of the operator."""
    with TestClient(app, base_url=BASE, follow_redirects=False, client=client) as browser:
        return browser.get(LOOK, headers=headers).status_code


@pytest.mark.parametrize(
    ("client", "headers", "beyond", "code"),
    [
        (HERE, {}, False, 303),
        (("::1", 50_000), {}, False, 303),
        (MAPPED, {}, False, 303),
        (HERE, {}, True, 303),
        (ELSEWHERE, {}, True, 403),
        (("testclient", 50_000), {}, False, 403),
        (HERE, {"forwarded": "for=203.0.113.7"}, False, 403),
        (HERE, {"via": "1.1 proxy"}, False, 403),
        (HERE, {"x-forwarded-for": "127.0.0.1"}, False, 403),
        (HERE, {"x-forwarded-proto": "https"}, False, 403),
        (HERE, {"X-Forwarded-Host": "lab.example"}, False, 403),
        (ELSEWHERE, {"x-forwarded-for": "127.0.0.1"}, True, 403),
    ],
)
def test_rights_belong_to_this_machine_and_to_no_proxied_request(
    tmp_path: Path, client: tuple[str, int], headers: dict[str, str], beyond: bool, code: int
) -> None:
    app = create_app(Settings(data=tmp_path, device="cpu"), beyond=beyond)
    assert status(app, client, headers) == code


def test_behind_a_proxy_the_key_gives_them_and_nothing_else(tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path, device="cpu"), behind_proxy=True)
    assert status(app, HERE) == 403
    headers = {"x-forwarded-prefix": "/user/7", "x-forwarded-proto": "https"}
    with TestClient(app, base_url=BASE, follow_redirects=False, client=HERE) as browser:
        for wrong in ("", "x", "ä", app.state.operator_key[:-1]):
            assert browser.get("/operator", params={"key": wrong}).status_code == 403
        assert "layerscope_operator" not in browser.cookies
        answer = browser.get("/operator", params={"key": app.state.operator_key}, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/user/7/")
    cookie = next(
        one
        for one in answer.headers.get_list("set-cookie")
        if one.startswith("layerscope_operator")
    )
    for part in ("HttpOnly", "Path=/user/7", "SameSite=lax", "Secure"):
        assert part in cookie
    kept = cookie.partition(";")[0]
    assert status(app, HERE, {"cookie": kept, "x-forwarded-for": "203.0.113.7"}) == 303
    assert status(app, HERE, {b"cookie": b"layerscope_operator=\xe4"}) == 403


def test_without_a_proxy_there_is_no_key(tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path, device="cpu"))
    with TestClient(app, base_url=BASE, client=ELSEWHERE) as browser:
        for key in ("", "None"):
            assert browser.get("/operator", params={"key": key}).status_code == 403


def test_two_servers_have_two_keys(tmp_path: Path) -> None:
    keys = {
        create_app(Settings(data=tmp_path, device="cpu"), behind_proxy=True).state.operator_key
        for _ in range(2)
    }
    assert len(keys) == 2
    assert all(len(key) >= 32 for key in keys)
