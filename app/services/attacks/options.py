"""Validates a request for an attack: fills in defaults, checks ranges, looks classes up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal, get_args

from app.errors import BadRequest
from app.services.networks.class_names import find_class
from models.classes import Label

Method = Literal["fgsm", "pgd", "pgd_l2", "deepfool", "few_pixel", "universal", "sticker", "noise"]
METHODS: tuple[Method, ...] = get_args(Method)

LARGEST = 32.0
"""Largest epsilon: in pixel values of 255; `few_pixel`: pixels; `sticker`: per cent."""
MOST_STEPS = 200

LINF = ("fgsm", "pgd", "universal", "noise")
"""Methods whose epsilon is an L-infinity norm: the largest change of a pixel value."""

EPSILON: dict[Method, float] = {
    "fgsm": 4, "pgd": 4, "universal": 10, "noise": 4, "few_pixel": 5, "sticker": 15,
}  # fmt: skip
STEPS: dict[Method, int] = {
    "fgsm": 1, "pgd": 10, "pgd_l2": 10, "deepfool": 50, "universal": 10, "sticker": 60, "noise": 1,
}  # fmt: skip
L2_DEFAULT = 1.5
"""Default epsilon of `pgd_l2` per pixel value: as if all of them changed by 1.5."""


@dataclass(frozen=True, slots=True)
class AttackRequest:
    """A request for an attack; None stands for the default. Classes are indices or names."""

    method: str
    epsilon: float | None = None
    steps: int | None = None
    step_size: float | None = None
    target: int | str | None = None
    true_label: int | str | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class AttackOptions:
    """The validated options of an attack.

    `epsilon` is in pixel values for L-infinity methods, an L2 norm in the same unit for
    `pgd_l2`, a number of pixels for `few_pixel`, percent of the area for `sticker`; `deepfool`
    has none and changes the picture as much as it needs.
    """

    method: Method
    epsilon: float
    steps: int
    step_size: float
    target: int | None
    true_label: int | None
    seed: int


def largest_l2(side: int) -> float:
    """The largest epsilon for L2: the norm of a change of 32 in every pixel value."""
    return LARGEST * sqrt(3 * side * side)


def checked(request: AttackRequest, labels: Sequence[Label], side: int) -> AttackOptions:
    """Validate a request for pictures of `side` pixels. Raises `BadRequest`."""
    method = _method(request.method)
    epsilon = _epsilon(method, request.epsilon, side)
    steps = _steps(method, request.steps)
    return AttackOptions(
        method,
        epsilon,
        steps,
        _step_size(method, request.step_size, epsilon),
        None if request.target is None else find_class(labels, request.target),
        None if request.true_label is None else find_class(labels, request.true_label),
        request.seed or 0,
    )


def warnings(request: AttackRequest, options: AttackOptions, premade: bool = False) -> list[str]:
    """Remarks on a request before it is computed; `premade` if a noise or sticker is reused."""
    short = "" if premade else _short(options)
    unused = _unused(request, options, premade)
    return [note for note in (_nothing(options), short, unused) if note]


def _method(name: str) -> Method:
    for method in METHODS:
        if name == method:
            return method
    raise BadRequest(f"There is no attack called “{name[:60]}”. There are: {', '.join(METHODS)}.")


def _epsilon(method: Method, given: float | None, side: int) -> float:
    most = largest_l2(side) if method == "pgd_l2" else LARGEST
    if given is None:
        return float(EPSILON.get(method, L2_DEFAULT * sqrt(3 * side * side)))
    if method == "deepfool":
        return float(given)
    least = 100 / side**2
    if method == "sticker" and not least <= given <= most:
        raise BadRequest(
            f"A sticker covers at least one pixel: epsilon is from {least:.2g} to {most:g} per "
            f"cent of the area, not {given:g}."
        )
    if not 0 <= given <= most:
        raise BadRequest(f"Epsilon must be from 0 to {most:g} for {method}, not {given:g}.")
    if method == "few_pixel" and given != int(given):
        raise BadRequest(f"Epsilon is a number of pixels for few_pixel: whole, not {given:g}.")
    return float(given)


def _steps(method: Method, given: int | None) -> int:
    if given is not None and not 1 <= given <= MOST_STEPS:
        raise BadRequest(f"An attack has 1 to {MOST_STEPS} steps, not {given}.")
    if method in ("fgsm", "noise", "few_pixel"):
        return 1
    return given or STEPS[method]


def _step_size(method: Method, given: float | None, epsilon: float) -> float:
    most = max(epsilon, 255.0)
    if given is not None and not 0 <= given <= most:
        raise BadRequest(f"The step size must be from 0 to {most:g}, not {given:g}.")
    if method == "fgsm" or given is None:
        return epsilon if method == "fgsm" else epsilon / 4
    return float(given)


def _nothing(options: AttackOptions) -> str:
    if options.method in ("deepfool", "sticker") or options.epsilon >= 1:
        return ""
    if options.epsilon == 0:
        return "Epsilon is 0: nothing happens, the picture stays as it was."
    return "Epsilon is less than one pixel value: in 8 bits nothing can change."


def _short(options: AttackOptions) -> str:
    if options.method not in ("pgd", "pgd_l2", "universal"):
        return ""
    reach = options.steps * options.step_size
    if reach >= options.epsilon:
        return ""
    return (
        f"{options.steps} steps of {options.step_size:g} come to {reach:g} at most: they cannot "
        f"reach epsilon {options.epsilon:g}."
    )


def _unused(request: AttackRequest, options: AttackOptions, premade: bool) -> str:
    """A remark on options that this method does not use; "" if there are none."""
    unused = {
        "fgsm": ("steps", "step_size"),
        "deepfool": ("epsilon", "step_size"),
        "few_pixel": ("steps", "step_size"),
        "sticker": ("step_size",),
        "noise": ("steps", "step_size", "target"),
        "universal": ("step_size",) if premade else (),
    }.get(options.method, ())
    named = [name for name in unused if getattr(request, name) is not None]
    return f"{options.method} does not use {' and '.join(named)}." if named else ""
