"""What is derived from a kept step is what the network itself would have made."""

from __future__ import annotations

import pytest
import torch

from app.services.runs.lines import contributions
from app.services.runs.run import Run
from app.services.runs.runs import Runs
from app.vision.contributions import conv_contributions

pytestmark = pytest.mark.anyio


async def finished(runs: Runs) -> Run:
    async with runs.listen("mini", "coffee") as run:
        await run.finish()
        return run


async def test_some_maps_of_a_relu_are_those_of_the_whole(runs: Runs) -> None:
    run = await finished(runs)
    for name in ("conv1", "relu1", "pool1", "flatten", "relu6"):
        assert torch.equal(run.maps(name, (7, 3)), run.tensor(name)[[7, 3]])


async def test_terms_re_add_to_every_value_of_the_espresso(runs: Runs) -> None:
    run = await finished(runs)
    checked = 0
    for record in run.records:
        if record.step.kind not in ("conv", "fc"):
            continue
        values = run.tensor(record.step.name)
        last = tuple(size - 1 for size in values.shape[1:]) or (0, 0)
        for channel in (*record.statistics.strongest(3), 0, len(values) - 1):
            for cell in (None, (0, 0), last, (0, last[1])):
                made = contributions(run, record, channel, cell)  # type: ignore[arg-type]
                assert made is not None
                value = values[channel]
                if values.ndim == 3:
                    expected = value.max() if cell is None else value[cell]
                    assert made.value == value[made.y, made.x].item() == expected.item()
                else:
                    assert made.value == value.item()
                magnitude = made.terms.double().abs().sum().item() + abs(made.bias)
                added = made.terms.double().sum().item() + made.bias
                assert abs(added - made.value) <= 1e-5 * magnitude, (record.step.name, channel)
                checked += 1
    assert checked == 7 * 5 * 4


async def test_a_relu_applied_to_the_patch_alone_gives_the_same_terms(runs: Runs) -> None:
    run = await finished(runs)
    record = await run.record("conv4")
    step, module = record.step, run.network.module("conv4")
    assert isinstance(module, torch.nn.Conv2d)
    plain = conv_contributions(step, module, run.tensor("relu3"), run.tensor("conv4"), 5, (0, 7))
    made = contributions(run, record, 5, (0, 7))
    assert made is not None
    assert torch.equal(made.terms, plain.terms)
    magnitude = made.terms.abs().sum().item() + abs(made.bias)
    assert abs(made.terms.sum().item() + made.bias - made.value) <= 1e-5 * magnitude
