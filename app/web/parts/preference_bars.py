"""The classes that a unit responds to most, as bars show them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PreferenceBar:
    """A class and how strongly it activates a unit."""

    label: str
    value: float  # the mean of its pictures' activations or peaks
    share: float  # of the largest, 0..1
