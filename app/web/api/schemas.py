"""Response models that several API routes share, with examples for the documentation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.graph import Kind


def example(**values: Any) -> ConfigDict:
    """The example that the documentation shows for a schema."""
    return ConfigDict(json_schema_extra={"examples": [values]})


Shape = Annotated[list[int], Field(description="[C,H,W], or [K] from flatten on.")]
Window = Annotated[list[int] | None, Field(description="[height, width]; null without a window.")]
Stage = Annotated[
    int | None, Field(description="The layer 1-5 as usually counted; null for the head.")
]


class Problem(BaseModel):
    """An error, in a sentence for users (RFC 9457)."""

    model_config = example(
        type="about:blank",
        status=404,
        title="Unknown step",
        detail="Mini has no step called “conv9”.",
    )
    type: str = "about:blank"
    status: int
    title: str
    detail: str


class Health(BaseModel):
    """Status of the server."""

    model_config = example(
        status="ok", version="0.1.0", device="CPU · 2 threads", default_model="mini"
    )
    status: Literal["ok"]
    version: str
    device: str
    default_model: str


class WeightsState(BaseModel):
    """Where a network's weights are."""

    state: Literal["embedded", "ready", "partial", "downloadable", "random"] = Field(
        description="`random`: no file, weights drawn with a fixed seed; predictions are guesses."
    )
    verified: bool = Field(description="The file's SHA-256 is checked against the table's.")


class StepInfo(BaseModel):
    """One named step of a network."""

    model_config = example(
        name="conv1",
        kind="conv",
        inputs=["input"],
        stage=1,
        shape=[64, 32, 32],
        kernel=[7, 7],
        stride=[2, 2],
        padding=[3, 3],
        receptive_field=7,
    )
    name: str
    kind: Kind
    inputs: list[str] = Field(description="Names of earlier steps; `input` is the picture.")
    stage: Stage
    shape: Shape
    kernel: Window
    stride: Window
    padding: Window
    receptive_field: int = Field(description="Side of the receptive field of a cell, input pixels.")


class ModelInfo(BaseModel):
    """A network that can be selected."""

    id: str
    title: str
    about: str
    input_size: int = Field(description="Side of the input picture, pixels.")
    classes: int
    parameters: int
    default: bool
    weights: WeightsState
    steps: list[StepInfo]


class LabelInfo(BaseModel):
    """One class of a network."""

    model_config = example(index=19, wnid="n02123045", label="tabby cat", synset="tabby, tabby cat")
    index: int
    wnid: str = Field(description="WordNet id, the same in every ImageNet network.")
    label: str
    synset: str


class SampleInfo(BaseModel):
    """A built-in picture; its id is an image id."""

    model_config = example(
        id="coffee",
        title="Cup of espresso",
        credit="Rachel Michetti, Pikolo Espresso Bar",
        licence="CC0",
    )
    id: str
    title: str
    credit: str
    licence: str


class ImageInfo(BaseModel):
    """An uploaded picture."""

    model_config = example(
        id="5f0c9d2b7a3e4d1f8b6a90c1d2e3f405",
        width=4032,
        height=3024,
        notes=["It was turned upright, as the camera noted."],
        expires=1_800_000_000,
    )
    id: str
    width: int
    height: int
    notes: list[str] = Field(description="What was done to convert it to a plain RGB picture.")
    expires: float = Field(description="When it will be deleted, seconds since 1970.")


class Prediction(BaseModel):
    """One class with its logit and probability."""

    model_config = example(index=97, label="espresso", logit=11.93, probability=0.981)
    index: int
    label: str
    logit: float
    probability: float


class StepFigures(BaseModel):
    """Statistics of a step's output."""

    name: str
    kind: Kind
    stage: Stage
    shape: Shape
    min: float
    max: float
    mean: float
    zeros: float = Field(description="Share of values that are exactly zero, 0..1.")
    milliseconds: float = Field(description="Time of the step for its whole batch.")
    batch: int = Field(description="Pictures that were computed together.")


class PreprocessInfo(BaseModel):
    """How the picture was preprocessed to the network's input."""

    resize: int = Field(description="Length of the shorter side after scaling, pixels.")
    crop: int = Field(description="Side of the centre crop, pixels.")
    mean: list[float]
    std: list[float]
    photo: list[int] = Field(description="[width, height] of the picture.")
    resized: list[int] = Field(description="[width, height] after scaling.")
    box: list[int] = Field(
        description="[left, top, right, bottom] of the crop in the resized picture."
    )
    untouched: bool = Field(description="It had exactly the right size and was used unchanged.")


class RunInfo(BaseModel):
    """One forward pass of a picture through a network."""

    predictions: list[Prediction]
    steps: list[StepFigures]
    preprocess: PreprocessInfo


class ChannelFigures(BaseModel):
    """Range of one channel."""

    channel: int
    min: float
    max: float


class SheetInfo(BaseModel):
    """How to read a sheet: tile i lies at column i mod `columns`, row i div `columns`."""

    tile: list[int] = Field(description="[width, height] of a tile, pixels.")
    columns: int
    rows: int
    size: list[int] = Field(description="[width, height] of the sheet, pixels.")
    order: list[int] = Field(description="The channel that tile i shows.")
    limits: list[float] = Field(description="The magnitude at which tile i's colours end.")
    lowest: float
    highest: float
    palette: Literal["signed", "nonnegative", "logit"]
    scale: Literal["unit", "layer", "network"]
    reduced: bool = Field(description="Maps were averaged down to fit the requested size.")
    channels: list[ChannelFigures]


def problem(description: str) -> dict[str, Any]:
    """The OpenAPI documentation of an error response."""
    schema = Problem.model_json_schema()
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": schema}},
    }


ERRORS: dict[int | str, dict[str, Any]] = {
    404: problem("No such network, picture or step."),
    422: problem("A value is out of range."),
    503: problem("Weights not here, or the queue is full."),
}
