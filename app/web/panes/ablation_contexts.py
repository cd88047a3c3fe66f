"""What the templates of channels switched off, and of their ranking, are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.services.ablated import By
from app.web.contexts import Legend, helped
from app.web.panes.classes import Classes


@dataclass(frozen=True, slots=True)
class TickTile:
    """A map that can be ticked."""

    channel: int = helped("Its number.")
    box: str = helped("Its part of the sheet, as an SVG viewBox.")
    ticked: bool = helped("Whether it is.")


@dataclass(frozen=True, slots=True)
class MovedMap:
    """A map of the last step of a network without classes, and how far it moved."""

    channel: int = helped("Its number.")
    before: float = helped("Its mean before.")
    after: float = helped("Its mean now.")
    moved: float = helped("Relative change.")


@dataclass(frozen=True, slots=True)
class CutResult:
    """What switching off did."""

    sentence: str = helped("What is off.")
    address: str = helped("What the page's URL says of it.")
    classes: Classes | None = helped("The classes, where there are any.")
    nothing: str = helped("What the network answers with nothing from this layer.")
    why: str = helped("Why there are no classes, empty where there are.")
    last: str = helped("Name of the last step, where that is what is compared.")
    moved: tuple[MovedMap, ...] = helped("Its maps that moved most.")
    hidden: dict[str, Any] = helped("The unit and the switches as fields of a form.")
    links: str = helped("The panel's URL up to the class asked about.")
    png: str = helped("URL of this as a picture.")
    csv: str = helped("URL of this as a table.")


@dataclass(frozen=True, slots=True)
class RankRow:
    """One channel of the ranking."""

    channel: int = helped("Its number.")
    set: str = helped("What selecting it changes in the URL.")
    url: str = helped("The page with it.")
    cost: str = helped("What its loss costs.")
    share: float = helped("Length of its bar, 0..1.")
    helps: bool = helped("Whether the class is worth less without it.")


@dataclass(frozen=True, slots=True)
class RankPanel:
    """The channels by what their loss costs."""

    title: str = helped("Of what, in words.")
    rows: tuple[RankRow, ...] = helped("Those that cost most.")
    harmful: tuple[RankRow, ...] = helped("Those without which the class does better.")
    done: int = helped("Channels tried.")
    count: int = helped("Channels there are.")
    finished: bool = helped("Whether all were.")
    by: By = helped("What is compared.")
    bys: tuple[tuple[By, str, str], ...] = helped("What can be: value, words, URL.")
    sentence: str = helped("What was found.")
    csv: str = helped("URL of the table.")


@dataclass(frozen=True, slots=True)
class CutPanel:
    """The switches, what they did, the ranking."""

    step: str = helped("Name of the step.")
    channel: int = helped("The channel that is looked at.")
    title: str = helped("It in words.")
    spatial: bool = helped("Whether channels are maps.")
    tiles: tuple[TickTile, ...] = helped("The channels that can be ticked, strongest first.")
    count: int = helped("Channels there are.")
    sheet: str = helped("URL of the sheet of all channels shown.")
    size: tuple[int, int] = helped("Its width and height, pixels.")
    legend: Legend = helped("How to read the maps.")
    only: bool = helped("Whether the ticked ones alone are on.")
    all: bool = helped("Whether all are off.")
    ticked: bool = helped("Whether channels are named one by one.")
    quick: tuple[tuple[str, str, bool], ...] = helped("Words, URL, whether it is so now.")
    fields: dict[str, Any] = helped("The unit as fields of a form.")
    hidden: str = helped("Channels ticked that are not shown, with commas.")
    result: CutResult = helped("What switching off did.")
    ranks: bool = helped("Whether there is a class to rank for.")
    rank_url: str = helped("Where the ranking is.")
    rank_label: str = helped("The class it is for.")
    at_once: bool = helped("Whether the ranking comes without being asked for.")
