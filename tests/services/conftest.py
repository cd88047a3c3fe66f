"""Services over a temporary folder, and a network whose steps can be held."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.services.engine.engine import LocalEngine
from app.services.networks import fetch as fetching
from app.services.networks.catalogue import Catalogue
from app.services.pictures.store import Pictures
from app.services.runs.runs import Runs
from tests.support.engines import CPU, Stepping
from tests.support.misbehaving_server import BODY, MisbehavingServer, serving


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def engine() -> AsyncIterator[LocalEngine]:
    made = LocalEngine(CPU, queue=8)
    yield made
    await made.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    return Pictures(tmp_path)


@pytest.fixture
async def runs(engine: LocalEngine, pictures: Pictures) -> Runs:
    return Runs(engine, Catalogue(CPU, 10**9), pictures, 10**9, linger=0.01)


@pytest.fixture
async def stepping() -> Stepping:
    return Stepping()


@pytest.fixture
async def slow(stepping: Stepping, pictures: Pictures) -> Runs:
    return Runs(stepping, Catalogue(CPU, 10**9), pictures, 10**9, linger=0.01)  # type: ignore[arg-type]


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy."""
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def server(direct: None) -> Iterator[MisbehavingServer]:
    """A server of `BODY` that behaves until it is told not to."""
    with serving(BODY) as server:
        yield server


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second passes from each small chunk to the next, so that all are reported."""
    monkeypatch.setattr(fetching, "monotonic", itertools.count().__next__)
    monkeypatch.setattr(fetching, "CHUNK", 10_000)
