"""The walk through the layers: every state of its pages."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient

from app.errors import NotFound
from app.services.networks.catalogue import Catalogue
from app.web.layers.page import layer_of
from tests.support.engines import CPU
from tests.support.markup import one_line
from tests.support.networks import put_partial
from tests.support.surveys import put_survey

PAGE = {"accept": "text/html"}


@pytest.fixture
def measured(tmp_path: Path) -> None:
    """Mini has been measured before."""
    put_survey(tmp_path)


def page(client: TestClient, url: str) -> str:
    answer = client.get(url, headers=PAGE)
    assert answer.status_code == 200
    return unescape(one_line(answer.text))


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_each_layer_tells_shows_measures_and_asks(
    client: TestClient, measured: None, number: int
) -> None:
    text = page(client, f"/layers/{number}?image=monarch")
    assert f"relu{number}" in text
    assert "another network" in text or "arXiv 1704.05796" in text
    assert len(re.findall(r'class="column"', text)) == 6
    assert len(re.findall(r'<rect class="(?:field|other)"', text)) == 5
    assert len(re.findall(r'<rect class="field"', text)) == 1
    assert re.findall(r"<b>([\d.]+\s%)</b>", text).__len__() == 3
    assert '<details class="trap"' in text
    assert "Tried here" in text
    assert "Being measured" not in text
    assert f"/?model=mini&image=monarch&step=relu{number}" in text


def test_what_is_shown_as_measured_is_the_table(client: TestClient, measured: None) -> None:
    csv = client.get("/layers/measured.csv?model=mini").text.lstrip("\ufeff").splitlines()
    assert csv[0] == "layer,step,kind,maps,of,share,threshold,median_index".replace(
        "kind", "preference"
    )
    rows = [line.split(",") for line in csv[1:]]
    assert len(rows) == 15
    layer = [row for row in rows if row[0] == "3"]
    shown = re.findall(r"<b>([\d.]+)\s%</b>", page(client, "/layers/3"))
    assert [float(one) for one in shown] == [round(100 * float(row[5]), 1) for row in layer]
    png = client.get("/layers/measured.png?model=mini")
    assert Image.open(BytesIO(png.content)).format == "PNG"


def test_grass_or_sky_alone_fires_a_map_of_layer_5(client: TestClient, measured: None) -> None:
    text = page(client, "/layers/5")
    assert "needs the surroundings, not the thing" in text
    whole, around, thing = (
        float(value)
        for value in re.findall(r"<span>(?:As it is|Without the \w+)</span> <b>([\d.]+)</b>", text)
    )
    assert around >= 0.7 * whole
    assert thing <= 0.3 * whole


def test_the_walk_goes_from_1_to_5_and_keeps_network_and_picture(
    client: TestClient, measured: None
) -> None:
    assert client.get("/layers").headers["location"] == "/layers/1"
    url, seen = "/layers/1?model=mini&image=cat", []
    while url:
        text = page(client, url)
        seen.append(url)
        found = re.search(r'rel="next" href="([^"]+)"', text)
        url = found[1] if found else ""
    assert seen == [f"/layers/{n}?model=mini&image=cat" for n in range(1, 6)]


@pytest.mark.parametrize("number", ["0", "6", "conv1", "-1", "1.5"])
def test_other_layers_are_not_found_in_words(client: TestClient, number: str) -> None:
    answer = client.get(f"/layers/{number}", headers=PAGE)
    assert answer.status_code == 404
    assert "layers 1 to 5" in answer.text


def test_what_is_unknown_is_told(client: TestClient) -> None:
    assert client.get("/layers/1?model=nothing", headers=PAGE).status_code == 404
    assert client.get("/layers/1?image=0123", headers=PAGE).status_code == 404
    missing = client.get("/layers/1?model=vgg16", headers=PAGE)
    assert missing.status_code == 503
    assert "weights get vgg16" in missing.text


def test_while_it_is_measured_the_page_is_there_and_asks_again(client: TestClient) -> None:
    text = page(client, "/layers/2?model=mini-random")
    assert "Being measured" in text
    assert 'hx-trigger="every 1s"' in text
    assert "Look again" in text
    client.get("/layers/measured.csv?model=mini-random")
    after = page(client, "/layers/2?model=mini-random")
    assert "Being measured" not in after
    assert "not measured" in after  # no classes have been shown to random weights
    assert "Grow it in the explorer" in after


def test_a_network_without_a_classifier_is_walked_through(
    tmp_path: Path, client: TestClient
) -> None:
    put_partial(tmp_path / "weights")
    client.get("/layers/measured.csv?model=own-mini-part")
    text = page(client, "/layers/5?model=own-mini-part")
    assert len(re.findall(r'class="column"', text)) == 6
    assert "Class: not measured" in text


def test_a_layer_that_a_network_ends_before_is_told() -> None:
    whole = Catalogue(CPU, 1).model("mini")
    short = replace(whole, outline=whole.outline.upto("relu3"))
    assert layer_of(short, "3") == (3, "relu3")
    with pytest.raises(NotFound, match="ends at relu3: it has no layer 4"):
        layer_of(short, "4")


def test_htmx_is_given_the_part_that_grows(client: TestClient, measured: None) -> None:
    headers = {"hx-request": "true", "hx-target": "main#walk", **PAGE}
    text = client.get("/layers/1", headers=headers).text
    assert "<html" not in text
    assert 'id="layer-title"' in text


def test_the_explorer_leads_to_the_layer(client: TestClient) -> None:
    text = unescape(client.get("/?step=conv3&image=cat").text)
    assert "/layers/3?model=mini&image=cat" in text
    assert 'href="/layers/1"' in text
