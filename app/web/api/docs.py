"""`/docs`: the API's documentation, from local files, without the internet."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.web.core.templating import render

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Swagger UI over `/openapi.json`."""
    return render(request, "pages/docs.html", {})
