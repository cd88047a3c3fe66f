"""The Lab's settings: a choice between a few options, all visible."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a tool."""

    name: str  # of its parameter
    title: str
    note: str  # what it does, in a few words
    options: tuple[tuple[str, str], ...]  # values and their labels
    current: str


def setting(
    name: str, title: str, note: str, options: Iterable[object], current: object
) -> Setting:
    """A setting whose values are their own labels."""
    return Setting(name, title, note, tuple((str(o), str(o)) for o in options), str(current))
