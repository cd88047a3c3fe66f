"""The index and the folder of pictures in trouble: gone, damaged, locked, full."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import BrokenPicture, Busy, DataUnusable, Forbidden, NotWritten, UnknownPicture
from app.services.files import KEY
from app.services.pictures import picture_files
from app.services.pictures.index import PictureIndex
from app.services.pictures.store import Pictures
from tests.support.clock import Clock
from tests.support.picture_files import png

INDEX = "pictures.sqlite"


def spoil(path: Path) -> None:
    """Overwrite a file's content, its length stays."""
    path.write_bytes(b"\x5a" * path.stat().st_size)


def aside(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.glob(f"{INDEX}.damaged-*")]


@pytest.mark.parametrize("content", [b"no database at all " * 300, b"", b"S", b"SQLite format 3\0"])
def test_a_damaged_index_is_kept_aside_and_made_anew_from_the_folder(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    first = Pictures(tmp_path, lifetime=60, clock=clock)
    id = first.add(png(3), "ann", "a.png").id
    first.close()
    (tmp_path / "pictures" / f"{'a' * 32}.png").write_bytes(b"no picture")
    (tmp_path / INDEX).write_bytes(content)
    second = Pictures(tmp_path, lifetime=60, clock=clock)
    # SQLite takes a file of one byte for an empty one.
    if len(content) > 1:
        assert aside(tmp_path) == [content]
        assert "is damaged" in caplog.text and "without owners" in caplog.text
    assert "1 pictures lie in the folder" in caplog.text
    # A link still works; nobody owns the picture, so nobody lists or deletes it.
    assert second.open(id).getpixel((0, 0)) == (3, 0, 0)
    assert second.recent("ann") == []
    with pytest.raises(Forbidden):
        second.delete(id, "ann")
    clock.now += 59
    assert second.expire() == []
    clock.now += 1
    assert second.expire() == [id]
    assert not (tmp_path / "pictures" / f"{'a' * 32}.png").exists()


def test_an_index_that_was_deleted_loses_no_picture(tmp_path: Path) -> None:
    first = Pictures(tmp_path, clock=Clock())
    id = first.add(png(4), "ann").id
    first.close()
    for path in tmp_path.glob(f"{INDEX}*"):
        path.unlink()
    assert Pictures(tmp_path, clock=Clock()).open(id).getpixel((0, 0)) == (4, 0, 0)


def test_an_index_that_is_damaged_while_it_is_used_is_made_anew(tmp_path: Path) -> None:
    rows = [("a" * 32, 4, 3, 100, "[]", 9.0)]
    index = PictureIndex(tmp_path / INDEX, lambda: rows)
    attempts = []

    def work(found: sqlite3.Connection) -> list[tuple[str]]:
        attempts.append(found)
        if len(attempts) == 1:
            raise sqlite3.DatabaseError("database disk image is malformed")
        return found.execute("SELECT id FROM pictures").fetchall()

    assert index.run(work) == [("a" * 32,)]
    assert len(attempts) == 2 and attempts[0] is not attempts[1]
    assert len(list(tmp_path.glob(f"{INDEX}.damaged-*"))) >= 1


def test_pages_that_are_overwritten_while_the_server_runs_cost_no_picture(tmp_path: Path) -> None:
    store = Pictures(tmp_path)
    ids = [store.add(png(i), "ann").id for i in range(3)]
    for name in (INDEX, f"{INDEX}-wal"):
        spoil(tmp_path / name)
    new = store.add(png(9), "bob").id
    store.close()
    again = Pictures(tmp_path)
    assert all(again.has(id) for id in (*ids, new))


def test_a_table_that_is_missing_is_damage_too(tmp_path: Path) -> None:
    store = Pictures(tmp_path)
    id = store.add(png(), "ann").id
    with closing(sqlite3.connect(tmp_path / INDEX)) as other:
        other.execute("DROP TABLE owners")
        other.commit()
    assert store.recent("ann") == [] and store.has(id)


def test_mistakes_of_our_own_are_no_damage(tmp_path: Path) -> None:
    index = PictureIndex(tmp_path / INDEX, list)
    row = "INSERT INTO pictures (id) VALUES ('a')"
    index.run(lambda found: found.execute(row))
    with pytest.raises(sqlite3.IntegrityError):
        index.run(lambda found: found.execute(row))
    assert aside(tmp_path) == []


def test_an_index_that_another_program_holds_is_busy_and_then_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.pictures.index.PATIENCE", 0)
    index = PictureIndex(tmp_path / INDEX, list)
    row = "INSERT INTO pictures (id) VALUES ('a')"
    with closing(sqlite3.connect(tmp_path / INDEX, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Busy, match="list of pictures"):
            index.run(lambda found: found.execute(row))
        other.execute("ROLLBACK")
    assert index.run(lambda found: found.execute(row).rowcount) == 1


def test_a_picture_that_the_index_cannot_enter_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.pictures.index.PATIENCE", 0)
    store = Pictures(tmp_path)
    with closing(sqlite3.connect(tmp_path / INDEX, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy):
            store.add(png(), "ann")
        other.execute("ROLLBACK")
    assert list((tmp_path / "pictures").iterdir()) == []
    assert store.add(png(), "ann")


def test_a_disk_too_full_for_the_index_is_said(tmp_path: Path) -> None:
    index = PictureIndex(tmp_path / INDEX, list)

    def fill(found: sqlite3.Connection) -> None:
        found.execute("PRAGMA max_page_count = 1")
        row = "INSERT INTO pictures (id, notes) VALUES (?, ?)"
        found.executemany(row, ((str(i), "x" * 4000) for i in range(100)))

    with pytest.raises(NotWritten, match="list of pictures cannot be read or written"):
        index.run(fill)
    assert index.run(lambda found: found.execute("SELECT id FROM pictures").fetchall()) == []


def test_a_full_disk_is_said_and_what_was_kept_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Pictures(tmp_path)
    kept = store.add(png(1), "ann").id

    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(picture_files, "write", full)
        with pytest.raises(NotWritten, match="disk is full, so this picture could not be kept"):
            store.add(png(2), "ann")
    assert [one.id for one in store.recent("ann")] == [kept]
    assert len(store.recent("ann")) == 1 and store.add(png(2), "ann")


@pytest.mark.skipif(os.name == "nt", reason="Windows deletes no folder that is in use")
def test_the_folder_may_be_deleted_while_the_server_runs(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    store = Pictures(folder)
    old = store.add(png(1), "ann").id
    shutil.rmtree(folder)
    with pytest.raises(UnknownPicture):
        store.png(old)
    new = store.add(png(2), "ann", "new.png").id
    assert store.png(new) and new in {one.id for one in store.recent("ann")}
    store.close()
    again = Pictures(folder)
    assert again.png(new)
    assert [one.id for one in again.recent("ann")] == [new]


@pytest.mark.skipif(os.name == "nt", reason="Windows deletes no file that is open")
def test_an_index_that_is_deleted_while_the_server_runs_keeps_its_owners(tmp_path: Path) -> None:
    store = Pictures(tmp_path)
    id = store.add(png(), "ann").id
    for path in tmp_path.glob(f"{INDEX}*"):
        path.unlink()
    assert [one.id for one in store.recent("ann")] == [id]
    store.close()
    assert [one.id for one in Pictures(tmp_path).recent("ann")] == [id]


def test_a_picture_that_the_disk_has_spoilt_can_be_brought_again(tmp_path: Path) -> None:
    first = Pictures(tmp_path)
    id = first.add(png(), "ann").id
    first.close()
    store = Pictures(tmp_path)
    spoil(tmp_path / "pictures" / f"{id}.png")
    with pytest.raises(BrokenPicture, match="choose its file again"):
        store.open(id)
    assert store.add(png(), "ann").id == id
    assert store.open(id).size == (40, 30)


@pytest.mark.parametrize("length", [0, 1, KEY - 1, KEY + 1, 65])
def test_a_key_of_the_wrong_length_is_put_aside_and_old_ids_stay(
    tmp_path: Path, length: int, caplog: pytest.LogCaptureFixture
) -> None:
    first = Pictures(tmp_path)
    id = first.add(png(), "ann").id
    first.close()
    (tmp_path / "key").write_bytes(b"k" * length)
    store = Pictures(tmp_path)
    assert len((tmp_path / "key").read_bytes()) == KEY
    assert [path.read_bytes() for path in tmp_path.glob("key.damaged-*")] == [b"k" * length]
    assert f"has {length} bytes" in caplog.text
    assert store.open(id).size == (40, 30) and [one.id for one in store.recent("ann")] == [id]
    assert store.add(png(), "ann").id != id


@pytest.mark.parametrize("name", ["key", INDEX, "pictures"])
def test_what_is_no_file_where_one_belongs_is_said_to_the_operator(
    tmp_path: Path, name: str
) -> None:
    if name == "pictures":
        (tmp_path / name).write_bytes(b"")
    else:
        (tmp_path / name).mkdir()
    with pytest.raises(DataUnusable, match="cannot"):
        Pictures(tmp_path)


def test_a_folder_among_the_pictures_stops_no_start(tmp_path: Path) -> None:
    (tmp_path / "pictures" / "holiday").mkdir(parents=True)
    (tmp_path / "pictures" / f"{'b' * 32}.png").mkdir()
    assert Pictures(tmp_path).add(png(), "ann")
