"""The crops of pictures that people brought: kept only where the operator wants them shared.

Runs that were computed anyway are looked at; nothing is computed for it, and nothing is written to
the disk. With a picture everything that was kept of it goes.
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
"""Bytes: a picture takes 8 kB in `mini`, 34 kB in VGG16. The oldest go first."""

_log = logging.getLogger(__name__)

Key = tuple[str, str]


class UploadCrops:
    """Peaks of uploaded pictures, by network; a picture has a number that is never used again.

    `here` says whether a picture still is: nothing of another is ever told. Used in the event
    loop, which deletes pictures too: what is deleted cannot come back from a run that just ended.
    """

    def __init__(self, here: Callable[[str], bool], budget: int = BUDGET) -> None:
        self._here, self._budget = here, budget
        self._images: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self._peaks: dict[tuple[Key, int], Peaks] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._last = 0
        self.bytes = 0

    def heed(self, run: Run) -> None:
        """Look at a run that has just finished; samples are everybody's already."""
        if sample(run.image) is None:
            task = asyncio.create_task(self._take(run))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Wait until every run that was heeded up to now has been taken in."""
        if waited := set(self._tasks):
            await asyncio.wait(waited)

    def forget(self, image: str) -> None:
        """Drop everything of a picture that was deleted."""
        number = self._numbers.pop(image, None)
        if number is not None:
            del self._images[number]
            for key in [key for key in self._peaks if key[1] == number]:
                self._drop(key)

    def count(self, model: Model) -> int:
        """How many pictures there are for a network."""
        return len(self._of(model))

    def best(self, model: Model, step: str, channel: int, keep: int = KEEP) -> list[PeakEntry]:
        """The pictures that are still here in which a channel peaks highest."""
        known = self._of(model)
        order = strongest(known, step, channel, len(known))
        found: list[PeakEntry] = []
        for won in order:
            if len(found) < keep and self.image(won.number):
                found.append(won)
        return found

    def image(self, number: int) -> str | None:
        """The picture of a number; None where it is no longer here."""
        image = self._images.get(number)
        if image is not None and not self._here(image):
            self.forget(image)
            return None
        return image

    async def _take(self, run: Run) -> None:
        key = _key(run.model)
        if (key, self._numbers.get(run.image, 0)) in self._peaks:
            return
        found = await asyncio.to_thread(peaks_of_run, run)
        # Asked last, and nothing is waited for in between: it may have been deleted meanwhile.
        if not self._here(run.image):
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
        wanted = _key(model)
        return {number: peaks for (key, number), peaks in self._peaks.items() if key == wanted}


def _key(model: Model) -> Key:
    return model.id, model.row.sha256
