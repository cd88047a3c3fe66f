"""A real server in a thread, a real Chromium, and rules that hold in every test."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect
from safetensors.torch import save_file

from app.services.engine import engine
from app.services.networks.state_dict import to_state_dict
from app.settings import Settings
from app.web.app import create_app
from app.web.server import Server
from models import registry
from tests.support.browser import Gate, Watch
from tests.support.networks import put_partial
from tests.support.waiting import HANG, wait_until

expect.set_options(timeout=HANG * 1000)


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
    whole = to_state_dict("squeezenet1_1", registry.seeded("squeezenet1_1"))
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
        wait_until(lambda: server.started or not thread.is_alive())
        assert server.started
        # A busy machine may take longer from a page to its stream than a server should wait, and
        # a run that is stopped at a closed gate would hold up the next one.
        app.state.services.runs.linger = HANG
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(HANG)


WITHOUT = (
    # Two pages of the address bar's own for every window: half a second of processor time each.
    "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup",
    # What Playwright 1.65 goes without: of two lists Chromium takes the last.
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable,LensOverlay,MediaRouter,PaintHolding",
    "ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,OptimizationHints",
    "NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch",
)
"""Features of Chromium that no test needs."""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium where it is, quiet, with a camera that shows a test picture."""
    arguments = [
        "--disable-background-networking",
        "--disable-component-update",
        f"--disable-features={','.join(WITHOUT)}",
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
    opened.set_default_timeout(HANG * 1000)
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
    opened.set_default_timeout(HANG * 1000)
    watch.follow(opened)
    yield opened
    context.close()
