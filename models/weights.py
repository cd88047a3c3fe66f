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
            "On pictures it has never seen its first answer is right 62.1 % of the time."
        ),
        file="mini.safetensors",
        bytes=6_823_368,
        sha256="42da6880820b93d899d76e6e054d51c590f024be98d72a2c608f86069f9c807b",
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        resize=64,
        crop=64,
        labels="mini",
        licence="MIT",
        source="trained by this project on 100 classes of ImageNet at 64×64 pixels",
        embedded=True,
        top1=62.08,
        top5=84.64,
    ),
    *PUBLISHED,
)


def row(id: str) -> Weights | None:
    """The row of that id, None where there is none."""
    return next((weights for weights in TABLE if weights.id == id), None)
