"""What each template is given: one dataclass a template, one help text a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.pictures.samples import Sample
from app.services.networks.catalogue import Model
from app.services.networks.weight_files import RefusedFile
from app.services.pictures.store import Stored
from app.services.runs.sheets import Scale
from app.vision.geometry import Box
from app.web.api.schemas import Prediction
from app.web.core.links import View
from app.web.panels.panel_link import PanelLink
from app.web.parts.contexts import helped
from app.web.parts.photo import PhotoOverlay
from app.web.parts.sprites import Legend, Tile
from app.web.parts.step_words import Words
from app.web.parts.terms import Term
from models.graph import Step

if TYPE_CHECKING:
    from app.web.explorer.arithmetic.contexts import Deep

    pass
    from app.web.explorer.kept_unit import KeptUnit
    from app.web.explorer.kernel_wall import WallSwitch

if TYPE_CHECKING:
    from app.web.explorer.kernel_wall import KernelWall
    from app.web.panels.slices import Slices
    from app.web.panels.synthesis.pictures import ResponseSummary


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a table of figures."""

    name: str = helped("What is told.")
    value: str = helped("Its value with its unit.")
    note: str = helped("What it means, for a tooltip.", "")


@dataclass(frozen=True, slots=True)
class StepPane:
    """Evidence for a step."""

    view: View = helped("What is on screen.")
    model: Model = helped("The network.")
    step: Step = helped("The step.")
    stage: Words = helped("About its stage.")
    kind: Words = helped("About what it computes.")
    facts: tuple[Fact, ...] = helped("Its figures.")
    tiles: tuple[Tile, ...] = helped("All its channels, strongest first.")
    sheet: str = helped("URL of the sheet of all channels.")
    sheet_width: int = helped("Its width, pixels.")
    sheet_height: int = helped("Its height, pixels.")
    legend: Legend = helped("How to read the colours.")
    wall: KernelWall | None = helped("Its colour kernels, where it reads the picture.")
    csv: str = helped("URL of the table of channels.")
    png: str = helped("URL of the sheet, to be saved.")
    panels: tuple[PanelLink, ...] = helped("What more can be looked at.", ())
    pictures: PanelLink | None = helped("The pictures made for all its channels, if any.", None)


@dataclass(frozen=True, slots=True)
class Tab:
    """A depth of zoom."""

    title: str = helped("What it shows.")
    url: str = helped("The page at that depth.")
    set: str = helped("What the link changes in the URL.")
    current: bool = helped("Whether it is on screen.")


@dataclass(frozen=True, slots=True)
class UnitPane:
    """Evidence for one channel of a step."""

    view: View = helped("What is on screen.")
    model: Model = helped("The network.")
    step: Step = helped("The step.")
    channel: int = helped("The channel.")
    label: str = helped("The class it stands for, if any.")
    kind: Words = helped("About what the step computes.")
    rank: int = helped("Its place by peak, 1 the strongest.")
    count: int = helped("How many channels there are.")
    facts: tuple[Fact, ...] = helped("Its figures.")
    previous: str = helped("The page with the next stronger channel, empty at the first.")
    next: str = helped("The page with the next weaker channel, empty at the last.")
    spatial: bool = helped("Whether it is a map.")
    map: str = helped("URL of its map.")
    values: str = helped("URL of its values, .npy.")
    shape: tuple[int, int] = helped("Rows and columns.")
    axes: str = helped("Where cells lie, as JSON: [start, jump, size] of columns, then rows.")
    frame: tuple[float, float, float, float] = helped(
        "Where the map lies on the input: x, y, w, h."
    )
    cell: tuple[int, int] = helped("Row and column of the pinned cell.")
    value: float = helped("Its value.")
    box: Box = helped("The input pixels it sees.")
    photo: PhotoOverlay = helped("The photo under the map.")
    tabs: tuple[Tab, ...] = helped("The depths of zoom.")
    kernel: str = helped("URL of its kernel, empty where it has none.")
    kernel_box: str = helped("The kernel's part of that sheet, as an SVG viewBox.")
    kernel_size: tuple[int, int] = helped("Width and height of that sheet, pixels.")
    kernel_words: str = helped("What the picture of the kernel shows.")
    slices: Slices | None = helped("Its kernel slice by slice, where it reads maps.")
    keep: str = helped("The unit as a link keeps it; empty where it is kept already.")
    terms: tuple[Term, ...] = helped("The weightiest summands.")
    rest: float = helped("The other summands together.")
    rest_count: int = helped("How many others there are.")
    bias: float = helped("The bias.")
    legend: Legend = helped("How to read the colours.")
    panels: tuple[PanelLink, ...] = helped("What more can be looked at.")
    csv: str = helped("URL of its values as a table.")
    png: str = helped("URL of its map, to be saved.")
    responds: ResponseSummary | None = helped(
        "What it responds to, where that is known at once.", None
    )


@dataclass(frozen=True, slots=True)
class ClassBar:
    """One class with its bar."""

    prediction: Prediction = helped("Label, logit, probability.")
    url: str = helped("The page with this class selected.")


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
class NetworkChoice:
    """One network to choose."""

    model: Model = helped("The network.")
    url: str = helped("The page with it, the same picture and the same stage.")
    set: str = helped("What that changes in the URL.")
    shown: bool = helped("Whether it is on screen.")
    here: bool = helped("Whether its weights are on this computer.")
    memory: str = helped("A sentence where it may not fit into memory, else empty.")
    switch: tuple[WallSwitch, ...] = helped("Trained or random weights; of the one on screen only.")
    random: str = helped("The page with random weights, where its own are not here.")
    random_set: str = helped("What that changes in the URL.")
    download: DownloadView | None = helped("How its download stands, where it is not here.")


@dataclass(frozen=True, slots=True)
class DownloadView:
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
class ExplorerPage:
    """The whole page."""

    view: View = helped("What is on screen.")
    choices: tuple[NetworkChoice, ...] = helped("The networks to choose from.")
    refused: tuple[RefusedFile, ...] = helped("Files of one's own that fit no network.")
    model: Model = helped("The chosen one.")
    device: str = helped("Where it runs.")
    picture: PicturePane = helped("The left pane.")
    gallery: Gallery = helped("Pictures to choose from.")
    river: River = helped("The centre pane.")
    evidence: StepPane | UnitPane | Deep | None = helped("The right pane, if anything is selected.")
    scales: tuple[Scale, ...] = helped("Scales to choose from.")
    stages: dict[int | None, Words] = helped("Words for layers 1-5 and the head.")
    link_expires: str = helped("How long a link to this view holds, in words.")
    kept: KeptUnit | None = helped("A unit that stays beside the selected one.")
    regallery: bool = helped("Whether the pictures to choose from have changed.", False)
