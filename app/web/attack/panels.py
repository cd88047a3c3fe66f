"""The panels under the result of an attack: their links, and the route of those without one."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.errors import NotFound
from app.web.attack.pair_query import PairDep, PairView, show
from app.web.core.base_path import base
from app.web.core.work import WorkDep
from app.web.panels.panel import AttackPanel, Panel, PanelsDep

router = APIRouter()


@router.get("/{panel}")
async def panel(
    request: Request, panel: str, panels: PanelsDep, pair: PairDep, side: WorkDep
) -> Response:
    """The content of one panel."""
    chosen = next((one for one in attack_panels(panels) if one.id == panel), None)
    if chosen is None or chosen.build is None:
        raise NotFound("There is no such panel.")
    context = await side(chosen.build, pair)
    return show(request, chosen.title, chosen.template, {"panel": context})


def attack_panels(panels: tuple[Panel, ...]) -> list[AttackPanel]:
    """The panels under an attack."""
    return [one for one in panels if isinstance(one, AttackPanel)]


def attack_links(panels: tuple[Panel, ...], pair: PairView) -> tuple[tuple[AttackPanel, str], ...]:
    """Each panel of a pair of pictures with its URL."""
    return tuple((one, f"{base()}/attack/{one.id}?{pair.query()}") for one in attack_panels(panels))
