"""Template contexts of the arithmetic pane."""

from __future__ import annotations

from dataclasses import dataclass

from app.vision.arithmetic.explain import Cell
from app.vision.geometry import Box
from app.web.core.links import View
from app.web.explorer.zoom_tabs import Tab
from app.web.panels.panel import PanelLink
from app.web.parts.contexts import helped
from app.web.parts.number_grids import Grid
from app.web.parts.photo import PhotoOverlay
from app.web.parts.step_words import Words
from app.web.parts.terms import Term
from models.graph import Step


@dataclass(frozen=True, slots=True)
class Check:
    """Check of a sum: the sum computed from the page's numbers, and the network's value."""

    total: str = helped("The sum of the numbers shown, in float64.")
    value: str = helped("The float in the network's tensor.")
    difference: str = helped("Their difference.")


@dataclass(frozen=True, slots=True)
class ArithmeticPane:
    """The fields of every pane “Arithmetic” or “Where from”."""

    view: View = helped("What is on screen.")
    step: Step = helped("The step.")
    channel: int = helped("The channel.")
    label: str = helped("The class it stands for, empty if none.")
    spatial: bool = helped("Whether it has rows and columns.")
    cell: tuple[int, int] = helped("Row and column.")
    value: float = helped("The float in the tensor.")
    kind: Words = helped("What the step computes, in words.")
    tabs: tuple[Tab, ...] = helped("The zoom levels.")
    say: str = helped("The cell in one sentence.")
    check: Check | None = helped("The check of its sum, None if the step computes none.")
    panels: tuple[PanelLink, ...] = helped("Panels that can be unfolded.")
    json: str = helped("URL of the arithmetic as JSON.")
    csv: str = helped("URL of the terms as CSV.")
    png: str = helped("URL of the pane as a picture.")
    explained: Cell = helped("The arithmetic that was computed.")
    template: str = helped("The template that renders `made`.")
    made: object = helped("The context for that template.")


@dataclass(frozen=True, slots=True)
class Scan:
    """A sliding window: what the scripts need to move it themselves."""

    kind: str = helped("conv or maxpool.")
    before: str = helped("Name of the input step.")
    image: str = helped("URL of a picture of the selected input map.")
    inputs: str = helped("URL of the input's numbers, .npy.")
    every: bool = helped("Whether that is all input maps; else the selected one.")
    source: int = helped("The selected input map.")
    size: tuple[int, int] = helped("Rows and columns of the input.")
    kernel: str = helped("URL of the kernel's numbers, .npy; empty for a pooling.")
    values: str = helped("URL of the output map's numbers, .npy.")
    output: str = helped("URL of a picture of the output map.")
    shape: tuple[int, int] = helped("Rows and columns of the output.")
    window: str = helped("As JSON: kernel, stride, padding, each [down, across].")
    padding: tuple[int, int] = helped("Cells of padding, down and across.")
    box: tuple[int, int, int, int] = helped(
        "The current window: x, y, width, height in input cells."
    )


@dataclass(frozen=True, slots=True)
class ConvMade:
    """Patch times kernel of a convolution."""

    scan: Scan = helped("The sliding window.")
    source_name: str = helped("Name of the selected input map.")
    patch: Grid = helped("The input under the window.")
    kernel: Grid = helped("The kernel's weights for it.")
    products: Grid = helped("Products of both.")
    numbers: bool = helped("Whether the grids have enough space for numbers.")
    part: float = helped("Contribution of this input map.")
    sums: tuple[Term, ...] = helped("Contributions of all input maps, strongest first.")
    bias: float = helped("The bias.")
    outside: int = helped("Cells of the window that lie in the padding.")


@dataclass(frozen=True, slots=True)
class PoolMade:
    """Max pooling: the largest value of a window."""

    scan: Scan = helped("The sliding window.")
    window: Grid = helped("The input under it.")
    winner: tuple[int, int] = helped("Row and column of the largest.")
    winner_url: str = helped("The page of that cell.")
    ties: int = helped("How many values equal it.")
    wins: int = helped("Number of windows it wins.")
    shift: tuple[tuple[str, str, int, int], ...] = helped(
        "Shifts to choose from: sign, words, dx, dy."
    )


@dataclass(frozen=True, slots=True)
class ReluMade:
    """max(0, x)."""

    given: float = helped("The input number.")
    given_url: str = helped("The page of that cell.")
    cut: float = helped("The part below zero, which is set to zero.")
    zeros: int = helped("Cells of the map that are zero.")
    count: int = helped("Cells of the map.")
    layer: float = helped("Share of zeros in the whole step.")
    maps: tuple[tuple[str, str], ...] = helped("Pictures: title and URL; none for vectors.")
    shape: tuple[int, int] = helped("Rows and columns of the maps.")


@dataclass(frozen=True, slots=True)
class FormulaMade:
    """A formula with the numbers inserted, line by line."""

    lines: tuple[tuple[str, str], ...] = helped("Expression and result of each line.")
    maps: tuple[tuple[str, str], ...] = helped("Pictures: title and URL.")
    shape: tuple[int, int] = helped("Rows and columns of the maps.")
    source: str = helped("The page of the input cell, empty if there are many.")
    source_name: str = helped("Name of that cell.")


@dataclass(frozen=True, slots=True)
class VoteMade:
    """A fully connected cell as a vote: terms for and against."""

    pro: tuple[Term, ...] = helped("The largest positive terms.")
    contra: tuple[Term, ...] = helped("The largest negative terms.")
    rest: float = helped("Sum of the other terms.")
    others: int = helped("Number of the other terms.")
    bias: float = helped("The bias.")


@dataclass(frozen=True, slots=True)
class ShareTermMade:
    """One class in softmax's denominator."""

    index: int = helped("Index of the class.")
    label: str = helped("Name of the class.")
    logit: float = helped("Its logit.")
    exponential: float = helped("exp(logit - highest logit).")
    share: float = helped("Its probability.")
    url: str = helped("The page of the class.")


@dataclass(frozen=True, slots=True)
class ShareMade:
    """Softmax with the real logits."""

    terms: tuple[ShareTermMade, ...] = helped("The likeliest classes.")
    here: ShareTermMade = helped("The selected class.")
    rest: float = helped("Sum of the other exponentials.")
    others: int = helped("Number of the others.")
    denominator: float = helped("Sum of all.")
    peak: float = helped("The highest logit.")


@dataclass(frozen=True, slots=True)
class PartMade:
    """A source cell to follow in a link."""

    name: str = helped("Name of the cell.")
    value: float = helped("Its value.")
    weight: float = helped("Its weight.")
    term: float = helped("Its contribution.")
    share: float = helped("Share of the sum of all magnitudes.")
    url: str = helped("The chain that follows it.")
    set: str = helped("What the link changes in the page's URL.")
    chosen: bool = helped("Whether the chain follows it.")


@dataclass(frozen=True, slots=True)
class LinkMade:
    """A cell and its sources."""

    name: str = helped("Name of the cell.")
    url: str = helped("The page of the cell.")
    kind: str = helped("Kind of its step.")
    words: str = helped("What the step does, if it is no sum.")
    value: float = helped("Its value.")
    adds: bool = helped("Whether it is a sum.")
    parts: tuple[PartMade, ...] = helped("Its strongest sources.")
    bias: float = helped("The bias.")
    rest: float = helped("Sum of the other sources.")
    others: int = helped("Number of the other sources.")
    box: Box = helped("Its receptive field, input pixels.")


@dataclass(frozen=True, slots=True)
class ChainMade:
    """The chain from a cell down to the photo."""

    links: tuple[LinkMade, ...] = helped("The links, the deepest last.")
    photo: PhotoOverlay = helped("The photo under it.")
    kernel: str = helped("URL of the first step's kernels, empty if the chain ends before.")
    kernel_box: str = helped("The kernel's part of it, as an SVG viewBox.")
    kernel_size: tuple[int, int] = helped("Width and height of that sheet.")
    input: str = helped("URL of the network's input.")
    input_size: int = helped("Its side, pixels.")
    patch_box: str = helped("The patch's part of it, as an SVG viewBox.")
    ended: str = helped("Why the chain ends early, empty if it does not.")
