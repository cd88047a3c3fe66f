"""Parses and validates the numbers and settings that a user typed into the Lab."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated

from starlette.datastructures import QueryParams

from app.errors import BadRequest
from app.web.core.url_view import Written

LARGEST = 99
"""Largest magnitude of a number that is typed in."""

DECIMALS = 4
"""Decimal places of numbers that are typed in or shown."""

_NUMBER = re.compile(r"[+-]?(\d{1,6}([.,]\d{0,12})?|[.,]\d{1,12})")
_WHOLE = re.compile(r"[+-]?\d{1,6}")


class LabQuery:
    """The parameters of a request; every method raises `BadRequest` with a sentence."""

    def __init__(self, parameters: QueryParams) -> None:
        self._parameters = parameters

    def numbers(self, name: str, default: Sequence[float], what: str) -> tuple[float, ...]:
        """Numbers in several fields of one name, or separated in a single parameter."""
        given = self._parameters.getlist(name)
        if not given:
            return tuple(default)
        if len(given) == 1:
            given = given[0].replace("/", " ").split() or [""]
        return tuple(_number(text, what) for text in given[:200])

    def number(self, name: str, default: float, what: str) -> float:
        """One number."""
        given = self._parameters.get(name)
        return default if given is None else _number(given, what)

    def whole(
        self, name: str, default: int, least: int, most: int, what: str, range: str = ""
    ) -> int:
        """An integer from `least` to `most`."""
        given = self._parameters.get(name)
        if given is None:
            return default
        text = _plain(given)
        if not _WHOLE.fullmatch(text) or not least <= int(text) <= most:
            holds = range or f"whole numbers from {least} to {most}"
            raise BadRequest(f"{what} can be {holds}, not {_quoted(given)}.")
        return int(text)

    def choice(self, name: str, options: Sequence[str], what: str, default: str = "") -> str:
        """One of `options`, by default the first."""
        given = self._parameters.get(name)
        if given is None:
            return default or options[0]
        if given not in options:
            raise BadRequest(f"{what} can be {', '.join(options)}, not {_quoted(given)}.")
        return given

    def flag(self, name: str) -> bool:
        """Whether a checkbox is ticked."""
        return self._parameters.get(name, "") not in ("", "0")


def resized(values: Sequence[float], count: int, *, centred: bool) -> tuple[float, ...]:
    """Resize a list to `count`: add zeros or cut numbers at its end, or around its centre."""
    shift = (count - 1) // 2 - (len(values) - 1) // 2 if centred else 0
    return tuple(values[i - shift] if 0 <= i - shift < len(values) else 0.0 for i in range(count))


def resquared(values: Sequence[float], side: int, *, centred: bool) -> tuple[float, ...]:
    """Resize a square, row by row, to `side`: see `resized`."""
    old = math.isqrt(len(values))
    rows = [resized(values[i * old : (i + 1) * old], side, centred=centred) for i in range(old)]
    shift = (side - 1) // 2 - (old - 1) // 2 if centred else 0
    blank = (0.0,) * side
    kept = (rows[i - shift] if 0 <= i - shift < old else blank for i in range(side))
    return tuple(value for row in kept for value in row)


def counted(values: Sequence[float], least: int, most: int, what: str) -> None:
    """Raise `BadRequest` unless there are from `least` to `most` numbers."""
    if not least <= len(values) <= most:
        raise BadRequest(f"{what} has from {least} to {most} numbers, not {len(values)}.")


def side_of(values: Sequence[float], least: int, most: int, what: str) -> int:
    """Side of a square of numbers. Raises `BadRequest` if they form no such square."""
    side = math.isqrt(len(values))
    if side * side != len(values) or not least <= side <= most:
        raise BadRequest(
            f"{what} is a square of {least} by {least} to {most} by {most} numbers, "
            f"not {len(values)} numbers."
        )
    return side


def ascii_number(value: float) -> str:
    """A number as users type it: at most `DECIMALS` decimal places."""
    text = f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


Numbers = Annotated[
    tuple[float, ...], Written(lambda numbers: " ".join(ascii_number(one) for one in numbers))
]
"""Numbers in a URL: one parameter, separated by spaces."""


def exact(value: float) -> str:
    """A number for display: like `ascii_number`, with a true minus sign."""
    return ascii_number(value).replace("-", "−")


def hundredths(value: float) -> str:
    """An average for display: two decimal places, so that a perfect match is 1.00."""
    text = f"{value:.2f}".replace("-", "−")
    return "0.00" if text == "−0.00" else text


def is_exact(value: float, digits: int = DECIMALS) -> bool:
    """Whether so many decimal places show the exact value, up to floating-point error."""
    return abs(value - round(value, digits)) < 1e-9


def factor(value: float) -> str:
    """A factor of a product: in brackets if negative."""
    return f"({exact(value)})" if value < 0 else exact(value)


def _number(given: str, what: str) -> float:
    text = _plain(given)
    if not text:
        raise BadRequest(
            f"{what}: a number is missing; from −{LARGEST} to {LARGEST}, with decimals."
        )
    value = float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else math.inf
    if abs(value) > LARGEST:
        raise BadRequest(
            f"{what}: numbers from −{LARGEST} to {LARGEST}, with decimals; not {_quoted(given)}."
        )
    return round(value, DECIMALS) + 0.0


def _plain(given: str) -> str:
    return given.strip().replace("−", "-").replace("–", "-")


def _quoted(given: str) -> str:
    given = given.strip()
    return f"“{given[:12]}{'…' if len(given) > 12 else ''}”" if given else "empty"
