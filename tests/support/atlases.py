"""Atlases small enough for tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from app.services.atlas.atlas import FINE, Atlas, AtlasAbout
from app.services.atlas.building import AtlasOptions
from app.services.networks.catalogue import Catalogue, Model
from app.services.surveys.surveys import weights_id
from app.vision.crops import Winners
from tests.support.engines import CPU

SMALL = AtlasOptions(batch=4, save_every=8, workers=2)


def first_layers() -> Model:
    """What is known of `mini` up to conv2: cutting crops for all its channels takes seconds."""
    whole = Catalogue(CPU, 1).model("mini")
    return replace(whole, outline=whole.outline.upto("conv2"))


def atlas(model: Model, root: Path, names: dict[str, str], /, **changes: object) -> Atlas:
    """A tiny atlas of conv1: picture 3 fires every channel most, picture 8 comes next."""
    about = AtlasAbout(
        model=model.id,
        weights=weights_id(model),
        folder="f" * 64,
        total=10,
        batch=4,
        steps=("conv1",),
        classes=("n02123045", "n07920052"),
        read=10,
        names=names,
        root=str(root),
    )
    about = replace(about, **changes)  # type: ignore[arg-type]
    nobody = Winners.none(64)
    values, pictures, cells = nobody.values.clone(), nobody.pictures.clone(), nobody.cells.clone()
    values[:, :2], pictures[:, :2], cells[:, :2] = (
        torch.tensor([5.0, 4.0]), torch.tensor([3, 8]), torch.tensor([33, 7]),
    )  # fmt: skip
    sums = torch.tensor([[1 * FINE], [6 * FINE]]).expand(2, 64).clone()
    crops = {("conv1", c, n): f"{c}/{n}".encode() for c in range(64) for n in (3, 8)}
    made = {"conv1": Winners(values, pictures, cells)}
    return Atlas(about, made, {"conv1": sums}, torch.tensor([2, 2]), crops)
