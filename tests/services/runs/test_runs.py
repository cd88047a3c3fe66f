"""Runs: shared, given up, kept within a budget, true."""

from __future__ import annotations

import asyncio

import pytest
import torch

from app.errors import Cancelled, UnknownModel, UnknownPicture, UnknownStep, WeightsMissing
from app.pictures.preprocess import normalise
from app.pictures.samples import sample as find
from app.services.engine.engine import LocalEngine
from app.services.networks.catalogue import Catalogue
from app.services.networks.weight_files import WeightEntry, WeightFiles
from app.services.pictures.store import Pictures
from app.services.runs.lines import contributions, lines
from app.services.runs.run import preprocess
from app.services.runs.runs import Runs
from app.vision.forward import forward_steps
from models.graph import Network
from models.weights import TABLE
from tests.support.engines import CPU
from tests.support.picture_files import png
from tests.support.waiting import HANG, until


async def test_a_run_holds_what_the_network_computes(runs: Runs) -> None:
    async with runs.listen("mini", "coffee") as run:
        await run.finish()
    x = normalise(run.fitted.pixels, preprocess(run.model))[None]
    for output in forward_steps(run.network, x):
        kept = run.tensor(output.step.name)
        torch.testing.assert_close(kept, output.tensor[0], rtol=1e-5, atol=1e-6)
    assert run.model.labels[run.predictions(1)[0].index].label == "espresso"
    assert run.predictions(1)[0].probability >= 0.9


@pytest.mark.parametrize("sample", ["hourglass", "monarch", "bell-pepper", "school-bus"])
async def test_samples_are_recognised(runs: Runs, sample: str) -> None:
    async with runs.listen("mini", sample) as run:
        await run.finish()
        best = run.predictions(1)[0]
        built_in = find(sample)
        assert built_in is not None
        assert run.model.labels[best.index].wnid == built_in.wnid
        assert best.probability >= 0.6


async def test_what_was_never_learned_is_taken_for_something_else(runs: Runs) -> None:
    async with runs.listen("mini", "rocket") as run:
        await run.finish()
        assert run.model.labels[run.predictions(1)[0].index].label == "obelisk"
        # WordNet's rocket (n04099175), projectile and missile: none is among the classes.
        known = {label.wnid for label in run.model.labels}
        assert not known & {"n04099175", "n04008634", "n03773504"}
        built_in = find("rocket")
        assert built_in is not None
        assert built_in.wnid not in known


async def test_two_listeners_share_one_computation(runs: Runs) -> None:
    async def names() -> list[str]:
        async with runs.listen("mini", "cat") as run:
            return [record.step.name async for record in run.follow()]

    async with runs.listen("mini", "cat") as run:
        first, second = await asyncio.gather(names(), names())
        assert first == second == [step.name for step in run.model.outline.steps]
        assert [r.step.name async for r in run.follow(16)] == first[16:]
    async with runs.listen("mini", "cat") as again:
        assert again is run


async def test_a_run_nobody_listens_to_is_stopped(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from app.services.engine import engine as engine_module

    gate, real = threading.Event(), forward_steps

    def held(*arguments, **options):  # type: ignore[no-untyped-def]
        for output in real(*arguments, **options):
            yield output
            gate.wait(HANG)

    monkeypatch.setattr(engine_module, "forward_steps", held)
    async with runs.listen("mini", "noise") as run:
        pass
    assert run.task is not None
    await until(run.task.done)
    assert not run.finished
    gate.set()
    monkeypatch.undo()
    with pytest.raises(Cancelled):
        await run.finish()
    async with runs.listen("mini", "noise") as fresh:
        assert fresh is not run
        await fresh.finish()


async def test_a_listener_that_comes_back_in_time_goes_on(
    engine: LocalEngine, pictures: Pictures
) -> None:
    runs = Runs(engine, Catalogue(CPU, 10**9), pictures, 10**9, linger=HANG)
    async with runs.listen("mini", "x") as run:
        pass
    async with runs.listen("mini", "x") as again:
        assert again is run
        await again.finish()


async def test_what_goes_wrong_is_told_before_anything_starts(
    runs: Runs, engine: LocalEngine, pictures: Pictures
) -> None:
    with pytest.raises(UnknownModel, match="There are: mini"):
        async with runs.listen("resnet", "coffee"):
            pass
    with pytest.raises(UnknownPicture):
        async with runs.listen("mini", "nothing"):
            pass

    def missing(entry: WeightEntry) -> Network:
        raise WeightsMissing("not here")

    without = Runs(engine, Catalogue(CPU, 10**9, WeightFiles(rows=TABLE), missing), pictures, 10**9)
    with pytest.raises(WeightsMissing):
        async with without.listen("mini", "coffee"):
            pass
    async with runs.listen("mini", "coffee") as run:
        with pytest.raises(UnknownStep, match="no step called “conv9”"):
            await run.record("conv9")


async def test_finished_runs_are_kept_within_the_budget(
    engine: LocalEngine, pictures: Pictures
) -> None:
    # mini's run takes 769 kB: two fit.
    runs = Runs(engine, Catalogue(CPU, 10**9), pictures, 1_700_000)
    kept = {}
    async with runs.listen("mini", "coffee") as held:
        for image in ("cat", "rocket", "x", "o"):
            async with runs.listen("mini", image) as run:
                await run.finish()
                kept[image] = run
        await held.finish()
        assert runs.bytes <= 2_500_000
        async with runs.listen("mini", "coffee") as same:
            assert same is held
    async with runs.listen("mini", "o") as newest:
        assert newest is kept["o"]
    async with runs.listen("mini", "cat") as oldest:
        assert oldest is not kept["cat"]


async def test_a_deleted_picture_takes_its_run_along(runs: Runs, pictures: Pictures) -> None:
    stored = pictures.add(png(), "ann")
    async with runs.listen("mini", stored.id) as run:
        await run.finish()
    assert pictures.delete(stored.id, "ann")
    with pytest.raises(UnknownPicture):
        async with runs.listen("mini", stored.id):
            pass
    runs.forget(stored.id)
    assert runs.bytes == 0


async def test_lines_are_shares_of_what_a_cell_adds_up(runs: Runs) -> None:
    async with runs.listen("mini", "coffee") as run:
        await run.finish()
        for name, source in (("conv2", "pool1"), ("conv4", "relu3"), ("fc6", "pool5")):
            record = await run.record(name)
            shown = set((await run.record(source)).statistics.strongest(10))
            drawn = lines(run, record, 10)
            assert len(drawn) == 30
            assert {one.source for one in drawn} <= shown
            for one in drawn[:3]:
                made = contributions(run, record, one.target)
                assert made is not None
                magnitude = made.terms.abs().sum().item() + abs(made.bias)
                assert one.share == pytest.approx(made.terms[one.source].item() / magnitude)
        assert lines(run, await run.record("conv1"), 10) == []
        assert lines(run, await run.record("relu3"), 10) == []
