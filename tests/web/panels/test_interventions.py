"""Cover and cut: numbers beside those of `app.vision`, and their streams."""

from __future__ import annotations

import asyncio
import io
import re
from typing import Any

import numpy as np
import pytest
import torch
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from app.pictures.preprocess import normalise
from app.services.interventions.results import AblationRanking
from app.services.networks.catalogue import Catalogue
from app.services.pictures.mask import Mask
from app.services.runs.run import preprocess
from app.vision.ablation import Ablation, ranked
from app.vision.cover import cover
from app.vision.occlusion import OcclusionPatch, occlude
from app.vision.partial_forward import partial_forward
from app.vision.units import Unit
from app.web.panels.interventions.ablation_panel import ranking_words
from models.graph import Network
from tests.support.intervention_pages import HX, MASK, RUN, UNIT, array, events, rows_of
from tests.support.networks import embedded
from tests.support.small_networks import untouched


@pytest.fixture(scope="module")
def network() -> Network:
    return embedded()


@pytest.fixture
def pixels(client: TestClient) -> torch.Tensor:
    """The espresso as mini gets it, 0..1."""
    return array(client, f"{RUN}/input.npy")


@pytest.fixture
def normal(client: TestClient) -> torch.Tensor:
    return array(client, f"{RUN}/input.npy?normalised=true")


@pytest.mark.parametrize("how", ["grey", "blur", "noise"])
def test_the_covered_picture_is_that_of_the_mask_and_nothing_else(
    client: TestClient, pixels: torch.Tensor, how: Any
) -> None:
    answer = client.get(f"{RUN}/cover.png?mask={MASK}&how={how}")
    with Image.open(io.BytesIO(answer.content)) as image:
        found = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)
    mask = torch.zeros(64, 64)
    mask[:32, :32] = 1
    expected = cover(pixels, mask, how).mul(255).round().to(torch.uint8)
    assert torch.equal(found, expected)
    before = pixels.mul(255).round().to(torch.uint8)
    differs = (found != before).any(0)
    assert not differs[32:].any() and not differs[:, 32:].any()
    assert differs[:32, :32].float().mean() > 0.5


def test_the_map_and_the_classes_are_those_of_the_covered_picture(
    client: TestClient, network: Network, pixels: torch.Tensor
) -> None:
    mask = Mask.read(MASK).over(64)
    covered = cover(pixels, mask).mul(255).round().to(torch.uint8)
    prep = preprocess(Catalogue(torch.device("cpu"), 10**9).model("mini"))
    with torch.inference_mode():
        made = partial_forward(network, {"input": normalise(covered, prep)[None]}, ["conv3", "fc7"])
    found = array(client, f"{RUN}/steps/conv3/cover.npy?channel=26&mask={MASK}")
    torch.testing.assert_close(found[1], made["conv3"][0, 26])
    assert torch.equal(found[2], found[1] - found[0])
    assert torch.equal(found[0], array(client, f"{RUN}/steps/conv3.npy?channel=26"))
    told = client.get(f"{RUN}/cover?mask={MASK}&class=espresso").json()
    logits = made["fc7"][0]
    assert told["share"] == 0.25
    assert told["asked"]["logit_after"] == pytest.approx(logits[told["asked"]["index"]].item())
    assert [one["index"] for one in told["after"]] == logits.argsort(descending=True)[:5].tolist()
    table = rows_of(client, f"/cut/cover.csv?{UNIT}&step=conv3&channel=26&cover={MASK}")
    assert len(table) == 8 * 8 + 100
    assert float(table[17]["covered"]) == found[1, 2, 1].item()


def test_nothing_covered_changes_nothing(client: TestClient) -> None:
    told = client.get(f"{RUN}/cover").json()
    assert told["before"] == told["after"] and not told["flipped"]
    found = array(client, f"{RUN}/steps/relu5/cover.npy?channel=3")
    assert torch.equal(found[0], found[1]) and not found[2].any()


def test_before_and_after_share_one_scale(client: TestClient) -> None:
    url = f"{RUN}/steps/conv3/cover.png?channel=26&mask={MASK}"
    maps = array(client, url.replace("png", "npy"))
    with Image.open(io.BytesIO(client.get(url).content)) as image:
        found = np.asarray(image).astype(int)
    both = maps[:2].abs().max()
    for tile, limit in ((0, both), (1, both), (2, maps[2].abs().max())):
        expected = 128 + 127 * maps[tile] / limit
        part = found[:, 8 * tile : 8 * tile + 8]
        assert np.abs(part - expected.numpy()).max() <= 0.51


@pytest.mark.parametrize(
    ("unit", "query"),
    [
        (Unit("conv5", 83), "channel=83"),
        (Unit("conv5", 83, (2, 3)), "channel=83&y=2&x=3"),
        (Unit("softmax", 97), "channel=83&of=class&class=97"),
    ],
)
def test_the_occlusion_map_is_that_of_the_science(
    client: TestClient, network: Network, normal: torch.Tensor, unit: Unit, query: str
) -> None:
    url = f"{RUN}/steps/conv5/occlusion?{query}&patch=24&stride=20&fill=mean"
    told = client.get(url).json()
    drops = torch.cat([one.drops for one in occlude(network, normal, unit, OcclusionPatch(24, 20))])
    torch.testing.assert_close(torch.tensor(told["drops"]).flatten(), drops, rtol=1e-4, atol=1e-6)
    assert (told["step"], told["channel"]) == (unit.step, unit.channel)
    assert told["rows"] == [[0, 24], [20, 44], [40, 64]]
    raw = array(client, url.replace("occlusion?", "occlusion.npy?"))
    torch.testing.assert_close(raw, torch.tensor(told["drops"]))
    table = rows_of(client, url.replace("occlusion?", "occlusion.csv?"))
    assert float(table[4]["drop"]) == raw[1, 1].item()
    assert (table[4]["top"], table[4]["right"]) == ("20", "44")


def test_grey_and_the_mean_colour_are_two_fills(client: TestClient) -> None:
    url = f"{RUN}/steps/conv5/occlusion.npy?channel=83&patch=32&stride=32&fill="
    assert not torch.equal(array(client, f"{url}grey"), array(client, f"{url}mean"))


def test_a_finished_map_costs_nothing_a_second_time(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{RUN}/steps/conv5/occlusion.npy?channel=1&patch=32&stride=32"
    first = array(client, url)
    monkeypatch.setattr("app.services.interventions.occlusion.occlude", None)
    assert torch.equal(array(client, url), first)
    text = client.get(
        f"/cut/occlusion?{UNIT}&step=conv5&channel=1&patch=32&stride=32", headers=HX
    ).text
    assert 'data-state="done"' in text


def test_occlusion_pictures(client: TestClient) -> None:
    url = f"{RUN}/steps/conv5/occlusion.png?channel=83&patch=24&stride=20"
    drops = array(client, url.replace("png", "npy"))
    with Image.open(io.BytesIO(client.get(url).content)) as image:
        found = np.asarray(image).astype(int)
    assert np.abs(found - (128 + 127 * drops / drops.abs().max()).numpy()).max() <= 0.51
    with Image.open(io.BytesIO(client.get(f"{url}&over=true").content)) as image:
        assert image.width > 600
    rows = url.replace("occlusion.png?", "occlusion/rows.png?")
    with Image.open(io.BytesIO(client.get(f"{rows}&rows=2").content)) as image:
        assert image.size == (3, 2)
    assert client.get(f"{rows}&rows=4").status_code == 404


def test_a_map_streams_row_by_row_and_goes_on_where_it_stopped(
    client: TestClient, application: FastAPI
) -> None:
    query = f"{UNIT}&step=conv5&channel=177&patch=24&stride=20"
    found = events(client.get(f"/cut/occlusion/events?{query}").text)
    assert 'data-place="0"' in found[0]
    assert [re.findall(r'data-done="(\d)"', one) for one in found[1:-1]] == [["1"], ["2"], ["3"]]
    assert "of computing left" in found[1] and "worst place" in found[3]
    assert "event: done" in found[-1]
    # As if it had been stopped after the first row.
    (laid,) = application.state.services.cuts.occlusions.values
    whole = laid.drops.clone()
    laid.done, laid.drops[1:] = 1, 0
    paused = client.get(f"/cut/occlusion?{query}", headers=HX).text
    assert 'data-state="paused"' in paused and "Go on" in paused
    again = events(client.get(f"/cut/occlusion/events?{query}").text)
    assert [re.findall(r'data-done="(\d)"', one) for one in again[1:-1]] == [["2"], ["3"]]
    assert torch.equal(laid.drops, whole)


def test_switching_off_is_that_of_the_science(
    client: TestClient, network: Network, normal: torch.Tensor
) -> None:
    ablation = Ablation(network, normal, "conv3")
    for query, expected in (
        ("off=3,17,58", ablation.off([3, 17, 58], ["fc7"])),
        ("only=26", ablation.only([26], ["fc7"])),
        ("off=all", ablation.off(range(ablation.channels), ["fc7"])),
        ("", ablation.off([], ["fc7"])),
    ):
        told = client.get(f"{RUN}/steps/conv3/ablation?{query}&class=espresso").json()
        logits = expected["fc7"]
        for one in told["after"]:
            assert one["logit"] == pytest.approx(logits[one["index"]].item(), abs=1e-4)
        assert told["asked"]["label"] == "espresso"
    assert told["off"] == [] and told["before"] == told["after"]


def test_the_ranking_is_that_of_the_science(
    client: TestClient, network: Network, normal: torch.Tensor
) -> None:
    told = client.get(f"{RUN}/steps/conv5/ablation/ranking?class=97").json()
    costs = list(Ablation(network, normal, "conv5").costs(97))
    logits = torch.cat([one.logits for one in costs])
    shares = torch.cat([one.probabilities for one in costs])
    assert len(told["channels"]) == len(logits)
    for one in told["channels"]:
        assert one["logit"] == pytest.approx(logits[one["channel"]].item(), abs=1e-4)
        assert one["probability"] == pytest.approx(shares[one["channel"]].item(), abs=1e-5)
    assert [one["channel"] for one in told["channels"]][:3] == ranked(costs)[:3]
    text = client.get(
        f"/cut/ablation/ranking?{UNIT}&step=conv5&channel=1&start=true", headers=HX
    ).text
    shown = [int(c) for c in re.findall(r'data-rank="(\d+)"', text)]
    assert shown[:3] == ranked(costs)[:3]
    table = rows_of(client, f"{RUN}/steps/conv5/ablation/ranking.csv?class=97")
    assert int(table[0]["channel"]) == shown[0]
    by_share = client.get(
        f"/cut/ablation/ranking?{UNIT}&step=conv5&by=probabilities&start=true", headers=HX
    ).text
    first = int(re.findall(r'data-rank="(\d+)"', by_share)[0])
    assert first == ranked(costs, "probabilities")[0]


def test_a_ranking_says_that_a_channel_costs_something_only_if_it_does() -> None:
    def told(*drops: float) -> str:
        ranking = AblationRanking(torch.tensor(drops), torch.tensor(drops), len(drops))
        return ranking_words(ranking, "logits", ranking.order("logits"), "{:g}".format)

    assert told(0.5, 2.0, 0.125, -9.0) == (
        "Channel 1 costs most: without it 2 less. 1 of 4 make less than a tenth of that difference."
    )
    assert told(-0.5, -2.0, 0.0) == "Whichever of the 3 channels is off, it does not drop."


def test_a_ranking_streams(client: TestClient) -> None:
    found = events(client.get(f"/cut/ablation/events?{UNIT}&step=fc6&channel=1").text)
    tried = [int(c) for one in found for c in re.findall(r'ranks" data-done="(\d+)"', one)]
    assert tried == sorted(tried) and tried[-1] == 512 and len(tried) > 3


def test_the_network_is_left_as_it_was(client: TestClient, application: FastAPI) -> None:
    before = client.get(f"{RUN}?top=3").json()["predictions"]
    client.get(f"{RUN}/cover?mask={MASK}")
    client.get(f"{RUN}/steps/conv5/occlusion?channel=83&patch=32&stride=32")
    client.get(f"{RUN}/steps/conv5/ablation?off=all")
    client.get(f"{RUN}/steps/conv5/ablation/ranking")
    assert client.get(f"{RUN}?top=3").json()["predictions"] == before
    catalogue = application.state.services.catalogue
    assert untouched(asyncio.run(catalogue.network("mini")))
