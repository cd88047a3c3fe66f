"""Fool it: the link is the state, one plain sentence, and what is refused."""

from __future__ import annotations

import html
import io
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from PIL import Image
from safetensors.torch import save_file
from starlette.testclient import TestClient

from app.services.networks.state_dict import to_state_dict
from app.settings import Settings
from app.web.app import create_app
from app.web.attack.form import suggestions
from app.web.attack.view import AttackView, read
from models import registry
from models.classes import Label
from tests.support.addresses import BASE
from tests.support.attack_pages import HTML, RUN, headline, opened, steps, traces, warnings


def test_the_page_waits_with_a_form_and_computes_nothing(
    client: TestClient, application: FastAPI
) -> None:
    text = opened(client, "")
    assert 'data-state="empty"' in text and "hx-sse:connect" not in text
    assert not application.state.services.engine.jobs and not len(traces(application))
    for inline in (" style=", "<style", " onclick=", "hx-on"):
        assert inline not in text
    for control in (
        "model", "method", "epsilon", "target", "steps", "step_size", "seed", "true_label",
    ):  # fmt: skip
        assert f'for="{control}"' in text and f'id="{control}" name="{control}"' in text
    assert text.count('<option value="') >= 8 + 100
    assert "arXiv 1706.06083" in text


def test_a_first_click_on_what_the_page_opens_with_succeeds(client: TestClient) -> None:
    form = opened(client, "")
    fields = re.findall(r'<input type="(?:hidden|range)"[^>]*name="(\w+)"[^>]*value="(\w+)"', form)
    sent = "&".join(f"{name}={value}" for name, value in fields if name != "back")
    assert "run=1" in sent and "drawn=pgd" in sent and "epsilon=4" in sent and "steps=10" in sent
    rest = "model=mini&image=cat&method=pgd&step_size=&target=&seed=0"
    text = opened(client, f"{sent}&{rest}&plain=1")
    assert headline(text).startswith("Fooled: “tabby cat” has become “teapot”")


def test_a_link_says_every_setting_and_is_read_back_as_it_was() -> None:
    view = AttackView(
        model="mini", image="cat", method="pgd", epsilon=2.5, steps=7, step_size=0.25,
        target="school bus", true_label="tabby cat", seed=12, run=True, step=3,
    )  # fmt: skip
    parts = urlsplit(view.url())
    assert parts.path == "/attack"
    given = {name: value[-1] for name, value in parse_qs(parts.query).items()}
    assert read(given, "other").view == view and not read(given, "other").problem
    assert read({}, "mini").view == AttackView(model="mini", image="cat")


def test_numbers_of_another_method_are_not_taken_over() -> None:
    given = {"method": "pgd_l2", "epsilon": "4", "steps": "9", "drawn": "pgd", "target": "cat"}
    view = read(given, "mini").view
    assert (view.epsilon, view.steps, view.target) == (None, None, "cat")
    assert read(given | {"drawn": "pgd_l2 mini"}, "mini").view.epsilon == 4
    # What a method does not use is neither asked for nor in its link.
    numbers = {"epsilon": 4, "steps": 5, "step_size": 1}
    deepfool = AttackView(model="mini", image="cat", method="deepfool", run=True).changed(**numbers)
    assert deepfool.request.epsilon is None and "epsilon" not in deepfool.query()


@pytest.mark.parametrize(
    ("method", "unit", "most"),
    [
        ("pgd", "of 255", "32"),
        ("pgd_l2", "L2", "887"),
        ("few_pixel", "pixels", "32"),
        ("sticker", "% of the picture", "32"),
    ],
)
def test_the_slider_has_the_unit_of_its_method(
    client: TestClient, method: str, unit: str, most: str
) -> None:
    headers = {**HTML, "HX-Request": "true", "HX-Target": "div#settings"}
    answer = client.get(f"/attack?method={method}&epsilon=3&drawn=fgsm", headers=headers)
    text = html.unescape(answer.text)
    assert "<main" not in text and f"</b> {unit}</output>" in text
    assert f'id="epsilon" name="epsilon" min="0" max="{most}"' in text
    assert ('id="steps"' in text) == (method != "few_pixel")


def test_deepfool_has_no_epsilon(client: TestClient) -> None:
    text = opened(client, "method=deepfool")
    assert 'id="epsilon"' not in text and "as large as it needs to be" in text


def test_without_javascript_the_run_is_whole_and_every_step_has_a_page(client: TestClient) -> None:
    text = opened(client, "image=cat&epsilon=4&run=1&plain=1")
    assert 'data-state="done"' in text and 'data-at="end"' in text
    links = re.findall(r'<a class="to" href="([^"]*)">(\d+)', text)
    assert [number for _, number in links] == [str(n) for n in range(11)]
    third = opened(client, links[3][0].split("?")[1])
    drawn = re.findall(r'<img data-out="picture" src="([^"]*)"', third)
    assert drawn == [steps(text)[3]["picture"]] and 'data-at="end"' not in third
    assert '<noscript><input type="hidden" name="plain" value="1"></noscript>' in third


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("epsilon=4", "Fooled: “tabby cat” has become “teapot”"),
        ("image=coffee&epsilon=2", "Not fooled: it still says “espresso”"),
        ("epsilon=4&target=school bus", "Target reached: it now says “school bus”"),
        ("epsilon=3&steps=10&target=school bus", "not to the target, “school bus”"),
        ("target=tabby cat", "Nothing to reach: the target, “tabby cat”, is what it already says"),
        ("epsilon=0", "Nothing happened: no pixel value changed, and it still says “tabby cat”"),
        ("true_label=lemon", "Wrong from the start: it is “lemon”, but the network already said"),
        ("method=noise", "This random noise does not fool it: it still says “tabby cat”"),
    ],
)
def test_the_result_is_one_plain_sentence(client: TestClient, query: str, words: str) -> None:
    text = opened(client, f"{query}&run=1&plain=1")
    assert words in headline(text)


def test_a_control_stands_beside_every_method(client: TestClient) -> None:
    for query, words in (
        ("epsilon=4", "Random noise just as large does not: still “tabby cat”"),
        ("image=coffee&epsilon=2", "does not change the answer either: still “espresso”"),
        ("method=deepfool", "Random noise just as long does not"),
        ("method=few_pixel&epsilon=1", "As many random pixels"),
        ("method=sticker&steps=2", "A sticker of random colours at the same place"),
        ("epsilon=0", "No noise, no change"),
    ):
        text = opened(client, f"{query}&run=1&plain=1")
        assert words in text, query
        assert 'data-bars="control"' in text


def test_what_failed_offers_a_larger_epsilon(client: TestClient) -> None:
    text = opened(client, "image=coffee&epsilon=4&run=1&plain=1")
    link = re.search(r'<a class="button" href="([^"]*)">Try epsilon 8</a>', text)
    assert link
    assert headline(opened(client, link[1].split("?")[1] + "&plain=1")).startswith("Fooled")
    assert "Try epsilon" not in opened(client, "image=cat&epsilon=4&run=1&plain=1")


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("epsilon=33", 422, "from 0 to 32"),
        ("epsilon=-1", 422, "from 0 to 32"),
        ("epsilon=much", 422, "Epsilon is a number, not “much”."),
        ("epsilon=nan", 422, "Epsilon is a number"),
        ("steps=0", 422, "1 to 200 steps"),
        ("steps=1.5", 422, "whole number"),
        ("seed=-1", 422, "The seed is a whole number"),
        ("step_size=300", 422, "step size"),
        ("method=magic", 422, "no attack called “magic”"),
        ("method=few_pixel&epsilon=1.5", 422, "whole, not 1.5"),
        ("target=skool bus", 422, "The nearest are: school bus"),
        ("true_label=100", 422, "indices 0 to 99"),
        ("model=resnet", 404, "mini"),
        ("image=nothing", 404, "picture is not here"),
        ("model=alexnet", 503, "weights get alexnet"),
    ],
)
def test_what_does_not_fit_is_said_beside_a_form_that_works(
    client: TestClient, query: str, status: int, words: str
) -> None:
    text = opened(client, f"{query}&run=1", status)
    assert words in warnings(text) and 'id="run"' in text
    part = client.get(f"/attack?{query}&run=1", headers=RUN)
    # The browser's console stays quiet, and what is on the stage stays.
    assert part.status_code == 200 and part.headers["HX-Retarget"] == "#problem"
    assert words in html.unescape(part.text) and "HX-Push-Url" not in part.headers
    if "epsilon=much" not in query:
        refused = client.get(f"/attack/events?{query}")
        assert refused.status_code == status
        assert refused.headers["content-type"] == "application/problem+json"


def test_odd_settings_are_warned_of_before_and_after(client: TestClient) -> None:
    for query, words in (("epsilon=0", "nothing happens"), ("steps=2&step_size=1", "cannot reach")):
        assert words in warnings(opened(client, query))
        assert words in warnings(opened(client, f"{query}&run=1&plain=1"))


def test_a_margin_that_took_over_is_noted(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.vision.attacks import pixel_model

    monkeypatch.setattr(pixel_model, "TINY", 1e9)
    assert "the margin between" in warnings(opened(client, "epsilon=1&run=1&plain=1"))


def test_a_partial_network_is_refused_in_words(tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    state = to_state_dict("squeezenet1_1", registry.seeded("squeezenet1_1"))
    part = {key: value for key, value in state.items() if not key.startswith("classifier")}
    save_file(part, stick / "squeezenet1_1-part.safetensors")
    app = create_app(Settings(data=tmp_path / "data", device="cpu", weights=stick))
    with TestClient(app, base_url=BASE) as client:
        text = opened(client, "model=own-squeezenet1_1-part&run=1", 409)
        assert "nothing to fool" in warnings(text)
        assert client.get("/attack?model=own-squeezenet1_1-part", headers=HTML).status_code == 200


def test_a_picture_that_is_brought_goes_into_the_form_as_it_stands(client: TestClient) -> None:
    data = io.BytesIO()
    Image.new("RGB", (70, 64), (10, 200, 90)).save(data, "PNG")
    back = "model=mini&image=cat&method=fgsm&epsilon=7&drawn=fgsm&run=1"
    files = {"file": ("green.png", data.getvalue())}
    plain = client.post("/attack/picture", files=files, data={"back": back})
    assert plain.status_code == 303
    url = plain.headers["location"]
    assert "method=fgsm&epsilon=7" in url and "run=1" not in url and "image=cat" not in url
    text = opened(client, url.split("?")[1])
    assert re.search(r'value="[0-9a-f]{32}" data-title="green.png"[^>]*checked', text)
    headers = {"HX-Request": "true"}
    live = client.post("/attack/picture", files=files, data={"back": back}, headers=headers)
    assert live.status_code == 204 and live.headers["HX-Redirect"] == url
    refused = client.post("/attack/picture", files={"file": ("a.png", b"nonsense")})
    assert refused.status_code == 415


def test_a_picture_of_somebody_else_by_link_can_be_chosen(
    client: TestClient, other: TestClient
) -> None:
    data = io.BytesIO()
    Image.new("RGB", (70, 64), (10, 20, 90)).save(data, "PNG")
    id = client.post("/api/v1/images", files={"file": ("blue.png", data.getvalue())}).json()["id"]
    text = opened(other, f"image={id}")
    assert f'value="{id}" data-title="A picture"' in text and "blue.png" not in text


def test_panels_stand_folded_under_the_result(client: TestClient) -> None:
    text = opened(client, "image=cat&target=school bus&seed=3&run=1&plain=1")
    found = re.search(r'<details class="attack-panel" id="panel-where" hx-get="([^"]*)"', text)
    assert found
    query = parse_qs(urlsplit(found[1]).query)
    assert query["target"] == ["school bus"] and query["seed"] == ["3"]
    assert query["model"] == ["mini"] and query["image"] == ["cat"]
    assert client.get(f"/api/v1/images/{query['attacked'][0]}.png").status_code == 200
    assert f"/?model=mini&image={query['attacked'][0]}" in text


def test_the_explorer_leads_here_with_its_network_and_picture(client: TestClient) -> None:
    client.get("/api/v1/runs/mini/monarch")
    text = client.get("/?image=monarch", headers=HTML).text
    assert 'href="/attack?model=mini&amp;image=monarch">Try to fool it</a>' in text


def test_a_page_restored_from_history_is_whole(client: TestClient) -> None:
    answer = client.get("/attack?image=cat", headers={**RUN, "HX-History-Restore-Request": "true"})
    assert "<main" in answer.text


def test_names_that_two_classes_share_are_offered_by_index() -> None:
    labels = [
        Label(0, "n1", "crane", "crane (bird)"),
        Label(1, "n2", "crane", "crane (machine)"),
        Label(2, "n3", "cup", "cup"),
    ]
    assert suggestions(labels) == (("0", "crane (bird)"), ("1", "crane (machine)"), ("cup", ""))
