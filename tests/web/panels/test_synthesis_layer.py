"""A whole layer made in the terminal, then shown by the page and the API."""

from __future__ import annotations

import io
import re
from html import unescape
from pathlib import Path

import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from app.__main__ import main
from app.services.synthesis.collection import StepCollection
from app.services.synthesis.layer_file import reason_not_shown, write_layer
from app.services.synthesis.shipped import files
from app.vision.synthesis import SynthesisRecipe
from app.web.core.state import Services
from tests.support.markup import one_line

pytestmark = pytest.mark.usefixtures("one_thread")

UNIT = "model=mini&image=coffee&step=relu1&channel=5"
SHEET = "/api/v1/models/mini/steps/conv1/synthesised.jpg"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYERSCOPE_DATA", str(tmp_path))


def layer(step: str, *more: str) -> int:
    given = ["--layer", step, "--steps", "2", "--device", "cpu", "--batch", "64"]
    return main(["synthesize", *given, *more])


def sheet_of(text: str) -> str:
    found = re.search(r'<image href="([^"]+synthesised\.jpg[^"]*)"', text)
    assert found, text
    return unescape(found[1])


def test_the_page_shows_a_layer_that_was_made_in_the_terminal(
    client: TestClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wall = "/synthesis/wall?model=mini&image=coffee&step=conv1"
    before = sheet_of(client.get(wall).text)
    steps = re.search(r"in (\d+) steps", client.get(f"/panels/synthesised?{UNIT}").text)
    assert steps
    assert layer("conv1") == 0
    assert "The page shows them, out of" in capsys.readouterr().err
    text = one_line(client.get(f"/panels/synthesised?{UNIT}").text)
    assert 'data-state="made"' in text and "in 2 steps at 64 × 64 pixels" in text
    assert "It was made here with its whole layer, saved small (JPEG)" in text
    # The same picture: a JPEG's average is that of the PNG.
    folder = tmp_path / "synthesised" / "mini" / "conv1"
    with Image.open(folder / "0005.png") as made:
        there = made.convert("RGB").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    found = re.search(r'<img src="([^"]+synthesised\.png[^"]+)"', text)
    assert found
    with Image.open(io.BytesIO(client.get(unescape(found[1])).content)) as shown:
        here = shown.convert("RGB").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(here, tuple) and isinstance(there, tuple)
    assert max(abs(a - b) for a, b in zip(here, there, strict=True)) <= 2
    info = client.get("/api/v1/models/mini/steps/conv1/channels/5").json()["synthesised"]
    assert (info["state"], info["steps"]) == ("cached", 2)
    # Its sheet has an address of its own: the other one is kept by browsers forever.
    after = sheet_of(client.get(wall).text)
    assert after != before
    answer = client.get(after)
    assert "immutable" in answer.headers["cache-control"]
    assert "immutable" not in client.get(before).headers["cache-control"]
    with Image.open(io.BytesIO(answer.content)) as sheet:
        assert sheet.size == (8 * 64, 8 * 64)
    # What ships is still there for those who ask for it, and other steps have theirs.
    shipped = client.get(f"/panels/synthesised?{UNIT}&made=steps{steps[1]}-seed0-size64").text
    assert "It comes with the weights" in shipped
    other = client.get("/panels/synthesised?model=mini&image=coffee&step=conv2&channel=5").text
    assert "It comes with the weights" in other


def test_a_part_of_a_layer_and_another_folder_are_not_shown(
    client: TestClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert layer("conv1", "--channels", "0-2") == 0
    assert "once all of its pictures are there" in capsys.readouterr().err
    assert layer("conv1", "--out", str(tmp_path / "mine"), "--channels", "0-2") == 0
    assert "The page shows" not in capsys.readouterr().err
    assert not list((tmp_path / "synthesised").glob("*.safetensors"))
    assert "It comes with the weights" in client.get(f"/panels/synthesised?{UNIT}").text


def test_why_a_collection_is_not_shown(
    client: TestClient, application: FastAPI, tmp_path: Path
) -> None:
    services: Services = application.state.services
    mini, twin = (services.catalogue.model(name) for name in ("mini", "mini-random"))
    every = range(64)
    for model, step, channels, recipe, away, why in [
        (twin, "conv1", every, SynthesisRecipe(64), False, "random weights"),
        (mini, "conv1", every, SynthesisRecipe(64), True, "respond to least"),
        (mini, "conv1", every, SynthesisRecipe(1024), False, "64 pictures of 1024 × 1024 pixels"),
        (mini, "conv1", every[1:], SynthesisRecipe(64), False, "once all of its pictures"),
        (mini, "conv1", every, SynthesisRecipe(64), False, ""),
        (mini, "pool1", every, SynthesisRecipe(64), False, ""),
    ]:
        collection = StepCollection(model, step, channels, recipe, tmp_path / "none", away)
        said = reason_not_shown(collection)
        assert why in said and bool(why) == bool(said)
        if why:
            with pytest.raises(ValueError, match="page"):
                write_layer(collection, tmp_path)


def test_a_file_of_another_format_is_passed_over(
    client: TestClient, application: FastAPI, tmp_path: Path
) -> None:
    assert layer("conv1") == 0
    (made,) = (tmp_path / "synthesised").glob("mini.*.safetensors")
    made.write_bytes(made.read_bytes()[:100])
    services: Services = application.state.services
    (only,) = files(services.catalogue.model("mini"))
    assert not only.own
    assert "It comes with the weights" in client.get(f"/panels/synthesised?{UNIT}").text
