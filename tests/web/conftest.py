"""The whole app in this process, over a temporary folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.settings import Settings
from app.web.app import create_app
from app.web.core import streams
from tests.support.addresses import BASE, HERE


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def application(tmp_path: Path) -> FastAPI:
    return create_app(Settings(data=tmp_path, device="cpu", upload_mb=3))


@pytest.fixture
def client(application: FastAPI) -> Iterator[TestClient]:
    with TestClient(application, base_url=BASE, follow_redirects=False, client=HERE) as made:
        yield made


@pytest.fixture
def other(client: TestClient, application: FastAPI) -> TestClient:
    """Somebody else, with a browser of their own."""
    return TestClient(application, base_url=BASE, follow_redirects=False)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a run of theirs to end before they are refused another."""
    monkeypatch.setattr(streams, "PATIENCE", 0.0)
