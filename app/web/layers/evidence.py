"""The evidence for a layer: maps, synthesised pictures, crops, the receptive field."""

from __future__ import annotations

from urllib.parse import quote

from app.services.atlas.crop_sources import CropSource, convolution
from app.services.atlas.shares import ClassMeans, Kind, PreferenceShare
from app.services.networks.catalogue import Model
from app.services.runs.run import Run, StepRecord
from app.services.synthesis.shipped import shipped
from app.vision.contributions import strongest_cell
from app.vision.geometry import Box, Geometry
from app.vision.selectivity import COLOURED, OF_A_CLASS, ORIENTED, RESPONDS
from app.web.core.base_path import base
from app.web.core.links import API, View, sheet_url
from app.web.layers.contexts import MapEvidence, ReceptiveFieldView, ShareBar
from app.web.panels.crops.panel import CropView, crop_views

COLUMNS, CROPS = 6, 4
EDGE = 1
"""Margin of the drawing, pixels, so that a frame on its edge is fully visible."""
MAP = 112
"""Side of a map, pixels; larger ones are averaged down."""

TITLES: dict[Kind, str] = {
    "colour": "prefer colour", "orientation": "prefer one direction", "class": "prefer one class",
}  # fmt: skip


def columns(
    view: View, run: Run, record: StepRecord, source: CropSource | None, mine: frozenset[str]
) -> tuple[MapEvidence, ...]:
    """The maps with the highest peak on the picture, and the evidence for each. Blocks."""
    step = record.step.name
    order = record.statistics.strongest(COLUMNS)
    peaks = record.statistics.peaks[order].tolist()
    return tuple(
        MapEvidence(
            channel,
            View(model=view.model, image=view.image, step=step, channel=channel).url(),
            value,
            sheet_url(view, run.model, step, channels=str(channel), size=MAP),
            synthesised(run.model, step, channel),
            _crops(run, source, step, channel, mine),
        )
        for channel, value in zip(order, peaks, strict=True)
    )


def _crops(
    run: Run, source: CropSource | None, step: str, channel: int, mine: frozenset[str]
) -> tuple[CropView, ...]:
    at = convolution(run.model, step, channel)
    return crop_views(run, source, at, mine, CROPS) if source and at else ()


def synthesised(model: Model, step: str, channel: int) -> str:
    """URL of the synthesised picture of a map; empty if its step has none."""
    at = convolution(model, step, channel)
    if at is None or shipped(model, at[0]) is None:
        return ""
    step = f"{base()}{API}/models/{quote(model.id)}/steps/{quote(at[0])}"
    return f"{step}/channels/{at[1]}/synthesised.png"


def fields(run: Run, record: StepRecord, ends: dict[int, str]) -> tuple[ReceptiveFieldView, ...]:
    """The receptive field of a cell of each layer, around the peak of the strongest map."""
    geometry = run.model.geometry
    where = geometry[record.step.name]
    channel = record.statistics.strongest(1)[0]
    y, x = strongest_cell(run.maps(record.step.name, [channel])[0])
    middle = _middle(where, y, x)
    found = [
        ReceptiveFieldView(
            n, _around(middle, geometry[name].receptive_field), name == record.step.name
        )
        for n, name in ends.items()
    ]
    # The field of the current layer is drawn last, on top.
    return tuple(sorted(found, key=lambda one: (one.here, -one.layer)))


def scene(fields: tuple[ReceptiveFieldView, ...], side: int) -> str:
    """The picture and the receptive field beyond its edge, as a square viewBox."""
    box = next(one.box for one in fields if one.here)
    left, top = min(0, box.left), min(0, box.top)
    right, bottom = max(side, box.right), max(side, box.bottom)
    span = max(right - left, bottom - top)
    return f"{left - EDGE} {top - EDGE} {span + 2 * EDGE} {span + 2 * EDGE}"


def sees(model: Model, step: str) -> str:
    """The size of a receptive field in words."""
    field, side = model.geometry[step].receptive_field, model.outline.input_size
    if field >= side:
        return (
            f"One cell of this layer sees {field}×{field} pixels, and the picture has "
            f"{side}×{side}: what lies beyond its edge is zeros."
        )
    share = 100 * field**2 / side**2
    return (
        f"One cell of this layer sees {field}×{field} of the {side}×{side} pixels, {share:.2g} %."
    )


def bars(shares: tuple[PreferenceShare, ...]) -> tuple[ShareBar, ...]:
    """The bars of the measured shares."""
    return tuple(
        ShareBar(
            TITLES[one.kind],
            one.share,
            "not measured" if one.count is None else f"{one.count} of {one.total}",
        )
        for one in shares
    )


def how(
    model: Model, shares: tuple[PreferenceShare, ...], means: ClassMeans | None, pictures: int
) -> list[str]:
    """How the shares were measured, with their thresholds."""
    colour, orientation, _ = shares
    last = (
        "Class: not measured. This needs pictures sorted by class: "
        f"python -m app atlas build --model {model.id} --images <folder of classes>."
        if means is None
        else f"Class: the mean for the best class, less that for the others, over their sum ("
        f"{means.words}); at least {OF_A_CLASS}: three times as much for its class. After Morcos "
        f"and others 2018. The best of {len(means.labels)} classes is picked, so a map that likes "
        "a few alike counts, too; one for orange may prefer oranges. To prefer is not to detect."
    )
    return [
        f"Colour: how much of a map’s response is lost when the picture is grey, over the nine "
        f"of {pictures} built-in pictures that it responds to most; at least {COLOURED}. Median "
        f"{colour.median:.2f}. After Rafegas and Vanrell 2018. Drawings are more colourful than "
        "photos: with other pictures it may be less.",
        f"Direction: gratings of 12 angles, 5 widths and 4 places; (best − a quarter turn from it) "
        f"/ (their sum), at least {ORIENTED}: three times as much. After Niell and Stryker 2008. A "
        f"map whose best grating gives less than {RESPONDS:.0%} of its best picture does not "
        f"count. Median of 1 − circular variance: {orientation.median:.2f}.".replace("%", " %"),
        last,
    ]


def _middle(where: Geometry, y: int, x: int) -> tuple[float, float]:
    return tuple(  # type: ignore[return-value]
        axis.start + axis.jump * cell + axis.size / 2
        for axis, cell in ((where.columns, x), (where.rows, y))
    )


def _around(middle: tuple[float, float], side: int) -> Box:
    left, top = (round(centre - side / 2) for centre in middle)
    return Box(left, top, left + side, top + side)
