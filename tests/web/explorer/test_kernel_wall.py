"""The wall of first kernels, networks with random weights, slices, the unit that is kept."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import numpy as np
import pytest
import torch
from starlette.testclient import TestClient

from app.settings import Settings
from app.vision.kernel_preferences import kernel_preferences
from app.web.app import create_app
from app.web.core.templating import ROOT
from app.web.explorer import kernel_wall
from app.web.panels import slices
from models import registry
from tests.support.addresses import BASE
from tests.support.markup import one_line
from tests.support.networks import embedded, put_partial

API = "/api/v1"
HTML = {"accept": "text/html"}
HTMX = {**HTML, "hx-request": "true", "hx-target": "aside#evidence"}


def shown(client: TestClient, query: str) -> str:
    answer = client.get(f"/?{query}", headers=HTMX)
    assert answer.status_code == 200, answer.text
    return unescape(one_line(answer.text))


def kernels(text: str) -> list[int]:
    return [int(number) for number in re.findall(r'data-kernel="(\d+)"', text)]


def weights(client: TestClient, model: str, step: str) -> np.ndarray:
    answer = client.get(f"{API}/models/{model}/steps/{step}/weight.npy").raise_for_status()
    values: np.ndarray = np.load(io.BytesIO(answer.content))
    return values


@pytest.fixture
def with_part(tmp_path: Path) -> Iterator[TestClient]:
    stick = put_partial(tmp_path / "stick")
    app = create_app(Settings(data=tmp_path / "data", device="cpu", weights=stick))
    with TestClient(app, base_url=BASE, follow_redirects=False) as client:
        yield client


def test_the_wall_is_sorted_by_what_the_link_says(client: TestClient) -> None:
    found = kernel_preferences(embedded().module("conv1").weight)  # type: ignore[arg-type]
    assert kernels(shown(client, "step=conv1")) == list(range(64))
    by_strength = kernels(shown(client, "step=conv1&wall=strength"))
    values = [found[i].strength for i in by_strength]
    assert values == sorted(values, reverse=True)
    for order, angle, has in (
        ("hue", "hue", "is_coloured"),
        ("orientation", "orientation", "is_oriented"),
    ):
        text = shown(client, f"step=conv1&wall={order}")
        shown_order = kernels(text)
        assert sorted(shown_order) == list(range(64))
        flags = [getattr(found[i], has) for i in shown_order]
        assert flags == sorted(flags, reverse=True)
        assert 0 < sum(flags) < 64
        angles = [getattr(found[i], angle) for i in shown_order if getattr(found[i], has)]
        assert angles == sorted(angles)
        assert f"<small>{sum(flags)}</small>" in text


def test_the_page_tells_how_many_prefer_what_and_from_where_on(client: TestClient) -> None:
    found = kernel_preferences(embedded().module("conv1").weight)  # type: ignore[arg-type]
    text = shown(client, "step=conv1")
    both = sum(one.is_coloured and one.is_oriented for one in found)
    colour = sum(one.is_coloured for one in found) - both
    direction = sum(one.is_oriented for one in found) - both
    neither = 64 - both - colour - direction
    assert (
        f"Of 64 kernels {colour} prefer a colour, {direction} a direction, {both} both, "
        f"{neither} neither." in text
    )
    assert "at least 50 % of its energy" in text
    assert "coherence is at least 0.5" in text
    assert "Bigun and Granlund 1987" in text


def test_only_a_step_that_reads_colours_has_a_wall(client: TestClient) -> None:
    assert kernels(shown(client, "step=conv2")) == []
    assert kernels(shown(client, "step=relu1")) == []


def test_trained_and_random_stand_side_by_side(client: TestClient) -> None:
    for model in ("mini", "mini-random"):
        text = shown(client, f"model={model}&step=conv1&wall=hue&both=on")
        assert len(kernels(text)) == 128
        trained, random = text.split("Random weights (He initialisation, seed 0)")
        assert "/models/mini/steps/conv1/filters.png" in trained
        assert "/models/mini-random/" not in trained.split("<h4>")[-1]
        assert "/models/mini-random/steps/conv1/filters.png" in random


def test_a_first_layer_of_which_only_random_weights_are_here_says_so(client: TestClient) -> None:
    text = shown(client, "model=squeezenet1_1-random&step=conv1&both=on")
    assert len(kernels(text)) == 64
    assert "weights get squeezenet1_1" in text


def test_the_switch_keeps_picture_step_channel_and_scale(client: TestClient) -> None:
    query = "image=cat&step=conv1&channel=5&scale=layer&kept=conv2%3A7&wall=hue"
    page = unescape(client.get(f"/?model=mini&{query}", headers=HTML).text)
    assert f'href="/?model=mini-random&{query}"' in page
    page = unescape(client.get(f"/?model=mini-random&{query}", headers=HTML).text)
    assert f'href="/?model=mini&{query}"' in page
    assert "Random weights: predictions are guesses." in page
    assert "mini AlexNet, random weights" in page
    assert "predictions are guesses" not in client.get("/", headers=HTML).text.split("<dialog")[0]


def test_random_weights_work_wherever_an_id_does(client: TestClient) -> None:
    run = client.get(f"{API}/runs/mini-random/coffee").raise_for_status().json()
    trained = client.get(f"{API}/runs/mini/coffee").json()
    assert [one["name"] for one in run["steps"]] == [one["name"] for one in trained["steps"]]
    assert run["steps"][0]["max"] != trained["steps"][0]["max"]
    assert len(run["predictions"]) == 5
    base = f"{API}/runs/mini-random/coffee/steps/conv3"
    cell = client.get(f"{base}/explain?channel=5&y=2&x=3").raise_for_status().json()
    values = np.load(io.BytesIO(client.get(f"{base}.npy").content))
    assert cell["value"] == pytest.approx(float(values[5, 2, 3]))
    assert cell["difference"] <= 1e-5 * cell["magnitude"]
    assert client.get(f"{base}.png").status_code == 200
    assert client.get(f"{base}/projection.png?method=guided&channel=5").status_code == 200
    assert client.get("/runs/mini-random/coffee/events").text.count("event: done") == 1
    assert not np.array_equal(
        weights(client, "mini-random", "conv1"), weights(client, "mini", "conv1")
    )
    assert np.array_equal(
        weights(client, "mini", "conv1"), embedded().state_dict()["conv1.weight"].numpy()
    )


def test_sheets_of_both_never_share_an_address(client: TestClient) -> None:
    found = [
        re.search(r"filters\.png\?v=(\w+)", shown(client, f"model={model}&step=conv1"))
        for model in ("mini", "mini-random")
    ]
    assert found[0] and found[1] and found[0][1] != found[1][1]


def test_the_api_lists_twins_when_asked(client: TestClient) -> None:
    plain = {one["id"]: one for one in client.get(f"{API}/models").json()}
    asked = {one["id"]: one for one in client.get(f"{API}/models?random=true").json()}
    assert set(asked) - set(plain) == {f"{id}-random" for id in plain}
    twin = asked["vgg16-random"]
    assert twin["weights"] == {"state": "random", "verified": False}
    assert twin["steps"] == plain["vgg16"]["steps"]
    assert "random=true" in client.get("/openapi.json").text


def test_there_is_nothing_to_download_of_random_weights(client: TestClient) -> None:
    answer = client.post("/networks/vgg16-random/download", headers=HTMX)
    assert (answer.status_code, "nothing to download" in answer.text) == (422, True)


def test_a_partial_network_has_a_partial_twin(with_part: TestClient) -> None:
    page = unescape(with_part.get("/?model=own-mini-part&step=conv1&both=on", headers=HTML).text)
    assert 'href="/?model=own-mini-part-random&image=coffee&step=conv1"' in page
    run = with_part.get(f"{API}/runs/own-mini-part-random/coffee").raise_for_status().json()
    assert (run["steps"][-1]["name"], run["predictions"]) == ("conv5", [])


def test_networks_that_are_not_here_can_be_looked_into_untrained(client: TestClient) -> None:
    page = unescape(client.get("/?image=cat&step=conv3", headers=HTML).text)
    assert 'href="/?model=vgg16-random&image=cat&step=conv3_1"' in page
    assert ">With random weights<" in page


def test_slices_come_strongest_first_and_link_to_the_maps_they_read(client: TestClient) -> None:
    kernel = embedded().state_dict()["conv3.weight"][5]
    order = kernel.flatten(1).norm(dim=1).argsort(descending=True).tolist()
    text = shown(client, "step=conv3&channel=5&scale=layer")
    numbers = [int(one) for one in re.findall(r'data-slice="(\d+)"', text)]
    assert numbers == order[:8]
    assert f"step=pool2&channel={order[0]}&scale=layer" in text
    assert "192 slices of 3×3, one for each map of pool2" in text
    share = kernel[order[0]].square().sum() / kernel.square().sum()
    assert f"{100 * share:.1f}\u00a0%" in text
    url = "/panels/slices?model=mini&image=coffee&step=conv3&channel=5"
    panel = unescape(one_line(client.get(url).text))
    assert [int(one) for one in re.findall(r'data-slice="(\d+)"', panel)] == order
    shares = slices.energy(kernel)
    half = int(re.search(r"(\d+) of them hold half", panel)[1])  # type: ignore[index]
    ranked = torch.tensor(sorted(shares, reverse=True)).cumsum(0)
    assert ranked[half - 1] >= 0.5 > ranked[half - 2]


def test_only_a_kernel_over_maps_has_slices(client: TestClient) -> None:
    for step in ("conv1", "relu3", "fc6"):
        address = f"/panels/slices?model=mini&image=coffee&step={step}&channel=0"
        assert client.get(address, headers=HTML).status_code == 404
        assert 'class="slice"' not in shown(client, f"step={step}&channel=0")


def test_a_first_kernel_tells_what_it_prefers(client: TestClient) -> None:
    one = kernel_preferences(embedded().module("conv1").weight)[3]  # type: ignore[arg-type]
    assert f"It prefers {kernel_wall.preference_sentence(one)}." in shown(
        client, "step=conv1&channel=3"
    )


def card(text: str) -> str:
    found = re.search(r'<section class="kept".*?</section>', text, re.DOTALL)
    assert found
    return found[0]


def test_a_unit_is_kept_while_another_is_looked_at(client: TestClient) -> None:
    text = shown(client, "image=cat&step=conv4&channel=9&kept=conv2:58")
    mine = card(text)
    assert "conv2, map 58" in mine
    assert "/runs/mini/cat/steps/conv2.png?scale=unit&channels=58" in mine
    assert "/runs/mini/cat/steps/conv2/projection.png?method=guided&channel=58" in mine
    values = np.load(io.BytesIO(client.get(f"{API}/runs/mini/cat/steps/conv2.npy").content))
    assert f"peak here {values[58].max():.3g}" in mine
    assert 'data-set="kept="' in mine
    assert "kept=conv2%3A58" not in mine.split('class="icon release"')[1].split(">")[0]
    # The picture changes, and with it what is shown of the kept unit.
    answer = client.get(
        "/?image=coffee&step=conv4&channel=9&kept=conv2:58",
        headers={**HTMX, "hx-target": "div#stream"},
    )
    assert "/runs/mini/coffee/steps/conv2/projection.png" in card(unescape(answer.text))


def test_a_kept_cell_stays_that_cell(client: TestClient) -> None:
    mine = card(shown(client, "step=conv1&kept=conv3:5:2:3"))
    values = np.load(io.BytesIO(client.get(f"{API}/runs/mini/coffee/steps/conv3.npy").content))
    assert "y=2&x=3" in mine
    assert f"{values[5, 2, 3]:.3g}".replace("-", "−") in mine


def test_a_kept_class_has_a_number_and_a_projection(client: TestClient) -> None:
    mine = card(shown(client, "kept=fc7:97"))
    assert "fc7, espresso" in mine
    assert "map-image" not in mine
    assert "fc7/projection.png" in mine
    assert "projection.png" not in card(shown(client, "kept=softmax:97"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("nonsense", "does not name it"),
        ("conv9:3", "has no step called “conv9”"),
        ("conv2:192", "channels 0 to 191, not 192"),
        ("conv2:3:99:0", "rows 0 to 15"),
        ("fc6:3:1:1", "row of numbers"),
    ],
)
def test_what_cannot_be_kept_is_told_and_the_page_goes_on(
    client: TestClient, given: str, words: str
) -> None:
    text = shown(client, f"step=conv4&channel=9&kept={given}")
    assert words in card(text)
    assert 'data-set="kept="' in card(text)
    assert "unit-pane" in text


def test_the_unit_offers_to_be_kept_or_let_go(client: TestClient) -> None:
    assert 'data-set="kept=conv3:5"' in shown(client, "step=conv3&channel=5&kept=conv2:1")
    pinned = shown(client, "step=conv3&channel=5&y=2&x=3")
    assert 'data-set="kept=conv3:5:2:3"' in pinned
    same = shown(client, "step=conv3&channel=5&kept=conv3:5")
    assert "Stop keeping it" in same.split('class="facts"')[0]
    panel = client.get("/panels/projections?model=mini&image=coffee&step=conv3&channel=5").text
    assert 'data-set="kept=conv3:5"' in panel


@pytest.mark.parametrize("query", ["wall=size", "both=yes", f"kept={'x' * 201}"])
def test_what_makes_no_sense_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/?step=conv1&{query}", headers=HTML).status_code == 422


def test_the_counts_in_the_document_are_the_page_s() -> None:
    document = (ROOT / "docs" / "filters.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"\| ([\w. ]+), (trained|random) \|.*?\| (\d+) \| (\d+) \| (\d+) \| (\d+)", document
    )
    assert len(rows) == 6
    names = {"mini": "mini", "AlexNet": "alexnet", "SqueezeNet 1.1": "squeezenet1_1"}
    for title, how, *counts in rows:
        if how == "trained" and title != "mini":
            continue  # their weights do not come with the project
        network = embedded() if how == "trained" else registry.seeded(names[title], last="conv1")
        found = kernel_preferences(network.module("conv1").weight)  # type: ignore[arg-type]
        colour, direction, both, neither = counts
        assert kernel_wall.count_sentence(found) == (
            f"Of 64 kernels {colour} prefer a colour, {direction} a direction, {both} both, "
            f"{neither} neither."
        )
