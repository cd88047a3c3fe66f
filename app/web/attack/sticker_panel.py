"""The sticker panel (adversarial patch): what its URL says, its contexts and its sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from fastapi import Depends, Form, Query
from pydantic import Field
from torch import Tensor

from app.services.attacks.sticker_trial import PLACES, StickerAnswer, StickerPlace, StickerTrials
from app.services.attacks.stickers import Sticker, Stickers
from app.services.networks.catalogue import Model
from app.services.networks.weight_files import RefusedFile
from app.services.runs.run import Run
from app.vision.attacks.paste import diameter
from app.vision.predict import RankedClass
from app.web.attack.class_bars import ClassShareBar, class_bars
from app.web.attack.contexts import SettingSlider
from app.web.attack.view import IMAGE
from app.web.core.base_path import base
from app.web.core.links import View, input_url
from app.web.core.templating import percent
from app.web.core.url_view import Filled, Name, Seed, UrlView, Written
from app.web.panels.panel import AttackPanel
from app.web.parts.contexts import helped


@dataclass(frozen=True, slots=True)
class StickerChoice:
    """A sticker to choose."""

    index: int  # of its class
    label: str
    picture: str  # URL; round, on a transparent background
    checked: bool


@dataclass(frozen=True, slots=True)
class PastedPicture:
    """A picture with a sticker, and the prediction for it."""

    title: str
    picture: str  # URL, 8 bits
    bars: tuple[ClassShareBar, ...]  # the five likeliest classes, and the sticker's
    sentence: str
    reached: bool  # whether the predicted class is the sticker's


@dataclass(frozen=True, slots=True)
class StickerSeen:
    """The part of the panel that changes with every move."""

    view: StickerView
    own: PastedPicture
    control: PastedPicture  # with a sticker of random colours
    clean: str  # the prediction for the clean picture
    area: float  # share of the picture, 0..1
    verdict: str  # for screen readers
    fields: tuple[tuple[str, str], ...]  # of the form that stores the picture


@dataclass(frozen=True, slots=True)
class StickerPanel:
    """The whole panel."""

    seen: StickerSeen | None = helped("The results; None if there is no sticker.")
    network: str = helped("The network’s name.")
    model: str = helped("Its id.")
    image: str = helped("The picture’s id.")
    side: int = helped("Side of the network’s input, pixels.")
    choices: tuple[StickerChoice, ...] = helped("The available stickers.")
    sliders: tuple[SettingSlider, ...] = helped("Sliders of position, size and rotation.")
    about: str = helped("How the selected one was made and how often it works.")
    refused: tuple[RefusedFile, ...] = helped("Files that were made from other weights.")


@dataclass(frozen=True, slots=True)
class TriedPlace:
    """One tested place."""

    x: float  # 0..100
    y: float  # 0..100
    hit: bool  # whether the sticker's class was predicted there


@dataclass(frozen=True, slots=True)
class StickerPlaces:
    """A hundred random places."""

    view: StickerView
    label: str  # the sticker's class
    count: int
    hits: int  # where the sticker's class was predicted
    random: int  # the same for a sticker of random colours
    moved: int  # where the random one changed the prediction
    clean: str  # the prediction for the clean picture
    others: tuple[tuple[str, int], ...]  # other classes predicted with the sticker, and how often
    area: float  # share of the picture, 0..1
    dots: tuple[TriedPlace, ...]
    picture: str  # URL of the clean picture as the network gets it
    again: str  # URL of another hundred


@dataclass(frozen=True, slots=True)
class StickerKept:
    """A picture with a sticker that was stored as an upload of the user."""

    image: str  # its id
    explorer: str  # URL
    attack: str  # URL
    panels: tuple[tuple[AttackPanel, str], ...]  # with their URLs
    expires: str  # how long it is kept, in words


X, Y, SCALE, TURN = 0.26, 0.74, 0.43, 0.0
"""Default place: the lower left corner, away from the centre; it covers 14.5 %."""
LEAST, MOST = 0.1, 0.6
"""Diameters, as shares of the picture's side."""


def short(number: float) -> str:
    """A share or an angle as URLs and forms write it."""
    return f"{round(number, 3):g}"


SHORT = Written(short)


class StickerView(UrlView):
    """A network, a picture, a class’s sticker with its place; "" stands for the first sticker."""

    page: ClassVar[str] = "/attack/sticker"
    always: ClassVar[frozenset[str]] = frozenset({"image", "x", "y", "scale", "turn", "seed"})

    model: Annotated[Name | None, Filled] = None
    image: Name = IMAGE
    sticker: Name = ""
    x: Annotated[float, Field(ge=0, le=1), SHORT] = X
    y: Annotated[float, Field(ge=0, le=1), SHORT] = Y
    scale: Annotated[float, Field(ge=LEAST, le=MOST), SHORT] = SCALE
    turn: Annotated[float, Field(ge=-180, le=180), SHORT] = TURN
    seed: Seed = 0

    @property
    def place(self) -> StickerPlace:
        """Where the sticker is."""
        return StickerPlace(self.x, self.y, self.scale, self.turn)

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Network, picture, sticker and place as a form sends them."""
        names = ("model", self.model or ""), ("image", self.image), ("sticker", self.sticker)
        numbers = ((name, short(getattr(self, name))) for name in ("x", "y", "scale", "turn"))
        return (*names, *numbers)

    def of(self, model: str, sticker: int) -> StickerView:
        """The same with network and class replaced by their own names."""
        return self.changed(model=model, sticker=str(sticker))


def sent_sticker_view(
    model: Annotated[str, Form(max_length=200)],
    image: Annotated[str, Form(max_length=200)],
    sticker: Annotated[str, Form(max_length=200)],
    x: Annotated[float, Form(ge=0, le=1)],
    y: Annotated[float, Form(ge=0, le=1)],
    scale: Annotated[float, Form(ge=LEAST, le=MOST)],
    turn: Annotated[float, Form(ge=-180, le=180)],
) -> StickerView:
    """The same from a form."""
    return StickerView(model=model, image=image, sticker=sticker, x=x, y=y, scale=scale, turn=turn)


StickerViewDep = Annotated[StickerView, Query()]
SentDep = Annotated[StickerView, Depends(sent_sticker_view)]


STICKER = StickerView.page


def seen_context(
    view: StickerView, run: Run, sticker: Sticker, both: Sequence[StickerAnswer]
) -> StickerSeen:
    """The sticker and its control on the picture, with their predictions."""
    model, own, control = run.model, both[0], both[1]
    clean = run.predictions(1)[0]
    area = view.place.area(model.row.crop)
    return StickerSeen(
        view,
        _look(view, model, sticker, own, clean, "sticker"),
        _look(view, model, sticker, control, clean, "random"),
        _prediction_words(model, clean),
        area,
        f"With the {sticker.label} sticker on {percent(area)} of the picture: "
        f"{_prediction_words(model, own.ranked[0])}. With random colours: "
        f"{_prediction_words(model, control.ranked[0])}. "
        f"Without: {_prediction_words(model, clean)}.",
        view.fields,
    )


def _look(
    view: StickerView,
    model: Model,
    sticker: Sticker,
    seen: StickerAnswer,
    clean: RankedClass,
    which: str,
) -> PastedPicture:
    first = seen.ranked[0]
    reached = first.index == sticker.index
    label = model.labels[first.index].label
    if first.index == clean.index:
        sentence = f"Still {label}."
    else:
        sentence = f"Seen as {label}." if reached else f"Seen as {label}: not as its class."
    title = f"{sticker.label} sticker" if which == "sticker" else "Random colours, same size"
    was = None if clean.index == sticker.index else clean.index
    bars = class_bars(model.labels, seen.ranked, was, sticker.index)
    return PastedPicture(title, picture_url(view, which), bars, sentence, reached)


def _prediction_words(model: Model, one: RankedClass) -> str:
    return f"{model.labels[one.index].label} {percent(one.probability)}"


def picture_url(view: StickerView, which: str) -> str:
    """The URL of the picture with the sticker, pixel for pixel."""
    return f"{base()}{STICKER}.png?{view.query({'part': which})}"


def panel_context(
    view: StickerView,
    model: Model,
    stickers: Stickers,
    sticker: Sticker | None,
    seen: StickerSeen | None,
) -> StickerPanel:
    """The panel; if this network has no sticker, how to make one."""
    return StickerPanel(
        seen,
        model.row.title,
        model.id,
        view.image,
        model.row.crop,
        tuple(_choice(model, one, sticker) for one in stickers.stickers),
        _sliders(view.place),
        _about(sticker) if sticker else "",
        stickers.refused,
    )


def _choice(model: Model, one: Sticker, chosen: Sticker | None) -> StickerChoice:
    url = f"{base()}{STICKER}.png?part=alone&model={model.id}&sticker={one.index}"
    return StickerChoice(one.index, one.label, url, one is chosen)


def _sliders(place: StickerPlace) -> tuple[SettingSlider, ...]:
    return (
        SettingSlider("scale", "Size", "", short(place.scale), f"{MOST:g}",
               f"{LEAST:g}", "0.01"),
        SettingSlider("turn", "Turn", "", short(place.turn), "180", "-180", "1", "°"),
        SettingSlider("x", "Across", "", short(place.x), "1", "0", "0.01"),
        SettingSlider("y", "Down", "", short(place.y), "1", "0", "0.01"),
    )  # fmt: skip


def _about(sticker: Sticker) -> str:
    found, recipe = sticker.measured, sticker.recipe
    whose = "It ships with Layerscope." if sticker.shipped else "It was trained on this server."
    return (
        f"{whose} Trained for {recipe.steps:,} steps on {sticker.pictures:,} pictures, each "
        f"time at another place, size and turn (up to {recipe.turn:g}° either "
        f"way). On {found.tested:,} pictures it had not seen, covering "
        f"{percent(recipe.areas[1])} at a random place, it turned {percent(found.largest)} into "
        f"its class; a sticker of random colours {percent(found.random)}."
    )


def places_context(
    view: StickerView, run: Run, sticker: Sticker, parts: Sequence[StickerTrials]
) -> StickerPlaces:
    """The results at a hundred random places."""
    model, clean = run.model, run.predictions(1)[0]
    own = torch.cat([part.classes for part in parts])
    random = torch.cat([part.random for part in parts])
    hits = own == sticker.index
    seed = (view.seed + 1) % 2**53
    return StickerPlaces(
        view,
        sticker.label,
        PLACES,
        int(hits.sum()),
        int((random == sticker.index).sum()),
        int((random != clean.index).sum()),
        _prediction_words(model, clean),
        _others(model, own[~hits]),
        (view.place.scale / diameter(1.0)) ** 2,
        _dots(parts, hits),
        input_url(View(model=model.id, image=view.image), model),
        f"{base()}{STICKER}/places?{view.query(seed=seed)}",
    )


def _others(model: Model, classes: Tensor) -> tuple[tuple[str, int], ...]:
    counted = Counter(classes.tolist()).most_common(3)
    return tuple((model.labels[index].label, count) for index, count in counted)


def _dots(parts: Sequence[StickerTrials], hits: Tensor) -> tuple[TriedPlace, ...]:
    x, y = (torch.cat(numbers) * 100 for numbers in zip(*((p.x, p.y) for p in parts), strict=True))
    return tuple(
        TriedPlace(round(a, 1), round(b, 1), hit)
        for a, b, hit in zip(x.tolist(), y.tolist(), hits.tolist(), strict=True)
    )
