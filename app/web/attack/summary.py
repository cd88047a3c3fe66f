"""The result of an attack in sentences: the outcome first, then the control, then the measures."""

from __future__ import annotations

from app.services.attacks.attacks import findings
from app.services.attacks.job import AttackControl, AttackEnded
from app.services.attacks.options import LARGEST, largest_l2
from app.services.attacks.traces import Outcome, Trace
from app.services.networks.catalogue import Model
from app.web.attack.contexts import AttackSummary
from app.web.attack.methods import METHODS
from app.web.attack.pair_query import PairView
from app.web.attack.panels import attack_links
from app.web.attack.steps import amplified, trace_bars
from app.web.attack.view import AttackView
from app.web.core.base_path import base
from app.web.core.links import View
from app.web.core.templating import percent
from app.web.panels.panel import Panel

CONTROLS = {
    "sign": "Random noise just as large",
    "gaussian": "Random noise just as long",
    "pixels": "As many random pixels",
    "sticker": "A sticker of random colours at the same place",
}
"""Name of each kind of control."""


def ending(
    view: AttackView, model: Model, trace: Trace, panels: tuple[Panel, ...]
) -> AttackSummary:
    """The summary of a finished trace."""
    if (outcome := trace.outcome) is None:
        raise ValueError("a trace that runs has no ending yet")
    ended = outcome.ended
    kind, sentence = _result(trace, ended)
    if outcome.stopped:
        sentence = f"{sentence} It was stopped at step {trace.moments[-1].step}."
    further = _further(view, trace) if kind in ("held", "missed") else None
    at, factor = f"{base()}/attack/trace/{trace.key}", amplified(trace.options)
    return AttackSummary(
        outcome=kind,
        sentence=sentence,
        further="" if further is None else view.url(epsilon=further, step_size=None, step=None),
        further_words="" if further is None else f"Try epsilon {further:g}",
        control_sentence=control_words(trace, ended.control, ended.flipped),
        control_picture=f"{at}/control.png",
        control_noise=f"{at}/control/noise.png?amplify={factor:g}",
        control_bars=trace_bars(trace, ended.control.predictions),
        before=trace_bars(trace, ended.before),
        after=trace_bars(trace, ended.after),
        figures=_figures(ended, outcome.ssim),
        notes=_notes(trace, outcome, kind),
        files=_files(trace, factor),
        explorer=View(model=model.id, image=outcome.image).url(),
        panels=attack_links(panels, _pair(view, outcome.image)),
    )


def _result(trace: Trace, ended: AttackEnded) -> tuple[str, str]:
    """The outcome in a word and in a sentence. A failure comes first."""
    options, before, after = trace.options, ended.before[0], ended.after[0]
    was, now = (f"“{trace.labels[one.index].label}”" for one in (before, after))
    target = "" if options.target is None else f"“{trace.labels[options.target].label}”"
    now_said = f"{now} ({percent(after.probability)})"
    if options.true_label is not None and options.true_label != before.index:
        true = trace.labels[options.true_label].label
        return "wrong", f"Wrong from the start: it is “{true}”, but the network already said {was}."
    if options.target == before.index:
        return "there", f"Nothing to reach: the target, {was}, is what it already says."
    if ended.linf == 0:
        return "held", f"Nothing happened: no pixel value changed, and it still says {now_said}."
    if ended.reached_target:
        return "reached", f"Target reached: it now says {now_said} instead of {was}."
    if ended.flipped and target:
        return "missed", f"The answer changed to {now_said}, but not to the target, {target}."
    if ended.flipped:
        return "flipped", f"Fooled: {was} has become {now_said}."
    if options.method == "noise":
        return "held", f"This random noise does not fool it: it still says {now_said}."
    return "held", f"Not fooled: it still says {now_said}."


def _further(view: AttackView, trace: Trace) -> float | None:
    """A larger epsilon to try, if there is one."""
    if "epsilon" not in METHODS[view.method].uses or view.method == "noise":
        return None
    side, epsilon = trace.start.shape[-1], trace.options.epsilon
    most = largest_l2(side) if view.method == "pgd_l2" else LARGEST
    larger = min(float(int(most)), max(1.0, 2 * epsilon))
    return larger if larger > epsilon else None


def control_words(trace: Trace, control: AttackControl, fooled: bool) -> str:
    """What noise of the same size does, and what follows from that."""
    first = control.predictions[0]
    said = f"“{trace.labels[first.index].label}” ({percent(first.probability)})"
    what = CONTROLS[control.kind]
    if control.linf == 0:
        return f"No noise, no change: {said}."
    if control.flipped:
        too = ", too" if fooled else ", which the attack does not"
        return f"{what} changes the answer{too}, to {said}: the picture is close to a border."
    if fooled:
        return f"{what} does not: still {said}. So here the direction matters, not only the amount."
    return f"{what} does not change the answer either: still {said}."


def _figures(ended: AttackEnded, ssim: float) -> tuple[tuple[str, str, str], ...]:
    return (
        ("L∞", f"{ended.linf:.0f} of 255", "largest change"),
        ("L2", f"{ended.l2:.1f}", "length of the whole change"),
        ("SSIM", f"{ssim:.4f}", "how alike; 1 is the same picture"),
    )


def _notes(trace: Trace, outcome: Outcome, kind: str) -> tuple[str, ...]:
    """Remarks that the first sentence does not contain already."""
    found = findings(trace.labels, trace.options, outcome.ended)[len(outcome.ended.notes) :]
    said = [one for one in found if kind != "wrong" or one.startswith("Wrong")]
    return tuple(note for note in outcome.notes if note not in said)


def _files(trace: Trace, factor: float) -> tuple[tuple[str, str], ...]:
    at, last = f"{base()}/attack/trace/{trace.key}", len(trace.moments) - 1
    side = trace.start.shape[-1]
    return (
        (f"{at}/{last}.png?save=1", f"Attacked picture, {side}×{side} PNG"),
        (f"{at}/{last}/noise.png?amplify={factor:g}&save=1", "Noise, PNG"),
        (f"{at}.csv", "Every step, CSV"),
    )


def _pair(view: AttackView, attacked: str) -> PairView:
    return PairView(
        model=view.model,
        image=view.image,
        attacked=attacked,
        target=None if view.request.target is None else str(view.request.target),
        seed=view.seed,
    )
