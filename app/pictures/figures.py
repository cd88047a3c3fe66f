"""How do pictures with captions become one PNG to download? Side by side, text below."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image, ImageChops, ImageDraw
from torch import Tensor

from app.pictures.encode import encode_png
from app.pictures.palettes import palette
from app.pictures.sheets import quantise
from app.pictures.tables import font, plain, wrap_text

SIDE = 336
"""Width of a figure in pixels; small maps are enlarged cell by cell."""

_MARGIN, _LINE = 28, 28
_PAPER, _INK, _SOFT = (255, 255, 255), (27, 30, 36), (82, 87, 99)
_DIM = 0.45


@dataclass(frozen=True, slots=True)
class CaptionedFigure:
    """A square picture with its caption."""

    image: Image.Image
    caption: str


def figures_png(title: str, figures: Sequence[CaptionedFigure], lines: Sequence[str] = ()) -> bytes:
    """Draw figures under a title, each with its caption; then lines of text."""
    width = max(760, _MARGIN + len(figures) * (SIDE + _MARGIN))
    heading = wrap_text(title, width - 2 * _MARGIN, font(28))
    captions = [wrap_text(one.caption, SIDE, font(18)) for one in figures]
    words = [part for line in lines for part in wrap_text(line, width - 2 * _MARGIN, font(20))]
    top = _MARGIN + 40 * len(heading) + 12
    below = top + (SIDE + 10 if figures else 0)
    end = below + _LINE * max((len(one) for one in captions), default=0) + 16
    image = Image.new("RGB", (width, end + _LINE * len(words) + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(image)
    for i, line in enumerate(heading):
        draw.text((_MARGIN, _MARGIN - 6 + 40 * i), line, _INK, font(28))
    for i, (one, caption) in enumerate(zip(figures, captions, strict=True)):
        left = _MARGIN + i * (SIDE + _MARGIN)
        image.paste(one.image.resize((SIDE, SIDE), Image.Resampling.NEAREST), (left, top))
        for j, line in enumerate(caption):
            draw.text((left, below + _LINE * j), line, _SOFT, font(18))
    for i, line in enumerate(words):
        draw.text((_MARGIN, end + _LINE * i), plain(line), _INK, font(20))
    return encode_png(image)


def coloured(grid: Tensor, limit: float) -> Image.Image:
    """Draw a map [H,W] in the signed palette, full colour at the magnitude `limit`."""
    indices = quantise(grid, limit).cpu().contiguous()
    image = Image.fromarray(indices.numpy())
    image.putpalette(palette("signed"))
    return image.convert("RGB")


def plain_picture(pixels: Tensor) -> Image.Image:
    """Pixels, uint8 [3,H,W], as a picture."""
    return Image.fromarray(pixels.cpu().permute(1, 2, 0).contiguous().numpy())


def heat_over(
    pixels: Tensor, grid: Tensor, frame: tuple[float, float, float, float], limit: float
) -> Image.Image:
    """Draw a map [H,W] over a dimmed picture, uint8 [3,S,S], as a heat map (screen blending).

    `frame` is the map's x, y, width and height in the picture's pixels.
    """
    size, zoom = pixels.shape[1], 2 * SIDE / pixels.shape[1]
    grey = pixels.float().mul(_DIM).to(torch.uint8)
    below = plain_picture(grey).resize((2 * SIDE, 2 * SIDE), Image.Resampling.BICUBIC)
    x, y, width, height = (round(part * zoom) for part in frame)
    heat = Image.new("RGB", (round(size * zoom),) * 2)
    heat.paste(coloured(grid, limit).resize((width, height), Image.Resampling.NEAREST), (x, y))
    return ImageChops.screen(below, heat)
