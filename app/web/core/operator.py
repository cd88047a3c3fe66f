"""Who may do what concerns everybody, such as download weights? The operator of this server."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import Depends, Request

from app.web.core.proxies import by_a_proxy, from_this_machine

OPERATOR_COOKIE = "layerscope_operator"


def new_key() -> str:
    """A key for the operator of a server behind a proxy, which the command prints."""
    return secrets.token_urlsafe(24)


def is_key(request: Request, said: str) -> bool:
    """Whether that is the operator's key; where there is none, nothing is."""
    key: str | None = request.app.state.operator_key
    return key is not None and secrets.compare_digest(said.encode(), key.encode())


def is_operator(request: Request) -> bool:
    """Whether the operator asks: at this very machine, or behind a proxy with the printed key.

    An address says nothing of who is behind a proxy: no request that came through one has rights
    by its address, and none has where the server was started for a proxy.
    """
    if request.app.state.operator_key is not None:
        return is_key(request, request.cookies.get(OPERATOR_COOKIE, ""))
    return from_this_machine(request.scope) and not by_a_proxy(request.headers)


OperatorDep = Annotated[bool, Depends(is_operator)]
