"""Make the environment of the project: `.venv`, torch, and the pinned requirements.

    python3 scripts/setup.py          packages for running
    python3 scripts/setup.py --dev    packages for linting and testing too

It uses only the standard library, so that it runs on a fresh machine. A stamp in `.venv` holds the
hash of the requirement files: while it matches, nothing is done. A folder `wheels/` next to the
README is searched for packages before the internet.

Older Pythons than the project needs must be able to read this file, to report the problem.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "layerscope.json"
WHEELS = ROOT / "wheels"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

OLDEST, NEWEST = (3, 11), (3, 14)
"""The Pythons for which every pinned package has a wheel."""

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
"""torch's own index of builds without CUDA: 0.2 GB instead of several."""

OPTIONAL = "requirements-optional.txt"
"""Packages that some machines have no wheel for; the project says what is missing without them."""

FILES = {
    "run": ["requirements.txt", OPTIONAL],
    "dev": ["requirements.txt", OPTIONAL, "requirements-dev.txt"],
}


class SetupError(Exception):
    """A problem that the user can fix; the message says how."""


def main(arguments: list[str]) -> int:
    """Set up and return the exit status."""
    unknown = [argument for argument in arguments if argument != "--dev"]
    if unknown:
        _say((__doc__ or "").strip())
        return 0 if unknown[0] in ("-h", "--help") else 2
    kind = "dev" if arguments else "run"
    if is_ready(kind):
        return 0
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        return _with_another_python(arguments)
    try:
        set_up(kind)
    except SetupError as error:
        _say(f"\nSetting up stopped. {error}")
        return 1
    except KeyboardInterrupt:
        _say("\nSetting up was interrupted; the same command goes on where it stopped.")
        return 130
    return 0


def is_ready(kind: str) -> bool:
    """True if `.venv` has the packages of the current requirement files."""
    return PYTHON.exists() and _stamps().get(kind) == digest(kind)


def set_up(kind: str) -> None:
    """Make `.venv` if there is none, and install the packages. Raises `SetupError`."""
    _say(f"Setting up Layerscope in {VENV} (once; a few minutes, most of it for torch).")
    _make_venv()
    _install_torch(_pin("torch"))
    _say("Installing the other packages ...")
    _install_requirements("requirements-dev.txt" if kind == "dev" else "requirements.txt")
    _install_optional()
    _try_torch()
    done = {kind: digest(kind)}
    if kind == "dev":
        done["run"] = digest("run")
    STAMP.write_text(json.dumps(done) + "\n", encoding="utf-8")
    _say("Ready.")


def _make_venv() -> None:
    if PYTHON.exists() and _python("-m", "pip", "--version", quiet=True):
        return
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if sys.maxsize < 2**32:
        raise SetupError("This Python is 32-bit, and torch needs 64: install the other.")
    if any(importlib.util.find_spec(name) is None for name in ("venv", "ensurepip")):
        raise SetupError(
            "This Python cannot make virtual environments. On Debian and Ubuntu:\n\n"
            f"    sudo apt-get install python3-venv    (or python{version}-venv)\n"
        )
    import venv

    try:
        venv.create(VENV, clear=True, with_pip=True, symlinks=os.name != "nt")
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(f"The folder {VENV} could not be made: {error}") from error


def _install_torch(wanted: str) -> None:
    """Install torch separately, so that pip does not choose a build with gigabytes of CUDA.

    In this order: the installed version; a wheel that pip can find locally; torch's CPU builds,
    if the machine has no GPU; the default index.
    """
    if _installed("torch") == wanted:
        return
    requirement = f"torch=={wanted}"
    if _pip("--no-index", "--no-deps", requirement, quiet=True):
        return
    _say(f"Fetching {requirement} ...")
    if _wants_cpu_build() and _pip(
        "--no-deps", requirement, "--index-url", CPU_INDEX, "--retries", "0", "--timeout", "15"
    ):
        return
    if not _pip(requirement):
        raise SetupError(_no_packages())


def _wants_cpu_build() -> bool:
    """True on Linux without a GPU: the default build there includes CUDA."""
    linux = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")
    return linux and shutil.which("nvidia-smi") is None


def _install_requirements(file: str) -> None:
    path = str(ROOT / file)
    if WHEELS.is_dir() and _pip("--no-index", "--quiet", "-r", path, quiet=True):
        return
    if not _pip("--quiet", "-r", path):
        raise SetupError(_no_packages())


def _install_optional() -> None:
    path = str(ROOT / OPTIONAL)
    if WHEELS.is_dir() and _pip("--no-index", "--quiet", "-r", path, quiet=True):
        return
    # Only ready ones: building them takes compilers.
    if not _pip("--quiet", "--only-binary", ":all:", "-r", path, quiet=True):
        _say("No package for photos of iPhones (HEIC) is here: they are refused in words.")


def _try_torch() -> None:
    if not _python("-c", "import torch"):
        raise SetupError(
            "torch is installed but does not start; the lines above say why.\n"
            "On Windows it is often the “Microsoft Visual C++ Redistributable” that is missing.\n"
            "Otherwise delete the folder .venv and try again."
        )


def _no_packages() -> str:
    hint = ""
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        hint = "There is no current torch for Macs with an Intel processor. "
    return (
        f"{hint}pip could not install what is needed; its lines above say why.\n"
        "Without internet: put the packages into the folder wheels/ first (README, “Offline”).\n"
        "Behind a school's proxy: set HTTPS_PROXY=http://name:port and try again."
    )


def _pip(*arguments: str, quiet: bool = False) -> bool:
    links = ["--find-links", str(WHEELS)] if WHEELS.is_dir() else []
    return _python("-m", "pip", "install", *links, *arguments, quiet=quiet)


def _python(*arguments: str, quiet: bool = False) -> bool:
    """Run the Python of `.venv`; return True if it succeeded."""
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_USER": "0"}
    output = subprocess.DEVNULL if quiet else None
    command = [str(PYTHON), *arguments]
    done = subprocess.run(command, env=environment, stdout=output, stderr=output, check=False)
    return done.returncode == 0


def _installed(package: str) -> str:
    """The version in `.venv` without its local part (`2.13.0+cpu` is 2.13.0); "" if none."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    done = subprocess.run([str(PYTHON), "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip().partition("+")[0]


def _pin(package: str) -> str:
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        name, _, version = line.partition("==")
        if name.strip() == package:
            return version.strip()
    raise SetupError(f"requirements.txt pins no {package}.")


def digest(kind: str) -> str:
    """SHA-256 of the requirement files."""
    data = b"\0".join((ROOT / file).read_bytes() for file in FILES[kind])
    return hashlib.sha256(data).hexdigest()


def _stamps() -> dict[str, str]:
    try:
        stamps: dict[str, str] = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamps


def _with_another_python(arguments: list[str]) -> int:
    """Run this file with a suitable Python; print advice if none is installed."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other and subprocess.run([other, "-c", ""], capture_output=True).returncode == 0:
            return subprocess.call([other, __file__, *arguments])
    _say(
        "Layerscope needs Python {}.{} to {}.{}; this is {}.".format(
            *OLDEST, *NEWEST, platform.python_version()
        )
    )
    _say("Install one beside it and name it, for example: make run PYTHON=/path/to/python3.13")
    return 1


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
