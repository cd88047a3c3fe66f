"""Response models of a channel: what it responds to, and its synthesised picture as it grows."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from app.web.api.schemas import example

GROWN: dict[str, Any] = {
    "step": 48,
    "steps": 512,
    "picture": "/api/v1/models/mini/steps/conv5/channels/17/synthesised.png?steps=48&seed=0",
    "picture_step": 48,
    "objective": 2.31,
    "seconds_left": 4.1,
    "problem": None,
}
"""An event of the stream, as the documentation shows it."""


class SynthesisedInfo(BaseModel):
    """A picture synthesised for a channel (activation maximisation), and its settings."""

    url: str = Field(description="URL of the picture; 404 while `state` is `none`.")
    state: Literal["shipped", "cached", "none"] = Field(
        description="Shipped with the weights; computed here, alone or with its layer; missing."
    )
    events: str = Field(description="URL of the event stream that computes it.")
    steps: int = Field(description="Steps of gradient ascent.")
    seed: int
    size: int = Field(description="Side in pixels.")
    measured_at: str = Field(
        description="The step, before any ReLU, whose activation is maximised."
    )
    objective: float | None = Field(
        description="That activation for the picture; null without one."
    )


class ChannelStatistics(BaseModel):
    """Mean responses of a channel to the training pictures of each class."""

    measured_at: str = Field(description="The step: the last of its stage before pooling.")
    mean: float = Field(description="Over all classes.")
    lowest: float = Field(description="Of the class with the lowest mean response.")
    highest: float = Field(description="Of the class with the highest mean response.")
    pictures: str = Field(description="Which pictures were measured, in words.")


class ClassPreference(BaseModel):
    """A class, and the channel's mean response to its pictures."""

    index: int
    label: str = Field(alias="class", serialization_alias="class")
    value: float


class CropInfo(BaseModel):
    """A crop of a photo that activates the channel strongly."""

    url: str
    value: float = Field(description="The activation there.")
    label: str | None = Field(description="The photo's class, if known.")


class ChannelInfo(BaseModel):
    """What one channel responds to."""

    model_config = example(
        model="mini",
        step="conv5",
        channel=17,
        label=None,
        synthesised={
            "url": "/api/v1/models/mini/steps/conv5/channels/17/synthesised.png?steps=512&seed=0",
            "state": "shipped",
            "events": "/api/v1/models/mini/steps/conv5/channels/17/synthesised/events",
            "steps": 512,
            "seed": 0,
            "size": 64,
            "measured_at": "conv5",
            "objective": 5.2,
        },
        statistics={
            "measured_at": "relu5",
            "mean": 0.11,
            "lowest": 0.01,
            "highest": 0.87,
            "pictures": "the training pictures of each class",
        },
        prefers=[{"index": 19, "class": "tabby cat", "value": 0.87}],
        crops=[{"url": "/crops/mini/samples/conv5/17/8.webp", "value": 6.1, "label": None}],
        receptive_field=127,
        kernel=None,
    )
    model: str
    step: str
    channel: int
    label: str | None = Field(description="The class it stands for; null for most.")
    synthesised: SynthesisedInfo
    statistics: ChannelStatistics | None = Field(
        description="null if no class means ship with these weights."
    )
    prefers: list[ClassPreference] = Field(
        description="The classes with the highest mean response, at most 5."
    )
    crops: list[CropInfo] = Field(
        description="The crops with the highest activation, at most nine; empty during the survey."
    )
    receptive_field: int = Field(description="Side of the receptive field of a cell, input pixels.")
    kernel: str | None = Field(description="URL of its kernel in colour, if it reads the picture.")


class GrowthInfo(BaseModel):
    """One event of the stream of a growing picture."""

    model_config = example(**GROWN)
    step: int
    steps: int
    picture: str = Field(description="URL of the newest picture.")
    picture_step: int = Field(description="The step after which it was taken.")
    objective: float = Field(description="The objective for that picture.")
    seconds_left: float
    problem: str | None = Field(description="Why the finished picture could not be stored.")
