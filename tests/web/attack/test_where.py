"""The panel “Where it happens”: numbers that re-add, every state, every refusal."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from starlette.testclient import TestClient
from torch import Tensor

from app.pictures.sheets import quantise
from app.services.networks.state_dict import to_state_dict
from app.settings import Settings
from app.web.app import create_app
from models import registry
from models.weights import TABLE
from tests.support.addresses import BASE

PANEL = "/attack/where"
PART = {"hx-request": "true"}
PAGE = {"accept": "text/html"}


def attack(client: TestClient, **more: Any) -> dict[str, Any]:
    asked = {"model": "mini", "image": "cat", "method": "pgd", "epsilon": 4, **more}
    answer = client.post("/api/v1/attacks", json=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def names(made: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "mini", "image": "cat", "attacked": made["adversarial_image"], **more}


def lines(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def tensor(client: TestClient, image: str, step: str) -> Tensor:
    data = client.get(f"/api/v1/runs/mini/{image}/steps/{step}.npy").content
    return torch.from_numpy(np.load(io.BytesIO(data))).double()


@pytest.fixture
def made(client: TestClient) -> dict[str, Any]:
    """The cat, which PGD of 4 turns into something else."""
    found = attack(client)
    assert found["flipped"]
    return found


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[TestClient]:
    """An app with a network of somebody's own and one without a classifier."""
    folder = tmp_path / "stick"
    folder.mkdir()
    (folder / "mini-own.safetensors").write_bytes(TABLE[0].path.read_bytes())
    state = to_state_dict("squeezenet1_1", registry.seeded("squeezenet1_1"))
    part = {key: value for key, value in state.items() if not key.startswith("classifier")}
    save_file(part, folder / "squeezenet1_1-part.safetensors")
    app = create_app(Settings(data=tmp_path / "data", device="cpu", weights=folder))
    with TestClient(app, base_url=BASE, follow_redirects=False) as client:
        yield client


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"seed": 7},
        {"method": "fgsm", "epsilon": 1},
        {"method": "pgd_l2", "epsilon": 200, "seed": 3},
        {"method": "few_pixel", "epsilon": 2, "seed": 5},
    ],
)
def test_the_drift_is_that_of_the_attack_itself_noise_and_all(
    client: TestClient, more: dict[str, Any]
) -> None:
    found = attack(client, **more)
    query = names(found, seed=more.get("seed", 0))
    told = lines(client.get(f"{PANEL}/drift.csv", params=query).text)
    assert [one["step"] for one in told] == [one["step"] for one in found["drift"]]
    for one, other in zip(told, found["drift"], strict=True):
        for name in ("relative_l2", "cosine", "noise_relative_l2"):
            assert float(one[name]) == pytest.approx(other[name], rel=1e-3, abs=1e-6), name


def test_the_numbers_re_add_against_the_tensors_of_both_runs(
    client: TestClient, made: dict[str, Any]
) -> None:
    told = {o["step"]: o for o in lines(client.get(f"{PANEL}/drift.csv", params=names(made)).text)}
    page = client.get(PANEL, params=names(made)).text
    for step in ("conv1", "relu5", "fc7", "softmax"):
        clean, attacked = (tensor(client, one, step) for one in ("cat", made["adversarial_image"]))
        relative = float((attacked - clean).norm() / clean.norm())
        assert float(told[step]["relative_l2"]) == pytest.approx(relative, rel=1e-6)
        cosine = float((attacked * clean).sum() / attacked.norm() / clean.norm())
        assert float(told[step]["cosine"]) == pytest.approx(cosine, abs=1e-6)
        shown = f"{100 * relative:.0f}" if relative >= 0.0995 else f"{100 * relative:.1f}"
        row = page.partition(f'<tr data-step="{step}">')[2].partition("</tr>")[0]
        assert f"<td>{shown}\u00a0%</td>" in row


def test_the_sentence_tells_the_first_step_and_the_widest_gap(
    client: TestClient, made: dict[str, Any]
) -> None:
    ratios = {
        one["step"]: one["relative_l2"] / one["noise_relative_l2"] for one in made["drift"][:-1]
    }
    widest = max(ratios, key=lambda step: ratios[step])
    page = client.get(PANEL, params=names(made)).text
    sentence = page.partition("data-sentence>")[2].partition("</p>")[0]
    assert sentence.startswith(f"At conv1 the attack changes {ratios['conv1']:.1f} times")
    assert f"at {widest} {ratios[widest]:.0f} times as much" in sentence
    assert ratios[widest] > 10


def test_columns_re_add_and_are_bluffs(client: TestClient, made: dict[str, Any]) -> None:
    query = names(made, layer="relu5")
    told = lines(client.get(f"{PANEL}/channels.csv", params=query).text)
    clean, attacked = (tensor(client, one, "relu5") for one in ("cat", made["adversarial_image"]))
    for one in told:
        channel = int(one["channel"])
        assert float(one["clean"]) == pytest.approx(float(clean[channel].mean()), abs=1e-9)
        change = float((attacked[channel] - clean[channel]).mean())
        assert float(one["change"]) == pytest.approx(change, abs=1e-9)
    by = {name: [one for one in told if one["column"] == name] for name in
          ("original", "both", "target", "exploited")}  # fmt: skip
    assert len(by["original"]) + len(by["both"]) == len(by["target"]) + len(by["both"]) == 10
    # The lesson: what speaks for the old class goes down, what speaks for the new one up.
    assert sum(float(one["change"]) < 0 for one in by["original"]) >= 8
    assert sum(float(one["change"]) > 0 for one in by["target"]) >= 8
    page = client.get(PANEL, params=query).text
    before, after = (made[when][0]["label"] for when in ("before", "after"))
    assert f"<h3>For {before}</h3>" in page and f"<h3>For {after}</h3>" in page
    for one in told:
        assert f'id="where-channel-{one["channel"]}"' in page


def test_the_difference_of_the_maps_is_attacked_minus_clean(
    client: TestClient, made: dict[str, Any]
) -> None:
    answer = client.get(f"{PANEL}/maps.png", params=names(made, layer="relu2", channel=17))
    sheet = np.asarray(Image.open(io.BytesIO(answer.content)))
    clean, attacked = (
        tensor(client, one, "relu2")[17].float() for one in ("cat", made["adversarial_image"])
    )
    side = clean.shape[1]
    assert sheet.shape == (side, 3 * side)
    limit = max(float(clean.max()), float(attacked.max()))
    change = attacked - clean
    for i, (values, end) in enumerate(
        ((clean, limit), (attacked, limit), (change, float(change.abs().max())))
    ):
        expected = quantise(values, end).numpy()
        assert (sheet[:, i * side : (i + 1) * side] == expected).all()
    assert (change < 0).any() and (change > 0).any()


def test_a_channel_is_shown_with_its_ranges_neighbours_and_both_explorers(
    client: TestClient, made: dict[str, Any]
) -> None:
    query = names(made, layer="relu5")
    order = [o["channel"] for o in lines(client.get(f"{PANEL}/channels.csv", params=query).text)]
    page = client.get(PANEL, params=query | {"channel": order[1]}).text
    place = page.partition('id="where-maps"')[2].partition('class="columns-of"')[0]
    assert f"Map {order[1]} of relu5" in place
    for image in ("cat", made["adversarial_image"]):
        values = tensor(client, image, "relu5")[int(order[1])]
        assert f"0 to {float(values.max()):.3g}" in place
        assert f"image={image}&amp;step=relu5&amp;channel={order[1]}" in place
    previous = place.partition('rel="prev" href="')[2].partition('"')[0]
    following = place.partition('rel="next" href="')[2].partition('"')[0]
    assert f"channel={order[0]}" in previous and f"channel={order[2]}" in following
    # It works as a link, without a script.
    assert f"Map {order[2]} of relu5" in client.get(following.replace("&amp;", "&")).text
    assert page.count('aria-current="true"') == 2


def test_small_maps_are_on_one_scale_a_row_a_channel(
    client: TestClient, made: dict[str, Any]
) -> None:
    query = names(made, layer="relu5", channels="3,17")
    sheet = np.asarray(
        Image.open(io.BytesIO(client.get(f"{PANEL}/thumbs.png", params=query).content))
    )
    clean, attacked = (
        tensor(client, one, "relu5").float() for one in ("cat", made["adversarial_image"])
    )
    limit = max(float(clean.max()), float(attacked.max()))
    assert (sheet[:8, :8] == quantise(clean[3], limit).numpy()).all()
    assert (sheet[:8, 8:] == quantise(attacked[3], limit).numpy()).all()
    assert (sheet[8:, 8:] == quantise(attacked[17], limit).numpy()).all()


def test_files_are_pictures_and_tables_to_save(client: TestClient, made: dict[str, Any]) -> None:
    for path, kind, more in (
        ("drift.png", "image/png", {}),
        ("maps.png", "image/png", {"channel": 3, "save": 1}),
        ("drift.csv", "text/csv; charset=utf-8", {}),
        ("channels.csv", "text/csv; charset=utf-8", {"layer": "relu1"}),
    ):
        answer = client.get(f"{PANEL}/{path}", params=names(made, **more))
        assert answer.headers["content-type"] == kind
        assert answer.headers["content-disposition"].startswith("attachment")


def test_htmx_gets_the_panel_alone_and_the_layer_alone(
    client: TestClient, made: dict[str, Any]
) -> None:
    whole = client.get(PANEL, params=names(made), headers=PAGE).text
    alone = client.get(PANEL, params=names(made), headers=PART).text
    assert "<html" in whole and "<html" not in alone and 'data-panel="where"' in alone
    part = f"{PANEL}/layer"
    answer = client.get(part, params=names(made, layer="relu1"), headers=PART)
    assert answer.text.lstrip().startswith("<h2")
    assert "hx-push-url" not in answer.headers
    at_home = PART | {"hx-current-url": f"{BASE}{PANEL}?model=mini"}
    answer = client.get(part, params=names(made, layer="relu1", channel=2), headers=at_home)
    pushed = answer.headers["hx-push-url"]
    assert "layer=relu1" in pushed and "channel=2" in pushed
    assert "Map 2 of relu1" in client.get(pushed).text


def test_two_pictures_that_are_the_same_are_told_so(client: TestClient) -> None:
    answer = client.get(PANEL, params={"model": "mini", "image": "cat", "attacked": "cat"})
    assert answer.status_code == 200
    assert "nothing changed at any step" in answer.text
    assert "<svg class=" not in answer.text and "where-layer" not in answer.text


def test_an_attack_that_held_is_compared_with_what_comes_next(client: TestClient) -> None:
    found = attack(client, image="coffee", epsilon=2)
    assert not found["flipped"]
    page = client.get(PANEL, params=names(found) | {"image": "coffee"}).text
    second = found["after"][1]["label"]
    assert f"It still sees “espresso”: “{second}” is what comes next." in page
    aimed = client.get(PANEL, params=names(found, target="banana") | {"image": "coffee"}).text
    assert "“banana” is what it should see." in aimed


def test_the_target_of_the_attack_is_the_other_class(client: TestClient) -> None:
    found = attack(client, epsilon=8, target="school bus")
    page = client.get(PANEL, params=names(found, target="school bus")).text
    assert "<h3>For school bus</h3>" in page


def test_without_class_means_it_tells_what_changed_and_how_to_calibrate(
    stick: TestClient,
) -> None:
    found = attack(stick, model="own-mini-own")
    page = stick.get(PANEL, params=names(found) | {"model": "own-mini-own"}).text
    assert "python -m app calibrate --model own-mini-own --data DIR" in page
    assert page.count('class="column-of"') == 1 and "Changed most" in page
    told = lines(
        stick.get(f"{PANEL}/channels.csv", params=names(found) | {"model": "own-mini-own"}).text
    )
    assert {one["column"] for one in told} == {"exploited"} and len(told) == 10


def test_a_partial_network_conflicts(stick: TestClient) -> None:
    query = {"model": "own-squeezenet1_1-part", "image": "cat", "attacked": "coffee"}
    answer = stick.get(PANEL, params=query)
    assert answer.status_code == 409 and "no classifier" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"image": "nothing"}, 404, "picture"),
        ({"attacked": "nothing"}, 404, "picture"),
        ({"model": "resnet"}, 404, "mini"),
        ({"model": "alexnet"}, 503, "weights get alexnet"),
        ({"layer": "conv3"}, 404, "relu1"),
        ({"layer": "fc7"}, 404, "relu5"),
        ({"channel": 192}, 404, "channels 0 to 191"),
        ({"channel": -1}, 422, "channel"),
        ({"target": "skool bus"}, 422, "school bus"),
        ({"seed": -1}, 422, "seed"),
        ({"attacked": ""}, 404, "picture"),
    ],
)
def test_mistakes_have_a_status_and_a_sentence(
    client: TestClient, more: dict[str, Any], status: int, words: str
) -> None:
    query = {"model": "mini", "image": "cat", "attacked": "coffee", **more}
    for path in (PANEL, f"{PANEL}/layer", f"{PANEL}/drift.csv"):
        if path.endswith(".csv") and {"layer", "channel"} & set(more):
            continue
        answer = client.get(path, params=query)
        assert answer.status_code == status, path
        assert words in answer.json()["detail"]


@pytest.mark.parametrize("channels", ["", "1,1", "x", "top3", "999"])
def test_a_sheet_of_small_maps_names_each_channel_once(client: TestClient, channels: str) -> None:
    query = {"model": "mini", "image": "cat", "attacked": "coffee", "channels": channels}
    answer = client.get(f"{PANEL}/thumbs.png", params=query)
    assert answer.status_code in (
        (404,) if channels == "999" else (200,) if channels == "top3" else (422,)
    )


def test_maps_without_a_channel_are_refused(client: TestClient) -> None:
    query = {"model": "mini", "image": "cat", "attacked": "coffee"}
    assert client.get(f"{PANEL}/maps.png", params=query).status_code == 422
