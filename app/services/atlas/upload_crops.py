"""The strongest crops of uploaded pictures, stored only if the operator shares them.

They come from runs that were computed anyway; nothing more is computed and nothing is written to
disk. When a picture is deleted, its crops are deleted too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from app.pictures.samples import sample
from app.services.networks.catalogue import Model
from app.services.runs.peaks import KEEP, PeakEntry, Peaks, peaks_of_run, strongest
from app.services.runs.run import Run

BUDGET = 128_000_000
"""Bytes: a picture takes 8 kB in `mini`, 34 kB in VGG16. The oldest are dropped first."""

_log = logging.getLogger(__name__)

Key = tuple[str, str]


class UploadCrops:
    """Peaks of uploaded pictures, by network; a picture has a number that is never reused.

    `exists` says whether a picture has not been deleted; others are never returned. Use it in the
    event loop only, which deletes pictures too: a run that just ended brings none of them back.
    """

    def __init__(self, exists: Callable[[str], bool], budget: int = BUDGET) -> None:
        self._exists, self._budget = exists, budget
        self._images: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self._peaks: dict[tuple[Key, int], Peaks] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._last = 0
        self.bytes = 0

    def add_run(self, run: Run) -> None:
        """Collect the peaks of a run that has just finished, unless it is of a sample."""
        if sample(run.image) is None:
            task = asyncio.create_task(self._take(run))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Wait until all runs added so far have been processed."""
        if waited := set(self._tasks):
            await asyncio.wait(waited)

    def forget(self, image: str) -> None:
        """Drop everything about a deleted picture."""
        number = self._numbers.pop(image, None)
        if number is not None:
            del self._images[number]
            for key in [key for key in self._peaks if key[1] == number]:
                self._drop(key)

    def count(self, model: Model) -> int:
        """Number of pictures for a network."""
        return len(self._of(model))

    def best(self, model: Model, step: str, channel: int, keep: int = KEEP) -> list[PeakEntry]:
        """The existing pictures in which a channel has its highest peaks."""
        known = self._of(model)
        order = strongest(known, step, channel, len(known))
        best: list[PeakEntry] = []
        for entry in order:
            if len(best) < keep and self.image(entry.number):
                best.append(entry)
        return best

    def image(self, number: int) -> str | None:
        """The id of the picture of a number; None if it has been deleted."""
        image = self._images.get(number)
        if image is not None and not self._exists(image):
            self.forget(image)
            return None
        return image

    async def _take(self, run: Run) -> None:
        key = _key(run.model)
        if (key, self._numbers.get(run.image, 0)) in self._peaks:
            return
        found = await asyncio.to_thread(peaks_of_run, run)
        # Checked last, without an await before `_put`: it may have been deleted meanwhile.
        if not self._exists(run.image):
            return
        self._put(key, run.image, found)

    def _put(self, key: Key, image: str, found: Peaks) -> None:
        if image not in self._numbers:
            self._last += 1
            self._numbers[image] = self._last
            self._images[self._last] = image
        self._drop((key, self._numbers[image]))
        self._peaks[key, self._numbers[image]] = found
        self.bytes += found.bytes
        while self.bytes > self._budget and len(self._peaks) > 1:
            self._drop(next(iter(self._peaks)))

    def _drop(self, key: tuple[Key, int]) -> None:
        if dropped := self._peaks.pop(key, None):
            self.bytes -= dropped.bytes

    def _of(self, model: Model) -> dict[int, Peaks]:
        own = _key(model)
        return {number: peaks for (key, number), peaks in self._peaks.items() if key == own}


def _key(model: Model) -> Key:
    return model.id, model.row.sha256
