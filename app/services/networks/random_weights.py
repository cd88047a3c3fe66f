"""Untrained twins: every network with random weights, to show what training changed."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import torch

from models import registry
from models.graph import Network
from models.row import Weights

SUFFIX = "-random"
SEED = 0

ABOUT = (
    "{title} as it is before training: the same steps, every weight drawn at random (He "
    "initialisation, seed {seed}), every bias zero. Its predictions are guesses. What its maps "
    "lack compared with the trained network's is what training added."
)


def twin_id(id: str) -> str:
    """The id of a network's twin, such as `alexnet-random`."""
    return id + SUFFIX


def trained_id(id: str) -> str:
    """The id of the network whose twin has that id; "" if it is no twin's id."""
    return id.removesuffix(SUFFIX) if id.endswith(SUFFIX) else ""


def twin_row(pattern: Weights) -> Weights:
    """The table row of a network's twin: no file, and its own digest, so that caches differ.

    The digest is of the recipe: architecture, seed, initialisation and PyTorch's version.
    """
    recipe = ("random", pattern.architecture, SEED, "He", torch.__version__)
    return replace(
        pattern,
        id=twin_id(pattern.id),
        title=f"{pattern.title}, random weights",
        about=ABOUT.format(title=pattern.title, seed=SEED),
        file="",
        bytes=0,
        sha256=hashlib.sha256(repr(recipe).encode()).hexdigest(),
        licence="nobody's: drawn on this computer",
        source=f"PyTorch's random numbers, seed {SEED}",
        embedded=False,
        url="",
        second="",
        top1=0.0,
        top5=0.0,
    )


def draw(row: Weights, last: str | None = None) -> Network:
    """Create the twin, up to the step `last`; deterministic."""
    return registry.seeded(row.architecture, SEED, last)
