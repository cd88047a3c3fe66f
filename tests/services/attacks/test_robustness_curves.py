"""Curves over the sliders: points are single questions, borders the first change on each side."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from app.pictures.photo_changes import PhotoChange, ScaledPhoto, transform_photo
from app.pictures.samples import sample
from app.services.attacks.robustness_curves import SLIDERS, RobustnessCurves, curves
from app.services.engine.engine import LocalEngine
from app.services.networks.catalogue import Catalogue
from app.services.runs.batch_inference import logits_of
from app.services.runs.run import preprocess
from app.vision.predict import top
from models.graph import Layer, Network, Step, conv, fc, flatten
from tests.support.networks import embedded

CPU = torch.device("cpu")


@pytest.fixture
async def found(engine: LocalEngine) -> RobustnessCurves:
    model, cat = Catalogue(CPU, 1).model("mini"), sample("cat")
    assert cat
    return await curves(
        engine, "me", model, embedded(), ScaledPhoto(cat.open(), preprocess(model)), True
    )


async def test_a_point_is_what_one_question_gives(
    found: RobustnessCurves, engine: LocalEngine
) -> None:
    model, cat = Catalogue(CPU, 1).model("mini"), sample("cat")
    assert cat
    photo = ScaledPhoto(cat.open(), preprocess(model))
    for curve in found.curves:
        assert [one.value for one in curve.points] == curve.slider.values()
        assert curve.points[0].value == curve.slider.least
        assert curve.points[-1].value == curve.slider.most
        at = curve.points[len(curve.points) // 3]
        pixels = transform_photo(photo, curve.slider.at(at.value))
        (logits,) = await logits_of(engine, model, embedded(), [pixels])
        assert top(logits, 1)[0].index == at.first.index
        share = logits.softmax(0)[found.plain.index].item()
        assert at.share == pytest.approx(share, abs=1e-4)
    flipped = transform_photo(photo, PhotoChange(flip=True))
    (logits,) = await logits_of(engine, model, embedded(), [flipped])
    assert found.flipped.first.index == int(logits.argmax())


async def test_at_rest_every_curve_is_the_photo_itself(found: RobustnessCurves) -> None:
    for curve in found.curves:
        (rest,) = (one for one in curve.points if one.value == curve.slider.plain)
        assert rest.first.index == found.plain.index
        assert rest.share == pytest.approx(found.plain.probability, abs=1e-4)


class Mean(nn.Module):
    """Says class 1 when the mean grey is at least `border`, else class 0."""

    def __init__(self, border: float) -> None:
        super().__init__()
        self.border = border

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((1, 2, 3))[:, None, None, None]
        return torch.cat([self.border - mean, mean - self.border], 1) * 100


def grey_judge(border: float) -> Network:
    layers = [conv("conv1", (3, 3), 1), Layer(Step("judge", "norm"), Mean(border))]
    network = Network(64, [(1, layers), (None, [flatten(), fc("fc", (2, 2))])]).eval()
    with torch.no_grad():
        network.module("conv1").weight.copy_(torch.eye(3)[:, :, None, None])  # type: ignore[operator]
        network.module("conv1").bias.zero_()  # type: ignore[operator]
        network.module("fc").weight.copy_(torch.eye(2))  # type: ignore[operator]
        network.module("fc").bias.zero_()  # type: ignore[operator]
    return network


async def test_borders_are_found_in_steps_of_the_slider(engine: LocalEngine) -> None:
    """A grey of 100 with the border at 160 changes at 160 % brightness and nowhere else."""
    model = Catalogue(CPU, 1).model("mini")
    row = replace(model.entry.row, mean=(0.0,) * 3, std=(1.0,) * 3)
    model = replace(model, entry=replace(model.entry, row=row))
    photo = ScaledPhoto(Image.new("RGB", (64, 64), (100, 100, 100)), preprocess(model))
    network = grey_judge(159.5 / 255)
    found = await curves(engine, "me", model, network, photo, True)
    by_id = {one.slider.id: one for one in found.curves}
    assert found.plain.index == 0
    (border,) = by_id["brightness"].borders
    assert (border.value, border.first.index) == (160, 1)
    for still in ("turn", "zoom", "colour", "contrast"):
        assert by_id[still].borders == ()
    # Below and above: from 200 at rest, dark to the left, and 255 never to the right.
    bright = ScaledPhoto(Image.new("RGB", (64, 64), (200, 200, 200)), preprocess(model))
    again = await curves(engine, "me", model, network, bright, True)
    (border,) = {one.slider.id: one for one in again.curves}["brightness"].borders
    assert (border.value, border.first.index) == (75, 0)  # 150 is below 159.5, 160 is not


def test_sliders_go_in_whole_steps_and_pass_their_rest() -> None:
    for slider in SLIDERS:
        assert slider.plain in slider.values()
        assert (slider.most - slider.least) % slider.coarse == 0
        assert slider.coarse % slider.step == 0
        assert slider.at(slider.plain) == PhotoChange()
