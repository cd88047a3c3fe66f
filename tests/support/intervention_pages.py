"""What the tests of cover and cut on page and API share."""

from __future__ import annotations

import csv
import io
import re
from html import unescape

import numpy as np
import torch
from starlette.testclient import TestClient

from app.services.pictures.mask import Mask

RUN = "/api/v1/runs/mini/coffee"
UNIT = "model=mini&image=coffee"
MASK = str(Mask((0xFF00,) * 8 + (0,) * 8))
"""The upper left quarter."""

HTML = {"accept": "text/html"}
HX = {**HTML, "hx-request": "true"}


def array(client: TestClient, url: str) -> torch.Tensor:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    return torch.from_numpy(np.load(io.BytesIO(answer.content)))


def rows_of(client: TestClient, url: str) -> list[dict[str, str]]:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(answer.content.decode("utf-8-sig").splitlines()))


def events(text: str) -> list[str]:
    return [part for part in re.split(r"\r?\n\r?\n", text) if part.strip()]


def hidden(text: str) -> dict[str, str]:
    fields = re.findall(r'<input type="hidden" name="(\w+)"\s+value="([^"]*)">', text)
    return {name: unescape(value) for name, value in fields}
