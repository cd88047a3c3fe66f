"""Background downloads: one at a time, in a thread, trying source after source; pages poll them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from app.errors import Busy, Cancelled, DownloadFailed
from app.services.networks.fetch import Received

Attempt = Callable[[threading.Event], Iterator[Received]]
State = Literal["none", "running", "done", "failed", "cancelled"]

PATIENCE = 2.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DownloadStatus:
    """State and progress of a download; `problem` is a sentence if it failed."""

    state: State = "none"
    received: Received | None = None
    problem: str = ""


@dataclass(eq=False)
class _Download:
    """One download; its thread starts when the previous download's thread has ended."""

    key: str
    attempts: Sequence[Attempt]
    before: threading.Thread | None
    stop: threading.Event = field(default_factory=threading.Event)
    status: DownloadStatus = DownloadStatus("running")


class Downloads:
    """Runs at most one download at a time. Thread-safe; only `close` waits, for 2 s at most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, _Download] = {}
        self._thread: threading.Thread | None = None
        self._closed = False

    def start(self, key: str, attempts: Sequence[Attempt]) -> None:
        """Start a download: the first of `attempts`, then the others if it fails.

        Does nothing if `key` is running already. Raises `Busy` if another key is running, and
        `Cancelled` after `close`.
        """
        with self._lock:
            if self._closed:
                raise Cancelled("The server is stopping.")
            running = {job.key for job in self._jobs.values() if job.status.state == "running"}
            if running - {key}:
                raise Busy("Another file is being downloaded. Please wait for it.", retry_after=30)
            if not running:
                self._begin(_Download(key, attempts, self._thread))

    def status(self, key: str) -> DownloadStatus:
        """The status of the latest download with this key."""
        with self._lock:
            return self._jobs[key].status if key in self._jobs else DownloadStatus()

    def cancel(self, key: str) -> None:
        """Cancel a download, if it is running."""
        with self._lock:
            if key in self._jobs:
                self._give_up(self._jobs[key])

    def close(self) -> None:
        """Cancel everything, and wait at most two seconds for the thread."""
        with self._lock:
            self._closed = True
            for job in self._jobs.values():
                self._give_up(job)
        if self._thread is not None:
            # A stalled connection notices late. The thread is a daemon and ends with the process.
            self._thread.join(PATIENCE)

    def _begin(self, job: _Download) -> None:
        self._thread = threading.Thread(
            target=self._run, args=(job,), name="layerscope-download", daemon=True
        )
        self._thread.start()
        self._jobs[job.key] = job

    def _give_up(self, job: _Download) -> None:
        job.stop.set()
        if job.status.state == "running":
            # Set at once, though the thread may hang in a read: a new start waits for its end.
            job.status = replace(job.status, state="cancelled")

    def _run(self, job: _Download) -> None:
        if job.before is not None:
            job.before.join()
            job.before = None
        state: State = "failed"
        try:
            problem = self._problem(job)
            state = "failed" if problem else "done"
        except Cancelled:
            state, problem = "cancelled", ""
        except Exception:
            _LOG.exception("The download of %s failed.", job.key)
            problem = "Something went wrong on the server. It is not your fault; please try again."
        with self._lock:
            job.status = replace(job.status, state=state, problem=problem)

    def _problem(self, job: _Download) -> str:
        """Try one attempt after the other; return why they failed, "" once one succeeded."""
        problems: list[str] = []
        for attempt in job.attempts:
            try:
                self._follow(job, attempt)
                return ""
            except DownloadFailed as error:
                if job.stop.is_set():
                    raise Cancelled("The download was stopped.") from error
                _LOG.warning("%s: %s (%r)", job.key, error.detail, error.__cause__)
                problems.append(error.detail)
        first, last = problems[0], problems[-1]
        return first if first == last else f"{first} Another source did not work either: {last}"

    def _follow(self, job: _Download, attempt: Attempt) -> None:
        for received in attempt(job.stop):
            with self._lock:
                job.status = replace(job.status, received=received)
