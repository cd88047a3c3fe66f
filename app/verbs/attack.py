"""`python -m app attack`: attack a network on one picture and save the adversarial picture."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from torch import Tensor

from app.errors import BadRequest, NoClassifier
from app.pictures.decode import decode
from app.pictures.preprocess import fit, input_png
from app.services.attacks.attacks import findings
from app.services.attacks.job import AttackEnded, AttackMoment, job
from app.services.attacks.options import (
    LARGEST,
    METHODS,
    AttackOptions,
    AttackRequest,
    checked,
    warnings,
)
from app.services.attacks.pixel_model import pixel_model_of
from app.services.attacks.premade import Premade, find_premade
from app.services.engine import device
from app.services.networks.catalogue import Catalogue, Model
from app.services.networks.loading import load
from app.services.networks.weight_files import WeightFiles
from app.services.pictures.similarity import ssim
from app.services.runs.run import preprocess
from app.settings import Settings
from app.verbs.terminal import Teller
from app.vision.predict import RankedClass


def main(arguments: Sequence[str]) -> int:
    """Attack, report the result, write the picture; return the exit status."""
    given = _parser().parse_args(arguments)
    if given.out:
        _check_out(given.out)
    settings = Settings.from_environment()
    shelf = WeightFiles(settings.shelves)
    catalogue = Catalogue(device.choose(given.device), 1, shelf, data=settings.data)
    model = catalogue.model(given.model)
    if not model.labels:
        raise NoClassifier(f"{model.row.title} has no classifier: there is nothing to fool.")
    request = AttackRequest(
        given.method, given.epsilon, given.steps, given.step_size, given.target, given.true_label,
        given.seed,
    )  # fmt: skip
    options = checked(request, model.labels, model.row.crop)
    pixels = fit(decode(_read(given.picture)).image, preprocess(model)).pixels
    premade = find_premade(model, options)
    ended = _attack(model, pixels, options, given.device, premade)
    notes = [*warnings(request, options, bool(premade)), *findings(model.labels, options, ended)]
    sys.stdout.write("".join(f"{line}\n" for line in _report(model, pixels, ended, notes)))
    if given.out:
        given.out.write_bytes(input_png(ended.pixels))
        sys.stdout.write(f"written  {given.out}\n")
    return 0


def _attack(
    model: Model, pixels: Tensor, options: AttackOptions, where: str, premade: Premade
) -> AttackEnded:
    """Run the attack to its end, reporting each step."""
    network = load(model.entry).to(device.choose(where)).eval()
    reader, teller = pixel_model_of(model, network), Teller()
    for item in chain.from_iterable(job(reader, network, pixels, options, premade=premade)):
        if isinstance(item, AttackEnded):
            teller.line(f"{options.method}, seed {options.seed}")
            return item
        if isinstance(item, AttackMoment):
            teller.progress(f"step {item.step}: {_named(model, item.predictions[:1])}")
    raise RuntimeError("an attack ends with its result")


def _report(
    model: Model, pixels: Tensor, ended: AttackEnded, notes: Sequence[str]
) -> Iterator[str]:
    control = ended.control
    verdict = "flipped" if ended.flipped else "not flipped"
    yield f"before   {_named(model, ended.before[:3])}"
    yield f"after    {_named(model, ended.after[:3])} ({verdict})"
    yield f"noise    {_named(model, control.predictions[:3])} ({_of_noise(ended)})"
    yield (
        f"change   at most {ended.linf:g} of 255 a value, L2 {ended.l2:.1f}, "
        f"structural similarity {ssim(pixels, ended.pixels):.4f}"
    )
    yield from (f"note     {note}" for note in notes)


def _of_noise(ended: AttackEnded) -> str:
    control = ended.control
    what = {
        "sign": f"random signs, largest change {control.linf:g}",
        "gaussian": f"normal noise, L2 {control.l2:.1f}",
        "pixels": "as many pixels, at random",
        "sticker": "a sticker of random colours",
    }[control.kind]
    return f"{what}, {'flipped' if control.flipped else 'not flipped'}"


def _named(model: Model, ranked: Sequence[RankedClass]) -> str:
    return ", ".join(f"{model.labels[one.index].label} {one.probability:.1%}" for one in ranked)


def _read(path: Path) -> bytes:
    """Read the picture's file. Raises `BadRequest`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror}.") from None


def _check_out(path: Path) -> None:
    """Check the output path before minutes of work. Raises `BadRequest`."""
    if path.suffix.lower() != ".png":
        raise BadRequest(f"{path} must end in .png: other formats would change the pixels.")
    if not path.parent.is_dir():
        raise BadRequest(f"There is no folder {path.parent} to write to.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app attack",
        description="Change a picture as little as it takes to fool a network.",
    )
    parser.add_argument("picture", type=Path, help="a photo; it is resized for the network first")
    parser.add_argument("--model", default="mini", help="as `weights list` names it [mini]")
    parser.add_argument("--method", default="pgd", help=f"{', '.join(METHODS)} [pgd]")
    parser.add_argument(
        "--epsilon", type=float,
        help=f"largest change of a pixel value, 0 to {LARGEST:g} [4]; pgd_l2: Euclidean norm of "
        "the change; few_pixel: number of pixels; sticker: percent of the area",
    )  # fmt: skip
    parser.add_argument("--steps", type=int, help="how many [10]")
    parser.add_argument("--step-size", type=float, help="in epsilon's unit [epsilon / 4]")
    parser.add_argument("--target", help="a class to reach, by name or index [away from the first]")
    parser.add_argument("--true-label", help="what it truly is, by name or index")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random numbers [0]")
    parser.add_argument("-o", "--out", type=Path, help="write the 8-bit picture there, as PNG")
    parser.add_argument("--device", default="auto", help="auto, cuda, mps or cpu [auto]")
    return parser
