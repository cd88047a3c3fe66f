"""Request and response models of an attack, with examples for the documentation."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.services.attacks.options import LARGEST, MOST_STEPS, Method
from app.web.api.schemas import Prediction, example

Number = Annotated[float | None, Field(ge=0, allow_inf_nan=False)]
Class = Annotated[int | str | None, Field(union_mode="left_to_right")]


class AttackAsked(BaseModel):
    """The network, the picture and the settings of an attack."""

    model_config = ConfigDict(
        **example(model="mini", image="coffee", method="pgd", epsilon=4, target=17),
        extra="forbid",
    )
    model: str = Field(description="Id of the network.", max_length=200)
    image: str = Field(description="Id of a sample or an upload.", max_length=200)
    method: Method
    epsilon: Number = Field(
        None,
        description=(
            f"How far the attack may go: in 1/255, 0 to {LARGEST:g}, for fgsm, pgd, universal and "
            "noise; for pgd_l2 the Euclidean norm over all pixel values, in the same unit; for "
            "few_pixel the number of pixels; for sticker percent of the area. deepfool has none."
        ),
    )
    steps: int | None = Field(
        None, ge=1, le=MOST_STEPS, description="Default: 10, deepfool 50, sticker 60."
    )
    step_size: Number = Field(None, description="In epsilon's unit; default: epsilon / 4.")
    target: Class = Field(
        None,
        description="Index (or name) of the target class; without it, the attack is untargeted.",
    )
    true_label: Class = Field(None, description="Index (or name) of the true class, for `fooled`.")
    seed: int | None = Field(
        None,
        ge=0,
        lt=2**53,
        description="Seed of the random generator: the same seed gives the same attack.",
    )


class TraceStep(BaseModel):
    """One step of the attack, as the network classifies its 8-bit picture."""

    model_config = example(
        step=3, label="hourglass", probability=0.71, target_probability=None, linf=3.0
    )
    step: int = Field(description="0 is the clean picture.")
    label: str = Field(description="The predicted class.")
    probability: float = Field(description="Of the predicted class, 0..1.")
    target_probability: float | None = Field(description="Null without a target.")
    linf: float = Field(description="Largest change of a pixel value so far, in 1/255.")


class DriftInfo(BaseModel):
    """How far the activations of the attacked and clean picture are apart at one step."""

    model_config = example(step="conv3", relative_l2=0.31, cosine=0.95, noise_relative_l2=0.06)
    step: str
    relative_l2: float = Field(description="|attacked - clean| / |clean|.")
    cosine: float = Field(description="Cosine of the angle between the two, -1..1.")
    noise_relative_l2: float = Field(description="The same for the random noise of the control.")


class ControlInfo(BaseModel):
    """The control: random noise of the same size on the same picture."""

    kind: str = Field(
        description="sign: same largest change; gaussian: same Euclidean norm; pixels: as many; "
        "sticker: of random colours, at the same place."
    )
    flipped: bool
    after: list[Prediction]
    linf: float
    l2: float


class AttackInfo(BaseModel):
    """The result of an attack."""

    adversarial_image: str = Field(
        description="Id of the 8-bit adversarial picture, S x S: uploaded again it fools again."
    )
    flipped: bool = Field(description="The predicted class changed.")
    reached_target: bool = Field(
        description="The predicted class is the target; false without one."
    )
    fooled: bool | None = Field(
        description="The prediction was right and is wrong now; null without `true_label`."
    )
    before: list[Prediction]
    after: list[Prediction]
    linf: float = Field(description="Largest change of a pixel value, an integer, in 1/255.")
    l2: float = Field(description="Euclidean norm of the perturbation, in pixel values.")
    ssim: float = Field(description="Structural similarity to the clean picture; 1 means equal.")
    notes: list[str]
    trace: list[TraceStep]
    drift: list[DriftInfo]
    control: ControlInfo
