"""Which pictures are built in? Photos from scikit-image's package, and drawings of the project.

Nothing is downloaded: the photos are in the installed package, the drawings are drawn by code.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from app.errors import LayerscopeError
from app.pictures import drawn_figures, drawn_things
from app.pictures.decode import decode

Box = tuple[int, int, int, int]

_CC0 = "CC0"
_PUBLIC = "public domain"
_DRAWN = "drawn by the Layerscope project"
_MIT = "MIT"


@dataclass(frozen=True, slots=True)
class Sample:
    """A built-in picture; `wnid` is its true class, where that is an ImageNet class."""

    id: str
    title: str
    subject: str
    credit: str
    licence: str
    wnid: str | None
    source: Callable[[], Image.Image] = field(repr=False, compare=False)

    def open(self) -> Image.Image:
        """Read or draw the picture as RGB; returns a new copy for each caller."""
        return _opened(self.id).copy()


def all_samples() -> tuple[Sample, ...]:
    """All built-in pictures, in the order of the menu; the first is the default."""
    return tuple(_table().values())


def sample(id: str) -> Sample | None:
    """The built-in picture of that id, None where there is none."""
    return _table().get(id)


@cache
def _opened(id: str) -> Image.Image:
    return _table()[id].source()


@cache
def _table() -> dict[str, Sample]:
    return {one.id: one for one in (*_photos(), *_things(), *_figures())}


def _photo(file: str, crop: Box | None = None) -> Image.Image:
    # find_spec finds the package's folder without importing it.
    spec = find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise LayerscopeError(
            "The built-in photos come with scikit-image, which is not installed on this server."
        )
    folder = Path(spec.submodule_search_locations[0]) / "data"
    image = decode((folder / file).read_bytes()).image
    return image if crop is None else image.crop(crop)


def _photos() -> tuple[Sample, ...]:
    """Credits and licences as scikit-image 0.26 states them in skimage/data/_fetchers.py."""
    return (
        Sample(
            "coffee", "Cup of espresso", "espresso", "Rachel Michetti, Pikolo Espresso Bar",
            _CC0, "n07920052", partial(_photo, "coffee.png"),
        ),
        Sample(
            "cat", "Chelsea the cat", "tabby cat", "Stéfan van der Walt (part of the photo)",
            _CC0, "n02123045", partial(_photo, "chelsea.png", (132, 0, 432, 300)),
        ),
        Sample(
            "motorcycle", "Motorcycle in a garage", "motorcycle",
            "Scharstein, Hirschmüller, Kitajima, Krathwohl, Nesic, Wang and Westling: "
            "Middlebury stereo benchmark, 2014",
            "not stated; a research data set that scikit-image ships", None,
            partial(_photo, "motorcycle_left.png"),
        ),
        Sample(
            "rocket", "Launch of a Falcon 9", "rocket", "SpaceX", _PUBLIC, None,
            partial(_photo, "rocket.jpg"),
        ),
        Sample(
            "astronaut", "Eileen Collins, astronaut", "astronaut", "NASA", _PUBLIC, None,
            partial(_photo, "astronaut.png"),
        ),
    )  # fmt: skip


def _things() -> tuple[Sample, ...]:
    """Drawings that the embedded network recognises."""
    return (
        _drawing("hourglass", "Hourglass", drawn_things.hourglass, "n03544143"),
        _drawing("monarch", "Monarch butterfly", drawn_things.monarch, "n02279972"),
        _drawing("bell-pepper", "Bell pepper", drawn_things.bell_pepper, "n07720875"),
        _drawing("school-bus", "School bus", drawn_things.school_bus, "n04146614"),
        _drawing("candle", "Candle", drawn_things.candle, "n02948072"),
        _drawing("sunglasses", "Sunglasses", drawn_things.sunglasses, "n04356056"),
        _drawing("oranges", "Oranges", drawn_things.oranges, "n07747607"),
        _drawing("banana", "Banana", drawn_things.banana, "n07753592"),
        _drawing("lighthouse", "Lighthouse", drawn_things.lighthouse, "n02814860"),
    )


def _figures() -> tuple[Sample, ...]:
    """Drawings that show no class of any network."""
    return (
        _drawing("sketch-cat", "Sketch of a cat", drawn_figures.sketch_cat),
        _drawing("x", "The letter X", drawn_figures.cross),
        _drawing("o", "The letter O", drawn_figures.ring),
        _drawing("gratings", "Gratings", drawn_figures.gratings),
        _drawing("checkerboard", "Checkerboard", drawn_figures.checkerboard),
        _drawing("colour-wheel", "Colour wheel", drawn_figures.colour_wheel),
        _drawing("noise", "Noise", drawn_figures.noise),
    )


def _drawing(
    id: str, title: str, draw: Callable[[], Image.Image], wnid: str | None = None
) -> Sample:
    subject = title[0].lower() + title[1:]
    return Sample(id, title, subject, _DRAWN, _MIT, wnid, draw)
