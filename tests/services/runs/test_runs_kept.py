"""Runs: what is kept, what is given up, and what listeners are told."""

from __future__ import annotations

import asyncio

import pytest
import torch

from app.errors import Busy, Cancelled, UnknownPicture
from app.services.networks.catalogue import Catalogue
from app.services.pictures.store import Pictures
from app.services.runs.run import Run
from app.services.runs.runs import Runs
from app.vision.forward import forward_steps
from tests.support.clock import Clock
from tests.support.engines import CPU, Stepping
from tests.support.picture_files import png
from tests.support.waiting import HANG, until


async def followed(runs: Runs, image: str) -> list[str]:
    async with runs.listen("mini", image) as run:
        return [record.step.name async for record in run.follow()]


async def test_two_at_once_are_one_pass(slow: Runs, stepping: Stepping) -> None:
    listeners = [asyncio.create_task(followed(slow, "cat")) for _ in range(2)]
    await until(lambda: stepping.passes > 0)
    stepping.let()
    first, second = await asyncio.gather(*listeners)
    assert first == second
    assert (len(first), stepping.passes) == (18, 1)


async def test_one_who_comes_late_gets_every_record(slow: Runs, stepping: Stepping) -> None:
    async with slow.listen("mini", "cat") as run:
        stepping.let(5)
        await until(lambda: len(run.records) == 5)
        late = asyncio.create_task(followed(slow, "cat"))
        await until(lambda: run.listeners == 2)
        stepping.let(13)
        assert len(await late) == 18
        assert stepping.passes == 1


async def test_the_last_listener_to_leave_stops_the_work(slow: Runs, stepping: Stepping) -> None:
    async with slow.listen("mini", "cat") as run:
        async with slow.listen("mini", "cat"):
            stepping.let(3)
            await until(lambda: len(run.records) == 3)
        stepping.let(1)
        await until(lambda: len(run.records) == 4)
    await until(lambda: stepping.closed == 1)
    assert slow.all() == []
    with pytest.raises(Cancelled):
        await run.record("softmax")


async def test_a_full_queue_is_told_before_the_first_record(
    slow: Runs, stepping: Stepping, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise Busy("Very many pictures are waiting.", retry_after=9)

    monkeypatch.setattr(stepping, "forward", full)
    with pytest.raises(Busy) as refused:
        async with slow.listen("mini", "cat"):
            raise AssertionError("the run was never prepared")
    assert refused.value.retry_after == 9
    assert slow.all() == []
    monkeypatch.undo()
    stepping.let()
    assert len(await followed(slow, "cat")) == 18


async def test_stopping_tells_listeners_even_before_the_work_has_begun(slow: Runs) -> None:
    async def listen() -> None:
        async with slow.listen("mini", "cat"):
            raise AssertionError("the run was stopped")

    listening = asyncio.create_task(listen())
    # Called in the turn of the loop in which the run is made: its task has not begun.
    asyncio.get_running_loop().call_soon(slow.stop)
    async with asyncio.timeout(HANG):
        with pytest.raises(Cancelled):
            await listening


async def test_forgetting_a_picture_ends_its_run_under_its_listeners(
    slow: Runs, stepping: Stepping
) -> None:
    listening = asyncio.create_task(followed(slow, "cat"))
    other = asyncio.create_task(followed(slow, "rocket"))
    await until(lambda: stepping.passes == 2)
    slow.forget("cat")
    with pytest.raises(Cancelled, match="choose the picture again"):
        await listening
    assert [run.image for run in slow.all()] == ["rocket"]
    stepping.let()
    assert len(await other) == 18


async def finish(runs: Runs, image: str) -> Run:
    async with runs.listen("mini", image) as run:
        await run.finish()
    return run


async def test_the_least_recently_used_goes_first(stepping: Stepping, pictures: Pictures) -> None:
    # mini's run takes 769 kB: two fit.
    runs = Runs(stepping, Catalogue(CPU, 10**9), pictures, 1_700_000)  # type: ignore[arg-type]
    for image in ("cat", "rocket", "cat", "x"):
        stepping.let()
        await finish(runs, image)
    assert [run.image for run in runs.all()] == ["cat", "x"]
    assert runs.bytes == sum(run.bytes for run in runs.all()) <= 1_700_000


async def test_memory_is_within_the_budget_once_everyone_has_left(
    stepping: Stepping, pictures: Pictures
) -> None:
    runs = Runs(stepping, Catalogue(CPU, 10**9), pictures, 1_700_000)  # type: ignore[arg-type]
    images = ("cat", "rocket", "x", "o", "noise")
    entered = asyncio.Semaphore(0)
    leave = asyncio.Event()

    async def stay(image: str) -> None:
        async with runs.listen("mini", image) as run:
            await run.finish()
            entered.release()
            await leave.wait()

    staying = [asyncio.create_task(stay(image)) for image in images]
    stepping.let(18 * len(images))
    for _ in images:
        await entered.acquire()
    assert len(runs.all()) == 5  # nobody's run goes while they look at it
    leave.set()
    await asyncio.gather(*staying)
    assert runs.bytes <= 1_700_000


async def test_a_run_too_large_for_the_budget_stays_until_the_next(
    stepping: Stepping, pictures: Pictures
) -> None:
    # A page asks for the sheets of its run one by one: each must not compute it anew.
    runs = Runs(stepping, Catalogue(CPU, 10**9), pictures, 1)  # type: ignore[arg-type]
    stepping.let(36)
    first = await finish(runs, "cat")
    assert await finish(runs, "cat") is first
    await finish(runs, "x")
    assert [run.image for run in runs.all()] == ["x"]


async def test_a_picture_whose_time_is_over_is_not_shown_from_a_kept_run(
    stepping: Stepping, tmp_path: object
) -> None:
    clock = Clock()
    store = Pictures(tmp_path, lifetime=60, clock=clock)  # type: ignore[arg-type]
    runs = Runs(stepping, Catalogue(CPU, 10**9), store, 10**9)  # type: ignore[arg-type]
    id = store.add(png(), "ann").id
    stepping.let()
    async with runs.listen("mini", id) as run:
        await run.finish()
        clock.now += 61
        # Whoever looks at it already goes on looking, in other requests too.
        async with runs.listen("mini", id) as same:
            assert same is run
        assert store.expire() == []
    with pytest.raises(UnknownPicture):
        async with runs.listen("mini", id):
            raise AssertionError("its time is over")
    assert store.expire() == [id]


async def test_the_networks_scale_ends_at_the_largest_magnitude_of_all_maps(
    slow: Runs, stepping: Stepping
) -> None:
    stepping.let()
    run = await finish(slow, "coffee")
    names = [step.name for step in run.model.outline.steps if step.stage]
    assert run.network_limit() == max(run.tensor(name).abs().max().item() for name in names)
    assert run.tensor("fc7").abs().max().item() > 0
    assert not run.spatial("fc7")


async def test_what_is_derived_is_what_the_network_makes(slow: Runs, stepping: Stepping) -> None:
    stepping.let()
    run = await finish(slow, "cat")
    kept = 0
    for output in forward_steps(run.network, run.normalised[None]):
        assert torch.equal(run.tensor(output.step.name), output.tensor[0]), output.step.name
        if output.step.kind not in ("relu", "flatten"):
            kept += output.tensor.nbytes
    assert run.bytes == kept


async def test_predictions_come_with_the_logits(slow: Runs, stepping: Stepping) -> None:
    async with slow.listen("mini", "coffee") as run:
        stepping.let(16)
        await run.record("relu6")
        assert run.predictions(3) == []
        stepping.let(2)
        await run.finish()
        best, second = run.predictions(2)
        assert best.probability > second.probability
        assert best.logit == run.tensor("fc7")[best.index].item()
        assert best.probability == pytest.approx(run.tensor("softmax")[best.index].item())
