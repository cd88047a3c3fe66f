"""The engine: batches, lanes, limits, giving up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
import torch

from app.errors import Busy, Cancelled, NotFinite
from app.services.engine.engine import LocalEngine, StepResult
from models.graph import Network
from tests.support.engines import CPU, Held, toy
from tests.support.waiting import until


async def everything(
    engine: LocalEngine, network: Network, picture: torch.Tensor
) -> list[StepResult]:
    return [result async for result in engine.forward(network, picture)]


async def test_steps_come_in_order_with_the_numbers_of_the_network(engine: LocalEngine) -> None:
    network, picture = toy(), torch.randn(3, 4, 4)
    results = await everything(engine, network, picture)
    assert [r.step.name for r in results] == [step.name for step in network.steps]
    torch.testing.assert_close(results[-1].tensor, network(picture[None])[0])
    assert results[0].tensor.shape == (2, 4, 4)
    assert all(r.batch == 1 for r in results)


async def test_passes_of_one_network_go_together_and_give_the_same(engine: LocalEngine) -> None:
    held = Held()
    first, network = toy(held), toy()
    blocking = asyncio.create_task(everything(engine, first, torch.zeros(3, 4, 4)))
    await until(held.reached.is_set)
    pictures = torch.randn(3, 3, 4, 4)
    waiting = [asyncio.create_task(everything(engine, network, p)) for p in pictures]
    await until(lambda: engine.waiting == 3)
    held.let.set()
    await blocking
    for task, picture in zip(waiting, pictures, strict=True):
        results = await task
        assert results[0].batch == 3
        torch.testing.assert_close(results[-1].tensor, network(picture[None])[0])
        # A slice of the batch would keep all of it in memory.
        assert results[0].tensor.untyped_storage().nbytes() == results[0].tensor.nbytes


async def test_a_full_queue_refuses_at_once(engine: LocalEngine) -> None:
    held = Held()
    running = asyncio.create_task(everything(engine, toy(held), torch.zeros(3, 4, 4)))
    await until(held.reached.is_set)
    network = toy()
    waiting = [engine.forward(network, torch.zeros(3, 4, 4)) for _ in range(8)]
    assert engine.waiting == len(waiting)
    with pytest.raises(Busy) as refused:
        engine.forward(network, torch.zeros(3, 4, 4))
    assert refused.value.retry_after >= 1
    held.let.set()
    await running


async def test_nobody_listening_stops_the_pass(engine: LocalEngine) -> None:
    held = Held()
    network = toy(held)
    running = asyncio.create_task(everything(engine, network, torch.zeros(3, 4, 4)))
    await until(held.reached.is_set)
    reached: list[str] = []
    network.module("conv2").register_forward_hook(lambda *_: reached.append("conv2"))
    network.module("fc").register_forward_hook(lambda *_: reached.append("fc"))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    held.let.set()
    await until(lambda: engine.idle)
    assert "fc" not in reached


async def test_giving_up_while_waiting_leaves_the_queue(engine: LocalEngine) -> None:
    held = Held()
    running = asyncio.create_task(everything(engine, toy(held), torch.zeros(3, 4, 4)))
    await until(held.reached.is_set)
    other = Held()
    waiting = asyncio.create_task(everything(engine, toy(other), torch.zeros(3, 4, 4)))
    await until(lambda: engine.waiting == 1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert engine.waiting == 0
    held.let.set()
    await running
    assert other.count == 0


async def test_an_error_reaches_its_listener_and_the_engine_goes_on(engine: LocalEngine) -> None:
    with pytest.raises(RuntimeError):
        await everything(engine, toy(), torch.zeros(4, 4, 4))
    assert len(await everything(engine, toy(), torch.zeros(3, 4, 4))) == 5


async def test_long_jobs_take_turns_and_passes_go_first(engine: LocalEngine) -> None:
    order: list[str] = []

    def job(name: str) -> Iterator[int]:
        for i in range(3):
            order.append(name)
            yield i

    async def listen(name: str) -> list[object]:
        return [item async for item in engine.stream(name, lambda: job(name))]

    held = Held()
    network = toy(held)
    passing = asyncio.create_task(everything(engine, network, torch.zeros(3, 4, 4)))
    await until(held.reached.is_set)
    jobs = [asyncio.create_task(listen(name)) for name in ("a", "b")]
    second = asyncio.create_task(everything(engine, toy(), torch.zeros(3, 4, 4)))
    await until(lambda: engine.waiting == 1)
    held.let.set()
    await passing
    await second
    found = await asyncio.gather(*jobs)
    # The first item is the place in the queue.
    assert found == [[0, 0, 1, 2], [1, 0, 1, 2]]
    assert order == ["a", "b", "a", "b", "a", "b"]


async def test_one_long_job_per_person(engine: LocalEngine) -> None:
    first = engine.stream("ann", lambda: iter([1, 2]))
    assert await anext(first) == 0
    with pytest.raises(Busy, match="One long job of yours"):
        await anext(engine.stream("ann", lambda: iter([1])))
    await first.aclose()
    assert [x async for x in engine.stream("ann", lambda: iter([7]))] == [0, 7]


async def test_a_job_is_made_in_the_compute_thread(engine: LocalEngine) -> None:
    """Some copy a whole network first, which must not hold up the event loop."""

    def make() -> Iterator[str]:
        # Not a generator: this runs when `make` is called.
        return iter([threading.current_thread().name])

    place, name = [item async for item in engine.stream("ann", make)]
    assert (place, str(name).startswith("layerscope-compute")) == (0, True)


async def test_a_long_job_computes_only_what_is_asked_for(engine: LocalEngine) -> None:
    made: list[int] = []

    def job() -> Iterator[int]:
        for i in range(100):
            made.append(i)
            yield i

    items = engine.stream("ann", job)
    for _ in range(3):
        await anext(items)
    await items.aclose()
    await until(lambda: engine.idle)
    assert made == [0, 1]


async def test_closing_ends_every_listener() -> None:
    engine, held = LocalEngine(CPU), Held()
    running = asyncio.create_task(everything(engine, toy(held), torch.zeros(3, 4, 4)))
    await until(held.reached.is_set)
    closing = asyncio.create_task(engine.close())
    with pytest.raises(Cancelled):
        await running
    held.let.set()
    await closing
    with pytest.raises(Cancelled):
        engine.forward(toy(), torch.zeros(3, 4, 4))


async def test_large_networks_go_in_smaller_batches() -> None:
    # A picture's outputs are 32 + 32 + 32 + 32 + 5 numbers, 532 bytes: two fit into 1,100.
    engine, held = LocalEngine(CPU, batch_bytes=1100), Held()
    network = toy()
    running = asyncio.create_task(everything(engine, toy(held), torch.zeros(3, 4, 4)))
    await until(held.reached.is_set)
    waiting = [
        asyncio.create_task(everything(engine, network, torch.zeros(3, 4, 4))) for _ in "123"
    ]
    await until(lambda: engine.waiting == 3)
    held.let.set()
    await running
    sizes = [(await task)[0].batch for task in waiting]
    assert sizes == [2, 2, 1]
    await engine.close()


async def test_a_picture_that_is_not_finite_fails_alone_in_its_batch(engine: LocalEngine) -> None:
    held = Held()
    blocking = asyncio.create_task(everything(engine, toy(held), torch.zeros(3, 4, 4)))
    await until(held.reached.is_set)
    network, good = toy(), torch.randn(3, 4, 4)
    tasks = [
        asyncio.create_task(everything(engine, network, picture))
        for picture in (torch.full((3, 4, 4), torch.nan), good)
    ]
    await until(lambda: engine.waiting == 2)
    held.let.set()
    await blocking
    with pytest.raises(NotFinite, match="At conv1 this network"):
        await tasks[0]
    results = await tasks[1]
    torch.testing.assert_close(results[-1].tensor, network(good[None])[0])


async def test_the_only_picture_that_is_not_finite_is_told_at_once(engine: LocalEngine) -> None:
    with pytest.raises(NotFinite):
        await everything(engine, toy(), torch.full((3, 4, 4), torch.nan))
    assert len(await everything(engine, toy(), torch.zeros(3, 4, 4))) == 5
