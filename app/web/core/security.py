"""Middleware that checks every request: host name, origin, size; and identifies the browser."""

from __future__ import annotations

import ipaddress
import re
import secrets
import socket
from collections.abc import Iterable

from anyio import BrokenResourceError
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import BadRequest, Forbidden, LayerscopeError, PictureTooLarge
from app.services.engine.owner import Owner
from app.web.core.base_path import base
from app.web.core.errors import error_response, user_error
from app.web.core.hosts import HostNames, same_host, without_port

COOKIE = "layerscope_owner"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}")
_YEAR = 365 * 86_400

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; font-src 'self'; media-src 'self' blob:; manifest-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
}


class Guard:
    """Refuses foreign host names, foreign origins and request bodies above `largest` bytes.

    It identifies the browser by its cookie and sets the security headers.

    `hosts` are names in addition to this machine's own. `beyond` says that the operator serves
    other machines: then IP addresses and this machine's host name are accepted too. A page of
    another site can point its own name at this server (DNS rebinding), but never an IP address.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str] = (),
        beyond: bool = False,
        largest: int | None = None,
    ) -> None:
        self._app = app
        self._largest = largest
        self._beyond = beyond
        names = ["localhost", *hosts]
        if beyond:
            name = socket.gethostname().lower()
            names += [name, f"{name.split('.')[0]}.local"]
        self._hosts = HostNames(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        owner, new = _owner(request)
        scope.setdefault("state", {})["owner"] = owner
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _add_headers(MutableHeaders(scope=message), owner if new else None, scope)
            await send(message)

        refused = self._refusal(scope["method"], request.headers)
        app = error_response(request, refused) if refused else self._app
        try:
            await app(scope, receive, send_guarded)
        except Exception as error:
            if started and _listener_left(error):
                return
            # Handled here: Starlette's own error response would lack the security headers.
            if not started:
                await error_response(request, user_error(error), 500)(scope, receive, send_guarded)
            raise

    def _refusal(self, method: str, headers: Headers) -> LayerscopeError | None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            return BadRequest(
                f"This server does not answer to the name “{host[:80]}”. Its operator can add the "
                "name to LAYERSCOPE_HOSTS."
            )
        if method not in ("GET", "HEAD", "OPTIONS") and _is_foreign(headers, host):
            return Forbidden("Another web page tried to change something here. Nothing was done.")
        if _is_embedded(headers):
            return Forbidden("Another web page asked for something of this one. Open it by itself.")
        if _is_strange_form(headers.get("content-type", "")):
            return BadRequest("A form is sent as UTF-8 here: please leave out its charset.")
        size = headers.get("content-length", "0")
        if self._largest and size.isdecimal() and float(size) > self._largest:
            return PictureTooLarge(
                f"This upload has {min(float(size), 1e15) / 1e6:.3g} MB; the limit is "
                f"{self._largest // 1_000_000} MB. Please make the picture smaller and try again."
            )
        return None

    def _is_ours(self, host: str) -> bool:
        if self._hosts.accept(host):
            return True
        try:
            address = ipaddress.ip_address(without_port(host))
        except ValueError:
            return False
        return address.is_loopback or self._beyond


def _is_strange_form(kind: str) -> bool:
    """Whether a form with files names an encoding, as no browser does.

    Some, such as UTF-7, make half characters of a file's name, others fail in Python.
    """
    head, _, options = kind.lower().partition(";")
    named = [part.partition("=") for part in options.split(";")]
    return head.strip().startswith("multipart/") and any(
        name.strip() == "charset" and value.strip(' "') not in ("utf-8", "utf8")
        for name, _, value in named
    )


def _listener_left(error: Exception) -> bool:
    """Whether the only error is that the client closed a stream during an event."""
    return isinstance(error, ExceptionGroup) and error.split(BrokenResourceError)[1] is None


def _is_foreign(headers: Headers, host: str) -> bool:
    """Whether another site's page sent this. What the browser says of it is proof.

    A proxy may rewrite Host or leave out a port, so that Origin does not fit; browsers say nothing
    on plain HTTP in a local network, and then Origin decides.
    """
    site = headers.get("sec-fetch-site")
    if site in ("cross-site", "same-site", "same-origin"):
        return site != "same-origin"
    origin = headers.get("origin")
    return origin is not None and not same_host(origin, host)


def _is_embedded(headers: Headers) -> bool:
    """Whether a page of another site has the browser fetch this, not a person open it.

    Such a page could start work here with a picture's address. Only `cross-site` counts: other
    ports and subdomains of the same site are for instance a notebook that shows a map.
    """
    if headers.get("sec-fetch-site") != "cross-site":
        return False
    return (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) != (
        "navigate",
        "document",
    )


def _owner(request: Request) -> tuple[Owner, bool]:
    """The browser's token and whether it is new; an invalid token counts as none."""
    token, address = request.cookies.get(COOKIE, ""), request.client.host if request.client else ""
    if _TOKEN.fullmatch(token):
        return Owner(token, address), False
    return Owner(secrets.token_urlsafe(24), address, known=False), True


def _add_headers(headers: MutableHeaders, new_owner: str | None, scope: Scope) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    # Pictures and scripts may be stored in shared caches: they must not carry a user's cookie.
    if new_owner and "immutable" not in headers.get("cache-control", ""):
        secure = "; Secure" if scope.get("scheme") == "https" else ""
        limits = f"Max-Age={_YEAR}; Path={base() or '/'}; HttpOnly; SameSite=Lax{secure}"
        headers.append("set-cookie", f"{COOKIE}={new_owner}; {limits}")
