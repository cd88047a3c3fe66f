"""Atlases on the shelf: only those of these weights, and nothing outside of their folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from app.errors import DataUnusable, NotFound
from app.services.atlas.atlas import Atlas, write_atlas
from app.services.atlas.library import AtlasFile, AtlasLibrary
from app.services.networks.catalogue import Catalogue, Model
from app.services.surveys.surveys import weights_id
from tests.support.atlases import atlas
from tests.support.engines import CPU


@pytest.fixture(scope="module")
def model() -> Model:
    return Catalogue(CPU, 1).model("mini")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures, and one beside them that belongs to nobody."""
    (tmp_path / "photos" / "a").mkdir(parents=True)
    Image.new("RGB", (70, 70), "red").save(tmp_path / "photos" / "a" / "1.png")
    Image.new("RGB", (70, 70), "blue").save(tmp_path / "secret.png")
    return tmp_path / "photos"


def shelved(tmp_path: Path, made: Atlas, name: str = "photos/mini.atlas") -> AtlasLibrary:
    write_atlas(tmp_path / "atlas" / name, made)
    return AtlasLibrary(tmp_path / "atlas")


def only(atlases: AtlasLibrary, model: Model) -> AtlasFile:
    (found,) = atlases.of(model, weights_id(model)).atlases
    return found


def test_its_crops_classes_and_pictures_are_told(
    model: Model, folder: Path, tmp_path: Path
) -> None:
    one = only(shelved(tmp_path, atlas(model, folder, {"3": "a/1.png", "8": "a/gone.png"})), model)
    assert one.title == "photos"
    assert [(w.number, w.value, w.cell) for w in one.ranking("conv1", 5)] == [
        (3, 5.0, 33),
        (8, 4.0, 7),
    ]
    assert one.crop("conv1", 5, 8) == b"5/8"
    assert one.crop("conv1", 63, 3) == b"63/3"
    assert one.preferred("conv1", 0) == [("n07920052", 3.0), ("n02123045", 0.5)]
    assert one.picture(3) == folder / "a" / "1.png"
    assert one.picture(8) is None
    with pytest.raises(NotFound):
        one.crop("conv1", 5, 4)
    with pytest.raises(NotFound):
        one.picture(4)


def test_one_of_other_weights_is_refused_in_a_sentence(
    model: Model, folder: Path, tmp_path: Path
) -> None:
    atlases = shelved(tmp_path, atlas(model, folder, {}, weights="0" * 64))
    found = atlases.of(model, weights_id(model))
    assert found.atlases == ()
    assert found.refused == (
        "photos/mini.atlas: It was made from other weights of this network: make it again for "
        "these.",
    )
    with pytest.raises(NotFound):
        atlases.get(model, weights_id(model), "anything")


def test_a_part_of_an_atlas_says_how_it_becomes_one(
    model: Model, folder: Path, tmp_path: Path
) -> None:
    found = shelved(tmp_path, atlas(model, folder, {}, shard=(0, 2))).of(model, weights_id(model))
    assert "atlas merge" in found.refused[0]


def test_another_networks_is_not_spoken_of(model: Model, folder: Path, tmp_path: Path) -> None:
    found = shelved(tmp_path, atlas(model, folder, {}, model="alexnet")).of(model, "x")
    assert not found.atlases
    assert not found.refused


@pytest.mark.parametrize("size", [0, 10, 3000])
def test_a_damaged_one_is_refused(model: Model, folder: Path, tmp_path: Path, size: int) -> None:
    atlases = shelved(tmp_path, atlas(model, folder, {"3": "a/1.png", "8": "a/1.png"}))
    path = tmp_path / "atlas" / "photos" / "mini.atlas"
    path.write_bytes(path.read_bytes()[:size])
    found = atlases.of(model, weights_id(model))
    assert found.atlases == ()
    assert len(found.refused) == 1


def test_one_damaged_while_it_is_read_says_so(model: Model, folder: Path, tmp_path: Path) -> None:
    one = only(shelved(tmp_path, atlas(model, folder, {"3": "a/1.png"})), model)
    one.path.write_bytes(b"nothing")
    with pytest.raises(DataUnusable, match="cannot be read"):
        one.ranking("conv1", 0)


@pytest.mark.parametrize(
    "name", ["../secret.png", "a/../../secret.png", "{tmp}/secret.png", "a", "../photos2/x.png"]
)
def test_no_name_leads_out_of_the_folder(
    model: Model, folder: Path, tmp_path: Path, name: str
) -> None:
    one = only(shelved(tmp_path, atlas(model, folder, {"3": name.format(tmp=tmp_path)})), model)
    assert one.picture(3) is None


def test_a_link_out_of_the_folder_is_not_followed(
    model: Model, folder: Path, tmp_path: Path
) -> None:
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    one = only(shelved(tmp_path, atlas(model, folder, {"3": "link.png"})), model)
    assert one.picture(3) is None


def test_a_file_that_is_no_picture_by_name_is_not_opened(
    model: Model, folder: Path, tmp_path: Path
) -> None:
    (folder / "key").write_text("secret")
    one = only(shelved(tmp_path, atlas(model, folder, {"3": "key"})), model)
    assert one.picture(3) is None


def test_an_atlas_without_its_folder_still_has_its_crops(
    model: Model, folder: Path, tmp_path: Path
) -> None:
    made = atlas(model, tmp_path / "unplugged", {"3": "a/1.png"}, root="")
    one = only(shelved(tmp_path, made), model)
    assert one.picture(3) is None
    assert one.crop("conv1", 0, 3) == b"0/3"
    assert one.title == "photos"
