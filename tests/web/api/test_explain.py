"""The arithmetic of cells through the API and on the page."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image
from safetensors.torch import save_file
from starlette.testclient import TestClient

from app.services.networks.state_dict import to_state_dict
from app.settings import Settings
from app.web.app import create_app
from models import registry
from tests.support.addresses import BASE

RUN = "/api/v1/runs/mini/coffee"
PANE = {"HX-Request": "true", "HX-Target": "aside#evidence"}


def array(client: TestClient, url: str) -> np.ndarray[Any, Any]:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    found: np.ndarray[Any, Any] = np.load(io.BytesIO(answer.content))
    return found


def told(client: TestClient, step: str, **query: int) -> dict[str, Any]:
    answer = client.get(f"{RUN}/steps/{step}/explain", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_convolution_is_told_in_full(client: TestClient) -> None:
    made = told(client, "conv2", channel=58, y=0, x=15)
    values = array(client, f"{RUN}/steps/conv2.npy")
    assert made["kind"] == "conv"
    assert made["value"] == values[58, 0, 15]
    patch, kernel = np.array(made["patch"]), np.array(made["kernel"])
    assert patch.shape == kernel.shape == (64, 5, 5)
    assert np.allclose((patch * kernel).sum((1, 2)), made["sums"])
    assert abs(sum(made["sums"]) + made["bias"] - made["value"]) <= 1e-5 * made["magnitude"]
    assert made["difference"] == made["value"] - made["total"]
    weight = array(client, "/api/v1/models/mini/steps/conv2/weight.npy?channel=58")
    assert np.array_equal(weight, kernel.astype("float32"))
    # The first two rows and the last two columns of the window lie beyond the edge.
    assert made["rows"][0] == -2
    assert not patch[:, :2].any()
    inputs = array(client, f"{RUN}/steps/pool1.npy")
    assert np.array_equal(patch[:, 2:, :3].astype("float32"), inputs[:, 0:3, 13:16])


def test_the_first_convolution_reads_the_normalised_picture(client: TestClient) -> None:
    made = told(client, "conv1", channel=4, y=10, x=12)
    given = array(client, f"{RUN}/input.npy?normalised=true")
    top, left = made["rows"][0], made["columns"][0]
    patch = np.array(made["patch"]).astype("float32")
    assert np.array_equal(patch, given[:, top : top + 7, left : left + 7])
    assert array(client, f"{RUN}/input.npy").min() >= 0 > given.min()


def test_relu_pooling_and_the_head_are_told(client: TestClient) -> None:
    before = array(client, f"{RUN}/steps/conv2.npy")
    y, x = np.unravel_index(before[58].argmin(), before[58].shape)
    relu = told(client, "relu2", channel=58, y=int(y), x=int(x))
    assert (relu["value"], relu["window"], relu["winner"]) == (0.0, [[before[58, y, x]]], None)
    assert relu["cut"] == -before[58, y, x]
    assert relu["zeros"] == int((before[58] <= 0).sum())
    pool = told(client, "pool1", channel=5, y=4, x=5)
    maps = array(client, f"{RUN}/steps/relu1.npy")
    assert (
        pool["value"]
        == max(v for row in pool["window"] for v in row)
        == maps[5][tuple(pool["winner"])]
    )
    vote = told(client, "fc7", channel=97, top=5)
    assert len(vote["terms"]) == 10
    total = sum(one["product"] for one in vote["terms"]) + vote["rest"] + vote["bias"]
    assert abs(total - vote["value"]) <= 1e-5 * vote["magnitude"]
    assert all(
        one["product"] == pytest.approx(one["input"] * one["weight"]) for one in vote["terms"]
    )
    share = told(client, "softmax", channel=97, top=5)
    listed = sum(one["exponential"] for one in share["terms"])
    assert listed + share["rest"] == pytest.approx(share["denominator"])
    assert share["terms"][0]["label"] == "espresso"
    flat = told(client, "flatten", channel=1000)
    pooled = array(client, f"{RUN}/steps/pool5.npy")
    source = flat["source"]
    assert pooled[source["channel"], source["y"], source["x"]] == flat["value"]


def test_without_a_cell_the_strongest_is_told(client: TestClient) -> None:
    made = told(client, "conv3", channel=7)
    values = array(client, f"{RUN}/steps/conv3.npy")[7]
    assert made["value"] == values.max() == values[made["y"], made["x"]]


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("conv2/explain?channel=192", 404, "channels 0 to 191"),
        ("conv2/explain?channel=0&y=16&x=0", 404, "rows 0 to 15 and columns 0 to 15"),
        ("fc7/explain?channel=0&y=1&x=0", 404, "row of numbers"),
        ("conv9/explain?channel=0", 404, "no step called"),
        ("conv2/explain", 422, "channel"),
        ("conv2/explain?channel=-1", 422, "channel"),
        ("conv2/chain?channel=0&path=9", 422, "sources 0 to"),
        ("conv2/chain?channel=0&path=a", 422, "A path is numbers"),
        ("conv2/chain?channel=0&path=9,9", 422, "sources 0 to"),
        ("conv1/chain?channel=0&path=0", 422, "1 choices, and this chain offers 0: it ends at"),
        ("conv2/chain?channel=0&path=0,0", 422, "2 choices, and this chain offers 1"),
        ("softmax/chain?channel=0&path=0,0,0,0,0,0,0,0,0,0", 422, "10 choices, and this chain"),
        ("conv3/explain?channel=0&y=3", 422, "row y=3 is there, its column x is not"),
        ("conv3/explain?channel=0&x=3", 422, "column x=3 is there, its row y is not"),
        ("fc7/explain?channel=0&y=0", 422, "A cell has a row and a column"),
        ("conv3/explain.csv?channel=0&y=0", 422, "A cell has a row and a column"),
        ("conv3/chain?channel=0&x=0", 422, "A cell has a row and a column"),
        ("conv3/projection.png?channel=0&method=guided&y=3", 422, "its column x is not"),
        ("conv3/projection.png?channel=0&method=guided&x=3", 422, "its row y is not"),
        ("conv3/occlusion?channel=0&y=3", 422, "its column x is not"),
        ("conv3/occlusion/rows.png?channel=0&x=3&rows=1", 422, "its row y is not"),
        ("conv3/cover.png?channel=0&y=3", 422, "its column x is not"),
        ("conv3/cover.npy?channel=0&y=3", 422, "its column x is not"),
        ("conv3/ablation?channel=0&x=3&off=1", 422, "its row y is not"),
        ("conv3/ablation/ranking.csv?channel=0&x=3", 422, "its row y is not"),
        ("conv2/cut.png?channel=0", 404, "cuts nothing away"),
        ("relu2/cut.png?channel=192", 404, "channels 0 to 191"),
    ],
)
def test_what_is_not_there_is_told_with_its_range(
    client: TestClient, query: str, status: int, words: str
) -> None:
    answer = client.get(f"{RUN}/steps/{query}")
    assert answer.status_code == status
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?zoom=arithmetic",
        "/?zoom=chain",
        "/deep.png",
        "/panels/projections",
        "/panels/numbers",
        "/cut/occlusion",
        "/cut/ablation",
        "/cut/cover",
        "/crops/panel",
    ],
)
@pytest.mark.parametrize("half", ["y=3", "x=0"])
def test_half_a_cell_is_refused_by_page_and_panels(
    client: TestClient, path: str, half: str
) -> None:
    unit = f"model=mini&image=coffee&step=conv3&channel=7&{half}"
    answer = client.get(f"{path}{'&' if '?' in path else '?'}{unit}", headers=PANE)
    assert answer.status_code == 422
    assert path == "/deep.png" or "A cell has a row and a column" in answer.text


def test_a_page_keeps_a_path_that_is_longer_than_the_chain_of_another_picture(
    client: TestClient,
) -> None:
    unit = "model=mini&image=coffee&step=conv2&channel=0&zoom=chain"
    long = client.get(f"/?{unit}&path=1,0,0", headers=PANE)
    assert long.status_code == 200
    # What is drawn is the chain of the choices that it offers.
    once = client.get(f"/?{unit}&path=1", headers=PANE)
    assert long.text.replace("path=1%2C0%2C0", "path=1") == once.text


def test_a_chain_leads_from_layer_five_to_the_picture(client: TestClient) -> None:
    links = client.get(f"{RUN}/steps/conv5/chain?channel=83").json()
    assert [link["cell"]["step"] for link in links] == (
        [
            "conv5",
            "relu4",
            "conv4",
            "relu3",
            "conv3",
            "pool2",
            "relu2",
            "conv2",
            "pool1",
            "relu1",
            "conv1",
        ]
    )
    assert links[-1]["parts"][0]["source"]["step"] == "input"
    sides = [link["box"][2] - link["box"][0] for link in links if link["kind"] == "conv"]
    assert sides == sorted(sides, reverse=True)
    for link in links:
        total = link["bias"] + sum(part["term"] for part in link["parts"]) + link["rest"]
        assert total == pytest.approx(link["value"], rel=1e-5, abs=1e-5)
    other = client.get(f"{RUN}/steps/conv5/chain?channel=83&path=2").json()
    assert other[1]["cell"] == links[0]["parts"][2]["source"]


def test_the_terms_come_as_a_table(client: TestClient) -> None:
    text = client.get(f"{RUN}/steps/conv2/explain.csv?channel=58&y=3&x=3").text
    head, *rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    assert head[-1] == "product"
    products = [float(row[-1]) for row in rows[:-2]]
    assert len(products) == 64 * 25
    bias, value = float(rows[-2][-1]), float(rows[-1][-1])
    assert sum(products) + bias == pytest.approx(value, rel=1e-5)
    for step in ("relu1", "pool1", "flatten", "fc6", "softmax"):
        answer = client.get(f"{RUN}/steps/{step}/explain.csv?channel=3")
        assert answer.status_code == 200
        assert len(answer.text.splitlines()) >= 2


def test_what_was_cut_away_is_drawn(client: TestClient) -> None:
    answer = client.get(f"{RUN}/steps/relu2/cut.png?channel=58")
    picture = np.asarray(Image.open(io.BytesIO(answer.content)))
    values = array(client, f"{RUN}/steps/conv2.npy")[58]
    # Index 128 is zero: everything above it was kept and is not drawn.
    assert np.array_equal(picture < 128, values < -0.5 * np.abs(values).max() / 127)
    assert picture.max() == 128


def test_what_was_paid_is_drawn(client: TestClient) -> None:
    answer = client.get(f"{RUN}/paid.png?channel=97")
    assert Image.open(io.BytesIO(answer.content)).size == (4, 4)
    assert client.get(f"{RUN}/paid.png?channel=100").status_code == 404


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("step=conv2&channel=58&y=7&x=5", ["Patch of", "64 input maps", "It adds up", "bias"]),
        ("step=conv2&channel=58&y=7&x=5&source=3", ["Patch of pool1 · 3"]),
        ("step=conv1&channel=4", ["red", "3 input colours"]),
        ("step=relu2&channel=58", ["max(0,", "Zero in the whole step", "Cut away"]),
        ("step=pool1&channel=5", ["The largest is at", "shifts by one pixel"]),
        ("step=flatten&channel=9", ["copied unchanged", "pool5"]),
        ("step=fc6&channel=9", ["For it", "Against it", "others", "pool5"]),
        ("step=fc7&channel=97", ["relu6", "made this score"]),
        ("step=softmax&channel=97", ["espresso", "subtracted from every score", "who voted for"]),
    ],
)
def test_the_page_shows_every_kind_of_arithmetic(
    client: TestClient, query: str, words: list[str]
) -> None:
    answer = client.get(f"/?model=mini&image=coffee&zoom=arithmetic&{query}", headers=PANE)
    assert answer.status_code == 200
    for word in words:
        assert word in answer.text
    picture = client.get(f"/deep.png?model=mini&image=coffee&{query}")
    assert Image.open(io.BytesIO(picture.content)).width >= 640


def test_norm_mean_and_concat_explain_themselves(tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    for name in ("vgg11_bn", "squeezenet1_1"):
        save_file(to_state_dict(name, registry.seeded(name)), stick / f"{name}-seeded.safetensors")
    app: FastAPI = create_app(Settings(data=tmp_path / "data", device="cpu", weights=stick))
    with TestClient(app, base_url=BASE) as client:
        for model, query, words in [
            ("own-vgg11_bn-seeded", "step=norm1_1&channel=3&y=5&x=6", ["mean", "spread", "shift"]),
            ("own-squeezenet1_1-seeded", "step=fire2.concat&channel=100&y=5&x=6", [
                "map 100 here is map 36 of fire2.expand3x3_relu"]),
            ("own-squeezenet1_1-seeded", "step=avgpool&channel=7", ["169 cells"]),
        ]:  # fmt: skip
            for zoom in ("arithmetic", "chain"):
                url = f"/?model={model}&image=coffee&{query}&zoom={zoom}"
                answer = client.get(url, headers=PANE)
                assert answer.status_code == 200
                if zoom == "arithmetic":
                    for word in words:
                        assert word in answer.text
                    assert client.get(url.replace("/?", "/deep.png?")).status_code == 200
            step = query.split("&")[0].removeprefix("step=")
            run = f"/api/v1/runs/{model}/coffee/steps/{step}"
            told = client.get(f"{run}/explain?channel=7&y=0&x=0").json()
            assert told["kind"] in ("norm", "concat", "avgpool")
            assert client.get(f"{run}/explain.csv?channel=7&y=0&x=0").status_code == 200
            if "total" in told:
                assert abs(told["difference"]) <= 1e-5 * told["magnitude"]


def test_the_chain_is_on_the_page_and_follows_a_choice(client: TestClient) -> None:
    url = "/?model=mini&image=coffee&step=conv5&channel=83&zoom=chain"
    first = client.get(url, headers=PANE).text
    second = client.get(f"{url}&path=1", headers=PANE).text
    assert first.count('class="adds"') == second.count('class="adds"') == 5
    assert first != second
    assert "this kernel" in first
    assert "path=1" in first
    assert client.get(f"{url}&path=7", headers=PANE).status_code == 422


def test_a_shift_shows_the_map_before_and_after_pooling(client: TestClient) -> None:
    client.get("/")
    form = {"model": "mini", "image": "coffee", "step": "pool1", "channel": "5", "by": "1,0"}
    answer = client.post("/shift", data=form, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "The picture moved 1 px right" in answer.text
    assert answer.text.count("<image") == 4
    plain = client.post("/shift", data=form)
    assert plain.status_code == 303
    moved = plain.headers["location"].split("image=")[1].split("&")[0]
    before = array(client, f"{RUN}/input.npy")
    after = array(client, f"/api/v1/runs/mini/{moved}/input.npy")
    assert np.array_equal(after[:, :, 1:], before[:, :, :-1])
    assert np.array_equal(after[:, :, 0], before[:, :, 0])
    for wrong in ("0,0", "9,0", "right"):
        assert client.post("/shift", data=form | {"by": wrong}).status_code == 422
    assert client.post("/shift", data=form | {"step": "conv1"}).status_code == 404


def test_a_partial_network_has_no_score_to_pay_for(tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    state = to_state_dict("squeezenet1_1", registry.seeded("squeezenet1_1"))
    part = {key: value for key, value in state.items() if not key.startswith("classifier")}
    save_file(part, stick / "squeezenet1_1-part.safetensors")
    app = create_app(Settings(data=tmp_path / "data", device="cpu", weights=stick))
    with TestClient(app, base_url=BASE) as client:
        answer = client.get("/api/v1/runs/own-squeezenet1_1-part/coffee/paid.png?channel=0")
        assert answer.status_code == 422
        assert "without a classifier" in answer.json()["detail"]
