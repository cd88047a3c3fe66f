"""What tests in Chromium share: a watched page, a held step, uploads, accessibility."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import FilePayload, Page, Request

from app.pictures.samples import sample
from tests.support.waiting import HANG


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
            self._opened.wait(HANG)


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


# What waits pulses for ever, and what is folded away stands still: neither ever ends.
MOTION_ENDS = """() => Promise.race([
    Promise.all(
        document.getAnimations()
            .filter((one) => one.effect.getComputedTiming().endTime < Infinity)
            .map((one) => one.finished.catch(() => 0)),
    ),
    new Promise((end) => setTimeout(end, 2000)),
])"""


def violations(page: Page, only: dict[str, Any] | None = None) -> list[str]:
    """What axe finds wrong, in short; motion is let to end first. `only` names other rules.

    What it finds right would be megabytes on a page of many maps, and is not asked for.
    """
    page.evaluate(MOTION_ENDS)
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe_source())
    found: Any = page.evaluate(
        "only => axe.run(document, { runOnly: only, resultTypes: ['violations'] })",
        only or {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]},
    )
    return [
        f"{one['id']}: {json.dumps(node['target'])} {node['failureSummary'][:200]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def violations_in_light_and_dark(page: Page) -> list[str]:
    """What axe finds wrong in light, and in dark what depends on colours: the rest is the same."""
    page.emulate_media(color_scheme="light")
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    colours = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
    found += [f"dark: {one}" for one in violations(page, colours)]
    page.emulate_media(color_scheme="light")
    return found


def query(page: Page) -> dict[str, str]:
    """What the page's address says."""
    return {name: value[-1] for name, value in parse_qs(urlsplit(page.url).query).items()}
