"""The unit that a panel is asked about, as its query names it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from app.web.links import View


def unit_asked(
    model: str,
    image: str,
    step: str,
    channel: Annotated[int, Query(ge=0)],
    y: Annotated[int | None, Query(ge=0)] = None,
    x: Annotated[int | None, Query(ge=0)] = None,
) -> View:
    """Not looked up yet."""
    return View(model, image, step, channel, y, x)


UnitDep = Annotated[View, Depends(unit_asked)]
