"""A folder of synthesised pictures of one step: one PNG per channel, and a JSON index."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from app.errors import DataUnusable, UnknownStep
from app.pictures.encode import encode_png
from app.services.files import put
from app.services.networks.catalogue import Model
from app.services.networks.loading import weights_digest
from app.services.runs.run import preprocess
from app.vision.synthesis import Synthesis, SynthesisRecipe, synthesise
from app.vision.synthesis_goals import SynthesisGoal
from models.graph import Network

INDEX = "synthesised.json"


@dataclass(frozen=True, slots=True)
class CollectionProgress:
    """`done` of `total` channels are written; the current batch is at `step` of `steps`."""

    done: int
    total: int
    step: int
    steps: int


class StepCollection:
    """Pictures of some channels of a step in the folder `out`; existing ones are reused.

    Raises `UnknownStep` for a step or channel that the network does not have, `DataUnusable` if
    `out` holds pictures made with other options.
    """

    def __init__(
        self,
        model: Model,
        step: str,
        channels: Sequence[int],
        recipe: SynthesisRecipe,
        out: Path,
        away: bool = False,
    ) -> None:
        self.model, self.recipe, self.out, self.away = model, recipe, out, away
        self.step, self.channels = step, tuple(channels)
        check(model, step, channels)
        made = {key: value for key, value in asdict(recipe).items() if key != "every"}
        weights = weights_digest(model.entry)
        self._about = {"model": model.id, "weights": weights, "step": step, "away": away, **made}
        self._pictures: dict[str, dict[str, Any]] = self._read()

    @property
    def left(self) -> list[int]:
        """Channels whose pictures are missing."""
        return [c for c in self.channels if not self._has(c)]

    @property
    def objectives(self) -> list[float]:
        """The objective of each channel's picture. Raises `KeyError` for a missing one."""
        return [float(self._pictures[str(c)]["objective"]) for c in self.channels]

    def make(self, network: Network, batch: int = 16) -> Iterator[CollectionProgress]:
        """Make the missing pictures, `batch` channels together; yield progress after each step.

        Pictures are written when their batch is finished. Raises `NotWritten`.
        """
        left, prep = self.left, preprocess(self.model)
        for start in range(0, len(left), batch):
            some = left[start : start + batch]
            goals = [SynthesisGoal(channel, away=self.away) for channel in some]
            work = Synthesis(network, self.step, goals, prep.mean, prep.std, self.recipe)
            for grown in synthesise(work):
                done = len(self.channels) - len(left) + start
                if grown.step == self.recipe.steps and grown.pictures is not None:
                    self._keep(some, work.at, grown.objectives, grown.pictures)
                    done += len(some)
                yield CollectionProgress(done, len(self.channels), grown.step, self.recipe.steps)

    def file(self, channel: int) -> Path:
        """The path of a channel's picture."""
        return self.out / f"{channel:04d}.png"

    def images(self) -> list[Image.Image]:
        """The picture of each channel, in order. Raises `OSError` for a missing one."""
        return [_opened(self.file(channel)) for channel in self.channels]

    def _keep(
        self, channels: list[int], at: str, objectives: Sequence[float], pictures: Tensor
    ) -> None:
        for channel, objective, picture in zip(channels, objectives, pictures, strict=True):
            put(self.file(channel), png(picture))
            entry = {"file": self.file(channel).name, "objective": objective, "measured_at": at}
            if self.step == self.model.outline.logits:
                entry["label"] = self.model.labels[channel].label
            self._pictures[str(channel)] = entry
        content = {**self._about, "pictures": self._pictures}
        put(self.out / INDEX, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())

    def _has(self, channel: int) -> bool:
        return str(channel) in self._pictures and self.file(channel).is_file()

    def _read(self) -> dict[str, dict[str, Any]]:
        index = self.out / INDEX
        if not index.exists():
            return {}
        try:
            content = json.loads(index.read_text(encoding="utf-8"))
            pictures: dict[str, dict[str, Any]] = dict(content.pop("pictures"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataUnusable(f"{index} cannot be read ({error}).") from error
        if content != self._about:
            other = [key for key, value in self._about.items() if content.get(key) != value]
            raise DataUnusable(
                f"{self.out} holds pictures of another {', '.join(other) or 'kind'}. Give the same "
                "options to go on, or choose another --out."
            )
        return pictures


def _opened(path: Path) -> Image.Image:
    with Image.open(path, formats=["PNG"]) as picture:
        return picture.convert("RGB")


def png(picture: Tensor) -> bytes:
    """Encode a picture [3,S,S] in 0..1 as PNG."""
    return encode_png(image_of(picture))


def image_of(picture: Tensor) -> Image.Image:
    """Convert a picture [3,S,S] in 0..1 to 8 bits, rounded."""
    whole = picture.detach().cpu().mul(255).round().clamp(0, 255).byte()
    return Image.fromarray(whole.permute(1, 2, 0).contiguous().numpy())


def check(model: Model, step: str, channels: Sequence[int]) -> None:
    """Raise `UnknownStep` for a step or a channel that the network does not have."""
    if step not in model.geometry:
        known = ", ".join(one.name for one in model.outline.steps)
        raise UnknownStep(f"{model.row.title} has no step “{step[:60]}”. It has: {known}.")
    count = model.geometry[step].shape[0]
    if wrong := [c for c in channels if not 0 <= c < count]:
        raise UnknownStep(f"{step} has channels 0 to {count - 1}, not {wrong[0]}.")
