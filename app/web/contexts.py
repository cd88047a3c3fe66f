"""What each template is given: one dataclass a template, one help text a field."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from app.pictures.palettes import PaletteName
from app.pictures.samples import Sample
from app.services.catalogue import Model
from app.services.pictures import Stored
from app.services.sheets import Scale
from app.services.shelf import Refused
from app.vision.geometry import Box
from app.web.api.schemas import Prediction
from app.web.links import View
from app.web.words import Words
from models.graph import Step


def _help(text: str, default: Any = MISSING) -> Any:
    return field(default=default, metadata={"help": text})


def as_dict(context: Any) -> dict[str, Any]:
    """A context as Jinja takes it, without copying what is inside."""
    return {spec.name: getattr(context, spec.name) for spec in fields(context)}


@dataclass(frozen=True, slots=True)
class Tile:
    """One map on a card."""

    channel: int = _help("Number of the channel.")
    title: str = _help("What it is, for tooltips and screen readers.")
    url: str = _help("The page with this map selected.")
    box: str = _help("Its part of the sheet, as an SVG viewBox.")


@dataclass(frozen=True, slots=True)
class ClassBar:
    """One class with its bar."""

    prediction: Prediction = _help("Label, logit, probability.")
    url: str = _help("The page with this class selected.")


@dataclass(frozen=True, slots=True)
class Legend:
    """How colours are to be read."""

    palette: PaletteName = _help("Name of the palette.")
    low: str = _help("What the left end stands for.")
    high: str = _help("What the right end stands for.")
    sentence: str = _help("The scale in words.")


@dataclass(frozen=True, slots=True)
class Card:
    """A step in the river; without `sheet` it still waits."""

    step: Step = _help("The step.")
    shape: tuple[int, ...] = _help("Shape of its output.")
    url: str = _help("The page with this step selected.")
    placeholders: int = _help("How many maps will come.")
    filters: str = _help("URL of its colour kernels, empty where it has none.", "")
    filters_size: tuple[int, int] = _help("Width and height of that sheet, pixels.", (0, 0))
    filter_boxes: tuple[str, ...] = _help("The kernels' parts of it, one for each tile.", ())
    image: str = _help("The picture it was computed from, empty while it waits.", "")
    sheet: str = _help("URL of the sheet with the strongest maps.", "")
    sheet_width: int = _help("Width of the sheet, pixels.", 0)
    sheet_height: int = _help("Height of the sheet, pixels.", 0)
    tiles: tuple[Tile, ...] = _help("The strongest maps.", ())
    classes: tuple[ClassBar, ...] = _help("The likeliest classes, on the last card only.", ())
    milliseconds: float = _help("What the step took.", 0.0)
    batch: int = _help("How many pictures were computed together.", 1)
    legend: Legend | None = _help("How to read the colours.", None)
    links: str = _help("Lines to the step before, as JSON [source, target, share].", "[]")
    source: str = _help("The step those lines start from.", "")
    lazy: bool = _help("Whether its sheet is fetched only when it comes into view.", False)


@dataclass(frozen=True, slots=True)
class Stage:
    """A collapsible part of the river."""

    number: int | None = _help("1-5; None for the head.")
    words: Words = _help("What it is about.")
    maps: str = _help("How many maps or numbers it has.")
    cards: tuple[Card, ...] = _help("Its steps.")
    last: Card | None = _help("Its last step, where it alone stays when the stage is folded.", None)
    open: bool = _help("Whether it is unfolded at first.", True)


@dataclass(frozen=True, slots=True)
class River:
    """The centre pane."""

    view: View = _help("What is on screen.")
    model: Model = _help("The network.")
    stages: tuple[Stage, ...] = _help("Its five stages and the head.")
    verdict: Card | None = _help("The last step, the classes; None where there is no classifier.")
    live: bool = _help("Whether a stream brings the cards.")
    scale: str = _help("The scale of the colours, in words.")
    side: int = _help("Pixels of a map here; larger ones are averaged down.")
    big: bool = _help("Whether there are too many steps for one screen: stages are folded.")


@dataclass(frozen=True, slots=True)
class PicturePane:
    """The left pane: the photo, what became of it, the winner."""

    view: View = _help("What is on screen.")
    model: Model = _help("The network.")
    title: str = _help("What the picture is called.")
    width: int = _help("Width of the picture, pixels.")
    height: int = _help("Height of the picture, pixels.")
    preview: str = _help("URL of a small copy.")
    input: str = _help("URL of the network's input, pixel for pixel.")
    crop: tuple[float, float, float, float] = _help("What was kept: x, y, width, height.")
    place: str = _help("Where the input lies on the photo, as an SVG transform.")
    sentence: str = _help("What preprocessing did.")
    notes: tuple[str, ...] = _help("What decoding did.")
    credit: str = _help("Who made a sample.")
    stranger: str = _help("A sentence where the network never learned the subject.")
    expires: str = _help("When an upload is deleted, in words.")
    mine: bool = _help("Whether this browser may delete it.")


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures to choose from."""

    view: View = _help("What is on screen.")
    samples: tuple[Sample, ...] = _help("Built-in pictures.")
    recent: tuple[Stored, ...] = _help("Uploads of this browser.")
    hours: float = _help("After how many hours uploads are deleted.")
    megabytes: int = _help("Largest upload.")


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a table of figures."""

    name: str = _help("What is told.")
    value: str = _help("Its value with its unit.")
    note: str = _help("What it means, for a tooltip.", "")


@dataclass(frozen=True, slots=True)
class StepPane:
    """Evidence for a step."""

    view: View = _help("What is on screen.")
    model: Model = _help("The network.")
    step: Step = _help("The step.")
    stage: Words = _help("About its stage.")
    kind: Words = _help("About what it computes.")
    facts: tuple[Fact, ...] = _help("Its figures.")
    tiles: tuple[Tile, ...] = _help("All its channels, strongest first.")
    sheet: str = _help("URL of the sheet of all channels.")
    sheet_width: int = _help("Its width, pixels.")
    sheet_height: int = _help("Its height, pixels.")
    legend: Legend = _help("How to read the colours.")
    filters: str = _help("URL of its colour kernels, empty where it has none.")
    filter_tiles: tuple[Tile, ...] = _help("Its colour kernels.")
    filters_size: tuple[int, int] = _help("Width and height of that sheet, pixels.")
    csv: str = _help("URL of the table of channels.")
    png: str = _help("URL of the sheet, to be saved.")


@dataclass(frozen=True, slots=True)
class Term:
    """One summand of a cell."""

    channel: int = _help("The input map it comes from.")
    value: float = _help("What it adds.")
    share: float = _help("Its part of all magnitudes, 0..1.")
    url: str = _help("The page with that map selected, empty for the picture's colours.")
    name: str = _help("What the input map is called.")


@dataclass(frozen=True, slots=True)
class PanelLink:
    """A panel that is folded until it is asked for."""

    title: str = _help("What it shows.")
    url: str = _help("Where its inside comes from.")


@dataclass(frozen=True, slots=True)
class NumbersPanel:
    """The raw values around a cell."""

    cell: tuple[int, int] = _help("Row and column of the cell.")
    columns: tuple[int, ...] = _help("The columns that are shown.")
    rows: tuple[tuple[int, list[float]], ...] = _help("Each row that is shown, with its values.")


@dataclass(frozen=True, slots=True)
class UnitPane:
    """Evidence for one channel of a step."""

    view: View = _help("What is on screen.")
    model: Model = _help("The network.")
    step: Step = _help("The step.")
    channel: int = _help("The channel.")
    label: str = _help("The class it stands for, if any.")
    kind: Words = _help("About what the step computes.")
    rank: int = _help("Its place by peak, 1 the strongest.")
    count: int = _help("How many channels there are.")
    facts: tuple[Fact, ...] = _help("Its figures.")
    previous: str = _help("The page with the next stronger channel, empty at the first.")
    next: str = _help("The page with the next weaker channel, empty at the last.")
    spatial: bool = _help("Whether it is a map.")
    map: str = _help("URL of its map.")
    values: str = _help("URL of its values, .npy.")
    shape: tuple[int, int] = _help("Rows and columns.")
    axes: str = _help("Where cells lie, as JSON: [start, jump, size] of columns, then rows.")
    frame: tuple[float, float, float, float] = _help("Where the map lies on the input: x, y, w, h.")
    cell: tuple[int, int] = _help("Row and column of the pinned cell.")
    value: float = _help("Its value.")
    box: Box = _help("The input pixels it sees.")
    place: str = _help("Where the input lies on the photo, as an SVG transform.")
    crop: str = _help("The part of the photo that is used, as an SVG viewBox.")
    photo: tuple[int, int] = _help("Width and height of the photo, pixels.")
    preview: str = _help("URL of a copy of the photo.")
    kernel: str = _help("URL of its kernel, empty where it has none.")
    kernel_box: str = _help("The kernel's part of that sheet, as an SVG viewBox.")
    kernel_size: tuple[int, int] = _help("Width and height of that sheet, pixels.")
    kernel_words: str = _help("What the picture of the kernel shows.")
    terms: tuple[Term, ...] = _help("The weightiest summands.")
    rest: float = _help("The other summands together.")
    rest_count: int = _help("How many others there are.")
    bias: float = _help("The bias.")
    legend: Legend = _help("How to read the colours.")
    panels: tuple[PanelLink, ...] = _help("What more can be looked at.")
    csv: str = _help("URL of its values as a table.")
    png: str = _help("URL of its map, to be saved.")


@dataclass(frozen=True, slots=True)
class Choice:
    """One network to choose."""

    model: Model = _help("The network.")
    url: str = _help("The page with it, the same picture and the same stage.")
    set: str = _help("What that changes in the URL.")
    shown: bool = _help("Whether it is on screen.")
    here: bool = _help("Whether its weights are on this computer.")
    memory: str = _help("A sentence where it may not fit into memory, else empty.")
    download: Download | None = _help("How its download stands, where it is not here.")


@dataclass(frozen=True, slots=True)
class Download:
    """How to get a network's weights, and how far that is."""

    id: str = _help("The network.")
    title: str = _help("What it is called.")
    megabytes: str = _help("Size of the file.")
    command: str = _help("What to type where the page may not download.")
    allowed: bool = _help("Whether the page may: on this machine only.")
    state: str = _help("none, running, done, failed or cancelled.")
    percent: float = _help("Share that has come, 0..100.", 0.0)
    words: str = _help("How far it is, in words.", "")
    problem: str = _help("Why it failed, empty where it did not.", "")


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page."""

    view: View = _help("What is on screen.")
    choices: tuple[Choice, ...] = _help("The networks to choose from.")
    refused: tuple[Refused, ...] = _help("Files of one's own that fit no network.")
    model: Model = _help("The chosen one.")
    device: str = _help("Where it runs.")
    picture: PicturePane = _help("The left pane.")
    gallery: Gallery = _help("Pictures to choose from.")
    river: River = _help("The centre pane.")
    evidence: StepPane | UnitPane | None = _help("The right pane, if anything is selected.")
    scales: tuple[Scale, ...] = _help("Scales to choose from.")
    stages: dict[int | None, Words] = _help("Words for layers 1-5 and the head.")
    link_expires: str = _help("How long a link to this view holds, in words.")
    regallery: bool = _help("Whether the pictures to choose from have changed.", False)
