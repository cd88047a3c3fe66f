"""Response models of `explain`, one for each kind of step; all have `value`, as in the tensor."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.web.api.schemas import example

Grid = Annotated[list[list[float]], Field(description="Row by row.")]
Maps = Annotated[list[list[list[float]]], Field(description="[C,kh,kw]: map, row, column.")]
Position = Annotated[list[int], Field(description="[row, column] in the input map.")]


class Explained(BaseModel):
    """The fields of every explanation."""

    step: str
    channel: int
    y: int = Field(description="Row of the cell; 0 if the step is a vector.")
    x: int
    value: float = Field(description="The float in the network's tensor.")


class Summed(Explained):
    """A cell that is a sum: `value` is `total` up to float32's rounding."""

    total: float = Field(description="The same in float64, from the numbers listed here.")
    difference: float = Field(description="value - total.")
    magnitude: float = Field(
        description="Sum of the terms' magnitudes: |difference| <= 1e-5 of it."
    )


class ConvExplained(Summed):
    """patch x kernel, summed over the input maps, plus the bias.

    Patch and kernel have nine significant digits: read as float32 they equal the tensors.
    """

    model_config = example(
        step="conv1",
        channel=0,
        y=0,
        x=1,
        value=2.5,
        total=2.5,
        difference=0.0,
        magnitude=10.5,
        kind="conv",
        patch=[[[1.0, 2.0], [0.0, 3.0]]],
        kernel=[[[1.0, -2.0], [0.0, 5.0 / 3]]],
        sums=[2.0],
        bias=0.5,
        rows=[0, 1],
        columns=[1, 2],
    )
    kind: Literal["conv"] = "conv"
    patch: Maps
    kernel: Maps
    sums: list[float] = Field(description="The contribution of each input map.")
    bias: float
    rows: list[int] = Field(description="Rows of the input under the window; outside are zeros.")
    columns: list[int]


class ReluExplained(Explained):
    """max(0, x)."""

    model_config = example(
        step="relu1",
        channel=5,
        y=3,
        x=4,
        value=0.0,
        kind="relu",
        window=[[-0.4]],
        winner=None,
        cut=0.4,
        zeros=700,
        count=1024,
        layer_zeros=0.61,
    )
    kind: Literal["relu"] = "relu"
    window: Grid = Field(description="The input number.")
    winner: Position | None = Field(description="The cell it lies in; null if zero was larger.")
    cut: float = Field(description="How far it was below zero.")
    zeros: int = Field(description="Cells of this map that are zero.")
    count: int = Field(description="Cells of this map.")
    layer_zeros: float = Field(description="Share of zeros in the whole step, 0..1.")


class PoolExplained(Explained):
    """The largest value of a window."""

    model_config = example(
        step="pool1",
        channel=5,
        y=0,
        x=0,
        value=2.5,
        kind="maxpool",
        window=[[None, None], [0.7, 2.5]],
        winner=[0, 1],
        ties=1,
        wins=2,
        rows=[-1, 0],
        columns=[0, 1],
    )
    kind: Literal["maxpool"] = "maxpool"
    window: list[list[float | None]] = Field(description="Row by row; null beyond the edge.")
    winner: Position
    ties: int = Field(description="How many values equal it; the first in reading order wins.")
    wins: int = Field(description="Number of windows it wins: more than one where windows overlap.")
    rows: list[int]
    columns: list[int]


class MeanExplained(Summed):
    """The mean of a whole map."""

    kind: Literal["avgpool"] = "avgpool"
    window: Grid
    count: int


class NormExplained(Summed):
    """scale (given - mean) / sqrt(variance + epsilon) + shift."""

    kind: Literal["norm"] = "norm"
    given: float
    mean: float
    variance: float
    epsilon: float
    scale: float
    shift: float


class SourceCell(BaseModel):
    """A cell of another step."""

    step: str
    channel: int
    y: int
    x: int


class CopyExplained(Explained):
    """A number that is copied unchanged."""

    kind: Literal["concat", "flatten"]
    source: SourceCell


class VoteTerm(BaseModel):
    """One summand of a vote."""

    index: int
    input: float
    weight: float
    product: float


class VoteExplained(Summed):
    """A fully connected layer: every input number times its weight, summed."""

    model_config = example(
        step="fc7",
        channel=97,
        y=0,
        x=0,
        value=8.0,
        total=8.0,
        difference=0.0,
        magnitude=9.0,
        kind="fc",
        terms=[{"index": 234, "input": 2.0, "weight": 0.25, "product": 0.5}],
        rest=7.75,
        others=511,
        bias=-0.25,
    )
    kind: Literal["fc"] = "fc"
    terms: list[VoteTerm] = Field(description="The strongest terms for it and against it.")
    rest: float = Field(description="Sum of the other terms.")
    others: int
    bias: float


class ShareTerm(BaseModel):
    """One class in softmax's denominator."""

    index: int
    label: str
    logit: float
    exponential: float = Field(description="exp(logit - peak).")
    probability: float


class ShareExplained(Summed):
    """exp(logit - peak) / sum of all exponentials."""

    model_config = example(
        step="softmax",
        channel=97,
        y=0,
        x=0,
        value=0.8,
        total=0.8,
        difference=0.0,
        magnitude=1.0,
        kind="softmax",
        logit=8.0,
        peak=8.0,
        denominator=1.25,
        terms=[
            {"index": 97, "label": "espresso", "logit": 8.0, "exponential": 1.0, "probability": 0.8}
        ],
        rest=0.25,
        others=99,
    )
    kind: Literal["softmax"] = "softmax"
    logit: float
    peak: float = Field(description="The highest logit: subtracted from all, it cancels out.")
    denominator: float
    terms: list[ShareTerm] = Field(description="The likeliest classes.")
    rest: float = Field(description="Sum of the other exponentials.")
    others: int


Explanation = Annotated[
    ConvExplained
    | ReluExplained
    | PoolExplained
    | MeanExplained
    | NormExplained
    | CopyExplained
    | VoteExplained
    | ShareExplained,
    Field(discriminator="kind"),
]


class ChainPart(BaseModel):
    """A source of a link: term = weight x value; for a softmax, value is the logit."""

    source: SourceCell
    value: float
    weight: float | None = Field(description="None for a softmax: it multiplies by no weight.")
    term: float
    share: float = Field(
        description="The term as a share of |bias| + the magnitudes of all terms, -1..1; not of "
        "the cell's value, to which terms of both signs add up."
    )


class ChainLink(BaseModel):
    """A cell: value = bias + the parts' terms + rest."""

    cell: SourceCell
    kind: str
    value: float
    bias: float
    parts: list[ChainPart]
    rest: float
    others: int
    chosen: int | None = Field(description="The part that the next link explains.")
    box: list[int] = Field(
        description="[left, top, right, bottom] of its receptive field, input pixels."
    )
