"""Turns an error into a response: problem+json for programs, a page or a partial for users."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from app import errors
from app.services.files import not_kept
from app.web.core.base_path import base
from app.web.core.htmx import wants_part
from app.web.core.templating import render

STATUS: dict[type[errors.LayerscopeError], int] = {
    errors.NotFound: 404,
    errors.BadRequest: 422,
    errors.NotFinite: 422,
    errors.NoClassifier: 409,
    errors.PictureTooLarge: 413,
    errors.NotAPicture: 415,
    errors.BrokenPicture: 422,
    errors.Forbidden: 403,
    errors.WeightsMissing: 503,
    errors.WeightsRefused: 503,
    errors.DownloadFailed: 503,
    errors.NotWritten: 507,
    errors.Busy: 503,
    errors.Cancelled: 503,
}


def status_of(error: errors.LayerscopeError) -> int:
    """The HTTP status of an error: that of its nearest class in `STATUS`, else 500."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def problem(error: errors.LayerscopeError, status: int | None = None) -> JSONResponse:
    """A response `application/problem+json` (RFC 9457) with a title and a sentence."""
    status = status or status_of(error)
    body = {"type": "about:blank", "status": status, "title": error.title, "detail": error.detail}
    return JSONResponse(
        body, status, headers=_headers(error), media_type="application/problem+json"
    )


def error_response(
    request: Request, error: errors.LayerscopeError, status: int | None = None
) -> Response:
    """The response in the form the client expects: for the API, for htmx, or a whole page."""
    status = status or status_of(error)
    of_api = request.url.path.removeprefix(base()).startswith("/api/")
    # A stream of the page's asks for events alone; what it cannot begin with is said as a part.
    if of_api or not ("text/html" in request.headers.get("accept", "") or wants_part(request)):
        return problem(error, status)
    context = {"title": error.title, "detail": error.detail, "status": status}
    if wants_part(request):
        response = render(request, "partials/_notice.html", context, status)
        response.headers["HX-Retarget"] = "#notice"
        response.headers["HX-Reswap"] = "innerHTML"
    else:
        response = render(request, "pages/error.html", context, status)
    response.headers.update(_headers(error))
    return response


def install(app: FastAPI) -> None:
    """Register the exception handlers."""

    async def ours(request: Request, error: Any) -> Response:
        return error_response(request, error)

    async def invalid(request: Request, error: Any) -> Response:
        return error_response(request, errors.BadRequest(_in_words(error)))

    async def http(request: Request, error: Any) -> Response:
        found = _from_http(error)
        own = isinstance(found, errors.NotWritten)
        response = error_response(request, found, None if own else error.status_code)
        response.headers.update(error.headers or {})
        return response

    app.add_exception_handler(errors.LayerscopeError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


def user_error(error: Exception) -> errors.LayerscopeError:
    """The error itself if it has a sentence for users, else a general one for any other."""
    if isinstance(error, errors.LayerscopeError):
        return error
    return errors.LayerscopeError(
        "Something went wrong on the server. It is not your fault; please try again."
    )


def _headers(error: errors.LayerscopeError) -> dict[str, str]:
    return {"Retry-After": str(error.retry_after)} if isinstance(error, errors.Busy) else {}


def _in_words(error: RequestValidationError) -> str:
    """The first validation error, under the name that the client used."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part not in ("query", "path", "body"))
    if where == "file":
        return "Please choose a picture first: the form came without a file."
    if first["type"] in _PLAIN:
        where = "The request" if first["type"] == "json_invalid" else where
        return f"{where or 'The request'}: {_PLAIN[first['type']]}"
    return f"{where[:_SHOWN] or 'The request'}: {first['msg']}."


_SHOWN = 100
_PLAIN = {
    "string_unicode": "this is no text; a \\u escape stands for half a character.",
    "json_invalid": "this is no valid JSON; a comma, a quote or a bracket may be missing.",
    "model_attributes_type": "it must be a JSON object, {…}, sent as application/json.",
}
"""What pydantic says to programmers, in words for everybody; by its kind of error."""


def _from_http(error: HTTPException) -> errors.LayerscopeError:
    if isinstance(error.__cause__, OSError):
        return not_kept("what you sent", error.__cause__)
    match error.status_code:
        case 404:
            return errors.NotFound("There is nothing at this address.")
        case 413:
            return errors.PictureTooLarge("This upload is too big. Please make it smaller.")
        case 400 if "parsing the body" in error.detail:
            return errors.BadRequest(
                "The body of this request cannot be read: it is no valid JSON or form, or a number "
                "in it has thousands of digits."
            )
        case 405:
            allowed = (error.headers or {}).get("Allow", "other requests")
            return errors.BadRequest(f"This address does not accept this request, only {allowed}.")
        case _:
            phrase = HTTPStatus(error.status_code).phrase
            plain = errors.LayerscopeError(f"{phrase}: {error.detail.rstrip('.')}.")
            plain.title = phrase
            return plain
