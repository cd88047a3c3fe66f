"""“Does it transfer?”: the attacked 8 bits, carried over to every other network that is here."""

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
from app.web.attack.pair_panels import PairDep, PairView, PairViewDep, show
from app.web.core.file_responses import csv_response, file_response
from app.web.core.state import Services, ServicesDep
from app.web.explorer.network_menu import megabytes
from app.web.parts.contexts import helped
from models.classes import Label


@dataclass(frozen=True, slots=True)
class OtherNetwork:
    """A network that can be asked."""

    id: str = helped("The id of the network.")
    title: str = helped("What it is called.")
    url: str = helped("What it says, on a page of its own.")


@dataclass(frozen=True, slots=True)
class SkippedNetworkView:
    """A network that cannot be asked."""

    title: str = helped("What it is called.")
    reason: str = helped("Why, in a sentence.")
    command: str = helped("What brings its weights; empty where nothing does.")


@dataclass(frozen=True, slots=True)
class TransferPanel:
    """The whole panel."""

    title: str = helped("What the attacked network is called.")
    clean: TransferAnswer = helped("What it says to the clean picture.")
    attacked: TransferAnswer = helped("What it says to the attacked one.")
    side: int = helped("Pixels of a side of its input.")
    asked: tuple[OtherNetwork, ...] = helped("The networks that can be asked.")
    left: tuple[SkippedNetworkView, ...] = helped("Those that cannot.")
    csv: str = helped("URL of the table.")


@dataclass(frozen=True, slots=True)
class CarriedPicture:
    """One picture as the other network gets it, and what it says."""

    id: str = helped("`photo`, `clean` or `attacked`.")
    title: str = helped("Which picture it is.")
    picture: str = helped("URL of what the network gets.")
    label: str = helped("Its likeliest class.")
    share: float = helped("The probability of that.")


@dataclass(frozen=True, slots=True)
class TransferResult:
    """One network's answers."""

    id: str = helped("The id of the network.")
    title: str = helped("What it is called.")
    side: int = helped("Pixels of a side of its input.")
    columns: tuple[CarriedPicture, ...] = helped("Photo, clean and attacked picture.")
    verdict: Verdict = helped("What became of the attack, in one word.")
    sentence: str = helped("The same, told carefully.")


def asked(view: PairView, model: Model) -> OtherNetwork:
    """A network that can be asked."""
    url = f"/attack/transfer/{quote(model.id)}?{view.query()}"
    return OtherNetwork(model.id, model.row.title, url)


def left(one: SkippedNetwork) -> SkippedNetworkView:
    """A network that cannot be asked, and why."""
    row = one.model.row
    if one.partial:
        reason = f"Its file ends at {one.model.entry.last}: without a classifier it names nothing."
        return SkippedNetworkView(row.title, reason, "")
    reason = f"Its weights are not on this computer ({megabytes(row.bytes)})."
    return SkippedNetworkView(row.title, reason, f"python -m app weights get {row.id}")


def answered(
    view: PairView,
    pair: PicturePair,
    mine: tuple[TransferAnswer, TransferAnswer],
    found: Transferred,
) -> TransferResult:
    """One network's answers."""
    side = pair.clean.shape[1]
    query = f"{view.query(other=found.model.id)}&v={DRAWING}"
    titles = {
        "photo": ("The photo itself", found.photo),
        "clean": (f"Clean, at {side}×{side}", found.clean),
        "attacked": (f"Attacked, at {side}×{side}", found.attacked),
    }
    return TransferResult(
        found.model.id,
        found.model.row.title,
        found.model.row.crop,
        tuple(
            CarriedPicture(
                id,
                title,
                f"/attack/transfer.png?{query}&which={id}",
                answer.first.label,
                answer.ranked[0].probability,
            )
            for id, (title, answer) in titles.items()
        ),
        found.verdict,
        _sentence(pair, mine, found),
    )


def _sentence(
    pair: PicturePair, mine: tuple[TransferAnswer, TransferAnswer], found: Transferred
) -> str:
    before, after = (one.first for one in mine)
    if before.wnid == after.wnid:
        return (
            f"The attack did not fool {pair.model.row.title} itself, so there is little to carry "
            f"over. {_changed(found)}"
        )
    text = _verdict(pair.model.row.title, found, before, after)
    return f"{text} {_target(found)}".strip()


def _verdict(mine: str, found: Transferred, before: Label, after: Label) -> str:
    clean, attacked = found.clean.first.label, found.attacked.first.label
    lacks = "" if found.made_here else f" It has no class “{after.label}” to be fooled into."
    match found.verdict:
        case "absent":
            return (
                f"It has no class “{before.label}” among its {len(found.model.labels)}, so it "
                f"cannot be right, and fooled means little. {_changed(found)}"
            )
        case "elsewhere":
            return (
                f"It says “{clean}” to the clean picture already, not “{before.label}”: whether "
                f"the attack would have fooled it cannot be said. {_changed(found)}"
            )
        case "held":
            return f"Not fooled: “{before.label}” both times.{lacks}"
        case "same":
            return f"Fooled as well, and into the same: “{attacked}”, as {mine}."
        case _:
            return f"Fooled as well, but into “{attacked}” and not “{after.label}”.{lacks}"


def _changed(found: Transferred) -> str:
    clean, attacked = found.clean.first, found.attacked.first
    if clean.wnid == attacked.wnid:
        return "Its answer does not change."
    return f"Its answer changes, from “{clean.label}” to “{attacked.label}”."


def _target(found: Transferred) -> str:
    if found.target is None:
        return ""
    return "The attack’s target is reached here, too." if found.target else "The target is not."


router = APIRouter()

TITLE = "Does it transfer?"


@router.get("/transfer")
async def transfer(
    request: Request, view: PairViewDep, pair: PairDep, services: ServicesDep
) -> Response:
    """The panel: what the attacked network says, and the others to be asked one by one."""
    ready, rest = other_networks(services.catalogue, pair.model.id)
    clean, attacked = await own_predictions(services.engine, pair)
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
    ready, _ = other_networks(services.catalogue, pair.model.id)
    found = [await _asked(pair, services, model.id) for model in ready]
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
    services: ServicesDep,
    other: str,
    which: Literal["photo", "clean", "attacked"] = "attacked",
    v: str = "",
) -> Response:
    """What the other network gets of one of the pictures."""
    model = services.catalogue.model(other)

    def drawn() -> bytes:
        whole, clean, attacked = transfer_inputs(pair, services.pictures.open(pair.before), model)
        return input_png({"photo": whole, "clean": clean, "attacked": attacked}[which])

    return file_response(await asyncio.to_thread(drawn), "image/png", v == str(DRAWING))


@router.get("/transfer/{other}")
async def transfer_to(
    request: Request, other: str, view: PairViewDep, pair: PairDep, services: ServicesDep
) -> Response:
    """What one other network says."""
    if other == pair.model.id:
        raise BadRequest("That is the network that was attacked: name another one.")
    found = await _asked(pair, services, other)
    mine = await own_predictions(services.engine, pair)
    one = answered(view, pair, mine, found)
    title = f"Does it transfer to {one.title}?"
    return show(request, title, "attack/_transferred.html", {"one": one})


async def _asked(pair: PicturePair, services: Services, other: str) -> Transferred:
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
