"""Template contexts of the arithmetic pane."""

from __future__ import annotations

from dataclasses import dataclass

from app.vision.arithmetic.explain import Cell
from app.vision.geometry import Box
from app.web.core.links import View
from app.web.explorer.zoom_tabs import Tab
from app.web.panels.panel import PanelLink
from app.web.parts.number_grids import Grid
from app.web.parts.photo import PhotoOverlay
from app.web.parts.step_words import Words
from app.web.parts.terms import Term
from models.graph import Step


@dataclass(frozen=True, slots=True)
class Check:
    """Check of a sum: the sum computed from the page's numbers, and the network's value."""

    total: str  # the sum of the numbers shown, in float64
    value: str  # the float in the network's tensor
    difference: str


@dataclass(frozen=True, slots=True)
class ArithmeticPane:
    """The fields of every pane “Arithmetic” or “Where from”."""

    view: View
    step: Step
    channel: int
    label: str  # the class it stands for; "" if none
    spatial: bool  # whether it has rows and columns
    cell: tuple[int, int]  # row and column
    value: float  # the float in the tensor
    kind: Words  # what the step computes
    tabs: tuple[Tab, ...]
    say: str  # the cell in one sentence
    check: Check | None  # None if the step computes no sum
    panels: tuple[PanelLink, ...]
    json: str
    csv: str
    png: str
    explained: Cell
    template: str  # renders `made`
    made: object  # the context for that template


@dataclass(frozen=True, slots=True)
class Scan:
    """A sliding window: what the scripts need to move it themselves."""

    kind: str  # conv or maxpool
    before: str  # name of the input step
    image: str  # URL of a picture of the selected input map
    inputs: str  # URL of the input's numbers, .npy
    every: bool  # whether those are all input maps; else the selected one
    source: int  # the selected input map
    size: tuple[int, int]  # rows and columns of the input
    kernel: str  # URL of its numbers, .npy; "" for a pooling
    values: str  # URL of the output map's numbers, .npy
    output: str  # URL of a picture of the output map
    shape: tuple[int, int]  # rows and columns of the output
    window: str  # as JSON: kernel, stride, padding, each [down, across]
    padding: tuple[int, int]  # cells, down and across
    box: tuple[int, int, int, int]  # the current window: x, y, width, height in input cells


@dataclass(frozen=True, slots=True)
class ConvMade:
    """Patch times kernel of a convolution."""

    scan: Scan
    source_name: str  # of the selected input map
    patch: Grid  # the input under the window
    kernel: Grid  # its weights for that map
    products: Grid
    numbers: bool  # whether the grids have enough space for numbers
    part: float  # contribution of this input map
    sums: tuple[Term, ...]  # contributions of all input maps, strongest first
    bias: float
    outside: int  # cells of the window that lie in the padding


@dataclass(frozen=True, slots=True)
class PoolMade:
    """Max pooling: the largest value of a window."""

    scan: Scan
    window: Grid  # the input under it
    winner: tuple[int, int]  # row and column of the largest
    winner_url: str
    ties: int  # how many values equal it
    wins: int  # windows that it wins
    shift: tuple[tuple[str, str, int, int], ...]  # to choose from: sign, words, dx, dy


@dataclass(frozen=True, slots=True)
class ReluMade:
    """max(0, x)."""

    given: float  # the input number
    given_url: str
    cut: float  # the part below zero, which is set to zero
    zeros: int  # cells of the map that are zero
    count: int  # cells of the map
    layer: float  # share of zeros in the whole step
    maps: tuple[tuple[str, str], ...]  # title and URL; none for vectors
    shape: tuple[int, int]  # rows and columns of the maps


@dataclass(frozen=True, slots=True)
class FormulaMade:
    """A formula with the numbers inserted, line by line."""

    lines: tuple[tuple[str, str], ...]  # expression and result
    maps: tuple[tuple[str, str], ...]  # title and URL
    shape: tuple[int, int]  # rows and columns of the maps
    source: str  # the page of the input cell; "" if there are many
    source_name: str


@dataclass(frozen=True, slots=True)
class VoteMade:
    """A fully connected cell as a vote: terms for and against."""

    pro: tuple[Term, ...]  # the largest positive terms
    contra: tuple[Term, ...]  # the largest negative terms
    rest: float  # sum of the other terms
    others: int  # how many
    bias: float


@dataclass(frozen=True, slots=True)
class ShareTermMade:
    """One class in softmax's denominator."""

    index: int
    label: str
    logit: float
    exponential: float  # exp(logit - highest logit)
    share: float  # its probability
    url: str


@dataclass(frozen=True, slots=True)
class ShareMade:
    """Softmax with the real logits."""

    terms: tuple[ShareTermMade, ...]  # the likeliest classes
    here: ShareTermMade  # the selected class
    rest: float  # sum of the other exponentials
    others: int  # how many
    denominator: float  # sum of all
    peak: float  # the highest logit


@dataclass(frozen=True, slots=True)
class PartMade:
    """A source cell to follow in a link."""

    name: str
    value: float
    weight: float | None  # None at a softmax
    term: float  # its contribution
    share: float  # of the sum of all magnitudes
    url: str  # the chain that follows it
    set: str  # what the link changes in the page's URL
    chosen: bool  # whether the chain follows it


@dataclass(frozen=True, slots=True)
class LinkMade:
    """A cell and its sources."""

    name: str
    url: str
    kind: str  # of its step
    words: str  # what the step does, if it is no sum
    value: float
    adds: bool  # whether it is a sum
    parts: tuple[PartMade, ...]  # its strongest sources
    bias: float
    rest: float  # sum of the other sources
    others: int  # how many
    box: Box  # its receptive field, input pixels


@dataclass(frozen=True, slots=True)
class ChainMade:
    """The chain from a cell down to the photo."""

    links: tuple[LinkMade, ...]  # the deepest last
    photo: PhotoOverlay
    kernel: str  # URL of the first step's kernels; "" if the chain ends before
    kernel_box: str  # SVG viewBox on that sheet
    kernel_size: tuple[int, int]  # width and height of that sheet
    input: str  # URL of the network's input
    input_size: int  # its side, pixels
    patch_box: str  # SVG viewBox on the input
    ended: str  # why the chain ends early; "" if it does not
