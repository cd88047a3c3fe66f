"""Template contexts of the panel “Where it happens”."""

from __future__ import annotations

from dataclasses import dataclass

from app.vision.attacks.drift import DriftStep
from app.web.attack.charting import Charted
from app.web.parts.contexts import helped
from app.web.parts.sprites import Legend


@dataclass(frozen=True, slots=True)
class DriftRow:
    """One step as a line of the table."""

    drift: DriftStep
    attack: str  # relative change, per cent
    noise: str  # relative change, per cent
    times: str  # ratio of both; "" if the noise changed nearly nothing


@dataclass(frozen=True, slots=True)
class Chip:
    """One channel in a column."""

    channel: int
    change: str  # of the mean activation
    means: str  # before and after, in words
    kind: str  # `up`, `down` or `still`
    clean: str  # its map on the sheet, as a viewBox
    attacked: str  # the same of the attacked picture
    url: str  # the panel's page with it on screen
    part: str  # URL of the panel's part for htmx
    current: bool


@dataclass(frozen=True, slots=True)
class ChannelGroup:
    """The channels of a column whose mean changed in the same direction."""

    title: str  # excited, inhibited or unmoved
    chips: tuple[Chip, ...]


@dataclass(frozen=True, slots=True)
class ColumnView:
    """One of the four columns."""

    title: str  # the class whose channels these are
    words: str  # what that means
    groups: tuple[ChannelGroup, ...]  # excited ones, inhibited ones


@dataclass(frozen=True, slots=True)
class ChannelMap:
    """One of the three maps of a channel."""

    title: str  # clean, attacked or difference
    box: str  # its part of the sheet, as a viewBox
    span: str  # its lowest and highest value
    legend: Legend
    explorer: str  # URL; "" for the difference


@dataclass(frozen=True, slots=True)
class MapsView:
    """One channel's maps of both pictures, and their difference."""

    title: str  # layer and channel
    told: str  # how its mean activation changed
    sheet: str  # URL
    size: tuple[int, int]  # width and height of the sheet
    maps: tuple[ChannelMap, ...]
    previous: tuple[str, str] | None  # page and part of the channel before it
    next: tuple[str, str] | None  # page and part of the channel after it
    png: str  # URL of the three maps, for download


@dataclass(frozen=True, slots=True)
class LayerLink:
    """A layer to select."""

    stage: int  # 1-5
    step: str  # the one whose maps are shown
    url: str
    part: str  # URL of the panel's part for htmx
    current: bool


@dataclass(frozen=True, slots=True)
class WhereLayer:
    """The channels of one layer, and the selected one, if any."""

    layers: tuple[LayerLink, ...]
    step: str
    sentence: str  # what the columns show
    missing: str  # the command that computes the class means; "" if they are available
    columns: tuple[ColumnView, ...]  # those that can be computed
    sheet: str  # URL of the small maps
    size: tuple[int, int]  # width and height of the sheet
    legend: Legend
    maps: MapsView | None  # of the channel on screen
    csv: str


@dataclass(frozen=True, slots=True)
class WhereView:
    """The whole panel."""

    same: bool = helped("Whether both pictures are the same.")
    sentence: str = helped("What the numbers say.")
    control: str = helped("Which noise the attack is compared with.")
    charts: tuple[Charted, ...] = helped("Charts of relative change and cosine over the steps.")
    rows: tuple[DriftRow, ...] = helped("The same as a table.")
    link: str = helped("This panel on a page of its own.")
    csv: str = helped("URL of the table.")
    png: str = helped("URL of the charts as a picture.")
    layer: WhereLayer | None = helped("The channels; None if nothing changed.")
