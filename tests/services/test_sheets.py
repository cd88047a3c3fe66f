"""Sheets: every colour is an index computed from the tensor, on the scale that was asked for."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import numpy as np
import pytest
import torch
from PIL import Image

from app.errors import BadRequest, UnknownStep
from app.services.runs import Run, Runs
from app.services.sheets import Drawn, Scale, Sheets, Wanted, palette_of, version
from models.weights import TABLE


@pytest.fixture
async def run(runs: Runs) -> AsyncIterator[Run]:
    async with runs.listen("mini", "coffee") as made:
        await made.finish()
        yield made


@pytest.fixture
def sheets() -> Sheets:
    return Sheets(10_000_000)


def indices(drawn: Drawn, i: int) -> np.ndarray:
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
    drawn = await sheets.draw(run, step, Wanted(scale))
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
    by_number = await sheets.draw(run, "conv2", Wanted(channels="3,17"))
    assert by_number.order == (3, 17)
    strongest = await sheets.draw(run, "conv2", Wanted(channels="top5"))
    peaks = run.tensor("conv2").amax((1, 2))
    assert strongest.order == tuple(peaks.argsort(descending=True)[:5].tolist())


@pytest.mark.parametrize("channels", ["a", "3,", "-1", "top", "top0", "1;2", "3, 4"])
async def test_other_words_for_channels_are_refused(
    run: Run, sheets: Sheets, channels: str
) -> None:
    with pytest.raises(BadRequest):
        await sheets.draw(run, "conv2", Wanted(channels=channels))


async def test_a_channel_that_is_not_there_is_unknown(run: Run, sheets: Sheets) -> None:
    with pytest.raises(UnknownStep, match="channels 0 to 127, not 128"):
        await sheets.draw(run, "conv2", Wanted(channels="128"))


async def test_maps_are_reduced_and_enlarged(run: Run, sheets: Sheets) -> None:
    reduced = await sheets.draw(run, "conv1", Wanted(size=16))
    assert (reduced.layout.tile_width, reduced.reduced) == (16, True)
    large = await sheets.draw(run, "conv5", Wanted(channels="4", enlarge=3))
    plain = await sheets.draw(run, "conv5", Wanted(channels="4"))
    assert (large.layout.tile_width, large.reduced) == (24, False)
    assert (indices(large, 0)[::3, ::3] == indices(plain, 0)).all()


async def test_a_sheet_beyond_all_measure_is_refused(run: Run, sheets: Sheets) -> None:
    with pytest.raises(BadRequest, match="too large"):
        await sheets.draw(run, "conv1", Wanted(enlarge=32))


async def test_numbers_are_drawn_as_cells(run: Run, sheets: Sheets) -> None:
    whole = await sheets.draw(run, "fc7", Wanted())
    assert (whole.layout.width, whole.layout.height) == (10, 10)
    cells = await sheets.draw(run, "fc7", Wanted(channels="97,93"))
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
    assert version(row) != version(replace(row, sha256="0" * 64))
    assert version(row) == version(replace(row))


async def test_a_deleted_picture_takes_its_sheets_along(run: Run, sheets: Sheets) -> None:
    first = await sheets.draw(run, "conv1", Wanted())
    assert await sheets.draw(run, "conv1", Wanted()) is first
    sheets.forget("coffee")
    assert await sheets.draw(run, "conv1", Wanted()) is not first
