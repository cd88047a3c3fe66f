"""What in the picture drives a unit: the panel and its pictures."""

from __future__ import annotations

import io
import re
from html import unescape

import numpy as np
import pytest
import torch
from PIL import Image
from starlette.testclient import TestClient

from app.vision.projections.guided import guided_backprop
from app.vision.units import Unit
from tests.support.networks import embedded

RUN = "/api/v1/runs/mini/coffee"
PANEL = "/panels/projections?model=mini&image=coffee"


def drawn(client: TestClient, url: str) -> Image.Image:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.content))


@pytest.mark.parametrize(
    ("query", "asked", "count"),
    [
        ("step=conv3&channel=5", "the mean of conv3, map 5", 4),
        ("step=relu3&channel=5&y=2&x=3", "conv3, map 5, at row 2, column 3", 4),
        ("step=pool5&channel=83", "the mean of", 4),
        ("step=conv1&channel=4", "the mean of conv1", 3),
        ("step=fc7&channel=97", "fc7, number 97", 4),
    ],
)
def test_every_method_draws_its_picture(
    client: TestClient, query: str, asked: str, count: int
) -> None:
    text = client.get(f"{PANEL}&{query}").text
    assert asked in text
    urls = {unescape(url) for url in re.findall(r'"([^"]+projection\.png[^"]+)"', text)}
    assert len(urls) == count
    for url in urls:
        picture = drawn(client, url)
        assert picture.size == ((64, 64) if picture.mode == "RGB" else picture.size)
        assert (picture.mode == "P") == ("grad_cam" in url)
        assert np.asarray(picture).std() > 0


def test_the_picture_is_the_method_s_own(client: TestClient) -> None:
    picture = np.asarray(
        drawn(client, f"{RUN}/steps/relu3/projection.png?method=guided&channel=5&y=2&x=3")
    )
    given = np.load(io.BytesIO(client.get(f"{RUN}/input.npy?normalised=true").content))
    exact = guided_backprop(embedded(), torch.from_numpy(given), Unit("conv3", 5, (2, 3)))
    scaled = 128 + 127 * exact / exact.abs().max()
    assert np.abs(picture.transpose(2, 0, 1) - scaled.numpy()).max() <= 0.51


def test_what_cannot_be_projected_says_why(client: TestClient) -> None:
    for query, status, words in [
        ("conv1/projection.png?method=grad_cam&channel=0", 404, "it reads the picture"),
        ("conv2/projection.png?method=guided&channel=192", 404, "channels 0 to 191"),
        ("conv2/projection.png?method=guided&channel=0&y=16&x=0", 404, "rows 0 to 15"),
        ("conv2/projection.png?method=magic&channel=0", 422, "gradient"),
    ]:
        answer = client.get(f"{RUN}/steps/{query}")
        assert (answer.status_code, words in answer.json()["detail"]) == (status, True)


def test_the_network_is_left_as_it_was(client: TestClient) -> None:
    before = client.get(f"{RUN}?top=3").json()["predictions"]
    for method in ("gradient", "guided", "deconvolution", "grad_cam"):
        drawn(client, f"{RUN}/steps/fc7/projection.png?method={method}&channel=97")
    assert client.get(f"{RUN}?top=3").json()["predictions"] == before
