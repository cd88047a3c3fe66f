"""Takes the screenshots for the README: `make screenshots`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from scripts.browser import find_chromium

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
MAP = "image=cat&step=conv2&channel=1"
"""The feature map of that layer that responds most to this picture, to an eye."""
SHOTS = (
    ("screenshot.png", "/?step=conv2&channel=147", 1440, 900, "dark"),
    ("screenshot-light.png", "/?image=monarch", 1440, 900, "light"),
    ("screenshot-arithmetic.png", f"/?{MAP}&y=6&x=2&zoom=arithmetic", 1440, 900, "dark"),
    ("screenshot-attack.png", "/attack?run=1", 1440, 900, "light"),
    ("screenshot-layers.png", "/layers/5?image=cat", 1440, 900, "dark"),
    ("screenshot-lab.png", "/lab/xo", 1440, 900, "light"),
    ("screenshot-phone.png", f"/?{MAP}", 390, 844, "dark"),
)
READY = '#card-softmax[data-state="ready"], #lab, #walk:not(:has(#measuring)), #scene[data-seen]'


def main() -> int:
    """Start a server on a free port, take each screenshot, stop the server."""
    with tempfile.TemporaryDirectory() as data, served(Path(data)) as base, launched() as browser:
        for name, address, width, height, scheme in SHOTS:
            _shot(browser, base + address, DOCS / name, (width, height), scheme)
    return 0


def started(data: Path, code: Path = ROOT) -> tuple[subprocess.Popen[bytes], str]:
    """Start a server of the checkout `code` on a free port; return it with its URL when ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "app", "--port", str(port)]
    environment = {**os.environ, "LAYERSCOPE_DATA": str(data)}
    server = subprocess.Popen(command, cwd=code, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait(f"http://127.0.0.1:{port}/healthz")
    except TimeoutError:
        server.kill()
        raise
    return server, f"http://127.0.0.1:{port}"


@contextmanager
def served(data: Path, code: Path = ROOT) -> Iterator[str]:
    """Context with a server of the checkout `code`; gives its URL."""
    server, base = started(data, code)
    try:
        yield base
    finally:
        server.terminate()
        server.wait()


@contextmanager
def launched() -> Iterator[Browser]:
    """Context with the Chromium of the browser tests."""
    with sync_playwright() as play:
        chromium = find_chromium()
        arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        path = str(chromium) if chromium else None
        browser = play.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


def _shot(browser: Browser, url: str, path: Path, size: tuple[int, int], scheme: str) -> None:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    # Twice: the second time the network is warm and the shown times are realistic.
    for _ in range(2):
        page.goto(url)
        page.wait_for_selector(READY)
        page.wait_for_load_state("networkidle")
    page.screenshot(path=path, animations="disabled")
    context.close()


def _wait(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(url)


if __name__ == "__main__":
    sys.exit(main())
