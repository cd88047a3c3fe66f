"""Which steps stand for layers 1 to 5?"""

from __future__ import annotations

from collections.abc import Sequence

from models.graph import Step

KINDS = ("conv", "norm", "relu", "concat")
"""Kinds of the steps before a stage's pooling."""


def stage_ends(steps: Sequence[Step]) -> dict[int, str]:
    """The last step of each stage before its pooling, by stage: its maps represent the layer."""
    return {s.stage: s.name for s in steps if s.stage is not None and s.kind in KINDS}
