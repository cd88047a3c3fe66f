"""The Lab's equations and sentences: the sum under the window, the output's size."""

from __future__ import annotations

from collections.abc import Sequence

from app.vision.window import Window
from app.web.lab.lab_query import exact, factor, hundredths, is_exact

Pair = tuple[float, float]
"""A number under the window and the kernel’s number over it."""

SPOKEN = 9
"""Most products that a sentence lists; of more, it says how many there are."""


def written(pairs: Sequence[Pair], value: float, cells: int = 0) -> str:
    """The sum as an equation: 5·1 + 3·2 + 7·3 = 32; with `cells` divided by them."""
    terms = " + ".join(f"{factor(value)}·{factor(weight)}" for value, weight in pairs)
    if cells:
        terms = f"({terms}) / {cells}"
    return f"{terms} {equals(value, bool(cells))}"


def spoken(pairs: Sequence[Pair], value: float, cells: int = 0) -> str:
    """The sum as a spoken sentence; zeros of the kernel are skipped."""
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
    """The end of an equation: “=”, or “≈” if the shown digits are not exact."""
    if average:
        return f"{'=' if is_exact(value, 2) else '≈'} {hundredths(value)}"
    return f"{'=' if is_exact(value) else '≈'} {exact(value)}"


def length_formula(window: Window, size: int, axis: int, whole: bool = False) -> str:
    """The number of window positions along an axis, with its numbers inserted.

    n − k + 1 for stride 1 without padding and dilation, else the general formula, which `whole`
    forces.
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
    """The difference between sums and averages, in words."""
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
