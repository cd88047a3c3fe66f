"""Makes surveys of networks as long jobs, shared by all requests, and caches them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

from app.errors import DataUnusable, NotWritten
from app.services.engine.engine import Engine
from app.services.networks.catalogue import Catalogue, Model
from app.services.networks.loading import weights_digest
from app.services.surveys.survey import Survey, SurveyProgress, read_survey, survey, write_survey

LINGER = 20.0
"""Seconds without requests after which a running survey is cancelled."""
MOST = 8
"""Most surveys cached in memory."""

_log = logging.getLogger(__name__)

Key = tuple[str, str]


def weights_id(model: Model) -> str:
    """SHA-256 of a network's weights file; for a network without a file, the digest of its row."""
    return weights_digest(model.entry) or model.row.sha256


class Surveys:
    """Surveys stored in `folder`; a missing one is made. Call it in the event loop's thread."""

    def __init__(
        self, engine: Engine, catalogue: Catalogue, folder: Path, linger: float = LINGER
    ) -> None:
        self.folder = folder
        self._engine, self._catalogue, self._linger = engine, catalogue, linger
        self._done: dict[Key, Survey] = {}
        self._running: dict[Key, _RunningSurvey] = {}

    async def get(
        self, id: str, patience: float = 0.0, *, crops: bool = False
    ) -> Survey | SurveyProgress:
        """Return the survey of a network, or its progress after at most `patience` seconds.

        With `crops`, a survey that has only the crops is enough. Raises `UnknownModel`,
        `WeightsMissing`, `Busy`, and the errors of the survey itself.
        """
        model = self._catalogue.model(id)
        network = await self._catalogue.network(id)
        key = (model.id, await asyncio.to_thread(weights_id, model))
        if key not in self._done and key not in self._running:
            await self._read(key)
        if finished := self._done.get(key):
            return finished
        job = self._running.get(key)
        if job is None:
            # Shared by all users: it does not count as anyone's long job.
            owner = f"survey {' '.join(key)}"
            items = self._engine.stream(owner, partial(survey, model, network, key[1]))
            job = self._running[key] = _RunningSurvey()
            job.task = asyncio.create_task(self._make(key, job, items))
        job.last_request = asyncio.get_running_loop().time()
        if patience and not (crops and job.progress.survey):
            job.waiting += 1
            try:
                await _either(job, crops, patience)
            finally:
                job.waiting -= 1
                job.last_request = asyncio.get_running_loop().time()
        if job.task.done() and not job.task.cancelled() and (error := job.task.exception()):
            raise error
        found = job.progress.survey if crops else None
        return self._done.get(key) or found or job.progress

    @property
    def busy(self) -> bool:
        """True if any survey is being made."""
        return bool(self._running)

    async def close(self) -> None:
        """Stop all running surveys."""
        tasks = [job.task for job in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, key: Key) -> None:
        try:
            found = await asyncio.to_thread(read_survey, self._path(key), key[1])
        except DataUnusable:
            return
        self._keep(key, found)

    async def _make(self, key: Key, job: _RunningSurvey, items: AsyncGenerator[object]) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with aclosing(items) as running:
                async for item in running:
                    if isinstance(item, Survey):
                        self._keep(key, item)
                        await asyncio.to_thread(self._write, key, item)
                    elif isinstance(item, SurveyProgress):
                        job.progress = item
                        if item.survey:
                            job.crops.set()
                    if not job.waiting and loop.time() - job.last_request > self._linger:
                        return
        finally:
            self._running.pop(key, None)

    def _write(self, key: Key, result: Survey) -> None:
        try:
            write_survey(self._path(key), result)
        except NotWritten as error:
            _log.warning("A survey was not kept: %s", error.detail)

    def _keep(self, key: Key, result: Survey) -> None:
        self._done[key] = result
        while len(self._done) > MOST:
            del self._done[next(iter(self._done))]

    def _path(self, key: Key) -> Path:
        return self.folder / f"{key[0]}.{key[1][:12]}.safetensors"


class _RunningSurvey:
    """A survey that is being made."""

    task: asyncio.Task[None]

    def __init__(self) -> None:
        self.progress = SurveyProgress(0, 0)
        self.crops = asyncio.Event()
        self.last_request = 0.0
        self.waiting = 0


async def _either(job: _RunningSurvey, crops: bool, patience: float) -> None:
    """Wait for the end, or with `crops` until the crops are known."""
    waiting: list[asyncio.Task[Any]] = [job.task]
    event = asyncio.create_task(job.crops.wait())
    try:
        wanted = [*waiting, event] if crops else waiting
        await asyncio.wait(wanted, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
    finally:
        event.cancel()
