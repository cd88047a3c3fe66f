"""Names of this server and origins: with ports, wildcards, IPv6, Unicode, and behind proxies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.errors import BadRequest
from app.settings import Settings
from app.web.app import create_app
from app.web.core.hosts import HostNames, same_host
from app.web.core.state import check
from app.web.server import addresses
from tests.support.picture_files import png

SCHOOL = "lab.school.example"


@pytest.mark.parametrize(
    ("listed", "host", "accepted"),
    [
        (SCHOOL, SCHOOL, True),
        (SCHOOL, "LAB.School.Example:8443", True),
        (SCHOOL, f"{SCHOOL}.", True),
        (SCHOOL, "school.example", False),
        (SCHOOL, f"{SCHOOL}.evil.example", False),
        (f"{SCHOOL}:8443", SCHOOL, True),
        ("*.school.example", SCHOOL, True),
        ("*.school.example", "a.b.school.example:80", True),
        ("*.school.example", "school.example", False),
        ("*.school.example", "evilschool.example", False),
        ("fd00::1", "[fd00::1]:8000", True),
        ("[FD00::1]:8000", "[fd00::1]", True),
        ("bücher.example", "xn--bcher-kva.example", True),
        ("Bücher.Example", "XN--BCHER-KVA.example:8000", True),
        ("*", "anything.example", True),
        ("", "anything.example", False),
    ],
)
def test_a_listed_name_is_compared_as_browsers_mean_it(
    listed: str, host: str, accepted: bool
) -> None:
    assert HostNames([listed] if listed else []).accept(host) is accepted


@pytest.mark.parametrize(
    "name",
    ["http://lab.example", "lab.example/x", "two words", "a..b", "*lab", "x" * 70, "lab.*.example"],
)
def test_what_is_no_name_is_refused_at_the_start(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadRequest, match="no name of a host"):
        check(Settings(data=tmp_path, device="cpu", hosts=(name,)))


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        (f"http://{SCHOOL}", SCHOOL, True),
        (f"http://{SCHOOL}:80", SCHOOL, True),
        (f"https://{SCHOOL}", f"{SCHOOL}:443", True),
        ("HTTP://Lab.School.Example", SCHOOL, True),
        (f"http://{SCHOOL}:8000", SCHOOL, False),
        (f"https://{SCHOOL}:80", SCHOOL, False),
        ("http://evil.example", SCHOOL, False),
        ("null", SCHOOL, False),
    ],
)
def test_an_origin_is_compared_without_case_and_usual_port(
    origin: str, host: str, same: bool
) -> None:
    assert same_host(origin, host) is same


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    app = create_app(Settings(data=tmp_path, device="cpu", hosts=(SCHOOL,)))
    with TestClient(app, base_url="http://127.0.0.1:8000") as made:
        yield made


@pytest.mark.parametrize(
    ("host", "origin", "more"),
    [
        ("127.0.0.1:8000", f"https://{SCHOOL}", {"x-forwarded-host": SCHOOL}),
        (SCHOOL, f"https://{SCHOOL}:8443", {}),
        (SCHOOL, "http://localhost:8152", {}),
    ],
)
def test_behind_a_proxy_the_browser_s_word_counts(
    client: TestClient, host: str, origin: str, more: dict[str, str]
) -> None:
    headers = {"host": host, "origin": origin, **more}
    files = {"file": ("a.png", png())}
    said = {**headers, "sec-fetch-site": "same-origin"}
    assert client.post("/api/v1/images", files=files, headers=said).status_code == 201
    # Without its word, on plain HTTP, the origin decides.
    assert client.post("/api/v1/images", files=files, headers=headers).status_code == 403


def test_the_browser_s_word_does_not_open_another_name(client: TestClient) -> None:
    headers = {"host": "evil.example", "sec-fetch-site": "same-origin"}
    files = {"file": ("a.png", png())}
    answer = client.post("/api/v1/images", files=files, headers=headers)
    assert "LAYERSCOPE_HOSTS" in answer.json()["detail"]


def test_addresses_are_printed_as_browsers_take_them() -> None:
    assert addresses("::1", 8000) == ["http://[::1]:8000"]
    assert addresses("fd00::7", 80) == ["http://[fd00::7]:80"]
    assert addresses("127.0.0.1", 8000) == ["http://127.0.0.1:8000"]
