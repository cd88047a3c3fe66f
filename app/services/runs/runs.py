"""Starts, shares, caches and stops runs: forward passes of one picture through one network."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

from app.errors import Cancelled
from app.pictures.preprocess import Fitted, fit, normalise
from app.services.engine.engine import Engine
from app.services.networks.catalogue import Catalogue, Model
from app.services.pictures.store import Pictures
from app.services.runs.run import Key, Run, preprocess


class Runs:
    """Starts, shares and stops runs; caches finished ones within `budget` bytes.

    A run without listeners is stopped after `linger` seconds: long enough for a browser to load the
    page and open the stream. `on_finished` is called with each finished run.
    """

    def __init__(
        self,
        engine: Engine,
        catalogue: Catalogue,
        pictures: Pictures,
        budget: int,
        linger: float = 0.5,
        on_finished: Callable[[Run], None] | None = None,
    ) -> None:
        self.linger = linger
        self._on_finished = on_finished
        self._engine = engine
        self._catalogue = catalogue
        self._pictures = pictures
        self._budget = budget
        self._runs: OrderedDict[Key, Run] = OrderedDict()

    @asynccontextmanager
    async def listen(self, model: str, image: str) -> AsyncIterator[Run]:
        """Context with a prepared run, which is not stopped while inside.

        Raises `UnknownModel`, `UnknownPicture`, `WeightsMissing`, `Busy`.
        """
        run = self._find(self._catalogue.model(model), image)
        run.listeners += 1
        try:
            # A cached run may outlive its picture and must not be shown then. Checked before
            # `using`, which keeps even an expired picture.
            await asyncio.to_thread(self._pictures.require, image)
            with self._pictures.using(image):
                await run.prepared()
                yield run
        finally:
            run.listeners -= 1
            self._left(run)

    def forget(self, image: str) -> None:
        """Drop all runs of a deleted picture."""
        for run in self.all():
            if run.image == image:
                self._drop(run)
                self._cancel(run)

    def all(self) -> list[Run]:
        """Every running or cached run, the least recently used first."""
        return list(self._runs.values())

    @property
    def bytes(self) -> int:
        """Memory used by the outputs of all runs."""
        return sum(run.bytes for run in self._runs.values())

    def stop(self) -> None:
        """Stop every unfinished run; its listeners get `Cancelled`."""
        for run in self.all():
            self._cancel(run)

    def _find(self, model: Model, image: str) -> Run:
        key = (model.id, image, model.row.sha256)
        if key in self._runs:
            self._runs.move_to_end(key)
            return self._runs[key]
        run = self._runs[key] = Run(model, image)
        run.task = asyncio.create_task(self._drive(run))
        return run

    async def _drive(self, run: Run) -> None:
        try:
            network = await self._catalogue.network(run.model.id)
            fitted = await asyncio.to_thread(self._fit, run)
            picture = normalise(fitted.pixels, preprocess(run.model))
            results = self._engine.forward(network, picture)
            run.prepare(fitted, network)
            async with aclosing(results) as steps:
                async for result in steps:
                    run.append(result)
            run.end()
            if self._on_finished:
                self._on_finished(run)
            self._shrink()
        except asyncio.CancelledError:
            self._drop(run)
            run.end(_stopped())
            raise
        except Exception as error:
            # Raised in the request of every listener.
            self._drop(run)
            run.end(error)

    def _fit(self, run: Run) -> Fitted:
        return fit(self._pictures.open(run.image), preprocess(run.model))

    def _left(self, run: Run) -> None:
        if run.listeners == 0 and run.finished:
            self._shrink()
        elif run.listeners == 0:
            asyncio.get_running_loop().call_later(self.linger, self._stop_if_alone, run)

    def _stop_if_alone(self, run: Run) -> None:
        if run.listeners == 0 and not run.finished:
            self._drop(run)
            self._cancel(run)

    def _cancel(self, run: Run) -> None:
        if run.task and not run.task.done():
            run.task.cancel()
            # A task cancelled before it started never runs its `except`.
            run.end(_stopped())

    def _drop(self, run: Run) -> None:
        if self._runs.get(run.key) is run:
            del self._runs[run.key]

    def _shrink(self) -> None:
        total = self.bytes
        # The newest stays, however large: a page requests its sheets one by one.
        for run in self.all()[:-1]:
            if total <= self._budget:
                return
            if run.finished and run.listeners == 0:
                total -= run.bytes
                self._drop(run)


def _stopped() -> Cancelled:
    return Cancelled("This run was stopped. Please choose the picture again.")
