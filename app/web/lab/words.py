"""The Lab's sentences and formulas: what is under the window, what it adds up to, how long."""

from __future__ import annotations

from collections.abc import Sequence

from app.vision.window import Window
from app.web.lab.lab_query import exact, factor, hundredths, is_exact

Pair = tuple[float, float]
"""A number under the window and the kernel’s number over it."""

SPOKEN = 9
"""Products that a sentence speaks one by one; of more, it tells how many there are."""


def written(pairs: Sequence[Pair], value: float, cells: int = 0) -> str:
    """The sum as one writes it: 5·1 + 3·2 + 7·3 = 32; with `cells` divided by them."""
    terms = " + ".join(f"{factor(value)}·{factor(weight)}" for value, weight in pairs)
    if cells:
        terms = f"({terms}) / {cells}"
    return f"{terms} {equals(value, bool(cells))}"


def spoken(pairs: Sequence[Pair], value: float, cells: int = 0) -> str:
    """The sum as one says it, where zeros of the kernel are passed over."""
    told = [pair for pair in pairs if pair[1]]
    if not told:
        text = "every number of the kernel is 0, that makes 0"
    elif len(told) > SPOKEN:
        text = f"{len(told)} products add up to {exact(value * (cells or 1))}"
    else:
        products = " plus ".join(f"{exact(one)} times {exact(weight)}" for one, weight in told)
        text = f"{products} makes {exact(value * (cells or 1))}"
    if cells:
        about = "is" if is_exact(value, 2) else "is about"
        text += f"; divided by the kernel’s {_cells(cells)} that {about} {hundredths(value)}"
    return f"{text}."


def equals(value: float, average: bool = False) -> str:
    """The end of an equation, honest about digits that are not shown."""
    if average:
        return f"{'=' if is_exact(value, 2) else '≈'} {hundredths(value)}"
    return f"{'=' if is_exact(value) else '≈'} {exact(value)}"


def length_formula(window: Window, size: int, axis: int, whole: bool = False) -> str:
    """How many places the window has along an axis, with its numbers put in.

    n − k + 1 where nothing else is set, or the general formula; `whole` asks for that.
    """
    k, s, p, d = (
        pair[axis] for pair in (window.kernel, window.stride, window.padding, window.dilation)
    )
    count = window.outputs((size, size))[axis]
    if (s, p, d) == (1, 0, 1) and not whole:
        return f"n − k + 1 = {size} − {k} + 1 = {count}"
    return (
        "⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1 = "
        f"⌊({size} + 2·{p} − {d}·({k} − 1) − 1) / {s}⌋ + 1 = {count}"
    )


def difference(mode: str, cells: int) -> str:
    """What sums and averages have to do with each other."""
    share = f"1/{cells}" if cells > 1 else "1"
    if mode == "sum":
        return (
            "The sum is what networks compute: it grows with the kernel. The average is the same "
            f"sum divided by the kernel’s {_cells(cells)}: every result times {share}, with the "
            "same pattern."
        )
    return (
        f"The average is the sum divided by the kernel’s {_cells(cells)}: with ones and minus ones "
        "a perfect match then reads 1.00, however large the kernel. Networks use the plain sum "
        "and learn weights that suit it."
    )


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"
