"""The survey of mini, made once for all tests that need one."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch

from app.services.networks.catalogue import Catalogue
from app.services.surveys.survey import Survey, survey, write_survey
from app.services.surveys.surveys import weights_id
from tests.support.networks import embedded


@cache
def surveyed() -> Survey:
    """All of it."""
    model = Catalogue(torch.device("cpu"), 1).model("mini")
    *_, made = survey(model, embedded(), weights_id(model))
    assert isinstance(made, Survey)
    return made


def put_survey(data: Path) -> None:
    """Where a server over that folder looks for it."""
    made = surveyed()
    write_survey(data / "surveys" / f"mini.{made.weights[:12]}.safetensors", made)
