"""Template contexts of X or O."""

from __future__ import annotations

from dataclasses import dataclass

from app.vision.tiny_network.pixels import PixelComparison
from app.web.parts.contexts import helped
from app.web.parts.number_grids import Grid


@dataclass(frozen=True, slots=True)
class PresetView:
    """A preset board."""

    letter: str = helped("X or O.")
    how: str = helped("How it was changed, empty for the ideal one.")
    board: str = helped("The board as the URL has it.")


@dataclass(frozen=True, slots=True)
class BoardMap:
    """One map of a layer; each number is a button."""

    name: str = helped("Name of the map.")
    prefix: str = helped("Layer and map, as a cell's name begins.")
    grid: Grid = helped("Its numbers.")


@dataclass(frozen=True, slots=True)
class PartView:
    """Contribution of one map to a number: patch times kernel."""

    name: str = helped("The input map.")
    patch: Grid = helped("The input under the window.")
    kernel: Grid = helped("The weights.")
    products: Grid = helped("Products of both.")
    sum: str = helped("Sum of the products.")


@dataclass(frozen=True, slots=True)
class CellView:
    """How the selected number was computed."""

    title: str = helped("Name of the number.")
    parts: tuple[PartView, ...] = helped("For a convolution: each input map.", ())
    window: Grid | None = helped("For a pooling: the input under the window.", None)
    equation: str = helped("The last step, in numbers.", "")
    note: str = helped("A remark, if any.", "")


@dataclass(frozen=True, slots=True)
class BoardLayer:
    """One layer: its card and its maps. Orders are layers as the form sends them, "" for none."""

    number: int = helped("Its place, from 1.")
    kind: str = helped("conv, relu or pool.")
    word: str = helped("Its name in the URL.")
    title: str = helped("Its title.")
    note: str = helped("What it does.")
    size: str = helped("Its output size and input size; if it does not fit, the reason.")
    fits: bool = helped("Whether it fits its input.")
    maps: tuple[BoardMap, ...] = helped("Its maps.")
    earlier: str = helped("The order with this layer moved one place earlier.")
    later: str = helped("The order with this layer moved one place later.")
    without: str = helped("The order without this layer.")
    padded: str = helped("The order with this layer's padding switched.")
    padding: int = helped("Its padding.")
    coverage: Grid | None = helped("How often each number of its input is read.", None)
    coverage_words: str = helped("What that says about the border.", "")
    cell: CellView | None = helped("The selected number, if it is in this layer.", None)


@dataclass(frozen=True, slots=True)
class VotePart:
    """One of the last maps in the vote."""

    name: str = helped("The map.")
    numbers: Grid = helped("Its numbers.")
    weights: Grid = helped("Their weights for X.")
    products: Grid = helped("Products of both.")
    sum: str = helped("Sum of the products.")


@dataclass(frozen=True, slots=True)
class VoteView:
    """The vote and its verdict."""

    verdict: str = helped("X, O or undecided.")
    x: str = helped("The score of X.")
    o: str = helped("The score of O.")
    x_bar: float = helped("The score of X as a bar's length, 0..100.")
    o_bar: float = helped("The score of O as a bar's length, 0..100.")
    count: int = helped("How many numbers vote.")
    parts: tuple[VotePart, ...] = helped("Map by map.")
    x_sum: str = helped("How the score of X adds up.")
    o_sum: str = helped("How the score of O adds up.")
    right: int = helped("Number of generated boards that the network classifies right.")
    pixels_right: int = helped("The same for the pixel-by-pixel comparison.")
    of: int = helped("Number of generated boards.")


@dataclass(frozen=True, slots=True)
class PixelView:
    """The comparison with one ideal letter, as SVG paths on nine by nine."""

    letter: str = helped("X or O.")
    alike: int = helped("Number of equal cells, of 81.")
    ink: str = helped("The ideal letter.")
    wrong: str = helped("Cells that differ.")


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
