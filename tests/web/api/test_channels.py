"""The API of channels: what each responds to, the stream that makes its picture, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.settings import Settings
from app.web.app import create_app
from tests.support.event_streams import parse
from tests.support.networks import put_partial
from tests.support.synthesis_pages import API

pytestmark = pytest.mark.usefixtures("impatient", "one_thread")


def test_the_api_tells_what_a_channel_responds_to(client: TestClient) -> None:
    info = client.get(f"{API}/conv5/channels/17").json()
    made = info["synthesised"]
    assert (info["model"], info["step"], info["channel"], info["label"]) == (
        "mini",
        "conv5",
        17,
        None,
    )
    assert made["state"] == "shipped" and made["measured_at"] == "conv5" and made["objective"] > 1
    assert len(info["prefers"]) == 5 and set(info["prefers"][0]) == {"index", "class", "value"}
    values = [one["value"] for one in info["prefers"]]
    assert values == sorted(values, reverse=True)
    told = info["statistics"]
    assert told["lowest"] <= told["mean"] <= told["highest"] == pytest.approx(values[0])
    assert info["receptive_field"] > 50 and info["kernel"] is None
    strengths = [one["value"] for one in info["crops"]]
    assert len(strengths) == 9 and strengths == sorted(strengths, reverse=True)
    assert client.get(info["crops"][0]["url"]).headers["content-type"] == "image/webp"
    answer = client.get(made["url"])
    assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
    bare = client.get(f"{API}/conv5/channels/17/synthesised.png")
    assert bare.content == answer.content and "no-cache" in bare.headers["cache-control"]
    first = client.get(f"{API}/conv1/channels/5").json()
    assert client.get(first["kernel"]).status_code == 200
    espresso = client.get(f"{API}/softmax/channels/97").json()
    assert espresso["label"] == "espresso" and espresso["prefers"] == []
    assert espresso["synthesised"]["state"] == "shipped"
    assert client.get(f"{API}/fc6/channels/3").json()["synthesised"] | {
        "url": "",
        "events": "",
    } == {
        "url": "",
        "events": "",
        "state": "none",
        "steps": 512,
        "seed": 0,
        "size": 64,
        "measured_at": "fc6",
        "objective": None,
    }


def test_the_api_streams_json_and_then_has_the_picture(client: TestClient) -> None:
    query = "?steps=20&seed=7&away=true"
    missing = client.get(f"{API}/conv2/channels/3/synthesised.png{query}")
    assert missing.status_code == 404 and "not made yet" in missing.json()["detail"]
    events = parse(client.get(f"{API}/conv2/channels/3/synthesised/events{query}").text)
    items = [json.loads(event["data"]) for event in events[:-1]]
    assert [item["step"] for item in items] == [0, 16, 20]
    assert items[-1]["objective"] > items[0]["objective"] and events[-1]["event"] == "done"
    assert client.get(items[1]["picture"]).status_code == 200
    assert client.get(f"{API}/conv2/channels/3/synthesised.png{query}").status_code == 200
    info = client.get(f"{API}/conv2/channels/3{query}").json()["synthesised"]
    assert info["state"] == "cached" and info["objective"] == items[-1]["objective"]


REFUSED_BY_THE_API = [
    ("/api/v1/models/nothing/steps/conv5/channels/3", 404, "no network called"),
    (f"{API}/conv9/channels/3", 404, "no step"),
    (f"{API}/conv5/channels/192", 404, "channels 0 to 191"),
    (f"{API}/softmax/channels/100", 404, "channels 0 to 99"),
    (f"{API}/flatten/channels/3", 404, "ask for pool5"),
    (f"{API}/conv5/channels/-1", 422, "channel"),
    (f"{API}/fc6/synthesised.jpg", 404, "no synthesised pictures of all of fc6"),
    ("/api/v1/models/alexnet/steps/conv5/channels/3/synthesised.png", 404, "not made yet"),
    (
        "/api/v1/models/alexnet/steps/conv5/channels/3/synthesised/events",
        503,
        "python -m app weights get alexnet",
    ),
]


def test_the_api_refuses_in_words(client: TestClient) -> None:
    for path, status, words in REFUSED_BY_THE_API:
        answer = client.get(path)
        assert (path, answer.status_code) == (path, status)
        assert words in answer.json()["detail"]


def test_the_stream_and_the_answers_are_documented_with_examples(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    at = "/api/v1/models/{model}/steps/{step}/channels/{channel}"
    assert {at, f"{at}/synthesised.png", f"{at}/synthesised/events"} <= set(paths)
    content = paths[f"{at}/synthesised/events"]["get"]["responses"]["200"]["content"]
    example = content["text/event-stream"]["example"]
    assert "event: done" in example and '"picture_step"' in example


def test_a_partial_network_has_pictures_and_no_classes(tmp_path: Path, stick: Path) -> None:
    settings = Settings(data=tmp_path, device="cpu", weights=stick)
    with TestClient(create_app(settings), base_url="http://localhost:8000") as client:
        unit = "model=own-mini-part&image=coffee&step=conv5&channel=3"
        text = client.get(f"/panels/synthesised?{unit}").text
        assert 'data-state="none"' in text
        events = parse(client.get(f"/synthesis/events?{unit}&steps=3").text)
        assert 'data-state="made"' in events[-2]["data"]
        info = client.get("/api/v1/models/own-mini-part/steps/conv5/channels/3").json()
        assert info["prefers"] == [] and info["statistics"] is None
        assert client.get("/?model=own-mini-part&step=conv5&channel=3").status_code == 200


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """Mini without its classifier, as a file of somebody's own."""
    return put_partial(tmp_path / "stick")
