"""What the templates of the arithmetic pane are given."""

from __future__ import annotations

from dataclasses import dataclass

from app.vision.arithmetic.explain import Cell
from app.vision.geometry import Box
from app.web.core.links import View
from app.web.explorer.contexts import Tab
from app.web.panels.panel_link import PanelLink
from app.web.parts.contexts import helped
from app.web.parts.number_grids import Grid
from app.web.parts.photo import PhotoOverlay
from app.web.parts.step_words import Words
from app.web.parts.terms import Term
from models.graph import Step


@dataclass(frozen=True, slots=True)
class Check:
    """Does it re-add: what the page adds up, what the network has."""

    total: str = helped("The sum of the numbers shown, in float64.")
    value: str = helped("The float in the network's tensor.")
    difference: str = helped("How far they are apart.")


@dataclass(frozen=True, slots=True)
class Deep:
    """What every pane of the third zoom shows."""

    view: View = helped("What is on screen.")
    step: Step = helped("The step.")
    channel: int = helped("The channel.")
    label: str = helped("The class it stands for, if any.")
    spatial: bool = helped("Whether it has rows and columns.")
    cell: tuple[int, int] = helped("Row and column.")
    value: float = helped("The float in the tensor.")
    kind: Words = helped("About what the step computes.")
    tabs: tuple[Tab, ...] = helped("The depths of zoom.")
    say: str = helped("The cell in one sentence.")
    check: Check | None = helped("Whether it re-adds, where something is added.")
    panels: tuple[PanelLink, ...] = helped("What can be unfolded.")
    json: str = helped("URL of the same as JSON.")
    csv: str = helped("URL of the terms as CSV.")
    png: str = helped("URL of the pane as a picture.")
    explained: Cell = helped("The arithmetic, as the science has it.")
    template: str = helped("What draws `made`.")
    made: object = helped("The arithmetic, as its kind has it.")


@dataclass(frozen=True, slots=True)
class Scan:
    """A window that slides: what scripts need to slice for themselves."""

    kind: str = helped("conv or maxpool.")
    before: str = helped("Name of the step that is read.")
    image: str = helped("URL of a picture of the input map looked at.")
    inputs: str = helped("URL of the input's numbers, .npy.")
    every: bool = helped("Whether that is all input maps; else the one looked at.")
    source: int = helped("The input map looked at.")
    size: tuple[int, int] = helped("Rows and columns of the input.")
    kernel: str = helped("URL of the kernel's numbers, .npy; empty for a pooling.")
    values: str = helped("URL of the output map's numbers, .npy.")
    output: str = helped("URL of a picture of the output map.")
    shape: tuple[int, int] = helped("Rows and columns of the output.")
    window: str = helped("As JSON: kernel, stride, padding, each [down, across].")
    padding: tuple[int, int] = helped("Cells of padding, down and across.")
    box: tuple[int, int, int, int] = helped("The window now: x, y, width, height in input cells.")


@dataclass(frozen=True, slots=True)
class ConvMade:
    """Patch times kernel."""

    scan: Scan = helped("The sliding window.")
    source_name: str = helped("What the input map looked at is called.")
    patch: Grid = helped("What the window sees of it.")
    kernel: Grid = helped("The weights for it.")
    products: Grid = helped("Both multiplied.")
    numbers: bool = helped("Whether the grids have room for numbers.")
    part: float = helped("What this input map adds.")
    sums: tuple[Term, ...] = helped("What each input map adds, strongest first.")
    bias: float = helped("The bias.")
    outside: int = helped("Cells of the window that lie in the padding.")


@dataclass(frozen=True, slots=True)
class PoolMade:
    """The largest of a window."""

    scan: Scan = helped("The sliding window.")
    window: Grid = helped("What it sees.")
    winner: tuple[int, int] = helped("Row and column of the largest.")
    winner_url: str = helped("The page with it.")
    ties: int = helped("How many equal it.")
    wins: int = helped("How many windows it wins.")
    shift: tuple[tuple[str, str, int, int], ...] = helped("Ways to shift: sign, words, dx, dy.")


@dataclass(frozen=True, slots=True)
class ReluMade:
    """max(0, x)."""

    given: float = helped("The number before.")
    given_url: str = helped("The page with it.")
    cut: float = helped("What was cut away.")
    zeros: int = helped("Cells of the map that are zero.")
    count: int = helped("Cells of the map.")
    layer: float = helped("Share of zeros in the step.")
    maps: tuple[tuple[str, str], ...] = helped("Pictures: title and URL; none for numbers.")
    shape: tuple[int, int] = helped("Rows and columns of the maps.")


@dataclass(frozen=True, slots=True)
class FormulaMade:
    """A formula with the numbers put in, line by line."""

    lines: tuple[tuple[str, str], ...] = helped("What is computed, and the result.")
    maps: tuple[tuple[str, str], ...] = helped("Pictures: title and URL.")
    shape: tuple[int, int] = helped("Rows and columns of the maps.")
    source: str = helped("The page with the cell it came from, empty where there are many.")
    source_name: str = helped("What that cell is called.")


@dataclass(frozen=True, slots=True)
class VoteMade:
    """A vote: who was for it, who against."""

    pro: tuple[Term, ...] = helped("The strongest for it.")
    contra: tuple[Term, ...] = helped("The strongest against it.")
    rest: float = helped("Sum of the others.")
    others: int = helped("How many they are.")
    bias: float = helped("The bias.")


@dataclass(frozen=True, slots=True)
class ShareTermMade:
    """One class in softmax's sum."""

    index: int = helped("The class.")
    label: str = helped("Its name.")
    logit: float = helped("Its score.")
    exponential: float = helped("exp(score - highest score).")
    share: float = helped("Its probability.")
    url: str = helped("The page with it.")


@dataclass(frozen=True, slots=True)
class ShareMade:
    """Softmax with the real logits."""

    terms: tuple[ShareTermMade, ...] = helped("The likeliest classes.")
    here: ShareTermMade = helped("The class looked at.")
    rest: float = helped("Sum of the other exponentials.")
    others: int = helped("How many they are.")
    denominator: float = helped("Sum of all.")
    peak: float = helped("The highest score.")


@dataclass(frozen=True, slots=True)
class PartMade:
    """A source that a link offers."""

    name: str = helped("What the cell is called.")
    value: float = helped("Its value.")
    weight: float = helped("Its weight.")
    term: float = helped("What it adds.")
    share: float = helped("Of all magnitudes.")
    url: str = helped("The chain that follows it.")
    set: str = helped("What the link changes in the URL.")
    chosen: bool = helped("Whether the chain follows it.")


@dataclass(frozen=True, slots=True)
class LinkMade:
    """A cell and what made it."""

    name: str = helped("What the cell is called.")
    url: str = helped("The page with it.")
    kind: str = helped("Kind of its step.")
    words: str = helped("What happened, where nothing is added up.")
    value: float = helped("Its value.")
    adds: bool = helped("Whether it is a sum.")
    parts: tuple[PartMade, ...] = helped("Its strongest sources.")
    bias: float = helped("The bias.")
    rest: float = helped("Sum of the others.")
    others: int = helped("How many they are.")
    box: Box = helped("The input pixels it sees.")


@dataclass(frozen=True, slots=True)
class ChainMade:
    """From a cell down to the photo."""

    links: tuple[LinkMade, ...] = helped("The links, the deepest last.")
    photo: PhotoOverlay = helped("The photo under it.")
    kernel: str = helped("URL of the first step's kernels, empty where the chain ends before.")
    kernel_box: str = helped("The kernel's part of it, as an SVG viewBox.")
    kernel_size: tuple[int, int] = helped("Width and height of that sheet.")
    input: str = helped("URL of the network's input.")
    input_size: int = helped("Its side, pixels.")
    patch_box: str = helped("The patch's part of it, as an SVG viewBox.")
    ended: str = helped("Why the chain ends early, if it does.")
