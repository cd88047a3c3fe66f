"""“Does it survive?”: both pictures saved, shrunk, photographed, and what the network says then."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.errors import BadRequest
from app.pictures.journey import JOURNEY
from app.pictures.preprocess import input_png
from app.services.sheets import DRAWING
from app.services.survive import sent, survived, trials
from app.web.api.answers import Download, kept, table
from app.web.attack.frame import PairDep, PairViewDep, show
from app.web.attack.parts import addressed, is_part, strength
from app.web.attack.survive_contexts import SurvivePanel, query, result, row, summary, switches
from app.web.state import OwnerDep, ServicesDep
from app.web.templating import render

router = APIRouter()

TITLE = "Does it survive?"
TABLE = "Does it survive? Each thing alone"


def chosen_stops(request: Request) -> dict[str, float]:
    """What is switched on, with its strength. Raises `BadRequest`."""
    on = request.query_params.getlist("on")
    known = {one.id for one in JOURNEY}
    if unknown := [id for id in on if id not in known]:
        raise BadRequest(f"There is no “{unknown[0][:40]}” here: on is one of {', '.join(known)}.")
    return {
        one.id: strength(request, one.id, one.least, one.most, one.start)
        for one in JOURNEY
        if one.id in on
    }


ChosenDep = Annotated[dict[str, float], Depends(chosen_stops)]


@router.get("/survive")
async def survive(
    request: Request, view: PairViewDep, chosen: ChosenDep, pair: PairDep, services: ServicesDep
) -> Response:
    """The panel; for its own form the results alone."""
    both = await asyncio.to_thread(sent, pair, chosen)
    start, found = await survived(services.engine, pair, both)
    outcome = result(view, pair.model.labels, start, found, chosen)
    if is_part(request, "survive-result"):
        response = render(request, "attack/_survive_result.html", {"result": outcome})
        return addressed(request, response, query(view, chosen))
    files = view.query()
    panel = SurvivePanel(
        view,
        switches(chosen),
        outcome,
        f"/attack/survive/table?{files}",
        f"/attack/survive.csv?{files}",
    )
    return show(request, TITLE, "attack/_survive.html", {"panel": panel})


@router.get("/survive.png")
async def survive_png(
    pair: PairDep,
    chosen: ChosenDep,
    which: Literal["clean", "attacked"] = "attacked",
    v: str = "",
    download: Download = "",
) -> Response:
    """One of the pictures after the journey, exactly the 8 bits that the network was asked."""

    def drawn() -> bytes:
        clean, attacked = sent(pair, chosen)
        return input_png(attacked if which == "attacked" else clean)

    return kept(await asyncio.to_thread(drawn), "image/png", v == str(DRAWING), download)


@router.get("/survive/table")
async def survive_table(
    request: Request, view: PairViewDep, pair: PairDep, services: ServicesDep, owner: OwnerDep
) -> Response:
    """Everything that can happen, each thing alone."""
    start, found = await trials(services.engine, owner, pair)
    context = {
        "rows": [row(pair.model.labels, one) for one in found],
        "summary": summary(start, found),
        "csv": f"/attack/survive.csv?{view.query()}",
    }
    return show(request, TABLE, "attack/_survive_table.html", context)


@router.get("/survive.csv")
async def survive_csv(pair: PairDep, services: ServicesDep, owner: OwnerDep) -> Response:
    """The same as a table to keep."""
    start, found = await trials(services.engine, owner, pair)
    labels = pair.model.labels
    head = [
        "transformation", "strength", "clean label", "clean probability",
        "attacked label", "attacked probability", "outcome",
    ]  # fmt: skip
    none = ("none", "", start.clean, start.attacked, "fooled" if start.fooled else "none")
    rows = [none, *((t.stop.id, t.strength, t.clean, t.attacked, t.fate) for t in found)]
    lines = (
        (id, value, labels[a.index].label, a.probability, labels[b.index].label, b.probability, end)
        for id, value, a, b, end in rows
    )
    return table(head, lines, "layerscope-survives.csv")
