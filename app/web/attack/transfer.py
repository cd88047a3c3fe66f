"""“Does it transfer?”: the attacked 8 bits, carried over to every other network that is here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.errors import BadRequest
from app.pictures.preprocess import input_png
from app.services.pairs import Pair
from app.services.sheets import DRAWING
from app.services.transfer import Transferred, carried, others, own_answers, transferred
from app.web.api.answers import kept, table
from app.web.attack.frame import PairDep, PairViewDep, show
from app.web.attack.transfer_contexts import TransferPanel, answered, asked, left
from app.web.state import Services, ServicesDep

router = APIRouter()

TITLE = "Does it transfer?"


@router.get("/transfer")
async def transfer(
    request: Request, view: PairViewDep, pair: PairDep, services: ServicesDep
) -> Response:
    """The panel: what the attacked network says, and the others to be asked one by one."""
    ready, rest = others(services.catalogue, pair.model.id)
    clean, attacked = await own_answers(services.engine, pair)
    panel = TransferPanel(
        pair.model.row.title,
        clean,
        attacked,
        pair.clean.shape[1],
        tuple(asked(view, model) for model in ready),
        tuple(left(one) for one in rest),
        f"/attack/transfer.csv?{view.query()}",
    )
    return show(request, TITLE, "attack/_transfer.html", {"panel": panel})


@router.get("/transfer.csv")
async def transfer_csv(pair: PairDep, services: ServicesDep) -> Response:
    """A line for each network and each of its three answers."""
    ready, _ = others(services.catalogue, pair.model.id)
    found = [await _asked(pair, services, model.id) for model in ready]
    clean, attacked = await own_answers(services.engine, pair)
    mine = pair.model.row.title
    own = [
        (mine, which, one.first.wnid, one.first.label, one.ranked[0].probability, "")
        for which, one in (("clean", clean), ("attacked", attacked))
    ]
    head = ["network", "picture", "wnid", "label", "probability", "outcome"]
    return table(head, [*own, *_lines(found)], "layerscope-transfer.csv")


@router.get("/transfer.png")
async def transfer_png(
    pair: PairDep,
    services: ServicesDep,
    other: str,
    which: Literal["photo", "clean", "attacked"] = "attacked",
    v: str = "",
) -> Response:
    """What the other network gets of one of the pictures."""
    model = services.catalogue.model(other)

    def drawn() -> bytes:
        whole, clean, attacked = carried(pair, services.pictures.open(pair.before), model)
        return input_png({"photo": whole, "clean": clean, "attacked": attacked}[which])

    return kept(await asyncio.to_thread(drawn), "image/png", v == str(DRAWING))


@router.get("/transfer/{other}")
async def transfer_to(
    request: Request, other: str, view: PairViewDep, pair: PairDep, services: ServicesDep
) -> Response:
    """What one other network says."""
    if other == pair.model.id:
        raise BadRequest("That is the network that was attacked: name another one.")
    found = await _asked(pair, services, other)
    mine = await own_answers(services.engine, pair)
    one = answered(view, pair, mine, found)
    title = f"Does it transfer to {one.title}?"
    return show(request, title, "attack/_transferred.html", {"one": one})


async def _asked(pair: Pair, services: Services, other: str) -> Transferred:
    photo = await asyncio.to_thread(services.pictures.open, pair.before)
    return await transferred(services.engine, services.catalogue, pair, photo, other)


def _lines(found: list[Transferred]) -> Iterator[tuple[object, ...]]:
    for one in found:
        for which, answer in (
            ("photo", one.photo),
            ("clean", one.clean),
            ("attacked", one.attacked),
        ):
            share = answer.ranked[0].probability
            outcome = one.verdict if which == "attacked" else ""
            label = answer.first
            yield (one.model.row.title, which, label.wnid, label.label, share, outcome)
