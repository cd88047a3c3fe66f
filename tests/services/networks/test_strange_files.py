"""What may lie in a folder of weights beside weights: listed or left out, it harms nobody."""

from __future__ import annotations

import json
import os
import socket
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from app.errors import UnknownModel, WeightsRefused
from app.services.networks import weight_files
from app.services.networks.asset_files import find
from app.services.networks.catalogue import Catalogue
from app.services.networks.loading import load, read, weights_digest
from app.services.networks.state_dict import fit
from app.services.networks.weight_contents import MOST_KEYS, first_not_finite
from app.services.networks.weight_files import WeightFiles
from models.weights import TABLE
from tests.support.engines import CPU
from tests.support.networks import embedded

State = dict[str, Tensor]
BAD = (float("nan"), float("inf"), float("-inf"))


@pytest.fixture
def mini() -> State:
    return dict(embedded().state_dict())


def reasons(folder: Path) -> dict[str, str]:
    return {one.file: one.reason for one in WeightFiles([folder]).refused()}


def spoilt(state: State, key: str, value: float, kind: torch.dtype = torch.float32) -> State:
    """The weights with one number replaced, the last of a tensor."""
    values = state[key].to(kind)
    values.view(-1)[-1] = value
    return {**state, key: values}


@pytest.mark.skipif(os.name == "nt", reason="Windows has none of these in a folder")
def test_pipes_sockets_folders_and_dead_links_are_never_opened(
    tmp_path: Path, mini: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_file(mini, tmp_path / "mini-good.safetensors")
    os.mkfifo(tmp_path / "mini-pipe.safetensors")
    (tmp_path / "mini-folder.safetensors").mkdir()
    (tmp_path / "mini-dead.safetensors").symlink_to(tmp_path / "nowhere")
    (tmp_path / "mini-loop.safetensors").symlink_to(tmp_path / "mini-loop.safetensors")
    (tmp_path / "mini-device.safetensors").symlink_to("/dev/zero")
    (tmp_path / "mini-link.safetensors").symlink_to(tmp_path / "mini-good.safetensors")
    official = next(row for row in TABLE if row.id == "alexnet")
    os.mkfifo(tmp_path / official.file)
    with socket.socket(socket.AF_UNIX) as listener:
        # The path of a socket may be too long, its name is not.
        monkeypatch.chdir(tmp_path)
        listener.bind("mini-socket.safetensors")
        found = reasons(tmp_path)
        names = {entry.id for entry in WeightFiles([tmp_path]).entries()}
    assert names >= {"own-mini-good", "own-mini-link"} and "own-mini-pipe" not in names
    assert WeightFiles([tmp_path]).find("alexnet").state == "downloadable"
    for name in ("pipe", "folder", "device", "socket"):
        assert "not a file" in found[f"mini-{name}.safetensors"]
    for name in ("dead", "loop"):
        assert "cannot be read" in found[f"mini-{name}.safetensors"]


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_name_that_is_no_utf_8_is_listed_so_that_it_can_be_printed(
    tmp_path: Path, mini: State
) -> None:
    save_file(mini, tmp_path / "mini-good.safetensors")
    (tmp_path / os.fsdecode(b"mini-caf\xe9.safetensors")).write_bytes(b"x")
    (tmp_path / os.fsdecode(b"\xff\xfe.safetensors")).write_bytes(b"x")
    shelf = WeightFiles([tmp_path])
    assert [one.file for one in shelf.refused()] == ["mini-caf\ufffd.safetensors"]
    assert shelf.entry("own-mini-good")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_a_pipe_is_neither_read_nor_hashed_nor_a_noise(tmp_path: Path) -> None:
    model = Catalogue(CPU, 1, data=tmp_path).model("mini")
    (tmp_path / "universal").mkdir()
    os.mkfifo(tmp_path / "universal" / "mini.mine.safetensors")
    found = find(model, "universal")
    assert [one.file for one in found.refused] == ["mini.mine.safetensors"]
    assert len(found.assets) == 1
    os.mkfifo(tmp_path / "mini.pth")
    with pytest.raises(WeightsRefused, match="not a file"):
        read(tmp_path / "mini.pth")
    entry = weight_files.WeightEntry(TABLE[0], tmp_path / "mini.pth", "ready", True)
    assert weights_digest(entry) == ""


def test_a_folder_that_cannot_be_listed_is_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(self: Path, pattern: str) -> list[Path]:
        raise OSError(5, "Input/output error")

    shelf = WeightFiles([tmp_path])
    monkeypatch.setattr(Path, "glob", gone)
    assert len(shelf.entries()) == len(TABLE) and shelf.refused() == []


def test_a_file_that_cannot_be_read_while_it_is_verified_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("app.services.networks.loading.digest_of", torn)
    with pytest.raises(WeightsRefused, match="cannot be read: Permission denied"):
        load(weight_files.WeightEntry(TABLE[0], TABLE[0].path, "embedded", True))


def test_more_tensors_than_any_network_has_are_not_listed(tmp_path: Path) -> None:
    many = {f"t{i}": torch.zeros(1) for i in range(MOST_KEYS + 1)}
    save_file(many, tmp_path / "mini-many.safetensors")
    assert "holds 4,001 tensors" in reasons(tmp_path)["mini-many.safetensors"]


def test_a_long_header_is_refused_before_it_is_read(tmp_path: Path, mini: State) -> None:
    path = tmp_path / "mini-long.safetensors"
    header = json.dumps({f"tensor{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
                         for i in range(60_000)}).encode()  # fmt: skip
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    assert "begins with a list of 4 MB" in reasons(tmp_path)["mini-long.safetensors"]
    with pytest.raises(WeightsRefused, match="begins with a list"):
        read(path)
    # What is no safetensors file at all begins with any number.
    (tmp_path / "mini-other.safetensors").write_bytes(b"\xff" * 100)
    assert "not a safetensors file" in reasons(tmp_path)["mini-other.safetensors"]


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_network_with_a_number_that_is_not_finite_is_refused_by_name(
    tmp_path: Path, mini: State, value: float, kind: torch.dtype
) -> None:
    save_file(mini, tmp_path / "mini-good.safetensors")
    save_file(spoilt(mini, "fc7.bias", value, kind), tmp_path / "mini-bad.safetensors")
    shelf = WeightFiles([tmp_path])
    assert [one.id for one in shelf.entries()][-1] == "own-mini-good"
    (bad,) = shelf.refused()
    assert "fc7.bias holds a number that is not finite" in bad.reason
    with pytest.raises(UnknownModel, match=r"mini-bad.*fc7\.bias"):
        shelf.find("own-mini-bad")
    with pytest.raises(UnknownModel, match="There are: mini"):
        shelf.find("own-mini-nothing")


def test_a_double_beyond_float32_is_not_finite_and_one_within_is_converted(
    tmp_path: Path, mini: State
) -> None:
    path = tmp_path / "mini-large.safetensors"
    save_file(spoilt(mini, "conv1.weight", 1e39, torch.float64), path)
    assert first_not_finite(path) == "conv1.weight"
    save_file(spoilt(mini, "conv1.weight", 1e38, torch.float64), path)
    assert first_not_finite(path) is None


def test_a_large_file_is_looked_at_when_it_is_loaded_and_listed_from_then_on(
    tmp_path: Path, mini: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_file(spoilt(mini, "fc7.weight", BAD[0]), tmp_path / "mini-bad.safetensors")
    monkeypatch.setattr(weight_files, "AT_ONCE", 1000)
    shelf = WeightFiles([tmp_path])
    entry = shelf.find("own-mini-bad")
    with pytest.raises(WeightsRefused, match="not finite") as refused:
        load(entry)
    shelf.refuse(entry, refused.value.detail)
    assert [one.file for one in shelf.refused()] == ["mini-bad.safetensors"]
    assert WeightFiles([tmp_path], thorough=True).entry("own-mini-bad") is None


async def test_the_catalogue_lists_what_it_could_not_load(
    tmp_path: Path, mini: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_file(spoilt(mini, "fc7.weight", BAD[1]), tmp_path / "mini-bad.safetensors")
    monkeypatch.setattr(weight_files, "AT_ONCE", 1000)
    catalogue = Catalogue(CPU, 10**9, WeightFiles([tmp_path]))
    assert catalogue.model("own-mini-bad")
    with pytest.raises(WeightsRefused):
        await catalogue.network("own-mini-bad")
    assert [one.file for one in catalogue.shelf.refused()] == ["mini-bad.safetensors"]
    assert "own-mini-bad" not in {model.id for model in catalogue.models()}


def test_numbers_that_are_large_but_finite_load(mini: State) -> None:
    # Their sum is not finite, each of them is.
    large = {**mini, "fc7.bias": torch.full((100,), 3e38)}
    assert fit("mini", large, "file").state_dict()["fc7.bias"].equal(large["fc7.bias"])
    with pytest.raises(WeightsRefused, match=r"file: conv1\.bias holds a number"):
        fit("mini", spoilt(mini, "conv1.bias", float("nan")), "file")
