"""The pictures store while several threads add, read and delete at once, and after a crash."""

from __future__ import annotations

import errno
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.errors import BrokenPicture, Forbidden, NotAPicture, NotWritten, UnknownPicture
from app.services.pictures.store import Pictures
from tests.support.clock import Clock
from tests.support.picture_files import noise, png
from tests.support.waiting import HANG


def test_a_picture_deleted_while_it_is_brought_again_is_there(tmp_path: Path) -> None:
    store, lock = interruptible(tmp_path)
    id = store.add(png(), "ann").id
    # Between the look for the file and its entry in the index, somebody else deletes it.
    lock.before.append(lambda: store.delete(id, "ann"))
    stored = store.add(png(), "bob")
    assert stored.id == id
    assert store.png(id)
    assert [one.id for one in store.recent("bob")] == [id]


class Interrupting:
    """A lock that lets things happen, once each, just before it is taken or after it is let go."""

    def __init__(self) -> None:
        self.before: list[Callable[[], object]] = []
        self.after: list[Callable[[], object]] = []
        self._real = threading.RLock()

    def __enter__(self) -> None:
        if self.before:
            self.before.pop()()
        self._real.acquire()

    def __exit__(self, *_: object) -> None:
        self._real.release()
        if self.after:
            self.after.pop()()


def interruptible(folder: Path) -> tuple[Pictures, Interrupting]:
    """A store, and the lock around its index."""
    lock = Interrupting()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "RLock", lambda: lock)
        return Pictures(folder), lock


@pytest.mark.parametrize("read", [Pictures.open, Pictures.png, lambda s, id: s.preview(id, 96)])
def test_a_picture_deleted_while_it_is_read_is_unknown(
    tmp_path: Path, read: Callable[[Pictures, str], object]
) -> None:
    first = Pictures(tmp_path)
    id = first.add(png(), "ann").id
    first.close()
    store, lock = interruptible(tmp_path)
    # The store has just seen that it is there.
    lock.after.append(lambda: store.delete(id, "ann"))
    with pytest.raises(UnknownPicture):
        read(store, id)
    assert lock.after == []


def test_adding_deleting_and_reading_in_many_threads(tmp_path: Path) -> None:
    store = Pictures(tmp_path)
    barrier = threading.Barrier(6)

    def person(number: int) -> list[str]:
        barrier.wait(HANG)
        problems = []
        for i in range(12):
            id = store.add(png(i % 3), f"owner {number}").id
            try:
                store.open(id)
                store.png(id)
            except UnknownPicture as error:
                problems.append(str(error))  # an owner's own picture is there until they delete it
            store.delete(id, f"owner {number}")
        return problems

    with ThreadPoolExecutor(6) as pool:
        assert [one for found in pool.map(person, range(6)) for one in found] == []
    assert list((tmp_path / "pictures").iterdir()) == []


def test_a_file_that_is_no_picture_leaves_nothing_behind(tmp_path: Path) -> None:
    store = Pictures(tmp_path)
    with pytest.raises(NotAPicture):
        store.add(b"MZ" + bytes(500), "ann", "setup.exe.png")
    with pytest.raises(BrokenPicture):
        store.add(noise(0)[:2000], "ann")
    assert store.recent("ann") == []
    assert list((tmp_path / "pictures").iterdir()) == []


def test_writing_that_fails_leaves_no_picture_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Pictures(tmp_path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(NotWritten, match="disk is full, so this picture could not be kept"):
            store.add(png(), "ann")
    assert store.recent("ann") == []
    assert list((tmp_path / "pictures").glob("*.png")) == []
    store.close()
    Pictures(tmp_path)
    assert list((tmp_path / "pictures").iterdir()) == []


def test_the_key_is_never_readable_by_others_not_even_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []
    real = Path.replace

    def noting(self: Path, target: Path) -> Path:
        modes.append(stat.S_IMODE(self.stat().st_mode))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", noting)
    Pictures(tmp_path)
    assert modes == [0o600]


def test_a_sample_cannot_be_taken_for_an_upload(tmp_path: Path) -> None:
    store = Pictures(tmp_path)
    store.require("coffee")
    with pytest.raises(UnknownPicture):
        store.find("coffee", "ann")
    with pytest.raises(Forbidden):
        store.delete("coffee", "ann")


@pytest.mark.parametrize("id", ["../key", "..", "", "coffee/../../key", "%2e%2e"])
def test_an_id_is_never_a_path(tmp_path: Path, id: str) -> None:
    store = Pictures(tmp_path)
    for method in (store.open, store.png, store.require):
        with pytest.raises(UnknownPicture):
            method(id)
    with pytest.raises(UnknownPicture):
        store.delete(id, "ann")
    assert (tmp_path / "key").is_file()


def test_the_listing_ends_at_so_many_newest_first(tmp_path: Path) -> None:
    clock = Clock()
    store = Pictures(tmp_path, clock=clock)
    ids = []
    for i in range(5):
        clock.now += 1
        ids.append(store.add(png(i), "ann").id)
    assert [one.id for one in store.recent("ann", 3)] == ids[:1:-1]


def test_what_is_in_use_twice_stays_until_both_have_left(tmp_path: Path) -> None:
    clock = Clock()
    store = Pictures(tmp_path, lifetime=60, clock=clock)
    id = store.add(png(), "ann").id
    clock.now += 61
    with store.using(id):
        with store.using(id):
            pass
        assert store.expire() == []
    assert store.expire() == [id]
