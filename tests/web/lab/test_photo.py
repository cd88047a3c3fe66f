"""One's own kernel on a photo: a step edge by hand, colours, uploads, learned filters, caching."""

from __future__ import annotations

import html
import io
import re

import numpy as np
import pytest
import torch
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient
from torch import nn

from app.pictures.filtered_photo import clipped_png, clipped_share, shrink, signed_png
from app.pictures.palettes import ZERO_COLOUR
from app.vision.arithmetic.convolution import convolve
from app.vision.correlation import pearson
from app.vision.preset_kernels import PRESET_KERNELS, preset_kernel
from app.vision.window import Window
from app.web.lab.learned_filters import bank
from app.web.lab.photo import opened
from app.web.lab.photo_view import response
from tests.support.lab_pages import HX, image, lines, marked, numbers, objected, part, words
from tests.support.networks import embedded

HTML = {"Accept": "text/html"}


def png(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return data.getvalue()


def send(client: TestClient, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> str:
    answer = client.post("/api/v1/images", files={"file": ("mine.png", png(pixels))})
    return str(answer.raise_for_status().json()["id"])


def step() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Black left of column 8, white from there on."""
    pixels = np.zeros((12, 16, 3), np.uint8)
    pixels[:, 8:] = 255
    return pixels


def result(client: TestClient, query: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    answer = client.get(f"/lab/photo.png?{query}")
    assert answer.status_code == 200
    return np.asarray(image(answer.content).convert("RGB"))


def test_sobel_on_a_step_edge(client: TestClient) -> None:
    id = send(client, step())
    drawn = result(client, f"image={id}&kernel=sobel-x")
    assert drawn.shape == (10, 14, 3)
    lit = {x for x in range(14) if tuple(drawn[0, x]) != ZERO_COLOUR}
    # Windows that hold both sides of the edge begin at columns 6 and 7: 1 + 2 + 1 = 4.
    assert lit == {6, 7}
    assert (drawn[0, 6] == drawn[9, 7]).all()
    assert drawn[0, 6, 0] > drawn[0, 6, 2]
    level = result(client, f"image={id}&kernel=sobel-y")
    assert (level == ZERO_COLOUR).all()
    text, _ = part(client, f"/lab/photo?image={id}&kernel=sobel-x&y=3&x=6")
    assert marked(text, "data-sum").endswith("= 4")
    assert numbers(text, "patch") == [[0, 0, 1]] * 3
    assert "makes 4." in marked(text, "data-say")
    assert "full colour at ±4." in words(text)


def test_colours_are_filtered_one_by_one_and_cut(client: TestClient) -> None:
    pixels = np.zeros((9, 9, 3), np.uint8)
    pixels[4, 4] = (90, 180, 255)
    id = send(client, pixels)
    blurred = result(client, f"image={id}&kernel=blur")
    assert blurred.shape == (7, 7, 3)
    assert blurred[3, 3].tolist() == [10, 20, 28]  # 255 / 9 = 28.3
    sharp = result(client, f"image={id}&kernel=sharpen")
    assert sharp[3, 3].tolist() == [255, 255, 255]  # five times as much, cut
    assert sharp[3, 2].tolist() == [0, 0, 0]
    assert (result(client, f"image={id}&kernel=identity") == pixels[1:8, 1:8]).all()
    text, _ = part(client, f"/lab/photo?image={id}&kernel=sharpen")
    # Of 3 x 49 numbers 12 lie below, four neighbours each, and 3 above: 5 x 90 / 255 is 1.8.
    assert "10.2 % of them are outside this and cut" in words(text)


def test_ones_own_kernel_is_the_preset_where_its_numbers_are(client: TestClient) -> None:
    ones = "&".join(["k=1"] * 9)
    assert part(client, f"/lab/photo?{ones}&by=9")[1] == "/lab/photo?kernel=blur"
    own = part(client, f"/lab/photo?{ones}&by=3")[1]
    assert own == "/lab/photo?kernel=own&k=1+1+1+1+1+1+1+1+1&by=3"
    text, again = part(client, own)
    assert again == own
    assert numbers(text, "kernel") == [[0.3333] * 3] * 3
    five = part(client, f"{own}&size=5")[1]
    middle = "0 0 0 0 0 0 1 1 1 0 0 1 1 1 0 0 1 1 1 0 0 0 0 0 0".replace(" ", "+")
    assert five == f"/lab/photo?kernel=own&k={middle}&by=3"


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("kernel=magic", "The kernel can be identity, edge"),
        ("kernel=own&k=1+2+3", "not 3 numbers"),
        ("kernel=own&k=" + "+".join("1" * 16), "3 by 3 or 5 by 5"),
        ("k=" + "&k=".join(["-"] + ["1"] * 8), "numbers from −99 to 99"),
        ("by=0", "divided by can be whole numbers from 1 to 1000"),
        ("by=", "not empty"),
        ("filter=64", "The learned filters run from 0 to 63, not 64."),
        ("filter=x", "a number from 0"),
        ("show=loud", "fitting, colours, signed"),
        ("image=0123456789abcdef0123456789abcdef", "This picture is not here"),
        ("image=../../etc/passwd", "This picture is not here"),
    ],
)
def test_nonsense_gets_a_sentence(client: TestClient, query: str, says: str) -> None:
    assert says in objected(client, f"/lab/photo?{query}")
    page = client.get(f"/lab/photo?{query}", headers=HTML)
    assert page.status_code == 200
    assert says in words(page.text)
    assert "Cup of espresso" in page.text


def test_pixels_out_of_range_are_said_and_tiny_photos_too(client: TestClient) -> None:
    id = send(client, step())
    page = client.get(f"/lab/photo?image={id}&y=10", headers=HTML).text
    assert "The pixel’s row can be 0 to 9" in words(page)
    # After a change of kernel the form's pixel may lie beyond: back to the middle.
    text, address = part(client, f"/lab/photo?image={id}&y=9&x=13&kernel=gauss")
    assert address == f"/lab/photo?image={id}&kernel=gauss"
    assert "warn" not in text
    dot = send(client, np.zeros((2, 2, 3), np.uint8))
    assert "reaches over 3 rows, and the picture has only 2" in objected(
        client, f"/lab/photo?image={dot}"
    )


def test_an_upload_goes_through_the_kernel_on_screen(client: TestClient, other: TestClient) -> None:
    client.get("/lab/photo")
    files = {"file": ("mine.png", png(step()))}
    sent = client.post("/lab/photo", files=files, data={"back": "kernel=edge&filter=3"})
    assert sent.status_code == 303
    address = sent.headers["location"]
    assert re.fullmatch(r"/lab/photo\?image=\w{32}&kernel=edge&filter=3", address)
    page = client.get(address, headers=HTML).text
    assert 'alt="mine.png"' in page
    # Whoever has the link sees the picture, but nobody finds it in a list.
    assert 'alt="mine.png"' not in other.get("/lab/photo", headers=HTML).text
    broken = client.post("/lab/photo", files={"file": ("a.png", b"no picture")}, headers=HX)
    assert broken.status_code == 415
    assert broken.headers["hx-retarget"] == "#notice"
    odd = client.post("/lab/photo", files=files, data={"back": "kernel=%00&by=x"})
    assert re.fullmatch(r"/lab/photo\?image=\w{32}", odd.headers["location"])


def test_large_photos_are_shrunk_and_it_is_said(client: TestClient) -> None:
    id = send(client, np.zeros((500, 800, 3), np.uint8))
    text, _ = part(client, f"/lab/photo?image={id}")
    assert "800×500 photo was shrunk to 320×200 pixels: at most 320 a side" in words(text)
    assert result(client, f"image={id}&part=photo").shape == (200, 320, 3)


def test_a_learned_filter_is_the_networks_own(client: TestClient) -> None:
    text, address = part(client, "/lab/photo?image=cat&filter=50")
    assert address == "/lab/photo?image=cat&filter=50"
    found = re.search(r'data-part="learned".*?href="([^"]*)"', text, re.S)
    assert found
    url = html.unescape(found[1])
    drawn = np.asarray(image(client.get(url).content).convert("RGB"))
    module = embedded().module("conv1")
    assert isinstance(module, nn.Conv2d)
    assert module.bias is not None
    row = client.app.state.services.catalogue.model("mini").row  # type: ignore[attr-defined]
    pixels = result(client, "image=cat&part=photo").transpose(2, 0, 1)
    mean, std = (torch.tensor(v)[:, None, None] for v in (row.mean, row.std))
    inputs = (torch.from_numpy(pixels.copy()) / 255 - mean) / std
    weight, bias = module.weight[50:51], module.bias[50:51]
    exact = torch.nn.functional.conv2d(inputs[None], weight, bias)[0, 0]
    assert drawn.shape[:2] == tuple(exact.shape)
    peak = divmod(int(exact.abs().argmax()), exact.shape[1])
    assert drawn[peak].sum() == drawn.sum(2).max()
    zero = exact.abs() < exact.abs().max() / 300
    assert (drawn[zero.numpy()] == ZERO_COLOUR).all()
    assert "network itself uses stride 2" in words(text)


def test_the_closest_learned_filter_stands_beside_ones_own(client: TestClient) -> None:
    text, _ = part(client, "/lab/photo?kernel=sobel-x&image=cat")
    told = marked(text, "data-comparison")
    assert "“Vertical edges” respond very much alike" in told
    assert "No other learned filter’s r is further from 0." in told
    level, _ = part(client, "/lab/photo?kernel=sobel-y")
    assert "“Horizontal edges” respond very much alike" in marked(level, "data-comparison")


def test_a_flat_photo_has_no_pattern_to_compare(client: TestClient) -> None:
    id = send(client, np.full((20, 20, 3), 77, np.uint8))
    text, _ = part(client, f"/lab/photo?image={id}")
    assert "there is no pattern to compare" in marked(text, "data-comparison")


def test_pictures_may_be_kept_forever_by_their_digest(client: TestClient) -> None:
    text, _ = part(client, "/lab/photo")
    urls = [html.unescape(u) for u in re.findall(r'<image href="(/lab/photo.png[^"]*)"', text)]
    assert len(urls) == 3
    for url in urls:
        assert "immutable" in client.get(url).headers["cache-control"], url
        assert "no-cache" in client.get(re.sub("v=[^&]*", "v=0", url)).headers["cache-control"]
    assert client.get("/lab/photo.png?part=secret").status_code == 422
    assert client.get("/lab/photo.png?image=gone").status_code == 404


def test_the_kernel_as_a_table(client: TestClient) -> None:
    head, *rows = lines(client, "/lab/photo.csv?kernel=blur")
    assert head == ["row", "column", "number", "divided by", "weight"]
    assert len(rows) == 9
    assert [float(value) for value in rows[8]] == pytest.approx([2, 2, 1, 9, 1 / 9])


def test_kernels_by_hand_are_what_they_say() -> None:
    assert len({one.id for one in PRESET_KERNELS}) == len(PRESET_KERNELS)
    sums = {one.id: float(one.weights.sum()) for one in PRESET_KERNELS}
    for id in ("edge", "sobel-x", "sobel-y"):
        assert sums[id] == 0
    for id in ("identity", "blur", "gauss", "sharpen", "emboss"):
        assert sums[id] == pytest.approx(1)
    assert preset_kernel("gauss").weights.shape == (5, 5)  # type: ignore[union-attr]
    assert preset_kernel("none") is None


def test_likeness_by_hand() -> None:
    ramp = torch.arange(12.0).view(3, 4)
    assert pearson(ramp, 3 * ramp + 2) == pytest.approx(1)
    assert pearson(ramp, -ramp) == pytest.approx(-1)
    assert pearson(ramp, torch.ones(3, 4)) is None
    # Of a larger map its centre counts.
    larger = torch.zeros(5, 6)
    larger[1:4, 1:5] = ramp
    assert pearson(ramp, larger) == pytest.approx(1)
    a, b = torch.tensor([[1.0, 2, 3]]), torch.tensor([[1.0, 3, 2]])
    assert pearson(a, b) == pytest.approx(0.5)


def test_drawing_a_result() -> None:
    values = torch.tensor([[[0.0, 0.5]], [[1.0, 2.0]], [[-1.0, 0.25]]])
    assert np.asarray(image(clipped_png(values))).tolist() == [[[0, 255, 0], [128, 255, 64]]]
    assert clipped_share(values) == pytest.approx(2 / 6)
    signed = np.asarray(image(signed_png(torch.tensor([[0.0, 1, -1]]))).convert("RGB"))
    assert tuple(signed[0, 0]) == ZERO_COLOUR
    assert signed[0, 1, 0] > signed[0, 1, 2]
    assert signed[0, 2, 0] < signed[0, 2, 2]
    photo = Image.new("RGB", (640, 10), (1, 2, 3))
    assert shrink(photo, 320).shape == (3, 5, 320)
    assert shrink(photo, 320)[:, 0, 0].tolist() == [1, 2, 3]
    assert convolve(torch.ones(1, 3, 3), torch.ones(1, 1, 3, 3), Window((3, 3))).item() == 9


@pytest.mark.parametrize("image", ["cat", "coffee", "rocket"])
def test_no_learned_filter_is_closer_than_the_closest(
    client: TestClient, application: FastAPI, image: str
) -> None:
    assert client.portal
    services = application.state.services
    filters = client.portal.call(bank, services)
    assert filters is not None
    pixels, _ = opened(services, image)
    for kernel in PRESET_KERNELS:
        own = response(pixels, kernel)
        shown = [pearson(own, filters.through(pixels, i).values) or 0 for i in range(64)]
        closest = shown[filters.closest(pixels, kernel)]
        assert abs(closest) == pytest.approx(max(map(abs, shown)), abs=1e-6)
