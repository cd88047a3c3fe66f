"""`python -m app weights`: what is here; getting it from a server that behaves, or does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.__main__ import main
from app.services.networks import weight_files as shelf_module
from app.services.networks.state_dict import to_state_dict
from models import registry
from models.weights import TABLE
from tests.support.misbehaving_server import MisbehavingServer, serving
from tests.support.networks import embedded, put_partial

ID = "squeezenet1_1"
Told = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stick").mkdir()
    monkeypatch.setenv("LAYERSCOPE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LAYERSCOPE_WEIGHTS", str(tmp_path / "stick"))


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as torchvision publishes it, with seeded numbers."""
    path = tmp_path_factory.mktemp("published") / "squeezenet1_1.pth"
    torch.save(to_state_dict(ID, registry.seeded(ID)), path)
    return path


@pytest.fixture
def server(published: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MisbehavingServer]:
    """The official server, and a table that believes it."""
    body = published.read_bytes()
    with serving(body) as made:
        rows = [
            replace(row, url=made.url, bytes=len(body), sha256=sha256(body).hexdigest())
            if row.id == ID else row for row in TABLE
        ]  # fmt: skip
        monkeypatch.setattr(shelf_module.WeightFiles.__init__, "__defaults__", ((), tuple(rows)))
        yield made


def test_list_says_what_is_here(tmp_path: Path, capsys: Told) -> None:
    put_partial(tmp_path / "stick")
    (tmp_path / "stick" / "vgg11-bad.safetensors").write_bytes(b"")
    assert main(["weights", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:5] == ["mini", "comes", "with", "the", "project,"]
    assert any(line.startswith("alexnet") and "brings 244 MB" in line for line in lines)
    assert any("own-mini-part" in line and "partial: up to conv5" in line for line in lines)
    assert lines[-1].startswith("refused: vgg11-bad.safetensors: It is not a safetensors file")


def test_path_names_the_folders(tmp_path: Path, capsys: Told) -> None:
    assert main(["weights", "path"]) == 0
    assert capsys.readouterr().out.split() == [
        str(tmp_path / "stick"),
        str(tmp_path / "data" / "weights"),
    ]


def test_get_brings_the_file_and_verify_finds_it_whole(
    tmp_path: Path, server: MisbehavingServer, capsys: Told
) -> None:
    assert main(["weights", "get", ID]) == 0
    told = capsys.readouterr().err
    assert "SqueezeNet 1.1 is here now" in told
    assert "MB" in told
    path = tmp_path / "data" / "weights" / "squeezenet1_1-b8a52dc0.pth"
    assert path.read_bytes() == server.body
    assert main(["weights", "verify"]) == 0
    assert f"{ID}: whole and as published" in capsys.readouterr().out
    assert main(["weights", "get", ID]) == 0
    assert "is here already" in capsys.readouterr().err
    assert len(server.asked) == 1
    path.write_bytes(server.body[:-1] + b"x")
    assert main(["weights", "verify", ID]) == 2
    assert "its SHA-256 differs" in capsys.readouterr().out


def test_get_into_another_folder(tmp_path: Path, server: MisbehavingServer) -> None:
    assert main(["weights", "get", ID, "--into", str(tmp_path / "stick")]) == 0
    assert [path.name for path in (tmp_path / "stick").iterdir()] == ["squeezenet1_1-b8a52dc0.pth"]


def test_random_weights_and_those_of_the_project_need_not_be_brought(capsys: Told) -> None:
    assert main(["weights", "get", "mini", f"{ID}-random"]) == 0
    told = capsys.readouterr().err
    assert "mini AlexNet is here already" in told
    assert "needs no file: its weights are drawn at random." in told


def test_get_that_fails_says_why_and_leaves_nothing(
    tmp_path: Path, server: MisbehavingServer, capsys: Told
) -> None:
    server.body, server.kind = b"<!doctype html><p>Please log in", "text/html"
    assert main(["weights", "get", ID]) == 2
    assert "The download failed." in capsys.readouterr().err
    assert not [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert main(["weights", "get", "resnet"]) == 2
    assert "There is no network called “resnet”" in capsys.readouterr().err


def test_export_writes_either_layout_and_both_load_again(
    tmp_path: Path, published: Path, capsys: Told
) -> None:
    stick = tmp_path / "stick"
    mine = published.with_name("squeezenet1_1-mine.pth")
    mine.write_bytes(published.read_bytes())
    for keys, name in (("published", "a"), ("steps", "b")):
        out = stick / f"squeezenet1_1-{name}.safetensors"
        assert main(["weights", "export", str(mine), str(out), "--keys", keys]) == 0
    first, second = (load_file(stick / f"squeezenet1_1-{name}.safetensors") for name in "ab")
    assert "features.3.squeeze.weight" in first
    assert first["features.3.squeeze.weight"].equal(second["fire2.squeeze.weight"])
    capsys.readouterr()
    assert main(["weights", "verify", f"own-{ID}-a", f"own-{ID}-b"]) == 0
    assert capsys.readouterr().out.count("fits") == 2
    assert main(["weights", "export", "mini", str(tmp_path / "mini-copy.safetensors")]) == 0
    assert load_file(tmp_path / "mini-copy.safetensors").keys() == embedded().state_dict().keys()


def test_export_of_what_is_no_network_has_a_sentence(tmp_path: Path, capsys: Told) -> None:
    out = str(tmp_path / "out.safetensors")
    assert main(["weights", "export", "nothing.pth", out]) == 2
    assert "neither a network nor a file" in capsys.readouterr().err
    assert main(["weights", "export", "alexnet", out]) == 2
    assert "python -m app weights get alexnet" in capsys.readouterr().err
    assert main(["weights", "export", str(tmp_path / "alexnet-gone.pth"), out]) == 2
    assert "There is no file" in capsys.readouterr().err
    bad = tmp_path / "alexnet-list.pth"
    torch.save([1, 2], bad)
    assert main(["weights", "export", str(bad), out]) == 2
    assert "holds something else than weights" in capsys.readouterr().err


def test_a_network_with_nan_is_listed_as_refused_and_none_is_verified(
    tmp_path: Path, capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = embedded().state_dict()
    bad = {**state, "fc7.bias": torch.full((100,), torch.nan)}
    save_file(bad, tmp_path / "stick" / "mini-bad.safetensors")
    # Large files, too: this command looks at every number.
    monkeypatch.setattr(shelf_module, "AT_ONCE", 1)
    assert main(["weights", "list"]) == 0
    said = capsys.readouterr().out
    assert "refused: mini-bad.safetensors" in said and "fc7.bias holds a number that is not" in said
    assert "own-mini-bad" not in said
    assert main(["weights", "verify", "own-mini-bad"]) == 2
    assert "fc7.bias holds a number that is not finite" in capsys.readouterr().out
