"""The card of a kept unit, shown next to another unit, with its projection."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.errors import UnknownStep
from app.services.runs.arithmetic import checked_cell, checked_channel
from app.services.runs.run import Run, StepRecord
from app.services.runs.sheets import version
from app.web.core.links import View, projection_url, sheet_url
from app.web.core.templating import number
from app.web.core.url_view import encode
from app.web.parts.photo import PhotoOverlay, frame, photo
from app.web.parts.unit_names import label_of

METHOD = "guided"
"""The projection on the small card: the most readable of the four."""

_KEPT = re.compile(r"([^:]{1,60}):(\d{1,6})(?::(\d{1,5}):(\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class KeptUnit:
    """The card of a kept unit."""

    title: str  # step and channel
    url: str  # the page with that unit selected
    set: str  # what that link changes in the page's URL
    release: str  # URL of the page without the kept unit
    problem: str = ""  # why it cannot be shown here; "" if it can
    value: str = ""  # its activation on this picture, in words
    map: str = ""  # URL; "" for a single number
    frame: tuple[float, float, float, float] = (0, 0, 0, 0)
    """Of the map on the input: x, y, width, height."""
    photo: PhotoOverlay | None = None
    projection: str = ""  # URL; "" if there is none
    size: int = 0  # side of the network's input, pixels


async def kept_card(view: View, run: Run) -> KeptUnit | None:
    """The card of the unit that `view` keeps; None if it keeps none.

    If this network cannot show it, the card says so and the rest of the page works.
    """
    if not view.kept:
        return None
    match = _KEPT.fullmatch(view.kept)
    release = view.url(kept=None)
    if match is None:
        problem = "This link keeps a unit in view, but does not name it as step:channel."
        return KeptUnit("Nothing", release, "kept=", release, problem)
    step, channel = match[1], int(match[2])
    y, x = (int(match[3]), int(match[4])) if match[3] else (None, None)
    back = {"step": step, "channel": channel, "y": y, "x": x}
    at = view.at(**back)
    change = encode({**{k: "" if v is None else v for k, v in back.items()}, "zoom": ""})
    title = f"{step}, map {channel}"
    try:
        record = await run.record(step)
        cell = checked_cell(run, record, checked_channel(record, channel), y, x)
    except UnknownStep as error:
        return KeptUnit(title, release, "kept=", release, error.detail)
    return _card(view, run, record, channel, cell, y is not None, (at, change, release))


def _card(
    view: View,
    run: Run,
    record: StepRecord,
    channel: int,
    cell: tuple[int, int],
    pinned: bool,
    links: tuple[str, str, str],
) -> KeptUnit:
    step, where = record.step, run.model.geometry[record.step.name]
    value = run.tensor(step.name)[channel]
    name = label_of(run, step, channel) or f"{'map' if where.spatial else 'number'} {channel}"
    if not where.spatial:
        words = f"here {number(value.item())}"
    elif pinned:
        words = f"here {number(value[cell].item())} at row {cell[0]}, column {cell[1]}"
    else:
        words = f"peak here {number(value.max().item())}"
    asked = {"method": METHOD, "channel": channel, "v": version(run.model.row)}
    if pinned:
        asked |= {"y": cell[0], "x": cell[1]}
    projected = step.kind not in ("flatten", "softmax")
    return KeptUnit(
        f"{step.name}, {name}",
        *links,
        value=words,
        map=sheet_url(view, run.model, step.name, channels=str(channel)) if where.spatial else "",
        frame=frame(where) if where.spatial else (0, 0, 0, 0),
        photo=photo(view, run),
        projection=projection_url(view, step.name, asked) if projected else "",
        size=run.model.outline.input_size,
    )
