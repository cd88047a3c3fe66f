"""Does a unit respond to the thing in a picture, or to what lies around it?

Once the thing is covered with grey, once everything else: what is left of the response says which
of the two it needs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from app.vision.cover import cover

ENOUGH = 0.7
"""Share of the whole response that must be left of it without the thing."""
LITTLE = 0.3
"""Share that may be left without what is around."""

Part = tuple[float, float, float, float]
"""Left, top, right, bottom of the thing, as shares of the input's side."""


@dataclass(frozen=True, slots=True)
class ResponseParts:
    """Responses of every channel, [C] each: to a picture, without the thing, without the rest."""

    whole: Tensor
    around: Tensor
    thing: Tensor

    def channel(self) -> int | None:
        """The strongest channel that needs what is around and not the thing; None where none does.

        It keeps `ENOUGH` of its response without the thing and `LITTLE` at most without the rest,
        and is among the stronger half of those that respond at all.
        """
        fired = self.whole > 0
        if not fired.any():
            return None
        strong = self.whole >= self.whole[fired].median()
        needs = (self.around >= ENOUGH * self.whole) & (self.thing <= LITTLE * self.whole)
        if not (fits := fired & strong & needs).any():
            return None
        return int(self.whole.masked_fill(~fits, -torch.inf).argmax())

    def rank(self, channel: int) -> float:
        """A channel's response as a part of the strongest channel's, 0..1."""
        return float(self.whole[channel] / self.whole.max())


def covered(picture: Tensor, part: Part) -> tuple[Tensor, Tensor]:
    """A picture [3,S,S] in 0..1 without the thing, and the thing without the rest; grey instead."""
    mask = torch.zeros(picture.shape[1:])
    left, top, right, bottom = (round(share * picture.shape[1]) for share in part)
    mask[top:bottom, left:right] = 1
    return cover(picture, mask), cover(picture, 1 - mask)
