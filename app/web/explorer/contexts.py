"""Template contexts of the explorer: one dataclass a template."""

from __future__ import annotations

from dataclasses import dataclass

from app.pictures.samples import Sample
from app.services.networks.catalogue import Model
from app.services.networks.weight_files import RefusedFile
from app.services.pictures.store import Stored
from app.services.runs.sheets import Scale
from app.vision.geometry import Box
from app.web.api.schemas import Prediction
from app.web.core.links import View
from app.web.explorer.arithmetic.contexts import ArithmeticPane
from app.web.explorer.kept_unit import KeptUnit
from app.web.explorer.kernel_wall import KernelWall, WallSwitch
from app.web.explorer.zoom_tabs import Tab
from app.web.panels.panel import PanelLink
from app.web.panels.slices import Slices
from app.web.panels.synthesis.pictures import ResponseSummary
from app.web.parts.contexts import helped
from app.web.parts.photo import PhotoOverlay
from app.web.parts.sprites import Legend, Tile
from app.web.parts.step_words import Words
from app.web.parts.terms import Term
from models.graph import Step


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a table of statistics."""

    name: str
    value: str  # with its unit
    note: str = ""  # what it means, for a tooltip


@dataclass(frozen=True, slots=True)
class StepPane:
    """Evidence for a step."""

    view: View = helped("What is on screen.")
    model: Model = helped("The network.")
    step: Step = helped("The step.")
    stage: Words = helped("What its stage does, in words.")
    kind: Words = helped("What the step computes, in words.")
    facts: tuple[Fact, ...] = helped("Its statistics.")
    tiles: tuple[Tile, ...] = helped("All its channels, strongest first.")
    sheet: str = helped("URL of the sheet of all channels.")
    sheet_width: int = helped("Its width, pixels.")
    sheet_height: int = helped("Its height, pixels.")
    legend: Legend = helped("How to read the colours.")
    wall: KernelWall | None = helped("Its colour kernels, if it reads the picture.")
    csv: str = helped("URL of the table of channels.")
    png: str = helped("URL of the sheet, for download.")
    panels: tuple[PanelLink, ...] = helped("Panels that can be unfolded.", ())
    pictures: PanelLink | None = helped(
        "The synthesised pictures of all its channels, if any.", None
    )


@dataclass(frozen=True, slots=True)
class UnitPane:
    """Evidence for one channel of a step."""

    view: View = helped("What is on screen.")
    model: Model = helped("The network.")
    step: Step = helped("The step.")
    channel: int = helped("The channel.")
    label: str = helped("The class it stands for, empty if none.")
    kind: Words = helped("What the step computes, in words.")
    rank: int = helped("Its rank by peak, 1 the strongest.")
    count: int = helped("Number of channels.")
    facts: tuple[Fact, ...] = helped("Its statistics.")
    previous: str = helped("The page with the next stronger channel, empty at the first.")
    next: str = helped("The page with the next weaker channel, empty at the last.")
    spatial: bool = helped("Whether it is a map.")
    map: str = helped("URL of its map.")
    values: str = helped("URL of its values, .npy.")
    shape: tuple[int, int] = helped("Rows and columns.")
    axes: str = helped("Places of cells, as JSON: [start, jump, size, last] of columns, rows.")
    frame: tuple[float, float, float, float] = helped("Place of the map on the input: x, y, w, h.")
    cell: tuple[int, int] = helped("Row and column of the pinned cell.")
    value: float = helped("Its value.")
    box: Box = helped("Its receptive field, input pixels.")
    photo: PhotoOverlay = helped("The photo under the map.")
    tabs: tuple[Tab, ...] = helped("The zoom levels.")
    kernel: str = helped("URL of its kernel, empty if it has none.")
    kernel_box: str = helped("The kernel's part of that sheet, as an SVG viewBox.")
    kernel_size: tuple[int, int] = helped("Width and height of that sheet, pixels.")
    kernel_words: str = helped("What the picture of the kernel shows.")
    slices: Slices | None = helped("Its kernel slice by slice, if it reads maps.")
    keep: str = helped("The unit as a link keeps it; empty if it is kept already.")
    terms: tuple[Term, ...] = helped("The largest summands.")
    rest: float = helped("Sum of the other summands.")
    rest_count: int = helped("Number of the others.")
    bias: float = helped("The bias.")
    legend: Legend = helped("How to read the colours.")
    panels: tuple[PanelLink, ...] = helped("Panels that can be unfolded.")
    csv: str = helped("URL of its values as a table.")
    png: str = helped("URL of its map, for download.")
    responds: ResponseSummary | None = helped(
        "What it responds to, if that is known at once.", None
    )


@dataclass(frozen=True, slots=True)
class ClassBar:
    """One class and its bar."""

    prediction: Prediction
    url: str


@dataclass(frozen=True, slots=True)
class Card:
    """A step in the river; without `sheet` it is still waiting."""

    step: Step
    shape: tuple[int, ...]
    url: str
    placeholders: int  # how many maps it will show
    filters: str = ""  # URL of its colour kernels; "" if it has none
    filters_size: tuple[int, int] = (0, 0)  # width and height of that sheet, pixels
    filter_boxes: tuple[str, ...] = ()  # the kernels' parts of it, one for each tile
    image: str = ""  # id of the picture it was computed from; "" while it waits
    sheet: str = ""  # URL of the strongest maps
    sheet_width: int = 0  # pixels
    sheet_height: int = 0  # pixels
    tiles: tuple[Tile, ...] = ()
    classes: tuple[ClassBar, ...] = ()  # the likeliest, on the last card only
    milliseconds: float = 0.0
    batch: int = 1  # how many pictures were computed together
    legend: Legend | None = None
    links: str = "[]"  # lines to the step before, as JSON [source, target, share]
    source: str = ""  # the step those lines start from
    lazy: bool = False  # whether its sheet is loaded only when it scrolls into view
    usual: str = ""  # how typical the picture is, on the last card only


@dataclass(frozen=True, slots=True)
class Stage:
    """A collapsible part of the river."""

    number: int | None  # 1-5; None for the head
    words: Words
    maps: str  # number of its maps or numbers, in words
    cards: tuple[Card, ...]
    last: Card | None = None  # if only that is shown when the stage is folded
    open: bool = True  # whether it is unfolded at first


@dataclass(frozen=True, slots=True)
class River:
    """The centre pane: the steps of the network."""

    view: View
    model: Model
    stages: tuple[Stage, ...]  # five, and the head
    verdict: Card | None  # the last step with the classes; None without a classifier
    live: bool  # whether an event stream brings the cards
    scale: str  # of the colours, in words
    side: int  # pixels of a map here; larger ones are averaged down
    big: bool  # whether there are too many steps for one screen: then stages are folded


@dataclass(frozen=True, slots=True)
class PicturePane:
    """The left pane: the photo and its preprocessing."""

    view: View
    model: Model
    title: str
    width: int  # pixels
    height: int  # pixels
    preview: str  # URL of a small copy
    input: str  # URL of the network's input, pixel for pixel
    crop: tuple[float, float, float, float]  # x, y, width, height
    place: str  # of the input on the photo, as an SVG transform
    sentence: str  # what preprocessing did
    notes: tuple[str, ...]  # what decoding did
    credit: str  # author of a sample
    stranger: str  # a sentence if the network never learned the subject
    expires: str  # when an upload is deleted, in words
    trained: str  # the page with the trained network; "" if this one is trained


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures to choose from."""

    view: View
    samples: tuple[Sample, ...]
    recent: tuple[Stored, ...]  # uploads of this browser
    hours: float  # after which uploads are deleted
    megabytes: int  # largest upload
    shared: bool = False  # whether crops of uploads are shown to other users


@dataclass(frozen=True, slots=True)
class NetworkChoice:
    """One network to choose."""

    model: Model
    url: str  # the page with it, the same picture and the same stage
    set: str  # what the link changes in the page's URL
    shown: bool
    here: bool  # whether its weights are available
    memory: str  # a warning if it may not fit into memory, else ""
    switch: tuple[WallSwitch, ...]  # trained or random weights; only for the network on screen
    random: str  # the page with random weights, if the trained ones are missing
    random_set: str  # what that link changes in the page's URL
    download: DownloadView | None  # if its weights are missing


@dataclass(frozen=True, slots=True)
class DownloadView:
    """The download of a network's weights, and its progress."""

    id: str  # of the network
    title: str
    megabytes: str
    command: str  # to download them, if the page may not
    allowed: bool  # whether this browser may download: the operator's alone
    state: str  # none, running, done, failed or cancelled
    percent: float = 0.0  # 0..100
    words: str = ""  # its progress
    problem: str = ""  # why it failed; "" if it did not


@dataclass(frozen=True, slots=True)
class ExplorerPage:
    """The whole page."""

    view: View = helped("What is on screen.")
    choices: tuple[NetworkChoice, ...] = helped("The networks to choose from.")
    refused: tuple[RefusedFile, ...] = helped("The user's weight files that fit no network.")
    model: Model = helped("The selected network.")
    device: str = helped("Name of the compute device.")
    picture: PicturePane = helped("The left pane.")
    gallery: Gallery = helped("Pictures to choose from.")
    river: River = helped("The centre pane.")
    evidence: StepPane | UnitPane | ArithmeticPane | None = helped(
        "The right pane, if anything is selected."
    )
    scales: tuple[Scale, ...] = helped("Scales to choose from.")
    stages: dict[int | None, Words] = helped("Words for layers 1-5 and the head.")
    link_expires: str = helped("How long a link to this view holds, in words.")
    kept: KeptUnit | None = helped("A unit that stays next to the selected one.")
    regallery: bool = helped("Whether the gallery has changed.", False)
