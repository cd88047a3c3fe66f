"""The query that panels and the API share: a unit of a run, and the queried class."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from fastapi import Depends, Query

from app.errors import NoClassifier
from app.services.interventions.ablation import require_classes
from app.services.networks.class_names import find_class
from app.services.runs.arithmetic import checked_cell, checked_channel
from app.services.runs.run import Run, StepRecord
from app.web.core.links import View
from app.web.core.state import Services, ServicesDep
from app.web.core.url_view import Index, UrlView, encode
from app.web.parts.unit_names import label_of


class StepUnit(UrlView):
    """A unit of a run as a panel's URL names it; without a channel it is the step's strongest."""

    safe: ClassVar[str] = ","

    model: str
    image: str
    step: str
    channel: Index | None = None
    y: Index | None = None
    x: Index | None = None

    @property
    def view(self) -> View:
        """The page with it, not looked up yet."""
        fields = StepUnit.model_fields
        return View(**{name: getattr(self, name) for name in fields})


class ChannelUnit(StepUnit):
    """The same where the channel has to be named."""

    channel: Index


def unit_view(unit: Annotated[ChannelUnit, Query()]) -> View:
    """The view of a query, not looked up yet."""
    return unit.view


UnitViewDep = Annotated[View, Depends(unit_view)]

CLASS = Query(
    alias="class",
    max_length=200,
    description="Index or name of a class; by default the predicted one.",
    examples=["espresso"],
)
ClassName = Annotated[str, CLASS]


class ClassUnit(StepUnit):
    """A unit, and the class that the panel is about: its index or its name."""

    name: ClassName = ""


@dataclass(frozen=True, slots=True)
class UnitQuery:
    """A validated unit of a finished run, which is kept in memory meanwhile.

    `cell` is None if none is named: then the mean of the map is meant. `index` is the queried
    class, None if the network has no classes; `chosen` says that the request named it.
    """

    view: View
    run: Run
    record: StepRecord
    channel: int
    cell: tuple[int, int] | None
    index: int | None
    chosen: bool = False

    @property
    def names(self) -> dict[str, Any]:
        """The unit as fields of a query or of a form."""
        return self._named.changed(name="").parameters

    @property
    def class_field(self) -> dict[str, Any]:
        """The class as a query field, if the request named one."""
        return {"class": self.index} if self.chosen else {}

    @property
    def _named(self) -> ClassUnit:
        view, (y, x) = self.view, self.cell or (None, None)
        named = ClassUnit(
            model=view.model, image=view.image, step=view.step or "", channel=self.channel, y=y, x=x
        )
        return named.changed(name=self.index) if self.chosen else named

    def query(self, **more: Any) -> str:
        """A query string: the unit, and those of `more` that are not empty."""
        given = {k: v for k, v in more.items() if v not in ("", None)}
        return self._named.query(given)

    def address(self, **state: Any) -> str:
        """The state of a panel for the page's URL; empty values are removed there."""
        return encode({**state, **self.class_field}, safe=",")

    @property
    def title(self) -> str:
        """The unit in words."""
        name, label = self.record.step.name, label_of(self.run, self.record.step, self.channel)
        if label:
            return label
        if not self.run.spatial(name):
            return f"{name}, number {self.channel}"
        where = f", row {self.cell[0]}, column {self.cell[1]}" if self.cell else ""
        return f"{name}, map {self.channel}{where}"


@asynccontextmanager
async def open_unit_query(
    services: Services, view: View, name: str = ""
) -> AsyncIterator[UnitQuery]:
    """Wait for the run and validate the unit; without a channel it is the step's strongest.

    Raises `UnknownModel`, `UnknownPicture`, `UnknownStep`, `BadRequest`, `NoClassifier`.
    """
    async with services.runs.listen(view.model, view.image) as run:
        record = await run.record(view.step or "")
        await run.finish()
        channel = view.channel
        channel = record.statistics.strongest(1)[0] if channel is None else channel
        found = checked_cell(run, record, checked_channel(record, channel), view.y, view.x)
        named = view.y is not None and view.x is not None and run.spatial(record.step.name)
        index = queried_class(run, record, channel, name)
        yield UnitQuery(view, run, record, channel, found if named else None, index, bool(name))


def queried_class(run: Run, record: StepRecord, channel: int, name: str) -> int | None:
    """The class of that name, else the unit itself if it is a class, else the predicted one.

    None if the network has no classes. Raises `BadRequest`, `NoClassifier`.
    """
    labels = run.model.labels
    if name:
        require_classes(run.model)
        return find_class(labels, name)
    if not labels:
        return None
    return channel if label_of(run, record.step, channel) else run.predictions(1)[0].index


def required(index: int | None, run: Run) -> int:
    """The index of the class. Raises `NoClassifier` if there is none."""
    require_classes(run.model)
    if index is None:
        raise NoClassifier("This network has no classes.")
    return index


async def unit_query(
    services: ServicesDep,
    unit: Annotated[ClassUnit, Query()],
) -> AsyncIterator[UnitQuery]:
    """The unit that a panel is about."""
    async with open_unit_query(services, unit.view, unit.name) as found:
        yield found


UnitQueryDep = Annotated[UnitQuery, Depends(unit_query)]
