"""Routes of X or O: the page, or what htmx requests; the same as a picture and as a table."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Request
from fastapi.responses import Response
from torch import Tensor

from app.pictures.tables import Block, tables_png
from app.web.core.file_responses import csv_response, file_response
from app.web.lab.tool_responses import tool_response
from app.web.lab.tools import is_part
from app.web.lab.xo.board_result import BoardResult, work
from app.web.lab.xo.state import read
from app.web.lab.xo.view import lab
from app.web.lab.xo.words import map_name, verdict_words, writer

router = APIRouter()


# Not async: fitting a new order of layers takes time, which must not block the event loop.
@router.get("/xo")
def xo(request: Request) -> Response:
    """The page that the URL names. Invalid parts are reported and ignored."""
    asked = read(request.query_params)
    context = lab(asked, is_part(request))
    return tool_response(request, "xo", context, context.query)


@router.get("/xo.png")
def xo_png(request: Request) -> Response:
    """Board, maps and vote as a picture."""
    worked = work(read(request.query_params).state)
    png = tables_png("X or O", list(_blocks(worked)), _sentence(worked))
    return file_response(png, "image/png", False, "layerscope-xo.png")


@router.get("/xo.csv")
def xo_csv(request: Request) -> Response:
    """A line for each number: the board, every map, the vote."""
    worked = work(read(request.query_params).state)
    head = ["layer", "kind", "map", "row", "column", "value"]
    return csv_response(head, _lines(worked), "layerscope-xo.csv")


def _sentence(result: BoardResult) -> str:
    made = result.vote
    return verdict_words(made.verdict, made.x, made.o, result.pixels) if made else result.misfit


def _blocks(result: BoardResult) -> Iterator[Block]:
    kernels = result.state.weights
    yield Block("Board", result.state.values.tolist(), 1, writer(result.state.values))
    for i, kernel in enumerate(kernels):
        yield Block(f"Kernel {i}", kernel.tolist(), text=writer(kernel))
    for output in result.outputs:
        limit, text = float(output.values.abs().max()), writer(output.values)
        for i, values in enumerate(output.values):
            name = map_name(i, len(output.values), kernels)
            title = f"{output.number} {output.layer.kind}, {name}"
            yield Block(title, values.tolist(), limit, text)
    if result.vote:
        yield from _many("Vote, weights", result.vote.weights.weights)
        yield from _many("Vote, products", result.vote.products)


def _many(title: str, maps: Tensor) -> Iterator[Block]:
    limit, text = float(maps.abs().max()), writer(maps)
    for i, values in enumerate(maps):
        yield Block(f"{title} {i}", values.tolist(), limit, text)


def _lines(result: BoardResult) -> Iterator[tuple[object, ...]]:
    yield from _cells(0, "board", result.state.values[None])
    for output in result.outputs:
        yield from _cells(output.number, str(output.layer), output.values)
    if result.vote:
        last = len(result.outputs) + 1
        yield from _cells(last, "weight", result.vote.weights.weights)
        yield from _cells(last, "product", result.vote.products)
        yield last, "bias", "", "", "", result.vote.weights.bias
        yield last, "score X", "", "", "", result.vote.x
        yield last, "score O", "", "", "", result.vote.o


def _cells(number: int, kind: str, maps: Tensor) -> Iterator[tuple[object, ...]]:
    for m, values in enumerate(maps.tolist()):
        for y, row in enumerate(values):
            for x, value in enumerate(row):
                yield number, kind, m, y, x, value
