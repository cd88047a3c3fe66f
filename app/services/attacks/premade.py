"""Premade perturbations that an attack can reuse: a universal noise, a trained sticker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from app.services.attacks.options import AttackOptions
from app.services.attacks.stickers import Sticker, Stickers, stickers_of
from app.services.attacks.universal import UniversalNoise, noise_of
from app.services.networks.catalogue import Model
from app.services.networks.weight_files import RefusedFile
from app.vision.attacks.pixel_grid import AttackStep
from app.vision.attacks.pixel_model import PixelModel
from app.vision.attacks.sticker import sticker_at_places
from app.vision.attacks.universal import universal_growing


@dataclass(frozen=True, slots=True)
class Premade:
    """A noise or a sticker; neither if the attack must be computed for this picture.

    `notes` say which it is and how it was made, or why a file was refused.
    """

    noise: UniversalNoise | None = None
    sticker: Sticker | None = None
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.noise is not None or self.sticker is not None

    def steps(
        self, model: PixelModel, pixels: Tensor, options: AttackOptions, notes: set[str]
    ) -> Iterator[AttackStep] | None:
        """Steps with the noise growing on uint8 [1,3,S,S], or the sticker at several places.

        None if there is neither. Remarks are added to `notes` at the end.
        """
        if self.noise:
            values, own = self.noise.values, self.noise.epsilon
            return universal_growing(model, pixels, values, own, options.epsilon, options.steps)
        if self.sticker:
            steps = sticker_at_places(
                model, pixels, self.sticker.pixels, options.epsilon / 100, options.steps,
                options.seed,
            )  # fmt: skip
            return _counted(steps, self.sticker, notes)
        return None


NOTHING = Premade()


def find_premade(model: Model, options: AttackOptions) -> Premade:
    """Find a noise or sticker for such an attack, made from exactly this network's weights.

    A universal noise is untargeted and cannot reach a target; a sticker is for its class only.
    """
    if options.method == "universal" and options.target is None and options.epsilon >= 1:
        noises = noise_of(model)
        notes = [_of_noise(noises.noise, options.epsilon)] if noises.noise else []
        return Premade(noises.noise, None, (*notes, *_not_used(noises.refused)))
    if options.method == "sticker":
        found = stickers_of(model)
        sticker = None if options.target is None else found.of(options.target)
        notes = [_of_sticker(sticker)] if sticker else _others(found)
        return Premade(None, sticker, (*notes, *_not_used(found.refused)))
    return NOTHING


def _counted(
    steps: Iterator[AttackStep], sticker: Sticker, notes: set[str]
) -> Iterator[AttackStep]:
    hits = tried = 0
    for step in steps:
        yield step
        if step.number:
            tried += 1
            hits += int(step.logits.argmax(1).item() == sticker.index)
            last = step
    if tried:
        notes.add(
            f"The network saw {sticker.label} at {hits} of {tried} places; each step is one of "
            f"them, and the picture is that of the last, step {last.number}, also chosen at random."
        )


def _of_noise(noise: UniversalNoise, epsilon: float) -> str:
    whose = "ships with Layerscope" if noise.shipped else "was made on this server"
    most = (
        f" It was made for epsilon {noise.epsilon:g}: more is not used."
        if epsilon > noise.epsilon
        else ""
    )
    return (
        f"One noise for all pictures: it {whose}, made from {noise.pictures:,} pictures. "
        f"At epsilon {noise.epsilon:g} it changes the answer to {noise.share:.0%} of "
        f"{noise.tested:,} pictures it was not made from; random signs to "
        f"{noise.flipped[-1].random:.0%}.{most}"
    )


def _of_sticker(sticker: Sticker) -> str:
    whose = "ships with Layerscope" if sticker.shipped else "was trained on this server"
    found, areas = sticker.measured, sticker.recipe.areas
    return (
        f"The {sticker.label} sticker {whose}, trained on {sticker.pictures:,} pictures at "
        f"random places. Covering {areas[1]:.0%} it turned {found.largest:.0%} of {found.tested:,} "
        f"pictures it had not seen; a sticker of random colours {found.random:.0%}."
    )


def _others(found: Stickers) -> list[str]:
    names = ", ".join(one.label for one in found.stickers)
    return [f"There are trained stickers for: {names}. Name one as the target."] if names else []


def _not_used(refused: tuple[RefusedFile, ...]) -> list[str]:
    return [f"Not used: {one.reason}" for one in refused]
