"""`python -m app`: help, version, and errors in a sentence."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from fastapi import FastAPI

from app import __version__
from app.__main__ import main
from app.web import server


def test_help_names_every_verb_and_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("serve", "bench", "LAYERSCOPE_EXPIRE_HOURS"))


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert __version__ in capsys.readouterr().out


def test_a_port_in_use_is_said_with_another_one(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 2
    assert f"--port {port + 1}" in capsys.readouterr().err


def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAYERSCOPE_QUEUE", "many")
    assert main(["serve"]) == 2
    assert "LAYERSCOPE_QUEUE must be a whole number" in capsys.readouterr().err


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--nonsense"])
    assert ended.value.code == 2


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_folder_whose_name_is_no_utf_8_can_be_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAYERSCOPE_WEIGHTS", os.fsdecode(b"/nowhere/caf\xe9"))
    assert main(["weights", "path"]) == 0
    assert "/nowhere/caf\\udce9" in capsys.readouterr().out
    assert main(["serve"]) == 2
    assert "/nowhere/caf\ufffd, which is no folder here" in capsys.readouterr().err


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[FastAPI]:
    """The apps that a start would serve."""
    apps: list[FastAPI] = []
    monkeypatch.setenv("LAYERSCOPE_DATA", str(tmp_path))
    monkeypatch.setattr(server, "serve", lambda app, host, port: apps.append(app))
    monkeypatch.setattr(server, "is_free", lambda host, port: True)
    return apps


def test_behind_a_proxy_the_start_prints_the_operator_s_key(
    served: list[FastAPI], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--behind-proxy", "--root-path", "/class/7"]) == 0
    key = served[0].state.operator_key
    assert f"/operator?key={key}\n" in capsys.readouterr().out
    assert main(["serve"]) == 0
    assert served[1].state.operator_key is None
    assert "key" not in capsys.readouterr().out


def test_what_is_no_sub_path_is_said_at_the_start(
    served: list[FastAPI], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--root-path", "https://lab.example/x"]) == 2
    assert "no sub-path" in capsys.readouterr().err
    assert served == []
