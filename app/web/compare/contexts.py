"""Template contexts of the comparison page."""

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
    """One option of a choice."""

    title: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class StepGroup:
    """Steps of one stage."""

    title: str  # the layer as usually counted, or the head
    steps: tuple[CompareChoice, ...]


@dataclass(frozen=True, slots=True)
class CompareSide:
    """One of the two sides: what it is, its predictions, its alternatives."""

    which: Which
    name: str  # of the side on the page
    image: str  # its id
    title: str  # of the picture
    network: str  # its title
    random: bool  # whether its weights are random
    step: str  # "" if the network has none like it
    unit: str  # "" if the network has no such step
    url: str  # the explorer with it
    predictions: tuple[Prediction, ...]  # likeliest first
    networks: tuple[CompareChoice, ...]
    steps: tuple[StepGroup, ...]
    maps: tuple[Tile, ...]  # the strongest channels to choose from
    sheet: str  # URL of the sheet with those
    sheet_size: tuple[int, int]  # width and height, pixels
    channel: int | None
    channels: int
    spatial: bool  # whether channels are maps
    open: bool  # whether its pictures are offered without a click
    field: str  # the URL parameter of its channel
    others: tuple[tuple[str, str], ...]  # all other URL parameters, for a form


@dataclass(frozen=True, slots=True)
class MapOfPair:
    """A map of the selected pair."""

    title: str
    url: str  # of its picture; "" for a number
    size: tuple[int, int]  # columns and rows
    words: str  # its statistics


@dataclass(frozen=True, slots=True)
class RankedPair:
    """A pair of channels in the ranking."""

    row: ChannelPair
    here: str  # name of the channel
    there: str  # name of the channel
    url: str  # the page with this pair
    current: bool
    boxes: tuple[str, ...]  # its part of each sheet, as SVG viewBoxes
    bar: float  # 0..100
    told: str  # the value of the bar
    colour: str  # warm or cool


@dataclass(frozen=True, slots=True)
class PairRanking:
    """The channels with the largest difference."""

    title: str  # the ranked value
    sentence: str  # how they are ranked, and how to read the bars
    orders: tuple[CompareChoice, ...]  # empty if only the rank is possible
    rows: tuple[RankedPair, ...]  # the first ones
    total: int  # of pairs
    sheets: tuple[str, ...]  # URLs: this side, other side, difference
    sizes: tuple[tuple[int, int], ...]  # of the sheets: width and height, pixels
    heads: tuple[str, ...]  # of the map columns


@dataclass(frozen=True, slots=True)
class Compared:
    """The whole page."""

    view: CompareView = helped("The view that the URL describes.")
    sides: tuple[CompareSide, ...] = helped("This side and the other.")
    problem: str = helped("Why nothing can be compared, empty if it can.")
    sentence: str = helped("Which channels are compared, and why.")
    invitation: str = helped("What to choose first, empty if something is chosen.")
    shown: tuple[MapOfPair, ...] = helped(
        "The maps of this side, the other side and the difference."
    )
    apart: str = helped("The distance of the two maps, or why it is not defined.")
    legend: Legend | None = helped("The legend of all three.")
    ranking: PairRanking | None = helped("The channels with the largest difference.")
    samples: tuple[Sample, ...] = helped("Built-in pictures.")
    recent: tuple[Stored, ...] = helped("Uploads of this browser.")
    swap: str = helped("The page with the sides exchanged.")
    previous: str = helped("The pair before in the ranking, empty at the first.")
    next: str = helped("The pair after it, empty at the last.")
    png: str = helped("URL of the pair as a picture.")
    csv: str = helped("URL of all pairs as a table.")
    expires: str = helped("How long a link to this page stays valid.")
