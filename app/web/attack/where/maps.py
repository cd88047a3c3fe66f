"""One channel under an attack: its map for both pictures, and their difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from app.pictures.figures import CaptionedFigure, coloured, figures_png
from app.pictures.sheets import arrange, sheet
from app.services.runs.sheets import version
from app.vision.attacks.columns import ChannelChange
from app.web.attack.where.contexts import ChannelMap, MapsView
from app.web.attack.where.pair import LayerPair, change_words
from app.web.core.base_path import base
from app.web.core.links import View
from app.web.core.templating import number
from app.web.parts.sprites import Legend, box


def three(layer: LayerPair, channel: int) -> tuple[tuple[Tensor, Tensor, Tensor], float, float]:
    """Clean map, attacked map and attacked minus clean, [H,W], with the limits of their scales.

    The first two share one scale.
    """
    clean, attacked = (maps[channel] for maps in layer.maps)
    limit = max(float(clean.abs().max()), float(attacked.abs().max()))
    change = attacked - clean
    return (clean, attacked, change), limit, float(change.abs().max())


def maps_png(layer: LayerPair, channel: int) -> bytes:
    """The three maps of a channel side by side, cell for cell."""
    maps, limit, most = three(layer, channel)
    return sheet(torch.stack(maps), torch.tensor([limit, limit, most]), "signed", columns=3).png


def figure_png(layer: LayerPair, channel: int) -> bytes:
    """The three maps of a channel with their captions, as a picture for download."""
    view = maps_view(replace(layer, view=layer.view.changed(channel=channel)), [])
    maps, limit, most = three(layer, channel)
    figures = [
        CaptionedFigure(
            coloured(one, end), f"{shown.title}: {shown.span}. Colours end at {number(end)}."
        )
        for one, shown, end in zip(maps, view.maps, (limit, limit, most), strict=True)
    ]
    return figures_png(
        view.title, figures, [view.told, "Warm is above zero, cool below, dark is 0."]
    )


def maps_view(layer: LayerPair, order: Sequence[int]) -> MapsView:
    """The selected channel; `order` is that of the columns."""
    channel = layer.channel or 0
    maps, limit, most = three(layer, channel)
    height, width = maps[0].shape
    layout = arrange(3, height, width, 3)
    v = version(layer.pair.model.row)
    moved = ChannelChange(channel, float(maps[0].double().mean()), float(maps[1].double().mean()))
    sources = (layer.pair.before, layer.pair.after, "")
    titles = ("Clean", "Attacked", "Attacked − clean")
    return MapsView(
        f"Map {channel} of {layer.step}",
        change_words(moved),
        f"{base()}/attack/where/maps.png?{layer.query(channel=channel)}&v={v}",
        (layout.width, layout.height),
        tuple(
            _map_view(layer, channel, title, one, box(layout, i), most if i == 2 else limit, source)
            for i, (title, one, source) in enumerate(zip(titles, maps, sources, strict=True))
        ),
        _beside(layer, order, -1),
        _beside(layer, order, 1),
        f"{base()}/attack/where/maps.png?{layer.query(channel=channel)}&save=1",
    )


def _map_view(
    layer: LayerPair,
    channel: int,
    title: str,
    values: Tensor,
    place: str,
    limit: float,
    source: str,
) -> ChannelMap:
    signed = not source or float(values.min()) < 0
    end = number(limit)
    legend = Legend("signed" if signed else "nonnegative", f"−{end}" if signed else "0", end, "")
    view = View(model=layer.pair.model.id, image=source, step=layer.step, channel=channel)
    span = f"{number(float(values.min()))} to {number(float(values.max()))}"
    return ChannelMap(title, place, span, legend, view.url() if source else "")


def _beside(layer: LayerPair, order: Sequence[int], by: int) -> tuple[str, str] | None:
    """URL and part of the previous or next channel; if the channel is in no column, the first."""
    place = order.index(layer.channel) + by if layer.channel in order else 0
    if not order or not 0 <= place < len(order) or order[place] == layer.channel:
        return None
    return layer.url(channel=order[place]), layer.part(channel=order[place])
