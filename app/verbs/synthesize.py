"""`python -m app synthesize`: feature visualisation, pictures for the channels of a layer."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from app.errors import BadRequest
from app.services.engine import device
from app.services.networks.catalogue import Catalogue, Model
from app.services.networks.loading import load
from app.services.networks.weight_files import WeightFiles
from app.services.synthesis.collection import StepCollection
from app.services.synthesis.layer_file import reason_not_shown, write_layer
from app.services.synthesis.query import default_size
from app.settings import Settings
from app.verbs.terminal import Teller, duration, positive
from app.vision.synthesis import SynthesisRecipe

_RANGES = re.compile(r"\d{1,6}(-\d{1,6})?(,\d{1,6}(-\d{1,6})?)*")


def main(arguments: Sequence[str]) -> int:
    """Make the missing pictures; return the exit status."""
    given = _parser().parse_args(arguments)
    chosen, settings = device.choose(given.device), Settings.from_environment()
    model = Catalogue(chosen, 1, WeightFiles(settings.shelves)).model(given.model)
    step = _step(model, given.layer)
    out = given.out or settings.data / "synthesised" / model.id / step
    recipe = SynthesisRecipe(given.size or _size(model, step), given.steps, seed=given.seed)
    channels = _channels(given.channels, model, step)
    collection = StepCollection(model, step, channels, recipe, out, given.away)
    teller = Teller()
    if left := collection.left:
        network = load(model.entry).to(chosen).eval().requires_grad_(False)
        try:
            _make(collection, network, given.batch, teller, len(left))
        except KeyboardInterrupt:
            teller.line("Stopped. The same command goes on with those that are not there yet.")
            return 130
    teller.line(f"{len(channels)} pictures of {step} are in {out}.")
    if given.out is None:
        why = reason_not_shown(collection)
        teller.line(why or f"The page shows them, out of {write_layer(collection, settings.data)}.")
    return 0


def _make(
    collection: StepCollection, network: torch.nn.Module, batch: int, teller: Teller, left: int
) -> None:
    started, before = time.monotonic(), len(collection.channels) - left
    for made in collection.make(network, batch):  # type: ignore[arg-type]
        # In channels; unfinished ones count in part.
        under_way = min(batch, made.total - made.done) * made.step / made.steps
        part = made.done - before + (0 if made.step == made.steps else under_way)
        time_left = (time.monotonic() - started) * (left - part) / part if part else 0.0
        teller.progress(
            f"{made.done} of {made.total} pictures, step {made.step} of {made.steps}"
            + (f", {duration(time_left)} left" if part else "")
        )


def _step(model: Model, name: str) -> str:
    """The step to use: a probability is raised through its logit."""
    if name in model.geometry and model.outline.step(name).kind == "softmax":
        return model.outline.logits
    return name


def _size(model: Model, step: str) -> int:
    """The default size; any for an unknown step, which is reported later."""
    return default_size(model, step) if step in model.geometry else 128


def _channels(text: str, model: Model, step: str) -> list[int]:
    """Parse channel numbers such as `0-15,40`; "" means all."""
    if not text:
        return list(range(model.geometry[step].shape[0])) if step in model.geometry else []
    if not _RANGES.fullmatch(text):
        raise BadRequest(f"--channels must be numbers and ranges (0-15,40), not {text[:60]!r}.")
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    if not found:
        raise BadRequest(f"--channels {text[:60]} is empty: the smaller number comes first.")
    return sorted(found)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app synthesize",
        description="Make pictures that activate the channels of a layer most. If interrupted, "
        "the same command resumes.",
    )
    parser.add_argument("--model", default="mini", help="as `weights list` names it [mini]")
    parser.add_argument("--layer", required=True, help="a step: conv5; fc7 or softmax for classes")
    parser.add_argument("--channels", default="", help="numbers and ranges: 0-15,40 [all]")
    parser.add_argument("--out", type=Path, help="a folder [data/synthesised/<model>/<layer>]")
    parser.add_argument("--steps", type=positive, default=512, help="[512]")
    parser.add_argument("--size", type=positive, help="pixels of a side [128, at most the input]")
    parser.add_argument("--seed", type=int, default=0, help="seed of noise and views [0]")
    parser.add_argument("--batch", type=positive, default=16, help="pictures at a time [16]")
    parser.add_argument("--away", action="store_true", help="minimise the activation")
    parser.add_argument("--device", default="auto", help="auto, cuda, mps or cpu [auto]")
    return parser
