"""How X or O formats its numbers, and its sentences."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from app.vision.arithmetic.convolution import ConvCell
from app.vision.tiny_network.network import Match, TinyOutput, divisor, names_of
from app.vision.tiny_network.pixels import PixelComparison
from app.web.core.templating import number, percent

TITLES = {"conv": "Convolution", "relu": "ReLU", "pool": "Max pooling"}

NOTES = {
    "conv": "Each feature is laid over every place: how well does it match there?",
    "relu": "What is below zero becomes zero; the rest stays as it is.",
    "pool": "Of each 2×2 only the largest number stays: smaller maps, and a shift matters less.",
}
ALL_MAPS = "It reads all three maps: the same feature over each of them, added up."
"""The note of a convolution after the first."""

DIFFERENCES: dict[Match, str] = {
    "mean": (
        "Mean: the products are averaged, so that a perfect match reads 1.00 whatever the size. "
        "Networks take the sum; the mean is the same sum with every weight smaller, and the "
        "verdict does not change."
    ),
    "sum": (
        "Sum: the products are added up, as networks do: a perfect match of a feature reads 9, "
        "of 9. The mean divides that by the number of cells; it is the same sum with smaller "
        "weights, and the verdict does not change."
    ),
}


def writer(values: Tensor) -> Callable[[float], str]:
    """A formatter for a layer's numbers: two significant digits, all with equal decimal places."""
    largest = float(values.abs().max()) if values.numel() else 0.0
    if largest >= 1000:
        return number
    if bool((values == values.round()).all()):
        return lambda value: signed(f"{value:.0f}")
    places = 2 if largest >= 0.1 else min(8, 1 - math.floor(math.log10(largest)))
    return lambda value: signed(f"{value:.{places}f}") if value else "0"


def two(value: float) -> str:
    """A score, two decimal places."""
    return signed(f"{value:.2f}")


def three(value: float) -> str:
    """A part of a score, three decimal places."""
    return signed(f"{value:.3f}")


def as_typed(value: float) -> str:
    """A kernel's number in its field."""
    return signed(f"{value:.6g}")


def signed(text: str) -> str:
    """A number with a true minus sign, and none before zero."""
    if text.startswith("-") and not text.strip("-0."):
        text = text[1:]
    return text.replace("-", "−")


def map_name(number: int, maps: int, kernels: Tensor) -> str:
    """The name of a map: the feature of the X that its kernel is, if any."""
    if maps == 1:
        return "The board"
    name = names_of(kernels)[number]
    return f"Map {number}: {name}" if name else f"Map {number}"


def where(output: TinyOutput, place: tuple[int, int, int]) -> str:
    """Layer and place of a number, in words."""
    map, y, x = place
    return f"Layer {output.number}, map {map}, row {y}, column {x}"


def conv_equation(output: TinyOutput, cell: ConvCell, match: Match, text: str) -> str:
    """The products of one map, or the contribution of each of three; the sum, and the result."""
    terms = cell.products[0].flatten() if len(cell.terms) == 1 else cell.terms
    parts = [plain(one) for one in terms.tolist()]
    added = " + ".join(f"({one})" if one.startswith("−") else one for one in parts)
    total, count = plain(cell.total), divisor("mean", output.before.shape[0])
    if match == "mean":
        return f"{added} = {total}, and {total} ÷ {count} = {text}"
    return f"{added} = {total}, of {count}" if count == 9 else f"{added} = {total}"


def conv_words(output: TinyOutput, cell: ConvCell, match: Match, at: str, text: str) -> str:
    """One number of a convolution in a sentence."""
    count = divisor("mean", output.before.shape[0])
    words = f"{at} is {text}: {count} products add up to {plain(cell.total)}"
    if match == "mean":
        words += f", and divided by {count} that is {text}"
    perfect = count == 9 and cell.total == 9
    return f"{words}{', a perfect match' if perfect else ''}."


def relu_words(at: str, before: str, after: str) -> str:
    """One number of a ReLU in a sentence."""
    if before.startswith("−"):
        return f"{at} is {after}: the layer before has {before} there, and below zero becomes zero."
    return f"{at} is {after}: the layer before has {before} there, not below zero, so it stays."


def verdict_words(verdict: str, x: float, o: float, pixels: PixelComparison) -> str:
    """The predictions of the network and of the comparison, in a sentence."""
    if verdict == "undecided":
        told = f"The network cannot decide, {two(x)} to {two(o)}"
    else:
        high, low = (x, o) if verdict == "X" else (o, x)
        told = f"The network says {verdict}, {two(high)} to {two(low)}"
    return f"{told}; pixel by pixel, {pixel_words(pixels)}."


def pixel_words(pixels: PixelComparison) -> str:
    """The prediction of the comparison."""
    counts = f"{pixels.x} of 81 cells are those of the X and {pixels.o} those of the O"
    return f"{counts}: it says {pixels.verdict}"


def leakage_words(known: int, of: int, new: float, unchecked: float) -> str:
    """What the test would say if its boards were drawn without leaving out the known ones.

    Both figures are shares 0..1 of `of` boards, of which `known` would be known.
    """
    told = (
        f"Had the boards that it learned from not been left out, {known} of {of} would be among "
        f"them, and it would get {percent(unchecked)} right instead of {percent(new)}"
    )
    if unchecked > new:
        return f"{told}: it looks better than it is on what is new (leakage)."
    return f"{told}."


def coverage_words(counts: Tensor) -> str:
    """How padding and borders change the coverage, in words."""
    corner, most = int(counts[0, 0]), int(counts.max())
    times = "once" if corner == 1 else f"{corner} times"
    if corner == most:
        return f"Every number is used {times}."
    return f"A corner is used {times}, the middle {most} times: the border counts less."


def plain(value: float) -> str:
    """A number as short as possible: 9, −0.5, 1.25."""
    return signed(f"{round(value, 4):g}")
