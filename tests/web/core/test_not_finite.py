"""Networks whose numbers are not finite: words on the page, in the API and the streams, no nan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from starlette.testclient import TestClient

from app.errors import NotFinite
from app.pictures.charts import ChartSeries, LineChart, lay_out
from app.services.pictures.mask import DIGITS, SIDE
from app.settings import Settings
from app.vision.predict import top
from app.web.app import create_app
from app.web.core.file_responses import csv_response
from app.web.core.templating import exact, milliseconds, number, percent
from tests.support.addresses import BASE
from tests.support.networks import embedded

HTML = {"accept": "text/html"}
RUN = "/api/v1/runs/own-mini-huge/cat"
WORDS = "At fc6 this network computes numbers that are not finite"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """With networks of one's own: NaN, an overflow at fc6, one at conv2, and a good one."""
    stick = tmp_path / "stick"
    stick.mkdir()
    state = embedded().state_dict()
    save_file({**state, "fc7.bias": torch.full((100,), torch.nan)}, stick / "mini-nan.safetensors")
    save_file({**state, "fc6.weight": state["fc6.weight"].abs() * 0 + 3e38},
              stick / "mini-huge.safetensors")  # fmt: skip
    save_file({**state, "conv2.weight": torch.full_like(state["conv2.weight"], -3e38)},
              stick / "mini-low.safetensors")  # fmt: skip
    save_file(state, stick / "mini-good.safetensors")
    app = create_app(Settings(data=tmp_path / "data", device="cpu", weights=stick))
    with TestClient(app, base_url=BASE) as made:
        yield made


def test_the_menu_lists_a_network_with_nan_and_offers_the_others(client: TestClient) -> None:
    page = client.get("/").text
    assert "mini-nan.safetensors <small>refused" in page
    assert "fc7.bias holds a number that is not finite" in page
    ids = {one["id"] for one in client.get("/api/v1/models").json()}
    assert "own-mini-good" in ids and "own-mini-nan" not in ids


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/runs/own-mini-nan/cat",
        "/?model=own-mini-nan",
        "/runs/own-mini-nan/cat/events",
        "/attack?model=own-mini-nan&run=1",
        "/compare?other_model=own-mini-nan",
    ],
)
def test_a_network_with_nan_answers_with_its_reason(client: TestClient, path: str) -> None:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 404
    assert "fc7.bias holds a number that is not finite" in answer.text.replace("\n", " ")


@pytest.mark.parametrize(
    "path",
    [
        RUN,
        f"{RUN}/predictions.csv",
        f"{RUN}/steps/fc6.npy",
        f"{RUN}/steps/fc7/explain?channel=0",
        f"{RUN}/steps/softmax/chain?channel=0",
        f"{RUN}/steps/conv1/occlusion?channel=0",
        f"{RUN}/steps/conv1/ablation?channel=0&off=1",
        f"{RUN}/cover?mask={'0' * SIDE * DIGITS}",
        "/?model=own-mini-huge&step=fc7",
        "/?model=own-mini-huge&step=softmax&channel=3&zoom=arithmetic",
    ],
)
def test_the_first_step_that_is_not_finite_is_named(client: TestClient, path: str) -> None:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 422
    assert WORDS in answer.text


def test_the_stream_shows_the_steps_before_and_ends_with_the_words(client: TestClient) -> None:
    text = client.get("/runs/own-mini-huge/cat/events").text
    assert 'data-step="conv5"' in text and 'data-step="fc6"' not in text
    assert WORDS in text and "event: done\ndata: failed" in text
    assert "nan" not in text and "99.9" not in text


@pytest.mark.parametrize("method", ["pgd", "deepfool", "few_pixel", "noise", "sticker"])
def test_an_attack_on_it_is_refused_in_words(client: TestClient, method: str) -> None:
    body = {"model": "own-mini-huge", "image": "cat", "method": method, "steps": 1}
    answer = client.post("/api/v1/attacks", json=body)
    assert answer.status_code == 422 and WORDS in answer.json()["detail"]


def test_minus_infinity_that_a_relu_hides_is_noticed_by_an_attack(client: TestClient) -> None:
    body = {"model": "own-mini-low", "image": "cat", "method": "pgd", "steps": 1}
    answer = client.post("/api/v1/attacks", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("At conv2 this network")


def test_the_others_go_on(client: TestClient) -> None:
    answer = client.get("/api/v1/runs/own-mini-good/cat").json()
    assert answer["predictions"][0]["label"] == "tabby cat"
    body = {"model": "own-mini-good", "image": "cat", "method": "fgsm"}
    assert client.post("/api/v1/attacks", json=body).status_code == 200


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("write", [number, exact, percent, milliseconds])
def test_no_filter_writes_what_is_not_finite(write: Callable[[float], str], value: float) -> None:
    with pytest.raises(NotFinite):
        write(value)


def test_no_chart_has_a_point_that_is_nowhere() -> None:
    ticks = ((0.0, "0"), (1.0, "1"))
    chart = LineChart("Up", "x", ticks, ticks, (ChartSeries("a", "attack", ((0, torch.nan),)),))
    with pytest.raises(NotFinite, match="“Up”"):
        lay_out(chart, 300)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_scores_that_are_not_finite_are_not_ranked(value: float) -> None:
    with pytest.raises(NotFinite):
        top(torch.tensor([1.0, value, 2.0]), 1)


def test_no_table_says_nan() -> None:
    with pytest.raises(NotFinite):
        csv_response(("a", "b"), [(1, "nan"), (2, float("nan"))], "a.csv")
    assert b"1,nan" in csv_response(("a", "b"), [(1, "nan")], "a.csv").body


@pytest.mark.parametrize("panel", ["sweep.csv", "sweep.png", "transfer.csv", "survive.csv"])
def test_what_compares_an_attack_is_refused_in_words(client: TestClient, panel: str) -> None:
    query = "model=own-mini-huge&image=cat&attacked=coffee"
    answer = client.get(f"/attack/{panel}?{query}&method=pgd&seed=0", headers=HTML)
    assert answer.status_code == 422 and "not finite" in answer.text
