"""Learning the kernels over HTTP: the stream, its queue, its ends."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.vision.tiny_network.learn import EVERY, STEPS, Learned, learn
from app.web.core import streams
from app.web.lab.xo import learning
from tests.support.event_streams import parse
from tests.support.waiting import HANG, until
from tests.support.xo_pages import PAGE, grid, warnings

EVENTS = "/lab/xo/events?layers=conv,relu,pool"


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of four reports, computed as real ones."""

    def cut(*arguments: Any) -> Iterator[Learned]:
        for report in learn(*arguments):
            yield report
            if report.step == 3 * EVERY:
                return

    monkeypatch.setattr(learning, "learn", cut)


def test_the_learning_streams_its_place_its_steps_and_an_end(client: TestClient) -> None:
    answer = client.get(EVENTS)
    assert answer.headers["content-type"].startswith("text/event-stream")
    place, *steps, done = parse(answer.text)
    assert 'data-place="0"' in place["data"]
    assert [step["id"] for step in steps] == [str(i) for i in range(0, STEPS + 1, EVERY)]
    assert done["event"] == "done"
    last = steps[-1]["data"]
    assert f"{STEPS} of {STEPS}" in last
    assert 'hx-target="#learn-status"' in last
    accuracy = re.search(r"data-accuracy>([\d.]+)\s%", last)
    assert accuracy
    assert float(accuracy[1]) >= 95
    assert "of 400 boards that it has not seen are recognised correctly." in last
    assert "314 of 400 would be among them" in last
    assert float(re.findall(r"data-loss>([\d.]+)<", last)[0]) < 0.2
    assert all(len(grid(step["data"], "learned-2")) == 3 for step in steps)
    use = re.search(r'name="kernels" value="([^"]+)"', last)
    assert use
    text = client.get(f"{PAGE}?kernels={use[1]}&layers=conv,relu,pool").text
    assert warnings(text) == []
    assert 'data-verdict="X"' in text


@pytest.mark.usefixtures("short")
def test_a_page_that_comes_back_is_sent_the_later_steps(client: TestClient) -> None:
    events = parse(client.get(EVENTS, headers={"Last-Event-ID": "5"}).text)
    assert [event.get("id") for event in events] == ["10", "15", None]


def test_what_cannot_be_learned_has_a_status_before_the_first_event(client: TestClient) -> None:
    for query, words in (
        ("layers=relu,pool", "no kernel to learn"),
        ("layers=pool,pool,pool,conv", "the map has only 2"),
        ("layers=nothing", "There is no layer"),
        ("seed=-1", "seed"),
    ):
        for path in ("events", "learn"):
            answer = client.get(f"/lab/xo/{path}?{query}")
            assert answer.status_code == 422
            assert words in answer.json()["detail"]


def test_the_panel_listens_and_without_htmx_the_page_comes(client: TestClient) -> None:
    panel = client.get("/lab/xo/learn?layers=conv,relu", headers={"hx-request": "true"}).text
    assert 'hx-sse:connect="/lab/xo/events?layers=conv,relu&amp;match=mean&amp;seed=0"' in panel
    assert "seed=1" in panel
    plain_answer = client.get("/lab/xo/learn?layers=conv,relu")
    assert plain_answer.status_code == 303
    assert plain_answer.headers["location"].startswith("/lab/xo?")


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Runs that go on until the gate is opened; how many were closed is in `closed`."""
    gate = threading.Event()

    def endless(*arguments: Any) -> Iterator[Learned]:
        for report in learn(*arguments):
            yield report
            gate.wait(HANG)
            if gate.is_set():
                return

    monkeypatch.setattr(learning, "learn", endless)
    yield gate
    gate.set()


class Listener:
    """A browser that listens to a run, in the app's own event loop."""

    def __init__(self, application: FastAPI, owner: str) -> None:
        self.status, self.text, self.begun = 0, "", asyncio.Event()
        self._closed = asyncio.Event()
        path, query = EVENTS.split("?")
        cookie = f"layerscope_owner={owner * 24}".encode()
        scope = {
            "type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
            "query_string": query.encode(), "root_path": "", "scheme": "http",
            "headers": [(b"host", b"localhost"), (b"cookie", cookie)], "http_version": "1.1",
            "server": ("localhost", 80), "client": ("127.0.0.1", 1), "asgi": {"version": "3.0"},
        }  # fmt: skip
        self.answered = asyncio.create_task(application(scope, self._receive, self._send))

    def close(self) -> None:
        """The laptop is shut."""
        self._closed.set()

    async def _receive(self) -> dict[str, Any]:
        await self._closed.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        self.text += message.get("body", b"").decode()
        if "data-step" in self.text:
            self.begun.set()


async def test_one_run_a_person_and_others_take_turns(
    application: FastAPI, held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PATIENCE", 0.1)
    async with application.router.lifespan_context(application), asyncio.timeout(HANG):
        engine = application.state.services.engine
        mine = Listener(application, "m")
        await until(lambda: engine.jobs == 1)
        # The same person again, in another tab: refused with a sentence, before any event.
        second = Listener(application, "m")
        await second.answered
        assert second.status == 503
        assert "One long job of yours" in second.text
        theirs = Listener(application, "t")
        await until(lambda: engine.jobs == 2)
        held.set()
        await asyncio.gather(mine.answered, theirs.answered)
        assert 'data-place="0"' in mine.text
        assert 'data-place="1"' in theirs.text
        assert "Number 2 in the queue" in theirs.text
        assert [parse(one.text)[-1]["event"] for one in (mine, theirs)] == ["done", "done"]
        assert not engine.jobs


async def test_who_begins_again_waits_for_the_last_run_to_end(
    application: FastAPI, held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with application.router.lifespan_context(application), asyncio.timeout(HANG):
        engine = application.state.services.engine
        last = Listener(application, "m")
        await last.begun.wait()
        asked: list[str] = []
        real = engine.stream

        def counted(owner: str, make: Any) -> Any:
            asked.append(owner)
            return real(owner, make)

        monkeypatch.setattr(engine, "stream", counted)
        again = Listener(application, "m")
        await until(lambda: len(asked) == 2)
        last.close()
        held.set()
        await asyncio.gather(last.answered, again.answered)
        assert again.status == 200
        assert "data-step" in again.text


async def test_a_run_that_nobody_listens_to_ends(application: FastAPI) -> None:
    async with application.router.lifespan_context(application), asyncio.timeout(HANG):
        engine = application.state.services.engine
        listener = Listener(application, "m")
        await listener.begun.wait()
        assert engine.jobs == 1
        listener.close()
        await listener.answered
        assert not engine.jobs
        assert f"{STEPS} of {STEPS}" not in listener.text


@pytest.mark.usefixtures("short")
def test_what_breaks_on_the_way_is_an_event_and_a_clean_end(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.errors import LayerscopeError

    def broken(*arguments: Any) -> Iterator[Learned]:
        yield next(iter(learn(*arguments)))
        raise LayerscopeError("The pencil broke.")

    monkeypatch.setattr(learning, "learn", broken)
    *_, problem, done = parse(client.get(EVENTS).text)
    assert "The pencil broke." in problem["data"]
    assert "#notice" in problem["data"]
    assert done["event"] == "done"
    monkeypatch.undo()
