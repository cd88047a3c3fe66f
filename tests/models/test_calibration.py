"""The files made from the weights belong to these weights."""

from __future__ import annotations

import json

import pytest
from safetensors import safe_open
from safetensors.torch import load_file

from app.training.options import TrainingOptions
from models.mini import HIDDEN, WIDTHS
from models.registry import empty
from models.weights import TABLE

ROW = TABLE[0]
CALIBRATION = ROW.path.with_name("mini.calibration.safetensors")


def metadata(name: str) -> dict[str, str]:
    with safe_open(ROW.path.with_name(name), "pt") as file:
        about: dict[str, str] = file.metadata()
    return about


def test_the_calibration_names_the_weights_it_was_made_from() -> None:
    weights, calibration = metadata(ROW.file), metadata(CALIBRATION.name)
    assert calibration["weights_sha256"] == ROW.sha256
    assert calibration["scores_data_sha256"] == weights["validation_sha256"]
    assert calibration["means_data_sha256"] == weights["training_sha256"]


def test_it_holds_a_thousand_sorted_scores_and_means_of_every_layer_and_class() -> None:
    found = load_file(CALIBRATION)
    scores = {name: value for name, value in found.items() if name.startswith("score.")}
    kinds = ("energy", "max_logit", "norm.4", "norm.5", "profile")
    assert set(scores) == {f"score.{kind}" for kind in kinds}
    for value in scores.values():
        assert value.shape == (1000,)
        assert value.equal(value.sort().values)
        assert value.isfinite().all()
    for layer, width in enumerate(WIDTHS, start=1):
        means = found[f"mean.relu{layer}"]
        assert means.shape == (100, width)
        assert (means >= 0).all()
    for layer in (1, 2, 3):
        mean, spread = found[f"profile.relu{layer}"]
        # The means are stored in half precision.
        assert mean.allclose(found[f"mean.relu{layer}"].float().mean(0), atol=1e-3)
        assert (spread > 0).all()
    # A few channels may be silent; whole layers are not.
    assert all((found[f"mean.relu{layer}"] > 0).float().mean() > 0.9 for layer in range(1, 6))


def test_small_enough_to_travel() -> None:
    assert ROW.bytes <= 8_000_000
    assert CALIBRATION.stat().st_size <= 300_000


def test_the_weights_say_where_they_come_from() -> None:
    about = metadata(ROW.file)
    assert json.loads(about["widths"]) == list(WIDTHS)
    assert int(about["hidden"]) == HIDDEN
    assert float(about["top1"]) * 100 == pytest.approx(ROW.top1, abs=0.01)
    assert float(about["top5"]) * 100 == pytest.approx(ROW.top5, abs=0.01)
    assert f"{ROW.top1:.1f} %" in ROW.about
    # What float16 on disk costs is under 0.1 point.
    assert abs(float(about["top1"]) - float(about["top1_float32"])) <= 0.001
    assert not about["revision"].endswith("-changed")
    assert len(about["revision"]) == 40
    assert int(about["training_pictures"]) == 50_000
    used = TrainingOptions.of(json.loads(about["options"]))
    assert (used.widths, used.hidden) == (WIDTHS, HIDDEN)
    assert len(empty("mini").steps) == 18
