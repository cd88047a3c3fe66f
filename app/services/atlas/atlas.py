"""An atlas: for every channel of every convolution the nine crops that activate it most.

One safetensors file, written atomically, tied to the weights it was made from. A stopped pass
and a shard of a folder have the same format.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from app.errors import DataUnusable
from app.services.files import put
from app.vision.crops import Winners

FORMAT = 1
KEEP = 9
NAMED = 1000
"""Most unreadable pictures whose names are stored; all are counted."""
FINE = 2**20
"""Sums of peaks are integers in units of 1 / FINE: the order of adding does not matter."""


@dataclass(frozen=True, slots=True)
class AtlasAbout:
    """What an atlas was made from, and how far it is: the metadata of its file.

    `weights` and `folder` are SHA-256, of the weights file and of the picture names; `batches`
    counts finished batches, of `batch` pictures each; `shard` is (i, n), counted from 0. `names`
    holds the file of every picture that has a crop, by number, once the atlas is finished; `root`
    is the folder of the pictures, "" in an atlas made before this was stored.
    """

    model: str
    weights: str
    folder: str
    total: int
    batch: int
    steps: tuple[str, ...]
    classes: tuple[str, ...]
    shard: tuple[int, int] = (0, 1)
    batches: int = 0
    read: int = 0
    unreadable: int = 0
    skipped: tuple[str, ...] = ()
    names: dict[str, str] = field(default_factory=dict)
    root: str = ""

    def fits(self, other: AtlasAbout) -> bool:
        """True if both are parts of the same pass."""
        same = ("model", "weights", "folder", "total", "batch", "steps", "classes")
        return all(getattr(self, name) == getattr(other, name) for name in same)


@dataclass(frozen=True, slots=True)
class Atlas:
    """The strongest crops by step (`winners`), and the sums of peaks by step and class.

    `sums` are int64 [classes,C] in units of 1 / FINE; `counts` is int64 [classes], pictures read of
    each class; both have no rows without classes. `crops` are encoded pictures by (step, channel,
    picture number), once the atlas is finished.
    """

    about: AtlasAbout
    winners: dict[str, Winners]
    sums: dict[str, Tensor]
    counts: Tensor
    crops: dict[tuple[str, int, int], bytes] = field(default_factory=dict)

    @classmethod
    def empty(cls, about: AtlasAbout, channels: dict[str, int]) -> Atlas:
        """An atlas before the first picture; `channels` is the number of channels by step."""
        winners = {step: Winners.none(count, KEEP) for step, count in channels.items()}
        rows = len(about.classes)
        sums = {step: torch.zeros(rows, n, dtype=torch.int64) for step, n in channels.items()}
        return cls(about, winners, sums, torch.zeros(rows, dtype=torch.int64))

    def preferred(self, step: str, channel: int, count: int = 5) -> list[tuple[str, float]]:
        """The classes whose pictures have the highest mean peak in a channel, with that mean."""
        means = self.sums[step][:, channel].double() / FINE / self.counts.clamp_min(1)
        means = means.masked_fill(self.counts == 0, -torch.inf)
        order = means.argsort(descending=True, stable=True)[:count].tolist()
        return [(self.about.classes[i], means[i].item()) for i in order if self.counts[i]]


def write_atlas(path: Path, atlas: Atlas) -> None:
    """Write an atlas to disk. Raises `NotWritten`, and then leaves the old file as it was."""
    tensors: dict[str, Tensor] = {"counts": atlas.counts}
    for step, one in atlas.winners.items():
        parts = {"values": one.values, "pictures": one.pictures, "cells": one.cells}
        parts["sums"] = atlas.sums[step]
        tensors |= {f"{step}/{name}": part.contiguous() for name, part in parts.items()}
    keys = sorted(atlas.crops)
    sizes = [len(atlas.crops[key]) for key in keys]
    data = bytearray(b"".join(atlas.crops[key] for key in keys))
    tensors["crops"] = torch.frombuffer(data, dtype=torch.uint8) if data else torch.empty(0).byte()
    tensors["crop_sizes"] = torch.tensor(sizes, dtype=torch.int64)
    tensors["crop_places"] = torch.tensor(
        [[atlas.about.steps.index(step), c, n] for step, c, n in keys], dtype=torch.int64
    ).reshape(-1, 3)
    # One metadata entry: several would be written in an order that differs from run to run.
    about = json.dumps({"format": FORMAT, **asdict(atlas.about)}, sort_keys=True)
    put(path, save(tensors, {"atlas": about}))


def read_atlas(path: Path, weights: str | None = None) -> Atlas:
    """Read the atlas at `path`; `weights` is the SHA-256 of the weights it must be made from.

    Raises `DataUnusable` for a file that is missing, no atlas, damaged or made from other weights.
    """
    try:
        with safe_open(path, "pt") as file:
            about = about_of(json.loads((file.metadata() or {})["atlas"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        atlas = _from_tensors(about, tensors)
    except FileNotFoundError:
        raise DataUnusable(f"There is no atlas at {path}.") from None
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise DataUnusable(f"{path} is not an atlas that can be read. ({error})") from error
    if weights is not None and about.weights != weights:
        raise DataUnusable(
            f"{path} was made from other weights of {about.model}: make it again for these."
        )
    return atlas


def about_of(content: dict[str, Any]) -> AtlasAbout:
    """Parse the metadata of a file. Raises `ValueError`, `KeyError`, `TypeError`."""
    if content.pop("format") != FORMAT:
        raise ValueError("it is of another version")
    lists = {name: tuple(content[name]) for name in ("steps", "classes", "shard", "skipped")}
    return AtlasAbout(**{**content, **lists})


def _from_tensors(about: AtlasAbout, tensors: dict[str, Tensor]) -> Atlas:
    parts = ("values", "pictures", "cells")
    winners = {s: Winners(*(tensors[f"{s}/{part}"] for part in parts)) for s in about.steps}
    sums = {step: tensors[f"{step}/sums"] for step in about.steps}
    data, crops, start = tensors["crops"].numpy().tobytes(), {}, 0
    places, sizes = tensors["crop_places"].tolist(), tensors["crop_sizes"].tolist()
    for (step, channel, number), size in zip(places, sizes, strict=True):
        crops[about.steps[step], channel, number] = data[start : start + size]
        start += size
    return Atlas(about, winners, sums, tensors["counts"], crops)


def merge(shards: Sequence[Atlas]) -> Atlas:
    """Merge all finished shards of a folder into one atlas.

    Raises `DataUnusable` for a shard that is missing, given twice, unfinished or of another pass.
    """
    first, count = shards[0].about, shards[0].about.shard[1]
    if strange := [one.about for one in shards if not first.fits(one.about)]:
        raise DataUnusable(
            "These are not shards of one pass: model, weights, folder and options must be the "
            f"same for {first.model} and {strange[0].model}."
        )
    there = sorted(one.about.shard for one in shards)
    if there != [(i, count) for i in range(count)]:
        names = ", ".join(f"{i + 1}/{n}" for i, n in there)
        raise DataUnusable(f"Of {count} shards each is needed once; these are {names}.")
    if sum(one.about.batches for one in shards) < -(-first.total // first.batch):
        raise DataUnusable("A shard is not finished: start its command again, it goes on.")
    winners = dict(shards[0].winners)
    for one in shards[1:]:
        winners = {step: winners[step].merged(one.winners[step]) for step in winners}
    sums = {step: torch.stack([one.sums[step] for one in shards]).sum(0) for step in winners}
    skipped = sorted({name for one in shards for name in one.about.skipped})[:NAMED]
    about = replace(
        first,
        shard=(0, 1),
        batches=sum(one.about.batches for one in shards),
        read=sum(one.about.read for one in shards),
        unreadable=sum(one.about.unreadable for one in shards),
        skipped=tuple(skipped),
        names={k: v for one in shards for k, v in one.about.names.items()},
    )
    crops = {key: crop for one in shards for key, crop in one.crops.items()}
    counts = torch.stack([one.counts for one in shards]).sum(0)
    return only_winners(Atlas(about, winners, sums, counts, crops))


def only_winners(atlas: Atlas) -> Atlas:
    """The atlas without the names and crops of pictures that are in no channel's list."""
    listed = winning_cells(atlas)
    numbers = {str(number) for _, _, number in listed}
    names = {k: v for k, v in atlas.about.names.items() if k in numbers}
    crops = {key: crop for key, crop in atlas.crops.items() if key in listed}
    return replace(atlas, about=replace(atlas.about, names=names), crops=crops)


def winning_cells(atlas: Atlas) -> dict[tuple[str, int, int], int]:
    """The cell of every crop in the lists, by (step, channel, picture number)."""
    return {
        (step, channel, number): cell
        for step, one in atlas.winners.items()
        for channel, (numbers, cells) in enumerate(
            zip(one.pictures.tolist(), one.cells.tolist(), strict=True)
        )
        for number, cell in zip(numbers, cells, strict=True)
        if number >= 0
    }
