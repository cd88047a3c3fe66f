"""What the templates of X or O are given."""

from __future__ import annotations

from dataclasses import dataclass

from app.vision.tiny_network.pixels import PixelComparison
from app.web.parts.contexts import helped
from app.web.parts.number_grids import Grid


@dataclass(frozen=True, slots=True)
class PresetView:
    """A board to begin with."""

    letter: str = helped("X or O.")
    how: str = helped("What was done to it, empty for the ideal one.")
    board: str = helped("It as the URL has it.")


@dataclass(frozen=True, slots=True)
class BoardMap:
    """One map of a layer; each number is a button."""

    name: str = helped("What it is called.")
    prefix: str = helped("Layer and map, as a cell's name begins.")
    grid: Grid = helped("Its numbers.")


@dataclass(frozen=True, slots=True)
class PartView:
    """What one map adds to a number: patch times kernel."""

    name: str = helped("The map that is read.")
    patch: Grid = helped("What the window sees of it.")
    kernel: Grid = helped("The weights.")
    products: Grid = helped("Both multiplied.")
    sum: str = helped("The products added up.")


@dataclass(frozen=True, slots=True)
class CellView:
    """How the selected number was made."""

    title: str = helped("Which number it is.")
    parts: tuple[PartView, ...] = helped("For a convolution: each map that is read.", ())
    window: Grid | None = helped("For a pooling: what the window sees.", None)
    equation: str = helped("The last step, in numbers.", "")
    note: str = helped("What is to be said about it, if anything.", "")


@dataclass(frozen=True, slots=True)
class BoardLayer:
    """One layer: its card and its maps. Orders are layers as the form sends them, "" for none."""

    number: int = helped("Its place, from 1.")
    kind: str = helped("conv, relu or pool.")
    word: str = helped("How the URL writes it.")
    title: str = helped("What it is called.")
    note: str = helped("What it does.")
    size: str = helped("What it makes of which size; why it does not fit, where it does not.")
    fits: bool = helped("Whether anything comes out.")
    maps: tuple[BoardMap, ...] = helped("Its maps.")
    earlier: str = helped("The order with it one place earlier.")
    later: str = helped("The order with it one place later.")
    without: str = helped("The order without it.")
    padded: str = helped("The order with its padding switched.")
    padding: int = helped("Its padding.")
    coverage: Grid | None = helped("How often each number of its input is used.", None)
    coverage_words: str = helped("What that says about the border.", "")
    cell: CellView | None = helped("The selected number, where it is one of its own.", None)


@dataclass(frozen=True, slots=True)
class VotePart:
    """One of the last maps in the vote."""

    name: str = helped("The map.")
    numbers: Grid = helped("Its numbers.")
    weights: Grid = helped("Their weights for X.")
    products: Grid = helped("Both multiplied.")
    sum: str = helped("The products added up.")


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
    right: int = helped("Generated boards the network gets right.")
    pixels_right: int = helped("Those that the comparison pixel by pixel gets right.")
    of: int = helped("Of how many.")


@dataclass(frozen=True, slots=True)
class PixelView:
    """The comparison with one ideal letter, as SVG paths on nine by nine."""

    letter: str = helped("X or O.")
    alike: int = helped("Cells that are the same, of 81.")
    ink: str = helped("The ideal letter.")
    wrong: str = helped("Cells that differ.")


@dataclass(frozen=True, slots=True)
class BoardPage:
    """The whole page."""

    board: tuple[tuple[bool, ...], ...] = helped("Where there is ink.")
    presets: tuple[PresetView, ...] = helped("Boards to begin with.")
    clear: str = helped("A board without ink, as the URL has it.")
    kernels: tuple[Grid, ...] = helped("The three kernels, as fields.")
    features: str = helped("The X's own features, as the form sends them.")
    kept: str = helped("The kernels on screen, as the form carries them.")
    match: str = helped("mean or sum.")
    difference: str = helped("What mean and sum have to do with each other.")
    cell: str = helped("The selected number, as the form carries it.")
    order: str = helped("The layers, as the form carries them.")
    adds: tuple[tuple[str, str], ...] = helped("Layers that can be added: name and order.")
    full: str = helped("Why none can be added, if so.")
    first: str = helped("The order at first; empty where that is on screen.")
    input: Grid = helped("The board in numbers.")
    layers: tuple[BoardLayer, ...] = helped("The layers.")
    vote: VoteView | None = helped("The vote; None where a layer does not fit.")
    comparison: PixelComparison = helped("The comparison pixel by pixel.")
    pixels: tuple[PixelView, ...] = helped("It, letter by letter.")
    say: str = helped("What is on screen, in one sentence.")
    problems: tuple[str, ...] = helped("What was wrong with the request, in sentences.")
    query: str = helped("The state, as files take it.")
    redraw: frozenset[str] = helped("Fields of the form that change with the answer.")
