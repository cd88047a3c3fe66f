"""Downloads one file and verifies its size and SHA-256; resumes after an interruption."""

from __future__ import annotations

import os
import shutil
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException, HTTPMessage, HTTPResponse
from time import monotonic
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from app.errors import Cancelled, DownloadFailed
from app.services.networks.partial_file import (
    CHUNK,
    PartialFile,
    WantedFile,
    check_stop,
    explain_write_errors,
    locked,
)

TIMEOUT = 30.0
SPARE = 100_000_000
_PAUSE = 0.1
_WINDOW = 5.0


@dataclass(frozen=True, slots=True)
class Received:
    """Progress of a download: bytes done, total bytes, and recent speed in bytes a second."""

    done: int
    total: int | None
    speed: float

    @property
    def left(self) -> float | None:
        """Estimated remaining seconds; None if unknown."""
        return (self.total - self.done) / self.speed if self.total and self.speed else None

    @property
    def words(self) -> str:
        """Progress in words: `120 of 244 MB, 5.1 MB a second, 25 s left`."""
        total = f" of {self.total / 1e6:,.0f}" if self.total else ""
        speed = f", {self.speed / 1e6:.1f} MB a second" if self.speed else ""
        left = f", {self.left:,.0f} s left" if self.left is not None else ""
        return f"{self.done / 1e6:,.0f}{total} MB{speed}{left}"


def fetch(wanted: WantedFile, stop: threading.Event) -> Iterator[Received]:
    """Download to `wanted.path`; yield progress at most ten times a second, and at the end.

    A failure before the first byte changes nothing. A download that is interrupted or stopped later
    keeps `<name>.part` if the server supports resuming; any other failure leaves nothing. Until it
    ends or is closed, no other process can download the same file. Raises `DownloadFailed`, and
    `Cancelled` once `stop` is set.
    """
    with explain_write_errors(wanted):
        wanted.path.parent.mkdir(parents=True, exist_ok=True)
        with locked(wanted):
            part = PartialFile(wanted)
            part.recall(stop)
            with _ask(part) as response:
                yield from _receive(part, response, stop)


class _NoRest(DownloadFailed):
    """The server cannot resume the partial file."""


class _Redirects(HTTPRedirectHandler):
    """Follows redirects, but never from HTTPS to an unencrypted address."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if urlsplit(newurl).scheme not in ("https", req.type):
            fp.close()
            raise DownloadFailed(
                f"{req.host} leads to an address without encryption, which is not safe to follow."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _ask(part: PartialFile) -> HTTPResponse:
    """Open a response with the rest of the file if that fits the part, else with the whole file.

    In the latter case the part is ignored, but stays on disk.
    """
    if part.done:
        with suppress(_NoRest):
            return _ask_rest(part)
    part.forget()
    return _open(part.wanted, {})


def _ask_rest(part: PartialFile) -> HTTPResponse:
    rest = {"Range": f"bytes={part.done}-", "If-Range": part.validator}
    response = _open(part.wanted, rest)
    if response.status == 200:
        part.forget()
    elif not _fits(part, response):
        response.close()
        raise _NoRest("The rest does not fit.")
    return response


def _fits(part: PartialFile, response: HTTPResponse) -> bool:
    """True if the rest starts at the end of the part, is complete and of the same version."""
    size = _declared(part, response)
    ends = [f"bytes {part.done}-{size - 1}/{total}" for total in (size, "*")] if size else []
    return (
        response.headers.get("Content-Range") in ends
        # A server may ignore If-Range, and need not repeat the validator.
        and _validator(response.headers) in ("", part.validator)
    )


def _declared(part: PartialFile, response: HTTPResponse) -> int | None:
    """The size of the whole file according to the response headers."""
    return None if response.length is None else part.done + response.length


def _validator(headers: Message) -> str:
    """What identifies this version of the file: a strong ETag, else its date, else ""."""
    etag = headers.get("ETag", "")
    return etag if etag.startswith('"') else headers.get("Last-Modified", "")


def _open(wanted: WantedFile, rest: dict[str, str]) -> HTTPResponse:
    """Send the request; the response has status 200, or 206 for a requested rest."""
    request = Request(wanted.url, headers={"User-Agent": "Layerscope"} | rest)
    try:
        response: HTTPResponse = build_opener(_Redirects).open(request, timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        raise _refusal(wanted, error.code) from None
    except (OSError, HTTPException) as error:
        raise _unreachable(wanted) from error
    if response.status != 200 and not (response.status == 206 and rest):
        response.close()
        raise _refusal(wanted, response.status)
    return response


class _Broken(DownloadFailed):
    """The connection ended before the file was complete."""


class _Meter:
    """Limits how often progress is reported, and measures the speed."""

    def __init__(self, done: int, total: int | None) -> None:
        self._total = total
        self._marks = deque([(monotonic(), done)])

    def report(self, done: int, *, last: bool = False) -> Iterator[Received]:
        """Yield a report, unless the previous one was a moment ago."""
        now = monotonic()
        if now - self._marks[-1][0] < _PAUSE and not last:
            return
        self._marks.append((now, done))
        while len(self._marks) > 2 and now - self._marks[0][0] > _WINDOW:
            self._marks.popleft()
        began, before = self._marks[0]
        speed = (done - before) / (now - began) if now > began else 0.0
        yield Received(done, self._total, speed)


def _receive(
    part: PartialFile, response: HTTPResponse, stop: threading.Event
) -> Iterator[Received]:
    """Write the response to the part, verify it, and move it to its final path."""
    declared = _declared(part, response)
    head = _head(part, response)
    total = _total(part, declared)
    meter = _Meter(part.done, total)
    try:
        with part.open(_validator(response.headers)) as file:
            for chunk in _chunks(part, head, response, total):
                file.write(chunk)
                yield from meter.report(part.done)
                if part.done != total:
                    check_stop(stop)
            file.flush()
            os.fsync(file.fileno())
        _verify(part)
        os.replace(part.path, part.wanted.path)
    except Exception as error:
        if not (part.validator and isinstance(error, _Broken | Cancelled)):
            part.discard()
        raise
    part.discard()
    yield from meter.report(part.done, last=True)


def _head(part: PartialFile, response: HTTPResponse) -> bytes:
    """Read the first bytes. Raises `DownloadFailed` if they are those of an HTML page."""
    try:
        head = response.read(512)
    except (OSError, HTTPException) as error:
        raise _unreachable(part.wanted) from error
    if not head:
        raise _unreachable(part.wanted)
    page = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype", b"<html"))
    if response.headers.get_content_type() == "text/html" or (page and not part.done):
        raise DownloadFailed(
            f"A page came instead of the file {part.wanted.path.name}, which a proxy, a login page "
            "of the network or a filter does. Open any website to log in, then start again."
        )
    return head


def _total(part: PartialFile, declared: int | None) -> int | None:
    """The expected size. Raises `DownloadFailed` if it is wrong or the disk has too little room."""
    wanted = part.wanted
    if declared is not None and wanted.bytes not in (None, declared):
        raise _other_file(wanted, "its size differs")
    total = declared if wanted.bytes is None else wanted.bytes
    reusable = part.path.stat().st_size if part.path.exists() else 0
    free, need = shutil.disk_usage(wanted.path.parent).free + reusable, total or 0
    if free < need + SPARE:
        raise DownloadFailed(
            f"The disk has too little room: {wanted.path.name} needs {_mb(need)} and {_mb(SPARE)} "
            f"to spare, and {wanted.path.parent} has {_mb(free)}."
        )
    return total


def _chunks(
    part: PartialFile, chunk: bytes, response: HTTPResponse, total: int | None
) -> Iterator[bytes]:
    """Yield `chunk` and all following chunks, counting and hashing each."""
    while chunk:
        part.done += len(chunk)
        part.digest.update(chunk)
        if total is not None and part.done > total:
            raise _other_file(part.wanted, "more came than it has")
        yield chunk
        try:
            # Not `read`, which waits until the chunk is full and would delay `stop`.
            chunk = response.read1(CHUNK)
        except (OSError, HTTPException) as error:
            raise _broken(part, total) from error
    if total is not None and part.done < total:
        raise _broken(part, total)


def _verify(part: PartialFile) -> None:
    if not part.digest.hexdigest().startswith(part.wanted.sha256.lower()):
        raise _other_file(part.wanted, "its SHA-256 differs")


def _unreachable(wanted: WantedFile) -> DownloadFailed:
    return DownloadFailed(
        f"{wanted.host} cannot be reached. Is this computer connected to the internet? "
        f"A copy of {wanted.path.name} on a USB stick works, too."
    )


def _refusal(wanted: WantedFile, status: int) -> DownloadFailed:
    later = " Please try again later." if status >= 500 else ""
    kind = _NoRest if status == 416 else DownloadFailed
    return kind(f"{wanted.host} refuses {wanted.path.name}, with status {status}.{later}")


def _other_file(wanted: WantedFile, difference: str) -> DownloadFailed:
    name, host = wanted.path.name, wanted.host
    return DownloadFailed(f"What {host} sent is not the published {name}: {difference}.")


def _broken(part: PartialFile, total: int | None) -> _Broken:
    so_far = f"{_mb(part.done)} of {_mb(total)}" if total else _mb(part.done)
    again = "goes on from there" if part.validator else "begins at the start"
    host = part.wanted.host
    return _Broken(f"The connection to {host} broke after {so_far}. Starting again {again}.")


def _mb(amount: int) -> str:
    return f"{amount / 1e6:.1f} MB"
