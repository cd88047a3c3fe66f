"""The folder where uploaded pictures lie as PNG, each under its id."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from PIL import Image

from app.errors import BrokenPicture, NotWritten, UnknownPicture
from app.pictures.encode import encode_png
from app.services.files import listing, not_kept, regular, write
from app.services.pictures.index import ID, PictureRow


class PictureFiles:
    """The files in `folder`. Ids are checked before: no text of a person becomes a path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, id: str, image: Image.Image, now: float) -> int:
        """Write the file if it is not there, and say how large it is. Raises `NotWritten`.

        Its time is that of the last upload: a new index would know from it when it expires.
        """
        path = self._path(id)
        try:
            if not path.is_file():
                self._folder.mkdir(parents=True, exist_ok=True)
                write(path, encode_png(image))
            os.utime(path, (now, now))
            return path.stat().st_size
        except OSError as error:
            raise not_kept("this picture", error) from error

    def png(self, id: str) -> bytes:
        """The file. Raises `UnknownPicture` if it is gone, `BrokenPicture`."""
        try:
            return self._path(id).read_bytes()
        except FileNotFoundError:
            raise unknown() from None
        except OSError as error:
            raise BrokenPicture(f"The server cannot read this file: {error.strerror}.") from error

    def read(self, id: str) -> Image.Image:
        """Decode the file; one that the disk has spoilt is deleted. Raises as `png` does."""
        png = self.png(id)
        try:
            with Image.open(BytesIO(png), formats=("PNG",)) as file:
                return file.convert("RGB")
        except (OSError, SyntaxError, ValueError) as error:
            with suppress(OSError):
                self._path(id).unlink()
            raise BrokenPicture(
                "This picture was damaged on the server's disk. Please choose its file again."
            ) from error

    def delete(self, id: str) -> None:
        """Delete the file, if it is there. Raises `NotWritten`."""
        try:
            self._path(id).unlink(missing_ok=True)
        except OSError as error:
            raise NotWritten(f"A picture cannot be deleted ({error.strerror}).") from error

    def reconcile(self, known: set[str]) -> set[str]:
        """Delete the files that are no known picture, as a crash leaves them; what is missing."""
        found = set()
        for path in listing(self._folder, "*"):
            if path.suffix == ".png" and path.stem in known:
                found.add(path.stem)
            elif path.is_file():
                with suppress(OSError):
                    path.unlink()
        return known - found

    def rows(self, lifetime: float) -> Iterator[PictureRow]:
        """The pictures as rows of a new index: without owners, they only expire."""
        for path in listing(self._folder, "*.png"):
            with suppress(OSError, ValueError, SyntaxError):
                state = regular(path)
                if ID.fullmatch(path.stem):
                    with Image.open(path, formats=("PNG",)) as file:
                        width, height = file.size
                    yield path.stem, width, height, state.st_size, "[]", state.st_mtime + lifetime

    def _path(self, id: str) -> Path:
        return self._folder / f"{id}.png"


def unknown() -> UnknownPicture:
    """What to raise for an id without a picture."""
    return UnknownPicture(
        "This picture is not here. It may have been deleted, or its time may be over."
    )
