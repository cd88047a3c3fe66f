import sys

import pytest
from PIL import Image

from app.errors import LayerscopeError
from app.pictures import samples
from app.pictures.samples import all_samples, sample

IDS = [one.id for one in all_samples()]


def test_the_espresso_comes_first_and_ids_are_unique() -> None:
    assert IDS[0] == "coffee"
    assert len(set(IDS)) == len(IDS)


def test_the_promised_pictures_are_there() -> None:
    photos = {"coffee", "cat", "motorcycle", "rocket", "astronaut"}
    figures = {"x", "o", "gratings", "checkerboard", "colour-wheel", "sketch-cat", "noise"}
    assert photos | figures <= set(IDS)


@pytest.mark.parametrize("id", IDS)
def test_every_sample_opens_as_rgb_and_says_where_it_comes_from(id: str) -> None:
    one = sample(id)
    assert one is not None
    image = one.open()
    assert (type(image), image.mode) == (Image.Image, "RGB")
    assert min(image.size) >= 256
    assert all((one.title, one.subject, one.credit, one.licence))


@pytest.mark.parametrize("id", [one.id for one in all_samples() if one.licence == "MIT"])
def test_drawings_are_256_pixels_and_always_the_same(id: str) -> None:
    one = sample(id)
    assert one is not None
    first, second = one.source(), one.source()
    assert first.size == (256, 256)
    assert first.tobytes() == second.tobytes()


def test_what_a_photo_shows_is_named_only_where_it_is_an_imagenet_class() -> None:
    shown = {one.id: one.wnid for one in all_samples()}
    assert (shown["coffee"], shown["cat"]) == ("n07920052", "n02123045")
    assert [shown[id] for id in ("rocket", "astronaut", "motorcycle")] == [None] * 3
    rocket = sample("rocket")
    assert rocket is not None
    assert rocket.subject == "rocket"


def test_the_cat_is_a_square_part_of_the_photo() -> None:
    cat = sample("cat")
    assert cat is not None
    assert cat.open().size == (300, 300)
    assert "part" in cat.credit


def test_a_caller_can_paint_on_its_copy() -> None:
    one = sample("coffee")
    assert one is not None
    before = one.open().tobytes()
    one.open().paste("red", (0, 0, 50, 50))
    assert one.open().tobytes() == before


def test_an_unknown_id_is_none() -> None:
    assert sample("dragon") is None
    assert sample("../coffee") is None


def test_a_server_without_scikit_image_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "find_spec", lambda _: None)
    coffee = sample("coffee")
    assert coffee
    with pytest.raises(LayerscopeError, match="scikit-image"):
        coffee.source()


def test_scikit_image_itself_is_never_imported() -> None:
    for one in all_samples():
        one.open()
    assert "skimage.data" not in sys.modules
