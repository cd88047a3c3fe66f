"""Sheets: every colour is an index computed from the tensor, on the scale that was asked for."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator

import numpy as np
import pytest
import torch
from PIL import Image

from app.errors import BadRequest, UnknownStep
from app.services.runs.run import Run
from app.services.runs.runs import Runs
from app.services.runs.sheets import (
    SCALES,
    DrawnSheet,
    Scale,
    SheetQuery,
    Sheets,
    palette_of,
    version,
)
from models.weights import TABLE
from tests.support.engines import Stepping


@pytest.fixture
async def run(runs: Runs) -> AsyncIterator[Run]:
    async with runs.listen("mini", "coffee") as made:
        await made.finish()
        yield made


@pytest.fixture
def sheets() -> Sheets:
    return Sheets(10_000_000)


def indices(drawn: DrawnSheet, i: int) -> np.ndarray:
    """Palette indices of tile i."""
    with Image.open(io.BytesIO(drawn.png)) as image:
        assert image.mode == "P"
        values = np.asarray(image)
    x, y = drawn.layout.position(i)
    return values[y : y + drawn.layout.tile_height, x : x + drawn.layout.tile_width]


def expected(values: torch.Tensor, limit: float) -> np.ndarray:
    scaled = 128 + (127 * values.double() / limit).round()
    return scaled.clamp(1, 255).byte().numpy()


@pytest.mark.parametrize("step", ["conv1", "relu1", "pool2", "conv5"])
@pytest.mark.parametrize("scale", ["unit", "layer", "network"])
async def test_every_pixel_is_a_value_on_its_scale(
    run: Run, sheets: Sheets, step: str, scale: Scale
) -> None:
    drawn = await sheets.draw(run, step, SheetQuery(scale))
    tensor = run.tensor(step)
    assert drawn.order == tuple(range(len(tensor)))
    highest = max(run.tensor(s.name).abs().max().item() for s in run.model.outline.steps if s.stage)
    for channel in (0, 7, len(tensor) - 1):
        limit = {
            "unit": tensor[channel].abs().max().item(),
            "layer": tensor.abs().max().item(),
            "network": highest,
        }[scale]
        assert drawn.limits[channel] == pytest.approx(limit)
        if limit:
            # A value half-way between two indices may round either way.
            off = indices(drawn, channel).astype(int) - expected(tensor[channel], limit)
            assert np.abs(off).max() <= 1
            assert (off != 0).mean() < 0.01


async def test_channels_are_chosen_by_number_or_strength(run: Run, sheets: Sheets) -> None:
    by_number = await sheets.draw(run, "conv2", SheetQuery(channels="3,17"))
    assert by_number.order == (3, 17)
    strongest = await sheets.draw(run, "conv2", SheetQuery(channels="top5"))
    peaks = run.tensor("conv2").amax((1, 2))
    assert strongest.order == tuple(peaks.argsort(descending=True)[:5].tolist())


@pytest.mark.parametrize("channels", ["a", "3,", "-1", "top", "top0", "1;2", "3, 4"])
async def test_other_words_for_channels_are_refused(
    run: Run, sheets: Sheets, channels: str
) -> None:
    with pytest.raises(BadRequest):
        await sheets.draw(run, "conv2", SheetQuery(channels=channels))


async def test_a_channel_that_is_not_there_is_unknown(run: Run, sheets: Sheets) -> None:
    with pytest.raises(UnknownStep, match="channels 0 to 191, not 192"):
        await sheets.draw(run, "conv2", SheetQuery(channels="192"))


async def test_maps_are_reduced_and_enlarged(run: Run, sheets: Sheets) -> None:
    reduced = await sheets.draw(run, "conv1", SheetQuery(size=16))
    assert (reduced.layout.tile_width, reduced.reduced) == (16, True)
    large = await sheets.draw(run, "conv5", SheetQuery(channels="4", enlarge=3))
    plain = await sheets.draw(run, "conv5", SheetQuery(channels="4"))
    assert (large.layout.tile_width, large.reduced) == (24, False)
    assert (indices(large, 0)[::3, ::3] == indices(plain, 0)).all()


async def test_a_sheet_beyond_all_measure_is_refused(run: Run, sheets: Sheets) -> None:
    with pytest.raises(BadRequest, match="too large"):
        await sheets.draw(run, "conv1", SheetQuery(enlarge=32))


async def test_a_sheet_is_refused_before_any_of_its_maps_is_gathered(
    run: Run, sheets: Sheets, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gathered(*_: object) -> None:
        raise AssertionError("a gigabyte of maps")

    monkeypatch.setattr(Run, "maps", gathered)
    with pytest.raises(BadRequest, match="too large"):
        await sheets.draw(run, "conv1", SheetQuery(channels=",".join("0" * 16_000)))


@pytest.mark.parametrize("step", ["conv1", "relu2", "pool5", "conv4"])
async def test_every_pixel_is_the_rounded_share_of_its_scale(
    run: Run, sheets: Sheets, step: str
) -> None:
    drawn = await sheets.draw(run, step, SheetQuery("layer"))
    tensor = run.tensor(step)
    limit = tensor.abs().max()
    # In float32 as the sheet is drawn; a value half-way goes to the even index.
    wanted = (tensor * (127 / limit)).round().add(128).clamp(1, 255).byte().numpy()
    for channel in range(len(tensor)):
        assert (indices(drawn, channel) == wanted[channel]).all()
        assert drawn.limits[channel] == limit


async def test_the_colour_of_zero_is_the_same_on_every_scale(run: Run, sheets: Sheets) -> None:
    silent = (run.tensor("relu3") == 0).numpy()
    assert 0.2 < silent.mean() < 1
    for scale in SCALES:
        drawn = await sheets.draw(run, "relu3", SheetQuery(scale))
        for channel in range(len(silent)):
            assert (indices(drawn, channel)[silent[channel]] == 128).all()


async def test_the_networks_scale_waits_for_the_last_step(
    slow: Runs, stepping: Stepping, sheets: Sheets
) -> None:
    async with slow.listen("mini", "candle") as run:
        # Two maps are drawn at once, without a thread: whoever need not wait is done.
        drawing = asyncio.create_task(sheets.draw(run, "conv1", SheetQuery("network", "0,1")))
        stepping.let(17)
        await run.record("fc7")
        assert len((await sheets.draw(run, "conv1", SheetQuery("layer", "0,1"))).order) == 2
        assert not drawing.done()
        stepping.let(1)
        drawn = await drawing
        assert list(drawn.limits) == pytest.approx([run.network_limit()] * 2)


async def test_numbers_are_drawn_as_cells(run: Run, sheets: Sheets) -> None:
    whole = await sheets.draw(run, "fc7", SheetQuery())
    assert (whole.layout.width, whole.layout.height) == (10, 10)
    cells = await sheets.draw(run, "fc7", SheetQuery(channels="97,93"))
    assert (cells.layout.tile_width, cells.layout.count) == (1, 2)


async def test_one_hue_family_a_meaning(run: Run) -> None:
    steps = {step.name: step for step in run.model.outline.steps}
    found = {name: palette_of(steps[name], "fc7") for name in ("conv1", "relu1", "pool5", "fc7")}
    assert found == {
        "conv1": "signed", "relu1": "nonnegative", "pool5": "nonnegative", "fc7": "logit",
    }  # fmt: skip


def test_the_version_changes_with_the_weights() -> None:
    from dataclasses import replace

    row = TABLE[0]
    for change in ({"sha256": "0" * 64}, {"mean": (0.5, 0.5, 0.5)}, {"resize": 72}):
        assert version(row) != version(replace(row, **change))
    assert version(row) == version(replace(row))


async def test_a_deleted_picture_takes_its_sheets_along(run: Run, sheets: Sheets) -> None:
    first = await sheets.draw(run, "conv1", SheetQuery())
    assert await sheets.draw(run, "conv1", SheetQuery()) is first
    sheets.forget("coffee")
    assert await sheets.draw(run, "conv1", SheetQuery()) is not first
