"""The Lab's settings: a choice between a few options, all visible."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.web.parts.contexts import helped


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a tool."""

    name: str = helped("Name of its parameter.")
    title: str = helped("Its label.")
    note: str = helped("What it does, in a few words.")
    options: tuple[tuple[str, str], ...] = helped("Values and their labels.")
    current: str = helped("The selected value.")


def setting(
    name: str, title: str, note: str, options: Iterable[object], current: object
) -> Setting:
    """A setting whose values are their own labels."""
    return Setting(name, title, note, tuple((str(o), str(o)) for o in options), str(current))
