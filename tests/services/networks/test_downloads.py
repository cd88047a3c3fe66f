"""One download at a time: source after source, cancelled at once, closed soon."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from app.errors import Busy, Cancelled, DownloadFailed
from app.services.networks import downloads as module
from app.services.networks.downloads import Attempt, Downloads, DownloadStatus
from app.services.networks.fetch import Received
from tests.support.waiting import HANG

HALF, WHOLE = Received(50, 100, 5.0), Received(100, 100, 5.0)


@pytest.fixture
def downloads() -> Iterator[Downloads]:
    downloads = Downloads()
    yield downloads
    downloads.close()
    end()


def end() -> None:
    """Wait until no download runs any more."""
    for thread in threading.enumerate():
        if thread.name == "layerscope-download":
            thread.join(HANG)
            assert not thread.is_alive()


def good(stop: threading.Event) -> Iterator[Received]:
    yield HALF
    yield WHOLE


def bad(reason: str) -> Attempt:
    def attempt(stop: threading.Event) -> Iterator[Received]:
        yield HALF
        raise DownloadFailed(reason)

    return attempt


class Held:
    """Reports once, then hangs like a read until it is let; then it looks at `stop`, or fails."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.fails = fails
        self.reached = threading.Event()
        self.let = threading.Event()
        self.count = 0

    def __call__(self, stop: threading.Event) -> Iterator[Received]:
        self.count += 1
        yield HALF
        self.reached.set()
        assert self.let.wait(HANG)
        if self.fails:
            raise self.fails
        if stop.is_set():
            raise Cancelled("stopped")
        yield WHOLE


@pytest.fixture
def held() -> Iterator[Held]:
    held = Held()
    yield held
    held.let.set()


def test_a_download_is_none_then_running_then_done(downloads: Downloads, held: Held) -> None:
    assert downloads.status("alexnet") == DownloadStatus("none", None, "")
    downloads.start("alexnet", [held])
    assert held.reached.wait(HANG)
    assert downloads.status("alexnet") == DownloadStatus("running", HALF, "")
    assert downloads.status("vgg16") == DownloadStatus()
    held.let.set()
    end()
    assert downloads.status("alexnet") == DownloadStatus("done", WHOLE, "")


def test_the_same_key_twice_is_one_download(downloads: Downloads, held: Held) -> None:
    downloads.start("alexnet", [held])
    assert held.reached.wait(HANG)
    downloads.start("alexnet", [held])
    assert downloads.status("alexnet") == DownloadStatus("running", HALF)
    held.let.set()
    end()
    assert held.count == 1


def test_another_key_has_to_wait(downloads: Downloads, held: Held) -> None:
    downloads.start("alexnet", [held])
    with pytest.raises(Busy, match="Another file is being downloaded"):
        downloads.start("vgg16", [good])
    assert downloads.status("vgg16") == DownloadStatus()
    held.let.set()
    end()
    downloads.start("vgg16", [good])
    end()
    assert downloads.status("vgg16").state == "done"
    assert downloads.status("alexnet").state == "done"


def test_a_start_calls_nothing_in_the_callers_thread(downloads: Downloads) -> None:
    threads = []

    def attempt(stop: threading.Event) -> Iterator[Received]:
        threads.append(threading.current_thread())
        return iter([WHOLE])

    downloads.start("alexnet", [attempt])
    end()
    assert threads != [threading.current_thread()]
    assert threads[0].daemon


def test_the_second_source_is_for_when_the_first_fails(downloads: Downloads) -> None:
    tried = Held()
    tried.let.set()
    downloads.start("alexnet", [bad("No."), good, tried])
    end()
    assert downloads.status("alexnet") == DownloadStatus("done", WHOLE, "")
    assert tried.count == 0


@pytest.mark.parametrize(
    ("reasons", "problem"),
    [
        (["No."], "No."),
        (["No.", "No."], "No."),
        (["No.", "Never."], "No. Another source did not work either: Never."),
        (["No.", "Well.", "Never."], "No. Another source did not work either: Never."),
    ],
)
def test_a_failure_has_the_first_reason_and_the_last(
    downloads: Downloads, reasons: list[str], problem: str
) -> None:
    downloads.start("alexnet", [bad(reason) for reason in reasons])
    end()
    assert downloads.status("alexnet") == DownloadStatus("failed", HALF, problem)
    downloads.start("alexnet", [good])
    end()
    assert downloads.status("alexnet") == DownloadStatus("done", WHOLE, "")


def boom(stop: threading.Event) -> Iterator[Received]:
    raise RuntimeError("boom")


@pytest.mark.parametrize("attempts", [[boom, good], []])
def test_what_nobody_foresaw_is_logged_and_told_plainly(
    downloads: Downloads, caplog: pytest.LogCaptureFixture, attempts: list[Attempt]
) -> None:
    downloads.start("alexnet", attempts)
    end()
    assert downloads.status("alexnet") == DownloadStatus(
        "failed",
        None,
        "Something went wrong on the server. It is not your fault; please try again.",
    )
    (record,) = caplog.records
    assert (record.levelno, bool(record.exc_info)) == (logging.ERROR, True)
    downloads.start("vgg16", [good])
    end()
    assert downloads.status("vgg16").state == "done"


def test_a_failed_source_is_logged_with_its_cause(
    downloads: Downloads, caplog: pytest.LogCaptureFixture
) -> None:
    def attempt(stop: threading.Event) -> Iterator[Received]:
        raise DownloadFailed("No.") from TimeoutError("slow")

    downloads.start("alexnet", [attempt])
    end()
    assert caplog.messages == ["alexnet: No. (TimeoutError('slow'))"]


def test_a_cancelled_download_is_so_at_once_and_tries_no_other_source(
    downloads: Downloads,
) -> None:
    held, other = Held(DownloadFailed("It broke.")), Held()
    downloads.start("alexnet", [held, other])
    assert held.reached.wait(HANG)
    downloads.cancel("alexnet")
    assert downloads.status("alexnet") == DownloadStatus("cancelled", HALF, "")
    held.let.set()
    end()
    assert downloads.status("alexnet") == DownloadStatus("cancelled", HALF, "")
    assert other.count == 0


def test_a_cancel_that_comes_too_late_changes_nothing(downloads: Downloads) -> None:
    downloads.cancel("alexnet")
    assert downloads.status("alexnet") == DownloadStatus()
    downloads.start("alexnet", [good])
    end()
    downloads.cancel("alexnet")
    assert downloads.status("alexnet") == DownloadStatus("done", WHOLE, "")


@pytest.mark.parametrize("key", ["alexnet", "vgg16"])
def test_a_start_after_a_cancel_waits_until_the_old_one_has_ended(
    downloads: Downloads, held: Held, key: str
) -> None:
    order = []

    def attempt(stop: threading.Event) -> Iterator[Received]:
        order.append(held.let.is_set())
        yield WHOLE

    downloads.start("alexnet", [held])
    assert held.reached.wait(HANG)
    downloads.cancel("alexnet")
    downloads.start(key, [attempt])
    assert downloads.status(key) == DownloadStatus("running")
    held.let.set()
    end()
    assert order == [True]
    assert downloads.status(key) == DownloadStatus("done", WHOLE, "")


def test_close_stops_and_refuses_what_comes_after(downloads: Downloads) -> None:
    reached = threading.Event()

    def attempt(stop: threading.Event) -> Iterator[Received]:
        yield HALF
        reached.set()
        assert stop.wait(HANG)
        raise Cancelled("stopped")

    downloads.start("alexnet", [attempt])
    assert reached.wait(HANG)
    downloads.close()
    assert not [one for one in threading.enumerate() if one.name == "layerscope-download"]
    assert downloads.status("alexnet") == DownloadStatus("cancelled", HALF, "")
    with pytest.raises(Cancelled, match="The server is stopping"):
        downloads.start("alexnet", [good])


def test_close_does_not_wait_for_a_connection_that_hangs(
    downloads: Downloads, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert module.PATIENCE <= 2
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    downloads.start("alexnet", [held])
    assert held.reached.wait(HANG)
    downloads.close()
    # It hangs still: nobody waited for it.
    assert [one for one in threading.enumerate() if one.name == "layerscope-download"]
    assert downloads.status("alexnet") == DownloadStatus("cancelled", HALF, "")


def test_many_who_start_at_once_get_one_download(downloads: Downloads) -> None:
    helds = [Held() for _ in range(16)]
    gate = threading.Barrier(len(helds))

    def starting(held: Held, key: str) -> Callable[[], None]:
        def start() -> None:
            gate.wait(HANG)
            with suppress(Busy):
                downloads.start(key, [held])

        return start

    threads = [threading.Thread(target=starting(held, str(i % 4))) for i, held in enumerate(helds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
    for held in helds:
        held.let.set()
    end()
    assert sum(held.count for held in helds) == 1
