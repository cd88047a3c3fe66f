"""Where on its host does this server lie? The sub-path under which a proxy serves it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextvars import ContextVar

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import BadRequest
from app.web.core.proxies import from_this_machine

_BASE: ContextVar[str] = ContextVar("base", default="")
_FORM = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+){1,8}")
_LONGEST = 200


def base() -> str:
    """The sub-path of this request, such as `/user/7/proxy/8000`; "" at the root of a host.

    Every URL that goes to a browser begins with it.
    """
    return _BASE.get()


def checked_base(path: str) -> str:
    """A sub-path as an operator writes it, without a final slash. Raises `BadRequest`."""
    plain = path.rstrip("/")
    if plain and not _is_base(plain):
        raise BadRequest(
            f"“{path[:80]}” is no sub-path. Write it like /layerscope or /class/7: up to eight "
            "parts of letters, digits and . _ ~ -"
        )
    return plain


class BasePath:
    """Middleware that finds the sub-path of a request, for `base()`, and for Starlette's routes.

    It is `root_path`, or with `behind_proxy` what the proxy on this machine says in
    `X-Forwarded-Prefix`. Most proxies take it off before they pass a request on, some leave it:
    both work. Only where it begins like one of the app's `own` pages must it be taken off.
    """

    def __init__(
        self, app: ASGIApp, root_path: str = "", behind_proxy: bool = False, own: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._root_path = root_path
        self._behind_proxy = behind_proxy
        self._own = frozenset(_first_part(path) for path in own)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not (prefix := self._prefix(scope)):
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        whole = path == prefix or path.startswith(f"{prefix}/")
        if not whole or _first_part(prefix) in self._own:
            path = prefix + path
        scope = {**scope, "root_path": prefix, "path": path if path != prefix else f"{prefix}/"}
        token = _BASE.set(prefix)
        try:
            await self._app(scope, receive, send)
        finally:
            _BASE.reset(token)

    def _prefix(self, scope: Scope) -> str:
        if self._behind_proxy and from_this_machine(scope):
            said = Headers(scope=scope).get("x-forwarded-prefix", "").rstrip("/")
            if _is_base(said):
                return said
        return self._root_path


def _is_base(path: str) -> bool:
    return len(path) <= _LONGEST and bool(_FORM.fullmatch(path))


def _first_part(path: str) -> str:
    return path.strip("/").partition("/")[0]
