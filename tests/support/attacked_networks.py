"""What the tests of attacks share: a network that is worked out by hand, and the real one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor, nn

from app.pictures.preprocess import Preprocess, fit
from app.pictures.samples import sample
from app.vision.attacks.pixel_grid import AttackStep
from app.vision.attacks.pixel_model import PixelModel
from models.graph import Network
from tests.support.networks import ENTRY, embedded

ROW = ENTRY.row
PREP = Preprocess(ROW.resize, ROW.crop, ROW.mean, ROW.std)


def linear(rows: Sequence[Sequence[float]], scale: float = 1.0) -> PixelModel:
    """Logits = scale * rows . pixels / 255, for pictures of one pixel, [N,3,1,1]."""
    layer = nn.Linear(3, len(rows), bias=False)
    layer.weight.data = scale * torch.tensor(rows)
    return PixelModel(nn.Sequential(nn.Flatten(), layer).eval(), (0, 0, 0), (1, 1, 1))


def pixel(*values: int) -> Tensor:
    """A picture of one pixel, uint8 [1,3,1,1]."""
    return torch.tensor(values, dtype=torch.uint8).view(1, 3, 1, 1)


def values(step: AttackStep) -> list[int]:
    """The numbers of a small picture in a row."""
    found: list[int] = step.pixels[0].flatten().tolist()
    return found


@cache
def mini() -> Network:
    """The embedded network, for all tests of a file."""
    return embedded().eval()


def reader(white: float = 255.0) -> PixelModel:
    return PixelModel(mini(), ROW.mean, ROW.std, white)


@cache
def photo(id: str) -> Tensor:
    """A sample as the embedded network gets it, uint8 [1,3,64,64]."""
    found = sample(id)
    assert found
    return fit(found.open(), PREP).pixels[None]


def photos(*ids: str) -> Tensor:
    return torch.cat([photo(id) for id in ids])
