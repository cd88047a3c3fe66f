"""How template contexts are declared: dataclasses with a help text for each field."""

from __future__ import annotations

from dataclasses import MISSING, field, fields
from typing import Any


def helped(text: str, default: Any = MISSING) -> Any:
    """A dataclass field with a help text in its metadata."""
    return field(default=default, metadata={"help": text})


def as_dict(context: Any) -> dict[str, Any]:
    """A context as Jinja takes it, a shallow dict."""
    return {spec.name: getattr(context, spec.name) for spec in fields(context)}
