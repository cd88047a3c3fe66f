"""How usual the picture is to the network, in the few words that fit under the prediction."""

from __future__ import annotations

from app.services.calibration import calibration
from app.services.run import Run
from app.services.unusual import read_run
from models.graph import Step

ASK = "How usual is this picture?"


def usual(run: Run, step: Step) -> str:
    """`Odder than 58 % of photos`, of the classes' step; a question where that is unknown."""
    if step.kind != "softmax":
        return ""
    found = calibration(run.model)
    read = read_run(run, found) if found else ()
    return f"Odder than {100 * read[0].beaten:.0f}\u00a0% of photos" if read else ASK
