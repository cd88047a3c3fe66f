"""The sources of a unit's crops: built-in pictures, uploads, atlases of an operator's folders."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from app.errors import LayerscopeError, NotFound
from app.pictures.decode import decode
from app.pictures.preprocess import Fitted, fit
from app.pictures.samples import sample
from app.services.atlas.crops import encoded
from app.services.atlas.folder import class_of
from app.services.atlas.library import AtlasFile
from app.services.atlas.upload_crops import UploadCrops
from app.services.networks.catalogue import Model
from app.services.pictures.store import Pictures
from app.services.runs.peaks import PeakEntry, strongest
from app.services.runs.run import preprocess
from app.services.surveys.survey import Survey
from app.services.synthesis.query import unit_origin
from models.graph import INPUT

SAMPLES, UPLOADS = "samples", "uploads"


class CropSource(Protocol):
    """One collection of pictures, in which each picture is identified by a number.

    `immutable` says that a number always stands for the same picture.
    """

    id: str
    model: Model
    immutable: bool

    def ranking(self, step: str, channel: int) -> list[PeakEntry]:
        """The pictures in which a convolution's channel has its highest peaks, strongest first."""

    def crop(self, step: str, channel: int, entry: PeakEntry) -> bytes:
        """The cell's receptive field as WebP, transparent beyond the picture's edge."""

    def fitted(self, number: int) -> Fitted:
        """A picture as the network's input. Raises `NotFound` if it has been deleted."""

    def image(self, number: int) -> str | None:
        """The id of a picture stored on this server; None for one in a folder."""

    def name(self, number: int) -> str:
        """The public name of a picture; "" for an upload, whose name is private."""

    def has_whole_picture(self, number: int) -> bool:
        """True if the whole picture is available, not only its crop."""

    def label(self, number: int) -> str | None:
        """The class of a picture, if it is known."""


def find_entry(source: CropSource, step: str, channel: int, number: int) -> PeakEntry:
    """The entry of a picture in a channel's list: other pictures cannot be requested.

    Raises `NotFound`.
    """
    for entry in source.ranking(step, channel):
        if entry.number == number:
            return entry
    raise NotFound("This picture is not among the strongest of this map, or no longer here.")


def convolution(model: Model, step: str, channel: int) -> tuple[str, int] | None:
    """The convolution and channel that a unit's values come from; None if there is none."""
    at, number = unit_origin(model, step, channel)
    while at != INPUT and model.outline.step(at).kind == "norm":
        at = model.outline.step(at).inputs[0]
    if at == INPUT or model.outline.step(at).kind != "conv" or number is None:
        return None
    return at, number


class SampleCropSource:
    """Crops of the built-in pictures."""

    id = SAMPLES
    immutable = True

    def __init__(self, model: Model, survey: Survey, pictures: Pictures) -> None:
        self.model, self._survey, self._pictures = model, survey, pictures
        self.count = len(survey.pictures)

    def ranking(self, step: str, channel: int) -> list[PeakEntry]:
        """See `CropSource`."""
        return strongest(self._survey.peaks, step, channel)

    def crop(self, step: str, channel: int, entry: PeakEntry) -> bytes:
        """See `CropSource`."""
        return _cut(self, self.model, step, entry)

    def fitted(self, number: int) -> Fitted:
        """See `CropSource`."""
        return fit(self._pictures.open(self.image(number)), preprocess(self.model))

    def image(self, number: int) -> str:
        """See `CropSource`."""
        return self._survey.pictures[number]

    def name(self, number: int) -> str:
        """See `CropSource`."""
        built_in = sample(self.image(number))
        return built_in.title if built_in else ""

    def label(self, number: int) -> str | None:
        """See `CropSource`."""
        built_in = sample(self.image(number))
        return built_in.subject if built_in and built_in.wnid else None

    def has_whole_picture(self, number: int) -> bool:
        """See `CropSource`."""
        return True


class UploadCropSource:
    """Crops of uploaded pictures, if the operator shares them."""

    id = UPLOADS
    immutable = False

    def __init__(self, model: Model, gathered: UploadCrops, pictures: Pictures) -> None:
        self.model, self._gathered, self._pictures = model, gathered, pictures

    def ranking(self, step: str, channel: int) -> list[PeakEntry]:
        """See `CropSource`."""
        return self._gathered.best(self.model, step, channel)

    def crop(self, step: str, channel: int, entry: PeakEntry) -> bytes:
        """See `CropSource`."""
        return _cut(self, self.model, step, entry)

    def fitted(self, number: int) -> Fitted:
        """See `CropSource`."""
        if (image := self.image(number)) is None:
            raise NotFound("This picture is no longer here.")
        return fit(self._pictures.open(image), preprocess(self.model))

    def image(self, number: int) -> str | None:
        """See `CropSource`."""
        return self._gathered.image(number)

    def name(self, number: int) -> str:
        """See `CropSource`."""
        return ""

    def label(self, number: int) -> None:
        """See `CropSource`."""

    def has_whole_picture(self, number: int) -> bool:
        """See `CropSource`."""
        return self.image(number) is not None


class AtlasCropSource:
    """Crops of an operator's folder, read from its atlas."""

    immutable = False

    def __init__(self, model: Model, atlas: AtlasFile) -> None:
        self.model, self.atlas = model, atlas
        self.id = atlas.id

    def ranking(self, step: str, channel: int) -> list[PeakEntry]:
        """See `CropSource`."""
        count = self.model.geometry[step].shape
        return [w for w in self.atlas.ranking(step, channel) if 0 <= w.cell < count[1] * count[2]]

    def crop(self, step: str, channel: int, entry: PeakEntry) -> bytes:
        """See `CropSource`."""
        return self.atlas.crop(step, channel, entry.number)

    def fitted(self, number: int) -> Fitted:
        """See `CropSource`."""
        path = self.atlas.picture(number)
        if path is None:
            raise NotFound("The folder this picture lies in is not here now.")
        try:
            return fit(decode(path.read_bytes()).image, preprocess(self.model))
        except (OSError, LayerscopeError) as error:
            raise NotFound("This picture's file cannot be read now.") from error

    def image(self, number: int) -> None:
        """See `CropSource`."""

    def name(self, number: int) -> str:
        """See `CropSource`."""
        return self.atlas.name(number)

    def label(self, number: int) -> str | None:
        """See `CropSource`."""
        name = class_of(self.atlas.name(number)) if self.atlas.about.classes else ""
        labels = {label.wnid: label.label for label in self.model.labels}
        return labels.get(name, name) or None

    def has_whole_picture(self, number: int) -> bool:
        """See `CropSource`."""
        return self.atlas.picture(number) is not None


def _cut(source: CropSource, model: Model, step: str, entry: PeakEntry) -> bytes:
    pixels: Tensor = source.fitted(entry.number).pixels
    return encoded(pixels, model.geometry[step], entry.cell)
