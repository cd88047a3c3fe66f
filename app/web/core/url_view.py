"""What a URL says, as a model: FastAPI reads it from a query, and it writes itself back.

A field with its limits and its default is a parameter: it is in the URL where it differs from its
default. Everything that writes a query string does it here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, NamedTuple, Self, get_args
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from app.web.core.base_path import base

Pairs = Iterable[tuple[str, Any]]


def encode(parameters: Mapping[str, Any] | Pairs, safe: str = "") -> str:
    """A query string; `safe` are characters that stay as they are."""
    pairs = parameters.items() if isinstance(parameters, Mapping) else parameters
    return urlencode(list(pairs), safe=safe)


def with_parameter(url: str, name: str, value: str) -> str:
    """The query string of a URL with one parameter replaced, which then is the last."""
    return encode(
        [*((k, v) for k, v in parse_qsl(urlsplit(url).query) if k != name), (name, value)]
    )


@dataclass(frozen=True, slots=True)
class Written:
    """Stands with a field that a URL writes otherwise than `str` does."""

    text: Callable[[Any], str]


Name = Annotated[str, Field(max_length=200)]
"""A name, or a text as long as one."""
Index = Annotated[int, Field(ge=0)]
"""The index of a channel, row or column."""
Seed = Annotated[int, Field(ge=0, lt=2**53)]
"""A seed that JavaScript, too, has as an integer."""
Switch = Annotated[bool, Written(lambda on: "1" if on else "0")]
"""A checkbox, as URLs write it."""
Filled = AfterValidator(lambda text: text or None)
"""Stands with a text, after its limits: an empty one, which a form sends, is none."""


class _Parameter(NamedTuple):
    field: str
    name: str
    default: Any
    text: Callable[[Any], str] | None


class UrlView(BaseModel):
    """What a URL says. A subclass has a field a parameter, in the order of its URLs."""

    model_config = ConfigDict(frozen=True)

    page: ClassVar[str]
    """The path of its page."""
    always: ClassVar[frozenset[str]] = frozenset()
    """Fields that a URL has even where they have their default."""
    safe: ClassVar[str] = ""
    """Characters that stay as they are in its URLs."""

    def changed(self, **changes: Any) -> Self:
        """The same with some fields changed; the changes are not validated."""
        if unknown := changes.keys() - type(self).model_fields:
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        return self.model_copy(update=changes)

    @property
    def parameters(self) -> dict[str, Any]:
        """What its URL says, by the parameters' names."""
        values, said = self.__dict__, {}
        for field, name, default, text in _parameters(type(self)):
            value = values[field]
            if value is not None and value != default:
                said[name] = text(value) if text else value
        return said

    def query(self, more: Mapping[str, Any] | None = None, /, **changes: Any) -> str:
        """The query string with some fields changed, and `more` parameters after them."""
        view = self.changed(**changes) if changes else self
        return encode({**view.parameters, **(more or {})}, self.safe)

    def url(self, **changes: Any) -> str:
        """The page with some fields changed, as this request's browser asks for it."""
        return f"{base()}{self.page}?{self.query(**changes)}"

    @classmethod
    def valid_parts(cls, parameters: Mapping[str, str]) -> Self:
        """The view of a query without its invalid parts, where every field has a default."""
        try:
            return cls.model_validate(dict(parameters))
        except ValidationError as error:
            wrong = {one["loc"][0] for one in error.errors()}
            return cls.model_validate({k: v for k, v in parameters.items() if k not in wrong})


@cache
def _parameters(kind: type[UrlView]) -> tuple[_Parameter, ...]:
    """The parameters of a kind of URL; one that it always has compares equal to no default."""
    found = []
    for name, field in kind.model_fields.items():
        default = field.get_default(call_default_factory=True) if not field.is_required() else None
        default = None if name in kind.always else default
        found.append(_Parameter(name, field.alias or name, default, _text_of(field)))
    return tuple(found)


def _text_of(field: FieldInfo) -> Callable[[Any], str] | None:
    """How a field is written; `Written` may also stand with a part of it, as in `X | None`."""
    parts = (
        part for one in get_args(field.annotation) for part in getattr(one, "__metadata__", ())
    )
    return next((one.text for one in (*field.metadata, *parts) if isinstance(one, Written)), None)
