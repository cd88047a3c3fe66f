"""What is not the file leaves nothing; each failure has a sentence."""

from __future__ import annotations

import errno
import io
import os
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.services.networks import fetch as module
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
    serving,
    wanted,
)

PAGE = b"\xef\xbb\xbf\n<!DOCTYPE html><title>Please log in</title>" + bytes(SIZE)
BARE = b"<HTML>Blocked" + bytes(SIZE)
A_PAGE = (
    "A page came instead of the file toy.pth, which a proxy, a login page of the network or a "
    "filter does. Open any website to log in, then start again."
)
OTHER = "What 127.0.0.1 sent is not the published toy.pth: "

# What the server does, the size that is expected, and the sentence.
EARLY: list[tuple[dict[str, Any], int | None, str]] = [
    ({"kind": "text/html; charset=utf-8"}, SIZE, A_PAGE),
    ({"body": PAGE, "kind": None}, len(PAGE), A_PAGE),
    ({"body": BARE, "framing": "close"}, SIZE, A_PAGE),
    ({"status": 404}, SIZE, "127.0.0.1 refuses toy.pth, with status 404."),
    ({"status": 403}, SIZE, "127.0.0.1 refuses toy.pth, with status 403."),
    (
        {"status": 503},
        SIZE,
        "127.0.0.1 refuses toy.pth, with status 503. Please try again later.",
    ),
    ({"status": 202}, SIZE, "127.0.0.1 refuses toy.pth, with status 202."),
    ({"length": SIZE - 1}, SIZE, f"{OTHER}its size differs."),
    ({"length": SIZE + 1}, SIZE, f"{OTHER}its size differs."),
]
LATE: list[tuple[dict[str, Any], int | None, str]] = [
    ({"body": bytes(SIZE)}, SIZE, f"{OTHER}its SHA-256 differs."),
    ({"length": SIZE - 1}, None, f"{OTHER}its SHA-256 differs."),
    ({"framing": "chunked"}, SIZE - 1, f"{OTHER}more came than it has."),
    ({"framing": "close"}, SIZE - 1, f"{OTHER}more came than it has."),
]


@pytest.mark.parametrize(("manners", "bytes", "sentence"), EARLY + LATE)
def test_what_is_not_the_file_leaves_nothing(
    server: MisbehavingServer,
    tmp_path: Path,
    manners: dict[str, Any],
    bytes: int | None,
    sentence: str,
) -> None:
    behave(server, **manners)
    assert problem(wanted(server, tmp_path / "new", bytes)) == sentence
    assert left(tmp_path / "new") == []
    (tmp_path / "toy.pth").write_bytes(b"old")
    assert problem(wanted(server, tmp_path, bytes)) == sentence
    assert left(tmp_path) == ["new", "toy.pth"]
    assert (tmp_path / "toy.pth").read_bytes() == b"old"


@pytest.mark.parametrize(("manners", "bytes", "sentence"), EARLY)
def test_what_fails_before_its_first_byte_leaves_an_earlier_part(
    server: MisbehavingServer, tmp_path: Path, manners: dict[str, Any], bytes: int, sentence: str
) -> None:
    broken(server, tmp_path)
    behave(server, ranges=False, **manners)
    assert problem(wanted(server, tmp_path, bytes)) == sentence
    assert left(tmp_path) == PARTS
    assert (tmp_path / "toy.pth.part").read_bytes() == BODY[:200_000]


@pytest.mark.parametrize("begun", [False, True])
def test_a_disk_with_too_little_room_is_told_beforehand(
    server: MisbehavingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    file = broken(server, tmp_path) if begun else wanted(server, tmp_path)
    # The bytes of the part are on the disk already.
    free = SIZE + module.SPARE - 200_000 * begun - 1
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert problem(file) == (
        "The disk has too little room: toy.pth needs 0.3 MB and 100.0 MB to spare, "
        f"and {tmp_path} has 100.3 MB."
    )
    assert left(tmp_path) == PARTS * begun
    free += 1
    get(file)
    assert file.path.read_bytes() == BODY


class Full(io.RawIOBase):
    """A file on a disk that has just become full."""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("begun", [False, True])
def test_a_disk_that_fills_up_leaves_nothing(
    server: MisbehavingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    file = broken(server, tmp_path) if begun else wanted(server, tmp_path)
    real = Path.open

    def full(path: Path, mode: str = "r", *rest: Any, **named: Any) -> Any:
        opened = real(path, mode, *rest, **named)
        if path.suffix != ".part" or mode == "rb":
            return opened
        opened.close()
        return io.BufferedWriter(Full())

    monkeypatch.setattr(Path, "open", full)
    assert problem(file) == (
        f"toy.pth cannot be written to {tmp_path}: "
        "the disk is full. Please make room and start again."
    )
    assert left(tmp_path) == []


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("manners", [{"stall": -1}, {"stall": 0}, {"cut": 0}, {"gibberish": True}])
def test_a_server_that_says_nothing_cannot_be_reached(
    server: MisbehavingServer,
    tmp_path: Path,
    manners: dict[str, Any],
    begun: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = broken(server, tmp_path) if begun else wanted(server, tmp_path)
    monkeypatch.setattr(module, "TIMEOUT", 0.1)
    behave(server, **manners)
    assert problem(file) == UNREACHABLE.format("127.0.0.1")
    assert left(tmp_path) == PARTS * begun


UNREACHABLE = (
    "{} cannot be reached. Is this computer connected to the internet? "
    "A copy of toy.pth on a USB stick works, too."
)


def test_without_internet_a_part_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, direct: None
) -> None:
    with serving(BODY) as server:
        file = broken(server, tmp_path)
    assert problem(file) == UNREACHABLE.format("127.0.0.1")
    assert left(tmp_path) == PARTS

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    file = WantedFile("https://weights.example/toy.pth", file.path, SIZE, SHA)
    assert problem(file) == UNREACHABLE.format("weights.example")
    assert left(tmp_path) == PARTS
