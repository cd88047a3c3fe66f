"""`/operator`: behind a proxy, the operator's browser brings the printed key once."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from app.errors import Forbidden
from app.web.core.base_path import base
from app.web.core.operator import OPERATOR_COOKIE, is_key

router = APIRouter(include_in_schema=False)


@router.get("/operator")
async def enter(request: Request, key: str = "") -> RedirectResponse:
    """Keep the key in a cookie until the browser closes. Raises `Forbidden`."""
    if not is_key(request, key):
        raise Forbidden(
            "That is not the key of this server. It is printed where the server was started with "
            "--behind-proxy, and changes with every start."
        )
    response = RedirectResponse(f"{base()}/", 303)
    response.set_cookie(
        OPERATOR_COOKIE, key, path=base() or "/", httponly=True, samesite="lax",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return response
