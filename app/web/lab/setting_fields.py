"""The Lab's settings: one choice of a few, all of them in sight."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.web.parts.contexts import helped


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a tool."""

    name: str = helped("Name of its parameter.")
    title: str = helped("What it sets.")
    note: str = helped("What it does, in a few words.")
    options: tuple[tuple[str, str], ...] = helped("Values and what is written for them.")
    current: str = helped("The chosen value.")


def setting(
    name: str, title: str, note: str, options: Iterable[object], current: object
) -> Setting:
    """A setting whose values are written as they are."""
    return Setting(name, title, note, tuple((str(o), str(o)) for o in options), str(current))
