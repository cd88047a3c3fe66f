"""The one table of weights: where each network's file is, what it holds and how to feed it."""

from __future__ import annotations

from models.published import PUBLISHED
from models.row import IMAGENET_MEAN, IMAGENET_STD, Weights

TABLE: tuple[Weights, ...] = (
    Weights(
        id="mini",
        architecture="mini",
        title="mini AlexNet",
        about=(
            "AlexNet's five convolutional layers and three pools, made small enough to travel "
            "with this page. It looks at pictures of 64×64 pixels and knows 100 everyday things. "
            "On pictures it has never seen its first answer is right 58.5 % of the time."
        ),
        file="mini.safetensors",
        bytes=3_709_000,
        sha256="ce97798801022aadfc166be6086a284696a78b3d5ec4e65649149aa94fab203f",
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        resize=64,
        crop=64,
        labels="mini",
        licence="MIT",
        source="trained by this project on 100 classes of ImageNet at 64×64 pixels",
        embedded=True,
        top1=58.54,
        top5=82.82,
    ),
    *PUBLISHED,
)


def row(id: str) -> Weights | None:
    """The row of that id, None where there is none."""
    return next((weights for weights in TABLE if weights.id == id), None)
