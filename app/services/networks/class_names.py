"""Finds a class by index or name, and suggests the nearest names for an unknown one."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from app.errors import BadRequest
from models.classes import Label

NEAREST = 5
LONGEST = 9
"""Digits of the longest text that can be an index: Python refuses to read 5,000."""


def find_class(labels: Sequence[Label], wanted: int | str) -> int:
    """Return the index of a class given by index, label, WordNet id or any name of its synset.

    Raises `BadRequest` with the nearest names, or with all classes of that name.
    """
    if isinstance(wanted, int):
        return _by_index(labels, wanted)
    name = wanted.strip().casefold()
    if name.isdecimal():
        return _by_index(labels, int(name) if len(name) <= LONGEST else None)
    found = [one for one in labels if name in (one.label.casefold(), one.wnid)]
    found = found or [one for one in labels if name in _names(one)]
    if len(found) == 1:
        return found[0].index
    if found:
        choice = "; ".join(f"{one.index} ({one.synset})" for one in found)
        raise BadRequest(f"“{wanted}” is the name of several classes: {choice}. Give the index.")
    raise BadRequest(f"There is no class called “{wanted[:60]}”.{_suggestion(labels, name)}")


def _by_index(labels: Sequence[Label], index: int | None) -> int:
    """Check an index; None stands for one that is too long to be read."""
    if index is None or not 0 <= index < len(labels):
        short = index is not None and abs(index) < 10**LONGEST
        given = f"not {index}" if short else "and this number is far too large"
        raise BadRequest(f"Classes have indices 0 to {len(labels) - 1}, {given}.")
    return index


def _names(label: Label) -> list[str]:
    return [label.label.casefold(), *(part.strip().casefold() for part in label.synset.split(","))]


def _suggestion(labels: Sequence[Label], name: str) -> str:
    """A sentence with the classes whose names contain `name`, then the most similar ones."""
    by_name = {other: one.label for one in labels for other in _names(one)}
    within = [other for other in by_name if name and name in other]
    alike = get_close_matches(name, list(by_name), NEAREST, 0.5)
    nearest = list(dict.fromkeys(by_name[other] for other in (*within, *alike)))[:NEAREST]
    return f" The nearest are: {', '.join(nearest)}." if nearest else ""
