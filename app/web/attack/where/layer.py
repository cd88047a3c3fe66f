"""One layer under an attack: its channels in four columns, each with its small maps."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from app.pictures.sheets import SheetLayout, arrange, reduce, sheet
from app.services.runs.sheets import palette_of, version
from app.vision.attacks.columns import ChannelChange, ChannelColumn
from app.web.attack.where.contexts import ChannelGroup, Chip, ColumnView, LayerLink, WhereLayer
from app.web.attack.where.maps import maps_view
from app.web.attack.where.pair import LayerPair, change_words, ends, signed
from app.web.core.base_path import base
from app.web.core.templating import number
from app.web.core.url_view import encode
from app.web.parts.sprites import Legend, box

THUMB = 48
"""Pixels of a small map; larger ones are averaged down."""


def layer_view(layer: LayerPair) -> WhereLayer:
    """The context of a layer."""
    shown = layer.columns
    order = [one.channel for column in shown.all for one in column.all]
    layout = thumbs_layout(layer, len(order))
    name = palette_of(layer.clean.model.outline.step(layer.step), layer.clean.model.outline.logits)
    limit = number(layer.limit)
    low = "0" if name == "nonnegative" else f"−{limit}"
    query = encode(
        {"channels": ",".join(map(str, order)), "v": version(layer.pair.model.row)}, safe=","
    )
    return WhereLayer(
        _links(layer),
        layer.step,
        _sentence(layer),
        ""
        if layer.means is not None
        else f"python -m app calibrate --model {layer.pair.model.id} --data DIR",
        _column_views(layer, layout, order),
        f"{base()}/attack/where/thumbs.png?{layer.query(channel=None)}&{query}" if order else "",
        (layout.width, layout.height),
        Legend(name, low, limit, "The same for all maps of this layer, clean and attacked."),
        None if layer.channel is None else maps_view(layer, order),
        f"{base()}/attack/where/channels.csv?{layer.query(channel=None)}",
    )


def thumbs_layout(layer: LayerPair, count: int) -> SheetLayout:
    """The layout of the small maps: a row a channel, clean at the left, attacked at the right."""
    height, width = reduce(torch.empty(1, *layer.maps[0].shape[1:]), THUMB).shape[1:]
    return arrange(2 * count, height, width, 2)


def thumbs(layer: LayerPair, channels: Sequence[int]) -> bytes:
    """The small maps of some channels on the layer's scale, as PNG."""
    both = torch.stack([maps[list(channels)] for maps in layer.maps], 1).flatten(0, 1)
    return sheet(both, layer.limit, "signed", THUMB, 2).png


def _links(layer: LayerPair) -> tuple[LayerLink, ...]:
    return tuple(
        LayerLink(
            stage,
            step,
            layer.url(layer=step, channel=None),
            layer.part(layer=step, channel=None),
            step == layer.step,
        )
        for stage, step in ends(layer.pair).items()
    )


def _column_views(
    layer: LayerPair, layout: SheetLayout, order: list[int]
) -> tuple[ColumnView, ...]:
    labels = layer.pair.model.labels
    one, other = (labels[index].label for index in layer.classes)
    shown = layer.columns
    if layer.means is None:
        words = "The channels whose mean response changed most."
        return (_column(layer, "Changed most", words, shown.exploited, layout, order),)
    four = (
        (f"For {one}", f"Respond most to “{one}”, which it saw at first.", shown.original),
        ("For both", f"Respond most to “{one}” and to “{other}”.", shown.both),
        (f"For {other}", f"Respond most to “{other}”.", shown.target),
        ("Exploited", "For neither, and changed most by the attack.", shown.exploited),
    )
    return tuple(_column(layer, *one, layout, order) for one in four)


def _column(
    layer: LayerPair,
    title: str,
    words: str,
    column: ChannelColumn,
    layout: SheetLayout,
    order: list[int],
) -> ColumnView:
    def chip(one: ChannelChange, kind: str) -> Chip:
        place = 2 * order.index(one.channel)
        return Chip(
            one.channel,
            signed(one.change),
            change_words(one),
            kind,
            box(layout, place),
            box(layout, place + 1),
            layer.url(channel=one.channel),
            layer.part(channel=one.channel),
            one.channel == layer.channel,
        )

    groups = (
        ("Excited", "up", column.excited),
        ("Inhibited", "down", column.inhibited),
        ("Not changed", "still", column.unmoved),
    )
    return ColumnView(
        title,
        words,
        tuple(
            ChannelGroup(title, tuple(chip(one, kind) for one in channels))
            for title, kind, channels in groups
            if channels
        ),
    )


def _sentence(layer: LayerPair) -> str:
    """What the attack did to the channels of both classes."""
    labels, shown = layer.pair.model.labels, layer.columns
    one, other = (labels[index].label for index in layer.classes)
    if layer.means is None:
        up, down = len(shown.exploited.excited), len(shown.exploited.inhibited)
        whole = f"Of the {up + down} channels that changed most,"
        return f"{whole} {up} were excited and {down} inhibited."
    own, its = shown.original, shown.target
    text = (
        f"The attack turned down {len(own.inhibited)} of the {len(own.all)} channels that respond "
        f"most to “{one}”, and turned up {len(its.excited)} of the {len(its.all)} for “{other}”."
    )
    if layer.attacked.predictions(1)[0].index == layer.classes[0]:
        text += f" It still sees “{one}”: “{other}” is what {_other(layer)}."
    return text


def _other(layer: LayerPair) -> str:
    return "it should see" if layer.classes[1] == layer.pair.target else "comes next"
