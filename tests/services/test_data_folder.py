"""One data folder, one server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.__main__ import main
from app.errors import DataUnusable
from app.services.data_folder import LOCK, owned

HOLD = """
import sys
from pathlib import Path
from app.services.data_folder import owned
with owned(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_by_another_process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as other:  # type: ignore[call-overload]
        assert other.stdout and other.stdout.readline() == "held\n"
        try:
            yield other
        finally:
            other.kill()


def test_a_second_server_is_refused_until_the_first_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data"
    monkeypatch.setenv("LAYERSCOPE_DATA", str(folder))
    with held_by_another_process(folder) as other:
        with pytest.raises(DataUnusable, match="Another Layerscope"), owned(folder):
            pass
        assert main(["serve", "--port", "9"]) == 2
        said = capsys.readouterr().err
        assert str(folder) in said and "LAYERSCOPE_DATA" in said and "Stop that one" in said
        # Even after a crash: the system lets go.
        other.kill()
        other.wait()
        with owned(folder):
            pass


TRY = """
import sys
from pathlib import Path
from app.errors import DataUnusable
from app.services.data_folder import owned
try:
    with owned(Path(sys.argv[1])):
        print("free")
except DataUnusable:
    print("held")
"""


def as_another_process_sees(folder: Path) -> str:
    command = [sys.executable, "-c", TRY, str(folder)]
    return subprocess.run(command, text=True, capture_output=True, check=True).stdout.strip()


def test_within_one_process_it_is_shared_and_free_after_the_last(tmp_path: Path) -> None:
    with owned(tmp_path):
        with owned(tmp_path / "x" / ".."):
            assert as_another_process_sees(tmp_path) == "held"
        assert as_another_process_sees(tmp_path) == "held"
        assert as_another_process_sees(tmp_path / "another") == "free"
    assert as_another_process_sees(tmp_path) == "free"
    assert (tmp_path / LOCK).is_file()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_a_folder_that_cannot_hold_a_lock_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataUnusable, match="Nothing can be written into"), owned(tmp_path / "file"):
        pass
    os.mkfifo(tmp_path / LOCK)
    with pytest.raises(DataUnusable, match="not a file"), owned(tmp_path):
        pass


def test_a_drive_without_locks_is_used_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unsupported(file: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("app.services.data_folder.lock", unsupported)
    with owned(tmp_path):
        assert "start only one server" in caplog.text
