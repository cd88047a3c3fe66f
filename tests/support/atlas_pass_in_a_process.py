"""A pass over a folder in a process of its own, to be killed: images, file, and whether to wait."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from app.services.atlas.building import AtlasPass
from app.services.atlas.folder import PictureFolder
from tests.support.atlases import SMALL, first_layers
from tests.support.networks import embedded


def main(images: str, out: str, waiting: bool) -> None:
    torch.set_num_threads(1)
    work = AtlasPass(first_layers(), embedded(), PictureFolder.of(Path(images)), Path(out), SMALL)
    for progress in work.run():
        sys.stdout.write(f"{progress.done}\n")
        sys.stdout.flush()
        if waiting:
            # For a line from whoever began this.
            sys.stdin.readline()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], waiting=len(sys.argv) > 3)
