"""One source after the other: the published file, then what fits the network all the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import save

from app.errors import DownloadFailed
from app.services.networks.download_sources import attempts
from app.services.networks.downloads import Downloads
from app.services.networks.loading import load
from app.services.networks.weight_files import WeightFiles, second_file
from models.row import Weights
from models.weights import TABLE
from tests.support.misbehaving_server import MisbehavingServer, serving
from tests.support.networks import embedded, without_classifier
from tests.support.waiting import until

STATE = dict(embedded().state_dict())


@pytest.fixture
def first() -> Iterator[MisbehavingServer]:
    with serving(b"never sent") as server:
        server.status = 404
        yield server


@pytest.fixture
def second() -> Iterator[MisbehavingServer]:
    with serving(save(STATE)) as server:
        yield server


@pytest.fixture
def row(first: MisbehavingServer, second: MisbehavingServer) -> Weights:
    """Mini, as if it were published in two places."""
    return replace(TABLE[0], id="toy", embedded=False, url=first.url, second=second.url)


def everything(row: Weights, cache: Path) -> list[str]:
    """Try all sources; what was said of each that failed."""
    problems: list[str] = []
    for attempt in attempts(row, cache):
        try:
            list(attempt(threading.Event()))
            return problems
        except DownloadFailed as error:
            problems.append(error.detail)
    return [*problems, "all failed"]


def test_the_second_serves_where_the_first_fails(tmp_path: Path, row: Weights) -> None:
    (problem,) = everything(row, tmp_path)
    assert "404" in problem
    entry = WeightFiles([tmp_path], [row]).entry("toy")
    assert entry
    assert (entry.path, entry.verified) == (tmp_path / second_file(row), False)
    loaded = load(entry).state_dict()
    assert all(loaded[key].equal(value) for key, value in STATE.items())


def test_the_first_is_enough_where_it_works(
    tmp_path: Path, row: Weights, first: MisbehavingServer, second: MisbehavingServer
) -> None:
    first.status, first.body = 200, TABLE[0].path.read_bytes()
    assert everything(row, tmp_path) == []
    assert second.asked == []
    assert (tmp_path / row.file).read_bytes() == first.body


@pytest.mark.parametrize("what", ["other", "partial", "text"])
def test_what_does_not_fit_is_thrown_away(
    tmp_path: Path, row: Weights, second: MisbehavingServer, what: str
) -> None:
    other = {f"x.{key}": value for key, value in STATE.items()}
    second.body = {
        "partial": save(without_classifier()),
        "other": save(other),
        "text": b"hello " * 100,
    }[what]
    *_, problem, end = everything(row, tmp_path)
    assert end == "all failed"
    assert "What the second source sent is not mini AlexNet" in problem
    assert [path.suffix for path in tmp_path.iterdir() if path.suffix != ".lock"] == []


async def test_downloads_go_from_source_to_source(tmp_path: Path, row: Weights) -> None:
    downloads = Downloads()
    try:
        downloads.start("toy", attempts(row, tmp_path))
        await until(lambda: downloads.status("toy").state != "running")
        assert downloads.status("toy").state == "done"
    finally:
        downloads.close()


def test_the_size_counts_only_where_it_is_exact(tmp_path: Path, row: Weights) -> None:
    exact, about = row, replace(row, sha256=row.sha256[:8])
    (first, _), (loose, _) = attempts(exact, tmp_path), attempts(about, tmp_path)
    assert first.args[0].bytes == row.bytes  # type: ignore[attr-defined]
    assert loose.args[0].bytes is None  # type: ignore[attr-defined]
