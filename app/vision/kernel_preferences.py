"""What does a first-layer kernel prefer: a colour, an orientation, both or neither?

Kernels are [O,3,kh,kw], weights for red, green and blue. Everything is computed from the
weights alone: no picture is needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

Order = Literal["number", "hue", "orientation", "strength"]
ORDERS: tuple[Order, ...] = get_args(Order)

COLOUR = 0.5
"""A kernel prefers a colour if at least this share of its energy is in one pair of opponents."""

COHERENCE = 0.5
"""A kernel prefers an orientation from this coherence on: it changes 3 times as much across it."""

_RED = 30.0
"""Angle of pure red in the opponent plane in degrees, from its red-green axis."""


@dataclass(frozen=True, slots=True)
class Preference:
    """What one kernel prefers.

    `hue` is in degrees, 0 red, 120 green, 240 blue; `colour` the share of its energy in that hue
    and its opposite, 0..1; `orientation` the direction of its stripes or edge in degrees, 0
    horizontal, 90 vertical, counted anticlockwise, below 180; `coherence` how clear that is, 0..1;
    `strength` its L2 norm.
    """

    channel: int
    hue: float
    colour: float
    orientation: float
    coherence: float
    strength: float

    @property
    def is_coloured(self) -> bool:
        """Whether it prefers a colour."""
        return self.colour >= COLOUR

    @property
    def is_oriented(self) -> bool:
        """Whether it prefers an orientation."""
        return self.coherence >= COHERENCE


def kernel_preferences(weight: Tensor) -> list[Preference]:
    """Measure every kernel of a layer that reads RGB, [O,3,kh,kw]."""
    kernels = weight.detach().double().cpu()
    hues, colours = hue(kernels)
    angles, coherences = orientation(kernels)
    columns = (hues, colours, angles, coherences, strength(kernels))
    rows = zip(*(one.tolist() for one in columns), strict=True)
    return [Preference(channel, *row) for channel, row in enumerate(rows)]


def strength(kernels: Tensor) -> Tensor:
    """The L2 norm of each kernel, [O]."""
    norms: Tensor = kernels.flatten(1).norm(dim=1)
    return norms


def opponent(kernels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The opponent colours of each weight: red-green, yellow-blue, and grey, [O,kh,kw] each.

    (R - G) / sqrt 2, (R + G - 2B) / sqrt 6, (R + G + B) / sqrt 3: a rotation, so that their squares
    add up to the kernel's (van de Sande, Gevers and Snoek 2010, section 3.2).
    """
    red, green, blue = kernels.unbind(1)
    return (
        (red - green) / math.sqrt(2),
        (red + green - 2 * blue) / math.sqrt(6),
        (red + green + blue) / math.sqrt(3),
    )


def hue(kernels: Tensor) -> tuple[Tensor, Tensor]:
    """The hue of each kernel in degrees, [O], and the share of its energy in it, 0..1, [O].

    With a, b the opponent colours of each weight, M = sum of (a, b)(a, b)^T: its larger eigenvalue
    over the kernel's whole energy is the share, its eigenvector the pair of opponent colours; the
    hue is that of the two with more weight. Random weights have a share slightly above a third.
    A kernel without colour has hue 0 and share 0.
    """
    a, b, _ = opponent(kernels)
    aa, bb, ab = (_total(one * other) for one, other in ((a, a), (b, b), (a, b)))
    larger = (aa + bb + torch.hypot(aa - bb, 2 * ab)) / 2
    axis = torch.atan2(2 * ab, aa - bb) / 2
    along = a * axis.cos()[:, None, None] + b * axis.sin()[:, None, None]
    # The hue is the end of the axis with more of the energy.
    turned = _total(along * along.abs()) < 0
    degrees = (axis.rad2deg() + 180 * turned - _RED) % 360
    energy = kernels.square().sum((1, 2, 3))
    share = torch.where(energy > 0, larger / energy, 0).clamp(0, 1)
    return torch.where(share > 0, degrees, 0), share


def orientation(kernels: Tensor) -> tuple[Tensor, Tensor]:
    """The direction in which each kernel changes least, degrees in 0..180, [O], and its coherence.

    The structure tensor J = sum of (gx, gy)(gx, gy)^T over places and the three colours, from
    differences over 2x2 weights; the direction lies across J's larger eigenvector, and the
    coherence is (l1 - l2) / (l1 + l2), 0..1 (Bigun and Granlund 1987; for colours Di Zenzo 1986).
    A constant kernel has direction 0 and coherence 0.
    """
    right, down = kernels.diff(dim=3), kernels.diff(dim=2)
    gx = (right[..., 1:, :] + right[..., :-1, :]) / 2
    gy = (down[..., 1:] + down[..., :-1]) / 2
    xx, yy, xy = ((p * q).sum((1, 2, 3)) for p, q in ((gx, gx), (gy, gy), (gx, gy)))
    # Rows count downwards and degrees anticlockwise: hence the sign, and 90 more for "across".
    across = -torch.atan2(2 * xy, xx - yy).rad2deg() / 2
    whole = xx + yy
    coherence = torch.where(whole > 0, torch.hypot(xx - yy, 2 * xy) / whole, 0).clamp(0, 1)
    return torch.where(coherence > 0, (across + 90) % 180, 0), coherence


def arranged(found: list[Preference], by: Order) -> list[list[Preference]]:
    """Sort the kernels, in two groups where the order applies to some of them only.

    By hue: those that prefer a colour, around the colour circle, then the others, most colourful
    first. By orientation: those that prefer one, by its angle, then the others, most coherent
    first. By strength: strongest first.
    """
    match by:
        case "hue":
            return _split(found, lambda one: one.is_coloured, "hue", "colour")
        case "orientation":
            return _split(found, lambda one: one.is_oriented, "orientation", "coherence")
        case "strength":
            return [sorted(found, key=lambda one: -one.strength)]
        case "number":
            return [list(found)]


def _split(
    found: list[Preference],
    has: Callable[[Preference], bool],
    angle: Literal["hue", "orientation"],
    clear: Literal["colour", "coherence"],
) -> list[list[Preference]]:
    first = sorted(filter(has, found), key=lambda one: float(getattr(one, angle)))
    rest = [one for one in found if not has(one)]
    return [first, sorted(rest, key=lambda one: -float(getattr(one, clear)))]


def _total(values: Tensor) -> Tensor:
    return values.sum((1, 2))
