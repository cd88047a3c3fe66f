"""The table of weights: each network's file, contents and preprocessing."""

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
            "On pictures it has never seen its first answer is right 64.6 % of the time."
        ),
        file="mini.safetensors",
        bytes=6_823_616,
        sha256="03ce3efd70cec6d58e53f960b952e3e1bdb73f70f2f5c4dcc8527da22ca14ff9",
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        resize=64,
        crop=64,
        labels="mini",
        licence="MIT",
        source="trained by this project on 100 classes of ImageNet at 64×64 pixels",
        embedded=True,
        top1=64.56,
        top5=85.60,
    ),
    *PUBLISHED,
)


def row(id: str) -> Weights | None:
    """The row of that id, None for an unknown id."""
    return next((weights for weights in TABLE if weights.id == id), None)
