"""A slow file server on this machine, and a download from it as Layerscope downloads weights."""

from __future__ import annotations

import hashlib
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

PIECE = 64 * 1024


class SlowFiles:
    """Serves `content`, a piece every `delay` seconds, also from the middle on.

    `continued` counts the requests that asked for a rest.
    """

    def __init__(self, content: bytes) -> None:
        self.delay, self.continued = 0.05, 0
        files, digest = self, hashlib.sha256(content).hexdigest()

        class FileHandler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:  # noqa: N802, the name that http.server calls
                """Answer with the file, or with the rest that was asked for."""
                match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
                start = int(match[1]) if match else 0
                files.continued += bool(match)
                self.send_response(206 if match else 200)
                self.send_header("Content-Length", str(len(content) - start))
                self.send_header("ETag", f'"{digest[:16]}"')
                self.send_header("Accept-Ranges", "bytes")
                if match:
                    last = len(content) - 1
                    self.send_header("Content-Range", f"bytes {start}-{last}/{len(content)}")
                self.end_headers()
                for at in range(start, len(content), PIECE):
                    try:
                        self.wfile.write(content[at : at + PIECE])
                    except OSError:
                        return
                    time.sleep(files.delay)

            def log_message(self, format: str, *arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), FileHandler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/{digest}.bin"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def download(url: str, path: Path) -> None:
    """Download as `python -m app weights get` does; the file's name is its SHA-256."""
    from app.services.networks.fetch import fetch
    from app.services.networks.partial_file import WantedFile

    digest = url.rpartition("/")[2].removesuffix(".bin")
    for _ in fetch(WantedFile(url, path, None, digest), threading.Event()):
        pass


if __name__ == "__main__":
    download(sys.argv[1], Path(sys.argv[2]))
