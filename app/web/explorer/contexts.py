"""Template contexts of the explorer: one dataclass a template, one help text a field."""

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

    name: str = helped("Name of the figure.")
    value: str = helped("Its value with its unit.")
    note: str = helped("What it means, for a tooltip.", "")


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
    axes: str = helped("Positions of cells, as JSON: [start, jump, size] of columns, then rows.")
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

    prediction: Prediction = helped("Label, logit, probability.")
    url: str = helped("The page with this class selected.")


@dataclass(frozen=True, slots=True)
class Card:
    """A step in the river; without `sheet` it is still waiting."""

    step: Step = helped("The step.")
    shape: tuple[int, ...] = helped("Shape of its output.")
    url: str = helped("The page with this step selected.")
    placeholders: int = helped("How many maps it will show.")
    filters: str = helped("URL of its colour kernels, empty if it has none.", "")
    filters_size: tuple[int, int] = helped("Width and height of that sheet, pixels.", (0, 0))
    filter_boxes: tuple[str, ...] = helped("The kernels' parts of it, one for each tile.", ())
    image: str = helped("Id of the picture it was computed from, empty while it waits.", "")
    sheet: str = helped("URL of the sheet with the strongest maps.", "")
    sheet_width: int = helped("Width of the sheet, pixels.", 0)
    sheet_height: int = helped("Height of the sheet, pixels.", 0)
    tiles: tuple[Tile, ...] = helped("The strongest maps.", ())
    classes: tuple[ClassBar, ...] = helped("The likeliest classes, on the last card only.", ())
    milliseconds: float = helped("Time of the step.", 0.0)
    batch: int = helped("How many pictures were computed together.", 1)
    legend: Legend | None = helped("How to read the colours.", None)
    links: str = helped("Lines to the step before, as JSON [source, target, share].", "[]")
    source: str = helped("The step those lines start from.", "")
    lazy: bool = helped("Whether its sheet is loaded only when it scrolls into view.", False)
    usual: str = helped("How typical the picture is, in words, on the last card only.", "")


@dataclass(frozen=True, slots=True)
class Stage:
    """A collapsible part of the river."""

    number: int | None = helped("1-5; None for the head.")
    words: Words = helped("What it does, in words.")
    maps: str = helped("Number of its maps or numbers, in words.")
    cards: tuple[Card, ...] = helped("Its steps.")
    last: Card | None = helped(
        "Its last step, if only that is shown when the stage is folded.", None
    )
    open: bool = helped("Whether it is unfolded at first.", True)


@dataclass(frozen=True, slots=True)
class River:
    """The centre pane: the steps of the network."""

    view: View = helped("What is on screen.")
    model: Model = helped("The network.")
    stages: tuple[Stage, ...] = helped("Its five stages and the head.")
    verdict: Card | None = helped("The last step with the classes; None without a classifier.")
    live: bool = helped("Whether an event stream brings the cards.")
    scale: str = helped("The scale of the colours, in words.")
    side: int = helped("Pixels of a map here; larger ones are averaged down.")
    big: bool = helped("Whether there are too many steps for one screen: then stages are folded.")


@dataclass(frozen=True, slots=True)
class PicturePane:
    """The left pane: the photo and its preprocessing."""

    view: View = helped("What is on screen.")
    model: Model = helped("The network.")
    title: str = helped("What the picture is called.")
    width: int = helped("Width of the picture, pixels.")
    height: int = helped("Height of the picture, pixels.")
    preview: str = helped("URL of a small copy.")
    input: str = helped("URL of the network's input, pixel for pixel.")
    crop: tuple[float, float, float, float] = helped("The crop: x, y, width, height.")
    place: str = helped("Place of the input on the photo, as an SVG transform.")
    sentence: str = helped("What preprocessing did.")
    notes: tuple[str, ...] = helped("What decoding did.")
    credit: str = helped("Author of a sample.")
    stranger: str = helped("A sentence if the network never learned the subject.")
    expires: str = helped("When an upload is deleted, in words.")
    trained: str = helped("The page with the trained network, empty if this one is trained.")


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures to choose from."""

    view: View = helped("What is on screen.")
    samples: tuple[Sample, ...] = helped("Built-in pictures.")
    recent: tuple[Stored, ...] = helped("Uploads of this browser.")
    hours: float = helped("After how many hours uploads are deleted.")
    megabytes: int = helped("Largest upload.")
    shared: bool = helped("Whether crops of uploads are shown to other users.", False)


@dataclass(frozen=True, slots=True)
class NetworkChoice:
    """One network to choose."""

    model: Model = helped("The network.")
    url: str = helped("The page with it, the same picture and the same stage.")
    set: str = helped("What the link changes in the page's URL.")
    shown: bool = helped("Whether it is on screen.")
    here: bool = helped("Whether its weights are available.")
    memory: str = helped("A warning if it may not fit into memory, else empty.")
    switch: tuple[WallSwitch, ...] = helped(
        "Trained or random weights; only for the network on screen."
    )
    random: str = helped("The page with random weights, if the trained ones are missing.")
    random_set: str = helped("What that link changes in the page's URL.")
    download: DownloadView | None = helped("State of its download, if its weights are missing.")


@dataclass(frozen=True, slots=True)
class DownloadView:
    """The download of a network's weights, and its progress."""

    id: str = helped("The network.")
    title: str = helped("What it is called.")
    megabytes: str = helped("Size of the file.")
    command: str = helped("The command to download them, if the page may not.")
    allowed: bool = helped("Whether the page may download: only when served to this machine.")
    state: str = helped("none, running, done, failed or cancelled.")
    percent: float = helped("Downloaded share, 0..100.", 0.0)
    words: str = helped("Its progress, in words.", "")
    problem: str = helped("Why it failed, empty if it did not.", "")


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
