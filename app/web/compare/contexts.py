"""What the templates of a comparison are given."""

from __future__ import annotations

from dataclasses import dataclass

from app.pictures.samples import Sample
from app.services.pictures.store import Stored
from app.services.runs.comparison import ChannelPair
from app.web.api.schemas import Prediction
from app.web.compare.view import CompareView, Which
from app.web.parts.contexts import helped
from app.web.parts.sprites import Legend, Tile


@dataclass(frozen=True, slots=True)
class CompareChoice:
    """A choice."""

    title: str = helped("What it is called.")
    url: str = helped("The page with it.")
    current: bool = helped("Whether it is on screen.")


@dataclass(frozen=True, slots=True)
class StepGroup:
    """Steps of one stage."""

    title: str = helped("The layer that people count, or the head.")
    steps: tuple[CompareChoice, ...] = helped("Its steps.")


@dataclass(frozen=True, slots=True)
class CompareSide:
    """One of the two sides: what it is, what the network says, what else it could be."""

    which: Which = helped("Here, or there.")
    name: str = helped("How the page calls it.")
    image: str = helped("Id of the picture.")
    title: str = helped("What the picture is called.")
    network: str = helped("What the network is called.")
    random: bool = helped("Whether its weights are random.")
    step: str = helped("The step, empty where the network has none like it.")
    unit: str = helped("Its channel, empty where the network has no such step.")
    url: str = helped("The explorer with it.")
    predictions: tuple[Prediction, ...] = helped("What the network says, likeliest first.")
    networks: tuple[CompareChoice, ...] = helped("Networks to choose from.")
    steps: tuple[StepGroup, ...] = helped("Steps to choose from.")
    maps: tuple[Tile, ...] = helped("Its strongest channels to choose from.")
    sheet: str = helped("URL of the sheet with those.")
    sheet_size: tuple[int, int] = helped("Width and height of that sheet, pixels.")
    channel: int | None = helped("The channel that is looked at.")
    channels: int = helped("How many there are.")
    spatial: bool = helped("Whether channels are maps.")
    open: bool = helped("Whether its pictures are offered at once.")
    field: str = helped("What its channel is called in the URL.")
    others: tuple[tuple[str, str], ...] = helped("Everything else in the URL, for a form.")


@dataclass(frozen=True, slots=True)
class MapOfPair:
    """A map of the pair that is looked at."""

    title: str = helped("What it is.")
    url: str = helped("Its picture, empty for a number.")
    size: tuple[int, int] = helped("Columns and rows.")
    words: str = helped("Its figures.")


@dataclass(frozen=True, slots=True)
class RankedPair:
    """A pair of channels in the ranking."""

    row: ChannelPair = helped("The pair and its figures.")
    here: str = helped("What the channel here is called.")
    there: str = helped("What the channel there is called.")
    url: str = helped("The page with this pair.")
    current: bool = helped("Whether it is looked at.")
    boxes: tuple[str, ...] = helped("Its part of each sheet, as SVG viewBoxes.")
    bar: float = helped("Length of its bar, 0..100.")
    told: str = helped("What the bar shows, as a number.")
    colour: str = helped("Warm or cool.")


@dataclass(frozen=True, slots=True)
class PairRanking:
    """The channels that differ most."""

    title: str = helped("What is ranked.")
    sentence: str = helped("How, and how to read the bars.")
    orders: tuple[CompareChoice, ...] = helped(
        "What can be ranked by; empty where only the rank is."
    )
    rows: tuple[RankedPair, ...] = helped("The first ones.")
    total: int = helped("How many pairs there are.")
    sheets: tuple[str, ...] = helped("URLs of the sheets: here, there and the difference.")
    sizes: tuple[tuple[int, int], ...] = helped("Their widths and heights, pixels.")
    heads: tuple[str, ...] = helped("What each column of maps shows.")


@dataclass(frozen=True, slots=True)
class Compared:
    """The whole page."""

    view: CompareView = helped("What the URL says.")
    sides: tuple[CompareSide, ...] = helped("This one and the other.")
    problem: str = helped("Why nothing can be compared, empty where it can.")
    sentence: str = helped("Which channels belong together, and why.")
    invitation: str = helped("What to choose first, empty where something is chosen.")
    shown: tuple[MapOfPair, ...] = helped("Here, there and the difference.")
    apart: str = helped("How far the two maps are apart, or why that cannot be said.")
    legend: Legend | None = helped("How to read the colours of all three.")
    ranking: PairRanking | None = helped("The channels that differ most.")
    samples: tuple[Sample, ...] = helped("Built-in pictures.")
    recent: tuple[Stored, ...] = helped("Uploads of this browser.")
    swap: str = helped("The page with the sides exchanged.")
    previous: str = helped("The pair before in the ranking, empty at the first.")
    next: str = helped("The pair after it, empty at the last.")
    png: str = helped("URL of the pair as a picture.")
    csv: str = helped("URL of all pairs as a table.")
    expires: str = helped("How long a link to this page holds.")
