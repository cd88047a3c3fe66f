"""The page's stream: in order, resumable, honest about errors, gone with its listener."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.errors import Busy
from app.services.engine import engine as engine_module
from app.vision.forward import forward_steps
from models.registry import empty
from tests.support.event_streams import parse
from tests.support.waiting import HANG, until, wait_until

STEPS = [step.name for step in empty("mini").steps]
EVENTS = "/runs/mini/coffee/events"


def test_one_event_a_step_in_order_then_the_end(client: TestClient) -> None:
    answer = client.get(EVENTS)
    assert answer.headers["content-type"].startswith("text/event-stream")
    *cards, done = parse(answer.text)
    assert [card["id"] for card in cards] == [str(i) for i in range(18)]
    for card, step in zip(cards, STEPS, strict=True):
        assert f'<hx-partial hx-target="#card-{step}"' in card["data"]
        assert f'data-step="{step}"' in card["data"]
        assert 'data-state="ready"' in card["data"]
    assert "#verdict" in cards[-1]["data"]
    assert "espresso" in cards[-1]["data"]
    assert "#verdict" not in cards[-2]["data"]
    assert done["event"] == "done"
    assert "base64" not in answer.text


def test_every_sheet_an_event_names_is_there_and_kept(client: TestClient) -> None:
    sheets = set(re.findall(r'image href="([^"]+)"', client.get(EVENTS).text))
    assert len(sheets) == 18  # 17 steps with maps, and conv1's kernels
    for address in sheets:
        answer = client.get(address.replace("&amp;", "&"))
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]


def test_a_stream_goes_on_after_the_last_event_that_arrived(client: TestClient) -> None:
    events = parse(client.get(EVENTS, headers={"Last-Event-ID": "15"}).text)
    assert [event.get("id") for event in events] == ["16", "17", None]


def test_what_fails_before_the_first_event_has_a_status(
    client: TestClient, application: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/runs/none/coffee/events").status_code == 404
    assert client.get("/runs/mini/none/events").status_code == 404
    assert client.get(f"{EVENTS}?scale=wrong").status_code == 422

    def full(*_: Any) -> None:
        raise Busy("Very many pictures are waiting.", retry_after=7)

    monkeypatch.setattr(application.state.services.engine, "forward", full)
    answer = client.get("/runs/mini/noise/events", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


def test_what_fails_on_the_way_is_an_event_and_a_clean_end(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.errors import LayerscopeError

    def broken(*arguments: Any, **options: Any) -> Iterator[Any]:
        for output in forward_steps(*arguments, **options):
            if output.step.name == "conv3":
                raise LayerscopeError("The graphics card went away.")
            yield output

    monkeypatch.setattr(engine_module, "forward_steps", broken)
    *cards, problem, done = parse(client.get("/runs/mini/noise/events").text)
    assert 3 <= len(cards) <= 6
    assert "#notice" in problem["data"]
    assert "graphics card went away" in problem["data"]
    assert done["event"] == "done"
    monkeypatch.undo()
    assert len(parse(client.get("/runs/mini/noise/events").text)) == 19


def test_the_network_scale_waits_for_the_last_layer(client: TestClient) -> None:
    events = parse(client.get("/runs/mini/candle/events?scale=network").text)
    assert len(events) == 19
    assert "scale=network" in events[0]["data"]


async def test_an_early_event_arrives_while_later_layers_wait(
    application: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    reached: list[str] = []

    def held(*arguments: Any, **options: Any) -> Iterator[Any]:
        for output in forward_steps(*arguments, **options):
            reached.append(output.step.name)
            yield output
            if output.step.name == "conv2":
                gate.wait(HANG)

    async with application.router.lifespan_context(application):
        services = application.state.services
        async with services.runs.listen("mini", "coffee") as warm:
            await warm.finish()
        monkeypatch.setattr(engine_module, "forward_steps", held)
        async with services.runs.listen("mini", "hourglass") as run:
            follow = run.follow()
            async with asyncio.timeout(HANG):
                first = await anext(follow)
            assert first.step.name == "conv1"
            assert "conv3" not in reached
        # The last listener has left: the work stops in mid-network.
        await until(run.task.done)
        gate.set()
        await until(lambda: services.engine.idle)
        assert "softmax" not in reached


async def test_a_laptop_closed_in_mid_stream_frees_its_work(
    application: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    reached: list[str] = []

    def held(*arguments: Any, **options: Any) -> Iterator[Any]:
        for output in forward_steps(*arguments, **options):
            reached.append(output.step.name)
            yield output
            if output.step.name == "conv2":
                gate.wait(HANG)

    async with application.router.lifespan_context(application):
        services = application.state.services
        async with services.runs.listen("mini", "coffee") as warm:
            await warm.finish()
        monkeypatch.setattr(engine_module, "forward_steps", held)
        begun, closed = asyncio.Event(), asyncio.Event()

        async def receive() -> dict[str, Any]:
            await closed.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if b"card-conv1" in message.get("body", b""):
                begun.set()

        scope = {
            "type": "http", "method": "GET", "path": "/runs/mini/noise/events", "query_string": b"",
            "headers": [(b"host", b"localhost")], "scheme": "http", "server": ("localhost", 80),
            "raw_path": b"/runs/mini/noise/events", "root_path": "", "http_version": "1.1",
            "asgi": {"version": "3.0", "spec_version": "2.3"}, "client": ("127.0.0.1", 1),
        }  # fmt: skip
        request = asyncio.create_task(application(scope, receive, send))
        async with asyncio.timeout(HANG):
            await begun.wait()
        (run,) = [one for one in services.runs.all() if one.image == "noise"]
        assert run.listeners == 1
        closed.set()
        await until(run.task.done)
        assert run.listeners == 0
        gate.set()
        await request
        await until(lambda: services.engine.idle)
        assert "softmax" not in reached


def serve(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """A server process whose work stands still after its first step, until the server closes.

    It says every step it comes to.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = f"""
import asyncio
import threading
import app.services.engine.engine as engine
from app.__main__ import main
closing = threading.Event()
real_steps, real_close = engine.forward_steps, engine.LocalEngine.close
def held(*arguments, **options):
    for output in real_steps(*arguments, **options):
        print(output.step.name, flush=True)
        yield output
        closing.wait({HANG})
async def close(self):
    asyncio.get_running_loop().call_soon(closing.set)
    await real_close(self)
engine.forward_steps, engine.LocalEngine.close = held, close
raise SystemExit(main(["serve", "--port", "{port}"]))
"""
    environment = {**os.environ, "LAYERSCOPE_DATA": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True
    )
    base = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None
        try:
            urllib.request.urlopen(f"{base}/healthz", timeout=HANG).close()
        except OSError:
            return False
        return True

    wait_until(answers)
    return process, base


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_control_c_ends_an_open_stream_its_work_and_the_server(tmp_path: Path) -> None:
    process, base = serve(tmp_path)
    with urllib.request.urlopen(f"{base}/runs/mini/noise/events", timeout=HANG) as stream:
        assert stream.readline()
        process.send_signal(signal.SIGINT)
        # The stream's end does not wait for the work, which stands still.
        assert b"event: done" in stream.read()
    said, _ = process.communicate(timeout=HANG)
    assert "conv1" in said and "softmax" not in said
    assert process.returncode == 130
