"""Files under `static/`: cached forever with their digest in the URL, else revalidated."""

from __future__ import annotations

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from app.web.core.templating import STATIC, static_digest


class VersionedFiles(StaticFiles):
    """Static files with a Cache-Control header."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file. JavaScript modules import each other by bare path, so those are revalidated."""
        response = await super().get_response(path, scope)
        query = scope.get("query_string", b"").decode("latin-1")
        forever = query == f"v={static_digest(path)}"
        age = "public, max-age=31536000, immutable" if forever else "no-cache"
        response.headers["Cache-Control"] = age
        return response
