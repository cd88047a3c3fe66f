"""The URL of a comparison: two sides; what the other side leaves out is the same as on this."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from fastapi import Depends, Query
from starlette.datastructures import QueryParams

from app.pictures.samples import all_samples
from app.services.runs.comparison import By
from app.web.core.links import View
from app.web.core.state import Services, ServicesDep
from app.web.core.url_view import Filled, Index, Name, UrlView

OptionalName = Annotated[Name | None, Filled]
Which = Literal["here", "there"]


class CompareView(UrlView):
    """Two sides and the ranked value; None on the other side means the same as on this one.

    A request may leave `model` and `image` empty: they are then the server's.
    """

    page: ClassVar[str] = "/compare"
    always: ClassVar[frozenset[str]] = frozenset({"model", "image"})

    model: Name = ""
    image: Name = ""
    step: OptionalName = None
    channel: Index | None = None
    other_model: OptionalName = None
    other_image: OptionalName = None
    other_step: OptionalName = None
    other_channel: Index | None = None
    by: By = "relative"

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
        here = View(model=self.model, image=self.image, step=self.step, channel=self.channel)
        if which == "here":
            return here
        return View(
            model=self.other_model or self.model,
            image=self.other_image or self.image,
            step=self.other_step or self.step,
            channel=self.channel if self.other_channel is None else self.other_channel,
        )

    @property
    def is_open(self) -> bool:
        """Whether nothing is chosen yet to compare with."""
        others = (self.other_model, self.other_image, self.other_step, self.other_channel)
        return all(one is None for one in others)


def completed(view: CompareView, services: Services) -> CompareView:
    """The view with the network and picture that a request leaves to the server."""
    return view.changed(
        model=view.model or services.settings.model, image=view.image or all_samples()[0].id
    )


def compare_view(services: ServicesDep, view: Annotated[CompareView, Query()]) -> CompareView:
    """The view of a request, not looked up yet."""
    return completed(view, services)


def reread(query: QueryParams, services: Services) -> CompareView:
    """The view that a page was rendered for, ignoring invalid parts of its query."""
    return completed(CompareView.valid_parts(query), services)


CompareDep = Annotated[CompareView, Depends(compare_view)]
