"""Bytes on the wire: the page, what it loads, its stream and its sheets, compressed as served.

Bodies are counted, headers are not. What scripts load later, after a selection, is not included.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin

from starlette.types import ASGIApp

from app.bench.bench_services import OWNER, BenchServices
from app.bench.client import get
from app.bench.repeated_run import app_of
from app.bench.rows import BenchRow

OVERVIEW = "overview on the wire: page, stream, sheets"
FIRST_USE = "first use in all, the cache empty"
CODE = "script and style of the page, compressed"

_IMPORTED = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']+)["']""")
_IN_STYLE = re.compile(r"""(?:url\(|@import\s)\s*["']?([^"')\s]+)""")
_SOURCES = {("img", "src"), ("image", "href"), ("script", "src")}
_RELATIONS = {"stylesheet", "icon", "modulepreload", "manifest"}


async def measure(bench: BenchServices) -> list[BenchRow]:
    """Load the page and all files it refers to, like a browser with an empty cache."""
    app, name = app_of(bench), bench.name
    image = (await asyncio.to_thread(bench.pictures.add, bench.photo, OWNER)).id
    sizes = await load(app, f"/?model={name}&image={image}", f"/runs/{name}/{image}/events")
    bench.forget(image)
    return [
        BenchRow(OVERVIEW, name, _overview(sizes) / 1e6, 3.0, "MB"),
        *await _first(app, bench),
    ]


async def _first(app: ASGIApp, bench: BenchServices) -> list[BenchRow]:
    """Measure the first use, with the embedded network, which is the default."""
    if bench.name != "mini":
        return []
    sizes = await load(app, "/", "/runs/mini/coffee/events")
    bench.forget("coffee")
    code = sum(size for url, size in sizes.items() if _is_code(url))
    return [
        BenchRow(FIRST_USE, bench.name, sum(sizes.values()) / 1e6, 1.0, "MB"),
        BenchRow(CODE, bench.name, code / 1e3, 60.0, "kB"),
    ]


async def load(app: ASGIApp, page: str, events: str) -> dict[str, int]:
    """Bytes of a page, its stream, and all files they refer to, by URL."""
    sizes: dict[str, int] = {}
    waiting = [page, events]
    while waiting:
        url = waiting.pop()
        if url not in sizes:
            plain = await get(app, url, "identity")
            sizes[url] = len((await get(app, url)).body)
            kind = plain.headers.get("content-type", "")
            waiting += named(url, kind, plain.body)
    return sizes


def named(url: str, kind: str, body: bytes) -> list[str]:
    """The URLs that a browser loads next: those a page, style or script refers to on this host."""
    if kind.startswith(("text/html", "text/event-stream")):
        lines = body.decode().splitlines()
        reader = _LoadedFiles()
        reader.feed("\n".join(line.removeprefix("data: ") for line in lines))
        found: Iterator[str] = iter(reader.found)
    elif "javascript" in kind:
        found = (match[1] for match in _IMPORTED.finditer(body.decode()))
    elif kind.startswith("text/css"):
        found = (match[1] for match in _IN_STYLE.finditer(body.decode()))
    else:
        return []
    return [urljoin(url, one) for one in found if not one.startswith(("data:", "#"))]


class _LoadedFiles(HTMLParser):
    """Collects the files that a page loads by itself; ignores links that users may follow."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "link" and _RELATIONS & set(given.get("rel", "").split()):
            self.found.append(given.get("href", ""))
        self.found += [given[name] for one, name in _SOURCES if one == tag and given.get(name)]

    handle_startendtag = handle_starttag


def _overview(sizes: dict[str, int]) -> int:
    """Bytes of the page, the stream, the input and the sheets, without what all pages share."""
    shared = ("/static/", "/preview")
    return sum(size for url, size in sizes.items() if not any(part in url for part in shared))


def _is_code(url: str) -> bool:
    return url.partition("?")[0].endswith((".js", ".css"))
