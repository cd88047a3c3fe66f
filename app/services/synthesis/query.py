"""A query for a synthesised picture: validation, description in words, cache key."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace

from app.errors import BadRequest, UnknownStep
from app.services.networks.catalogue import Model
from app.services.synthesis.collection import check
from app.vision.synthesis import SynthesisRecipe
from app.vision.synthesis_goals import SynthesisGoal, size_is_fixed
from app.vision.unit_origin import origin

SIZES = (64, 96, 128, 160, 224)
"""The offered sizes in pixels a side, if the network accepts any size."""
MOST_STEPS = 2048
MOST_SEED = 9999
EVERY = 16
"""Steps between two pictures that are shown."""


@dataclass(frozen=True, slots=True)
class SynthesisOptions:
    """The options of a request; None stands for the default.

    `share` is the share of the `second` channel, in per cent.
    """

    steps: int | None = None
    seed: int = 0
    size: int | None = None
    second: int | None = None
    share: int = 50
    away: bool = False


@dataclass(frozen=True, slots=True)
class SynthesisQuery:
    """A picture for channel `channel` of `step`, or for the whole step (None), as requested.

    The goal is measured at step `at`, before ReLU, pooling and concatenation.
    """

    model: Model
    step: str
    channel: int | None
    options: SynthesisOptions
    at: str
    goal: SynthesisGoal
    recipe: SynthesisRecipe

    @property
    def key(self) -> str:
        """The cache key: a digest of all that the picture depends on (weights, goal, recipe, …)."""
        row, recipe = self.model.row, replace(self.recipe, every=0)
        parts = (row.sha256, row.mean, row.std, self.at, asdict(self.goal), asdict(recipe))
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def after(self, steps: int) -> SynthesisQuery:
        """The same query with fewer steps."""
        return replace(
            self,
            options=replace(self.options, steps=steps),
            recipe=replace(self.recipe, steps=steps),
        )

    @property
    def name(self) -> str:
        """The unit in words: `conv5, map 17`, or the label of a class."""
        return self._unit(self.step, self.channel, self.label)

    @property
    def label(self) -> str:
        """The label of its class, "" if it is not for a class."""
        return label_of(self.model, self.at, self.goal.channel)

    @property
    def description(self) -> str:
        """How the picture is made, in a sentence."""
        title, recipe = self.model.row.title, self.recipe
        way = "lower" if self.options.away else "raise"
        goal, unit = self.goal, self._unit(self.at, self.goal.channel, self.label)
        if goal.second is not None:
            share = self.options.share
            other = label_of(self.model, self.at, goal.second)
            unit = (
                f"{100 - share} % of {unit} with {share} % of "
                f"{self._unit(self.at, goal.second, other)}"
            )
        return (
            f"{title}, {unit}: grown from grey noise (seed {recipe.seed}) in "
            f"{recipe.steps} steps at {recipe.size} × {recipe.size} pixels, each step a little "
            f"towards what would {way} {self.measure} most."
        )

    @property
    def measure(self) -> str:
        """The value that is raised or lowered, in words."""
        if self.channel is None:
            return f"the mean square of all of {self.at}"
        if self.goal.second is not None:
            return f"that mix of their means in {self.at}"
        if self.model.geometry[self.at].spatial:
            return f"its mean in {self.at}"
        return "its logit" if self.label else f"its number in {self.at}"

    def _unit(self, step: str, channel: int | None, label: str) -> str:
        if channel is None:
            return f"the whole of {step}"
        if label:
            return f"“{label}”"
        kind = "map" if self.model.geometry[step].spatial else "number"
        return f"{step}, {kind} {channel}"


def label_of(model: Model, at: str, channel: int | None) -> str:
    """The label of the class that a channel of step `at` stands for, "" for none."""
    if channel is None or model.outline.partial or len(model.labels) <= channel:
        return ""
    return (
        model.labels[channel].label if at == unit_origin(model, model.outline.logits, 0)[0] else ""
    )


def build_query(
    model: Model,
    step: str,
    channel: int | None,
    wanted: SynthesisOptions,
    usual: SynthesisRecipe | None = None,
) -> SynthesisQuery:
    """Validate a request. `usual` is the recipe of the shipped pictures: steps and size.

    Raises `UnknownStep` for a step or channel that the network does not have, or a step without
    values of its own; `BadRequest` for a value out of range.
    """
    check(model, step, [one for one in (channel, wanted.second) if one is not None])
    if not has_goal(model, step):
        before = model.outline.step(step).inputs[0]
        raise UnknownStep(f"{step} only puts {before} in a row: ask for {before}.")
    at, goal = _goal(model, step, channel, wanted)
    base = usual or SynthesisRecipe(size=default_size(model, at))
    recipe = replace(
        base,
        size=_size(model, at, wanted.size or base.size),
        steps=base.steps if wanted.steps is None else wanted.steps,
        seed=wanted.seed,
        every=EVERY,
    )
    if not 0 <= recipe.steps <= MOST_STEPS:
        raise BadRequest(f"steps must be from 0 to {MOST_STEPS}, not {recipe.steps}.")
    if not 0 <= recipe.seed <= MOST_SEED:
        raise BadRequest(f"seed must be from 0 to {MOST_SEED}, not {recipe.seed}.")
    return SynthesisQuery(model, step, channel, wanted, at, goal, recipe)


def has_goal(model: Model, step: str) -> bool:
    """True if the units of a step have values of their own to raise."""
    return model.outline.step(unit_origin(model, step, 0)[0]).kind != "flatten"


def default_size(model: Model, at: str) -> int:
    """128 pixels, or the network's input size if that is smaller or the only possible one."""
    crop = model.row.crop
    return crop if size_is_fixed(model.outline, at) else min(crop, 128)


def sizes(model: Model, at: str) -> tuple[int, ...]:
    """The sizes to choose from: only one if a fully connected step comes before `at`."""
    if size_is_fixed(model.outline, at):
        return (model.row.crop,)
    return tuple(sorted({*SIZES, default_size(model, at)}))


def unit_origin(model: Model, step: str, channel: int | None) -> tuple[str, int | None]:
    """The step and channel where a unit is measured, before ReLU, pooling and concatenation."""
    return origin(model.outline, _counts(model), step, channel)


def _goal(
    model: Model, step: str, channel: int | None, wanted: SynthesisOptions
) -> tuple[str, SynthesisGoal]:
    """The step and goal; a mix of channels from two branches is measured after concatenation."""
    at, first = unit_origin(model, step, channel)
    if wanted.second is None or channel is None:
        if wanted.second is not None:
            raise BadRequest("second needs a first: name the channel it is mixed with.")
        return at, SynthesisGoal(first, away=wanted.away)
    if not 0 <= wanted.share <= 100:
        raise BadRequest(f"share must be from 0 to 100, not {wanted.share}.")
    there, second = unit_origin(model, step, wanted.second)
    if at != there:
        at, _ = unit_origin(model, step, None)
        first, second = channel, wanted.second
    return at, SynthesisGoal(first, second, wanted.share / 100, wanted.away)


def _size(model: Model, at: str, size: int) -> int:
    known = sizes(model, at)
    if size not in known:
        raise BadRequest(f"size must be one of {', '.join(map(str, known))}, not {size}.")
    return size


def _counts(model: Model) -> dict[str, int]:
    return {name: where.shape[0] for name, where in model.geometry.items()}
