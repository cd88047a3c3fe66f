"""A pass of which only some steps are asked for, alone and together with whole ones."""

from __future__ import annotations

import asyncio

import pytest
import torch

from app.services.engine import engine as module
from app.services.engine.engine import LocalEngine, StepResult
from models.graph import Network
from tests.support.engines import Held, toy
from tests.support.waiting import until


async def names(
    engine: LocalEngine, network: Network, picture: torch.Tensor, wanted: set[str] | None
) -> list[StepResult]:
    return [result async for result in engine.forward(network, picture, wanted)]


async def test_only_what_is_wanted_is_told_and_measured(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = 0
    real = module.statistics  # type: ignore[attr-defined]

    def counted(batch: torch.Tensor) -> object:
        nonlocal measured
        measured += 1
        return real(batch)

    monkeypatch.setattr(module, "statistics", counted)
    network, picture = toy(), torch.randn(3, 4, 4)
    results = await names(engine, network, picture, {"relu1", "fc"})
    assert [one.step.name for one in results] == ["relu1", "fc"]
    assert measured == 2
    torch.testing.assert_close(results[-1].tensor, network(picture[None])[0])


async def test_in_one_batch_everybody_gets_their_own(engine: LocalEngine) -> None:
    held = Held()
    blocking = asyncio.create_task(names(engine, toy(held), torch.zeros(3, 4, 4), None))
    await until(held.reached.is_set)
    network = toy()
    pictures = torch.randn(3, 3, 4, 4)
    asked: list[set[str] | None] = [{"fc"}, None, {"conv1"}]
    waiting = [
        asyncio.create_task(names(engine, network, one, wanted))
        for one, wanted in zip(pictures, asked, strict=True)
    ]
    await until(lambda: engine.waiting == 3)
    held.let.set()
    await blocking
    last, whole, first = [await task for task in waiting]
    assert [one.step.name for one in last] == ["fc"]
    assert [one.step.name for one in whole] == [step.name for step in network.steps]
    assert [one.step.name for one in first] == ["conv1"]
    assert whole[0].batch == 3
    torch.testing.assert_close(last[0].tensor, network(pictures[:1])[0])
    assert last[0].statistics.max == pytest.approx(float(last[0].tensor.max()))
    assert whole[-1].statistics.max == pytest.approx(float(whole[-1].tensor.max()))
