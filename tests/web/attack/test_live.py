"""Fool it: the stream's events, traces that are kept and go, pictures and table of the steps."""

from __future__ import annotations

import csv
import io
from contextlib import aclosing
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import torch
from fastapi import FastAPI
from PIL import Image
from starlette.requests import Request
from starlette.testclient import TestClient

from app.pictures.difference import FACTORS, amplification, difference_png
from app.services.attacks.traces import Trace
from app.web.attack.view import AttackView
from app.web.core import streams
from tests.support.attack_pages import (
    RUN,
    events,
    headline,
    opened,
    pixels,
    steps,
    traces,
    warnings,
)


def test_the_stream_brings_the_steps_in_order_then_the_end(client: TestClient) -> None:
    found = events(client, "image=cat&epsilon=4&target=school bus")
    assert [id for id, _, _ in found] == ["", *map(str, range(12)), ""]
    assert found[-1][1] == "done" and all(not name for _, name, _ in found[:-1])
    said = [data for _, _, data in found[1:-2]]
    shown = [steps(one)[0] for one in said]
    assert [one["step"] for one in shown] == [str(n) for n in range(11)]
    assert shown[0]["class"] == "was" and "As it was: “tabby cat”" in shown[0]["words"]
    flips = [one for one in shown if "flips" in one["class"]]
    assert len(flips) == 1 and "here it flips" in flips[0]["words"]
    assert all(one["class"] == "was" for one in shown[: int(flips[0]["step"])])
    assert all(one.count('<li class="chance') == 5 for one in said)
    last = found[-2][2]
    assert headline(last).startswith("Target reached: it now says “school bus”")
    for part in ("#ending", "#control", "#summary"):
        assert f'hx-target="{part}"' in last


def test_a_page_that_comes_back_is_sent_the_rest(client: TestClient) -> None:
    query = "image=cat&epsilon=3"
    whole = events(client, query)
    rest = events(client, query, **{"Last-Event-ID": "8"})
    assert [id for id, _, _ in rest] == ["9", "10", "11", ""]
    assert rest[:-1] == whole[-4:-1]
    assert events(client, query, **{"Last-Event-ID": "11"}) == [("", "done", "")]


def test_a_kept_trace_is_played_without_computing(
    client: TestClient, application: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = opened(client, "image=cat&epsilon=3&run=1&plain=1")
    streamed = events(client, "image=cat&epsilon=3")

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("computed again")

    monkeypatch.setattr(application.state.services.engine, "stream", refuse)
    again = opened(client, "image=cat&epsilon=3&run=1")
    assert steps(again) == steps(first) and headline(again) == headline(first)
    assert 'data-state="done"' in again and "hx-sse:connect" not in again
    assert events(client, "image=cat&epsilon=3") == streamed


def test_a_run_pushes_the_link_that_repeats_it(client: TestClient, other: TestClient) -> None:
    answer = client.get("/attack?image=cat&epsilon=4&seed=&step_size=&run=1&drawn=pgd", headers=RUN)
    assert 'hx-sse:connect="/attack/events?' in answer.text and "<main" not in answer.text
    url = answer.headers["HX-Push-Url"]
    assert "epsilon=4&steps=10" in url and "run=1" in url
    mine = events(client, urlsplit(url).query)
    theirs = events(other, urlsplit(url).query)
    # The first event says a place in the queue, which a kept trace does not need.
    assert 'hx-target="#queue"' in mine[0][2] and theirs == mine[1:]


def test_a_picture_is_exactly_the_8_bits_the_network_was_asked_about(
    client: TestClient, application: FastAPI
) -> None:
    text = opened(client, "image=cat&epsilon=4&run=1&plain=1")
    shown = steps(text)
    key = shown[0]["picture"].split("/")[3]
    trace = traces(application).find(key)
    start = trace.pixels(0).permute(1, 2, 0).numpy()
    for number in (0, 4, 10):
        drawn = pixels(client, shown[number]["picture"])
        assert (drawn == trace.pixels(number).permute(1, 2, 0).numpy()).all()
        noise = pixels(client, shown[number]["noise"]).astype(int)
        assert (noise == np.clip((drawn.astype(int) - start) * 30, -127, 127) + 128).all()
    saved = client.get(shown[10]["picture"] + "?save=1")
    assert "layerscope-attacked-10.png" in saved.headers["content-disposition"]
    sent = client.post("/api/v1/images", files={"file": ("a.png", saved.content)}).json()
    assert f"image={sent['id']}" in text
    predicted = client.get(f"/api/v1/runs/mini/{sent['id']}").json()["predictions"][0]
    assert predicted["label"] == trace.labels[trace.moments[10].predictions[0].index].label
    control = pixels(client, f"/attack/trace/{key}/control.png").astype(int)
    assert abs(control - start).max() == 4
    noise = pixels(client, f"/attack/trace/{key}/control/noise.png?amplify=2").astype(int)
    assert (noise == (control - start) * 2 + 128).all()


def test_the_table_adds_up_with_the_trace(client: TestClient, application: FastAPI) -> None:
    text = opened(client, "image=cat&epsilon=4&target=school bus&run=1&plain=1")
    key = steps(text)[0]["picture"].split("/")[3]
    trace = traces(application).find(key)
    answer = client.get(f"/attack/trace/{key}.csv")
    assert "layerscope-attack.csv" in answer.headers["content-disposition"]
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(lines) == 11
    start = trace.pixels(0).double()
    for line, moment in zip(lines, trace.moments, strict=True):
        change = trace.pixels(int(line["step"])).double() - start
        assert float(line["linf"]) == change.abs().max() <= 4
        assert float(line["l2"]) == pytest.approx(float(change.norm()))
        first = moment.predictions[0]
        assert float(line["logit_1"]) == first.logit
        assert float(line["probability_1"]) == first.probability
        assert int(line["flipped"]) == (line["label_1"] != "tabby cat")
        assert float(line["target_probability"]) == moment.target_probability
    assert lines[-1]["label_1"] == "school bus"


def test_an_evicted_trace_is_said_and_run_again(client: TestClient, application: FastAPI) -> None:
    text = opened(client, "image=cat&epsilon=4&run=1&plain=1")
    url = steps(text)[3]["picture"]
    traces(application).forget("cat")
    answer = client.get(url)
    assert answer.status_code == 404
    assert answer.json()["detail"] == "The steps of this attack have been deleted. Run it again."
    assert 'data-state="running"' in opened(client, "image=cat&epsilon=4&run=1")
    assert client.get(url[:-5] + "99.png").status_code == 404


def test_a_picture_that_is_deleted_takes_its_traces_along(
    client: TestClient, application: FastAPI
) -> None:
    data = io.BytesIO()
    Image.new("RGB", (80, 80), (200, 120, 40)).save(data, "PNG")
    sent = client.post("/api/v1/images", files={"file": ("a.png", data.getvalue())}).json()["id"]
    text = opened(client, f"image={sent}&run=1&plain=1")
    assert "This link shows an uploaded picture, which is deleted in 24 hours" in text
    url = steps(text)[0]["picture"]
    assert client.get(url).status_code == 200
    client.delete(f"/api/v1/images/{sent}.png")
    assert client.get(url).status_code == 404


def test_a_second_attack_of_the_same_person_is_said_in_words(
    client: TestClient, application: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PATIENCE", 0.1)
    client.get("/")
    owner = client.cookies["layerscope_owner"]

    async def occupied() -> Any:
        held = application.state.services.engine.stream(owner, lambda: iter([1]))
        await anext(held)
        return held

    assert client.portal
    held = client.portal.call(occupied)
    answer = client.get("/attack/events?image=cat")
    assert answer.status_code == 503 and "One long job of yours" in answer.json()["detail"]
    text = opened(client, "image=cat&run=1&plain=1", 503)
    assert "One long job of yours" in warnings(text)
    client.portal.call(held.aclose)
    assert events(client, "image=cat")[-1][1] == "done"


def test_stopping_ends_a_run_with_what_it_has(client: TestClient, application: FastAPI) -> None:
    client.get("/")
    owner, services = client.cookies["layerscope_owner"], application.state.services
    view = AttackView(model="mini", image="cat", epsilon=4, steps=200, run=True)

    async def half() -> Trace:
        attack = await services.attacks.prepare("mini", "cat", view.request)
        run = services.traces.run(services.attacks, attack, "cat", owner)
        async with aclosing(run) as items:
            for _ in range(4):
                await anext(items)
            trace: Trace = services.traces.latest(owner)
            assert services.traces.stop(owner)
            async for _ in items:
                pass
        return trace

    assert client.portal
    trace = client.portal.call(half)
    assert client.post("/attack/stop").status_code == 204
    assert trace.outcome and trace.outcome.stopped and len(trace.moments) < 150
    assert client.get(f"/attack/trace/{trace.key}/control.png").status_code == 200
    # The link means the whole run: it is computed, not what was reached.
    assert 'data-state="running"' in opened(client, view.query())


def test_the_noise_is_amplified_as_far_as_it_goes_and_cut_evenly() -> None:
    assert [amplification(n) for n in (1, 2, 4, 8, 16, 32, 255)] == [120, 60, 30, 15, 7, 3, 0.5]
    assert all(factor * round(127 / factor - 0.5) <= 127.5 for factor in FACTORS)
    before = torch.full((3, 1, 4), 100, dtype=torch.uint8)
    after = torch.tensor([100, 101, 90, 255], dtype=torch.uint8).expand(3, 1, 4)
    drawn = np.asarray(Image.open(io.BytesIO(difference_png(before, after, 10))))
    assert drawn[0, :, 0].tolist() == [128, 138, 28, 255]


def test_a_run_to_the_end_stops_when_its_reader_has_left(
    client: TestClient, application: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def left(self: object) -> bool:
        return True

    monkeypatch.setattr(Request, "is_disconnected", left)
    text = opened(client, "image=cat&steps=200&run=1&plain=1", 503)
    assert "stopped before its end" in warnings(text)
    assert not application.state.services.engine.jobs
