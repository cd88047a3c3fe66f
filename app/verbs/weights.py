"""`python -m app weights`: list networks, and download, verify or export their weights."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import save_file

from app.errors import DownloadFailed, LayerscopeError, UnknownModel
from app.services.networks.download_sources import attempts
from app.services.networks.loading import load, read
from app.services.networks.state_dict import fit, to_state_dict
from app.services.networks.weight_files import WeightEntry, WeightFiles, architecture_of
from app.settings import Settings
from app.verbs.terminal import Teller
from models import registry


def main(arguments: Sequence[str]) -> int:
    """Run one of the sub-verbs and return the exit status."""
    given = _parser().parse_args(arguments)
    settings = Settings.from_environment()
    shelf = WeightFiles(settings.shelves)
    match given.verb:
        case "list":
            return _list(WeightFiles(settings.shelves, thorough=True))
        case "get":
            return _get(shelf, given.into or settings.cache, given.names)
        case "verify":
            return _verify(shelf, given.names)
        case "path":
            sys.stdout.writelines(f"{folder.resolve()}\n" for folder in shelf.folders)
            return 0
        case _:
            return _export(shelf, given.source, given.out, given.keys)


def _list(shelf: WeightFiles) -> int:
    entries = shelf.entries()
    wide = max(len(entry.id) for entry in entries)
    for entry in entries:
        sys.stdout.write(f"{entry.id:{wide}}  {_state(entry):42}  {entry.row.title}\n")
    for refused in shelf.refused():
        sys.stdout.write(f"refused: {refused.file}: {refused.reason}\n")
    return 0


def _state(entry: WeightEntry) -> str:
    size = f"{entry.row.bytes / 1e6:,.0f} MB"
    match entry.state:
        case "embedded":
            return f"comes with the project, {size}"
        case "downloadable":
            return f"not here; `weights get` brings {size}"
        case "partial":
            return f"your own file, partial: up to {entry.last}"
        case _ if entry.verified:
            return f"here, {size}"
        case _:
            return f"here, not verified, {size}"


def _get(shelf: WeightFiles, cache: Path, names: Sequence[str]) -> int:
    teller = Teller()
    for entry in [shelf.find(name) for name in names]:
        if entry.state == "random":
            teller.line(f"{entry.row.title} needs no file: its weights are drawn at random.")
        elif entry.path and (entry.state == "embedded" or entry.path.parent == cache):
            teller.line(f"{entry.row.title} is here already: {entry.path}")
        elif (path := _fetch(entry, cache, teller)) is None:
            return 2
        else:
            teller.line(f"{entry.row.title} is here now: {path}")
    return 0


def _fetch(entry: WeightEntry, cache: Path, teller: Teller) -> Path | None:
    """Try one source after the other; return the file, None if all failed."""
    stop = threading.Event()
    for attempt in attempts(entry.row, cache):
        try:
            for received in attempt(stop):
                teller.progress(f"{entry.row.title}: {received.words}")
            return WeightFiles([cache]).entry(entry.id).path  # type: ignore[union-attr]
        except DownloadFailed as error:
            teller.line(f"{error.title}. {error.detail}")
    return None


def _verify(shelf: WeightFiles, names: Sequence[str]) -> int:
    """Load the named networks, or all that have files here, and report the result for each."""
    entries = [shelf.find(name) for name in names] or [e for e in shelf.entries() if e.path]
    wrong = 0
    for entry in entries:
        try:
            load(entry)
            how = "whole and as published" if entry.verified else "fits; no published digits"
        except LayerscopeError as error:
            wrong, how = 2, error.detail
        sys.stdout.write(f"{entry.id}: {how}\n")
    for refused in shelf.refused() if not names else ():
        wrong = 2
        sys.stdout.write(f"{refused.file}: refused. {refused.reason}\n")
    return wrong


def _export(shelf: WeightFiles, source: str, out: Path, keys: str) -> int:
    """Write a network, or the user's own file, as safetensors with the chosen keys."""
    if entry := shelf.entry(source):
        architecture, network = entry.row.architecture, load(entry)
    else:
        path = Path(source)
        found = architecture_of(path.stem) or architecture_of(out.stem)
        if found is None:
            known = ", ".join(registry.architectures())
            raise UnknownModel(
                f"“{source[:60]}” is neither a network nor a file named <architecture>-anything; "
                f"architectures are: {known}."
            )
        architecture, network = found, fit(found, read(path), path.name)
    state = to_state_dict(architecture, network, keys == "published")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        part = out.with_name(f"{out.name}.part")
        save_file(state, part)
        part.replace(out)
    except OSError as error:
        raise LayerscopeError(f"{out} cannot be written: {error.strerror}.") from error
    sys.stdout.write(f"Written: {out}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app weights", description="The files with the networks' weights."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    verbs.add_parser("list", help="every network, and whether its weights are here")
    get = verbs.add_parser("get", help="download the weights of networks")
    get.add_argument("names", nargs="+", metavar="NAME")
    get.add_argument("--into", type=Path, help="another folder than data/weights")
    verify = verbs.add_parser("verify", help="check files against the published SHA-256")
    verify.add_argument("names", nargs="*", metavar="NAME", help="[all that are here]")
    verbs.add_parser("path", help="the folders that are searched, in order")
    export = verbs.add_parser("export", help="write weights as safetensors, in either layout")
    export.add_argument("source", help="a network's name, or a .pth or .safetensors file")
    export.add_argument("out", type=Path, help="<architecture>[-anything].safetensors")
    export.add_argument(
        "--keys", choices=("published", "steps"), default="published",
        help="torchvision's keys, or the steps' names [published]",
    )  # fmt: skip
    return parser
