"""Shared code of the panels of an attack: the queried pair of pictures, and the response."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from fastapi import Depends, Query, Request
from fastapi.responses import Response

from app.services.runs.pairs import PicturePair, load_pair
from app.web.core.htmx import wants_part
from app.web.core.state import ServicesDep
from app.web.core.templating import render
from app.web.core.url_view import Filled, Name, Seed, UrlView


class PairView(UrlView):
    """What a panel's URL says: a network, a picture, and the same picture attacked."""

    always: ClassVar[frozenset[str]] = frozenset({"seed"})

    model: Name
    image: Name
    attacked: Name
    target: Annotated[Name | None, Filled] = None
    seed: Seed = 0


PairViewDep = Annotated[PairView, Query()]


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
