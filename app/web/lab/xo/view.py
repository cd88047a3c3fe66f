"""The context of the page of X or O: the network's maps, the vote, the comparison, sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import torch
from torch import Tensor

from app.vision.tiny_network.board import CELLS, INK, PRESETS, Letter, ideal
from app.vision.tiny_network.network import to_text
from app.vision.tiny_network.vote import Vote
from app.web.lab.xo.board_result import BoardResult, work
from app.web.lab.xo.cells import Marks, explain, placed
from app.web.lab.xo.contexts import BoardPage, PixelView, PresetView, VotePart, VoteView
from app.web.lab.xo.layers import addable, full, layer_views, of_map
from app.web.lab.xo.state import (
    BoardQuery,
    BoardState,
    as_bits,
    as_hex,
    as_text,
    default_kernels,
)
from app.web.lab.xo.words import (
    DIFFERENCES,
    as_typed,
    leakage_words,
    map_name,
    three,
    two,
    verdict_words,
    writer,
)
from app.web.parts.number_grids import Grid, grid


def lab(query: BoardQuery, part: bool) -> BoardPage:
    """The page's context; `part` says that htmx requests only the results."""
    worked, problems = work(query.state), list(query.problems)
    if query.state.cell and (objection := placed(query.state.cell, worked.outputs)):
        problems.append(objection)
        worked = replace(worked, state=query.state.changed(cell=None))
    state, cell = worked.state, worked.state.cell
    made, said, marks = None, _verdict_words(worked), Marks()
    if cell:
        output = worked.outputs[cell.layer - 1]
        made, said, marks = explain(output, cell, state.weights, state.match)
    views = tuple(
        replace(one, cell=made) if cell and one.number == cell.layer else one
        for one in layer_views(worked, marks)
    )
    order = to_text(state.layers)
    return BoardPage(
        board=tuple(tuple(v > 0 for v in row) for row in state.values.tolist()),
        presets=_presets(),
        clear=as_hex(0),
        kernels=_kernels(state),
        features=as_text(default_kernels()),
        kept=as_text(state.kernels),
        match=state.match,
        difference=DIFFERENCES[state.match],
        cell=str(cell or ""),
        order=order,
        adds=addable(state.layers),
        full=full(state.layers),
        first="" if state.layers == (first := BoardState().layers) else to_text(first),
        input=_input(state, marks if cell and cell.layer == 1 else {}),
        layers=views,
        vote=_vote(worked),
        comparison=worked.pixels,
        pixels=tuple(_pixels(state.values, letter) for letter in ("X", "O")),
        say=said,
        problems=tuple(problems),
        query=state.query(),
        redraw=query.redraw if part else frozenset(),
    )


def _verdict_words(result: BoardResult) -> str:
    if result.vote is None:
        number = len(result.outputs) + 1
        return f"There is no verdict, because layer {number} does not fit: {result.misfit}"
    made = result.vote
    return verdict_words(made.verdict, made.x, made.o, result.pixels)


@cache
def _presets() -> tuple[PresetView, ...]:
    return tuple(PresetView(one.letter, one.how, as_hex(as_bits(one.board()))) for one in PRESETS)


def _kernels(state: BoardState) -> tuple[Grid, ...]:
    return tuple(
        grid(f"kernel-{i}", f"Kernel {i}", kernel, text=as_typed, edit="k")
        for i, kernel in enumerate(state.weights)
    )


def _input(state: BoardState, marks: Marks) -> Grid:
    board = state.values
    shown = of_map(marks, 0)
    return grid("input", "The board in numbers", board, text=writer(board), marks=shown)


def _vote(result: BoardResult) -> VoteView | None:
    made = result.vote
    if made is None:
        return None
    sums, bias = made.products.sum((1, 2)).tolist(), made.weights.bias
    of = made.weights.of
    return VoteView(
        made.verdict,
        two(made.x),
        two(made.o),
        _bar(made.x),
        _bar(made.o),
        made.numbers.numel(),
        _vote_parts(made, result.state.weights),
        _adds_up(bias, sums, made.x),
        _adds_up(1 - bias, [-one for one in sums], made.o),
        made.weights.right,
        made.weights.pixels_right,
        of,
        made.weights.fitted,
        leakage_words(
            made.weights.known, of, made.weights.right / of, made.weights.unchecked_right / of
        ),
    )


def _vote_parts(made: Vote, kernels: Tensor) -> tuple[VotePart, ...]:
    count = len(made.numbers)
    return tuple(
        VotePart(
            name := map_name(i, count, kernels),
            _of(made.numbers, i, f"{name}: numbers"),
            _of(made.weights.weights, i, f"{name}: weights"),
            _of(made.products, i, f"{name}: products"),
            three(float(made.products[i].sum())),
        )
        for i in range(count)
    )


def _of(maps: Tensor, i: int, caption: str) -> Grid:
    limit = float(maps.abs().max())
    return grid(f"vote-{i}", caption, maps[i], limit=limit, text=writer(maps))


def _adds_up(bias: float, sums: Sequence[float], score: float) -> str:
    """The sum of the bias and of each map, as an equation."""
    told = "".join(f" + {three(one)}" if one >= 0 else f" − {three(-one)}" for one in sums)
    return f"{three(bias)}{told} = {three(score)}"


def _bar(score: float) -> float:
    return round(100 * min(1.0, max(0.0, score)), 1)


def _pixels(board: Tensor, letter: Letter) -> PixelView:
    wanted = ideal(letter)
    wrong = board != wanted
    return PixelView(letter, CELLS - int(wrong.sum()), _path(wanted == INK), _path(wrong))


def _path(cells: Tensor) -> str:
    """Squares where `cells` are true, as an SVG path."""
    return "".join(f"M{x} {y}h1v1h-1z" for y, x in torch.nonzero(cells).tolist())
