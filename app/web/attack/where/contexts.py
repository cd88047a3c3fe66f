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

    drift: DriftStep = helped("Its drift.")
    attack: str = helped("Relative change by the attack, in per cent.")
    noise: str = helped("Relative change by the noise.")
    times: str = helped("Ratio of both, empty if the noise changed nothing.")


@dataclass(frozen=True, slots=True)
class Chip:
    """One channel in a column."""

    channel: int = helped("Its number.")
    change: str = helped("How its mean activation changed.")
    means: str = helped("The mean activation before and after, in words.")
    kind: str = helped("`up`, `down` or `still`.")
    clean: str = helped("Its map of the clean picture, as a viewBox on the sheet.")
    attacked: str = helped("Its map of the attacked picture.")
    url: str = helped("The panel's page with it on screen.")
    part: str = helped("URL of the panel's part for htmx.")
    current: bool = helped("Whether it is on screen.")


@dataclass(frozen=True, slots=True)
class ChannelGroup:
    """The channels of a column whose mean changed in the same direction."""

    title: str = helped("Excited, inhibited or unmoved.")
    chips: tuple[Chip, ...] = helped("The channels.")


@dataclass(frozen=True, slots=True)
class ColumnView:
    """One of the four columns."""

    title: str = helped("The class whose channels these are.")
    words: str = helped("What that means.")
    groups: tuple[ChannelGroup, ...] = helped("Excited ones, inhibited ones.")


@dataclass(frozen=True, slots=True)
class ChannelMap:
    """One of the three maps of a channel."""

    title: str = helped("Clean, attacked or difference.")
    box: str = helped("Its part of the sheet, as a viewBox.")
    span: str = helped("Its lowest and highest value.")
    legend: Legend = helped("How to read its colours.")
    explorer: str = helped("The explorer with this map; empty for the difference.")


@dataclass(frozen=True, slots=True)
class MapsView:
    """One channel's maps of both pictures, and their difference."""

    title: str = helped("Layer and channel.")
    told: str = helped("How its mean activation changed.")
    sheet: str = helped("URL of the three maps.")
    size: tuple[int, int] = helped("Width and height of that sheet.")
    maps: tuple[ChannelMap, ...] = helped("The three maps.")
    previous: tuple[str, str] | None = helped("Page and part of the channel before it, if any.")
    next: tuple[str, str] | None = helped("Page and part of the channel after it, if any.")
    png: str = helped("URL of the three maps, for download.")


@dataclass(frozen=True, slots=True)
class LayerLink:
    """A layer to select."""

    stage: int = helped("Its number, 1-5.")
    step: str = helped("The step whose maps are shown.")
    url: str = helped("The panel's page with it.")
    part: str = helped("URL of the panel's part for htmx.")
    current: bool = helped("Whether it is on screen.")


@dataclass(frozen=True, slots=True)
class WhereLayer:
    """The channels of one layer, and the selected one, if any."""

    layers: tuple[LayerLink, ...] = helped("The layers to choose from.")
    step: str = helped("The step on screen.")
    sentence: str = helped("What the columns show, in a sentence or two.")
    missing: str = helped("The command that computes the class means, empty if they are available.")
    columns: tuple[ColumnView, ...] = helped("The columns that can be computed.")
    sheet: str = helped("URL of the small maps.")
    size: tuple[int, int] = helped("Width and height of that sheet.")
    legend: Legend = helped("How to read their colours.")
    maps: MapsView | None = helped("The channel on screen, if any.")
    csv: str = helped("URL of the columns as a table.")


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
