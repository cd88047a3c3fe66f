"""The download sources of a network's weights, in the order to try them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from safetensors import SafetensorError

from app.errors import DownloadFailed, WeightsRefused
from app.services.networks.downloads import Attempt
from app.services.networks.fetch import Received, fetch
from app.services.networks.partial_file import WantedFile
from app.services.networks.state_dict import check
from app.services.networks.weight_contents import shapes
from app.services.networks.weight_files import second_file
from models.row import Weights

FULL = 64  # hex digits


def attempts(row: Weights, cache: Path) -> list[Attempt]:
    """Attempts to download: the published file first, then the second source."""
    # The size in the table is exact only if the full digest is known.
    size = row.bytes if len(row.sha256) == FULL else None
    found: list[Attempt] = []
    if row.url:
        found.append(partial(fetch, WantedFile(row.url, cache / row.file, size, row.sha256)))
    if row.second:
        found.append(partial(_second, row, cache / second_file(row)))
    return found


def _second(row: Weights, path: Path, stop: threading.Event) -> Iterator[Received]:
    """Download from the second source, which has no published SHA-256: check the shapes."""
    yield from fetch(WantedFile(row.second, path, None, ""), stop)
    try:
        if check(row.architecture, shapes(path), path.name) is None:
            return
        reason = "its classifier is missing"
    except WeightsRefused as error:
        reason = error.detail
    except SafetensorError as error:
        reason = str(error)
    path.unlink(missing_ok=True)
    raise DownloadFailed(f"What the second source sent is not {row.title}: {reason}")
