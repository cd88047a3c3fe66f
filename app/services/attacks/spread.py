"""How a change of a picture spreads through a network: step by step, beside random noise."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

from torch import Tensor

from app.services.engine.engine import Engine
from app.services.runs.pairs import PicturePair
from app.services.runs.run import Run
from app.vision.attacks.control_noise import Noise, control_noise, noise_kind
from app.vision.attacks.drift import DriftStep, compared
from app.vision.attacks.pixel_grid import l2, linf


@dataclass(frozen=True, slots=True)
class SpreadControl:
    """Random noise as large as the change, uint8 [3,S,S]; norms of both in pixel values."""

    kind: Noise
    pixels: Tensor
    linf: float
    l2: float
    attack_linf: float
    attack_l2: float


def control(pair: PicturePair) -> SpreadControl:
    """The noise that stands beside a change: the same as beside the attack that made it.

    What kind is told from the change alone; its seed is the attack's.
    """
    start, changed = pair.clean[None], pair.attacked[None]
    kind = noise_kind(start, changed)
    noisy = control_noise(kind, start, changed, pair.seed)
    norms = (float(norm(x, start)) for x in (noisy, changed) for norm in (linf, l2))
    return SpreadControl(kind, noisy[0], *norms)


async def drifted(
    engine: Engine, pair: PicturePair, clean: Run, attacked: Run, beside: SpreadControl
) -> tuple[DriftStep, ...]:
    """Every step of three pictures set against each other; two runs are there. Raises `Busy`."""
    found: list[DriftStep] = []
    results = engine.forward(pair.network, pair.normalised(beside.pixels))
    async with aclosing(results) as steps:  # type: ignore[type-var]
        async for one in steps:
            name = one.step.name
            outputs = clean.tensor(name), attacked.tensor(name), one.tensor
            found.append(await asyncio.to_thread(compared, name, *outputs))
    return tuple(found)
