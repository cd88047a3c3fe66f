"""The atlas: against a search through all pictures, killed, divided, damaged, out of room."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
import torch
from PIL import Image

from app.errors import DataUnusable, NotWritten
from app.pictures.preprocess import normalise
from app.services.atlas.atlas import FINE, Atlas, merge, read_atlas, winning_cells, write_atlas
from app.services.atlas.building import AtlasOptions, AtlasPass, AtlasProgress
from app.services.atlas.crops import table
from app.services.atlas.folder import PictureFolder
from app.services.networks.catalogue import Model
from app.services.runs.run import preprocess
from app.vision.forward import forward_steps
from models.graph import Network
from tests.support.atlases import SMALL, first_layers
from tests.support.networks import embedded

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")
BROKEN = "b/broken.jpg"


@pytest.fixture(scope="module")
def model() -> Model:
    return first_layers()


@pytest.fixture(scope="module")
def network() -> Network:
    return embedded()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of ten pictures of different sizes; one is twice there, one cannot be read."""
    root, chance = tmp_path_factory.mktemp("pictures"), random.Random(0)
    for label in ("a", "b"):
        (root / "train" / label).mkdir(parents=True)
        for i in range(10):
            size = (chance.choice((64, 90)), chance.choice((64, 70)))
            noise = Image.frombytes("RGB", (5, 5), chance.randbytes(75))
            noise.resize(size, Image.Resampling.BICUBIC).save(root / f"train/{label}/{i}.png")
    (root / "train/b/3.png").write_bytes((root / "train/a/2.png").read_bytes())
    (root / "train" / BROKEN).write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (root / "train/notes.txt").write_text("no picture")
    return root


def begun(
    model: Model, network: Network, pictures: Path, out: Path, options: AtlasOptions = SMALL
) -> AtlasPass:
    return AtlasPass(model, network, PictureFolder.of(pictures), out, options)


def finished(
    model: Model, network: Network, pictures: Path, out: Path, options: AtlasOptions = SMALL
) -> bytes:
    list(begun(model, network, pictures, out, options).run())
    return out.read_bytes()


@pytest.fixture(scope="module")
def whole(
    model: Model, network: Network, pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, bytes]:
    """One pass without interruption."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("whole") / "mini.atlas"
    data = finished(model, network, pictures, path)
    torch.set_num_threads(threads)
    return path, data


def test_a_search_through_all_pictures_agrees(
    model: Model, network: Network, pictures: Path, whole: tuple[Path, bytes]
) -> None:
    atlas, folder, prep = read_atlas(whole[0]), PictureFolder.of(pictures), preprocess(model)
    assert (atlas.about.read, atlas.about.unreadable) == (20, 1)
    found: dict[str, list[tuple[int, torch.Tensor]]] = {step: [] for step in atlas.about.steps}
    for number, name in enumerate(folder.names):
        if not name.endswith(BROKEN):
            x = normalise(folder.read(number, prep), prep)[None]
            for output in forward_steps(network, x, until="conv2"):
                if output.step.kind == "conv":
                    found[output.step.name].append((number, output.tensor[0].flatten(1)))
    for step, winners in atlas.winners.items():
        for channel in (0, 31, len(winners.values) - 1):
            peaks = [(float(maps[channel].max()), number) for number, maps in found[step]]
            best = [value for value, _ in sorted(peaks, key=lambda p: -p[0])[:9]]
            assert winners.values[channel].tolist() == pytest.approx(best, rel=1e-4, abs=1e-4)
            numbers = winners.pictures[channel].tolist()
            assert len(set(numbers)) == 9
            maps_of = dict(found[step])
            for number, cell in zip(numbers, winners.cells[channel].tolist(), strict=True):
                one = maps_of[number][channel]
                assert one[cell].item() == pytest.approx(one.max().item(), abs=1e-4)
    of_b = [maps[7].max().double() for n, maps in found["conv2"] if "/b/" in folder.names[n]]
    assert atlas.counts.tolist() == [10, 10] and atlas.about.classes == ("a", "b")
    mean = atlas.sums["conv2"][1, 7].item() / FINE / 10
    assert mean == pytest.approx(float(torch.stack(of_b).mean()), rel=1e-4)
    ranked = atlas.preferred("conv2", 7)
    assert {name for name, _ in ranked} == {"a", "b"} and ranked[0][1] >= ranked[1][1]


def test_crops_are_the_pictures_at_their_fields(
    model: Model, pictures: Path, whole: tuple[Path, bytes]
) -> None:
    atlas, folder, prep = read_atlas(whole[0]), PictureFolder.of(pictures), preprocess(model)
    assert set(atlas.crops) == set(winning_cells(atlas))
    field = model.geometry["conv1"]
    for channel, rank in ((0, 0), (5, 8)):
        number = int(atlas.winners["conv1"].pictures[channel, rank])
        y, x = divmod(int(atlas.winners["conv1"].cells[channel, rank]), field.shape[2])
        with Image.open(BytesIO(atlas.crops["conv1", channel, number])) as crop:
            assert crop.size == (7, 7) and crop.mode == "RGBA" or field.box(y, x).left > 0
            shown = torch.tensor(list(crop.convert("RGBA").tobytes())).view(7, 7, 4)
        box = field.box(y, x)
        inside = shown[..., 3] > 0
        assert inside.sum() == (box.right - box.left) * (box.bottom - box.top)
        expected = folder.read(number, prep)[:, box.top : box.bottom, box.left : box.right]
        assert torch.equal(shown[inside][:, :3].T.flatten(), expected.flatten().long())


def test_the_index_tells_every_crop(model: Model, whole: tuple[Path, bytes]) -> None:
    atlas = read_atlas(whole[0])
    lines = table(atlas, model.geometry).splitlines()
    channels = sum(len(one.values) for one in atlas.winners.values())
    assert len(lines) == 1 + 9 * channels
    first = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
    assert (first["step"], first["channel"], first["rank"]) == ("conv1", "0", "1")
    assert (
        first["picture"] in PictureFolder.of(Path(whole[0]).parent.parent).names
        or "train/" in first["picture"]
    )


def test_a_pass_that_was_left_goes_on_to_the_same_bytes(
    model: Model, network: Network, pictures: Path, whole: tuple[Path, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "mini.atlas"
    steps = begun(model, network, pictures, path).run()
    for _ in range(3):
        next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert not path.exists()
    again = begun(model, network, pictures, path)
    assert again.resumed == 8
    list(again.run())
    assert path.read_bytes() == whole[1]
    assert [one.name for one in tmp_path.iterdir()] == ["mini.atlas"]


def test_a_pass_that_was_killed_goes_on_to_the_same_bytes(
    pictures: Path, whole: tuple[Path, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "mini.atlas"
    command = [
        sys.executable,
        "-m",
        "tests.support.atlas_pass_in_a_process",
        str(pictures),
        str(path),
    ]
    with subprocess.Popen(
        [*command, "waiting"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout
        while int(process.stdout.readline()) < 12:
            process.stdin.write("on\n")
            process.stdin.flush()
        process.send_signal(signal.SIGKILL)
    assert not path.exists()
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert said.split()[0] == "12"  # the first batch after those that were saved
    assert path.read_bytes() == whole[1]


def test_shards_merged_are_one_pass(
    model: Model, network: Network, pictures: Path, whole: tuple[Path, bytes], tmp_path: Path
) -> None:
    shards = []
    for i in range(3):
        finished(model, network, pictures, tmp_path / f"{i}", replace(SMALL, shard=(i, 3)))
        shards.append(read_atlas(tmp_path / f"{i}"))
    assert [one.about.read + one.about.unreadable for one in shards] == [8, 8, 5]
    write_atlas(tmp_path / "all", merge(shards[::-1]))
    assert (tmp_path / "all").read_bytes() == whole[1]
    with pytest.raises(DataUnusable, match="Of 3 shards each is needed once; these are 1/3, 2/3"):
        merge(shards[:2])
    other = replace(shards[2], about=replace(shards[2].about, weights="0" * 64))
    with pytest.raises(DataUnusable, match="not shards of one pass"):
        merge([*shards[:2], other])
    unfinished = replace(shards[2], about=replace(shards[2].about, batches=1))
    with pytest.raises(DataUnusable, match="not finished"):
        merge([*shards[:2], unfinished])


def test_a_file_is_read_only_for_its_weights_and_only_whole(
    whole: tuple[Path, bytes], tmp_path: Path
) -> None:
    weights = read_atlas(whole[0]).about.weights
    assert len(weights) == 64 and read_atlas(whole[0], weights).about.model == "mini"
    with pytest.raises(DataUnusable, match="other weights"):
        read_atlas(whole[0], "f" * 64)
    with pytest.raises(DataUnusable, match="There is no atlas"):
        read_atlas(tmp_path / "nothing")
    (tmp_path / "cut").write_bytes(whole[1][: len(whole[1]) // 2])
    with pytest.raises(DataUnusable, match="not an atlas"):
        read_atlas(tmp_path / "cut")


def test_a_state_of_another_pass_is_refused(
    model: Model, network: Network, pictures: Path, tmp_path: Path
) -> None:
    path = tmp_path / "mini.atlas"
    steps = begun(model, network, pictures, path).run()
    for _ in range(3):
        next(steps)
    steps.close()  # type: ignore[attr-defined]
    with pytest.raises(DataUnusable, match="another pass"):
        begun(model, network, pictures, path, replace(SMALL, batch=5))
    with pytest.raises(DataUnusable, match="another pass"):
        begun(model, network, pictures / "train" / "a", path)


def test_a_full_disk_is_a_sentence_and_keeps_what_was_there(
    model: Model, network: Network, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mini.atlas"
    steps = begun(model, network, pictures, path).run()
    next(steps), next(steps)  # 8 are saved

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:100])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(NotWritten, match="No space left on device. Nothing was overwritten"):
            list(steps)
    assert [one.name for one in tmp_path.iterdir()] == ["mini.atlas.state"]
    assert begun(model, network, pictures, path).resumed == 8


def test_without_classes_there_are_no_sums(
    model: Model, network: Network, pictures: Path, tmp_path: Path
) -> None:
    finished(model, network, pictures / "train" / "b", tmp_path / "x")
    atlas = read_atlas(tmp_path / "x")
    assert atlas.about.skipped == ("broken.jpg",) and atlas.preferred("conv1", 0) == []


def test_progress_counts_this_shards_pictures(
    model: Model, network: Network, pictures: Path, tmp_path: Path
) -> None:
    told = list(begun(model, network, pictures, tmp_path / "x").run())
    read = [one for one in told if not one.cutting]
    assert [one.done for one in read] == [4, 8, 12, 16, 20, 21]
    assert read[-1] == AtlasProgress(21, 21, 1)
    assert told[-1].cutting and told[-1].done == told[-1].total <= 20


def test_only_winners_are_kept(
    model: Model, network: Network, pictures: Path, tmp_path: Path
) -> None:
    """What is held does not grow with the folder."""
    work = begun(model, network, pictures, tmp_path / "x")
    sizes = set()
    for _ in work.run():
        atlas: Atlas = work.atlas
        sizes.add(sum(one.values.numel() for one in atlas.winners.values()))
    assert len(sizes) == 1
