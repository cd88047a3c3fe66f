"""Universal adversarial perturbations: one noise for many pictures; made, measured, stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from app.errors import DataUnusable
from app.services.networks.asset_files import AssetFile, find
from app.services.networks.catalogue import Model
from app.services.networks.weight_files import RefusedFile
from app.vision.attacks.noise import sign_noise
from app.vision.attacks.pixel_grid import WHITE
from app.vision.attacks.pixel_model import PixelModel
from app.vision.attacks.universal import BATCH, PASSES, scaled, universal, with_noise

KIND = "universal"
AT = (4.0, 8.0, 10.0)
"""The epsilons it is measured at, up to its own, and its own."""


@dataclass(frozen=True, slots=True)
class NoiseRecipe:
    """How a noise is made: `epsilon` in pixel values, `passes` over the pictures."""

    epsilon: float = 10.0
    passes: int = PASSES
    batch: int = BATCH
    seed: int = 0


@dataclass(frozen=True, slots=True)
class NoiseFigures:
    """The share of held-out pictures, 0..1, whose prediction the noise changes at `epsilon`.

    `random` is the share that random signs of the same size change.
    """

    epsilon: float
    share: float
    random: float


@dataclass(frozen=True, slots=True)
class UniversalNoise:
    """`values` is int8 [3,S,S], made from `pictures` pictures and measured on `tested` others."""

    values: Tensor
    recipe: NoiseRecipe
    pictures: int
    tested: int
    flipped: tuple[NoiseFigures, ...]
    shipped: bool = False

    @property
    def epsilon(self) -> float:
        """The epsilon it was made for."""
        return self.recipe.epsilon

    @property
    def share(self) -> float:
        """The share of predictions it changes at its own epsilon."""
        return self.flipped[-1].share

    def at(self, epsilon: float) -> Tensor:
        """The noise scaled to an epsilon up to its own, int16 [3,S,S]."""
        return scaled(self.values, epsilon / self.epsilon, epsilon)


@dataclass(frozen=True, slots=True)
class NoiseTraining:
    """`done` of `total` steps; `reached` is the success rate on the last batch, 0..1."""

    done: int
    total: int
    reached: float


def make(
    reader: PixelModel, pictures: Tensor, held_out: Tensor, recipe: NoiseRecipe
) -> Iterator[NoiseTraining | UniversalNoise]:
    """Make a noise: yield progress after each step, finally the noise measured on `held_out`.

    Both sets of pictures are uint8 [N,3,S,S].
    """
    total = recipe.passes * -(-len(pictures) // recipe.batch)
    for step in universal(
        reader, pictures, recipe.epsilon, passes=recipe.passes, batch=recipe.batch,
        seed=recipe.seed,
    ):  # fmt: skip
        yield NoiseTraining(step.number, total, step.reached)
    values = step.noise.cpu().to(torch.int8)
    noise = UniversalNoise(values, recipe, len(pictures), len(held_out), ())
    flipped = tuple(measured(reader, held_out, noise))
    yield UniversalNoise(values, recipe, len(pictures), len(held_out), flipped)


def measured(reader: PixelModel, held_out: Tensor, noise: UniversalNoise) -> Iterator[NoiseFigures]:
    """Measure the noise and random signs on uint8 [N,3,S,S], at every epsilon up to its own."""
    before = _classes(reader, held_out)
    for epsilon in (*(e for e in AT if e < noise.epsilon), noise.epsilon):
        changed = [
            (_classes(reader, other) != before).double().mean().item()
            for other in (
                with_noise(held_out, noise.at(epsilon)),
                sign_noise(held_out, epsilon, noise.recipe.seed),
            )
        ]
        yield NoiseFigures(epsilon, *changed)


def _classes(reader: PixelModel, pixels: Tensor) -> Tensor:
    """The predicted class of each picture, int64 [N]."""
    parts = [reader.logits(part.to(reader.device).float()) for part in torch.split(pixels, BATCH)]
    return torch.cat(parts).argmax(1).cpu()


@dataclass(frozen=True, slots=True)
class Noises:
    """The noise for a network, if there is one, and the files that were refused."""

    noise: UniversalNoise | None
    refused: tuple[RefusedFile, ...]


def noise_of(model: Model) -> Noises:
    """The noise for a network: the operator's own, else the shipped one."""
    found = find(model, KIND)
    refused = list(found.refused)
    for asset in found.assets:
        try:
            return Noises(unpack(asset, model.row.crop), tuple(refused))
        except DataUnusable as error:
            refused.append(RefusedFile(asset.path.name, error.detail))
    return Noises(None, tuple(refused))


def pack(noise: UniversalNoise) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a file with the noise."""
    about = {
        **asdict(noise.recipe),
        "pictures": noise.pictures,
        "tested": noise.tested,
        "flipped": [
            {name: round(value, 4) for name, value in asdict(one).items()} for one in noise.flipped
        ],
    }
    return {"noise": noise.values}, {
        "universal": json.dumps(about),
        "epsilon": f"{noise.epsilon:g}",
        "share": f"{noise.share:.4f}",
    }


def unpack(asset: AssetFile, side: int) -> UniversalNoise:
    """Read the noise of a file. Raises `DataUnusable` if it does not fit the network."""
    try:
        about = json.loads(asset.about["universal"])
        values = asset.tensors["noise"]
        if values.shape != (3, side, side) or values.dtype != torch.int8:
            raise ValueError("another size")
        flipped = tuple(NoiseFigures(**one) for one in about.pop("flipped"))
        pictures, tested = int(about.pop("pictures")), int(about.pop("tested"))
        recipe = NoiseRecipe(**about)
        if not flipped or not 1 <= recipe.epsilon <= WHITE:
            raise ValueError("nothing measured")
        return UniversalNoise(values, recipe, pictures, tested, flipped, asset.shipped)
    except (KeyError, TypeError, ValueError) as error:
        raise DataUnusable(f"{asset.path.name} holds no noise that can be used.") from error
