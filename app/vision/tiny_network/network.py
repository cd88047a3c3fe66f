"""The tiny network: convolution, ReLU and pooling layers in any order over one board.

Three 3x3 kernels, the features of the X, are shared by all convolutions: kernel k is slid over each
input map, and the results are added up. With `match` "mean" the sum is divided by the number of
cells compared, 9 for each map, so that 1.00 is a perfect match; with "sum" it is not. Dividing is
the same as smaller weights, so it does not limit what a network can learn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from app.vision.arithmetic.convolution import ConvCell, conv_cell
from app.vision.arithmetic.pooling import PoolCell, pool_cell
from app.vision.tiny_network.board import SIDE
from app.vision.window import Window

Kind = Literal["conv", "relu", "pool"]
Match = Literal["mean", "sum"]

KERNEL = 3
KERNELS = 3
LAYERS, CONVS = 8, 3
"""The largest number of layers, and of convolutions among them."""

NAMES = ("falling diagonal", "crossing", "rising diagonal")
"""Names of the three features of the X."""


@dataclass(frozen=True, slots=True)
class TinyLayer:
    """A layer; `padding` is 1 for a padded convolution, else 0."""

    kind: Kind
    padding: int = 0

    def __str__(self) -> str:
        return f"{self.kind}1" if self.padding else self.kind

    @property
    def window(self) -> Window | None:
        """The sliding window of the layer; None for a ReLU."""
        if self.kind == "conv":
            return Window((KERNEL, KERNEL), padding=(self.padding, self.padding))
        return Window((2, 2), (2, 2), ceil_mode=True) if self.kind == "pool" else None


@dataclass(frozen=True, slots=True)
class TinyOutput:
    """Output of layer `number`, from 1: `values` [C,H,W] computed from `before` [C',H',W']."""

    number: int
    layer: TinyLayer
    before: Tensor
    values: Tensor


@dataclass(frozen=True, slots=True)
class TinyShapes:
    """Shapes as (maps, rows, columns) before the first layer and after each that fits.

    `misfit` says why the next layer does not fit, "" where all do.
    """

    sizes: tuple[tuple[int, int, int], ...]
    misfit: str = ""


def features() -> Tensor:
    """The three features of the X, [3,3,3]: a falling diagonal, a crossing, a rising diagonal."""
    falling = torch.eye(KERNEL, dtype=torch.float64)
    rising = falling.flip(1)
    return 2 * torch.stack((falling, torch.maximum(falling, rising), rising)) - 1


def names_of(kernels: Tensor) -> tuple[str, ...]:
    """The name of each of three kernels [3,3,3]; "" where it is no feature of the X."""
    known = features()
    return tuple(
        next((name for one, name in zip(known, NAMES, strict=True) if one.equal(kernel)), "")
        for kernel in kernels
    )


def parse(text: str) -> tuple[TinyLayer, ...]:
    """Parse layers from text like `conv,relu,pool,conv1`; `conv1` pads by one cell.

    Raises `ValueError` with a sentence that lists the valid layers.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    known = {
        str(one): one
        for one in (TinyLayer("conv"), TinyLayer("conv", 1), TinyLayer("relu"), TinyLayer("pool"))
    }
    if strange := [word for word in words if word not in known]:
        raise ValueError(
            f"There is no layer “{strange[0][:20]}”: a layer is conv, conv1 (with padding), relu "
            "or pool."
        )
    layers = tuple(known[word] for word in words)
    if len(layers) > LAYERS:
        raise ValueError(f"{len(layers)} layers are too many: from 0 to {LAYERS} can be stacked.")
    if (convs := sum(layer.kind == "conv" for layer in layers)) > CONVS:
        raise ValueError(f"{convs} convolutions are too many: from 0 to {CONVS} can be stacked.")
    return layers


def to_text(layers: tuple[TinyLayer, ...]) -> str:
    """Write layers as text that `parse` reads."""
    return ",".join(map(str, layers))


def plan(layers: tuple[TinyLayer, ...]) -> TinyShapes:
    """Compute the output shape of each layer for a board, up to the first that does not fit."""
    sizes = [(1, SIDE, SIDE)]
    for layer in layers:
        maps, *size = sizes[-1]
        if window := layer.window:
            if misfit := window.misfit((size[0], size[1])):
                reason = misfit.partition(":")[0].replace("the picture has", "the map has")
                return TinyShapes(tuple(sizes), reason + ".")
            size = list(window.outputs((size[0], size[1])))
        sizes.append((KERNELS if layer.kind == "conv" else maps, size[0], size[1]))
    return TinyShapes(tuple(sizes))


def divisor(match: Match, maps: int) -> int:
    """The divisor of a sum of products: the number of cells compared in `maps` maps, or 1."""
    return KERNEL * KERNEL * maps if match == "mean" else 1


def forward(
    board: Tensor, kernels: Tensor, layers: tuple[TinyLayer, ...], match: Match
) -> Iterator[TinyOutput]:
    """Yield the output of each layer for a board [9,9], up to the first that does not fit."""
    values = board[None]
    for number, layer in enumerate(layers[: len(plan(layers).sizes) - 1], 1):
        before = values
        values = _through(layer, before[None], kernels, match)[0]
        yield TinyOutput(number, layer, before, values)


def forward_batch(
    boards: Tensor, kernels: Tensor, layers: tuple[TinyLayer, ...], match: Match
) -> Tensor:
    """The last layer's output for a batch of boards [n,9,9]: [n,C,H,W]; differentiable.

    Raises `ValueError` where a layer does not fit.
    """
    if misfit := plan(layers).misfit:
        raise ValueError(misfit)
    values = boards[:, None]
    for layer in layers:
        values = _through(layer, values, kernels, match)
    return values


def _through(layer: TinyLayer, values: Tensor, kernels: Tensor, match: Match) -> Tensor:
    """Apply one layer to maps [n,C,H,W]."""
    if layer.kind == "relu":
        return values.clamp_min(0)
    if layer.kind == "pool":
        return F.max_pool2d(values, 2, 2, ceil_mode=True)
    # All input maps share a kernel: the sum of the maps is convolved once.
    sums = F.conv2d(values.sum(1, keepdim=True), kernels[:, None], padding=layer.padding)
    return sums / divisor(match, values.shape[1])


def match_cell(output: TinyOutput, kernels: Tensor, place: tuple[int, int, int]) -> ConvCell:
    """The arithmetic of (map, row, column) of a convolution; its value is before division."""
    map, y, x = place
    window, maps = window_of(output.layer), output.before.shape[0]
    kernel = kernels[map].expand(maps, -1, -1)
    value = float((window.patch(output.before, y, x) * kernel).sum())
    return conv_cell(window, output.before, kernel, 0.0, value, (y, x))


def largest_cell(output: TinyOutput, place: tuple[int, int, int]) -> PoolCell:
    """The arithmetic of (map, row, column) of a max pooling."""
    map, y, x = place
    return pool_cell(
        window_of(output.layer), output.before[map], float(output.values[place]), (y, x)
    )


def window_of(layer: TinyLayer) -> Window:
    """The sliding window of a layer. Raises `ValueError` for a ReLU."""
    if layer.window is None:
        raise ValueError("A ReLU has no window.")
    return layer.window
