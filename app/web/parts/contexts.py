"""How what a template is given is written down: a dataclass, one help text a field."""

from __future__ import annotations

from dataclasses import MISSING, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass


def helped(text: str, default: Any = MISSING) -> Any:
    return field(default=default, metadata={"help": text})


def as_dict(context: Any) -> dict[str, Any]:
    """A context as Jinja takes it, without copying what is inside."""
    return {spec.name: getattr(context, spec.name) for spec in fields(context)}
