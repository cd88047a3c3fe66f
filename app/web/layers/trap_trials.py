"""The trap questions, tested on the selected network: the measured result in words and pictures."""

from __future__ import annotations

from dataclasses import dataclass

from app.pictures.samples import sample
from app.services.atlas.shares import ClassMeans, responds
from app.services.networks.catalogue import Model
from app.services.surveys.survey import SCENES, STRONGEST, LayerSurvey, Survey
from app.vision.selectivity import COLOURED, PERIODS, class_selectivity, orientation_index
from app.vision.thing_and_surroundings import ENOUGH, LITTLE, Part
from app.web.core.links import View, input_url
from app.web.core.templating import number, percent
from app.web.layers.contexts import QuestionTrial, TriedPicture

SHOWN = 5


@dataclass(frozen=True, slots=True)
class TrialInput:
    """The input of a trial: the layer's last step, and all measurements."""

    view: View
    model: Model
    number: int
    step: str
    survey: Survey
    means: ClassMeans | None

    @property
    def layer(self) -> LayerSurvey:
        """The measurements of this layer."""
        return self.survey.layers[self.number]

    def unit(self, channel: int, image: str | None = None) -> str:
        """The explorer with a map of the layer."""
        return View(
            model=self.model.id, image=image or self.view.image, step=self.step, channel=channel
        ).url()


def trial(trial_input: TrialInput) -> QuestionTrial:
    """The layer's question, tested."""
    return {1: _turned, 2: _grey, 3: _class, 4: _upside_down, 5: _around}[trial_input.number](
        trial_input
    )


def _turned(trial_input: TrialInput) -> QuestionTrial:
    layer = trial_input.layer
    index = orientation_index(layer.curve) * responds(layer)
    # Of the channels that turn to zero, the one with the highest response.
    best = int((index * layer.curve.amax(1)).argmax())
    if not index[best] > 0:
        return QuestionTrial("No map of this layer responds to gratings: there is nothing to try.")
    curve = layer.curve[best]
    top = float(curve.max())
    tries = tuple(
        TriedPicture(f"{180 * i // len(curve)}°", "", "", float(value), float(value) / top)
        for i, value in enumerate(curve)
    )
    period = PERIODS[int(layer.period[best])]
    across = float(curve[(int(curve.argmax()) + len(curve) // 2) % len(curve)])
    text = (
        f"{trial_input.step}, map {best}, responds to stripes of {period} pixels with "
        f"{number(top)} at its best angle and with {number(across)} a quarter turn away."
    )
    return QuestionTrial(text, tries, trial_input.unit(best), f"Map {best}")


def _grey(trial_input: TrialInput) -> QuestionTrial:
    layer = trial_input.layer
    count, total = int((layer.colour >= COLOURED).sum()), len(layer.colour)
    most = int(layer.colour.argmax())
    text = (
        f"Of {total} maps, {total - count} keep three quarters or more of what they had and "
        f"{count} lose more. Map {most} loses most: {percent(float(layer.colour[most]))} of its "
        "response to the pictures that it responds to most."
    )
    return QuestionTrial(text, (), trial_input.unit(most), f"Map {most}")


def _class(trial_input: TrialInput) -> QuestionTrial:
    if trial_input.means is None:
        return QuestionTrial(
            "Not tried: how this network’s maps respond to each class has not been measured. That "
            "takes “python -m app atlas build” and a folder of pictures sorted by class."
        )
    values = trial_input.means.values.double().clamp_min(0)
    best = int(class_selectivity(values).argmax())
    column = values[:, best]
    order = column.argsort(descending=True)[:SHOWN].tolist()
    top = float(column[order[0]]) or 1.0
    tries = tuple(
        TriedPicture(trial_input.means.labels[i], "", "", float(column[i]), float(column[i]) / top)
        for i in order
    )
    share = float(column[order[0]] / column.sum().clamp_min(1e-30))
    text = (
        f"No map of this layer prefers a class more than map {best} prefers "
        f"“{tries[0].title}”. If every class came equally often, {percent(share)} of all its "
        f"responses would come from that class and {percent(1 - share)} from the others."
    )
    return QuestionTrial(text, tries, trial_input.unit(best), f"Map {best}")


def _upside_down(trial_input: TrialInput) -> QuestionTrial:
    kept = {n: float(one.kept.float().mean()) for n, one in trial_input.survey.layers.items()}
    tries = tuple(
        TriedPicture(f"Layer {n}", "", "", k, k / STRONGEST) for n, k in sorted(kept.items())
    )
    text = (
        f"Of the {STRONGEST} strongest maps of this layer {kept[trial_input.number]:.1f} are still "
        f"among the {STRONGEST} strongest when a picture is upside down, on average over "
        f"{len(trial_input.survey.pictures)} built-in pictures."
    )
    return QuestionTrial(text, tries)


def _around(trial_input: TrialInput) -> QuestionTrial:
    found = [
        (id, c) for id, one in trial_input.layer.scenes.items() if (c := one.channel()) is not None
    ]
    if not found:
        names = ", ".join(_called(id) for id in SCENES)
        return QuestionTrial(
            f"Tried on {len(SCENES)} built-in pictures of one thing in front of another "
            f"({names}): no strong map of this layer keeps {ENOUGH:.0%} of its response without "
            f"the thing and at most {LITTLE:.0%} without its surroundings.".replace("%", " %")
        )
    # The picture on which the map ranks highest in its layer.
    id, channel = max(found, key=lambda one: trial_input.layer.scenes[one[0]].rank(one[1]))
    parted = trial_input.layer.scenes[id]
    whole, around, thing = (
        float(part[channel]) for part in (parted.whole, parted.around, parted.thing)
    )
    image = input_url(View(model=trial_input.model.id, image=id), trial_input.model)
    side = trial_input.model.outline.input_size
    box, rest = _paths(SCENES[id], side)
    top = max(whole, around, thing)
    tries = (
        TriedPicture("As it is", image, "", whole, whole / top),
        TriedPicture("Without the thing", image, box, around, around / top),
        TriedPicture("Without the rest", image, rest, thing, thing / top),
    )
    text = (
        f"{trial_input.step}, map {channel}, responds to “{_called(id)}” with {number(whole)}. "
        f"With the thing covered it is {number(around)}, with everything else covered "
        f"{number(thing)}: it needs the surroundings, not the thing."
    )
    return QuestionTrial(
        text, tries, trial_input.unit(channel, id), f"Map {channel} on this picture"
    )


def _paths(part: Part, side: int) -> tuple[str, str]:
    """The object, and everything except the object, as SVG paths."""
    left, top, right, bottom = (round(share * side) for share in part)
    box = f"M{left} {top}H{right}V{bottom}H{left}z"
    return box, f"M0 0H{side}V{side}H0z{box}"


def _called(id: str) -> str:
    found = sample(id)
    return found.title if found else id
