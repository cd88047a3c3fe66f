"""Benchmark of our PGD against foolbox's: same network, picture, settings and thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from statistics import median
from time import perf_counter

import torch
from torch import Tensor

from app.bench.bench_services import OWNER, BenchServices
from app.bench.rows import BenchRow
from app.pictures.decode import decode
from app.pictures.preprocess import Preprocess, fit
from app.services.attacks.pixel_model import pixel_model_of
from app.services.runs.run import preprocess
from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.pgd import pgd
from app.vision.attacks.pixel_model import PixelModel
from models.graph import Network

BESIDE = "PGD of 10 steps with every step's prediction; the bar is foolbox's PGD"
EPSILON, STEP, STEPS = 8, 2, 10


async def measure(bench: BenchServices) -> list[BenchRow]:
    """Compare both; no rows where foolbox, a development package, is not installed."""
    if find_spec("foolbox") is None:
        return []
    model = bench.services.catalogue.model(bench.name)
    prep = preprocess(model)
    pixels = fit(decode(bench.photo).image, prep).pixels[None]
    reader = pixel_model_of(model, bench.network)
    label = reader.logits(pixels.to(reader.device).float()).argmax(1)
    own, theirs = _own(reader, pixels, label), _foolbox(bench.network, prep, pixels, label)
    times = await bench.times(
        {"own": lambda: _timed(bench, own), "foolbox": lambda: _timed(bench, theirs)}
    )
    own_ms, their_ms = (1000 * median(times[name]) for name in ("own", "foolbox"))
    return [BenchRow(BESIDE, bench.name, own_ms, their_ms, "ms")]


def _own(reader: PixelModel, pixels: Tensor, label: Tensor) -> Callable[[], object]:
    return lambda: list(pgd(reader, pixels, AttackGoal(label), EPSILON, STEP, STEPS))


def _foolbox(
    network: Network, prep: Preprocess, pixels: Tensor, label: Tensor
) -> Callable[[], object]:
    # Imported here: it is installed for development only.
    from foolbox.attacks.projected_gradient_descent import LinfProjectedGradientDescentAttack
    from foolbox.criteria import Misclassification
    from foolbox.models.pytorch import PyTorchModel

    preprocessing = {"mean": list(prep.mean), "std": list(prep.std), "axis": -3}
    model = PyTorchModel(network, bounds=(0, 1), preprocessing=preprocessing, device=label.device)
    attack = LinfProjectedGradientDescentAttack(
        abs_stepsize=STEP / 255, steps=STEPS, random_start=False
    )
    picture = pixels.to(label.device).float() / 255
    return lambda: attack(model, picture, Misclassification(label), epsilons=EPSILON / 255)


async def _timed(bench: BenchServices, work: Callable[[], object]) -> float:
    """Seconds of `work` in the engine's thread."""
    items = bench.services.engine.stream(OWNER, lambda: _seconds(work))
    return [item async for item in items][-1]


def _seconds(work: Callable[[], object]) -> Iterator[int | float]:
    started = perf_counter()
    # The engine's thread is in inference mode, which has no gradients.
    with torch.inference_mode(False), torch.enable_grad():
        work()
    yield perf_counter() - started
