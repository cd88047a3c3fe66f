"""Template contexts of X or O."""

from __future__ import annotations

from dataclasses import dataclass

from app.vision.tiny_network.pixels import PixelComparison
from app.web.parts.contexts import helped
from app.web.parts.number_grids import Grid


@dataclass(frozen=True, slots=True)
class PresetView:
    """A preset board."""

    letter: str  # X or O
    how: str  # how it was changed; "" for the ideal one
    board: str  # as the URL has it


@dataclass(frozen=True, slots=True)
class BoardMap:
    """One map of a layer; each number is a button."""

    name: str
    prefix: str  # layer and map, as a cell's name begins
    grid: Grid


@dataclass(frozen=True, slots=True)
class PartView:
    """Contribution of one map to a number: patch times kernel."""

    name: str  # of the input map
    patch: Grid  # the input under the window
    kernel: Grid
    products: Grid
    sum: str  # of the products


@dataclass(frozen=True, slots=True)
class CellView:
    """How the selected number was computed."""

    title: str  # name of the number
    parts: tuple[PartView, ...] = ()  # for a convolution: each input map
    window: Grid | None = None  # for a pooling: the input under the window
    equation: str = ""  # the last step, in numbers
    note: str = ""


@dataclass(frozen=True, slots=True)
class BoardLayer:
    """One layer: its card and its maps. Orders are layers as the form sends them, "" for none."""

    number: int  # its place, from 1
    kind: str  # conv, relu or pool
    word: str  # its name in the URL
    title: str
    note: str  # what it does
    size: str  # of output and input; if it does not fit, the reason
    fits: bool
    maps: tuple[BoardMap, ...]
    earlier: str  # the order with this layer moved one place earlier
    later: str  # the order with this layer moved one place later
    without: str  # the order without this layer
    padded: str  # the order with this layer's padding switched
    padding: int
    coverage: Grid | None = None  # how often each number of its input is read
    coverage_words: str = ""  # what that says about the border
    cell: CellView | None = None  # the selected number, if it is in this layer


@dataclass(frozen=True, slots=True)
class VotePart:
    """One of the last maps in the vote."""

    name: str  # of the map
    numbers: Grid
    weights: Grid  # for X
    products: Grid
    sum: str  # of the products


@dataclass(frozen=True, slots=True)
class VoteView:
    """The vote and its verdict."""

    verdict: str  # X, O or undecided
    x: str  # its score
    o: str  # its score
    x_bar: float  # length, 0..100
    o_bar: float  # length, 0..100
    count: int  # how many numbers vote
    parts: tuple[VotePart, ...]
    x_sum: str  # how the score for X adds up
    o_sum: str  # how the score for O adds up
    right: int  # unseen boards that the network classifies right
    pixels_right: int  # the same for the pixel-by-pixel comparison
    of: int  # unseen boards
    fitted: int  # boards that the weights are fitted on
    leakage: str  # what boards drawn without a check would say, in a sentence


@dataclass(frozen=True, slots=True)
class PixelView:
    """The comparison with one ideal letter, as SVG paths on nine by nine."""

    letter: str  # X or O
    alike: int  # equal cells, of 81
    ink: str  # the ideal letter
    wrong: str  # cells that differ


@dataclass(frozen=True, slots=True)
class BoardPage:
    """The whole page."""

    board: tuple[tuple[bool, ...], ...] = helped("Where there is ink.")
    presets: tuple[PresetView, ...] = helped("Preset boards.")
    clear: str = helped("A board without ink, as the URL has it.")
    kernels: tuple[Grid, ...] = helped("The three kernels, as fields.")
    features: str = helped("The preset features of the X, as the form sends them.")
    kept: str = helped("The current kernels, as the form sends them.")
    match: str = helped("mean or sum.")
    difference: str = helped("The difference between mean and sum.")
    cell: str = helped("The selected number, as the form sends it.")
    order: str = helped("The layers, as the form sends them.")
    adds: tuple[tuple[str, str], ...] = helped("Layers that can be added: name and order.")
    full: str = helped("Why none can be added, empty if one can.")
    first: str = helped("The default order; empty if that is on screen.")
    input: Grid = helped("The board in numbers.")
    layers: tuple[BoardLayer, ...] = helped("The layers.")
    vote: VoteView | None = helped("The vote; None if a layer does not fit.")
    comparison: PixelComparison = helped("The pixel-by-pixel comparison.")
    pixels: tuple[PixelView, ...] = helped("The same, letter by letter.")
    say: str = helped("What is on screen, in one sentence.")
    problems: tuple[str, ...] = helped("Errors in the request, in sentences.")
    query: str = helped("The state as a query string, for its files.")
    redraw: frozenset[str] = helped("Fields of the form to be redrawn with the response.")
