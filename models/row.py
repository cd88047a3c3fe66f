"""The data of one network's weights: one row of the table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Weights:
    """One row: a network that users can choose.

    `file` is in `models/weights/` where `embedded`, else at `url`; `second` is another
    source of the same numbers, in timm's layout. `sha256` is in full, or its first digits as
    published; `bytes` is exact where it is in full. `resize` and `crop` are in pixels; `labels`
    names a table in `models/labels/`; `top1` and `top5` are per cent of ImageNet's (for `mini`:
    its own) validation pictures.
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
    url: str = ""
    second: str = ""
    top1: float = 0.0
    top5: float = 0.0

    @property
    def path(self) -> Path:
        """The path of a file that ships with the project."""
        return FOLDER / "weights" / self.file

    @property
    def labels_path(self) -> Path:
        """The path of the table `index,wnid,label,synset` of its classes."""
        return FOLDER / "labels" / f"{self.labels}.csv"
