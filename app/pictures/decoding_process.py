"""A process that decodes pictures and nothing else, so that it can be ended at any time.

    python -m app.pictures.decoding_process

It reads requests from its standard input until that is closed, and writes answers to its standard
output. A request is the length of the file and the most pixels that it may have (`REQUEST`), then
the file. An answer is the length of a JSON object and of the pixels (`ANSWER`), then both. Pixels
are RGB, row by row. It imports no torch: it is there in a tenth of a second.
"""

from __future__ import annotations

import json
import logging
import signal
import struct
import sys
import warnings
from typing import BinaryIO

from PIL import Image

from app.errors import BrokenPicture, LayerscopeError
from app.pictures.decode import decode

REQUEST = struct.Struct("<QQ")
ANSWER = struct.Struct("<QQ")

MEMORY = 1_000_000_000
"""Most bytes of address space of this process, where the system can limit them."""
NICENESS = 5
"""It gives way to the network, which thirty people look at."""


def main() -> None:
    """Answer requests until the standard input is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the server, which ends this
    _limit()
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while head := requests.read(REQUEST.size):
        length, most = REQUEST.unpack(head)
        _answer(answers, *_decoded(requests.read(length), most))


def _decoded(data: bytes, max_pixels: int) -> tuple[dict[str, object], bytes]:
    """What `decode` says of a file, and its pixels."""
    try:
        found = decode(data, max_pixels=max_pixels)
        pixels = found.image.tobytes()
    except LayerscopeError as error:
        return {"error": type(error).__name__, "detail": error.detail}, b""
    except Exception:
        logging.exception("A picture broke the decoder.")
        return {"error": BrokenPicture.__name__, "detail": "This picture cannot be read."}, b""
    size = {"width": found.width, "height": found.height}
    return {**size, "format": found.format, "notes": found.notes}, pixels


def _answer(answers: BinaryIO, about: dict[str, object], pixels: bytes) -> None:
    text = json.dumps(about).encode()
    answers.write(ANSWER.pack(len(text), len(pixels)) + text)
    answers.write(pixels)
    answers.flush()


def _limit() -> None:
    if sys.platform == "win32":
        return
    import os
    import resource

    os.nice(NICENESS)
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    main()
