"""Panel “Does it transfer?”, a transfer attack: the attacked 8 bits on every other network here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.errors import BadRequest
from app.pictures.preprocess import input_png
from app.services.attacks.transfer import (
    SkippedNetwork,
    TransferAnswer,
    Transferred,
    Verdict,
    other_networks,
    own_predictions,
    predict_transfer,
    transfer_inputs,
)
from app.services.networks.catalogue import Model
from app.services.runs.pairs import PicturePair
from app.services.runs.sheets import DRAWING
from app.web.attack.pair_query import PairDep, PairView, PairViewDep, show
from app.web.core.base_path import base
from app.web.core.file_responses import csv_response, file_response
from app.web.core.state import Services, ServicesDep
from app.web.core.work import WorkDep
from app.web.explorer.network_menu import megabytes
from app.web.panels.panel import AttackPanel
from app.web.parts.contexts import helped
from models.classes import Label


@dataclass(frozen=True, slots=True)
class OtherNetwork:
    """A network that can be tested."""

    id: str
    title: str
    url: str  # of its result, on a page of its own


@dataclass(frozen=True, slots=True)
class SkippedNetworkView:
    """A network that cannot be tested."""

    title: str
    reason: str
    command: str  # gets its weights; "" if there is none


@dataclass(frozen=True, slots=True)
class TransferPanel:
    """The whole panel."""

    title: str = helped("Title of the attacked network.")
    clean: TransferAnswer = helped("Its prediction for the clean picture.")
    attacked: TransferAnswer = helped("Its prediction for the attacked one.")
    side: int = helped("Side of its input, pixels.")
    asked: tuple[OtherNetwork, ...] = helped("The networks that can be tested.")
    left: tuple[SkippedNetworkView, ...] = helped("The networks that cannot.")
    csv: str = helped("URL of the table.")


@dataclass(frozen=True, slots=True)
class CarriedPicture:
    """One picture as the other network gets it, and the prediction."""

    id: str  # `photo`, `clean` or `attacked`
    title: str
    picture: str  # URL of the network's input
    label: str  # the predicted class
    share: float  # its probability, 0..1


@dataclass(frozen=True, slots=True)
class TransferResult:
    """One network's predictions."""

    id: str
    title: str
    side: int  # of its input, pixels
    columns: tuple[CarriedPicture, ...]  # photo, clean and attacked picture
    verdict: Verdict
    sentence: str


def other_network(view: PairView, model: Model) -> OtherNetwork:
    """A network that can be tested."""
    url = f"{base()}/attack/transfer/{quote(model.id)}?{view.query()}"
    return OtherNetwork(model.id, model.row.title, url)


def skipped_network(one: SkippedNetwork) -> SkippedNetworkView:
    """A network that cannot be tested, and why."""
    row = one.model.row
    if one.partial:
        reason = f"Its file ends at {one.model.entry.last}: it has no classes."
        return SkippedNetworkView(row.title, reason, "")
    reason = f"Its weights are not on this computer ({megabytes(row.bytes)})."
    return SkippedNetworkView(row.title, reason, f"python -m app weights get {row.id}")


def transfer_result(
    view: PairView,
    pair: PicturePair,
    mine: tuple[TransferAnswer, TransferAnswer],
    transferred: Transferred,
) -> TransferResult:
    """One network's predictions."""
    side = pair.clean.shape[1]
    query = view.query({"other": transferred.model.id, "v": DRAWING})
    titles = {
        "photo": ("The photo itself", transferred.photo),
        "clean": (f"Clean, at {side}×{side}", transferred.clean),
        "attacked": (f"Attacked, at {side}×{side}", transferred.attacked),
    }
    return TransferResult(
        transferred.model.id,
        transferred.model.row.title,
        transferred.model.row.crop,
        tuple(
            CarriedPicture(
                id,
                title,
                f"{base()}/attack/transfer.png?{query}&which={id}",
                answer.first.label,
                answer.ranked[0].probability,
            )
            for id, (title, answer) in titles.items()
        ),
        transferred.verdict,
        _sentence(pair, mine, transferred),
    )


def _sentence(
    pair: PicturePair, mine: tuple[TransferAnswer, TransferAnswer], transferred: Transferred
) -> str:
    before, after = (one.first for one in mine)
    if before.wnid == after.wnid:
        return (
            f"The attack did not fool {pair.model.row.title} itself, so there is little to "
            f"transfer. {_changed(transferred)}"
        )
    text = _verdict(pair.model.row.title, transferred, before, after)
    return f"{text} {_target(transferred)}".strip()


def _verdict(mine: str, transferred: Transferred, before: Label, after: Label) -> str:
    clean, attacked = transferred.clean.first.label, transferred.attacked.first.label
    lacks = "" if transferred.made_here else f" It has no class “{after.label}” to be fooled into."
    match transferred.verdict:
        case "absent":
            return (
                f"It has no class “{before.label}” among its {len(transferred.model.labels)}, so "
                f"it cannot be right, and “fooled” means little. {_changed(transferred)}"
            )
        case "elsewhere":
            return (
                f"It already says “{clean}” to the clean picture, not “{before.label}”: so it "
                f"is not known whether the attack would have fooled it. {_changed(transferred)}"
            )
        case "held":
            return f"Not fooled: “{before.label}” both times.{lacks}"
        case "same":
            return f"Fooled as well, and into the same: “{attacked}”, as {mine}."
        case _:
            return f"Fooled as well, but into “{attacked}” and not “{after.label}”.{lacks}"


def _changed(transferred: Transferred) -> str:
    clean, attacked = transferred.clean.first, transferred.attacked.first
    if clean.wnid == attacked.wnid:
        return "Its answer does not change."
    return f"Its answer changes, from “{clean.label}” to “{attacked.label}”."


def _target(transferred: Transferred) -> str:
    if transferred.target is None:
        return ""
    return (
        "The attack’s target is reached here, too." if transferred.target else "The target is not."
    )


router = APIRouter()

PANEL = AttackPanel(
    "transfer", "Does it transfer?", "The same pixels, shown to every other network.", router=router
)


@router.get("/transfer")
async def transfer(
    request: Request, view: PairViewDep, pair: PairDep, services: ServicesDep
) -> Response:
    """The panel: the attacked network's predictions, and the others to test one by one."""
    ready, rest = other_networks(services.catalogue, pair.model.id)
    clean, attacked = await own_predictions(services.engine, pair)
    panel = TransferPanel(
        pair.model.row.title,
        clean,
        attacked,
        pair.clean.shape[1],
        tuple(other_network(view, model) for model in ready),
        tuple(skipped_network(one) for one in rest),
        f"{base()}/attack/transfer.csv?{view.query()}",
    )
    return show(request, PANEL.title, "attack/_transfer.html", {"panel": panel})


@router.get("/transfer.csv")
async def transfer_csv(pair: PairDep, services: ServicesDep) -> Response:
    """A line for each network and each of its three predictions."""
    ready, _ = other_networks(services.catalogue, pair.model.id)
    found = [await _transferred(pair, services, model.id) for model in ready]
    clean, attacked = await own_predictions(services.engine, pair)
    mine = pair.model.row.title
    own = [
        (mine, which, one.first.wnid, one.first.label, one.ranked[0].probability, "")
        for which, one in (("clean", clean), ("attacked", attacked))
    ]
    head = ["network", "picture", "wnid", "label", "probability", "outcome"]
    return csv_response(head, [*own, *_lines(found)], "layerscope-transfer.csv")


@router.get("/transfer.png")
async def transfer_png(
    pair: PairDep,
    side: WorkDep,
    services: ServicesDep,
    other: str,
    which: Literal["photo", "clean", "attacked"] = "attacked",
    v: str = "",
) -> Response:
    """The other network's input for one of the pictures."""
    model = services.catalogue.model(other)

    def drawn() -> bytes:
        whole, clean, attacked = transfer_inputs(pair, services.pictures.open(pair.before), model)
        return input_png({"photo": whole, "clean": clean, "attacked": attacked}[which])

    return file_response(await side(drawn), "image/png", v == str(DRAWING))


@router.get("/transfer/{other}")
async def transfer_to(
    request: Request, other: str, view: PairViewDep, pair: PairDep, services: ServicesDep
) -> Response:
    """The predictions of one other network."""
    if other == pair.model.id:
        raise BadRequest("That is the network that was attacked: name another one.")
    found = await _transferred(pair, services, other)
    mine = await own_predictions(services.engine, pair)
    one = transfer_result(view, pair, mine, found)
    title = f"Does it transfer to {one.title}?"
    return show(request, title, "attack/_transferred.html", {"one": one})


async def _transferred(pair: PicturePair, services: Services, other: str) -> Transferred:
    photo = await asyncio.to_thread(services.pictures.open, pair.before)
    return await predict_transfer(services.engine, services.catalogue, pair, photo, other)


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
