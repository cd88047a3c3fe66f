"""A real server in a thread, a real Chromium, and rules that hold in every test."""

from __future__ import annotations

import io
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, Request, expect
from safetensors.torch import save_file

from app.pictures.samples import sample
from app.services import engine
from app.services.fitting import keyed
from app.web.app import create_app
from app.web.server import Server
from app.web.settings import Settings
from models import registry
from tests.services.networks import put_partial

DEADLINE = 15.0
"""Seconds after which something did not happen, also on a machine with other work to do."""

expect.set_options(timeout=DEADLINE * 1000)


class Gate:
    """Holds the forward pass before a step until it is opened."""

    def __init__(self) -> None:
        self._opened = threading.Event()
        self._opened.set()
        self._at = ""

    def close(self, step: str) -> None:
        """Let nothing past `step`."""
        self._at = step
        self._opened.clear()

    def open(self) -> None:
        """Let everything through again."""
        self._opened.set()

    def wait(self, step: str) -> None:
        if step == self._at:
            self._opened.wait(DEADLINE)


@pytest.fixture(scope="session")
def gates() -> Iterator[Gate]:
    """The gate of the session's server."""
    gate, real = Gate(), engine.forward_steps  # type: ignore[attr-defined]

    def gated(*arguments: Any, **options: Any) -> Iterator[Any]:
        for output in real(*arguments, **options):
            gate.wait(output.step.name)
            yield output

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "forward_steps", gated)
        yield gate
        gate.open()


@pytest.fixture
def gate(gates: Gate) -> Iterator[Gate]:
    """The gate, open again after the test."""
    yield gates
    gates.open()


@pytest.fixture(scope="session")
def stick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of somebody's own: mini without its classifier, a seeded SqueezeNet."""
    folder = tmp_path_factory.mktemp("stick")
    put_partial(folder)
    whole = keyed("squeezenet1_1", registry.seeded("squeezenet1_1"))
    save_file(whole, folder / "squeezenet1_1-seeded.safetensors")
    return folder


@pytest.fixture(scope="session")
def base_url(gates: Gate, stick: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server of this session's own."""
    data = tmp_path_factory.mktemp("data")
    app = create_app(Settings(data=data, device="cpu", weights=stick))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
        server = Server(app, config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            thread.join(0.02)
        # A busy machine may take longer from a page to its stream than a server should wait, and
        # a run that is stopped at a closed gate would hold up the next one.
        app.state.services.runs.linger = DEADLINE
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(DEADLINE)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium where it is, quiet, with a camera that shows a test picture."""
    arguments = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--no-sandbox")
    chosen = {**browser_type_launch_args, "args": arguments}
    if path := os.environ.get("LAYERSCOPE_CHROMIUM"):
        chosen["executable_path"] = path
    return chosen


class Watch:
    """What a page must never do: errors in the console, requests to other hosts."""

    def __init__(self, base_url: str) -> None:
        self._host = urlsplit(base_url).netloc
        self.expected: tuple[str, ...] = ()
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.streams: list[str] = []

    def follow(self, page: Page) -> None:
        """Watch a page."""
        page.on("console", lambda message: self._console(message.type, message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._request)

    def _console(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not any(part in text for part in self.expected):
            self.errors.append(text)

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https") and parts.netloc != self._host:
            self.foreign.append(request.url)
        if parts.path.endswith("/events"):
            self.streams.append(request.url)


@pytest.fixture
def watch(base_url: str) -> Iterator[Watch]:
    """Fails the test at its end where a page did what it must not."""
    watching = Watch(base_url)
    yield watching
    assert watching.errors == []
    assert watching.foreign == []


@pytest.fixture
def page(context: BrowserContext, watch: Watch) -> Page:
    """A watched page at 1440x900."""
    opened = context.new_page()
    opened.set_viewport_size({"width": 1440, "height": 900})
    opened.set_default_timeout(DEADLINE * 1000)
    watch.follow(opened)
    return opened


@pytest.fixture
def phone(browser: Browser, base_url: str, watch: Watch) -> Iterator[Page]:
    """A watched page on a phone."""
    context = browser.new_context(
        base_url=base_url,
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        device_scale_factor=2,
    )
    opened = context.new_page()
    opened.set_default_timeout(DEADLINE * 1000)
    watch.follow(opened)
    yield opened
    context.close()


def settled(page: Page) -> None:
    """Wait until the whole network is drawn."""
    page.wait_for_selector('#card-softmax[data-state="ready"]')
    page.wait_for_function(
        "() => document.querySelectorAll('.card').length === "
        "document.querySelectorAll('.card[data-state=ready]').length"
    )


def picture(name: str, size: int = 200, seed: int = 0) -> bytes:
    """A PNG of a sample at another size, so that it is an upload of its own."""
    built_in = sample(name)
    assert built_in is not None
    image = built_in.open().resize((size, size))
    image.putpixel((0, 0), (seed % 256, seed // 256, 7))
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def upload(page: Page, data: bytes, name: str = "mine.png") -> None:
    """Choose a file in the upload form."""
    page.set_input_files("#upload input[type=file]", files=[payload(data, name)])


def payload(data: bytes, name: str) -> FilePayload:
    """A file as a person chooses it."""
    return FilePayload(name=name, mimeType="image/png", buffer=data)


def axe_source() -> str:
    """The accessibility checker."""
    path = Path(__file__).parents[1] / "vendor" / "axe-core" / "axe.min.js"
    return path.read_text(encoding="utf-8")
