"""The comparison's page and files: two pictures, two networks, two channels, and what misfits."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file
from starlette.testclient import TestClient

from app.pictures.palettes import palette
from app.services.networks.state_dict import to_state_dict
from app.settings import Settings
from app.web.app import create_app
from models import registry
from tests.support.addresses import BASE
from tests.support.markup import one_line
from tests.support.networks import put_partial

API = "/api/v1"
HTML = {"accept": "text/html"}
PART = {**HTML, "hx-request": "true", "hx-target": "main#compare"}


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = put_partial(tmp_path / "stick")
    whole = to_state_dict("squeezenet1_1", registry.seeded("squeezenet1_1"))
    save_file(whole, folder / "squeezenet1_1-seeded.safetensors")
    return folder


@pytest.fixture
def with_stick(tmp_path: Path, stick: Path) -> Iterator[TestClient]:
    app = create_app(Settings(data=tmp_path / "data", device="cpu", weights=stick))
    with TestClient(app, base_url=BASE, follow_redirects=False) as client:
        yield client


def shown(client: TestClient, query: str) -> str:
    answer = client.get(f"/compare?{query}", headers=HTML)
    assert answer.status_code == 200, answer.text
    return unescape(one_line(answer.text))


def tensor(client: TestClient, model: str, image: str, step: str) -> np.ndarray:
    answer = client.get(f"{API}/runs/{model}/{image}/steps/{step}.npy").raise_for_status()
    values: np.ndarray = np.load(io.BytesIO(answer.content))
    return values.astype(float)


def pairs(text: str) -> list[tuple[int, int]]:
    found = re.findall(r'data-here="(\d+)" data-there="(\d+)"', text)
    return [(int(here), int(there)) for here, there in found]


def test_two_pictures_are_compared_channel_by_channel(client: TestClient) -> None:
    text = shown(client, "step=conv3&other_image=cat")
    a, b = (tensor(client, "mini", image, "conv3") for image in ("coffee", "cat"))
    apart = np.sqrt(((b - a) ** 2).sum((1, 2)) / ((a**2).sum((1, 2)) + (b**2).sum((1, 2))))
    listed = pairs(text)
    assert [here for here, there in listed if here == there] == [here for here, _ in listed]
    assert len(listed) == 16
    worst = np.sort(apart)[::-1][:16]
    assert [apart[here] for here, _ in listed] == pytest.approx(worst, abs=1e-3)
    first = listed[0][0]
    assert f"Here: conv3, map {first}" in text
    assert f"There: conv3, map {first}" in text
    assert f"Relative distance {apart[first]:.2f}" in text
    assert f"peak {a[first].max():.3g}".replace("-", "−") in text
    for label in ("espresso", "tabby cat"):
        assert f"<span>{label}</span>" in text
    for image in ("coffee", "cat"):
        assert f'src="/api/v1/images/{image}/preview.jpg' in text


def test_each_pair_opens_itself(client: TestClient) -> None:
    text = shown(client, "step=conv3&other_image=cat")
    here, _ = pairs(text)[3]
    url = f"/compare?model=mini&image=coffee&step=conv3&channel={here}&other_image=cat"
    assert f'href="{url}"' in text
    opened = unescape(one_line(client.get(url, headers=HTML).text))
    assert f"There: conv3, map {here}" in opened
    assert pairs(opened) == pairs(text)
    # The next and the one before it are a key away.
    after, before = pairs(text)[4][0], pairs(text)[2][0]
    assert f'rel="next" href="{url.replace(f"channel={here}", f"channel={after}")}"' in opened
    assert f'rel="prev" href="{url.replace(f"channel={here}", f"channel={before}")}"' in opened


def test_the_ranking_by_peaks_is_that_of_the_tensors(client: TestClient) -> None:
    listed = pairs(shown(client, "step=relu4&other_image=cat&by=peak"))
    a, b = (tensor(client, "mini", image, "relu4") for image in ("coffee", "cat"))
    apart = np.abs(b.max((1, 2)) - a.max((1, 2)))
    assert [apart[here] for here, _ in listed] == pytest.approx(np.sort(apart)[::-1][:16])


def test_the_pictures_are_the_tensors_on_one_scale(client: TestClient) -> None:
    query = "step=conv4&channel=9&other_image=cat&other_channel=20"
    a, b = (tensor(client, "mini", image, "conv4") for image in ("coffee", "cat"))
    expected = {"here": a[9], "there": b[20], "difference": b[20] - a[9]}
    limit = max(np.abs(one).max() for one in expected.values())
    colours = np.frombuffer(palette("signed"), np.uint8).reshape(256, 3)
    for part, values in expected.items():
        answer = client.get(f"/compare/pair-{part}.png?{query}").raise_for_status()
        found = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))
        index = np.clip(np.round(values / limit * 127) + 128, 1, 255).astype(int)
        near = [colours[np.clip(index + by, 1, 255)] for by in (-1, 0, 1)]
        assert (
            np.minimum.reduce([np.abs(found.astype(int) - one).sum(2) for one in near]).max() == 0
        )


def test_the_addresses_of_pictures_may_be_kept(client: TestClient) -> None:
    text = shown(client, "step=conv4&other_model=mini-random")
    urls = re.findall(r'"(/compare/[a-z]+-[a-z]+\.png[^"]+)"', text)
    assert len(set(urls)) == 6
    for url in set(urls):
        answer = client.get(url).raise_for_status()
        assert "immutable" in answer.headers["cache-control"]
        Image.open(io.BytesIO(answer.content)).load()


def test_trained_and_random_weights_are_compared(client: TestClient) -> None:
    text = shown(client, "step=conv5&other_model=mini-random")
    assert "differences are what training changed" in text
    assert "Random weights: predictions are guesses." in text
    assert all(here == there for here, there in pairs(text))


def test_another_architecture_is_compared_by_rank(with_stick: TestClient) -> None:
    model = "own-squeezenet1_1-seeded"
    text = shown(with_stick, f"step=conv3&other_model={model}")
    assert "their channel numbers do not correspond" in text
    a, b = (
        tensor(with_stick, "mini", "coffee", "conv3"),
        tensor(with_stick, model, "coffee", "fire4.squeeze"),
    )
    ranks = [np.argsort(-one.max((1, 2)), kind="stable")[:16].tolist() for one in (a, b)]
    assert pairs(text) == list(zip(*ranks, strict=True))
    assert "No difference can be taken: 8×8 cells here, 27×27 there" in text
    assert "There − here" not in text
    assert 'aria-label="Rank by"' not in text


def test_one_channel_stands_beside_its_fellows(client: TestClient) -> None:
    text = shown(client, "step=conv2&channel=58")
    assert "Choose what to compare it with" in text
    assert {here for here, _ in pairs(text)} == {58}
    assert 58 not in [there for _, there in pairs(text)]
    chosen = shown(client, "step=conv2&channel=58&other_channel=3")
    assert "There: conv2, map 3" in chosen
    assert "channel 58 of conv2 next to the other channels" in chosen
    alike = pairs(shown(client, "step=conv2&channel=58&other_channel=3&by=alike"))
    maps = tensor(client, "mini", "coffee", "conv2")
    energy = (maps**2).sum((1, 2))
    apart = np.sqrt(((maps - maps[58]) ** 2).sum((1, 2)) / (energy + energy[58]))
    others = np.sort(np.delete(apart, 58))[:16]
    assert [apart[there] for _, there in alike] == pytest.approx(others, abs=1e-3)


def test_numbers_are_compared_by_their_values(client: TestClient) -> None:
    text = shown(client, "step=fc7&other_image=cat")
    a, b = (tensor(client, "mini", image, "fc7") for image in ("coffee", "cat"))
    apart = np.abs(b - a)
    listed = [here for here, _ in pairs(text)]
    assert [apart[here] for here in listed] == pytest.approx(np.sort(apart)[::-1][:16])
    assert "Here: fc7, espresso" in text or "Here: fc7, tabby cat" in text
    assert "/compare/pair-here.png" not in text


def test_a_network_that_ends_earlier_is_told_in_words(with_stick: TestClient) -> None:
    text = shown(with_stick, "step=fc6&other_model=own-mini-part")
    assert "which ends at conv5, has no step like fc6" in text
    assert "Side by side" not in text
    assert 'id="networks-there"' in text
    for file in ("compare.png", "compare.csv", "compare/pair-here.png"):
        answer = with_stick.get(f"/{file}?step=fc6&other_model=own-mini-part")
        assert (answer.status_code, "no step like" in answer.json()["detail"]) == (422, True)
    both = shown(with_stick, "step=conv5&other_model=own-mini-part")
    assert "This network has no classifier" in both
    # The same weights from another file: nothing differs.
    assert "Relative distance 0.00" in both


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("model=none", 404, "no network called"),
        ("other_model=none", 404, "no network called"),
        ("image=none", 404, ""),
        ("other_image=none", 404, ""),
        ("step=conv9", 404, "has no step called"),
        ("other_step=conv9", 404, "has no step called"),
        ("step=conv1&channel=64", 404, "channels 0 to 63"),
        ("step=conv1&other_image=cat&other_channel=64", 404, "channels 0 to 63"),
        ("channel=-1", 422, "channel"),
        ("by=size", 422, "by"),
        ("other_model=vgg16", 503, "weights get vgg16"),
    ],
)
def test_what_is_unknown_is_told(client: TestClient, query: str, status: int, words: str) -> None:
    page = client.get(f"/compare?{query}", headers=HTML)
    assert (page.status_code, words in unescape(page.text)) == (status, True)
    assert "Traceback" not in page.text
    part = client.get(f"/compare?{query}", headers=PART)
    assert (part.status_code, part.headers["hx-retarget"]) == (status, "#notice")


def test_maps_of_two_sizes_have_no_difference(client: TestClient) -> None:
    query = "step=relu2&other_step=pool2"
    text = shown(client, query)
    assert "Maps of two sizes cannot be subtracted" in text
    assert all(here == there for here, there in pairs(text))
    answer = client.get(f"/compare/pair-difference.png?{query}")
    assert (answer.status_code, answer.json()["detail"]) == (
        422, "Maps of two sizes have no difference.",
    )  # fmt: skip
    assert client.get(f"/compare/pair-there.png?{query}").status_code == 200


def test_htmx_gets_the_inside_and_history_the_whole(client: TestClient) -> None:
    part = client.get("/compare?other_image=cat", headers=PART).text
    assert "<html" not in part
    assert 'class="two"' in part
    restored = {**PART, "hx-history-restore-request": "true"}
    assert "<html" in client.get("/compare?other_image=cat", headers=restored).text


def test_the_table_has_every_pair_and_the_numbers_of_the_page(client: TestClient) -> None:
    answer = client.get("/compare.csv?step=conv3&other_image=cat").raise_for_status()
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 288
    a, b = (tensor(client, "mini", image, "conv3") for image in ("coffee", "cat"))
    for row in rows[::37]:
        i = int(row["channel_here"])
        assert i == int(row["channel_there"])
        assert float(row["peak_difference"]) == pytest.approx(b[i].max() - a[i].max(), abs=1e-5)
        assert float(row["largest_difference"]) == pytest.approx(np.abs(b[i] - a[i]).max())
        assert float(row["l2_here"]) == pytest.approx(np.linalg.norm(a[i]), rel=1e-5)
    listed = pairs(shown(client, "step=conv3&other_image=cat"))
    assert [int(row["channel_here"]) for row in rows[:16]] == [here for here, _ in listed]
    sizes = client.get("/compare.csv?step=relu2&other_step=pool2").content.decode("utf-8-sig")
    assert next(csv.DictReader(io.StringIO(sizes)))["relative_distance"] == ""


def test_the_pair_is_saved_as_a_picture_with_words(client: TestClient) -> None:
    for query in (
        "step=conv3&other_image=cat",
        "step=relu2&other_step=pool2",
        "step=fc7&other_image=cat",
    ):
        answer = client.get(f"/compare.png?{query}").raise_for_status()
        with Image.open(io.BytesIO(answer.content)) as image:
            assert image.width >= 760
        assert "attachment" in answer.headers["content-disposition"]


def test_sides_are_exchanged_and_back(client: TestClient) -> None:
    query = "model=mini&image=coffee&step=conv3&other_model=mini-random&other_image=cat"
    text = shown(client, query)
    swapped = re.search(r'id="swap" href="([^"]+)"', text)
    assert swapped
    other = unescape(client.get(swapped[1], headers=HTML).text)
    assert (
        re.findall(r"<b>([^<]+)</b> in ([^,<]+)", other)
        == re.findall(r"<b>([^<]+)</b> in ([^,<]+)", text)[::-1]
    )
    assert pairs(other) == pairs(text)


def test_a_picture_of_one_s_own_goes_to_the_side_it_is_for(client: TestClient) -> None:
    client.get("/compare")
    data = io.BytesIO()
    Image.new("RGB", (80, 80), "teal").save(data, "PNG")
    back = {"which": "there", "back": "model=mini&image=cat&step=conv2&channel=7&by=peak"}
    answer = client.post("/compare/images", files={"file": ("t.png", data.getvalue())}, data=back)
    assert answer.status_code == 303
    assert re.fullmatch(
        r"/compare\?model=mini&image=cat&step=conv2&channel=7&other_image=[0-9a-f]{32}&by=peak",
        answer.headers["location"],
    )
    text = unescape(client.get(answer.headers["location"], headers=HTML).text)
    assert text.count("t.png") >= 2
    assert "deleted in 24 hours" in text
    nonsense = client.post(
        "/compare/images",
        files={"file": ("t.png", data.getvalue())},
        data={"which": "here", "back": "channel=x&by=z&model="},
    )
    assert re.match(r"/compare\?model=mini&image=[0-9a-f]{32}$", nonsense.headers["location"])
    broken = client.post("/compare/images", files={"file": ("t.png", b"no picture")}, data=back)
    assert broken.status_code == 415


def test_the_explorer_leads_here(client: TestClient) -> None:
    for query, expected in (
        ("", "/compare?model=mini&image=coffee"),
        ("step=conv3", "/compare?model=mini&image=coffee&step=conv3"),
        ("step=conv3&channel=5", "/compare?model=mini&image=coffee&step=conv3&channel=5"),
    ):
        page = unescape(client.get(f"/?{query}", headers=HTML).text)
        assert f'<a href="{expected}">Compare with …</a>' in page
