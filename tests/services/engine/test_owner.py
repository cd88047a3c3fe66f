"""Owners take turns by browser; one address has at most half of the waiting places."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import torch

from app.errors import Busy
from app.services.engine.engine import LocalEngine
from app.services.engine.owner import Owner, owner_as

CPU = torch.device("cpu")


async def begun(engine: LocalEngine, owner: str) -> AsyncGenerator[int | str]:
    job = engine.stream(owner, lambda: iter("abc"))
    await anext(job)
    return job


def test_an_owner_is_its_token() -> None:
    owner = Owner("token", "10.0.0.1")
    assert owner == "token" and hash(owner) == hash("token") and owner.lane == "token"
    assert owner_as(owner) is owner and owner_as("plain").address == ""
    beside = owner.beside("charts")
    assert beside != owner and beside.lane != owner.lane and beside.address == owner.address


async def test_one_address_leaves_room_for_the_next() -> None:
    engine = LocalEngine(CPU, queue=8)
    jobs = [await begun(engine, Owner(f"pupil {n}", "10.0.0.1")) for n in range(4)]
    with pytest.raises(Busy, match="Very many"):
        await begun(engine, Owner("pupil 5", "10.0.0.1"))
    jobs.append(await begun(engine, Owner("teacher", "10.0.0.2")))
    assert await anext(jobs[-1]) == "a"
    await jobs[0].aclose()
    jobs.append(await begun(engine, Owner("pupil 5", "10.0.0.1")))
    for job in jobs:
        await job.aclose()
    await engine.close()


async def test_whoever_keeps_no_cookie_has_one_place() -> None:
    engine = LocalEngine(CPU)
    first = await begun(engine, Owner("one", "10.0.0.1", known=False))
    with pytest.raises(Busy, match="One long job of yours"):
        await begun(engine, Owner("two", "10.0.0.1", known=False))
    second = await begun(engine, Owner("three", "10.0.0.1"))
    for job in (first, second):
        await job.aclose()
    await engine.close()
