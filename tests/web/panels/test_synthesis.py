"""What a unit responds to most: the panel, its form and links, the wall."""

from __future__ import annotations

import io
import re
from html import unescape

import numpy as np
import pytest
import torch
from PIL import Image
from starlette.testclient import TestClient

from app.services.networks.calibration import calibration
from app.services.networks.catalogue import Catalogue
from app.services.synthesis.query import SynthesisOptions
from app.services.synthesis.shipped import shipped
from app.web.parts.synthesis_urls import from_link, to_link
from tests.support.event_streams import parse
from tests.support.synthesis_pages import API, FEW, HTML, HTMX, UNIT, picture_of, pixels

pytestmark = pytest.mark.usefixtures("impatient", "one_thread")


def test_what_ships_is_shown_at_once_beside_the_numbers_of_other_pictures(
    client: TestClient,
) -> None:
    text = client.get(f"/panels/synthesised?{UNIT}").text
    assert 'data-state="made"' in text and "It comes with the weights" in text
    assert pixels(client, picture_of(text)).shape == (64, 64, 3)
    values = [float(v.replace("−", "-")) for v in re.findall(r"<td>([−\d.e]+)</td>", text)]
    made, here, grey = values
    assert made > 1 + max(here, grey)
    run = np.load(io.BytesIO(client.get("/api/v1/runs/mini/coffee/steps/conv5.npy").content))
    assert here == pytest.approx(run[3].mean(), rel=0.01)
    ships = shipped(Catalogue(torch.device("cpu"), 1).model("mini"), "conv5")
    assert ships and made == pytest.approx(ships.objectives["conv5"][3].item(), rel=0.01)


STEPS = [
    ("conv1", 5, "conv1, map 5"),
    ("relu2", 7, "conv2, map 7"),
    ("pool5", 7, "conv5, map 7"),
    ("fc7", 97, "“espresso”"),
    ("softmax", 97, "“espresso”"),
]


def test_every_kind_of_step_that_ships_has_its_picture(client: TestClient) -> None:
    for step, channel, name in STEPS:
        unit = f"model=mini&image=coffee&step={step}&channel={channel}"
        text = client.get(f"/panels/synthesised?{unit}").text
        assert f"mini AlexNet, {name}: grown" in text
        assert pixels(client, picture_of(text)).std() > 10


def test_what_is_not_made_has_a_button_and_begins_when_a_link_names_it(client: TestClient) -> None:
    url = "/panels/synthesised?model=mini&image=coffee&step=fc6&channel=3"
    folded = client.get(url).text
    assert 'data-state="none"' in folded and "hx-sse" not in folded and "Grow it" in folded
    linked = client.get(f"{url}&made=steps20-seed7-size64").text
    assert "/synthesis/events?" in linked and 'hx-sse:close="done"' in linked
    # Where a fully connected layer lies before, the size is the network's.
    assert "Pixels a side" not in folded
    assert "Pixels a side" in client.get(f"/panels/synthesised?{UNIT}").text


def test_the_whole_of_a_step_has_a_picture_too_and_nothing_to_mix(client: TestClient) -> None:
    whole = "model=mini&image=coffee&step=conv4"
    text = client.get(f"/panels/synthesised?{whole}").text
    assert 'data-state="none"' in text and "Mixed with" not in text
    *_, done = parse(client.get(f"/synthesis/events?{whole}&steps=3").text)
    assert done["event"] == "done"
    shown = client.get(f"/synthesis/stage?{whole}&steps=3", headers=HTMX).text
    assert "the mean square of all of conv4" in shown.lower()
    assert pixels(client, picture_of(shown)).shape == (64, 64, 3)


REFUSED = [
    ("model=nothing&image=coffee&step=conv5&channel=3", 404, "no network called"),
    ("model=mini&image=nothing&step=conv5&channel=3", 404, "picture"),
    ("model=mini&image=coffee&step=conv9&channel=3", 404, "no step"),
    ("model=mini&image=coffee&step=conv5&channel=192", 404, "channels 0 to 191"),
    ("model=mini&image=coffee&step=softmax&channel=100", 404, "channels 0 to 99"),
    ("model=mini&image=coffee&step=flatten&channel=1", 404, "ask for pool5"),
    (f"{UNIT}&second=192", 404, "channels 0 to 191"),
    (f"{UNIT}&steps=9999", 422, "steps"),
    (f"{UNIT}&steps=many", 422, "steps"),
    (f"{UNIT}&size=63", 422, "64, 96, 128"),
    (f"{UNIT}&share=101&second=4", 422, "share"),
    (f"{UNIT}&second=-1", 422, "second"),
    ("model=mini&image=coffee&step=conv5&second=4", 422, "second"),
]


def test_bad_input_is_refused_in_words_before_anything_begins(client: TestClient) -> None:
    for query, status, words in REFUSED:
        for path in ("/synthesis/stage", "/synthesis/events"):
            answer = client.get(f"{path}?{query}", headers={"Accept": "application/json"})
            assert (query, answer.status_code) == (query, status)
            assert words in answer.json()["detail"]


def test_a_link_is_read_as_it_was_written_and_nonsense_refused(client: TestClient) -> None:
    services = client.app.state.services  # type: ignore[attr-defined]
    model = services.catalogue.model("mini")
    for wanted in (
        SynthesisOptions(20, 7, 64),
        SynthesisOptions(0, 0, 96, away=True),
        SynthesisOptions(512, 9, 128, 17, 30, True),
    ):
        asked = services.studio.build_query(model, "conv5", 3, wanted)
        assert from_link(to_link(asked)) == wanted
    for nonsense in ("<b>", "steps", "steps-1", "seed1.5", "steps9999999"):
        answer = client.get(f"/panels/synthesised?{UNIT}", params={"made": nonsense})
        assert answer.status_code in (200, 422)
        assert "<b>" not in answer.text


def test_without_htmx_the_form_leads_to_the_page_with_the_picture(client: TestClient) -> None:
    answer = client.get(f"/synthesis/stage?{FEW}&second=&away=false&share=50", headers=HTML)
    assert answer.status_code == 303
    page = client.get(answer.headers["location"], headers=HTML).text
    found = re.search(r'<details class="panel" hx-get="([^"]+)" open hx-trigger="load"', page)
    assert found and "made=steps20-seed7-size64" in unescape(found[1])


def test_the_units_pane_shows_picture_and_classes_at_once(client: TestClient) -> None:
    page = client.get("/?step=pool5&channel=17", headers=HTML).text
    assert 'class="portrait"' in page and "Classes it prefers" in page
    found = calibration(Catalogue(torch.device("cpu"), 1).model("mini"))
    assert found
    means = found.means["relu5"][:, 17]
    labels = [one["label"] for one in client.get("/api/v1/models/mini/labels").json()]
    best = [labels[i] for i in means.argsort(descending=True)[:5].tolist()]
    section = page.partition("Classes it prefers")[2].partition("</table>")[0]
    assert re.findall(r'<th scope="row">([^<]+)</th>', section) == best
    assert "in relu5, over the pictures of each class that the network was trained with" in page
    # A class has a picture, and no classes that it prefers.
    page = client.get("/?step=softmax&channel=97", headers=HTML).text
    assert 'class="portrait"' in page and "Classes it prefers" not in page
    # Of what has no picture yet nothing is said.
    assert 'class="portrait"' not in client.get("/?step=fc6&channel=3", headers=HTML).text


def test_the_wall_has_every_channel_strongest_first(client: TestClient) -> None:
    page = client.get("/?step=conv3", headers=HTML).text
    assert "What each map responds to most" in page and "/synthesis/wall?" in page
    text = client.get("/synthesis/wall?model=mini&image=coffee&step=conv3").text
    channels = [int(c) for c in re.findall(r"channel=(\d+)&y=&x=", text)]
    order = client.get("/api/v1/runs/mini/coffee/steps/conv3.json?channels=top288").json()["order"]
    assert channels == order
    sheet = unescape(re.search(r'<image href="([^"]+)"', text)[1])  # type: ignore[index]
    answer = client.get(sheet)
    assert "immutable" in answer.headers["cache-control"]
    page_of = Image.open(io.BytesIO(answer.content))
    assert page_of.size == (17 * 64, 17 * 64)
    # The tile of a channel is the picture of that channel.
    x, y, w, h = map(float, re.search(r'viewBox="([^"]+)"', text)[1].split())  # type: ignore[index]
    tile = np.asarray(page_of.crop((int(x), int(y), int(x + w), int(y + h))).convert("RGB"))
    one = pixels(client, f"{API}/conv3/channels/{order[0]}/synthesised.png")
    assert (tile == one).all()
    for step, status in (("fc6", 404), ("conv9", 404), ("softmax", 200)):
        url = f"/synthesis/wall?model=mini&image=coffee&step={step}"
        assert client.get(url).status_code == status
    assert "What each class responds to most" in client.get("/?step=softmax", headers=HTML).text
