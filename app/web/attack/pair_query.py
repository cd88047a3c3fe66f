"""Shared code of the panels of an attack: the queried pair of pictures, and the response."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from fastapi.responses import Response

from app.services.runs.pairs import PicturePair, load_pair
from app.web.core.htmx import wants_part
from app.web.core.state import ServicesDep
from app.web.core.templating import render


@dataclass(frozen=True, slots=True)
class PairView:
    """The view of a panel's URL: a network, a picture, and the same picture attacked."""

    model: str
    image: str
    attacked: str
    target: str | None = None
    seed: int = 0

    def query(self, **more: Any) -> str:
        """The query string of the view, and `more`."""
        target = {} if self.target in (None, "") else {"target": self.target}
        named = {"model": self.model, "image": self.image, "attacked": self.attacked}
        return urlencode({**named, **target, "seed": self.seed, **more})


def pair_view(
    model: Annotated[str, Query(max_length=200)],
    image: Annotated[str, Query(max_length=200)],
    attacked: Annotated[str, Query(max_length=200)],
    target: Annotated[str | None, Query(max_length=200)] = None,
    seed: Annotated[int, Query(ge=0, lt=2**53)] = 0,
) -> PairView:
    """The view of a query, not looked up yet."""
    return PairView(model, image, attacked, target or None, seed)


PairViewDep = Annotated[PairView, Depends(pair_view)]


async def picture_pair(view: PairViewDep, services: ServicesDep) -> PicturePair:
    """Both pictures as the network gets them; errors are raised here."""
    return await load_pair(
        services.catalogue,
        services.pictures,
        view.model,
        view.image,
        view.attacked,
        view.target,
        view.seed,
    )


PairDep = Annotated[PicturePair, Depends(picture_pair)]


def show(request: Request, title: str, template: str, context: dict[str, Any]) -> Response:
    """The panel alone for htmx; for a browser without JavaScript or a link a page of its own."""
    if wants_part(request):
        return render(request, template, context)
    return render(request, "attack/alone.html", {"title": title, "inside": template, **context})
