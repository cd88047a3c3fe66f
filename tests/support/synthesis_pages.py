"""What the tests of synthesised pictures on page and API share."""

from __future__ import annotations

import io
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import numpy as np
from anyio.from_thread import BlockingPortal
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from app.services.engine.engine import LocalEngine
from app.services.synthesis.query import SynthesisOptions
from tests.support.waiting import until

API = "/api/v1/models/mini/steps"
UNIT = "model=mini&image=coffee&step=conv5&channel=3"
FEW = f"{UNIT}&steps=20&seed=7"
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://localhost:8000/?step=conv5&channel=3&y=2"}
HTML = {"Accept": "text/html"}


def pixels(client: TestClient, url: str) -> np.ndarray:
    answer = client.get(unescape(url))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def picture_of(text: str) -> str:
    found = re.search(r'<img src="([^"]+synthesised\.png[^"]+)"', text)
    assert found, text
    return unescape(found[1])


def follow_until(client: TestClient, application: FastAPI, url: str, step: int) -> int:
    """Listen to a stream in the app's own loop until a step has come, then leave."""
    portal = client.portal
    assert isinstance(portal, BlockingPortal)
    services = application.state.services

    async def listen() -> int:
        query = {k: v[0] for k, v in parse_qs(urlsplit(url).query).items()}
        model = services.catalogue.model("mini")
        wanted = SynthesisOptions(int(query["steps"]), int(query["seed"]))
        asked = services.studio.build_query(model, "conv5", 3, wanted)
        network = await services.catalogue.network("mini")
        items = services.studio.stream("somebody", asked, network)
        try:
            async for item in items:
                if not isinstance(item, int) and item.step >= step:
                    return int(item.step)
        finally:
            await items.aclose()
        return -1

    return portal.call(listen)


def until_idle(client: TestClient, application: FastAPI) -> None:
    """Wait until nothing runs in the compute thread."""
    engine: LocalEngine = application.state.services.engine

    async def wait() -> None:
        growths = application.state.services.studio.growths
        await until(lambda: engine.idle and not engine.jobs and not len(growths))

    assert client.portal is not None
    client.portal.call(wait)
