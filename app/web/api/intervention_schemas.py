"""Response models of interventions (occlusion, masks, ablation), with examples."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from app.web.api.schemas import Prediction, example

_ESPRESSO = {"index": 97, "label": "espresso", "logit": 14.1, "probability": 0.993}
_LATER = {"index": 97, "label": "espresso", "logit": 8.2, "probability": 0.41}


class ClassChange(BaseModel):
    """One class before and after."""

    index: int
    label: str
    logit_before: float
    logit_after: float
    probability_before: float
    probability_after: float


class BothAnswers(BaseModel):
    """The network's predictions before and after; empty and null for a partial network."""

    before: list[Prediction] = Field(description="The likeliest classes before.")
    after: list[Prediction] = Field(description="The likeliest classes after.")
    asked: ClassChange | None = Field(description="The queried class.")
    flipped: bool = Field(description="Whether the predicted class changed.")


class AblationInfo(BothAnswers):
    """The network's predictions with channels of a step set to zero."""

    model_config = example(
        step="conv3",
        off=[3, 17, 58],
        before=[_ESPRESSO],
        after=[_LATER],
        asked={
            "index": 97,
            "label": "espresso",
            "logit_before": 14.1,
            "logit_after": 8.2,
            "probability_before": 0.993,
            "probability_after": 0.41,
        },
        flipped=False,
        compared="fc7",
        moved=0.38,
    )
    step: str
    off: list[int] = Field(description="The channels that are zero.")
    compared: str = Field(description="The step that is compared: the logits, or the last maps.")
    moved: float = Field(description="||after - before|| / ||before|| of that step.")


class RankedChannel(BaseModel):
    """How much a class drops if one channel alone is switched off; below zero the class gains."""

    channel: int
    logit: float = Field(description="Logit before minus after.")
    probability: float = Field(description="Probability before minus after.")


class RankingInfo(BaseModel):
    """All channels of a step, the one with the largest drop first."""

    model_config = example(
        step="conv5",
        index=97,
        label="espresso",
        channels=[{"channel": 83, "logit": 1.9, "probability": 0.02}],
    )
    step: str
    index: int
    label: str
    channels: list[RankedChannel]


class CoverInfo(BothAnswers):
    """The network's predictions for a picture of which a part is covered."""

    model_config = example(
        mask="00" * 32,
        how="grey",
        share=0.25,
        before=[_ESPRESSO],
        after=[_LATER],
        asked=None,
        flipped=False,
    )
    mask: str
    how: str
    share: float = Field(description="Share of the picture that is covered, 0..1.")


class OcclusionInfo(BaseModel):
    """Occlusion map: the drop of a value with a patch at each place."""

    model_config = example(
        step="conv5",
        channel=83,
        cell=None,
        patch=12,
        stride=4,
        fill="grey",
        of="unit",
        whole=0.31,
        rows=[[0, 12], [4, 16]],
        columns=[[0, 12], [4, 16]],
        drops=[[0.01, 0.02], [0.11, 0.07]],
    )
    step: str = Field(description="The step where the value is read; the softmax for a class.")
    channel: int
    cell: list[int] | None = Field(description="[row, column]; null for the mean of the map.")
    patch: int
    stride: int
    fill: str
    of: str
    whole: float = Field(description="The value with nothing covered.")
    rows: list[list[int]] = Field(
        description="First and one-past-last pixel of each row of places."
    )
    columns: list[list[int]]
    drops: Annotated[
        list[list[float]], Field(description="Value before minus value after, row by row.")
    ]
