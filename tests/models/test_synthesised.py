"""The synthesised pictures that ship belong to these weights, and do what they say."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from app.pictures.preprocess import fit, normalise
from app.pictures.samples import all_samples
from app.services.networks.asset_files import read
from app.services.networks.catalogue import Catalogue, Model
from app.services.runs.run import preprocess
from app.services.synthesis.shipped import ShippedPictures, shipped
from app.verbs.synthesised_assets import STEPS, steps
from app.vision.synthesis_goals import Lens, SynthesisGoal
from models.weights import TABLE
from tests.support.networks import embedded

pytestmark = pytest.mark.usefixtures("one_thread")

ROW = TABLE[0]
FILE = ROW.path.with_name("mini.synthesised.safetensors")


@pytest.fixture(scope="module")
def model() -> Model:
    return Catalogue(torch.device("cpu"), 1).model("mini")


@pytest.fixture(scope="module")
def there(model: Model) -> ShippedPictures:
    found = shipped(model, "conv1")
    assert found is not None, "they were made from other weights: make assets"
    return found


def test_they_were_made_from_these_weights(model: Model) -> None:
    with safe_open(FILE, "pt") as file:
        about = file.metadata()
    assert about["weights_sha256"] == ROW.sha256
    assert read(FILE, model).about["recipe"]


def test_every_channel_and_every_class_has_one(model: Model, there: ShippedPictures) -> None:
    assert steps(model) == ["conv1", "conv2", "conv3", "conv4", "conv5", "fc7"]
    assert set(there.sheets) == set(there.objectives) == set(steps(model))
    assert (there.recipe.size, there.recipe.steps, there.recipe.seed) == (64, STEPS, 0)
    for at in steps(model):
        count = model.geometry[at].shape[0]
        layout = there.layout(at)
        assert layout and layout.count == count == len(there.objectives[at])
        with Image.open(io.BytesIO(there.sheet(at))) as sheet:
            assert sheet.size == (layout.width, layout.height)
        tiles = [np.asarray(there.tile(at, channel)) for channel in range(count)]
        assert {tile.shape for tile in tiles} == {(64, 64, 3)}
        assert min(float(tile.std()) for tile in tiles) > 5
        assert len({tile.tobytes() for tile in tiles}) == count


def test_small_enough_to_travel() -> None:
    assert FILE.stat().st_size <= 3_200_000


@pytest.mark.parametrize(
    ("at", "channels"),
    [("conv1", (0, 9, 40)), ("conv3", (5, 100)), ("conv5", (3, 17, 120)), ("fc7", (0, 57, 97))],
)
def test_a_channel_answers_more_to_its_picture_than_to_any_sample(
    model: Model, there: ShippedPictures, at: str, channels: tuple[int, ...]
) -> None:
    """Measured through the network, from the pixels that are shown: kept small and all."""
    prep, network = preprocess(model), embedded()
    with torch.inference_mode():
        samples = [normalise(fit(one.open(), prep).pixels, prep) for one in all_samples()]
        for channel in channels:
            pixels = np.asarray(there.tile(at, channel)).transpose(2, 0, 1).copy()
            seen = torch.stack([normalise(torch.from_numpy(pixels), prep), *samples])
            lens = Lens(network, at, [SynthesisGoal(channel)] * len(seen))
            own, *others = lens.values(seen).tolist()
            assert own > max(others)
            # JPEG costs it little.
            assert own == pytest.approx(there.objectives[at][channel].item(), rel=0.25)
