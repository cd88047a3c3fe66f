"""Verify the vendored files against their manifests, or fetch them again from npm.

    python -m scripts.vendor             compare every file with the manifest
    python -m scripts.vendor --refresh   fetch the versions in the manifests, rewrite both

To change a version: change `version` in the manifest, refresh, run the tests. Fetching uses
`npm pack`, so npm must be installed; no code of the packages is run.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (ROOT / "static/vendor", ROOT / "tests/vendor")
MANIFEST = "manifest.json"


def main(arguments: Sequence[str]) -> int:
    """Verify, after refreshing with `--refresh`, and return the exit status."""
    if set(arguments) - {"--refresh"}:
        sys.stdout.write((__doc__ or "").strip() + "\n")
        return 2
    if arguments:
        for folder in FOLDERS:
            refresh(folder)
    wrong = [line for folder in FOLDERS for line in problems(folder)]
    sys.stdout.write("\n".join(wrong or ["Every vendored file is what its manifest says."]) + "\n")
    return 1 if wrong else 0


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a vendor folder: `packages`, each with version, licence and files."""
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return manifest


def problems(folder: Path) -> list[str]:
    """List what does not match: files missing, changed, or without an entry."""
    listed = {
        file["path"]: file["sha256"]
        for package in read_manifest(folder)["packages"]
        for file in package["files"]
    }
    there = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file() and path != folder / MANIFEST
    }
    wrong = [f"{folder.name}: {name} is missing" for name in listed.keys() - there.keys()]
    wrong += [f"{folder.name}: {name} is in no manifest" for name in there.keys() - listed.keys()]
    wrong += [
        f"{folder.name}: {name} is not the file that was vendored"
        for name in listed.keys() & there.keys()
        if digest(there[name].read_bytes()) != listed[name]
    ]
    return sorted(wrong)


def refresh(folder: Path) -> None:
    """Fetch each package of the manifest, write its files unchanged, and store their hashes."""
    manifest = read_manifest(folder)
    for package in manifest["packages"]:
        name = f"{package['package']}@{package['version']}"
        package["source"] = f"npm package {name}"
        contents = _fetch(name, [file["from"] for file in package["files"]])
        for file in package["files"]:
            data = contents[file["from"]]
            target = folder / file["path"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            file["sha256"] = digest(data)
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _fetch(name: str, members: Sequence[str]) -> dict[str, bytes]:
    """The named files of an npm package, read from its archive; nothing is unpacked or run."""
    with tempfile.TemporaryDirectory(prefix="layerscope-") as place:
        command = ["npm", "pack", "--silent", "--ignore-scripts", name]
        subprocess.run(command, cwd=place, stdout=subprocess.DEVNULL, check=True)
        (archive,) = Path(place).glob("*.tgz")
        with tarfile.open(archive) as package:
            return {member: _read(package, f"package/{member}") for member in members}


def _read(package: tarfile.TarFile, member: str) -> bytes:
    file = package.extractfile(member)
    if file is None:
        raise FileNotFoundError(member)
    return file.read()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
