"""Contexts of the layers: their cards and their maps."""

from __future__ import annotations

from torch import Tensor

from app.vision.tiny_network.network import CONVS, LAYERS, TinyLayer, TinyOutput, plan, to_text
from app.web.lab.xo.board_result import BoardResult
from app.web.lab.xo.cells import Marks
from app.web.lab.xo.contexts import BoardLayer, BoardMap
from app.web.lab.xo.state import BoardState
from app.web.lab.xo.words import ALL_MAPS, NOTES, TITLES, coverage_words, map_name, writer
from app.web.parts.number_grids import Grid, grid

ADDS = (("conv", "Convolution"), ("relu", "ReLU"), ("pool", "Max pooling"))


def layer_views(result: BoardResult, marks: Marks) -> list[BoardLayer]:
    """Every layer; `marks` are the cells that the selected number was computed from."""
    state, sizes = result.state, plan(result.state.layers).sizes
    return [_layer(result, i, sizes, marks) for i in range(len(state.layers))]


def addable(layers: tuple[TinyLayer, ...]) -> tuple[tuple[str, str], ...]:
    """Titles of the layers that can be added, and the order with each."""
    if len(layers) >= LAYERS:
        return ()
    convs = sum(layer.kind == "conv" for layer in layers)
    order = to_text(layers)
    return tuple(
        (title, f"{order},{word}".strip(","))
        for word, title in ADDS
        if word != "conv" or convs < CONVS
    )


def full(layers: tuple[TinyLayer, ...]) -> str:
    """Why nothing, or no convolution, can be added; "" if it can."""
    if len(layers) >= LAYERS:
        return f"{LAYERS} layers are the most that can be stacked here."
    if sum(layer.kind == "conv" for layer in layers) >= CONVS:
        return f"{CONVS} convolutions are the most that can be stacked here."
    return ""


def of_map(marks: Marks, map: int) -> dict[tuple[int, int], str]:
    """The marks of one map."""
    return {(y, x): name for (m, y, x), name in marks.items() if m == map}


def _layer(
    result: BoardResult, i: int, sizes: tuple[tuple[int, int, int], ...], marks: Marks
) -> BoardLayer:
    order = result.state.layers
    layer, fits = order[i], i < len(result.outputs)
    counts = _coverage(layer, sizes[i]) if fits else None
    return BoardLayer(
        number=i + 1,
        kind=layer.kind,
        word=str(layer),
        title=TITLES[layer.kind],
        note=_note(layer, sizes[i][0] if fits else 1),
        size=_size(i, sizes, result.misfit),
        fits=fits,
        maps=_maps(result.state, result.outputs[i], marks) if fits else (),
        earlier=_moved(order, i, i - 1),
        later=_moved(order, i, i + 1),
        without=to_text(order[:i] + order[i + 1 :]),
        padded=_padded(order, i),
        padding=layer.padding,
        coverage=None if counts is None else _used(i + 1, counts),
        coverage_words="" if counts is None else coverage_words(counts),
    )


def _note(layer: TinyLayer, maps: int) -> str:
    note = NOTES[layer.kind]
    return f"{note} {ALL_MAPS}" if layer.kind == "conv" and maps > 1 else note


def _size(i: int, sizes: tuple[tuple[int, int, int], ...], misfit: str) -> str:
    if i + 1 < len(sizes):
        (_, *before), (_, *after) = sizes[i], sizes[i + 1]
        return f"{before[0]}×{before[1]} → {after[0]}×{after[1]}"
    return misfit if i + 1 == len(sizes) else "Waits for the layer before it."


def _coverage(layer: TinyLayer, size: tuple[int, int, int]) -> Tensor | None:
    """How often a convolution reads each cell; None for other layers."""
    window = layer.window
    return window.coverage(size[1:]) if window and layer.kind == "conv" else None


def _used(number: int, counts: Tensor) -> Grid:
    name = f"coverage-{number}"
    return grid(name, "How often each number is used", counts.double(), text=writer(counts))


def _maps(state: BoardState, output: TinyOutput, marks: Marks) -> tuple[BoardMap, ...]:
    count, text = output.values.shape[0], writer(output.values)
    limit = float(output.values.abs().max())
    views = []
    for i, values in enumerate(output.values):
        name = map_name(i, count, state.weights)
        made = grid(
            f"map-{output.number}-{i}",
            f"Layer {output.number}, {name}",
            values,
            limit=limit,
            text=text,
            marks=_marks(state, output.number, i, marks),
        )
        views.append(BoardMap(name, f"{output.number}.{i}", made))
    return tuple(views)


def _marks(state: BoardState, number: int, map: int, marks: Marks) -> dict[tuple[int, int], str]:
    """The marks of the selected number on its own map and of its sources on the input maps."""
    cell = state.cell
    if cell and (cell.layer, cell.map) == (number, map):
        return {(cell.y, cell.x): "here"}
    return of_map(marks, map) if cell and cell.layer == number + 1 else {}


def _moved(order: tuple[TinyLayer, ...], i: int, to: int) -> str:
    """The order with layer `i` at place `to`; "" if there is no such place."""
    if not 0 <= to < len(order):
        return ""
    rest = [*order[:i], *order[i + 1 :]]
    return to_text((*rest[:to], order[i], *rest[to:]))


def _padded(order: tuple[TinyLayer, ...], i: int) -> str:
    """The order with the padding of convolution `i` switched; "" for another layer."""
    if order[i].kind != "conv":
        return ""
    return to_text((*order[:i], TinyLayer("conv", 1 - order[i].padding), *order[i + 1 :]))
