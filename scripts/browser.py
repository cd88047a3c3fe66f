"""Find the Chromium for the browser tests, or install one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

VARIABLE = "LAYERSCOPE_CHROMIUM"
COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DEBIAN = ("chromium", "fonts-dejavu-core")

ADVICE = f"""\
There is no Chromium for the browser tests, and it could not be installed. One of these helps:
    sudo apt-get install chromium fonts-dejavu-core    (Debian)
    python -m playwright install chromium              (with the Python of .venv)
    {VARIABLE}=/path/to/chromium make test    (where it is set, that file must exist)
"""


def find_chromium() -> Path | None:
    """Path of a Chromium or Chrome: that of `LAYERSCOPE_CHROMIUM`, the system's or Playwright's.

    None if there is none, and if `LAYERSCOPE_CHROMIUM` names a file that does not exist.
    """
    if named := os.environ.get(VARIABLE):
        return Path(named) if Path(named).is_file() else None
    for command in COMMANDS:
        if found := shutil.which(command):
            return Path(found)
    return next((path for path in (*_usual_places(), *_playwrights()) if path.is_file()), None)


def install_chromium() -> Path | None:
    """Install Chromium with the system's packages or Playwright; None if neither works."""
    if os.environ.get(VARIABLE):
        return None
    if _may_use_apt():
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "--no-install-recommends", *DEBIAN]
        for command in (["apt-get", "update"], install):
            subprocess.run(command, env=environment, check=False)
    if found := find_chromium():
        return found
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    return find_chromium()


def _may_use_apt() -> bool:
    if sys.platform != "linux" or shutil.which("apt-get") is None:
        return False
    return os.geteuid() == 0


def _usual_places() -> list[Path]:
    if sys.platform == "darwin":
        applications = (Path("/Applications"), Path.home() / "Applications")
        names = ("Chromium", "Google Chrome")
        return [base / f"{n}.app/Contents/MacOS/{n}" for base in applications for n in names]
    if sys.platform == "win32":
        variables = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
        bases = [Path(os.environ[name]) for name in variables if name in os.environ]
        tails = ("Google/Chrome/Application/chrome.exe", "Chromium/Application/chrome.exe")
        return [base / tail for base in bases for tail in tails]
    return []


def _playwrights() -> list[Path]:
    """The path where Playwright installs its own Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return [Path(playwright.chromium.executable_path)]
