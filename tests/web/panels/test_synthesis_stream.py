"""A picture that grows while somebody watches: order, stopping, waiting, what breaks."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.errors import Busy, NotWritten
from app.services.engine.engine import LocalEngine
from app.services.synthesis.disk_cache import PictureCache
from app.services.synthesis.growth import GrowthReport, Growths
from app.web.core import streams
from tests.support.event_streams import parse
from tests.support.synthesis_pages import (
    API,
    FEW,
    HTMX,
    UNIT,
    follow_until,
    picture_of,
    pixels,
    until_idle,
)
from tests.support.waiting import HANG

pytestmark = pytest.mark.usefixtures("impatient", "one_thread")


def test_it_grows_in_order_ends_finished_and_is_there_for_everyone(
    client: TestClient, other: TestClient
) -> None:
    stage = client.get(f"/synthesis/stage?{FEW}", headers=HTMX)
    assert stage.headers["hx-replace-url"].startswith("/?")
    query = parse_qs(urlsplit(stage.headers["hx-replace-url"]).query)
    assert query["made"] == ["steps20-seed7-size64"] and query["y"] == ["2"]
    events = unescape(re.search(r'hx-sse:connect="([^"]+)"', stage.text)[1])  # type: ignore[index]
    answer = client.get(events)
    assert "base64" not in answer.text
    queued, *steps, last, done = parse(answer.text)
    assert 'data-place="0"' in queued["data"] and done["event"] == "done"
    ids = [int(event["id"]) for event in (*steps, last)]
    assert ids == sorted(set(ids)) and {0, 16, 20} <= set(ids) and ids[-1] == 20
    early = next(event for event in steps if event["id"] == "16")
    assert 'name="steps" value="16"' in early["data"]
    assert pixels(client, picture_of(early["data"])).shape == (64, 64, 3)
    assert '<hx-partial hx-target="#synthesis-stage"' in last["data"]
    assert 'class="line"' in last["data"] and 'data-state="made"' in last["data"]
    # Somebody else has it at once, and after a new start of the server.
    again = other.get(f"/panels/synthesised?{UNIT}&made=steps20-seed7-size64").text
    assert 'data-state="made"' in again and "hx-sse" not in again
    assert (pixels(other, picture_of(again)) == pixels(client, picture_of(last["data"]))).all()


def test_a_page_that_comes_back_is_sent_the_later_steps(client: TestClient) -> None:
    url = f"/synthesis/events?{UNIT}&steps=36&seed=9"
    events = parse(client.get(url, headers={"Last-Event-ID": "16"}).text)
    assert [event["id"] for event in events if "id" in event][0] != "0"
    assert all(int(event["id"]) > 16 for event in events if "id" in event)


def test_stopped_it_keeps_what_was_reached_and_the_engine_is_free(
    client: TestClient, application: FastAPI
) -> None:
    stage = client.get(f"/synthesis/stage?{UNIT}&steps=2000&seed=3", headers=HTMX).text
    stop = unescape(re.search(r'hx-get="([^"]+)"\s+hx-include', stage)[1])  # type: ignore[index]
    growths: Growths = application.state.services.studio.growths
    url = f"{API}/conv5/channels/3/synthesised/events?steps=2000&seed=3"
    seen = follow_until(client, application, url, 32)
    assert seen >= 32
    until_idle(client, application)
    assert len(growths) == 0
    stopped = client.get(f"{stop}&steps=32", headers=HTMX)
    assert 'data-state="made"' in stopped.text and "autofocus" in stopped.text
    assert "in 32 steps" in stopped.text
    query = parse_qs(urlsplit(stopped.headers["hx-replace-url"]).query)
    assert query["made"] == ["steps32-seed3-size64"]
    kept = list(Path(application.state.services.settings.data).glob("synthesised/kept/*.png"))
    assert len(kept) == 1
    never = client.get(f"{stop}&steps=0&seed=4", headers=HTMX)
    assert 'data-state="none"' in never.text and "hx-replace-url" not in never.headers


def test_a_second_long_job_of_one_person_is_refused_in_words(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object) -> AsyncIterator[object]:
        raise Busy("One long job of yours is running already. Stop it, or wait for it.")
        yield

    monkeypatch.setattr(LocalEngine, "stream", busy)
    for url in (f"/synthesis/events?{FEW}", f"{API}/conv5/channels/3/synthesised/events?steps=20"):
        answer = client.get(url)
        assert answer.status_code == 503 and "One long job of yours" in answer.text


def test_one_s_last_is_waited_for_before_the_next_begins(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PATIENCE", HANG)
    real, refused = LocalEngine.stream, 0

    async def first_busy(
        self: LocalEngine, owner: str, make: Callable[[], Iterator[GrowthReport]]
    ) -> AsyncIterator[int | GrowthReport]:
        nonlocal refused
        if refused < 2:
            refused += 1
            raise Busy("One long job of yours is running already.")
        async for item in real(self, owner, make):
            yield item

    monkeypatch.setattr(LocalEngine, "stream", first_busy)
    events = parse(client.get(f"/synthesis/events?{FEW}").text)
    assert refused == 2 and 'data-state="made"' in events[-2]["data"]


def test_a_full_disk_is_told_and_the_picture_shown(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise NotWritten("The picture is here but could not be kept: save it yourself.")

    monkeypatch.setattr(PictureCache, "put", full)
    *_, last, done = parse(client.get(f"/synthesis/events?{FEW}").text)
    assert "could not be kept" in last["data"]
    assert pixels(client, picture_of(last["data"])).shape == (64, 64, 3)


def test_what_breaks_in_mid_stream_is_told_in_words(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Iterator[object]:
        yield from ()
        raise RuntimeError("secret detail")

    monkeypatch.setattr(Growths, "follow", broken)
    for url in (f"/synthesis/events?{FEW}", f"{API}/conv5/channels/3/synthesised/events?steps=20"):
        *_, error, done = parse(client.get(url).text)
        assert "Something went wrong on the server" in error["data"]
        assert "secret" not in error["data"] and done["event"] == "done"
