"""One layer in two runs, of the clean picture and of the attacked one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from torch import Tensor

from app.errors import UnknownStep
from app.services.networks.calibration import calibration
from app.services.runs.pairs import PicturePair
from app.services.runs.run import Run
from app.vision.attacks.columns import ChannelChange, ChannelColumns, columns
from app.vision.stages import stage_ends
from app.web.attack.pair_query import PairView
from app.web.core.base_path import base
from app.web.core.templating import number
from app.web.core.url_view import Index


class LayerView(PairView):
    """What the panel's URL says besides the pair: a layer, and the selected channel, if any."""

    page: ClassVar[str] = "/attack/where"

    layer: str = ""
    channel: Index | None = None


@dataclass(frozen=True)
class LayerPair:
    """The layer of a view in a pair of runs."""

    view: LayerView
    pair: PicturePair
    clean: Run
    attacked: Run

    @property
    def step(self) -> str:
        """The layer."""
        return self.view.layer

    @property
    def channel(self) -> int | None:
        """The selected channel, if any."""
        return self.view.channel

    @cached_property
    def maps(self) -> tuple[Tensor, Tensor]:
        """The layer's activations for both pictures, [C,H,W] each."""
        return self.clean.tensor(self.step), self.attacked.tensor(self.step)

    @cached_property
    def means(self) -> Tensor | None:
        """Mean activations by class, [K,C], if known."""
        known = calibration(self.pair.model)
        return known.means.get(self.step) if known else None

    @cached_property
    def classes(self) -> tuple[int, int]:
        """The class predicted at first, and the other one: the target, or the class predicted now.

        If that is still the first, the next likeliest one.
        """
        first = self.clean.predictions(1)[0].index
        likeliest = [one.index for one in self.attacked.predictions(2)]
        wanted = [self.pair.target, *likeliest]
        return first, next(one for one in wanted if one is not None and one != first)

    @cached_property
    def columns(self) -> ChannelColumns:
        """The channels in four columns."""
        return columns(*self.maps, self.means, *self.classes)

    @property
    def limit(self) -> float:
        """The largest magnitude of the layer in either picture."""
        return max(float(maps.abs().max()) for maps in self.maps)

    def url(self, **changes: object) -> str:
        """The URL of the panel with some parts changed."""
        return self.view.url(**changes)

    def part(self, **changes: object) -> str:
        """The same for htmx: the layer alone."""
        return f"{base()}/attack/where/layer?{self.query(**changes)}"

    def query(self, **changes: object) -> str:
        """The panel's query string with some parts changed."""
        return self.view.query(**changes)


def ends(pair: PicturePair) -> dict[int, str]:
    """The steps that can be selected, by stage: the last of each before its pooling."""
    return stage_ends(pair.model.outline.steps)


def chosen(pair: PicturePair, step: str) -> str:
    """The layer of that step; by default the last. Raises `UnknownStep`."""
    known = list(ends(pair).values())
    if step and step not in known:
        raise UnknownStep(f"The layers to look at are {', '.join(known)}, not “{step[:60]}”.")
    return step or known[-1]


def checked(layer: LayerPair) -> LayerPair:
    """The layer, if it has the requested channel. Raises `UnknownStep`."""
    count = len(layer.maps[0])
    if layer.channel is not None and layer.channel >= count:
        raise UnknownStep(f"{layer.step} has channels 0 to {count - 1}, not {layer.channel}.")
    return layer


def signed(value: float) -> str:
    """A change with its sign."""
    return f"+{number(value)}" if value > 0 else number(value)


def change_words(one: ChannelChange) -> str:
    return (
        f"Mean response {number(one.clean)}, attacked {number(one.attacked)}: {signed(one.change)}."
    )
