"""How the context of a page or a panel is declared: a dataclass with a help text for each field.

What stands inside, a bar or a row, is a plain dataclass.
"""

from __future__ import annotations

from dataclasses import MISSING, field, fields
from typing import Any


def helped(text: str, default: Any = MISSING) -> Any:
    """A dataclass field with a help text in its metadata."""
    return field(default=default, metadata={"help": text})


def as_dict(context: Any) -> dict[str, Any]:
    """A context as Jinja takes it, a shallow dict."""
    return {spec.name: getattr(context, spec.name) for spec in fields(context)}
