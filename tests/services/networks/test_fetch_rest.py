"""What breaks off goes on from there, where the rest fits; else it begins anew."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.errors import Cancelled
from app.services.networks import fetch as module
from app.services.networks.fetch import fetch
from tests.support.misbehaving_server import (
    BODY,
    PARTS,
    SHA,
    SIZE,
    MisbehavingServer,
    behave,
    broken,
    get,
    left,
    problem,
    wanted,
)

DATE = "Wed, 21 Oct 2015 07:28:00 GMT"

BREAKS: list[dict[str, Any]] = [
    {"cut": 200_000},
    {"stall": 200_000},
    {"cut": 200_000, "framing": "chunked"},
    {"cut": 200_000, "framing": "close"},
    {"cut": 200_000, "etag": None, "modified": DATE},
    {"cut": 200_000, "etag": 'W/"weak"', "modified": DATE},
]


@pytest.mark.parametrize("manners", BREAKS)
def test_what_broke_goes_on_from_there(
    server: MisbehavingServer,
    tmp_path: Path,
    manners: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Long enough for a busy computer to send what comes before the stall.
    monkeypatch.setattr(module, "TIMEOUT", 1.0)
    (tmp_path / "toy.pth").write_bytes(b"old")
    behave(server, **manners)
    assert problem(wanted(server, tmp_path)) == (
        "The connection to 127.0.0.1 broke after 0.2 MB of 0.3 MB. "
        "Starting again goes on from there."
    )
    assert left(tmp_path) == ["toy.pth", *PARTS]
    assert (tmp_path / "toy.pth").read_bytes() == b"old"
    assert (tmp_path / "toy.pth.part").read_bytes() == BODY[:200_000]
    behave(server, cut=None, stall=None, framing="length")
    get(wanted(server, tmp_path))
    assert (tmp_path / "toy.pth").read_bytes() == BODY
    assert left(tmp_path) == ["toy.pth"]
    assert server.sent == [200_000, 100_000]
    assert server.asked[1]["Range"] == "bytes=200000-"
    assert server.asked[1]["If-Range"] == (DATE if server.modified else '"one"')


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_what_cannot_go_on_leaves_nothing(
    server: MisbehavingServer, tmp_path: Path, etag: str | None, ticking: None
) -> None:
    behave(server, cut=200_000, etag=etag)
    assert problem(wanted(server, tmp_path)).endswith("0.3 MB. Starting again begins at the start.")
    assert left(tmp_path) == []
    stop = threading.Event()
    behave(server, cut=None)
    with pytest.raises(Cancelled):
        for _ in fetch(wanted(server, tmp_path), stop):
            assert left(tmp_path) == ["toy.pth.lock", "toy.pth.part"]
            stop.set()
    assert left(tmp_path) == []


@pytest.mark.parametrize("bytes", [SIZE, None])
@pytest.mark.parametrize(
    "manners",
    [
        {},
        {"content_range": f"bytes 200000-{SIZE - 1}/*"},
        {"etag": None, "heeds_if_range": False},
    ],
)
def test_a_rest_that_says_little_of_itself_fits(
    server: MisbehavingServer, tmp_path: Path, manners: dict[str, Any], bytes: int | None
) -> None:
    broken(server, tmp_path)
    behave(server, **manners)
    get(wanted(server, tmp_path, bytes))
    assert (tmp_path / "toy.pth").read_bytes() == BODY
    assert server.sent == [200_000, 100_000]


CHANGES: dict[str, dict[str, Any]] = {
    "Range is ignored": {"ranges": False},
    "the file changed": {"etag": '"two"'},
    "it changed, and If-Range is ignored": {"etag": '"two"', "heeds_if_range": False},
    "another rest comes": {"content_range": f"bytes 100-{SIZE - 1}/{SIZE}"},
    "the rest does not come to the end": {"content_range": f"bytes 200000-299998/{SIZE}"},
    "it is of another file": {"content_range": "bytes 200000-299999/400000"},
    "no rest is told": {"content_range": "pieces"},
    "the rest has no length": {"framing": "chunked"},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_part_that_does_not_fit_begins_anew(
    server: MisbehavingServer, tmp_path: Path, change: str
) -> None:
    file = broken(server, tmp_path)
    behave(server, **CHANGES[change])
    get(file)
    assert file.path.read_bytes() == BODY
    assert left(tmp_path) == ["toy.pth"]
    assert server.asked[1]["Range"] == "bytes=200000-"
    assert server.sent[-1] == SIZE


def test_a_part_as_long_as_the_file_begins_anew(server: MisbehavingServer, tmp_path: Path) -> None:
    file = broken(server, tmp_path)
    file.path.with_name("toy.pth.part").write_bytes(BODY)
    get(file)
    assert file.path.read_bytes() == BODY
    assert (len(server.asked), server.sent[-1]) == (3, SIZE)


@pytest.mark.parametrize("note", ["", "[]", "{}", None])
def test_a_part_of_unknown_origin_begins_anew(
    server: MisbehavingServer, tmp_path: Path, note: str | None
) -> None:
    file = broken(server, tmp_path)
    path = tmp_path / "toy.pth.part.json"
    path.unlink()
    if note is not None:
        path.write_text(note)
    get(file)
    assert file.path.read_bytes() == BODY
    assert left(tmp_path) == ["toy.pth"]
    assert "Range" not in server.asked[1]


@pytest.mark.parametrize(("address", "sha256"), [("?mirror", SHA), ("", SHA[:8])])
def test_a_part_of_another_file_begins_anew(
    server: MisbehavingServer, tmp_path: Path, address: str, sha256: str
) -> None:
    file = broken(server, tmp_path)
    file = replace(file, url=file.url + address, sha256=sha256)
    get(file)
    assert file.path.read_bytes() == BODY
    assert left(tmp_path) == ["toy.pth"]
    assert "Range" not in server.asked[1]


def test_a_part_is_hashed_anew(server: MisbehavingServer, tmp_path: Path) -> None:
    file = broken(server, tmp_path)
    (tmp_path / "toy.pth.part").write_bytes(bytes(200_000))
    assert "its SHA-256 differs" in problem(file)
    assert left(tmp_path) == []
