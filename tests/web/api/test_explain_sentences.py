"""What the page says of sums and chains, against the numbers of the API."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from starlette.testclient import TestClient
from torch import nn

from app.settings import Settings
from app.web.app import create_app
from app.web.core.templating import number, percent
from tests.support.addresses import BASE
from tests.support.networks import embedded

RUN = "/api/v1/runs/mini/coffee"
PANE = {"HX-Request": "true", "HX-Target": "aside#evidence"}


def said(text: str) -> str:
    found = re.search(r"data-say[^>]*>([^<]*)<", text)
    assert found
    return html.unescape(found[1]).replace("\u00a0", " ")


@pytest.mark.parametrize(("step", "channel", "first"), [("conv5", 83, 0), ("softmax", 97, 1)])
def test_the_chains_sentence_says_what_a_term_is_a_share_of(
    client: TestClient, step: str, channel: int, first: int
) -> None:
    links = client.get(f"{RUN}/steps/{step}/chain?channel={channel}").json()
    link = links[first]
    part = link["parts"][0]
    query = f"/?model=mini&image=coffee&step={step}&channel={channel}&zoom=chain"
    text = said(client.get(query, headers=PANE).text)
    of_value, of_all = part["term"] / link["value"], part["share"]
    assert of_value > of_all
    assert (
        f"is {number(part['term'])}: {percent(of_value)} of this value, and {percent(of_all)} of "
        "the magnitudes of bias and all terms."
    ).replace("\u00a0", " ") in text
    assert (f"it comes from fc7 · espresso, {number(link['value'])}." in text) == (first > 0)
    # Of another source that is followed the sentence does not say that it is the largest.
    other = said(client.get(f"{query}&path=1", headers=PANE).text)
    assert "the largest term" in text
    assert "the largest term" not in other
    assert "the term that is followed, from " in other


def test_a_chain_from_a_probability_gives_the_logit_as_its_source(client: TestClient) -> None:
    links = client.get(f"{RUN}/steps/softmax/chain?channel=97").json()
    source = links[0]["parts"][0]
    assert source["value"] == pytest.approx(links[1]["value"])
    assert source["value"] > 1 > source["term"] == links[0]["value"]
    assert source["weight"] is None


@pytest.mark.parametrize("step", ["conv1", "conv2", "conv3", "conv5"])
def test_most_is_said_only_of_more_than_all_the_rest(client: TestClient, step: str) -> None:
    seen = set()
    for channel in range(0, 24):
        query = f"/?model=mini&image=coffee&step={step}&channel={channel}&zoom=arithmetic"
        text = said(client.get(query, headers=PANE).text)
        made = client.get(f"{RUN}/steps/{step}/explain?channel={channel}").json()
        sizes = sorted((abs(one) for one in made["sums"]), reverse=True)
        most = sizes[0] > sum(sizes[1:]) + abs(made["bias"])
        assert ("Most comes from" in text) == most
        assert ("The largest part comes from" in text) != most
        seen.add(most)
    assert False in seen


def test_a_score_of_exactly_zero_has_its_source_in_words(tmp_path: Path) -> None:
    network = embedded()
    last = network.module("fc7")
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        last.weight[97] = 0.0
        last.bias[97] = 0.0
    stick = tmp_path / "stick"
    stick.mkdir()
    save_file(network.state_dict(), stick / "mini-zero.safetensors")
    app = create_app(Settings(data=tmp_path / "data", device="cpu", weights=stick))
    with TestClient(app, base_url=BASE) as client:
        first, second = client.get(
            "/api/v1/runs/own-mini-zero/coffee/steps/softmax/chain?channel=97"
        ).json()
        assert (first["parts"][0]["value"], first["parts"][0]["weight"]) == (0.0, None)
        assert (second["value"], second["parts"]) == (0.0, [])
        query = "/?model=own-mini-zero&image=coffee&step=softmax&channel=97&zoom=chain"
        page = client.get(query, headers=PANE).text
        assert "it comes from fc7 · espresso, 0, which has no source." in said(page)
        assert "this cell is zero, and no source pushed it either way" in page
