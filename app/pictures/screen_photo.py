"""Simulates a photo of a screen: what does a phone's camera do to a picture on a laptop?"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin

import torch
from torch import Tensor

from app.pictures.single_transformations import blurred, jpeg, to_uint8

TURN = 4.0  # largest rotation in degrees at full strength, to either side
CORNER = 0.06  # share of the side by which perspective moves a corner
NEARER = 0.1  # share of the side that the camera crops, so that little beyond the screen is seen
DOTS = 3  # screen dots for each pixel, across and down


@dataclass(frozen=True, slots=True)
class CameraShot:
    """The camera of one photo: `turn` in degrees, `corners` [4,2] as shares of half a side.

    The other fields follow from `strength`, 0..1; `noise` is a standard deviation in pixel values,
    `blur` one in pixels, `quality` that of the JPEG.
    """

    strength: float
    turn: float
    corners: Tensor
    gamma: float
    black: float
    blur: float
    noise: float
    quality: int
    seed: int


def draw_camera(percent: float, seed: int) -> CameraShot:
    """Draw the camera of a photo of `percent` strength with a seed."""
    strength = percent / 100
    drawn = torch.rand(9, generator=_generator(seed), dtype=torch.float64) * 2 - 1
    return CameraShot(
        strength,
        turn=float(drawn[8]) * TURN * strength,
        corners=drawn[:8].view(4, 2) * 2 * CORNER * strength,
        gamma=1 + 0.3 * strength,
        black=16 * strength,
        blur=0.6 * strength,
        noise=6 * strength,
        quality=round(95 - 25 * strength),
        seed=seed,
    )


def simulate_photo(pixels: Tensor, percent: float, seed: int = 0) -> Tensor:
    """Simulate a photo of the picture, uint8 [3,S,S], on a screen, from slightly aside.

    Each pixel becomes 3 x 3 dots of a screen with red, green and blue columns and a darker row
    between; the camera, a little too near, sees them through a projective mapping, with two samples
    for each pixel and direction (moire where the two grids interfere); then gamma, a lifted black,
    blur, noise, rounding, JPEG. Returns uint8 [3,S,S]; 0 % returns the same bytes.
    """
    if percent <= 0:
        return pixels
    shot = draw_camera(percent, seed)
    size = (pixels.shape[1], pixels.shape[2])
    seen = sample_screen(screen(pixels.float(), shot.strength), shot, size)
    lit = shot.black + (255 - shot.black) * (seen.clamp(0, 255) / 255) ** shot.gamma
    soft = blurred(lit, shot.blur)
    grain = torch.randn(soft.shape, generator=_generator(seed + 1)) * shot.noise
    return jpeg(to_uint8(soft + grain), shot.quality)


def screen(x: Tensor, strength: float) -> Tensor:
    """Floats [3,H,W] as the dots of a screen, [3,3H,3W]; a pixel's mean brightness is kept.

    Each column of dots favours one colour, more so with `strength`; every third row is darker.
    """
    dots = x.repeat_interleave(DOTS, 1).repeat_interleave(DOTS, 2)
    columns = torch.arange(dots.shape[2]) % DOTS
    own = columns[None] == torch.arange(3)[:, None]
    gain = torch.where(own, 1 + 1.0 * strength, 1 - 0.5 * strength)
    rows = torch.where(torch.arange(dots.shape[1]) % DOTS == 2, 1 - 0.4 * strength, 1.0)
    rows = rows / rows[:DOTS].mean()
    return dots * gain[:, None, :] * rows[None, :, None]


def sample_screen(dots: Tensor, shot: CameraShot, size: tuple[int, int]) -> Tensor:
    """Sample the screen at the camera's pixels, [3,*size]; its edge is repeated outwards."""
    height, width = size
    grid = _looked_at(2 * height, 2 * width, shot)
    seen = torch.nn.functional.grid_sample(
        dots[None], grid[None].float(), mode="bilinear", padding_mode="border", align_corners=False
    )
    return torch.nn.functional.avg_pool2d(seen, 2)[0]


def _looked_at(height: int, width: int, shot: CameraShot) -> Tensor:
    """Sampling grid: the screen position in -1..1 of each camera sample, [height,width,2]."""
    y, x = ((torch.arange(n, dtype=torch.float64) + 0.5) * 2 / n - 1 for n in (height, width))
    flat = torch.stack([x.expand(height, width), y[:, None].expand(height, width)], -1)
    flat = torch.cat([flat, torch.ones(height, width, 1, dtype=torch.float64)], -1)
    mapped = flat @ homography(shot).T
    return mapped[..., :2] / mapped[..., 2:]


def homography(shot: CameraShot) -> Tensor:
    """The projective mapping, [3,3], from the photo's corners to points of the screen."""
    corners = torch.tensor([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=torch.float64)
    angle = radians(shot.turn)
    turn = torch.tensor([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]], dtype=torch.float64)
    aims = (corners * (1 - NEARER * shot.strength) + shot.corners) @ turn.T
    rows, right = [], []
    for (x, y), (u, v) in zip(corners.tolist(), aims.tolist(), strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    found = torch.linalg.solve(
        torch.tensor(rows, dtype=torch.float64), torch.tensor(right, dtype=torch.float64)
    )
    return torch.cat([found, torch.ones(1, dtype=torch.float64)]).view(3, 3)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
