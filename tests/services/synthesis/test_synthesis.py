"""Synthesised pictures as people ask for them: their keys, the disk, growths that are shared."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image

from app.errors import BadRequest, NotWritten, UnknownStep
from app.pictures.preprocess import normalise
from app.services.engine.engine import LocalEngine
from app.services.networks.catalogue import Catalogue, Model
from app.services.runs.run import preprocess
from app.services.runs.runs import Runs
from app.services.synthesis import growth as growing
from app.services.synthesis.disk_cache import PictureCache
from app.services.synthesis.growth import GrowthReport, Growths
from app.services.synthesis.levels import GreyLevels, on_picture
from app.services.synthesis.picture import SynthesisedPicture, drawn, read
from app.services.synthesis.query import SynthesisOptions, SynthesisQuery, build_query, unit_origin
from app.services.synthesis.studio import Studio
from app.vision.forward import forward_steps
from app.vision.synthesis_goals import LINEAR
from models.graph import Network
from tests.support.engines import CPU
from tests.support.networks import embedded

pytestmark = pytest.mark.usefixtures("one_thread")

FEW = SynthesisOptions(steps=20, seed=7)


@pytest.fixture
def model() -> Model:
    return Catalogue(CPU, 10**9).model("mini")


@pytest.fixture
def network() -> Network:
    return embedded()


@pytest.fixture
async def studio(engine: LocalEngine, tmp_path: Path) -> Studio:
    return Studio(engine, Catalogue(CPU, 10**9), tmp_path / "kept", 10**6)


def picture(key: str = "k", shade: float = 0.5, size: int = 16) -> SynthesisedPicture:
    pixels = torch.full((3, size, size), shade)
    return drawn(pixels, key, "made for a test — ⟨é⟩", 1.5, [0.25, 1.5])


def test_the_same_picture_has_one_key_whatever_step_it_is_asked_of(model: Model) -> None:
    one = build_query(model, "conv5", 3, FEW)
    assert (
        build_query(model, "relu5", 3, FEW).key
        == one.key
        == build_query(model, "pool5", 3, FEW).key
    )
    others = [
        build_query(model, "conv5", 4, FEW),
        build_query(model, "conv4", 3, FEW),
        build_query(model, "conv5", None, FEW),
        *(
            build_query(model, "conv5", 3, replace(FEW, **change))
            for change in (
                {"steps": 21},
                {"seed": 8},
                {"size": 96},
                {"away": True},
                {"second": 4},
                {"second": 4, "share": 30},
            )
        ),
    ]
    assert len({one.key, *(other.key for other in others)}) == len(others) + 1
    changed = replace(model.entry, row=replace(model.row, sha256="0" * 64))
    assert build_query(replace(model, entry=changed), "conv5", 3, FEW).key != one.key
    assert one.after(20).key == one.key != one.after(16).key


def test_a_step_without_a_number_of_its_own_and_values_out_of_range_are_refused(
    model: Model,
) -> None:
    for step, channel, wanted, error in (
        ("conv9", 0, FEW, UnknownStep),
        ("conv5", 192, FEW, UnknownStep),
        ("conv5", 0, replace(FEW, second=192), UnknownStep),
        ("flatten", 0, FEW, UnknownStep),
        ("conv5", 0, replace(FEW, steps=2049), BadRequest),
        ("conv5", 0, replace(FEW, seed=-1), BadRequest),
        ("conv5", 0, replace(FEW, size=65), BadRequest),
        ("fc6", 0, replace(FEW, size=96), BadRequest),
        ("conv5", 0, replace(FEW, second=1, share=101), BadRequest),
        ("conv5", None, replace(FEW, second=1), BadRequest),
    ):
        with pytest.raises(error):
            build_query(model, step, channel, wanted)


def test_of_two_branches_a_mix_is_measured_behind_their_concatenation(tmp_path: Path) -> None:
    squeezed = Catalogue(CPU, 10**9).model("squeezenet1_1")
    within = build_query(squeezed, "fire2.concat", 3, replace(FEW, second=5))
    assert (within.at, within.goal.channels) == ("fire2.expand1x1", [3, 5])
    across = build_query(squeezed, "fire2.concat", 3, replace(FEW, second=70))
    assert (across.at, across.goal.channels) == ("fire2.concat", [3, 70])
    assert unit_origin(squeezed, "softmax", 5) == ("conv10", 5)
    assert build_query(squeezed, "softmax", 5, FEW).label == squeezed.labels[5].label


def test_a_picture_tells_how_it_was_made_and_a_damaged_one_is_none(tmp_path: Path) -> None:
    made = picture("abc")
    assert read(made.png, "abc") == made
    path = tmp_path / "saved.png"
    path.write_bytes(made.png)
    with Image.open(path) as image:
        assert image.text["Description"] == "made for a test — ⟨é⟩"  # type: ignore[attr-defined]
    assert read(made.png, "abd") is None
    for damaged in (b"", b"\x89PNG", made.png[:200], made.png[: len(made.png) // 2]):
        assert read(damaged, "abc") is None


def test_the_disk_keeps_to_its_budget_and_lets_the_least_used_go(tmp_path: Path) -> None:
    one = picture("a")
    kept = PictureCache(tmp_path / "kept", 3 * len(one.png) + 200)
    for second, key in enumerate("abc"):
        kept.put(key, picture(key))
        os.utime(tmp_path / "kept" / f"{key}.png", (second, second))
    assert kept.get("a") is not None  # now the last that was looked at
    kept.put("d", picture("d"))
    assert [key for key in "abcd" if kept.has(key)] == ["a", "c", "d"]
    kept.put("huge", picture("huge", size=512))
    assert (
        sum(path.stat().st_size for path in (tmp_path / "kept").iterdir()) <= 3 * len(one.png) + 200
    )
    assert kept.get("nothing") is None


def test_a_damaged_file_is_ignored_and_made_room_for(tmp_path: Path) -> None:
    kept = PictureCache(tmp_path, 10**6)
    kept.put("a", picture("a"))
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    assert kept.get("a") is None and not kept.has("a")
    kept.put("a", picture("a"))
    assert kept.get("a") == picture("a")


def test_many_may_write_and_read_at_once(tmp_path: Path) -> None:
    kept = PictureCache(tmp_path, 4 * len(picture().png))
    wrong: list[str] = []

    def work(number: int) -> None:
        for turn in range(20):
            key = "abcdef"[(number + turn) % 6]
            kept.put(key, picture(key))
            found = kept.get(key)
            if found is not None and found != picture(key):
                wrong.append(key)

    threads = [Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".png"]
    assert len(list(tmp_path.iterdir())) <= 4


def test_a_full_disk_is_a_sentence_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(NotWritten, match="No space left"):
        PictureCache(tmp_path, 10**6).put("a", picture("a"))
    assert list(tmp_path.iterdir()) == []


def growths(
    found: dict[str, SynthesisedPicture] | None = None,
) -> tuple[Growths, dict[str, SynthesisedPicture]]:
    """Growths that keep what is finished or left in a table."""
    kept: dict[str, SynthesisedPicture] = {}
    shown: dict[str, SynthesisedPicture] = {}

    def put(
        where: dict[str, SynthesisedPicture], one: SynthesisQuery, made: SynthesisedPicture
    ) -> None:
        where[one.key] = made

    return Growths(
        lambda one, made: put(shown, one, made),
        lambda one, made: put(kept, one, made),
        lambda one: (found or {}).get(one.key),
    ), kept


def test_it_climbs_and_its_number_is_that_of_the_picture_itself(
    model: Model, network: Network
) -> None:
    wanted = build_query(model, "conv5", 3, FEW)
    table, kept = growths()
    reports = list(table.follow(wanted, network))
    assert [one.step for one in reports] == list(range(21))
    assert [one.step for one in reports if one.fresh] == [0, 16, 20]
    assert [one.shown.recipe.steps for one in reports][15:18] == [0, 16, 16]
    assert reports[-1].finished and reports[-1].objective > reports[0].objective + 0.5
    assert set(kept) == {wanted.key} and len(table) == 0
    pixels = torch.from_numpy(_pixels(kept[wanted.key].png))
    with torch.inference_mode():
        found = _output(network, normalise(pixels, preprocess(model)), "conv5")[3].mean()
    # Rounded to whole pixel values, the picture has all but the same number.
    assert found.item() == pytest.approx(reports[-1].objective, rel=0.02)
    assert kept[wanted.key].objective == reports[-1].objective


def _pixels(png: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image).transpose(2, 0, 1).copy()


def _output(network: Network, picture: torch.Tensor, step: str) -> torch.Tensor:
    return next(
        one.tensor[0] for one in forward_steps(network, picture[None]) if one.step.name == step
    )


def test_two_who_watch_the_same_picture_have_it_computed_once(
    model: Model, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    advanced = 0
    real = growing.Growth.advance

    def counted(self: growing.Growth) -> GrowthReport:
        nonlocal advanced
        advanced += 1
        return real(self)

    monkeypatch.setattr(growing.Growth, "advance", counted)
    wanted = build_query(model, "conv2", 3, FEW)
    table, _ = growths()
    one, other = table.follow(wanted, network), table.follow(wanted, network)
    seen: list[tuple[int, int]] = []
    for _ in range(10):
        seen.append((next(one).step, next(other).step))
    assert seen == [(i, i) for i in range(10)] and advanced == 10
    late = table.follow(wanted, network)
    assert next(late).step == 9 and advanced == 10
    one.close()  # type: ignore[attr-defined]
    rest = [report.step for report in other]
    assert rest == list(range(10, 21)) and advanced == 21
    assert len(table) == 1
    assert [report.step for report in late] == [20]
    assert len(table) == 0


def test_what_was_reached_is_kept_and_who_comes_back_goes_on(
    model: Model, network: Network
) -> None:
    wanted = build_query(model, "conv2", 3, replace(FEW, steps=40))
    table, kept = growths()
    follow = table.follow(wanted, network)
    while next(follow).step < 18:
        pass
    follow.close()  # type: ignore[attr-defined]
    assert set(kept) == {wanted.after(16).key}
    again = table.follow(wanted, network)
    assert next(again).step == 18 and next(again).step == 19
    alone, _ = growths()
    *_, straight = alone.follow(wanted, network)
    *_, resumed = again
    assert resumed.objective == straight.objective
    shorter, others = growths()
    list(shorter.follow(wanted.after(16), network))
    # Stopped after 16 of 40 it is the picture of 16, pixel for pixel.
    one, other = others[wanted.after(16).key], kept[wanted.after(16).key]
    assert (_pixels(one.png) == _pixels(other.png)).all()
    assert one.objective == other.objective


def test_few_that_nobody_watches_stay_ready(model: Model, network: Network) -> None:
    table, _ = growths()
    for channel in range(growing.PARKED + 3):
        follow = table.follow(build_query(model, "conv1", channel, FEW), network)
        next(follow), next(follow)
        follow.close()  # type: ignore[attr-defined]
    assert table.parked == growing.PARKED


async def collected(items: AsyncIterator[int | GrowthReport]) -> list[int | GrowthReport]:
    return [item async for item in items]


@pytest.mark.anyio
async def test_the_studio_grows_finds_and_shares(
    studio: Studio, model: Model, network: Network
) -> None:
    wanted = studio.build_query(model, "conv2", 3, FEW)
    assert studio.find(wanted) is None and studio.state(wanted) == "none"
    first, second = await asyncio.gather(
        collected(studio.stream("one", wanted, network)),
        collected(studio.stream("other", wanted, network)),
    )
    assert {item for item in (*first, *second) if isinstance(item, int)} == {0, 1}
    assert isinstance(first[-1], GrowthReport) and first[-1].finished
    assert studio.state(wanted) == "cached"
    found = studio.find(wanted)
    assert found and found.picture.objective == first[-1].objective
    assert len(await collected(studio.stream("third", wanted, network))) == 2


@pytest.mark.anyio
async def test_a_picture_outlives_the_server(
    engine: LocalEngine, tmp_path: Path, model: Model, network: Network
) -> None:
    catalogue = Catalogue(CPU, 10**9)
    before = Studio(engine, catalogue, tmp_path, 10**6)
    wanted = before.build_query(model, "conv2", 3, FEW)
    await collected(before.stream("one", wanted, network))
    after = Studio(engine, catalogue, tmp_path, 10**6)
    assert after.state(wanted) == "cached" and after.find(wanted) == before.find(wanted)


@pytest.mark.anyio
async def test_a_disk_that_is_full_is_told_and_the_picture_shown(
    studio: Studio, model: Model, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: PictureCache, key: str, picture: SynthesisedPicture) -> None:
        raise NotWritten("The disk is full.")

    monkeypatch.setattr(PictureCache, "put", full)
    wanted = studio.build_query(model, "conv2", 3, FEW)
    *_, last = await collected(studio.stream("one", wanted, network))
    assert isinstance(last, GrowthReport) and last.problem == "The disk is full."
    assert studio.find(wanted) is not None


@pytest.mark.anyio
async def test_the_numbers_beside_it_are_those_of_the_run_and_of_grey(
    engine: LocalEngine, runs: Runs, model: Model, network: Network
) -> None:
    async with runs.listen("mini", "coffee") as run:
        await run.finish()
        greys = GreyLevels(engine, Catalogue(CPU, 10**9))
        prep = preprocess(model)
        grey = (0.5 - torch.tensor(prep.mean)) / torch.tensor(prep.std)
        shade = grey.view(3, 1, 1).expand(3, 64, 64)
        for step, at in (("pool5", "conv5"), ("relu2", "conv2")):
            one = build_query(model, step, 3, FEW)
            assert on_picture(one, run) == pytest.approx(run.tensor(at)[3].mean().item())
            plain = _output(network, shade, at)[3].mean().item()
            assert await greys.of(one) == pytest.approx(plain, rel=1e-4, abs=1e-5)
        logit = build_query(model, "softmax", 97, FEW)
        assert on_picture(logit, run) == run.tensor("fc7")[97].item()
        mixed = build_query(model, "conv5", 3, replace(FEW, second=4, share=25, away=True))
        means = run.tensor("conv5").mean((1, 2))
        assert on_picture(mixed, run) == pytest.approx((0.75 * means[3] + 0.25 * means[4]).item())
        whole = build_query(model, "relu4", None, FEW)
        squares = F.mse_loss(run.tensor("conv4"), torch.zeros_like(run.tensor("conv4")))
        assert on_picture(whole, run) == pytest.approx(squares.item(), rel=1e-5)
        first = run.tensor("conv1")[5]
        edges = (first.clamp_min(0).square() + LINEAR * first).mean().item()
        assert on_picture(build_query(model, "conv1", 5, FEW), run) == pytest.approx(
            edges, rel=1e-5
        )
