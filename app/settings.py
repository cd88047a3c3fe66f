"""Every setting of the server, with default and help text, read from `LAYERSCOPE_*`."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from app.errors import BadRequest

PREFIX = "LAYERSCOPE_"

_SWITCH = {"on": True, "off": False, "1": True, "0": False, "true": True, "false": False}


def _setting(default: Any, help: str) -> Any:
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True, slots=True)
class Settings:
    """How this server runs. Each field is read from `LAYERSCOPE_<NAME>`."""

    model: str = _setting("mini", "The network that is shown first.")
    device: str = _setting("auto", "`auto`, `cuda`, `mps` or `cpu`: where networks run.")
    data: Path = _setting(
        Path("data"), "Folder for uploaded pictures, of one server; created when needed."
    )
    weights: Path | None = _setting(
        None, "Folder with weights: a USB stick, a volume, your own files; then `data/weights`."
    )
    hosts: tuple[str, ...] = _setting(
        (),
        "Names this server answers to besides localhost, with commas: `lab.school.example`, "
        "`*.school.example`; `*` for any.",
    )
    upload_mb: int = _setting(30, "Largest upload, in megabytes.")
    megapixels: int = _setting(25, "Largest picture, in millions of pixels.")
    pictures_mb: int = _setting(
        2000, "Disk space for uploaded pictures; the oldest are deleted first."
    )
    expire_hours: float = _setting(24.0, "Hours after which an uploaded picture is deleted.")
    networks_mb: int = _setting(1500, "Memory for networks; the least recently used is unloaded.")
    runs_mb: int = _setting(512, "Memory for the feature maps of recent runs.")
    sheets_mb: int = _setting(64, "Memory for drawn sheets of feature maps.")
    synthesised_mb: int = _setting(
        200, "Disk space for synthesised pictures; the least recently used are deleted first."
    )
    crops_of_uploads: bool = _setting(
        False,
        "`on` shows parts of everybody's uploads, of deep layers whole pictures, to everybody on "
        "this server, until they are deleted: pupils' photos are private, so it is off.",
    )
    queue: int = _setting(64, "Runs that may wait; further requests get “try again”.")
    batch: int = _setting(16, "Largest batch: pictures that go through a network together.")

    @property
    def cache(self) -> Path:
        """Folder where downloaded weights are stored."""
        return self.data / "weights"

    @property
    def shelves(self) -> tuple[Path, ...]:
        """Folders searched for weights, in this order."""
        return (self.weights, self.cache) if self.weights else (self.cache,)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings from environment variables.

        Raises `BadRequest` naming the variable that is wrong.
        """
        values: dict[str, Any] = {}
        for spec in fields(cls):
            name = PREFIX + spec.name.upper()
            if text := environment.get(name, "").strip():
                values[spec.name] = _parse(name, text, spec.name, spec.default)
        return cls(**values)


def _parse(variable: str, text: str, name: str, default: Any) -> Any:
    if name in ("data", "weights"):
        return Path(text).expanduser()
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if isinstance(default, str):
        return text
    if isinstance(default, bool):
        return _switch(variable, text)
    kind = type(default)
    try:
        number = kind(text)
    except ValueError:
        number = 0
    if not 0 < number < math.inf:
        whole = "whole " if kind is int else ""
        raise BadRequest(f"{variable} must be a {whole}number above 0, not {text!r}.")
    return number


def _switch(variable: str, text: str) -> bool:
    if text.lower() not in _SWITCH:
        raise BadRequest(f"{variable} must be on or off, not {text!r}.")
    return _SWITCH[text.lower()]


def table() -> list[tuple[str, str, str]]:
    """Variable, default and help text of every setting, for `--help` and the README."""
    return [
        (PREFIX + spec.name.upper(), _show(spec.default), spec.metadata["help"])
        for spec in fields(Settings)
    ]


def _show(default: Any) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    if default in ((), None):
        return ""
    return f"{default:g}" if isinstance(default, float) else str(default)
