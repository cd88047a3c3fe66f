"""Reading the attack page and its stream in tests."""

from __future__ import annotations

import html
import io
import re
from typing import Any

import numpy as np
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from app.services.attacks.traces import Traces
from tests.support.markup import one_line

HTML = {"Accept": "text/html"}
RUN = {**HTML, "HX-Request": "true", "HX-Target": "section#stage"}


def opened(client: TestClient, query: str, status: int = 200) -> str:
    answer = client.get(f"/attack?{query}", headers=HTML)
    assert answer.status_code == status
    return html.unescape(one_line(answer.text))


def events(client: TestClient, query: str, **headers: str) -> list[tuple[str, str, str]]:
    """Of the stream: id, name, data of each event."""
    answer = client.get(f"/attack/events?{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    found = []
    for block in answer.text.replace("\r\n", "\n").strip().split("\n\n"):
        lines = [line.partition(": ") for line in block.split("\n") if not line.startswith(":")]
        part = {name: "\n".join(v for n, _, v in lines if n == name) for name, _, _ in lines}
        data = html.unescape(part.get("data", ""))
        found.append((part.get("id", ""), part.get("event", ""), data))
    return found


def headline(text: str) -> str:
    found = re.search(r'class="headline" data-outcome="\w+">([^<]*)', text)
    assert found, text[:2000]
    return found[1].strip()


def warnings(text: str) -> str:
    return " ".join(re.findall(r'<p class="(?:warn|note)">([^<]*)', text))


def steps(text: str) -> list[dict[str, str]]:
    """Of each step in the page: its data attributes."""
    found = re.findall(r'<li class="moment ([^"]*)" ([^>]*)>', text)
    data = r'data-(\w+)="([^"]*)"'
    return [{"class": kind, **dict(re.findall(data, rest))} for kind, rest in found]


def pixels(client: TestClient, url: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def traces(application: FastAPI) -> Traces:
    found: Traces = application.state.services.traces
    return found
