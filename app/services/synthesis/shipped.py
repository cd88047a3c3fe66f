"""Synthesised pictures of whole steps, one sheet per step: shipped, or the operator's own."""

from __future__ import annotations

import io
import json
import logging
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

import torch
from PIL import Image
from torch import Tensor

from app.pictures.sheets import SheetLayout, arrange
from app.services.networks.asset_files import AssetFile, find
from app.services.networks.catalogue import Model
from app.services.synthesis.query import SynthesisQuery
from app.vision.synthesis import SynthesisRecipe
from app.vision.synthesis_goals import SynthesisGoal

KIND, SHEET, OBJECTIVE, RECIPE = "synthesised", "sheet.", "objective.", "recipe"
"""Names: of the file, prefixes of its tensors before a step's name, key of the recipe."""
QUALITY = 75
"""JPEG quality; without chroma subsampling, so that its 8-pixel blocks stay within a tile."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ShippedPictures:
    """By step: `sheets`, a JPEG of all channels in order, and `objectives`, [C] each.

    All pictures were made with `recipe`. `own` marks the operator's own, which are not shipped.
    """

    recipe: SynthesisRecipe
    sheets: Mapping[str, Tensor]
    objectives: Mapping[str, Tensor]
    own: bool = False

    def layout(self, at: str) -> SheetLayout | None:
        """The position of each channel on the sheet of a step; None without a sheet."""
        if at not in self.sheets:
            return None
        return arrange(len(self.objectives[at]), self.recipe.size, self.recipe.size)

    def sheet(self, at: str) -> bytes:
        """The pictures of all channels as JPEG. Raises `KeyError` for a step without a sheet."""
        return self.sheets[at].numpy().tobytes()

    def tag(self, at: str) -> str:
        """A checksum that identifies this version of a step's sheet."""
        return f"{zlib.crc32(self.sheet(at)):08x}"

    def tile(self, at: str, channel: int) -> Image.Image:
        """The picture of one channel, S x S. Raises `KeyError` for a step without a sheet."""
        side = self.recipe.size
        x, y = arrange(len(self.objectives[at]), side, side).position(channel)
        return _decoded(self.sheet(at)).crop((x, y, x + side, y + side))

    def has(self, query: SynthesisQuery) -> bool:
        """True if exactly the queried picture is among them."""
        return (
            query.at in self.sheets
            and query.goal == SynthesisGoal(query.goal.channel)
            and query.goal.channel is not None
            and same(query.recipe) == same(self.recipe)
        )


def shipped(model: Model, at: str) -> ShippedPictures | None:
    """The pictures of a step, the operator's own before the shipped ones, or None."""
    return next((one for one in files(model) if at in one.sheets), None)


def files(model: Model) -> Iterator[ShippedPictures]:
    """Every file of pictures made from a network's weights, the operator's own first."""
    for asset in find(model, KIND).assets:
        try:
            yield _of(asset)
        except (ValueError, KeyError, TypeError) as error:
            _log.warning("%s cannot be read: %r", asset.path, error)


def same(recipe: SynthesisRecipe) -> dict[str, object]:
    """The parts of a recipe that the picture depends on."""
    return {name: value for name, value in asdict(recipe).items() if name != "every"}


def pack(
    recipe: SynthesisRecipe,
    pictures: Mapping[str, Sequence[Image.Image]],
    objectives: Mapping[str, Tensor],
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of the file that `shipped` reads, from all pictures of each step."""
    tensors = {SHEET + at: _sheet(tiles) for at, tiles in pictures.items()}
    tensors |= {OBJECTIVE + at: values.float() for at, values in objectives.items()}
    return tensors, {RECIPE: json.dumps(same(recipe))}


def _sheet(tiles: Sequence[Image.Image]) -> Tensor:
    """Arrange tiles of one size on a JPEG, as uint8 [n]; unused places are grey."""
    size = tiles[0].width
    layout = arrange(len(tiles), size, size)
    page = Image.new("RGB", (layout.width, layout.height), (128, 128, 128))
    for i, tile in enumerate(tiles):
        page.paste(tile, layout.position(i))
    file = io.BytesIO()
    page.save(file, "JPEG", quality=QUALITY, subsampling=0)
    return torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)


def _of(asset: AssetFile) -> ShippedPictures:
    names = [key.removeprefix(SHEET) for key in asset.tensors if key.startswith(SHEET)]
    return ShippedPictures(
        SynthesisRecipe(**json.loads(asset.about[RECIPE])),
        {name: asset.tensors[SHEET + name] for name in names},
        {name: asset.tensors[OBJECTIVE + name] for name in names},
        own=not asset.shipped,
    )


@lru_cache(3)
def _decoded(sheet: bytes) -> Image.Image:
    """Decode a sheet; up to 3.5 MB each, so only a few are cached."""
    with Image.open(io.BytesIO(sheet), formats=["JPEG"]) as image:
        return image.convert("RGB")
