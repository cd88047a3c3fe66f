"""How a perturbation spreads through a network, step by step, compared with random noise."""

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
class DriftControl:
    """Random noise as large as the perturbation, uint8 [3,S,S]; both norms in pixel values."""

    kind: Noise
    pixels: Tensor
    linf: float
    l2: float
    attack_linf: float
    attack_l2: float


def drift_control(pair: PicturePair) -> DriftControl:
    """The control noise of a perturbation: the same as for the attack that made it.

    Its kind follows from the perturbation alone; its seed is the attack's.
    """
    start, changed = pair.clean[None], pair.attacked[None]
    kind = noise_kind(start, changed)
    noisy = control_noise(kind, start, changed, pair.seed)
    norms = (float(norm(x, start)) for x in (noisy, changed) for norm in (linf, l2))
    return DriftControl(kind, noisy[0], *norms)


async def compare_steps(
    engine: Engine, pair: PicturePair, clean: Run, attacked: Run, noise: DriftControl
) -> tuple[DriftStep, ...]:
    """Compare the clean, attacked and noisy picture at every step. Raises `Busy`.

    Only the noisy one is computed; `clean` and `attacked` are finished runs.
    """
    drift: list[DriftStep] = []
    results = engine.forward(pair.network, pair.normalised(noise.pixels))
    async with aclosing(results) as steps:
        async for one in steps:
            name = one.step.name
            outputs = clean.tensor(name), attacked.tensor(name), one.tensor
            drift.append(await asyncio.to_thread(compared, name, *outputs))
    return tuple(drift)
