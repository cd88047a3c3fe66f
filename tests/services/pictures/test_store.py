"""The pictures people bring: whose they are, how long they stay, what is left behind."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from app.errors import Forbidden, PictureTooLarge, UnknownPicture
from app.pictures.decode import NOTE_FIRST_FRAME
from app.services.pictures.store import Pictures
from tests.support.clock import Clock
from tests.support.picture_files import noise, png

CASES = Path(__file__).parents[2] / "pictures" / "cases"


def test_the_same_picture_twice_is_one(tmp_path: Path) -> None:
    store = Pictures(tmp_path)
    first, second = store.add(png(), "ann", "a.png"), store.add(png(), "ann", "b.png")
    assert first.id == second.id
    assert [one.name for one in store.recent("ann")] == ["b.png"]
    assert len(list((tmp_path / "pictures").iterdir())) == 1


def test_an_id_cannot_be_computed_elsewhere(tmp_path: Path) -> None:
    one, other = Pictures(tmp_path / "one"), Pictures(tmp_path / "other")
    assert one.add(png(), "ann").id != other.add(png(), "ann").id


def test_nobody_lists_anothers_pictures(tmp_path: Path) -> None:
    store = Pictures(tmp_path)
    mine, theirs = store.add(png(1), "ann", "mine"), store.add(png(2), "bob", "theirs")
    assert [one.id for one in store.recent("ann")] == [mine.id]
    assert [one.id for one in store.recent("bob")] == [theirs.id]
    assert store.find(mine.id, "bob").name == ""


def test_bytes_go_with_the_last_owner(tmp_path: Path) -> None:
    store = Pictures(tmp_path)
    id = store.add(png(), "ann").id
    store.add(png(), "bob")
    with pytest.raises(Forbidden, match="Only the browser"):
        store.delete(id, "eve")
    assert store.delete(id, "ann") is False
    assert store.open(id).size == (40, 30)
    assert store.delete(id, "bob") is True
    with pytest.raises(UnknownPicture):
        store.open(id)
    assert list((tmp_path / "pictures").iterdir()) == []


def test_samples_stay(tmp_path: Path) -> None:
    with pytest.raises(Forbidden, match="samples stay"):
        Pictures(tmp_path).delete("coffee", "ann")


def test_pictures_expire_unless_in_use(tmp_path: Path) -> None:
    clock = Clock()
    store = Pictures(tmp_path, lifetime=60, clock=clock)
    id, used = store.add(png(1), "ann").id, store.add(png(2), "ann").id
    clock.now += 61
    with store.using(used):
        assert store.expire() == [id]
        assert store.open(used).size == (40, 30)
    with pytest.raises(UnknownPicture):
        store.open(used)
    assert store.recent("ann") == []
    assert store.expire() == [used]
    assert list((tmp_path / "pictures").iterdir()) == []


def test_bringing_a_picture_again_renews_its_time(tmp_path: Path) -> None:
    clock = Clock()
    store = Pictures(tmp_path, lifetime=60, clock=clock)
    id = store.add(png(), "ann").id
    clock.now += 50
    store.add(png(), "ann")
    clock.now += 50
    assert store.expire() == []
    assert store.find(id, "ann").expires == 1110


def test_the_oldest_go_first_but_never_one_in_use_or_just_added(tmp_path: Path) -> None:
    clock = Clock()
    store = Pictures(tmp_path, capacity=70_000, clock=clock)
    ids = []
    with_first = None
    for i in range(4):
        clock.now += 1
        ids.append(store.add(noise(i), "ann").id)
        if i == 0:
            with_first = store.using(ids[0])
            with_first.__enter__()
    left = {one.id for one in store.recent("ann")}
    assert left == {ids[0], ids[3]}
    assert with_first is not None
    with_first.__exit__(None, None, None)
    tiny = Pictures(tmp_path / "tiny", capacity=10)
    assert tiny.open(tiny.add(png(), "ann").id).size == (40, 30)


def test_those_brought_longest_ago_go_first(tmp_path: Path) -> None:
    clock = Clock()
    store = Pictures(tmp_path, capacity=70_000, clock=clock)  # two of 30 kB fit
    pictures = [noise(i) for i in range(3)]
    first, second = (_added(store, clock, data) for data in pictures[:2])
    assert _added(store, clock, pictures[0]) == first  # brought again: the second is older now
    third = _added(store, clock, pictures[2])
    assert {one.id for one in store.recent("ann")} == {first, third}
    with pytest.raises(UnknownPicture):
        store.open(second)


def _added(store: Pictures, clock: Clock, data: bytes) -> str:
    clock.now += 1
    return store.add(data, "ann").id


def test_pictures_survive_a_restart(tmp_path: Path) -> None:
    first = Pictures(tmp_path)
    id = first.add(png(9), "ann", "nine.png").id
    first.close()
    second = Pictures(tmp_path)
    assert second.open(id).getpixel((0, 0)) == (9, 0, 0)
    assert [one.name for one in second.recent("ann")] == ["nine.png"]
    assert second.add(png(9), "ann").id == id


def test_a_crash_leaves_nothing_half(tmp_path: Path) -> None:
    first = Pictures(tmp_path)
    kept, lost = first.add(png(1), "ann").id, first.add(png(2), "ann").id
    first.close()
    folder = tmp_path / "pictures"
    (folder / f"{lost}.png").unlink()
    (folder / "orphan.png").write_bytes(png(3))
    (folder / f"{kept}.1f2e3d4c").write_bytes(b"half")
    second = Pictures(tmp_path)
    assert [one.id for one in second.recent("ann")] == [kept]
    assert [path.name for path in folder.iterdir()] == [f"{kept}.png"]


def test_too_many_bytes_are_refused_with_the_limit(tmp_path: Path) -> None:
    with pytest.raises(PictureTooLarge, match="limit is 1 MB"):
        Pictures(tmp_path, limit=1_000_000).add(bytes(1_000_001), "ann")


def test_a_file_name_is_only_ever_text(tmp_path: Path) -> None:
    store = Pictures(tmp_path)
    name = "../../etc/passwd<script>"
    stored = store.add(png(), "ann", name)
    assert stored.name == name
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.parent in (tmp_path, tmp_path / "pictures") for path in files)


def test_the_index_does_not_hold_the_cookie(tmp_path: Path) -> None:
    store = Pictures(tmp_path)
    store.add(png(), "my-secret-cookie")
    store.close()
    data = (tmp_path / "pictures.sqlite").read_bytes()
    assert b"my-secret-cookie" not in data
    with sqlite3.connect(tmp_path / "pictures.sqlite") as index:
        assert index.execute("SELECT COUNT(*) FROM owners").fetchone() == (1,)
    index.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_the_key_is_for_this_server_alone(tmp_path: Path) -> None:
    Pictures(tmp_path)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_thirty_at_once(tmp_path: Path) -> None:
    store = Pictures(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda i: store.add(png(i % 10), f"owner {i}"), range(30)))
    assert len({one.id for one in stored}) == 10
    assert all(len(store.recent(f"owner {i}")) == 1 for i in range(30))


def test_previews_are_small_and_go_with_the_picture(tmp_path: Path) -> None:
    store = Pictures(tmp_path)
    id = store.add(png(size=(400, 300)), "ann").id
    with Image.open(io.BytesIO(store.preview(id, 96))) as small:
        assert small.size == (96, 72)
    store.delete(id, "ann")
    with pytest.raises(UnknownPicture):
        store.preview(id, 96)


@pytest.mark.parametrize("id", ["\ud800", "", "a" * 31, "../key", "A" * 32, "0" * 32])
def test_what_can_be_no_id_is_an_unknown_picture(tmp_path: Path, id: str) -> None:
    store = Pictures(tmp_path)
    for look_up in (store.require, store.png, store.open):
        with pytest.raises(UnknownPicture):
            look_up(id)
    with pytest.raises(UnknownPicture):
        store.find(id, "ann")
    with pytest.raises(UnknownPicture):
        store.delete(id, "ann")


def test_half_a_character_in_a_name_is_kept_as_a_mark(tmp_path: Path) -> None:
    store = Pictures(tmp_path)
    assert store.add(png(), "ann", "caf\udce9.png").name == "caf\ufffd.png"


def test_what_was_done_to_an_upload_is_told_to_whoever_brought_it(tmp_path: Path) -> None:
    animated, still = ((CASES / name).read_bytes() for name in ("apng.png", "base.png"))
    store = Pictures(tmp_path)
    ann, ben = store.add(animated, "ann"), store.add(still, "ben")
    assert ann.id == ben.id
    assert ann.notes == store.find(ann.id, "ann").notes == (NOTE_FIRST_FRAME,)
    assert ben.notes == store.find(ben.id, "ben").notes == store.find(ben.id, "cem").notes == ()
    assert [one.notes for one in store.recent("ann")] == [(NOTE_FIRST_FRAME,)]
    store.close()


def test_an_index_of_before_keeps_its_notes(tmp_path: Path) -> None:
    store = Pictures(tmp_path)
    id = store.add((CASES / "base.png").read_bytes(), "ann").id
    store.close()
    index = sqlite3.connect(tmp_path / "pictures.sqlite")
    with index:
        index.execute("ALTER TABLE owners DROP COLUMN notes")
        index.execute("UPDATE pictures SET notes = ?", (json.dumps(["It was turned."]),))
    index.close()
    store = Pictures(tmp_path)
    assert store.find(id, "ann").notes == ("It was turned.",)
    assert store.find(id, "ben").notes == ()
    store.close()
