"""Short work beside the compute thread: in turns, bounded for each owner, stopped on leaving."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar

import pytest
import torch

from app.services.engine.side_work import SideWork
from app.vision.interruption import Interrupted, interruptible, watch
from tests.support.engines import Held, toy
from tests.support.waiting import HANG


@pytest.fixture
async def work() -> AsyncIterator[SideWork]:
    made = SideWork(2)
    yield made
    made.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(HANG):
        while not condition():
            await asyncio.sleep(0.01)


async def test_it_returns_and_raises_what_the_function_does(work: SideWork) -> None:
    assert await work.run("ann", lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await work.run("ann", lambda: 1 // 0)


async def test_what_belongs_to_a_request_goes_with_its_work(work: SideWork) -> None:
    said = ContextVar("said", default="nothing")
    said.set("something")
    assert await work.run("a", said.get) == "something"


async def test_one_person_does_not_keep_another_waiting(work: SideWork) -> None:
    let, order = threading.Event(), []

    def slow() -> None:
        order.append("ann")
        assert let.wait(HANG)

    many = [asyncio.create_task(work.run("ann", slow)) for _ in range(20)]
    await until(lambda: order == ["ann"])
    await work.run("ben", lambda: order.append("ben"))
    assert order == ["ann", "ben"]
    for task in many[1:]:
        task.cancel()
    let.set()
    await asyncio.gather(*many, return_exceptions=True)
    assert order == ["ann", "ben"]


async def test_leaving_stops_a_pass_before_its_next_layer(work: SideWork) -> None:
    held, ended = Held(), []
    network = watch(toy(held))

    def passing() -> None:
        try:
            network(torch.zeros(1, 3, 4, 4))
        except Interrupted:
            ended.append("interrupted")
            raise
        ended.append("finished")

    task = asyncio.create_task(work.run("ann", passing))
    await until(held.reached.is_set)
    task.cancel()
    await asyncio.sleep(0)
    held.let.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["interrupted"]


def test_a_pass_that_nobody_can_leave_is_not_asked() -> None:
    network = watch(toy())
    assert network(torch.zeros(1, 3, 4, 4)).shape == (1, 5)
    with interruptible(lambda: False):
        assert network(torch.zeros(1, 3, 4, 4)).shape == (1, 5)
    with interruptible(lambda: True), pytest.raises(Interrupted):
        network(torch.zeros(1, 3, 4, 4))
