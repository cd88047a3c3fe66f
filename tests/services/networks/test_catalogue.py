"""The catalogue while several people ask at once."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest

from app.services.networks.catalogue import Catalogue, size
from app.services.networks.weight_files import WeightEntry, WeightFiles
from models import registry
from models.graph import Network
from models.weights import TABLE
from tests.support.engines import CPU
from tests.support.waiting import HANG, until

ROWS = [replace(TABLE[0], id=name) for name in ("quick", "slow")]


class Loader:
    """Loads `slow` only once it is let; counts what was asked for."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.asked: list[str] = []

    def __call__(self, entry: WeightEntry) -> Network:
        self.asked.append(entry.row.id)
        if entry.row.id == "slow":
            assert self.let.wait(HANG)
        return registry.empty("mini").to_empty(device="cpu")


async def test_a_loaded_network_does_not_wait_for_one_that_loads() -> None:
    loader = Loader()
    catalogue = Catalogue(CPU, 10**9, WeightFiles(rows=ROWS), loader)
    quick = await catalogue.network("quick")
    loading = asyncio.create_task(catalogue.network("slow"))
    await until(lambda: "slow" in loader.asked)
    try:
        assert await catalogue.network("quick") is quick
        assert not loading.done()
    finally:
        loader.let.set()
        await loading


async def test_two_who_ask_share_one_loading() -> None:
    loader = Loader()
    catalogue = Catalogue(CPU, 10**9, WeightFiles(rows=ROWS), loader)
    tasks = [asyncio.create_task(catalogue.network("slow")) for _ in range(2)]
    await until(lambda: "slow" in loader.asked)
    loader.let.set()
    first, second = await asyncio.gather(*tasks)
    assert first is second
    assert loader.asked == ["slow"]


async def test_one_who_leaves_while_it_loads_does_not_make_it_load_twice() -> None:
    loader = Loader()
    catalogue = Catalogue(CPU, 10**9, WeightFiles(rows=ROWS), loader)
    leaving = asyncio.create_task(catalogue.network("slow"))
    await until(lambda: "slow" in loader.asked)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    coming = asyncio.create_task(catalogue.network("slow"))
    loader.let.set()
    assert (await coming).input_size == 64
    assert loader.asked == ["slow"]


async def test_a_loading_that_fails_is_told_and_tried_again() -> None:
    failures = [OSError("the stick was pulled")]

    def loader(entry: WeightEntry) -> Network:
        if failures:
            raise failures.pop()
        return registry.empty("mini").to_empty(device="cpu")

    catalogue = Catalogue(CPU, 10**9, WeightFiles(rows=ROWS), loader)
    with pytest.raises(OSError, match="stick was pulled"):
        await catalogue.network("quick")
    assert (await catalogue.network("quick")).input_size == 64


async def test_networks_are_ready_to_answer_and_not_to_learn() -> None:
    catalogue = Catalogue(CPU, 1, WeightFiles(rows=ROWS), Loader())
    network = await catalogue.network("quick")
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_a_networks_size_is_that_of_its_numbers() -> None:
    assert size(registry.empty("mini")) == 4 * 3_407_588
