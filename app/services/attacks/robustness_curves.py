"""Robustness to natural changes: does the prediction hold when a photo is rotated or relit?"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from app.pictures.photo_changes import PhotoChange, ScaledPhoto, transform_photo
from app.services.engine.engine import Engine
from app.services.networks.catalogue import Model
from app.services.runs.batch_inference import Batches, run_chart_job
from app.vision.predict import RankedClass, top
from models.graph import Network


@dataclass(frozen=True, slots=True)
class ChangeSlider:
    """One transformation of a photo, from `least` to `most` in steps of `step`.

    `plain` is the value without change. The chart has a point every `coarse`, a multiple of `step`.
    """

    id: str
    title: str
    unit: str
    least: float
    most: float
    step: float
    coarse: float
    plain: float

    def at(self, value: float) -> PhotoChange:
        """The change by this slider only."""
        return replace(PhotoChange(), **{self.id: value})  # type: ignore[arg-type]

    def values(self) -> list[float]:
        """The chart's points, from one end to the other."""
        count = round((self.most - self.least) / self.coarse)
        return [self.least + i * self.coarse for i in range(count + 1)]


SLIDERS = (
    ChangeSlider("turn", "Turn", "°", -180, 180, 1, 15, 0),
    ChangeSlider("zoom", "Zoom in", " %", 100, 400, 5, 25, 100),
    ChangeSlider("brightness", "Brightness", " %", 0, 300, 5, 25, 100),
    ChangeSlider("contrast", "Contrast", " %", 0, 300, 5, 25, 100),
    ChangeSlider("colour", "Colour", " %", 0, 100, 5, 10, 100),
)


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The photo at one value: the most likely class, and the probability of the original one."""

    value: float
    first: RankedClass
    share: float


@dataclass(frozen=True, slots=True)
class RobustnessCurve:
    """One slider over its whole range, without any other change.

    `borders` are the values nearest to the plain one, below and above it, at which the most likely
    class changes, in steps of the slider.
    """

    slider: ChangeSlider
    points: tuple[CurvePoint, ...]
    borders: tuple[CurvePoint, ...]


@dataclass(frozen=True, slots=True)
class RobustnessCurves:
    """The prediction for the unchanged photo, and a curve for every slider."""

    plain: RankedClass
    curves: tuple[RobustnessCurve, ...]
    flipped: CurvePoint


async def curves(
    engine: Engine,
    owner: str,
    model: Model,
    network: Network,
    photo: ScaledPhoto,
    mirrored: bool,
) -> RobustnessCurves:
    """Compute every slider's curve over its range. Raises `Busy`."""
    request = _CurvesRequest(Batches(model, network), photo, mirrored)
    items = await run_chart_job(engine, owner, request.work)
    return next(one for one in items if isinstance(one, RobustnessCurves))


class _CurvesRequest:
    """The work of `curves` in the compute thread; it also yields the logits of each pass."""

    def __init__(self, batches: Batches, photo: ScaledPhoto, mirrored: bool) -> None:
        self._batches = batches
        self._photo = photo
        self._mirrored = mirrored

    def work(self) -> Iterator[RobustnessCurves | Tensor]:
        rest, mirror = yield from self._ask([PhotoChange(), PhotoChange(flip=True)])
        first = top(rest, 1)[0]
        found = []
        for slider in SLIDERS:
            points = yield from self._points(slider, slider.values(), first.index)
            borders = []
            for side in (-1, 1):
                if suspects := _suspects(slider, points, first.index, side):
                    nearer = yield from self._points(slider, suspects, first.index)
                    changes = (one for one in nearer if one.first.index != first.index)
                    borders.append(next(changes))
            found.append(RobustnessCurve(slider, tuple(points), tuple(borders)))
        yield RobustnessCurves(first, tuple(found), _point(1.0, mirror, first.index))

    def _points(
        self, slider: ChangeSlider, values: Sequence[float], index: int
    ) -> Generator[Tensor, None, list[CurvePoint]]:
        rows = yield from self._ask([slider.at(value) for value in values])
        return [_point(value, row, index) for value, row in zip(values, rows, strict=True)]

    def _ask(self, changes: Sequence[PhotoChange]) -> Generator[Tensor, None, list[Tensor]]:
        """Logits [K] of the photo under each change."""
        edge = [replace(change, mirrored=self._mirrored) for change in changes]
        pictures = [transform_photo(self._photo, change) for change in edge]
        rows: list[Tensor] = []
        for batch in self._batches.logits(pictures):
            rows += batch.unbind()
            yield batch
        return rows


def _point(value: float, logits: Tensor, index: int) -> CurvePoint:
    return CurvePoint(value, top(logits, 1)[0], logits.softmax(0)[index].item())


def _suspects(
    slider: ChangeSlider, points: Sequence[CurvePoint], index: int, side: int
) -> list[float]:
    """The values between which the class first changes on one side of `plain`, nearest first.

    The last is the point of the chart at which it has changed; [] if it never changes.
    """
    outwards = [one for one in points if (one.value - slider.plain) * side > 0]
    outwards.sort(key=lambda one: abs(one.value - slider.plain))
    for one in outwards:
        if one.first.index != index:
            count = round(slider.coarse / slider.step)
            return [one.value - side * slider.step * i for i in reversed(range(count))]
    return []
