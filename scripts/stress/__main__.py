"""The command: run the parts that were asked for, print the table, and tell by the exit status."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from scripts.stress.large_files import large_files
from scripts.stress.leaving import vanishing
from scripts.stress.mixed import crowd
from scripts.stress.report import PartReport, table
from scripts.stress.target import StressTarget
from scripts.stress.trouble import full_disk, killed_downloads, killed_servers, read_only
from scripts.stress.uploads import broken_uploads, costly_uploads

ON_A_SERVER: dict[str, Callable[[StressTarget, bool], PartReport]] = {
    "uploads": broken_uploads,
    "bombs": costly_uploads,
    "leaving": vanishing,
    "large": large_files,
    "mixed": crowd,
}
"""Parts that trouble a server which keeps running."""
WITH_A_FOLDER: dict[str, Callable[[Path, bool], PartReport]] = {
    "killed": killed_servers,
    "downloads": killed_downloads,
    "full": full_disk,
    "readonly": read_only,
}
"""Parts that start servers of their own in a folder."""


def main(arguments: list[str] | None = None) -> int:
    """Run the parts; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.stress",
        description="Attack a server of this script's own, on this machine.",
    )
    names = [*ON_A_SERVER, *WITH_A_FOLDER]
    parser.add_argument("--only", default=",".join(names), help=f"some of {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="a few seconds for each part")
    options = parser.parse_args(arguments)
    wanted = options.only.split(",")
    if unknown := [one for one in wanted if one not in names]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(names)}")
    reports = []
    for name in wanted:
        sys.stderr.write(f"{name} …\n")
        sys.stderr.flush()
        reports.append(_run(name, options.quick))
    sys.stdout.write(table(reports))
    return int(any(one.misses for one in reports))


def _run(name: str, quick: bool) -> PartReport:
    with tempfile.TemporaryDirectory(prefix="layerscope-stress-") as folder:
        if name in WITH_A_FOLDER:
            return WITH_A_FOLDER[name](Path(folder), quick)
        with StressTarget(Path(folder) / "data") as target:
            return ON_A_SERVER[name](target, quick)


if __name__ == "__main__":
    sys.exit(main())
