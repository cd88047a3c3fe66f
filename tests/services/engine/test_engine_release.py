"""What the engine lets go of, and what cannot bring it to a stop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from app.errors import Cancelled
from app.services.engine.engine import LocalEngine, StepResult
from models.graph import Layer, Network, Step
from tests.support.engines import CPU, Held, toy
from tests.support.waiting import HANG, until

PICTURE = torch.zeros(3, 4, 4)


async def everything(
    engine: LocalEngine, network: Network, picture: torch.Tensor
) -> list[StepResult]:
    return [result async for result in engine.forward(network, picture)]


async def closed(items: object) -> None:
    await items.aclose()  # type: ignore[attr-defined]


async def test_a_pass_closed_before_its_first_step_leaves_the_queue(engine: LocalEngine) -> None:
    held, never = Held(), Held()
    running = asyncio.create_task(everything(engine, toy(held), PICTURE))
    await until(held.reached.is_set)
    await closed(engine.forward(toy(never), PICTURE))
    assert engine.waiting == 0
    held.let.set()
    await running
    await until(lambda: engine.idle)
    assert never.count == 0


async def test_a_pass_that_is_closed_stops_before_its_next_step(engine: LocalEngine) -> None:
    held = Held()
    network = toy(held)
    reached: list[str] = []
    network.module("conv2").register_forward_hook(lambda *_: reached.append("conv2"))
    steps = engine.forward(network, PICTURE)
    assert (await anext(steps)).step.name == "conv1"
    await until(held.reached.is_set)
    await closed(steps)
    held.let.set()
    await until(lambda: engine.idle)
    assert reached == []


async def test_one_of_a_batch_leaving_does_not_stop_the_others(engine: LocalEngine) -> None:
    first, held = Held(), Held()
    running = asyncio.create_task(everything(engine, toy(first), PICTURE))
    await until(first.reached.is_set)
    network = toy(held)
    staying, leaving = (
        asyncio.create_task(everything(engine, network, torch.ones(3, 4, 4))) for _ in range(2)
    )
    await until(lambda: engine.waiting == 2)
    first.let.set()
    await running
    await until(held.reached.is_set)
    leaving.cancel()
    held.let.set()
    results = await staying
    assert (len(results), results[0].batch) == (6, 2)
    torch.testing.assert_close(results[-1].tensor, network(torch.ones(1, 3, 4, 4))[0])


async def test_a_picture_of_another_shape_spoils_nobody_elses_pass(engine: LocalEngine) -> None:
    held = Held()
    running = asyncio.create_task(everything(engine, toy(held), PICTURE))
    await until(held.reached.is_set)
    network = toy()
    good = [asyncio.create_task(everything(engine, network, PICTURE)) for _ in range(2)]
    bad = asyncio.create_task(everything(engine, network, torch.zeros(3, 9, 9)))
    await until(lambda: engine.waiting == 3)
    held.let.set()
    await running
    assert [len(await task) for task in good] == [5, 5]
    with pytest.raises(RuntimeError):
        await bad


async def test_a_network_that_cannot_be_planned_is_told_and_the_engine_goes_on(
    engine: LocalEngine,
) -> None:
    # A convolution that does not state its window has no geometry, and so no size of a batch.
    odd = Network(4, [(1, [Layer(Step("conv", "conv", channels=2), torch.nn.Conv2d(3, 2, 1))])])
    async with asyncio.timeout(HANG):
        with pytest.raises(ValueError, match="without a window"):
            await everything(engine, odd, PICTURE)
        assert await everything(engine, Network(4, []), PICTURE) == []
        assert len(await everything(engine, toy(), PICTURE)) == 5


async def test_nothing_of_a_kept_step_holds_its_whole_batch(engine: LocalEngine) -> None:
    held = Held()
    running = asyncio.create_task(everything(engine, toy(held), PICTURE))
    await until(held.reached.is_set)
    network = toy()
    tasks = [asyncio.create_task(everything(engine, network, PICTURE)) for _ in range(4)]
    await until(lambda: engine.waiting == 4)
    held.let.set()
    await running
    for task in tasks:
        for result in await task:
            assert result.batch == 4
            for kept in (result.tensor, result.statistics.peaks, result.statistics.lows):
                assert kept.untyped_storage().nbytes() == kept.nbytes, result.step.name


class Working:
    """A long job that blocks in its first item and tells where it was closed."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let = threading.Event()
        self.closed = threading.Event()
        self.thread = ""

    def items(self) -> Iterator[int]:
        try:
            for i in range(1000):
                self.begun.set()
                assert self.let.wait(HANG)
                yield i
        finally:
            self.thread = threading.current_thread().name
            self.closed.set()


async def test_an_engine_that_works_on_a_long_job_is_not_idle(engine: LocalEngine) -> None:
    work = Working()
    items = engine.stream("ann", work.items)
    assert await anext(items) == 0
    first = asyncio.ensure_future(anext(items))
    await until(work.begun.is_set)
    assert not engine.idle
    work.let.set()
    assert await first == 0
    await until(lambda: engine.idle)
    await closed(items)


@pytest.mark.parametrize("midway", [True, False])
async def test_a_long_job_given_up_is_closed_where_it_ran(
    engine: LocalEngine, midway: bool
) -> None:
    # Where passes run too: hooks it takes off a network then never change under a running pass.
    work = Working()
    kept = work.items()
    items = engine.stream("ann", lambda: kept)
    await anext(items)
    next_item = asyncio.ensure_future(anext(items))
    await until(work.begun.is_set)
    if midway:
        next_item.cancel()
        await asyncio.gather(next_item, return_exceptions=True)
    work.let.set()
    if not midway:
        assert await next_item == 0
        await closed(items)
    await until(work.closed.is_set)
    assert work.thread.startswith("layerscope-compute")


async def test_an_error_in_a_long_job_reaches_its_listener_alone(engine: LocalEngine) -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ArithmeticError("no such number")

    found: list[object] = []
    with pytest.raises(ArithmeticError, match="no such number"):
        async for item in engine.stream("ann", broken):
            found.append(item)
    assert found == [0, 1]
    assert [item async for item in engine.stream("ann", lambda: iter([5]))] == [0, 5]


async def test_a_pass_goes_between_two_items_of_a_long_job(engine: LocalEngine) -> None:
    order: list[str] = []
    work = Working()

    class Noting(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            order.append("pass")
            return x

    def job() -> Iterator[int]:
        for item in work.items():
            order.append("item")
            yield item

    items = engine.stream("ann", job)
    await anext(items)
    first = asyncio.ensure_future(anext(items))
    await until(work.begun.is_set)
    network = Network(4, [(1, [Layer(Step("note", "relu"), Noting())])])
    passing = asyncio.create_task(everything(engine, network, PICTURE))
    await until(lambda: engine.waiting == 1)
    work.let.set()
    await first
    await anext(items)
    await passing
    assert order == ["item", "pass", "item"]
    await closed(items)


async def test_closing_tells_those_who_wait_for_a_long_job() -> None:
    engine, work = LocalEngine(CPU), Working()
    items, waiting = engine.stream("ann", work.items), engine.stream("bob", lambda: iter([1]))
    await anext(items)
    await anext(waiting)
    first, second = asyncio.ensure_future(anext(items)), asyncio.ensure_future(anext(waiting))
    await until(work.begun.is_set)
    closing = asyncio.create_task(engine.close())
    for listener in (first, second):
        with pytest.raises(Cancelled):
            await listener
    work.let.set()
    async with asyncio.timeout(HANG):
        await closing
