"""Crops of uploads: as a search through all runs finds them, and gone with the picture."""

from __future__ import annotations

import pytest
import torch

from app.services.atlas.upload_crops import UploadCrops
from app.services.engine.engine import LocalEngine
from app.services.networks.catalogue import Catalogue
from app.services.pictures.store import Pictures
from app.services.runs.peaks import peak
from app.services.runs.runs import Runs
from tests.support.engines import CPU
from tests.support.picture_files import blurred_noise

COUNT = 12


@pytest.fixture
def gathered(pictures: Pictures) -> UploadCrops:
    return UploadCrops(pictures.has)


@pytest.fixture
async def heeded(engine: LocalEngine, pictures: Pictures, gathered: UploadCrops) -> Runs:
    return Runs(
        engine, Catalogue(CPU, 10**9), pictures, 10**9, linger=0.01, on_finished=gathered.add_run
    )


async def brought(runs: Runs, pictures: Pictures, count: int = COUNT) -> list[str]:
    """So many uploads, each run through mini."""
    ids = [pictures.add(blurred_noise(seed), "me").id for seed in range(count)]
    for id in ids:
        async with runs.listen("mini", id) as run:
            await run.finish()
    return ids


async def test_they_are_what_a_search_through_all_runs_finds(
    heeded: Runs, pictures: Pictures, gathered: UploadCrops
) -> None:
    ids = await brought(heeded, pictures)
    await gathered.settled()
    model = heeded.all()[0].model
    assert gathered.count(model) == COUNT
    runs = {run.image: run for run in heeded.all()}
    for step, channel in (("conv1", 3), ("conv3", 200), ("conv5", 17)):
        searched = []
        for id in ids:
            values = runs[id].tensor(step)[channel].flatten().tolist()
            searched.append((max(values), values.index(max(values)), id))
        searched.sort(key=lambda one: (-one[0], ids.index(one[2])))
        found = [
            (won.value, won.cell, gathered.image(won.number))
            for won in gathered.best(model, step, channel)
        ]
        assert found == searched[:9]


async def test_nothing_is_kept_of_built_in_pictures(heeded: Runs, gathered: UploadCrops) -> None:
    async with heeded.listen("mini", "coffee") as run:
        await run.finish()
        await gathered.settled()
        assert gathered.count(run.model) == gathered.bytes == 0


async def test_with_a_picture_its_crops_go_and_the_next_best_come(
    heeded: Runs, pictures: Pictures, gathered: UploadCrops
) -> None:
    await brought(heeded, pictures)
    await gathered.settled()
    model = heeded.all()[0].model
    before = gathered.best(model, "conv3", 5, COUNT)
    image = gathered.image(before[0].number)
    assert image is not None
    size = gathered.bytes
    pictures.delete(image, "me")
    gathered.forget(image)
    assert gathered.best(model, "conv3", 5, COUNT) == before[1:]
    assert gathered.image(before[0].number) is None
    assert gathered.bytes == size * (COUNT - 1) // COUNT


async def test_a_picture_that_is_gone_is_never_told_even_where_nobody_said_so(
    heeded: Runs, pictures: Pictures, gathered: UploadCrops
) -> None:
    ids = await brought(heeded, pictures, 3)
    await gathered.settled()
    model = heeded.all()[0].model
    pictures.delete(ids[1], "me")
    left = {gathered.image(won.number) for won in gathered.best(model, "conv1", 0)}
    assert left == {ids[0], ids[2]}


async def test_a_run_that_ends_after_its_picture_was_deleted_leaves_nothing(
    heeded: Runs, pictures: Pictures, gathered: UploadCrops
) -> None:
    (id,) = [pictures.add(blurred_noise(0), "me").id]
    async with heeded.listen("mini", id) as run:
        await run.finish()
        pictures.delete(id, "me")
        gathered.forget(id)
        await gathered.settled()
        assert gathered.count(run.model) == 0


async def test_the_oldest_make_room(
    heeded: Runs, pictures: Pictures, gathered: UploadCrops
) -> None:
    ids = await brought(heeded, pictures, 2)
    await gathered.settled()
    small = UploadCrops(pictures.has, budget=gathered.bytes // 2)
    runs = {run.image: run for run in heeded.all()}
    for id in ids:
        small.add_run(runs[id])
        await small.settled()
    model = runs[ids[0]].model
    assert [small.image(won.number) for won in small.best(model, "conv1", 0)] == [ids[1]]


def test_a_peak_is_the_first_of_equals_in_reading_order() -> None:
    maps = torch.tensor([[[0.0, 2.0], [2.0, 1.0]], [[-1.0, -3.0], [-2.0, -1.0]]])
    values, cells = peak(maps)
    assert values.tolist() == [2, -1]
    assert cells.tolist() == [1, 0]
