"""Registry of all panels, under a unit and under an attack, in the order of their links.

A new panel is a function in `app/vision/`, a file with its context, the function that fills it and
its `PANEL`, a partial, and its line here.
"""

from __future__ import annotations

from app.web.attack import robustness, sticker, survive, sweep, transfer, unusual
from app.web.attack.where import routes as where
from app.web.panels import class_contributions, crops, numbers, projections, slices
from app.web.panels.interventions import ablation, cover, occlusion
from app.web.panels.panel import Panel
from app.web.panels.synthesis import routes as synthesis

PANELS: tuple[Panel, ...] = (
    synthesis.PANEL,
    synthesis.STEP_PANEL,
    crops.PANEL,
    projections.PANEL,
    class_contributions.PANEL,
    numbers.PANEL,
    slices.PANEL,
    cover.PANEL,
    occlusion.PANEL,
    ablation.PANEL,
    where.PANEL,
    sweep.PANEL,
    survive.PANEL,
    transfer.PANEL,
    unusual.PANEL,
    sticker.PANEL,
    robustness.PANEL,
)
