"""One file, whole, once at a time, until it is stopped; reported now and then."""

from __future__ import annotations

import http.client
import itertools
import os
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from app.errors import Cancelled
from app.services.networks import fetch as module
from app.services.networks.fetch import Received, fetch
from app.services.networks.partial_file import WantedFile
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


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("bytes", [SIZE, None])
@pytest.mark.parametrize("sha256", [SHA, SHA.upper(), SHA[:8], ""])
def test_a_file_comes_whole_into_a_new_folder(
    server: MisbehavingServer, tmp_path: Path, bytes: int | None, sha256: str, framing: str
) -> None:
    behave(server, framing=framing)
    folder = tmp_path / "new" / "folder"
    reports = get(wanted(server, folder, bytes, sha256))
    assert (folder / "toy.pth").read_bytes() == BODY
    assert left(folder) == ["toy.pth"]
    told = framing == "length" or bytes is not None
    assert (reports[-1].done, reports[-1].total) == (SIZE, SIZE if told else None)
    assert "Range" not in server.asked[0]
    # Some servers refuse urllib by its own name.
    assert server.asked[0]["User-Agent"] == "Layerscope"


@pytest.mark.parametrize("sha256", ["abc", SHA[:7], SHA + "0", "g" * 64])
def test_what_is_no_sha256_is_refused(tmp_path: Path, sha256: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256"):
        WantedFile("http://example.org/", tmp_path, None, sha256)


def test_a_redirect_is_followed_also_by_a_rest(server: MisbehavingServer, tmp_path: Path) -> None:
    behave(server, redirects={"/toy.pth": "/elsewhere"})
    get(broken(server, tmp_path))
    assert (tmp_path / "toy.pth").read_bytes() == BODY
    assert server.sent == [0, 200_000, 0, 100_000]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_redirect_never_leaves_encryption(
    server: MisbehavingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    def in_the_clear(handler: Any, request: urllib.request.Request) -> Any:
        return handler.do_open(http.client.HTTPConnection, request)

    monkeypatch.setattr(urllib.request.HTTPSHandler, "https_open", in_the_clear)
    there = f"{scheme}://127.0.0.1:{server.port}/elsewhere"
    behave(server, redirects={"/toy.pth": there})
    file = WantedFile(server.url.replace("http", "https"), tmp_path / "toy.pth", SIZE, SHA)
    if scheme == "https":
        get(file)
    else:
        assert problem(file) == (
            f"127.0.0.1:{server.port} leads to an address without encryption, "
            "which is not safe to follow."
        )
    assert left(tmp_path) == ["toy.pth"] * (scheme == "https")
    assert len(server.asked) == 1 + (scheme == "https")


def test_a_folder_that_cannot_be_written_is_told(server: MisbehavingServer, tmp_path: Path) -> None:
    (tmp_path / "folder").write_bytes(b"a file")
    sentence = problem(wanted(server, tmp_path / "folder"))
    assert sentence.startswith(f"toy.pth cannot be written to {tmp_path / 'folder'}: File exists")
    assert server.asked == []
    (tmp_path / "toy.pth").mkdir()
    assert "toy.pth cannot be written" in problem(wanted(server, tmp_path))
    assert left(tmp_path) == ["folder", "toy.pth"]


def test_one_file_is_fetched_once_at_a_time(
    server: MisbehavingServer, tmp_path: Path, ticking: None
) -> None:
    first = fetch(wanted(server, tmp_path), threading.Event())
    next(first)
    assert problem(wanted(server, tmp_path)) == "toy.pth is being downloaded already."
    assert len(server.asked) == 1
    assert len(list(first)) > 1
    assert (tmp_path / "toy.pth").read_bytes() == BODY
    assert left(tmp_path) == ["toy.pth"]


def test_what_came_is_on_the_disk_before_it_has_its_name(
    server: MisbehavingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)

        def call(*args: Any, real: Any = real, name: str = name) -> None:
            calls.append(name)
            real(*args)

        monkeypatch.setattr(os, name, call)
    get(wanted(server, tmp_path))
    assert calls == ["fsync", "replace"]


def test_who_leaves_early_lets_others_go_on(
    server: MisbehavingServer, tmp_path: Path, ticking: None
) -> None:
    first = fetch(wanted(server, tmp_path), threading.Event())
    next(first)
    first.close()  # type: ignore[attr-defined]
    assert left(tmp_path) == PARTS
    # A part that cannot go on has no note, not even an older one.
    behave(server, etag=None)
    second = fetch(wanted(server, tmp_path), threading.Event())
    next(second)
    second.close()  # type: ignore[attr-defined]
    assert left(tmp_path) == PARTS[:1]
    get(wanted(server, tmp_path))
    assert left(tmp_path) == ["toy.pth"]


def test_the_lock_of_a_dead_process_holds_nobody(server: MisbehavingServer, tmp_path: Path) -> None:
    (tmp_path / "toy.pth.lock").write_bytes(b"")
    get(wanted(server, tmp_path))
    assert left(tmp_path) == ["toy.pth"]


def test_a_lock_that_was_removed_meanwhile_is_none(
    server: MisbehavingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def removed(file: int) -> os.stat_result:
        """Looked at once it is locked."""
        (tmp_path / "toy.pth.lock").unlink(missing_ok=True)
        return looked(file)

    looked = os.fstat
    monkeypatch.setattr(os, "fstat", removed)
    assert problem(wanted(server, tmp_path)) == "toy.pth is being downloaded already."
    assert server.asked == []


class Stop(threading.Event):
    """Set once it has been looked at so many times."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    def is_set(self) -> bool:
        self.looks -= 1
        return self.looks < 0


@pytest.mark.parametrize(("begun", "looks"), [(False, 0), (True, 0), (True, 1)])
def test_a_stop_beforehand_or_while_a_part_is_hashed_asks_nobody(
    server: MisbehavingServer, tmp_path: Path, begun: bool, looks: int
) -> None:
    file = broken(server, tmp_path) if begun else wanted(server, tmp_path)
    with pytest.raises(Cancelled, match="The download was stopped"):
        list(fetch(file, Stop(looks)))
    assert left(tmp_path) == PARTS * begun
    assert len(server.asked) == begun


def test_a_stop_keeps_what_came(server: MisbehavingServer, tmp_path: Path, ticking: None) -> None:
    file, stop = wanted(server, tmp_path), threading.Event()
    reports = fetch(file, stop)
    came = next(reports).done
    stop.set()
    with pytest.raises(Cancelled):
        next(reports)
    assert left(tmp_path) == PARTS
    assert (tmp_path / "toy.pth.part").read_bytes() == BODY[:came]
    get(file)
    assert file.path.read_bytes() == BODY
    assert server.sent[1] == SIZE - came


def test_a_stop_after_the_last_byte_comes_too_late(
    server: MisbehavingServer, tmp_path: Path, ticking: None
) -> None:
    stop = threading.Event()
    for received in fetch(wanted(server, tmp_path), stop):
        if received.done == SIZE:
            stop.set()
    assert left(tmp_path) == ["toy.pth"]


def test_reports_tell_the_speed_of_what_came_now(
    server: MisbehavingServer, tmp_path: Path, ticking: None
) -> None:
    reports = get(broken(server, tmp_path))
    assert [report.done for report in reports] == sorted(report.done for report in reports)
    assert reports[0].done == 200_512
    assert {report.total for report in reports} == {SIZE}
    # A second passes with each report, in which at most a chunk came.
    assert 0 < reports[0].speed == 512
    assert all(report.speed <= 10_000 for report in reports)
    assert reports[0].left == (SIZE - 200_512) / 512
    assert reports[-1].left == 0
    assert Received(5, None, 1.0).left is None
    assert Received(5, 10, 0.0).left is None


def test_an_early_pause_is_soon_forgotten(
    server: MisbehavingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ticking: None
) -> None:
    clock = itertools.chain([0.0], itertools.count(1e6))
    monkeypatch.setattr(module, "monotonic", clock.__next__)
    assert get(wanted(server, tmp_path))[-1].speed > 100


@pytest.mark.parametrize("tick", [0.0, 0.021])
def test_reports_come_ten_times_a_second_at_most(
    server: MisbehavingServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ticking: None,
    tick: float,
) -> None:
    clock = itertools.count(0.0, tick)
    monkeypatch.setattr(module, "monotonic", clock.__next__)
    reports = get(wanted(server, tmp_path))
    assert reports[-1].done == SIZE
    # One every tenth of a second, and the last.
    assert len(reports) <= next(clock) * 10 + 1
