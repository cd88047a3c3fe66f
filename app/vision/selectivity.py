"""Selectivity of units to colour, orientation and class: an index in 0..1 for each channel.

Responses are clamped at zero, as after a ReLU.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

ORIENTATIONS = 12
"""Number of orientations of the gratings, evenly over 180 degrees."""
PERIODS = (4, 6, 10, 16, 26)
"""Periods of the gratings in pixels."""
PHASES = 4
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in luma (ITU-R BT.601)."""
GREYISH = 4.0
"""A picture has no colour if its mean absolute distance from grey is at most this, of 255."""

COLOURED, ORIENTED, OF_A_CLASS = 0.25, 0.5, 0.5
"""Thresholds from which a unit is said to prefer colour, an orientation, a class."""
RESPONDS = 0.1
"""A unit has no orientation if its best response to a grating is below this share of its highest
response to a picture: the tuning curve would be noise."""


def grey(pixels: Tensor) -> Tensor:
    """Convert a picture to grey, uint8 [...,3,H,W]: its luma in all three channels."""
    weights = pixels.new_tensor(LUMA, dtype=torch.float32).view(3, 1, 1)
    luma = (pixels.float() * weights).sum(-3, keepdim=True)
    return luma.round().clamp(0, 255).to(torch.uint8).expand(pixels.shape).contiguous()


def has_colour(pixels: Tensor) -> bool:
    """Whether a picture, uint8 [3,H,W], has colour."""
    return float((pixels.float() - grey(pixels).float()).abs().mean()) > GREYISH


def grating(side: int, period: float, degrees: float, phase: float) -> Tensor:
    """A sine grating of full contrast, grey, uint8 [3,side,side].

    `degrees` is the direction of its bars: 0 vertical, 90 horizontal; `phase` is in turns.
    """
    turn = math.radians(degrees)
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    across = (x * math.cos(turn) + y * math.sin(turn)) / period
    wave = 127.5 + 127.5 * torch.sin(2 * math.pi * (across + phase))
    return wave.round().to(torch.uint8).expand(3, side, side).contiguous()


def blank(side: int) -> Tensor:
    """Uniform grey of the gratings' mean brightness, their baseline: uint8 [3,side,side]."""
    return torch.full((3, side, side), 128, dtype=torch.uint8)


@dataclass(frozen=True, slots=True)
class Tuning:
    """Orientation tuning: how a channel's response changes with orientation at its best period.

    `curve` is [C,O], the response above that to uniform grey, at the best phase; `period` [C] is
    the index of the period in `PERIODS`.
    """

    curve: Tensor
    period: Tensor


def tuning(responses: Tensor, to_blank: Tensor) -> Tuning:
    """Tuning of every channel from `responses` to gratings [F,O,P,C] and to uniform grey [C]."""
    above = (responses.clamp_min(0) - to_blank.clamp_min(0)).clamp_min(0)
    best = above.amax(2)
    period = best.amax(1).argmax(0)
    curve = best.permute(2, 0, 1)[torch.arange(best.shape[2]), period]
    return Tuning(curve, period)


def orientation_index(curve: Tensor) -> Tensor:
    """(R_pref - R_orth) / (R_pref + R_orth) of tuning curves [C,O], [C]; 0 where all is 0.

    R_orth is the response at 90 degrees to the preferred orientation. 0.5 means three times as
    much. Source: Niell and Stryker 2008, J Neurosci 28(30).
    """
    best = curve.argmax(1)
    across = (best + curve.shape[1] // 2) % curve.shape[1]
    rows = torch.arange(len(curve))
    return _contrast(curve[rows, best], curve[rows, across])


def circular_variance(curve: Tensor) -> Tensor:
    """1 - |sum R e^(2 i theta)| / sum R of tuning curves [C,O], [C]: 0 one orientation, 1 none.

    1 where all is 0. Source: Ringach, Shapley, Hawken 2002, J Neurosci 22(13); recommended by
    Mazurek, Kager, Van Hooser 2014, Front Neural Circuits 8:92.
    """
    theta = torch.arange(curve.shape[1]) * (2 * math.pi / curve.shape[1])
    turned = torch.polar(curve.double(), theta.double().expand(curve.shape)).sum(1).abs()
    total = curve.double().sum(1)
    return torch.where(total > 0, 1 - turned / total.clamp_min(1e-300), 1.0)


def colour_index(coloured: Tensor, without: Tensor, keep: int = 9) -> Tensor:
    """1 - sum w' / sum w over the `keep` pictures that activate a channel most, [C], at least 0.

    `coloured` w and `without` w' are [N,C], the response at one position to a picture and to the
    same picture in grey. 0 where nothing activates it. Source: Rafegas and Vanrell 2018, Vision
    Research 151.
    """
    fired, grey = coloured.clamp_min(0), without.clamp_min(0)
    strongest = fired.topk(min(keep, len(fired)), dim=0).indices
    left, all = grey.gather(0, strongest).sum(0), fired.gather(0, strongest).sum(0)
    return torch.where(all > 0, 1 - left / all.clamp_min(1e-30), 0.0).clamp_min(0)


def class_selectivity(means: Tensor) -> Tensor:
    """(m_max - m_rest) / (m_max + m_rest) of class means [K,C], [C]; m_rest over the other classes.

    0.5 means three times as much for its class as for the rest. Source: Morcos, Barrett,
    Rabinowitz, Botvinick 2018, arXiv 1803.06959.
    """
    fired = means.double().clamp_min(0)
    best = fired.amax(0)
    rest = (fired.sum(0) - best) / max(1, len(fired) - 1)
    return _contrast(best, rest)


def shared_channels(before: Tensor, after: Tensor, count: int = 10) -> Tensor:
    """How many of the `count` strongest channels two responses [N,C] have in common, [N]."""
    count = min(count, before.shape[1])
    one, other = (t.topk(count, dim=1).indices for t in (before, after))
    return (one[:, :, None] == other[:, None, :]).any(2).sum(1)


def _contrast(more: Tensor, less: Tensor) -> Tensor:
    total = more + less
    return torch.where(total > 0, (more - less) / total.clamp_min(1e-30), 0.0)
