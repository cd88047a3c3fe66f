"""Pastes adversarial stickers (patches): placed, scaled and rotated, differentiably."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt

import torch
import torch.nn.functional as F
from torch import Tensor

from app.vision.attacks.pixel_grid import WHITE, eight_bit

TURN = 22.5
"""Largest random rotation of a sticker in degrees to either side, as in Brown et al. 2017."""


@dataclass(frozen=True, slots=True)
class Placement:
    """The placement of N stickers; each field is a float tensor [N].

    `x` and `y` are the centre in pixels from the top left edge, `scale` the diameter as a share
    of the picture's side, `angle` in degrees, clockwise.
    """

    x: Tensor
    y: Tensor
    scale: Tensor
    angle: Tensor

    @classmethod
    def at(cls, x: float, y: float, scale: float, angle: float = 0.0) -> Placement:
        """One sticker."""
        return cls(*(torch.tensor([float(value)]) for value in (x, y, scale, angle)))

    def to(self, device: torch.device) -> Placement:
        """Move to another device."""
        return Placement(*(t.to(device) for t in (self.x, self.y, self.scale, self.angle)))

    def split(self, size: int) -> list[Placement]:
        """Split into parts of `size` stickers."""
        numbers = (self.x, self.y, self.scale, self.angle)
        parts = (torch.split(number, size) for number in numbers)
        return [Placement(*part) for part in zip(*parts, strict=True)]


def diameter(area: float) -> float:
    """The scale of a round sticker that covers `area` (0..1) of a square picture."""
    return sqrt(4 * area / pi)


def random_placements(
    count: int,
    side: int,
    scales: tuple[float, float],
    generator: torch.Generator,
    turn: float = TURN,
) -> Placement:
    """Draw placements at random: inside the picture, rotated by at most `turn` degrees."""
    draws = torch.rand(4, count, generator=generator)
    scale = scales[0] + (scales[1] - scales[0]) * draws[0]
    room, radius = side * (1 - scale), side * scale / 2
    angle = (2 * draws[3] - 1) * turn
    return Placement(radius + draws[1] * room, radius + draws[2] * room, scale, angle)


def paste(pictures: Tensor, sticker: Tensor, place: Placement) -> Tensor:
    """Paste a round sticker [3,P,P] on each of float pictures [N,3,S,S], both in 0..255.

    Each pixel of the picture reads its position on the sticker: u = R(-angle) (p - centre) /
    radius, bilinear (Jaderberg et al. 2015, arXiv 1506.02025). The outermost pixel fades out, so
    that nothing beyond the radius changes. Differentiable in the sticker and the pictures.
    """
    side = pictures.shape[-1]
    place = place.to(pictures.device)
    grid = _look_up(side, place)
    found = F.grid_sample(
        sticker.expand(len(pictures), -1, -1, -1),
        grid,
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )
    cover = _cover(grid, place, side)
    mixed: Tensor = pictures * (1 - cover) + found * cover
    return mixed


def covered(side: int, place: Placement) -> Tensor:
    """The share of a picture of `side` pixels that each of N stickers covers, 0..1: [N].

    Parts beyond the edge are not counted.
    """
    touched: Tensor = (_cover(_look_up(side, place), place, side) > 0).float().mean((1, 2, 3))
    return touched


def _cover(grid: Tensor, place: Placement, side: int) -> Tensor:
    """The sticker's opacity at each pixel, [N,1,S,S]: 1 inside, fading at its outermost pixel."""
    radius = place.scale[:, None, None] * side / 2
    cover: Tensor = ((1 - grid.norm(dim=3)) * radius).clamp(0, 1)[:, None]
    return cover


def pasted(pixels: Tensor, sticker: Tensor, place: Placement) -> Tensor:
    """Paste a uint8 sticker [3,P,P] on each of uint8 pictures [N,3,S,S]; returns uint8."""
    with torch.no_grad():
        mixed = paste(pixels.float(), sticker.to(pixels.device).float(), place)
        return eight_bit(mixed.round().clamp(0, WHITE))


def _look_up(side: int, place: Placement) -> Tensor:
    """Sampling grid: each pixel's position on its sticker, [N,S,S,2] (x, y), -1..1 inside."""
    centres = torch.arange(side, device=place.x.device) + 0.5
    across = centres[None, None, :] - place.x[:, None, None]
    down = centres[None, :, None] - place.y[:, None, None]
    turn = torch.deg2rad(place.angle)[:, None, None]
    radius = (place.scale * side / 2)[:, None, None]
    u = (turn.cos() * across + turn.sin() * down) / radius
    v = (turn.cos() * down - turn.sin() * across) / radius
    return torch.stack([u, v], 3)
