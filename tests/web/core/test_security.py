"""Names, origins, headers, cookies."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.settings import Settings
from app.web.app import create_app
from app.web.core.security import COOKIE, HEADERS
from app.web.core.templating import TEMPLATES

BASE = "http://localhost:8000"


@pytest.mark.parametrize(
    ("host", "served", "beyond"),
    [
        ("localhost:8000", True, False),
        ("127.0.0.1:8000", True, False),
        ("[::1]:8000", True, False),
        ("named.example", True, False),
        ("evil.example", False, False),
        ("localhost.evil.example", False, False),
        ("192.168.1.20:8000", False, False),
        ("192.168.1.20:8000", True, True),
        ("evil.example:8000", False, True),
        ("", False, False),
    ],
)
def test_only_our_own_names_are_answered(
    tmp_path: Path, host: str, served: bool, beyond: bool
) -> None:
    settings = Settings(data=tmp_path, device="cpu", hosts=("named.example",))
    with TestClient(create_app(settings, beyond=beyond), base_url=BASE) as client:
        answer = client.get("/healthz", headers={"host": host})
    assert (answer.status_code == 200) is served
    if not served:
        assert "LAYERSCOPE_HOSTS" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 404),
        ({"origin": "http://localhost:8000"}, 404),
        ({"sec-fetch-site": "same-origin"}, 404),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://localhost:9999"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_a_foreign_page_can_change_nothing(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    deleted = client.delete("/api/v1/images/nothing.png", headers=headers)
    assert deleted.status_code == status
    sent = client.post("/images/nothing/delete", headers=headers)
    assert sent.status_code == status
    # Reading is for whoever opens the address, not for another site's page.
    reads = 403 if headers.get("sec-fetch-site") == "cross-site" else 200
    assert client.get("/healthz", headers=headers).status_code == reads


@pytest.mark.parametrize(
    "address",
    ["/", "/nowhere", "/api/v1/nowhere", "/static/css/tokens.css", "/docs", "/?image=gone",
     "/runs/mini/coffee/events", "/api/v1/runs/mini/coffee/steps/conv1.png"],
)  # fmt: skip
def test_every_answer_carries_the_security_headers(client: TestClient, address: str) -> None:
    answer = client.get(address, headers={"accept": "text/html"})
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers


def test_templates_need_no_inline_script_or_style() -> None:
    pages = sorted(TEMPLATES.rglob("*.html"))
    assert len(pages) > 15
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|js:", text), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), path
        assert not re.search(r"(src|href)=[\"']https?:", text), path
        assert "|safe" not in text, path


def test_the_cookie_is_random_and_out_of_reach_of_scripts(
    client: TestClient, other: TestClient
) -> None:
    first = client.get("/").headers["set-cookie"]
    assert re.match(rf"{COOKIE}=[\w-]{{32}}; ", first)
    assert "HttpOnly" in first
    assert "SameSite=Lax" in first
    assert "Secure" not in first
    assert "set-cookie" not in client.get("/").headers
    assert other.get("/").headers["set-cookie"] != first
    other.cookies.clear()
    assert "Secure" in other.get("https://localhost:8000/").headers["set-cookie"]


@pytest.mark.parametrize("value", ["short", "x" * 65, "a b c d e f g h i j k l m n o", '"'])
def test_a_cookie_of_another_shape_is_replaced(client: TestClient, value: str) -> None:
    answer = client.get("/", headers={"cookie": f"{COOKIE}={value}"})
    assert answer.status_code == 200
    assert COOKIE in answer.headers["set-cookie"]


def test_what_caches_may_keep_carries_no_cookie(client: TestClient) -> None:
    page = client.get("/").text
    client.cookies.clear()
    found = re.search(r'href="(/static/css/[^"]+)"', page)
    assert found
    answer = client.get(found[1])
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "set-cookie" not in answer.headers
    bare = client.get(found[1].partition("?")[0])
    assert bare.headers["cache-control"] == "no-cache"
    assert client.get("/static/../app/errors.py").status_code == 404


def test_the_documentation_asks_no_other_host(client: TestClient) -> None:
    page = client.get("/docs").text
    assert re.findall(r'(?:src|href)="(?!/)', page) == []
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert client.get(address).status_code == 200


CROSS = {"sec-fetch-site": "cross-site"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({**CROSS, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, 403),
        ({**CROSS, "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}, 403),
        ({**CROSS, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, 403),
        ({**CROSS, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, 200),
        ({"sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors"}, 200),
        ({"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}, 200),
        ({}, 200),
    ],
)
def test_a_page_of_another_site_cannot_start_work_here(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    for address in ("/api/v1/runs/mini/coffee", "/?image=coffee", "/static/icon.svg"):
        assert client.get(address, headers=headers).status_code == status
