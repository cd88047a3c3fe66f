"""`python -m app attack-rates`: success rates of attacks, compared with noise of the same size."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from app.errors import BadRequest, DataUnusable
from app.pictures.preprocess import Preprocess
from app.services.attacks.pixel_model import pixel_model_of
from app.services.engine import device
from app.services.networks.catalogue import Catalogue, Model
from app.services.networks.loading import load
from app.services.networks.weight_files import WeightFiles
from app.services.runs.run import preprocess
from app.settings import Settings
from app.training.data import load_in_parts
from app.verbs.terminal import Teller
from app.vision.attacks.pixel_model import PixelModel
from app.vision.attacks.rates import METHODS, rate

DEFAULT = "fgsm,pgd,sign noise"


def main(arguments: Sequence[str]) -> int:
    """Measure and print a table in Markdown; return the exit status."""
    given = _parser().parse_args(arguments)
    chosen = device.choose(given.device)
    model = Catalogue(chosen, 1, WeightFiles(Settings.from_environment().shelves)).model(
        given.model
    )
    if not model.labels:
        raise BadRequest(f"{model.row.title} has no classifier: there is nothing to fool.")
    row = model.row
    reader = pixel_model_of(model, load(model.entry).to(chosen).eval())
    teller = Teller()
    pixels, labels = correctly_classified(reader, model, given.data, given.count, teller)
    sys.stdout.write(
        f"{len(labels)} pictures of {given.data.name} that {row.title} is right about; "
        f"weights {row.sha256}\n\n"
        "| method | epsilon | flipped | mean largest change | mean L2 | mean relative L2 |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n"
    )
    for method in given.methods:
        for epsilon in given.epsilons:
            teller.progress(f"{method}, epsilon {epsilon:g}")
            found = rate(reader, pixels, labels, method, epsilon)
            sys.stdout.write(
                f"| {method} | {epsilon:g} | {found.flipped:.1%} | {found.linf:.1f} "
                f"| {found.l2:.1f} | {found.relative_l2:.2e} |\n"
            )
            sys.stdout.flush()
    return 0


def correctly_classified(
    reader: PixelModel, model: Model, data: Path, count: int, teller: Teller
) -> tuple[Tensor, Tensor]:
    """The correctly classified of `count` evenly spaced pictures: uint8 [N,3,S,S], int64 [N].

    Raises `DataUnusable` if there is none.
    """
    parts = list(_sampled(data, preprocess(model), [x.wnid for x in model.labels], count, teller))
    pixels, labels = (torch.cat(column) for column in zip(*parts, strict=True))
    keep = torch.cat(
        [
            reader.logits(part.to(reader.device).float()).argmax(1).cpu() == own
            for part, own in zip(torch.split(pixels, 64), torch.split(labels, 64), strict=True)
        ]
    )
    if not keep.any():
        raise DataUnusable(f"{model.row.title} is right about none of these pictures.")
    return pixels[keep], labels[keep]


def _sampled(
    data: Path, prep: Preprocess, wnids: Sequence[str], count: int, teller: Teller
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield every n-th picture with the network's class index, at most `count` in total."""
    total, taken = 0, 0

    def reading(what: str, done: int, of: int) -> None:
        nonlocal total
        total = of
        teller.progress(f"{done:,} of {of:,} pictures read")

    start = 0
    for part in load_in_parts(data, prep, wnids, reading):
        every = max(1, total // count)
        places = torch.tensor([i for i in range(len(part)) if (start + i) % every == 0])
        places = places[: count - taken].long()
        classes = torch.tensor([wnids.index(name) for name in part.classes])
        yield part.pixels[places], classes[part.labels[places]]
        start, taken = start + len(part), taken + len(places)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app attack-rates",
        description="Measure how often attacks, and noise, change a correct prediction.",
    )
    parser.add_argument("--model", default="mini", help="as `weights list` names it [mini]")
    parser.add_argument(
        "--data", type=Path, required=True,
        help="folder or zip of pictures in folders named by wnid; val/ is used where there is one",
    )  # fmt: skip
    parser.add_argument("--count", type=_count, default=400, help="pictures to start with [400]")
    parser.add_argument("--epsilons", type=_numbers, default=[1, 2, 4, 8], help="[1,2,4,8]")
    parser.add_argument(
        "--methods", type=_methods, default=_methods(DEFAULT),
        help=f"with commas, of {', '.join(METHODS)} [{DEFAULT}]",
    )  # fmt: skip
    parser.add_argument("--device", default="auto", help="auto, cuda, mps or cpu [auto]")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("at least one picture")
    return int(text)


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError("numbers with commas between, such as 1,2,4") from None


def _methods(text: str) -> list[str]:
    names = [part.strip() for part in text.split(",")]
    if unknown := [name for name in names if name not in METHODS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(METHODS)}")
    return names
