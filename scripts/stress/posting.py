"""Uploads as browsers send them, and as they should not."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException

from scripts.stress.target import HOST, cookie

BOUNDARY = "layerscope-stress"
UPLOAD = "/api/v1/images"


def form(data: bytes, name: str = "picture.png", kind: str = "image/png") -> bytes:
    """A form with one file."""
    said = name.encode("utf-8", "surrogateescape").replace(b"\r", b"").replace(b"\n", b"")
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="'.encode()
        + said.replace(b'"', b"%22")
        + f'"\r\nContent-Type: {kind}\r\n\r\n'.encode()
    )
    return head + data + f"\r\n--{BOUNDARY}--\r\n".encode()


def post(
    port: int, data: bytes, name: str = "picture.png", owner: str = "", body: bytes | None = None
) -> tuple[int, bytes]:
    """The answer to an upload; `body` replaces the form. Status 0 is a connection that broke."""
    connection = HTTPConnection(HOST, port, timeout=60)
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    try:
        connection.request(
            "POST", UPLOAD, form(data, name) if body is None else body,
            {"Content-Type": kind, **cookie(owner)},
        )  # fmt: skip
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, HTTPException):
        return 0, b""
    finally:
        connection.close()
