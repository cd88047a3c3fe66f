"""The Dockerfile, read rather than built: what can be checked without a Docker engine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of a Dockerfile, continuation lines joined, and the stage it stands in."""

    stage: str
    word: str
    rest: str


def read_dockerfile() -> list[Instruction]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    stage, instructions = "", []
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stage = rest.partition(" AS ")[2]
        instructions.append(Instruction(stage, word, rest.strip()))
    return instructions


INSTRUCTIONS = read_dockerfile()


def rest_of(word: str, stage: str) -> list[str]:
    return [i.rest for i in INSTRUCTIONS if i.word == word and i.stage == stage]


def copied(stage: str) -> list[str]:
    """What a stage copies out of the project's folder."""
    lines = [line for line in rest_of("COPY", stage) if not line.startswith("--from")]
    return [source for line in lines for source in line.split()[:-1]]


def test_only_plain_instructions_are_used_and_nothing_is_added_from_a_url() -> None:
    known = {"ARG", "CMD", "COPY", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "RUN", "USER", "VOLUME"}
    assert {i.word for i in INSTRUCTIONS} <= known | {"WORKDIR"}


def test_one_stage_builds_and_another_runs() -> None:
    assert list(dict.fromkeys(i.stage for i in INSTRUCTIONS)) == ["build", "runtime"]
    assert "--from=build /opt/venv /opt/venv" in rest_of("COPY", "runtime")
    assert not any("pip" in line for line in rest_of("RUN", "runtime"))


def test_the_base_is_one_image_pinned_to_a_patch_release() -> None:
    bases = {i.rest.partition(" AS ")[0] for i in INSTRUCTIONS if i.word == "FROM"}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", bases.pop())


def test_the_torch_argument_chooses_the_build() -> None:
    assert rest_of("ARG", "build") == ["TORCH=cpu"]
    choice = next(line for line in rest_of("RUN", "build") if "$TORCH" in line)
    assert re.search(r"cpu\).*whl/cpu.*cuda\).*\*\).*exit 1", choice)


def test_torch_is_pinned_in_one_place() -> None:
    assert not re.search(r"torch==\d", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert "^torch==" in " ".join(rest_of("RUN", "build"))


def test_it_runs_as_somebody_without_rights() -> None:
    (user,) = rest_of("USER", "runtime")
    assert user not in ("root", "0")
    assert any(f"--create-home {user}" in line for line in rest_of("RUN", "runtime"))
    words = [i.word for i in INSTRUCTIONS if i.stage == "runtime"]
    assert words.index("USER") > max(i for i, word in enumerate(words) if word == "COPY")


def test_its_health_is_asked_for_on_the_port_it_exposes() -> None:
    (port,) = rest_of("EXPOSE", "runtime")
    (health,) = rest_of("HEALTHCHECK", "runtime")
    assert f"http://127.0.0.1:{port}/healthz" in health


def test_it_serves_beyond_itself_and_keeps_data_in_volumes() -> None:
    (command,) = rest_of("CMD", "runtime")
    assert command == '["python", "-m", "app", "serve", "--host", "0.0.0.0"]'
    (variables,) = rest_of("ENV", "runtime")
    assert "LAYERSCOPE_DATA=/data" in variables
    assert rest_of("VOLUME", "runtime") == ['["/data"]']


@pytest.mark.parametrize("source", copied("build") + copied("runtime"))
def test_what_is_copied_exists_and_is_not_ignored(source: str) -> None:
    assert (ROOT / source).exists()
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    kept = False
    for line in lines:
        pattern = line.lstrip("!").rstrip("/")
        if pattern and not line.startswith("#") and fnmatch(source.rstrip("/"), pattern):
            kept = line.startswith("!")
    assert kept


def test_everything_that_running_needs_is_copied() -> None:
    assert {"app/", "models/", "templates/", "static/"} <= set(copied("runtime"))
