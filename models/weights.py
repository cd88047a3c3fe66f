"""The one table of weights: where each network's file is, what it holds and how to feed it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Weights:
    """One row: a network that people can choose.

    `file` lies in `models/weights/` where `embedded`; `bytes` is its size and `sha256` its digest
    in full; `resize` and `crop` are in pixels; `labels` names a table in `models/labels/`.
    """

    id: str
    architecture: str
    title: str
    about: str
    file: str
    bytes: int
    sha256: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    resize: int
    crop: int
    labels: str
    licence: str
    source: str
    embedded: bool = False

    @property
    def path(self) -> Path:
        """Where the file lies when it ships with the project."""
        return FOLDER / "weights" / self.file

    @property
    def labels_path(self) -> Path:
        """The table `index,wnid,label,synset` of its classes."""
        return FOLDER / "labels" / f"{self.labels}.csv"


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
    ),
)


def row(id: str) -> Weights | None:
    """The row of that id, None where there is none."""
    return next((weights for weights in TABLE if weights.id == id), None)
