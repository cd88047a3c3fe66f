"""One stream for every job: its place in the queue, updates, errors, its end; closed on leaving."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from fastapi.sse import ServerSentEvent

from app.errors import BadRequest, Busy
from app.web.core import streams
from app.web.core.streams import HtmlEvents, JobUpdate, job_events, queued_job
from tests.support.waiting import HANG


class Job:
    """A job of a few numbers, which counts how often it is closed."""

    def __init__(self, *items: int | str, error: Exception | None = None) -> None:
        self.items = items
        self.error = error
        self.closed = 0

    async def run(self) -> AsyncGenerator[int | str]:
        try:
            for item in self.items:
                yield item
            if self.error:
                raise self.error
        finally:
            self.closed += 1


async def updates(items: AsyncGenerator[str]) -> AsyncGenerator[JobUpdate[str]]:
    number = 0
    async for item in items:
        yield JobUpdate(number, item)
        number += 1


async def streamed(job: Job, queue: str = "", after: int | None = None) -> list[ServerSentEvent]:
    async with queued_job(job.run) as queued:
        made = job_events(updates(queued.items), HtmlEvents(queue), place=queued.place, after=after)
        return [event async for event in made]


async def test_a_job_reports_its_place_its_updates_and_its_end() -> None:
    job = Job(2, "one", "two")
    place, *shown, done = await streamed(job)
    assert place.id is None
    assert place.raw_data and "Number 3 in the queue" in place.raw_data
    assert [(one.id, one.raw_data) for one in shown] == [("0", "one"), ("1", "two")]
    assert (done.event, done.raw_data) == ("done", "")
    assert job.closed == 1


async def test_the_place_can_stand_elsewhere_than_the_updates() -> None:
    place, *_ = await streamed(Job(1, "one"), queue="#queue")
    assert place.raw_data and '<hx-partial hx-target="#queue"' in place.raw_data
    first, *_ = await streamed(Job(0, "one"), queue="#queue")
    assert first.raw_data and "Starting" not in first.raw_data


async def test_whoever_reconnects_gets_only_what_is_new() -> None:
    *shown, done = await streamed(Job(0, "one", "two", "three"), after=1)
    assert [(one.id, one.raw_data) for one in shown] == [("2", "three")]
    assert done.event == "done"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (BadRequest("Seven is not a step."), "Seven is not a step."),
        (RuntimeError("secret detail"), "Something went wrong on the server"),
    ],
)
async def test_a_failure_is_told_in_words_before_the_end(
    error: Exception, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    job = Job(0, "one", error=error)
    *_, one, problem, done = await streamed(job)
    assert one.raw_data == "one"
    assert problem.raw_data and words in problem.raw_data and "secret" not in problem.raw_data
    assert (done.event, done.raw_data) == ("done", "failed")
    assert ("A stream broke off." in caplog.text) is isinstance(error, RuntimeError)
    assert job.closed == 1


async def test_the_result_is_sent_even_where_a_job_that_began_anew_ends_earlier() -> None:
    async def made() -> AsyncGenerator[JobUpdate[str]]:
        yield JobUpdate(0, "one")
        yield JobUpdate(1, "stopped", final=True)

    *shown, done = [event async for event in job_events(made(), HtmlEvents(), place=0, after=8)]
    assert [one.raw_data for one in shown] == ["stopped"] and done.raw_data == ""


async def test_a_failure_clears_the_place_in_the_queue() -> None:
    *_, problem, _ = await streamed(Job(1, error=BadRequest("No.")), queue="#queue")
    assert problem.raw_data and '<hx-partial hx-target="#queue"' in problem.raw_data


async def test_leaving_closes_the_job() -> None:
    job = Job(0, "one", "two")
    async with queued_job(job.run) as queued:
        made = job_events(updates(queued.items), HtmlEvents(), place=queued.place)
        await anext(made)
        await anext(made)
        await made.aclose()
        assert job.closed == 0
    assert job.closed == 1


async def test_a_job_that_nobody_reads_is_closed_too() -> None:
    job = Job(0, "one")
    async with queued_job(job.run):
        pass
    assert job.closed == 1


async def test_the_owner_s_previous_job_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PATIENCE", HANG)
    jobs = [Job(error=Busy("One runs.")), Job(error=Busy("One runs.")), Job(0, "one")]
    left = iter(jobs)
    async with queued_job(lambda: next(left).run()) as queued:
        assert [item async for item in queued.items] == ["one"]


async def test_in_the_end_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PATIENCE", 0.0)
    with pytest.raises(Busy, match=r"One runs\."):
        async with queued_job(Job(error=Busy("One runs.")).run):
            pass
