"""The transformations an attack must survive: a chain of flip, crop, resize, blur … to JPEG."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from app.pictures import single_transformations
from app.pictures.screen_photo import simulate_photo


@dataclass(frozen=True, slots=True)
class Transformation:
    """One transformation; its strength runs from `least` to `most` in steps of `step`.

    `start` is the strength when it is switched on; `tried` are the strengths of the table. `unit`
    follows the number; one without a strength has least = most. `how` describes it.
    """

    id: str
    title: str
    least: float
    most: float
    step: float
    start: float
    unit: str
    how: str
    tried: tuple[float, ...]
    apply: Callable[[Tensor, float, int], Tensor]

    @property
    def plain(self) -> bool:
        """Whether it has no strength to set."""
        return self.least == self.most

    def words(self, strength: float) -> str:
        """Its title and strength: `JPEG quality 75`."""
        return self.title if self.plain else f"{self.title} {strength:g}{self.unit}"


TRANSFORMATIONS: tuple[Transformation, ...] = (
    Transformation(
        "flip", "Flip", 1, 1, 1, 1, "", "Left and right are exchanged.",
        (1,), lambda x, strength, seed: single_transformations.flip(x),
    ),
    Transformation(
        "crop", "Crop to", 40, 100, 1, 85, " %",
        "The centre is kept, that much of each side, and enlarged again (bilinear).",
        (95, 85, 70), lambda x, strength, seed: single_transformations.crop(x, strength),
    ),
    Transformation(
        "resize", "Resize to", 10, 100, 1, 50, " %",
        "Scaled down (bilinear, antialiased) and up again: fine detail is gone.",
        (75, 50, 25), lambda x, strength, seed: single_transformations.resize(x, strength),
    ),
    Transformation(
        "blur", "Blur", 0, 4, 0.1, 0.8, " px",
        "A Gaussian; the number is its standard deviation in pixels of the network's input.",
        (0.5, 1, 2), lambda x, strength, seed: single_transformations.blur(x, strength),
    ),
    Transformation(
        "brightness", "Brightness", 20, 300, 5, 140, " %",
        "Every value is multiplied; what comes out above 255 is cut there.",
        (60, 140, 200), lambda x, strength, seed: single_transformations.brightness(x, strength),
    ),
    Transformation(
        "screen", "Photo of a screen", 0, 100, 5, 50, " %",
        "Simulated: 3×3 coloured dots for each pixel, seen from slightly aside and turned a little "
        "(up to 4°; the seed draws how), which gives moire; then gamma up to 1.3 and a lifted "
        "black, blur up to 0.6 px, noise up to ±6 (standard deviation), JPEG of quality 95 to 70.",
        (25, 50, 100), lambda x, strength, seed: simulate_photo(x, strength, seed),
    ),
    Transformation(
        "jpeg", "JPEG quality", 5, 95, 1, 75, "",
        "Saved as JPEG (colours at half resolution) and opened again; the lower, the coarser.",
        (95, 75, 50, 25, 10),
        lambda x, strength, seed: single_transformations.jpeg(x, int(strength)),
    ),
)  # fmt: skip


def apply_transformations(pixels: Tensor, chosen: Mapping[str, float], seed: int = 0) -> Tensor:
    """Apply the chosen `TRANSFORMATIONS`, in their order, to a picture, uint8 [3,S,S].

    `chosen` maps ids to strengths; transformations that are not in it are skipped.
    """
    for stop in TRANSFORMATIONS:
        if stop.id in chosen:
            pixels = stop.apply(pixels, chosen[stop.id], seed)
    return pixels
