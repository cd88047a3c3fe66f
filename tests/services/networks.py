"""The embedded network, as the app loads it."""

from __future__ import annotations

from app.services.shelf import Entry
from app.services.weights import load
from models.graph import Network
from models.weights import TABLE

ENTRY = Entry(TABLE[0], TABLE[0].path, "embedded", True)


def embedded() -> Network:
    """`mini` with its weights."""
    return load(ENTRY)
