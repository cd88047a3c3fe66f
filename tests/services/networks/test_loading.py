"""Weights files, the catalogue, the cache, the device, the settings."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save

from app.errors import BadRequest, UnknownModel, WeightsMissing, WeightsRefused
from app.services.cache import ByteCache
from app.services.engine import device
from app.services.networks import loading
from app.services.networks.catalogue import Catalogue, size
from app.services.networks.state_dict import fit
from app.services.networks.weight_files import WeightEntry, WeightFiles
from app.settings import Settings, table
from models import registry
from models.graph import Network
from models.weights import TABLE
from tests.support.engines import CPU

ROW = TABLE[0]


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    return load_file(ROW.path)


def test_float16_on_disk_becomes_float32_exactly(state: dict[str, torch.Tensor]) -> None:
    network = fit("mini", state, "file")
    assert all(p.dtype == torch.float32 for p in network.parameters())
    assert torch.equal(network.state_dict()["conv1.weight"].half(), state["conv1.weight"])
    assert not network.training


def test_what_does_not_fit_is_refused_by_name(state: dict[str, torch.Tensor]) -> None:
    missing = {key: value for key, value in state.items() if key != "conv3.bias"}
    with pytest.raises(WeightsRefused, match=r"lacks conv3\.bias"):
        fit("mini", missing, "file")
    with pytest.raises(WeightsRefused, match=r"has conv9\.bias, unknown"):
        fit("mini", {**state, "conv9.bias": torch.zeros(1)}, "file")
    wrong = {**state, "fc7.weight": torch.zeros(10, 512)}
    with pytest.raises(WeightsRefused, match=r"fc7\.weight has the shape \(10, 512\)"):
        fit("mini", wrong, "file")


@pytest.mark.parametrize("kind", [torch.int64, torch.complex64, torch.bool])
def test_numbers_of_another_kind_are_refused(
    state: dict[str, torch.Tensor], kind: torch.dtype
) -> None:
    wrong = {**state, "conv1.weight": torch.zeros(64, 3, 7, 7, dtype=kind)}
    with pytest.raises(WeightsRefused, match=r"conv1\.weight cannot be numbers of the kind torch"):
        fit("mini", wrong, "file")


def test_a_parameter_under_two_names_is_refused() -> None:
    state = {key: value.clone() for key, value in registry.empty("alexnet").state_dict().items()}
    state["features.0.bias"] = torch.zeros(64)
    with pytest.raises(WeightsRefused, match="twice, under two names"):
        fit("alexnet", state, "file")


def test_published_keys_load_unchanged() -> None:
    network = registry.seeded("alexnet")
    back = {step: key for key, step in registry.find("alexnet").keys.items()}
    published = {}
    for key, value in network.state_dict().items():
        step, _, parameter = key.rpartition(".")
        published[f"{back[step]}.{parameter}"] = value
    assert "features.10.weight" in published
    loaded = fit("alexnet", published, "file").state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in network.state_dict().items())


def placed(folder: Path, data: bytes | None) -> WeightEntry:
    """An entry whose file lies in `folder` and has the digest of `data`, if there is any."""
    path = folder / ROW.file
    if data is None:
        return WeightEntry(ROW, path, "ready", True)
    path.write_bytes(data)
    return WeightEntry(replace(ROW, sha256=hashlib.sha256(data).hexdigest()), path, "ready", True)


def test_missing_weights_say_so(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="not on this computer"):
        loading.load(placed(tmp_path, None))


def test_a_tampered_file_is_refused(tmp_path: Path) -> None:
    data = bytearray(ROW.path.read_bytes())
    entry = placed(tmp_path, bytes(data))
    data[-1] ^= 1
    (tmp_path / ROW.file).write_bytes(data)
    with pytest.raises(WeightsRefused, match="SHA-256 differs"):
        loading.load(entry)


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path(__file__).with_name("exploded"),))  # type: ignore[return-value]


def test_a_pickle_is_never_unpickled(tmp_path: Path) -> None:
    entry = placed(tmp_path, pickle.dumps(Bomb()))
    with pytest.raises(WeightsRefused, match="not a safetensors file"):
        loading.load(entry)
    assert not Path(__file__).with_name("exploded").exists()


async def test_the_least_used_network_is_unloaded_beyond_the_budget() -> None:
    rows = [replace(ROW, id=name) for name in ("a", "b", "c")]
    loaded: list[str] = []

    def loader(entry: WeightEntry) -> Network:
        loaded.append(entry.row.id)
        return registry.seeded("mini")

    one = size(registry.seeded("mini"))
    catalogue = Catalogue(CPU, 2 * one + 10, WeightFiles(rows=rows), loader)
    for name in ("a", "b", "a", "c", "a", "b"):
        await catalogue.network(name)
    assert loaded == ["a", "b", "c", "b"]


def test_an_unknown_network_is_told_the_known_ones() -> None:
    with pytest.raises(UnknownModel, match="There are: mini"):
        Catalogue(CPU, 1).model("resnet")


def test_a_network_is_described_without_its_weights() -> None:
    def never(entry: WeightEntry) -> Network:
        raise AssertionError

    model = Catalogue(CPU, 1, WeightFiles(rows=TABLE), never).model("mini")
    assert (model.parameters, len(model.labels), model.state) == (3_407_588, 100, "embedded")


def test_a_cache_keeps_the_most_recently_used_within_its_budget() -> None:
    cache: ByteCache[str, str] = ByteCache(10)
    cache.put("a", "A", 4)
    cache.put("b", "B", 4)
    assert cache.get("a") == "A"
    cache.put("c", "C", 4)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == ("A", None, "C")
    cache.put("huge", "H", 11)
    assert cache.get("huge") is None
    cache.put("a", "AA", 6)
    assert (cache.bytes, len(cache)) == (10, 2)
    cache.drop_where(lambda key: key == "a")
    assert (cache.bytes, cache.get("c")) == (4, "C")


def test_a_device_that_is_not_there_is_refused() -> None:
    assert device.choose("cpu") == CPU
    with pytest.raises(BadRequest, match="must be auto, cuda, mps or cpu"):
        device.choose("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(BadRequest, match="has no CUDA device"):
            device.choose("cuda")


def test_numbers_are_exact_on_every_device() -> None:
    device.choose("auto")
    assert torch.get_float32_matmul_precision() == "highest"
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


def test_settings_come_from_the_environment() -> None:
    given = Settings.from_environment(
        {
            "LAYERSCOPE_HOSTS": "a.example, b.example",
            "LAYERSCOPE_EXPIRE_HOURS": "1.5",
            "LAYERSCOPE_DATA": "somewhere",
            "LAYERSCOPE_QUEUE": "3",
            "LAYERSCOPE_MODEL": " ",
        }
    )
    assert given.hosts == ("a.example", "b.example")
    assert (given.expire_hours, given.queue, given.model) == (1.5, 3, "mini")
    assert given.data == Path("somewhere")


@pytest.mark.parametrize("text", ["many", "0", "-2"])
def test_a_setting_that_is_wrong_is_named(text: str) -> None:
    with pytest.raises(BadRequest, match="LAYERSCOPE_QUEUE must be"):
        Settings.from_environment({"LAYERSCOPE_QUEUE": text})


def test_every_setting_is_in_the_table_with_its_help() -> None:
    assert [name for name, _, _ in table()] == [
        f"LAYERSCOPE_{one.name.upper()}" for one in fields(Settings)
    ]
    assert all(len(help) > 20 for _, _, help in table())


def test_safetensors_round_trip_is_read(tmp_path: Path) -> None:
    seeded = registry.seeded("mini", 5)
    entry = placed(tmp_path, save(dict(seeded.state_dict())))
    loaded = loading.load(entry)
    assert torch.equal(loaded.module("fc7").weight, seeded.module("fc7").weight)  # type: ignore[arg-type]
