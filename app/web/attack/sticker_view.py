"""What the URL of a sticker on a picture says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Form, Query

from app.services.sticking import Place
from app.web.attack.view import IMAGE

X, Y, SCALE, TURN = 0.26, 0.74, 0.43, 0.0
"""At first it lies in the lower left corner, off what is in the middle, and covers 14.5 %."""
LEAST, MOST = 0.1, 0.6
"""Diameters, as shares of the picture's side."""


@dataclass(frozen=True, slots=True)
class StickerView:
    """A network, a picture, a class’s sticker with its place; "" stands for the first there is."""

    model: str | None
    image: str
    sticker: str
    place: Place
    seed: int

    def query(self, **changes: Any) -> str:
        """The query string of this view with some parts changed."""
        place = self.place
        given = {
            "model": self.model, "image": self.image, "sticker": self.sticker,
            "x": short(place.x), "y": short(place.y), "scale": short(place.scale),
            "turn": short(place.turn), "seed": self.seed, **changes,
        }  # fmt: skip
        return urlencode({key: value for key, value in given.items() if value not in (None, "")})

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Network, picture, sticker and place as a form sends them."""
        place = self.place
        numbers = {"x": place.x, "y": place.y, "scale": place.scale, "turn": place.turn}
        names = ("model", self.model or ""), ("image", self.image), ("sticker", self.sticker)
        return (*names, *((name, short(number)) for name, number in numbers.items()))

    def of(self, model: str, sticker: int) -> StickerView:
        """The same with the network and the class that are meant, by their own names."""
        return replace(self, model=model, sticker=str(sticker))


def short(number: float) -> str:
    """A share or an angle as a URL and a form write it."""
    return f"{round(number, 3):g}"


Name = Annotated[str, Query(max_length=200)]


def asked(
    model: Annotated[str | None, Query(max_length=200)] = None,
    image: Name = IMAGE,
    sticker: Name = "",
    x: Annotated[float, Query(ge=0, le=1)] = X,
    y: Annotated[float, Query(ge=0, le=1)] = Y,
    scale: Annotated[float, Query(ge=LEAST, le=MOST)] = SCALE,
    turn: Annotated[float, Query(ge=-180, le=180)] = TURN,
    seed: Annotated[int, Query(ge=0, lt=2**53)] = 0,
) -> StickerView:
    """What the query names, not looked up yet."""
    return StickerView(model or None, image, sticker, Place(x, y, scale, turn), seed)


def sent(
    model: Annotated[str, Form(max_length=200)],
    image: Annotated[str, Form(max_length=200)],
    sticker: Annotated[str, Form(max_length=200)],
    x: Annotated[float, Form(ge=0, le=1)],
    y: Annotated[float, Form(ge=0, le=1)],
    scale: Annotated[float, Form(ge=LEAST, le=MOST)],
    turn: Annotated[float, Form(ge=-180, le=180)],
) -> StickerView:
    """The same from a form."""
    return StickerView(model, image, sticker, Place(x, y, scale, turn), 0)


StickerViewDep = Annotated[StickerView, Depends(asked)]
SentDep = Annotated[StickerView, Depends(sent)]
