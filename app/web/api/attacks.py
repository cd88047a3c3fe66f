"""API route of adversarial attacks (FGSM, PGD and others), with trace, drift and control."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request

from app.errors import Cancelled
from app.services.attacks.attacks import Attack, Attacked
from app.services.attacks.job import AttackControl, AttackMoment
from app.services.attacks.options import AttackRequest
from app.vision.predict import RankedClass
from app.web.api.attack_schemas import AttackAsked, AttackInfo, ControlInfo, DriftInfo, TraceStep
from app.web.api.schemas import ERRORS, Prediction, problem
from app.web.core.state import OwnerDep, Services, ServicesDep
from models.classes import Label

router = APIRouter(tags=["attacks"])

_ERRORS: dict[int | str, dict[str, Any]] = {
    **ERRORS,
    409: problem("A partial network has no classes."),
}


@router.post("/attacks", summary="Fool a network", responses=_ERRORS)
async def attack(
    body: AttackAsked, request: Request, services: ServicesDep, owner: OwnerDep
) -> AttackInfo:
    """Run an attack to its end: one long job for each user; it stops if the client leaves."""
    options = AttackRequest(**body.model_dump(exclude={"model", "image"}))
    prepared = await services.attacks.prepare(body.model, body.image, options)
    with services.pictures.using(body.image):
        return _info(await _finished(services, request, prepared, owner))


async def _finished(services: Services, request: Request, prepared: Attack, owner: str) -> Attacked:
    async with aclosing(services.attacks.stream(prepared, owner)) as items:
        async for item in items:
            if isinstance(item, Attacked):
                return item
            if services.stopping.is_set() or await request.is_disconnected():
                break
    raise Cancelled("The attack was stopped before its end.")


def _info(done: Attacked) -> AttackInfo:
    labels, ended = done.attack.model.labels, done.ended
    return AttackInfo(
        adversarial_image=done.image,
        flipped=ended.flipped,
        reached_target=ended.reached_target,
        fooled=ended.fooled,
        before=_predictions(labels, ended.before),
        after=_predictions(labels, ended.after),
        linf=ended.linf,
        l2=ended.l2,
        ssim=done.ssim,
        notes=list(done.notes),
        trace=[_trace(labels, moment) for moment in done.trace],
        drift=[
            DriftInfo(
                step=at.step,
                relative_l2=at.relative_l2,
                cosine=at.cosine,
                noise_relative_l2=at.noise_relative_l2,
            )
            for at in ended.drift
        ],
        control=_control(labels, ended.control),
    )


def _trace(labels: Sequence[Label], moment: AttackMoment) -> TraceStep:
    first = moment.predictions[0]
    return TraceStep(
        step=moment.step,
        label=labels[first.index].label,
        probability=first.probability,
        target_probability=moment.target_probability,
        linf=moment.linf,
    )


def _control(labels: Sequence[Label], control: AttackControl) -> ControlInfo:
    return ControlInfo(
        kind=control.kind,
        flipped=control.flipped,
        after=_predictions(labels, control.predictions),
        linf=control.linf,
        l2=control.l2,
    )


def _predictions(labels: Sequence[Label], ranked: Sequence[RankedClass]) -> list[Prediction]:
    return [
        Prediction(
            index=one.index,
            label=labels[one.index].label,
            logit=one.logit,
            probability=one.probability,
        )
        for one in ranked
    ]
