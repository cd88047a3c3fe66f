"""The setup of the benchmark: the real services with one network loaded, and a photo."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from time import perf_counter

import torch
from PIL import Image
from torch import Tensor

from app.bench.networks import loader, weight_files
from app.pictures.decode import decode
from app.pictures.preprocess import fit, normalise
from app.pictures.samples import sample
from app.services.engine import device
from app.services.engine.engine import LocalEngine
from app.services.engine.side_work import SideWork
from app.services.networks.catalogue import Catalogue
from app.services.pictures.decoders import Decoders
from app.services.pictures.store import Pictures
from app.services.runs.run import preprocess
from app.services.runs.runs import Runs
from app.services.runs.sheets import Sheets
from app.services.surveys.surveys import Surveys
from app.services.synthesis.studio import Studio
from app.settings import Settings
from app.web.core.state import Services
from models.graph import Network

OWNER = "benchmark"
SECONDS = 8.0
"""Approximate duration of one comparison."""
REST = 0.005
"""Pause in seconds before each measurement. After a longer one the bare network is 20 % slower."""


class BenchUploads(Pictures):
    """An upload store that can also hold pictures in memory, not written to disk.

    Such a picture is decoded again each time a run opens it.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._in_memory: dict[str, bytes] = {}

    def add_in_memory(self, data: bytes) -> str:
        """Add a file without decoding or writing it; returns its id."""
        id = sha256(data).hexdigest()[:32]
        self._in_memory[id] = data
        return id

    def open(self, id: str) -> Image.Image:
        """The decoded picture."""
        data = self._in_memory.get(id)
        return super().open(id) if data is None else decode(data).image

    def require(self, id: str) -> None:
        """Raises `UnknownPicture`."""
        if id not in self._in_memory:
            super().require(id)


@dataclass(frozen=True, slots=True)
class BenchServices:
    """The services with one network loaded; `picture` is the normalised `photo`, [3,S,S]."""

    name: str
    quick: bool
    services: Services
    pictures: BenchUploads
    network: Network
    photo: bytes
    picture: Tensor

    async def bare(self, count: int = 1) -> float:
        """Seconds of `net(x)` for a batch of `count` pictures, in the engine's thread."""
        pictures = self.picture.expand(count, -1, -1, -1).contiguous()
        engine = self.services.engine
        times = [t async for t in engine.stream(OWNER, lambda: _bare(self.network, pictures))]
        return times[-1]

    def forget(self, image: str) -> None:
        """Drop everything computed from a picture, so that its next run is not cached."""
        self.services.forget(image)

    async def times(
        self, cases: Mapping[str, Callable[[], Awaitable[float]]]
    ) -> dict[str, list[float]]:
        """Seconds of each case, in alternation, so that other load affects all cases equally."""
        once = {name: await case() for name, case in cases.items()}
        rounds = 3 if self.quick else max(5, min(40, int(SECONDS / sum(once.values()))))
        found: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(rounds):
            for name, case in cases.items():
                await asyncio.sleep(REST)
                found[name].append(await case())
        return found


def _bare(network: Network, pictures: Tensor) -> Iterator[int | float]:
    """Yield the seconds of one forward pass, the copy to the CPU included."""
    started = perf_counter()
    with torch.inference_mode():
        network(pictures.to(next(network.parameters()).device)).cpu()
    yield perf_counter() - started


@asynccontextmanager
async def open_bench(name: str, quick: bool = False) -> AsyncIterator[BenchServices]:
    """Start the services for the network of that name, in a temporary folder."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        where = device.choose("cpu")
        engine = LocalEngine(where)
        catalogue = Catalogue(where, 2_000_000_000, weight_files(), loader)
        pictures = BenchUploads(folder)
        settings = Settings(model=name, data=folder)
        runs = Runs(engine, catalogue, pictures, settings.runs_mb * 1_000_000)
        sheets = Sheets(settings.sheets_mb * 1_000_000)
        studio = Studio(engine, catalogue, folder / "synthesised", 1_000_000)
        surveys = Surveys(engine, catalogue, folder / "surveys")
        decoders = Decoders(pictures.max_pixels)
        services = Services(
            settings,
            engine,
            catalogue,
            pictures,
            runs,
            sheets,
            studio,
            surveys,
            decoders,
            SideWork(),
        )
        try:
            network = await catalogue.network(name)
            prep, jpeg = preprocess(catalogue.model(name)), photo()
            picture = normalise(fit(decode(jpeg).image, prep).pixels, prep)
            yield BenchServices(name, quick, services, pictures, network, jpeg, picture)
        finally:
            services.stop()
            await decoders.close()
            await engine.close()
            services.side_work.close()
            sheets.close()
            pictures.close()


def photo(turn: int = 0) -> bytes:
    """A JPEG of 500 x 375 pixels: a cup of espresso, rotated by `turn` degrees."""
    cup = sample("coffee")
    if cup is None:
        raise LookupError("the sample photo has another name now")
    image = cup.open().rotate(turn, Image.Resampling.BILINEAR).resize((500, 375))
    file = BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()
