"""What each template is given: one dataclass a template, one help text a field."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from app.pictures.palettes import PaletteName
from app.pictures.samples import Sample
from app.services.catalogue import Model
from app.services.pictures import Stored
from app.services.sheets import Scale
from app.services.shelf import Refused
from app.web.api.schemas import Prediction
from app.web.links import View
from app.web.words import Words
from models.graph import Step

if TYPE_CHECKING:
    from app.web.panes.arithmetic.contexts import Deep
    from app.web.panes.contexts import StepPane, UnitPane
    from app.web.panes.kept import Kept
    from app.web.panes.wall import Switch


def helped(text: str, default: Any = MISSING) -> Any:
    return field(default=default, metadata={"help": text})


def as_dict(context: Any) -> dict[str, Any]:
    """A context as Jinja takes it, without copying what is inside."""
    return {spec.name: getattr(context, spec.name) for spec in fields(context)}


@dataclass(frozen=True, slots=True)
class Tile:
    """One map on a card."""

    channel: int = helped("Number of the channel.")
    title: str = helped("What it is, for tooltips and screen readers.")
    url: str = helped("The page with this map selected.")
    box: str = helped("Its part of the sheet, as an SVG viewBox.")


@dataclass(frozen=True, slots=True)
class ClassBar:
    """One class with its bar."""

    prediction: Prediction = helped("Label, logit, probability.")
    url: str = helped("The page with this class selected.")


@dataclass(frozen=True, slots=True)
class Legend:
    """How colours are to be read."""

    palette: PaletteName = helped("Name of the palette.")
    low: str = helped("What the left end stands for.")
    high: str = helped("What the right end stands for.")
    sentence: str = helped("The scale in words.")


@dataclass(frozen=True, slots=True)
class Card:
    """A step in the river; without `sheet` it still waits."""

    step: Step = helped("The step.")
    shape: tuple[int, ...] = helped("Shape of its output.")
    url: str = helped("The page with this step selected.")
    placeholders: int = helped("How many maps will come.")
    filters: str = helped("URL of its colour kernels, empty where it has none.", "")
    filters_size: tuple[int, int] = helped("Width and height of that sheet, pixels.", (0, 0))
    filter_boxes: tuple[str, ...] = helped("The kernels' parts of it, one for each tile.", ())
    image: str = helped("The picture it was computed from, empty while it waits.", "")
    sheet: str = helped("URL of the sheet with the strongest maps.", "")
    sheet_width: int = helped("Width of the sheet, pixels.", 0)
    sheet_height: int = helped("Height of the sheet, pixels.", 0)
    tiles: tuple[Tile, ...] = helped("The strongest maps.", ())
    classes: tuple[ClassBar, ...] = helped("The likeliest classes, on the last card only.", ())
    milliseconds: float = helped("What the step took.", 0.0)
    batch: int = helped("How many pictures were computed together.", 1)
    legend: Legend | None = helped("How to read the colours.", None)
    links: str = helped("Lines to the step before, as JSON [source, target, share].", "[]")
    source: str = helped("The step those lines start from.", "")
    lazy: bool = helped("Whether its sheet is fetched only when it comes into view.", False)
    usual: str = helped("How usual the picture is, in words, on the last card only.", "")


@dataclass(frozen=True, slots=True)
class Stage:
    """A collapsible part of the river."""

    number: int | None = helped("1-5; None for the head.")
    words: Words = helped("What it is about.")
    maps: str = helped("How many maps or numbers it has.")
    cards: tuple[Card, ...] = helped("Its steps.")
    last: Card | None = helped(
        "Its last step, where it alone stays when the stage is folded.", None
    )
    open: bool = helped("Whether it is unfolded at first.", True)


@dataclass(frozen=True, slots=True)
class River:
    """The centre pane."""

    view: View = helped("What is on screen.")
    model: Model = helped("The network.")
    stages: tuple[Stage, ...] = helped("Its five stages and the head.")
    verdict: Card | None = helped("The last step, the classes; None where there is no classifier.")
    live: bool = helped("Whether a stream brings the cards.")
    scale: str = helped("The scale of the colours, in words.")
    side: int = helped("Pixels of a map here; larger ones are averaged down.")
    big: bool = helped("Whether there are too many steps for one screen: stages are folded.")


@dataclass(frozen=True, slots=True)
class PicturePane:
    """The left pane: the photo, what became of it, the winner."""

    view: View = helped("What is on screen.")
    model: Model = helped("The network.")
    title: str = helped("What the picture is called.")
    width: int = helped("Width of the picture, pixels.")
    height: int = helped("Height of the picture, pixels.")
    preview: str = helped("URL of a small copy.")
    input: str = helped("URL of the network's input, pixel for pixel.")
    crop: tuple[float, float, float, float] = helped("What was kept: x, y, width, height.")
    place: str = helped("Where the input lies on the photo, as an SVG transform.")
    sentence: str = helped("What preprocessing did.")
    notes: tuple[str, ...] = helped("What decoding did.")
    credit: str = helped("Who made a sample.")
    stranger: str = helped("A sentence where the network never learned the subject.")
    expires: str = helped("When an upload is deleted, in words.")
    trained: str = helped("The page with the trained network, empty where this one is trained.")


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures to choose from."""

    view: View = helped("What is on screen.")
    samples: tuple[Sample, ...] = helped("Built-in pictures.")
    recent: tuple[Stored, ...] = helped("Uploads of this browser.")
    hours: float = helped("After how many hours uploads are deleted.")
    megabytes: int = helped("Largest upload.")
    shared: bool = helped("Whether crops of uploads are shown to others.", False)


@dataclass(frozen=True, slots=True)
class Choice:
    """One network to choose."""

    model: Model = helped("The network.")
    url: str = helped("The page with it, the same picture and the same stage.")
    set: str = helped("What that changes in the URL.")
    shown: bool = helped("Whether it is on screen.")
    here: bool = helped("Whether its weights are on this computer.")
    memory: str = helped("A sentence where it may not fit into memory, else empty.")
    switch: tuple[Switch, ...] = helped("Trained or random weights; of the one on screen only.")
    random: str = helped("The page with random weights, where its own are not here.")
    random_set: str = helped("What that changes in the URL.")
    download: Download | None = helped("How its download stands, where it is not here.")


@dataclass(frozen=True, slots=True)
class Download:
    """How to get a network's weights, and how far that is."""

    id: str = helped("The network.")
    title: str = helped("What it is called.")
    megabytes: str = helped("Size of the file.")
    command: str = helped("What to type where the page may not download.")
    allowed: bool = helped("Whether the page may: on this machine only.")
    state: str = helped("none, running, done, failed or cancelled.")
    percent: float = helped("Share that has come, 0..100.", 0.0)
    words: str = helped("How far it is, in words.", "")
    problem: str = helped("Why it failed, empty where it did not.", "")


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page."""

    view: View = helped("What is on screen.")
    choices: tuple[Choice, ...] = helped("The networks to choose from.")
    refused: tuple[Refused, ...] = helped("Files of one's own that fit no network.")
    model: Model = helped("The chosen one.")
    device: str = helped("Where it runs.")
    picture: PicturePane = helped("The left pane.")
    gallery: Gallery = helped("Pictures to choose from.")
    river: River = helped("The centre pane.")
    evidence: StepPane | UnitPane | Deep | None = helped("The right pane, if anything is selected.")
    scales: tuple[Scale, ...] = helped("Scales to choose from.")
    stages: dict[int | None, Words] = helped("Words for layers 1-5 and the head.")
    link_expires: str = helped("How long a link to this view holds, in words.")
    kept: Kept | None = helped("A unit that stays beside the selected one.")
    regallery: bool = helped("Whether the pictures to choose from have changed.", False)
