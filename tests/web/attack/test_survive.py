"""Panels that ask what becomes of an attack, as pages, as parts for htmx, as files."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file
from starlette.testclient import TestClient

from app.pictures.transformations import TRANSFORMATIONS
from app.services.attacks.robustness_curves import SLIDERS
from app.settings import Settings
from app.web.app import create_app
from tests.support.addresses import BASE
from tests.support.lab_pages import words
from tests.support.markup import one_line
from tests.support.networks import embedded, put_partial

HTML = {"Accept": "text/html"}
PAIR = "model=mini&image=cat&attacked=school-bus&seed=3"
PANELS = {"survive": PAIR, "transfer": PAIR, "unusual": PAIR, "change": "model=mini&image=cat"}


def part(client: TestClient, url: str, target: str = "", at: str = "/attack") -> Any:
    """What htmx gets for an element."""
    asked = {**HTML, "HX-Request": "true", "HX-Current-URL": f"{BASE}{at}"}
    answer = client.get(url, headers=asked | ({"HX-Target": target} if target else {}))
    assert answer.status_code == 200, answer.text
    assert "<html" not in answer.text
    return answer


def page(client: TestClient, url: str, status: int = 200) -> str:
    answer = client.get(url, headers=HTML)
    assert answer.status_code == status, answer.text
    return one_line(answer.text)


def table(client: TestClient, url: str) -> list[dict[str, str]]:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def picture(client: TestClient, url: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def headline(text: str) -> str:
    found = re.search(r'<p class="headline"[^>]*>(.*?)</p>', text, re.S)
    assert found, text[:2000]
    return words(found[1])


@pytest.mark.parametrize("id", PANELS)
def test_every_panel_is_a_page_and_a_part(client: TestClient, id: str) -> None:
    whole = page(client, f"/attack/{id}?{PANELS[id]}")
    assert "<h1>" in whole and "attack-panel" in whole
    alone = part(client, f"/attack/{id}?{PANELS[id]}").text
    assert words(alone) in words(whole)
    for text in (whole, alone):
        assert " style=" not in text and "<script>" not in text and " onclick" not in text
    # Every picture in it is there.
    for url in re.findall(r'<img src="([^"]+)"', alone):
        assert picture(client, url.replace("&amp;", "&")).shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("id", "query", "status", "sentence"),
    [
        ("survive", "model=mini&image=cat", 422, "attacked"),
        ("survive", "model=nix&image=cat&attacked=cat", 404, "no network called"),
        ("survive", "model=mini&image=cat&attacked=gone", 404, "not here"),
        ("survive", f"{PAIR}&on=fire", 422, "There is no “fire” here"),
        ("survive", f"{PAIR}&on=jpeg&jpeg=101", 422, "jpeg goes from 5 to 95"),
        ("survive", f"{PAIR}&on=blur&blur=nan", 422, "blur goes from 0 to 4"),
        ("survive", "model=vgg11&image=cat&attacked=cat", 503, "weights get vgg11"),
        ("change", "model=mini&image=cat&turn=999", 422, "turn goes from -180 to 180"),
        ("change", "model=mini&image=cat&edge=red", 422, "edge is mirror or black"),
        ("change", "model=mini&image=gone", 404, "not here"),
        ("transfer/mini", PAIR, 422, "name another one"),
        ("transfer/nix", PAIR, 404, "no network called"),
        ("transfer/vgg11", PAIR, 503, "weights get vgg11"),
        ("unusual.png", f"{PAIR}&score=nix", 422, "score is one of profile"),
        ("unusual/input.png", "model=mini&image=cat&which=noise", 404, "only the clean one"),
    ],
)
def test_what_does_not_fit_has_a_sentence(
    client: TestClient, id: str, query: str, status: int, sentence: str
) -> None:
    assert sentence in words(page(client, f"/attack/{id}?{query}", status))


def test_what_is_switched_on_happens_to_the_shown_pixels(client: TestClient) -> None:
    query = f"{PAIR}&on=brightness&brightness=200&on=flip"
    text = part(client, f"/attack/survive?{query}", "div#survive-result").text
    assert "<form" not in text
    urls = [u.replace("&amp;", "&") for u in re.findall(r'<img src="([^"]+)"', text)]
    before = [
        picture(client, f"/attack/survive.png?{PAIR}&which={w}") for w in ("clean", "attacked")
    ]
    for url, old in zip(urls, before, strict=True):
        doubled = np.minimum(old[:, ::-1].astype(int) * 2, 255)
        assert (picture(client, url) == doubled).all()
        assert "immutable" in client.get(url).headers["cache-control"]
    assert "Done, in this order: Flip, Brightness 200 %." in words(text)


def test_the_answer_is_that_of_the_saved_picture(client: TestClient) -> None:
    query = f"{PAIR}&on=jpeg&jpeg=40&on=screen&screen=60"
    text = part(client, f"/attack/survive?{query}", "div#survive-result").text
    png = client.get(f"/attack/survive.png?{query}&which=attacked&download=it.png")
    assert 'filename="it.png"' in png.headers["content-disposition"]
    own = {"file": ("it.png", png.content, "image/png")}
    image = client.post("/api/v1/images", files=own).json()["id"]
    run = client.get(f"/api/v1/runs/mini/{image}?top=1").json()
    attacked = text.split('data-picture="attacked"')[1]
    found = re.search(r'data-class="(\d+)".*?<small class="logit">score ([^<]*)<', attacked, re.S)
    assert found and int(found[1]) == run["predictions"][0]["index"]
    assert float(found[2].replace("−", "-")) == pytest.approx(
        run["predictions"][0]["logit"], abs=0.01
    )


def test_the_address_follows_on_a_page_of_its_own_only(client: TestClient) -> None:
    url = f"/attack/survive?{PAIR}&on=jpeg&jpeg=40&blur=3"
    alone = part(client, url, "div#survive-result", at="/attack/survive?x=1")
    replaced = parse_qs(urlsplit(alone.headers["hx-replace-url"]).query)
    # What is off is left out; what is on comes back as it is.
    assert replaced["on"] == ["jpeg"] and replaced["jpeg"] == ["40"] and "blur" not in replaced
    assert "hx-replace-url" not in part(client, url, "div#survive-result", at="/attack?y=2").headers
    again = page(client, alone.headers["hx-replace-url"].replace(BASE, ""))
    assert re.search(r'value="jpeg" checked', again) and 'value="40"' in again
    assert "checked" not in again.split('value="blur"')[1].split(">")[0]


def attacked(client: TestClient, method: str = "pgd", **more: object) -> str:
    asked = {"model": "mini", "image": "cat", "method": method, "epsilon": 4, **more}
    answer = client.post("/api/v1/attacks", json=asked)
    assert answer.status_code == 200, answer.text
    image: str = answer.json()["adversarial_image"]
    return image


def test_a_real_attack_is_told_apart_from_a_broken_picture(client: TestClient) -> None:
    pair = f"model=mini&image=cat&attacked={attacked(client)}"
    assert "Switch something on" in headline(page(client, f"/attack/survive?{pair}"))
    fates = {
        "on=brightness&brightness=140": "fooled",
        "on=resize&resize=25": "broken",
    }
    for query, fate in fates.items():
        text = page(client, f"/attack/survive?{pair}&{query}")
        assert f'data-fate="{fate}"' in text
    assert "That damaged the picture itself" in headline(text)
    rows = table(client, f"/attack/survive.csv?{pair}")
    assert rows[0]["transformation"] == "none" and rows[0]["outcome"] == "fooled"
    assert len(rows) == 1 + sum(len(stop.tried) for stop in TRANSFORMATIONS)
    assert {row["outcome"] for row in rows} <= {"fooled", "other", "undone", "broken"}
    shown = part(client, f"/attack/survive/table?{pair}").text
    assert shown.count("<tr data-fate=") == len(rows) - 1
    for fate in ("broken", "fooled"):
        told = sum(row["outcome"] == fate for row in rows[1:])
        assert shown.count(f'<tr data-fate="{fate}"') == told > 0


def test_an_attack_that_failed_is_shown_as_that(client: TestClient) -> None:
    same = "model=mini&image=cat&attacked=cat"
    assert "There is nothing to survive" in headline(page(client, f"/attack/survive?{same}"))
    assert "there is nothing to survive" in words(page(client, f"/attack/survive/table?{same}"))
    assert "did not change the answer" in words(page(client, f"/attack/unusual?{same}"))


def test_with_mini_alone_the_panel_says_how_to_get_another(client: TestClient) -> None:
    text = words(page(client, f"/attack/transfer?{PAIR}"))
    assert "No other network with a classifier is on this server" in text
    assert "python -m app weights get squeezenet1_1" in text
    assert "python -m app weights get vgg16" in text
    assert len(table(client, f"/attack/transfer.csv?{PAIR}")) == 2


@pytest.fixture
def stocked(tmp_path: Path) -> Any:
    """A server with a copy of mini and a part of it."""
    folder = put_partial(tmp_path / "weights")
    save_file(embedded().state_dict(), folder / "mini-copy.safetensors")
    app = create_app(Settings(data=tmp_path / "data", device="cpu", weights=folder))
    with TestClient(app, base_url=BASE, follow_redirects=False) as made:
        yield made


def test_the_others_are_asked_one_by_one(stocked: TestClient) -> None:
    text = page(stocked, f"/attack/transfer?{PAIR}")
    url = re.search(r'hx-get="(/attack/transfer/own-mini-copy[^"]*)" hx-trigger="load"', text)
    assert url
    assert re.search(r"Its file ends at \w+: it has no classes", words(text))
    assert "No other network" not in text
    one = part(stocked, url[1].replace("&amp;", "&")).text
    assert 'data-verdict="same"' in one
    assert "Fooled as well, and into the same: “school bus”" in words(one)
    assert len(re.findall(r"<img", one)) == 3
    rows = table(stocked, f"/attack/transfer.csv?{PAIR}")
    assert [row["picture"] for row in rows] == ["clean", "attacked", "photo", "clean", "attacked"]
    assert rows[-1]["outcome"] == "same" and rows[-1]["wnid"] == "n04146614"
    refused = page(stocked, f"/attack/transfer/own-mini-part?{PAIR}", 422)
    assert "no classifier" in words(refused)
    assert "This network has no classes" in words(
        page(stocked, "/attack/change?model=own-mini-part&image=cat", 409)
    )


def test_sliders_change_the_photo_and_the_answer(client: TestClient) -> None:
    rest = page(client, "/attack/change?model=mini&image=cat")
    assert headline(rest).startswith("As it is: “tabby cat”")
    query = "model=mini&image=cat&turn=180&flip=1"
    answer = part(client, f"/attack/change?{query}", "div#change-now", at="/attack/change")
    assert answer.headers["hx-replace-url"].endswith(f"/attack/change?{query}")
    assert "<form" not in answer.text
    assert headline(answer.text).startswith("No attack, and yet “tabby cat” has become")
    usual = picture(client, "/attack/change.png?model=mini&image=cat")
    assert (picture(client, f"/attack/change.png?{query}") == usual[::-1]).all()
    run = client.get("/api/v1/runs/mini/cat/input.npy")
    values = np.load(io.BytesIO(run.content)).transpose(1, 2, 0)
    assert (np.rint(values * 255) == usual).all()


def test_the_charts_come_apart_or_as_a_page(client: TestClient) -> None:
    url = "/attack/change/charts?model=mini&image=cat"
    text = part(client, url).text
    assert text.count("<hx-partial") == len(SLIDERS) == text.count("<polyline")
    whole = page(client, url)
    assert "<hx-partial" not in whole and whole.count("<polyline") == len(SLIDERS)
    assert re.search(r"Turned by \d+° to the left it becomes “[^”]+”", words(whole))
    assert "Flipped it stays “tabby cat”" in words(whole)
    for points in re.findall(r'points="([^"]+)"', whole):
        pairs = [tuple(map(float, one.split(","))) for one in points.split()]
        assert pairs[0][0] == 0 and pairs[-1][0] == 300
        assert all(0 <= y <= 64 for _, y in pairs)
    rows = table(client, "/attack/change.csv?model=mini&image=cat")
    curves = {slider.id: len(slider.values()) for slider in SLIDERS}
    plain = [row["slider"] for row in rows if row["first change"] == "0"]
    assert {id: plain.count(id) for id in curves} == curves
    turned = [row for row in rows if row["slider"] == "turn" and row["first change"] == "1"]
    assert len(turned) == 2 and all(row["label"] != "tabby cat" for row in turned)


def test_unusual_tells_place_p_value_and_lesson(client: TestClient) -> None:
    pair = f"model=mini&image=cat&attacked={attacked(client)}"
    text = page(client, f"/attack/unusual?{pair}")
    assert "of 1 000 reference photos" in headline(text)
    assert "scores as normal" in words(text) and "its answer has changed" in words(text)
    assert text.count('class="limit"') == 7  # One for each end that is unusual.
    assert "style" in words(text) and "not a wrong answer" in words(text)
    assert text.count('class="histogram"') == 5
    rows = table(client, f"/attack/unusual.csv?{pair}")
    assert len(rows) == 15
    for row in rows:
        below, equal, above = (int(row[k]) for k in ("references below", "equal", "above"))
        assert below + equal + above == 1000
        if row["score"] == "profile":
            assert float(row["p-value"]) == pytest.approx((1 + above + equal) / 1001)
    assert picture(client, f"/attack/unusual.png?{pair}&score=norm.4").shape[2] == 3
    noise = picture(client, f"/attack/unusual/input.png?{pair}&which=noise").astype(int)
    clean = picture(client, f"/attack/unusual/input.png?{pair}&which=clean").astype(int)
    assert 0 < np.abs(noise - clean).max() <= 4


def test_a_sketch_is_unusual_and_a_photo_is_not(client: TestClient) -> None:
    sketch = page(client, "/attack/unusual?model=mini&image=sketch-cat")
    assert "unusual in style" in headline(sketch) and "nothing" not in headline(sketch)
    assert "This picture" in words(sketch) and "lesson" not in sketch
    photo = page(client, "/attack/unusual?model=mini&image=cat")
    assert "nothing unusual in style" in headline(photo)


def test_a_network_without_a_calibration_says_how(stocked: TestClient) -> None:
    text = page(stocked, "/attack/unusual?model=own-mini-copy&image=cat")
    assert "is not calibrated" in headline(text)
    assert "python -m app calibrate --model own-mini-copy --data" in words(text)
    for file in ("unusual.png", "unusual.csv"):
        page(stocked, f"/attack/{file}?model=own-mini-copy&image=cat", 404)


@pytest.mark.parametrize("image", ["sketch-cat", "coffee", "cat", "rocket", "banana", "monarch"])
def test_the_explorer_calls_a_picture_unusual_only_where_the_panel_does(
    client: TestClient, image: str
) -> None:
    panel = words(page(client, f"/attack/unusual?model=mini&image={image}"))
    with client.stream("GET", f"/runs/mini/{image}/events") as stream:
        told = words("".join(stream.iter_text()))
    assert ("More unusual than" in told) is ("nothing unusual" not in panel)


def test_the_explorer_says_how_usual_a_picture_is(client: TestClient) -> None:
    with client.stream("GET", "/runs/mini/sketch-cat/events") as stream:
        text = words("".join(stream.iter_text()))
    assert "More unusual than 97 % of photos" in text
    # The espresso is more unusual than 94.7 % of them: not enough to say so.
    with client.stream("GET", "/runs/mini/coffee/events") as stream:
        plain = words("".join(stream.iter_text()))
    assert "More unusual than" not in plain and "How usual is this picture?" in plain
    espresso = headline(page(client, "/attack/unusual?model=mini&image=coffee"))
    assert "more unusual than 94 % of" in espresso.replace("\u00a0", " ")
    assert "above 0.05): nothing unusual in style" in espresso
    kept = page(client, "/?model=mini&image=sketch-cat")
    assert "/attack/unusual?model=mini&amp;image=sketch-cat" in kept
