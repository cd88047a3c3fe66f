"""What the evidence pane's templates are given: a step's, a unit's, and what stands in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.services.catalogue import Model
from app.vision.geometry import Box
from app.web.contexts import Legend, Tile, helped
from app.web.links import View
from app.web.words import Words
from models.graph import Step

if TYPE_CHECKING:
    from app.web.panes.slices import Slices
    from app.web.panes.wall import Wall
    from app.web.synthesis.contexts import Responds


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
    wall: Wall | None = helped("Its colour kernels, where it reads the picture.")
    csv: str = helped("URL of the table of channels.")
    png: str = helped("URL of the sheet, to be saved.")
    panels: tuple[PanelLink, ...] = helped("What more can be looked at.", ())
    pictures: PanelLink | None = helped("The pictures made for all its channels, if any.", None)


@dataclass(frozen=True, slots=True)
class Term:
    """One summand of a cell."""

    channel: int = helped("The input map it comes from.")
    value: float = helped("What it adds.")
    share: float = helped("Its part of all magnitudes, 0..1.")
    url: str = helped("The page with that map selected, empty for the picture's colours.")
    name: str = helped("What the input map is called.")
    how: str = helped("Value times weight, where it is one product.", "")


@dataclass(frozen=True, slots=True)
class PanelLink:
    """A panel that is folded until it is asked for."""

    title: str = helped("What it shows.")
    url: str = helped("Where its inside comes from.")
    open: bool = helped("Whether a link asked for it.", False)


@dataclass(frozen=True, slots=True)
class NumbersPanel:
    """The raw values around a cell."""

    cell: tuple[int, int] = helped("Row and column of the cell.")
    columns: tuple[int, ...] = helped("The columns that are shown.")
    rows: tuple[tuple[int, list[float]], ...] = helped("Each row that is shown, with its values.")


@dataclass(frozen=True, slots=True)
class Tab:
    """A depth of zoom."""

    title: str = helped("What it shows.")
    url: str = helped("The page at that depth.")
    set: str = helped("What the link changes in the URL.")
    current: bool = helped("Whether it is on screen.")


@dataclass(frozen=True, slots=True)
class Photo:
    """The photo with what lies on it, as SVG."""

    place: str = helped("Where the input lies on it, as a transform.")
    crop: str = helped("The part of it that is used, as a viewBox.")
    size: tuple[int, int] = helped("Its width and height, pixels.")
    url: str = helped("URL of a copy.")


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
    photo: Photo = helped("The photo under the map.")
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
    responds: Responds | None = helped("What it responds to, where that is known at once.", None)
