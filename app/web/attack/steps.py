"""The drawn steps of an attack: picture URLs, five class bars, a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from app.pictures.difference import ROOM, amplification
from app.services.attacks.job import AttackMoment
from app.services.attacks.options import LINF, AttackOptions
from app.services.attacks.traces import Trace
from app.vision.predict import RankedClass
from app.web.attack.class_bars import ClassShareBar, class_bars
from app.web.attack.contexts import AttackFrame
from app.web.attack.view import AttackView
from app.web.core.base_path import base
from app.web.core.templating import percent

TYPICAL = 16.0
"""Typical largest change of methods without a limit for a single pixel value."""


def attack_frames(view: AttackView, trace: Trace, start: int) -> tuple[AttackFrame, ...]:
    """The steps of a trace from number `start` on."""
    return tuple(attack_frame(view, trace, number) for number in range(start, len(trace.moments)))


def attack_frame(view: AttackView, trace: Trace, number: int) -> AttackFrame:
    """One step of a trace."""
    moment, flip = trace.moments[number], trace.flip()
    at, factor = f"{base()}/attack/trace/{trace.key}/{number}", amplified(trace.options)
    rows = trace_bars(trace, moment.predictions)
    return AttackFrame(
        step=number,
        url=view.url(run=True, step=number),
        picture=f"{at}.png",
        noise=f"{at}/noise.png?amplify={factor:g}",
        bars=rows,
        kind=rows[0].kind,
        flips=number == flip,
        words=_words(rows[0], number, flip),
        told=_size_words(trace, moment),
    )


def trace_bars(trace: Trace, ranked: Sequence[RankedClass]) -> tuple[ClassShareBar, ...]:
    """Class bars beside the trace's first prediction and its target."""
    was = trace.moments[0].predictions[0].index
    return class_bars(trace.labels, ranked, was, trace.options.target)


def amplified(options: AttackOptions) -> float:
    """The amplification of the perturbation: as large as its limit allows, equal for all steps."""
    if options.method in LINF:
        return amplification(max(1.0, options.epsilon // 1))
    return amplification(TYPICAL if options.method in ("pgd_l2", "deepfool") else 255.0)


def times(factor: float) -> str:
    """An amplification in words."""
    return "at half strength" if factor == 0.5 else f"× {factor:g}"


def legend(factor: float) -> str:
    """What the colours of a perturbation mean."""
    return f"Grey is 0, full colour ±{ROOM / factor:.3g}."


def planned(options: AttackOptions) -> int:
    """The approximate number of steps."""
    if options.method == "few_pixel":
        return max(1, round(16 * options.epsilon))
    return options.steps


def _words(first: ClassShareBar, number: int, flip: int | None) -> str:
    said = f"“{first.label}” ({percent(first.probability)})"
    if number == 0:
        return f"As it was: {said}."
    if number == flip:
        return f"Step {number}: here it flips, to {said}."
    return f"Step {number}: {said}."


def _size_words(trace: Trace, moment: AttackMoment) -> str:
    if moment.step == 0:
        return "nothing changed yet"
    text = f"largest change {moment.linf:.0f} of 255"
    if moment.target_probability is not None:
        return f"{text}; the target has {percent(moment.target_probability)}"
    return text
