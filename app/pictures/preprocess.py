"""How does a photo become the network's input? Resize, centre crop, normalise.

The steps are torchvision's Resize(resize, bilinear, antialias) and CenterCrop(crop) on a PIL image,
then /255 and normalisation; torchvision itself is not needed.
"""

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from app.pictures.encode import encode_png

# Beyond this ratio of sides, only the cropped part is resized: a 25,000,000 x 1 photo scaled as a
# whole to a short side of 64 would be 100 billion pixels.
_LONGEST_WHOLE = 8


@dataclass(frozen=True, slots=True)
class Preprocess:
    """What a network expects: short side and centre crop in pixels, mean and std in 0..1."""

    resize: int
    crop: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A preprocessed photo: `pixels` uint8 [3, S, S]; `crop` in pixels of the resized photo."""

    pixels: Tensor
    photo: tuple[int, int]
    resized: tuple[int, int]
    crop: tuple[int, int, int, int]
    untouched: bool

    def to_photo(self, x: float, y: float) -> tuple[float, float]:
        """Map a point of the input to the photo, both measured in pixels from the top left edge.

        A pixel's centre lies at its index + 0.5.
        """
        left, top, _, _ = self.crop
        return (
            (x + left) * self.photo[0] / self.resized[0],
            (y + top) * self.photo[1] / self.resized[1],
        )

    def sentence(self) -> str:
        """A sentence that says how the photo was resized and cropped."""
        photo, resized = _by(self.photo), _by(self.resized)
        kept = _by((self.crop[2] - self.crop[0], self.crop[3] - self.crop[1]))
        if self.untouched:
            return f"Your {photo} picture went in as it is, pixel for pixel."
        if resized == photo:
            return f"The centre {kept} of your {photo} photo was kept."
        change = "enlarged" if self.resized[0] > self.photo[0] else "scaled"
        if resized == kept:
            return f"Your {photo} photo was {change} to {resized}."
        return f"Your {photo} photo was {change} to {resized} and its centre {kept} was kept."


def fit(image: Image.Image, prep: Preprocess) -> Fitted:
    """Resize an RGB photo to the short side and crop its centre, as torchvision does.

    A photo that is already exactly crop x crop is not changed.
    """
    side = prep.crop
    if image.size == (side, side):
        return Fitted(_pixels(image), image.size, image.size, (0, 0, side, side), True)
    resized = resized_size(image.size, prep.resize)
    crop = centre_box(resized, side)
    if max(resized) <= _LONGEST_WHOLE * prep.resize:
        kept = image.resize(resized, Image.Resampling.BILINEAR).crop(crop)
    else:
        kept = resize_part(image, resized, crop)
    return Fitted(_pixels(kept), image.size, resized, crop, False)


def resized_size(photo: tuple[int, int], short_side: int) -> tuple[int, int]:
    """Width and height after torchvision's Resize(short_side): the longer side is rounded down."""
    width, height = photo
    if width <= height:
        return short_side, int(short_side * height / width)
    return int(short_side * width / height), short_side


def centre_box(size: tuple[int, int], side: int) -> tuple[int, int, int, int]:
    """The box (left, top, right, bottom) of torchvision's CenterCrop(side)."""
    left, top = (int(round((n - side) / 2.0)) for n in size)
    return left, top, left + side, top + side


def resize_part(
    image: Image.Image, resized: tuple[int, int], part: tuple[int, int, int, int]
) -> Image.Image:
    """Compute only a part of the resized photo: like resizing and cropping, but faster.

    Agrees with resizing the whole within one grey level.
    """
    (x, x_from, x_to), (y, y_from, y_to) = (
        _span(image.size[axis], resized[axis], part[axis], part[axis + 2]) for axis in (0, 1)
    )
    # Pillow stores the box as 32-bit floats, too coarse millions of pixels to the right: the
    # neighbourhood is cropped first, so that the box starts near zero.
    near = image.crop((x.start, y.start, x.stop, y.stop))
    size = (part[2] - part[0], part[3] - part[1])
    return near.resize(size, Image.Resampling.BILINEAR, box=(x_from, y_from, x_to, y_to))


def _span(photo: int, resized: int, start: int, stop: int) -> tuple[range, float, float]:
    """Photo pixels that contribute to resized pixels start..stop, and the span within them."""
    scale = photo / resized
    margin = ceil(max(scale, 1.0)) + 1  # the bilinear filter's reach
    first = max(0, floor(start * scale) - margin)
    last = min(photo, ceil(stop * scale) + margin)
    return range(first, last), start * scale - first, min(stop * scale, last) - first


def _pixels(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"


def unit(pixels: Tensor) -> Tensor:
    """Scale uint8 pixels to float32 in 0..1, any shape."""
    return pixels.to(torch.float32).div_(255)


def normalise(pixels: Tensor, prep: Preprocess) -> Tensor:
    """Compute (x / 255 - mean) / std in float32, for uint8 [3, S, S] or [N, 3, S, S]."""
    mean = torch.tensor(prep.mean, device=pixels.device).view(3, 1, 1)
    std = torch.tensor(prep.std, device=pixels.device).view(3, 1, 1)
    return unit(pixels).sub_(mean).div_(std)


def input_png(pixels: Tensor) -> bytes:
    """Encode the network's uint8 input [3, S, S] as PNG, pixel for pixel."""
    array = pixels.cpu().permute(1, 2, 0).contiguous().numpy()
    return encode_png(Image.fromarray(array))
