"""Computes one attack on one picture step by step, in the compute thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic

import torch
from torch import Tensor

from app.services.attacks.options import LINF, AttackOptions, Method
from app.services.attacks.premade import NOTHING, Premade
from app.vision.attacks.control_noise import Noise, control_noise
from app.vision.attacks.deepfool import deepfool
from app.vision.attacks.drift import DriftStep, drift
from app.vision.attacks.few_pixel import few_pixel
from app.vision.attacks.fgsm import fgsm
from app.vision.attacks.goal import AttackGoal
from app.vision.attacks.noise import noise
from app.vision.attacks.pgd import pgd
from app.vision.attacks.pgd_l2 import pgd_l2
from app.vision.attacks.pixel_grid import AttackStep, l2, linf
from app.vision.attacks.pixel_model import PixelModel
from app.vision.attacks.sticker import random_sticker, sticker_for_picture
from app.vision.attacks.universal import universal_for_picture
from app.vision.predict import RankedClass, top
from models.graph import Network

SECONDS: dict[Method, float] = {"sticker": 10.0, "few_pixel": 20.0}
SECONDS_OTHERWISE = 60.0
"""Time limits in seconds; then an attack stops with its current result."""
BURST = 0.03
"""Seconds of steps that are sent together: interactive work waits no longer."""
SHOWN = 5


@dataclass(frozen=True, slots=True)
class AttackMoment:
    """One step: the 8-bit picture, uint8 [3,S,S], and the network's prediction for exactly it.

    `predictions` are the five most likely classes; `target_probability` is None without a target.
    Norms are in pixel values.
    """

    step: int
    pixels: Tensor | None
    predictions: tuple[RankedClass, ...]
    target_probability: float | None
    linf: float
    l2: float
    repaired: bool


@dataclass(frozen=True, slots=True)
class AttackControl:
    """The control: random noise of the attack's size on the same picture, uint8 [3,S,S].

    `kind` is `sign` (same L-infinity norm), `gaussian` (same L2 norm), `pixels` (same number) or
    `sticker` (random colours at the same place).
    """

    kind: str
    pixels: Tensor
    predictions: tuple[RankedClass, ...]
    flipped: bool
    linf: float
    l2: float


@dataclass(frozen=True, slots=True)
class AttackEnded:
    """The end of an attack: `pixels` are uint8 [3,S,S]; `fooled` is None without a true label.

    `reached_target` is False without a target. Norms are in pixel values.
    """

    pixels: Tensor
    before: tuple[RankedClass, ...]
    after: tuple[RankedClass, ...]
    flipped: bool
    reached_target: bool
    fooled: bool | None
    linf: float
    l2: float
    control: AttackControl
    drift: tuple[DriftStep, ...]
    notes: tuple[str, ...]


def never() -> bool:
    """The default `stop` of an attack: it runs to its end."""
    return False


def job(
    model: PixelModel,
    network: Network,
    pixels: Tensor,
    options: AttackOptions,
    stop: Callable[[], bool] = never,
    premade: Premade = NOTHING,
) -> Iterator[tuple[AttackMoment | AttackEnded, ...]]:
    """Yield the steps of an attack on uint8 [3,S,S], then its end, with control and drift.

    Steps of a small network come several at a time, since sending one to another thread costs a
    tenth of a step. If `stop` returns True, the current step is the last. A `premade` noise or
    sticker is used as it is.
    """
    notes, ends = set(premade.notes), list[AttackMoment]()
    if not premade and (extra := {"universal": ALONE, "sticker": BRIEFLY}.get(options.method)):
        notes.add(extra)
    for burst in _in_bursts(_moments(model, pixels, options, notes, stop, premade)):
        ends = [*ends[:1], *burst]
        yield burst
    yield (_ended(model, network, pixels, options, (ends[0], ends[-1]), notes),)


def _moments(
    model: PixelModel,
    pixels: Tensor,
    options: AttackOptions,
    notes: set[str],
    stop: Callable[[], bool],
    premade: Premade,
) -> Iterator[AttackMoment]:
    """Yield each step until the end or the time limit; remarks are added to `notes`."""
    started, seconds = monotonic(), SECONDS.get(options.method, SECONDS_OTHERWISE)
    steps = premade.steps(model, pixels[None], options, notes)
    for step in steps or _steps(model, pixels[None], options):
        if step.margin:
            notes.add(MARGIN)
        yield _moment(step, pixels, options)
        if stop():
            notes.add(f"Stopped by hand at step {step.number}: this is as far as it came.")
            return
        if monotonic() - started > seconds:
            notes.add(f"Stopped after {seconds:g} seconds: this is as far as it came.")
            return


def _in_bursts(moments: Iterator[AttackMoment]) -> Iterator[tuple[AttackMoment, ...]]:
    """Group the steps computed within `BURST` seconds; at least one per group."""
    burst, started = list[AttackMoment](), monotonic()
    for moment in moments:
        burst.append(moment)
        if monotonic() - started >= BURST:
            yield tuple(burst)
            burst, started = [], monotonic()
    if burst:
        yield tuple(burst)


MARGIN = (
    "The network is so sure that the slope of its loss is zero in float32: the margin between "
    "the two best scores was used instead."
)
ALONE = "This noise was made for this one picture; a universal one is made from many."
BRIEFLY = "This sticker was trained for a moment on this one picture; a real one needs many."


def _steps(model: PixelModel, pixels: Tensor, options: AttackOptions) -> Iterator[AttackStep]:
    """The steps of the requested method on uint8 [1,3,S,S]."""
    epsilon, size, steps, seed = options.epsilon, options.step_size, options.steps, options.seed
    goal = AttackGoal()
    if options.target is not None:
        goal = AttackGoal(torch.tensor([options.target], device=model.device), targeted=True)
    match options.method:
        case "fgsm":
            return fgsm(model, pixels, goal, epsilon)
        case "pgd":
            return pgd(model, pixels, goal, epsilon, size, steps)
        case "pgd_l2":
            return pgd_l2(model, pixels, goal, epsilon, size, steps)
        case "deepfool":
            return deepfool(model, pixels, goal, steps=steps)
        case "few_pixel":
            return few_pixel(model, pixels, goal, int(epsilon), seed=seed)
        case "universal":
            return universal_for_picture(model, pixels, goal, epsilon, steps, size, seed)
        case "sticker":
            return sticker_for_picture(model, pixels, goal, epsilon / 100, steps, seed)
        case "noise":
            return noise(model, pixels, epsilon, seed)


def _moment(step: AttackStep, start: Tensor, options: AttackOptions) -> AttackMoment:
    pixels, logits = step.pixels[0].cpu(), step.logits[0].cpu()
    target = None
    if options.target is not None:
        target = logits.softmax(0)[options.target].item()
    return AttackMoment(
        step.number,
        pixels,
        tuple(top(logits, SHOWN)),
        target,
        float(linf(pixels[None], start[None])),
        float(l2(pixels[None], start[None])),
        step.repaired,
    )


def _ended(
    model: PixelModel,
    network: Network,
    start: Tensor,
    options: AttackOptions,
    ends: tuple[AttackMoment, AttackMoment],
    notes: set[str],
) -> AttackEnded:
    first, last = ends
    if last.pixels is None:
        raise ValueError("a moment has its picture until it is told")
    if last.repaired:
        notes.add("Rounding to 8 bits had undone the attack; single whole steps brought it back.")
    control = _control(model, start, options, first, last)
    before, after = first.predictions[0].index, last.predictions[0].index
    true, target = options.true_label, options.target
    return AttackEnded(
        last.pixels,
        first.predictions,
        last.predictions,
        before != after,
        after == target,
        None if true is None else before == true != after,
        last.linf,
        last.l2,
        control,
        tuple(drift(network, model, start, last.pixels, control.pixels)),
        tuple(sorted(notes)),
    )


def _control(
    model: PixelModel,
    start: Tensor,
    options: AttackOptions,
    first: AttackMoment,
    last: AttackMoment,
) -> AttackControl:
    batch = start[None]
    kind, noisy = _control_noise(batch, options, last)
    ranked = tuple(top(model.logits(noisy.to(model.device).float())[0].cpu(), SHOWN))
    flipped = ranked[0].index != first.predictions[0].index
    return AttackControl(
        kind, noisy[0], ranked, flipped, float(linf(noisy, batch)), float(l2(noisy, batch))
    )


def _control_noise(batch: Tensor, options: AttackOptions, last: AttackMoment) -> tuple[str, Tensor]:
    """The kind of noise to compare an attack with, and the picture with it, uint8 [1,3,S,S]."""
    seed, changed = options.seed, batch if last.pixels is None else last.pixels[None]
    if options.method == "sticker":
        return "sticker", random_sticker(batch, options.epsilon / 100, seed)
    if options.method in LINF:
        return "sign", control_noise("sign", batch, changed, seed)
    kind: Noise = "pixels" if options.method == "few_pixel" else "gaussian"
    return kind, control_noise(kind, batch, changed, seed)
