"""Does a unit respond to the object in a picture, or to its background?

The object is covered with grey, then everything else is: the remaining responses show which of the
two the unit needs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from app.vision.cover import cover

ENOUGH = 0.7
"""Least share of the whole response that must remain without the object."""
LITTLE = 0.3
"""Largest share of the whole response that may remain without the background."""

Part = tuple[float, float, float, float]
"""Left, top, right, bottom of the object, as shares of the input's side."""


@dataclass(frozen=True, slots=True)
class ResponseParts:
    """Responses of every channel, [C] each: to a picture, to its background, to its object."""

    whole: Tensor
    around: Tensor
    thing: Tensor

    def channel(self) -> int | None:
        """The strongest channel that needs the background and not the object; None without one.

        `ENOUGH` of its response remains without the object and at most `LITTLE` without the
        background, and it is in the stronger half of the channels that respond at all.
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
        """A channel's response as a share of the strongest channel's, 0..1."""
        return float(self.whole[channel] / self.whole.max())


def covered(picture: Tensor, part: Part) -> tuple[Tensor, Tensor]:
    """A picture [3,S,S] in 0..1 with its object covered (grey), and with its background covered."""
    mask = torch.zeros(picture.shape[1:])
    left, top, right, bottom = (round(share * picture.shape[1]) for share in part)
    mask[top:bottom, left:right] = 1
    return cover(picture, mask), cover(picture, 1 - mask)
