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

    title: str = helped("Its title.")
    url: str = helped("The page with it.")
    current: bool = helped("Whether it is on screen.")


@dataclass(frozen=True, slots=True)
class StepGroup:
    """Steps of one stage."""

    title: str = helped("The layer as usually counted, or the head.")
    steps: tuple[CompareChoice, ...] = helped("Its steps.")


@dataclass(frozen=True, slots=True)
class CompareSide:
    """One of the two sides: what it is, its predictions, its alternatives."""

    which: Which = helped("Here, or there.")
    name: str = helped("Name of the side on the page.")
    image: str = helped("Id of the picture.")
    title: str = helped("Title of the picture.")
    network: str = helped("Title of the network.")
    random: bool = helped("Whether its weights are random.")
    step: str = helped("The step, empty if the network has none like it.")
    unit: str = helped("Its channel, empty if the network has no such step.")
    url: str = helped("The explorer with it.")
    predictions: tuple[Prediction, ...] = helped("The network's predictions, likeliest first.")
    networks: tuple[CompareChoice, ...] = helped("Networks to choose from.")
    steps: tuple[StepGroup, ...] = helped("Steps to choose from.")
    maps: tuple[Tile, ...] = helped("Its strongest channels to choose from.")
    sheet: str = helped("URL of the sheet with those.")
    sheet_size: tuple[int, int] = helped("Width and height of that sheet, pixels.")
    channel: int | None = helped("The selected channel.")
    channels: int = helped("Number of channels.")
    spatial: bool = helped("Whether channels are maps.")
    open: bool = helped("Whether its pictures are offered without a click.")
    field: str = helped("The URL parameter of its channel.")
    others: tuple[tuple[str, str], ...] = helped("All other URL parameters, for a form.")


@dataclass(frozen=True, slots=True)
class MapOfPair:
    """A map of the selected pair."""

    title: str = helped("Its title.")
    url: str = helped("Its picture, empty for a number.")
    size: tuple[int, int] = helped("Columns and rows.")
    words: str = helped("Its statistics.")


@dataclass(frozen=True, slots=True)
class RankedPair:
    """A pair of channels in the ranking."""

    row: ChannelPair = helped("The pair and its statistics.")
    here: str = helped("Name of the channel on this side.")
    there: str = helped("Name of the channel on the other side.")
    url: str = helped("The page with this pair.")
    current: bool = helped("Whether it is selected.")
    boxes: tuple[str, ...] = helped("Its part of each sheet, as SVG viewBoxes.")
    bar: float = helped("Length of its bar, 0..100.")
    told: str = helped("The value of the bar, as text.")
    colour: str = helped("Warm or cool.")


@dataclass(frozen=True, slots=True)
class PairRanking:
    """The channels with the largest difference."""

    title: str = helped("The ranked value.")
    sentence: str = helped("How they are ranked, and how to read the bars.")
    orders: tuple[CompareChoice, ...] = helped(
        "Values to rank by; empty if only the rank is possible."
    )
    rows: tuple[RankedPair, ...] = helped("The first ones.")
    total: int = helped("Number of pairs.")
    sheets: tuple[str, ...] = helped("URLs of the sheets: this side, other side, difference.")
    sizes: tuple[tuple[int, int], ...] = helped("Their widths and heights, pixels.")
    heads: tuple[str, ...] = helped("Headings of the map columns.")


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
