"""Finds the URLs in a response, with the headers that a browser or htmx would send."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "use", "image"}
PLAIN = ("href", "src", "hx-sse:connect", "data-url", "action")
FREE = {"at", "cells", "channel", "image", "kept", "made", "mask", "path", "seed", "source"}
FREE |= {"target", "v", "x", "y"}
"""Query parameters whose values do not change the kind of page."""


@dataclass(frozen=True, slots=True)
class Address:
    """A path with its query; `target` is the target element of htmx, "" for a browser."""

    url: str
    target: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the request."""
        return {"HX-Request": "true", "HX-Target": self.target} if self.target else {}

    def __str__(self) -> str:
        return f"{self.url} -> {self.target}" if self.target else self.url


def shape_of(address: Address) -> str:
    """The pattern of an address, shared by addresses that differ only in numbers."""
    parts = urlsplit(address.url)
    path = re.sub(r"/[0-9a-f]{16,}", "/#", parts.path)
    path = re.sub(r"\d+", "#", re.sub(r"/(samples|images|runs/[^/]+)/[^/.]+", r"/\1/#", path))
    query = parse_qsl(parts.query, keep_blank_values=True)
    names = sorted(name if _free(name, value) else f"{name}={value}" for name, value in query)
    return f"{path}?{'&'.join(names)} {address.target}"


def _free(name: str, value: str) -> bool:
    if name in ("model", "other_model"):
        return value not in ("mini", "mini-random")
    known = name.removeprefix("other_") in FREE
    return known or not value.replace("-", "").replace("_", "").isalpha()


def addresses(text: str, base: str) -> list[Address]:
    """All URLs of this server in a page, a partial or a stream."""
    parser = _Links()
    parser.feed(text)
    found = []
    for url, target in parser.found:
        whole = urldefrag(urljoin(base, url))[0]
        if whole.startswith("/") and not whole.startswith("//"):
            selector = parser.tags.get(target.removeprefix("#"), "div")
            found.append(Address(whole, f"{selector}{target}" if target else ""))
    return found


@dataclass
class _Links(HTMLParser):
    found: list[tuple[str, str]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    targets: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if id := given.get("id"):
            self.tags[id] = tag
        above = self.targets[-1][1] if self.targets else ""
        target = given.get("hx-target") or given.get("hx-target:inherited") or above
        if url := given.get("hx-get"):
            self.found.append((url, target if target.startswith("#") else "#none"))
        for name in PLAIN:
            if (url := given.get(name)) and not (name == "action" and given.get("method")):
                self.found.append((url, ""))
                if "hx-target" in given and given["hx-target"].startswith("#"):
                    self.found.append((url, given["hx-target"]))
        if tag not in VOID:
            self.targets.append((tag, given.get("hx-target:inherited") or above))

    def handle_endtag(self, tag: str) -> None:
        while self.targets:
            if self.targets.pop()[0] == tag:
                break
