"""The sticker panel in all its states, without a browser."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fastapi import FastAPI
from PIL import Image
from safetensors.torch import save_file
from starlette.testclient import TestClient

from app.services.attacks import stickers
from app.services.attacks.stickers import Sticker, StickerFigures, StickerRecipe
from app.services.networks import asset_files
from app.services.networks.catalogue import Catalogue
from app.services.networks.state_dict import to_state_dict
from app.settings import Settings
from app.vision.attacks.paste import Placement, pasted
from app.web.app import create_app
from models import registry
from tests.support.addresses import BASE
from tests.support.attacked_networks import photo, reader
from tests.support.markup import one_line

URL = "/attack/sticker"
HTML = {"accept": "text/html"}
BUS = 71


def shown(client: TestClient, path: str = URL, **query: Any) -> str:
    answer = client.get(path, params=query, headers=HTML)
    assert answer.status_code == 200, answer.text
    return one_line(answer.text)


def decoded(client: TestClient, **query: Any) -> torch.Tensor:
    data = client.get(f"{URL}.png", params=query).content
    with Image.open(io.BytesIO(data)) as image:
        return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def test_it_stands_on_a_page_of_its_own_and_alone_for_htmx(client: TestClient) -> None:
    page = shown(client)
    assert "<!doctype html>" in page and "A sticker" in page
    assert client.get(URL, headers={**HTML, "hx-request": "true"}).text.lstrip().startswith("<div")
    assert page.count('type="radio" name="sticker"') == 3
    assert re.search(r'value="71" checked', page)
    assert 'id="sticker-ring"' in page and 'type="range" id="scale"' in page


def test_the_prediction_is_that_of_the_8_bit_picture_which_is_shown(client: TestClient) -> None:
    place = {"x": 0.3, "y": 0.6, "scale": 0.4, "turn": 30}
    query: dict[str, Any] = {"model": "mini", "image": "cat", "sticker": "school bus", **place}
    sticker = stickers.stickers_of(Catalogue(torch.device("cpu"), 1).model("mini")).of(BUS)
    assert sticker
    expected = pasted(photo("cat"), sticker.pixels, Placement.at(0.3 * 64, 0.6 * 64, 0.4, 30))
    picture = decoded(client, part="sticker", **query)
    assert picture.equal(expected[0])
    logits = reader().logits(expected.float())[0]
    probability = float(logits.softmax(0).amax())
    html = shown(client, f"{URL}/seen", **query)
    first = re.search(r'data-class="(\d+)".*?class="share">([\d.]+)\s%', html, re.S)
    assert first and int(first[1]) == int(logits.argmax())
    assert float(first[2]) == pytest.approx(100 * probability, abs=0.06)
    # Uploaded again it goes in untouched, with the same answer.
    png = client.get(f"{URL}.png", params={"part": "sticker", **query}).content
    again = client.post("/api/v1/images", files={"file": ("s.png", png)}).json()["id"]
    run = client.get(f"/api/v1/runs/mini/{again}").json()
    assert run["predictions"][0]["index"] == int(first[1])
    assert run["predictions"][0]["probability"] == pytest.approx(probability, abs=1e-5)


def test_the_control_lies_at_the_same_place_in_random_colours(client: TestClient) -> None:
    query = {"image": "cat", "x": 0.3, "y": 0.6, "scale": 0.3}
    own, random, bare = (
        decoded(client, part="sticker", **query),
        decoded(client, part="random", **query),
        photo("cat")[0],
    )
    assert not own.equal(random)
    assert ((own != bare).any(0) ^ (random != bare).any(0)).float().mean() < 0.01
    other = decoded(client, part="random", seed=1, **query)
    assert not other.equal(random)
    html = shown(client, f"{URL}/seen", **query)
    assert "Random colours, same size" in html and html.count("<section") == 2


def test_the_area_is_that_of_the_pixels_it_touches(client: TestClient) -> None:
    html = shown(client, f"{URL}/seen", image="cat", x=0.5, y=0.5, scale=0.5)
    told = re.search(r'id="sticker-area">([\d.]+)\s%', html)
    changed = decoded(client, part="random", image="cat", x=0.5, y=0.5, scale=0.5)
    share = float((changed != photo("cat")[0]).any(0).float().mean())
    assert told and float(told[1]) == pytest.approx(100 * share, abs=0.2)
    # In the corner three quarters of it lie beyond the edge.
    corner = re.search(
        r'id="sticker-area">([\d.]+)\s%', shown(client, f"{URL}/seen", x=0, y=0, scale=0.5)
    )
    assert corner and float(corner[1]) == pytest.approx(float(told[1]) / 4, abs=0.6)


def test_the_class_stands_below_the_five_where_it_is_none_of_them(client: TestClient) -> None:
    html = shown(client, f"{URL}/seen", image="coffee", scale=0.1, x=0.05, y=0.95)
    own, control = html.split("<section")[1:3]
    for part in (own, control):
        kinds = re.findall(r'class="\w+ (\w+)" data-class="(\d+)"', part)
        assert ("goal", str(BUS)) in kinds and len(kinds) in (5, 6)
    assert "Still espresso" in own


def test_a_hundred_places_are_counted_with_control_and_clean_answer(client: TestClient) -> None:
    html = shown(client, f"{URL}/places", image="cat", sticker=BUS)
    hits = re.search(r"<h3>(\d+) of 100 random places", html)
    assert hits
    assert html.count('class="hit"') == int(hits[1])
    assert html.count('class="hit"') + html.count('class="miss"') == 100
    assert "Random colours, seen as school bus" in html and "tabby cat" in html
    again = shown(client, f"{URL}/places", image="cat", sticker=BUS)
    assert again == html
    other = shown(client, f"{URL}/places", image="cat", sticker=BUS, seed=1)
    assert other != html


def test_the_sticker_to_print_states_its_size_and_is_clear_outside(client: TestClient) -> None:
    answer = client.get(f"{URL}.png", params={"size": 5.08, "sticker": BUS, "download": "a.png"})
    assert 'filename="a.png"' in answer.headers["content-disposition"]
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.size, image.mode) == ((600, 600), "RGBA")
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert image.info["Description"] == "school bus sticker, 5.08 cm wide at 300 dpi"
        alpha = image.getchannel("A")
        assert [alpha.getpixel(at) for at in ((2, 2), (300, 300), (597, 2))] == [0, 255, 0]


def test_the_picture_can_be_kept_and_taken_further(client: TestClient) -> None:
    page = shown(client, image="cat")
    sent = page.split('method="post"')[1]
    form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', sent))
    assert set(form) == {"model", "image", "sticker", "x", "y", "scale", "turn"}
    answer = client.post(URL, data=form, headers={**HTML, "hx-request": "true"})
    assert answer.status_code == 200
    image = re.search(r'href="/\?model=mini&amp;image=(\w+)"', answer.text)
    assert image and f"/attack?model=mini&amp;image={image[1]}" in answer.text
    assert "deleted after 24 hours" in answer.text
    png = client.get(f"/api/v1/images/{image[1]}.png")
    assert png.status_code == 200
    with Image.open(io.BytesIO(png.content)) as stored:
        assert stored.size == (64, 64)
    whole = client.post(URL, data=form, headers=HTML)
    assert "<!doctype html>" in whole.text and image[1] in whole.text


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ({"model": "resnet"}, 404, "There are: mini"),
        ({"image": "nothing"}, 404, "picture"),
        ({"sticker": "skool bus"}, 422, "school bus"),
        ({"sticker": "pizza"}, 404, "stickers for: school bus"),
        ({"x": 1.5}, 422, "x"),
        ({"scale": 0.9}, 422, "scale"),
        ({"turn": "round"}, 422, "turn"),
        ({"model": "vgg16"}, 200, "There is no sticker for"),
    ],
)
def test_mistakes_have_a_status_and_a_sentence(
    client: TestClient, query: dict[str, Any], status: int, words: str
) -> None:
    answer = client.get(URL, params=query, headers=HTML)
    assert answer.status_code == status and words in answer.text
    if status != 200:
        for path in ("/seen", "/places"):
            assert client.get(URL + path, params=query).status_code == status


def test_a_network_without_a_sticker_says_how_one_is_made(client: TestClient) -> None:
    page = shown(client, model="squeezenet1_1")
    assert "python -m app sticker --model squeezenet1_1" in page
    for path in (f"{URL}/seen", f"{URL}/places", f"{URL}.png"):
        answer = client.get(path, params={"model": "squeezenet1_1"})
        assert answer.status_code == 404 and "no sticker" in answer.json()["detail"]


def test_a_partial_network_conflicts(tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    state = to_state_dict("squeezenet1_1", registry.seeded("squeezenet1_1"))
    part = {key: value for key, value in state.items() if not key.startswith("classifier")}
    save_file(part, stick / "squeezenet1_1-part.safetensors")
    app = create_app(Settings(data=tmp_path / "data", device="cpu", weights=stick))
    with TestClient(app, base_url=BASE) as client:
        answer = client.get(URL, params={"model": "own-squeezenet1_1-part"}, headers=HTML)
    assert answer.status_code == 409 and "predicts nothing" in answer.text


def test_stickers_of_the_operator_appear_and_foreign_ones_are_said(
    client: TestClient, application: FastAPI, tmp_path: Path
) -> None:
    model = Catalogue(torch.device("cpu"), 1).model("mini")
    pixels = torch.zeros(3, 8, 8, dtype=torch.uint8)
    made = Sticker(
        3, model.labels[3].label, pixels, StickerRecipe(), 5, StickerFigures(5, 0.5, 0.5, 0.0)
    )
    folder = application.state.services.settings.data / "stickers"
    folder.mkdir()
    tensors, about = stickers.pack([made])
    save_file(tensors, folder / "mini.own.safetensors", {**about, **asset_files.origin(model)})
    foreign = {**about, "weights_sha256": "0" * 64}
    save_file(tensors, folder / "mini.foreign.safetensors", foreign)
    page = shown(client, sticker=3)
    assert page.count('type="radio" name="sticker"') == 4
    assert "It was trained on this server" in page
    assert "mini.foreign.safetensors was made from other weights" in page


def test_another_persons_long_job_is_not_in_the_way_of_dragging(
    client: TestClient, application: FastAPI
) -> None:
    client.get("/")
    owner = client.cookies["layerscope_owner"]
    engine = application.state.services.engine

    async def occupied() -> Any:
        held = engine.stream(owner, lambda: iter([1]))
        await anext(held)
        return held

    assert client.portal
    held = client.portal.call(occupied)
    assert client.get(f"{URL}/seen", params={"image": "cat"}).status_code == 200
    busy = client.get(f"{URL}/places", params={"image": "cat"})
    assert busy.status_code == 503 and "One long job of yours" in busy.json()["detail"]
    client.portal.call(held.aclose)
