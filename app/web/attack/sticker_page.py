"""The contexts of the sticker panel, from what the services found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor

from app.services.catalogue import Model
from app.services.run import Run
from app.services.stickers import Sticker, Stickers
from app.services.sticking import PLACES, Place, Seen, Tried
from app.vision.attacks.paste import diameter
from app.vision.predict import Ranked
from app.web.attack.contexts import Bar, Slider
from app.web.attack.sticker_contexts import (
    Dot,
    Look,
    StickerChoice,
    StickerPanel,
    StickerPlaces,
    StickerSeen,
)
from app.web.attack.sticker_view import LEAST, MOST, StickerView, short
from app.web.links import View, input_url
from app.web.templating import percent

STICKER = "/attack/sticker"


def seen_context(
    view: StickerView, run: Run, sticker: Sticker, both: Sequence[Seen]
) -> StickerSeen:
    """The sticker and its control on the picture, with their answers."""
    model, own, control = run.model, both[0], both[1]
    clean = run.predictions(1)[0]
    area = view.place.area(model.row.crop)
    return StickerSeen(
        view,
        _look(view, model, sticker, own, clean, "sticker"),
        _look(view, model, sticker, control, clean, "random"),
        _said(model, clean),
        area,
        f"With the {sticker.label} sticker on {percent(area)} of the picture: "
        f"{_said(model, own.ranked[0])}. With random colours: {_said(model, control.ranked[0])}. "
        f"Without: {_said(model, clean)}.",
        view.fields,
    )


def _look(
    view: StickerView, model: Model, sticker: Sticker, seen: Seen, clean: Ranked, which: str
) -> Look:
    first = seen.ranked[0]
    reached = first.index == sticker.index
    label = model.labels[first.index].label
    if first.index == clean.index:
        sentence = f"Still {label}."
    else:
        sentence = f"Taken for {label}." if reached else f"Taken for {label}: not for its class."
    title = f"{sticker.label} sticker" if which == "sticker" else "Random colours, same size"
    bars = tuple(_bar(model, one, clean.index, sticker.index) for one in seen.ranked)
    return Look(title, picture_url(view, which), bars, sentence, reached)


def _bar(model: Model, one: Ranked, was: int, goal: int) -> Bar:
    kind = "goal" if one.index == goal else "was" if one.index == was else "other"
    return Bar(one.index, model.labels[one.index].label, one.logit, one.probability, kind)


def _said(model: Model, one: Ranked) -> str:
    return f"{model.labels[one.index].label} {percent(one.probability)}"


def picture_url(view: StickerView, which: str) -> str:
    """The pasted picture, pixel for pixel."""
    return f"{STICKER}.png?{view.query(part=which)}"


def panel_context(
    view: StickerView,
    model: Model,
    found: Stickers,
    sticker: Sticker | None,
    seen: StickerSeen | None,
) -> StickerPanel:
    """The panel; without a sticker for this network it says how one is made."""
    return StickerPanel(
        seen,
        model.row.title,
        model.id,
        view.image,
        model.row.crop,
        tuple(_choice(model, one, sticker) for one in found.stickers),
        _sliders(view.place),
        _about(sticker) if sticker else "",
        found.refused,
    )


def _choice(model: Model, one: Sticker, chosen: Sticker | None) -> StickerChoice:
    url = f"{STICKER}.png?part=alone&model={model.id}&sticker={one.index}"
    return StickerChoice(one.index, one.label, url, one is chosen)


def _sliders(place: Place) -> tuple[Slider, ...]:
    return (
        Slider("scale", "Size", "", short(place.scale), f"{MOST:g}",
               f"{LEAST:g}", "0.01"),
        Slider("turn", "Turn", "", short(place.turn), "180", "-180", "1", "°"),
        Slider("x", "Across", "", short(place.x), "1", "0", "0.01"),
        Slider("y", "Down", "", short(place.y), "1", "0", "0.01"),
    )  # fmt: skip


def _about(sticker: Sticker) -> str:
    found, recipe = sticker.measured, sticker.recipe
    whose = "It ships with Layerscope." if sticker.shipped else "It was trained on this server."
    return (
        f"{whose} Trained for {recipe.steps:,} steps on {sticker.pictures:,} pictures, none of "
        f"them this one, each time at another place, size and turn (up to {recipe.turn:g}° either "
        f"way). On {found.tested:,} pictures it had not seen, covering {recipe.areas[1]:.0%} at a "
        f"random place, it turned {percent(found.largest)} into its class; a sticker of random "
        f"colours {percent(found.random)}."
    )


def places_context(
    view: StickerView, run: Run, sticker: Sticker, parts: Sequence[Tried]
) -> StickerPlaces:
    """What a hundred random places came to."""
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
        _said(model, clean),
        _others(model, own[~hits]),
        (view.place.scale / diameter(1.0)) ** 2,
        _dots(parts, hits),
        input_url(View(model.id, view.image), model),
        f"{STICKER}/places?{view.query(seed=seed)}",
    )


def _others(model: Model, classes: Tensor) -> tuple[tuple[str, int], ...]:
    counted = Counter(classes.tolist()).most_common(3)
    return tuple((model.labels[index].label, count) for index, count in counted)


def _dots(parts: Sequence[Tried], hits: Tensor) -> tuple[Dot, ...]:
    x, y = (torch.cat(numbers) * 100 for numbers in zip(*((p.x, p.y) for p in parts), strict=True))
    return tuple(
        Dot(round(a, 1), round(b, 1), hit)
        for a, b, hit in zip(x.tolist(), y.tolist(), hits.tolist(), strict=True)
    )
