"""The URL of a comparison: two sides; what the other side leaves out is the same as on this."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query
from starlette.datastructures import QueryParams

from app.pictures.samples import all_samples
from app.services.runs.comparison import BYS, By
from app.web.core.links import View
from app.web.core.state import Services, ServicesDep

Name = Annotated[str | None, Query(max_length=200)]
Channel = Annotated[int | None, Query(ge=0)]
Which = Literal["here", "there"]


@dataclass(frozen=True, slots=True)
class CompareView:
    """Two sides and the ranked value; None on the other side means the same as on this one."""

    model: str
    image: str
    step: str | None = None
    channel: int | None = None
    other_model: str | None = None
    other_image: str | None = None
    other_step: str | None = None
    other_channel: int | None = None
    by: By = "relative"

    def query(self, **changes: Any) -> str:
        """The query string with some parts changed; defaults are left out."""
        view = replace(self, **changes)
        given = {spec.name: getattr(view, spec.name) for spec in fields(view)}
        return urlencode({k: v for k, v in given.items() if v is not None and (k, v) != _PLAIN})

    def url(self, **changes: Any) -> str:
        """The page with some parts changed."""
        return f"/compare?{self.query(**changes)}"

    def side(self, which: Which, **changes: Any) -> str:
        """The page with parts of one side changed: model, image, step, channel."""
        prefix = "" if which == "here" else "other_"
        return self.url(**{prefix + name: value for name, value in changes.items()})

    def swapped(self) -> str:
        """The page with the sides exchanged."""
        return self.url(
            model=self.other_model or self.model,
            image=self.other_image or self.image,
            step=self.other_step or self.step,
            channel=self.channel if self.other_channel is None else self.other_channel,
            other_model=self.model,
            other_image=self.image,
            other_step=self.step,
            other_channel=None if self.other_channel is None else self.channel,
        )

    def named(self, which: Which) -> View:
        """The view of one side in the explorer."""
        here = View(self.model, self.image, self.step, self.channel)
        if which == "here":
            return here
        return View(
            self.other_model or self.model,
            self.other_image or self.image,
            self.other_step or self.step,
            self.channel if self.other_channel is None else self.other_channel,
        )

    @property
    def is_open(self) -> bool:
        """Whether nothing is chosen yet to compare with."""
        others = (self.other_model, self.other_image, self.other_step, self.other_channel)
        return all(one is None for one in others)


_PLAIN = ("by", "relative")


def compare_view(
    services: ServicesDep,
    model: Name = None,
    image: Name = None,
    step: Name = None,
    channel: Channel = None,
    other_model: Name = None,
    other_image: Name = None,
    other_step: Name = None,
    other_channel: Channel = None,
    by: By = "relative",
) -> CompareView:
    """The view of a request, not looked up yet; an empty parameter counts as absent."""
    return CompareView(
        model or services.settings.model,
        image or all_samples()[0].id,
        step or None,
        channel,
        other_model or None,
        other_image or None,
        other_step or None,
        other_channel,
        by,
    )


def reread(query: QueryParams, services: Services) -> CompareView:
    """The view that a page was rendered for, ignoring invalid parts of its query."""

    def channel(name: str) -> int | None:
        text = query.get(name) or ""
        return int(text) if text.isdecimal() and len(text) < 9 else None

    def text(name: str) -> str | None:
        return query.get(name) or None

    return CompareView(
        text("model") or services.settings.model,
        text("image") or all_samples()[0].id,
        text("step"),
        channel("channel"),
        text("other_model"),
        text("other_image"),
        text("other_step"),
        channel("other_channel"),
        next((one for one in BYS if one == query.get("by")), "relative"),
    )


CompareDep = Annotated[CompareView, Depends(compare_view)]
