"""`POST /api/v1/attacks`: the contract's fields, statuses, limits, and the way back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from fastapi import FastAPI
from safetensors.torch import save_file
from starlette.requests import Request
from starlette.testclient import TestClient

from app.services.attacks.options import LARGEST, METHODS
from app.services.attacks.universal import NoiseFigures, NoiseRecipe, UniversalNoise, pack
from app.services.networks.asset_files import origin
from app.services.networks.state_dict import to_state_dict
from app.settings import Settings
from app.web.app import create_app
from models import registry
from tests.support.addresses import BASE

URL = "/api/v1/attacks"
JSON = {"content-type": "application/json"}


def asked(client: TestClient, **more: Any) -> dict[str, Any]:
    answer = client.post(URL, json={"model": "mini", "image": "cat", "method": "pgd", **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_answer_has_the_fields_of_the_contract(client: TestClient) -> None:
    made = asked(client, epsilon=4, true_label=19)
    for field in (
        "adversarial_image", "flipped", "reached_target", "fooled", "before", "after", "linf",
        "l2", "notes", "trace", "drift",
    ):  # fmt: skip
        assert field in made
    assert made["flipped"] is made["fooled"] is True and made["reached_target"] is False
    assert (made["before"][0]["label"], made["linf"]) == ("tabby cat", 4)
    assert set(made["before"][0]) == {"index", "label", "logit", "probability"}
    assert [one["step"] for one in made["trace"]] == list(range(11))
    for one in made["trace"]:
        assert set(one) == {"step", "label", "probability", "target_probability", "linf"}
        assert one["linf"] <= 4 and one["target_probability"] is None
    assert made["trace"][-1]["label"] == made["after"][0]["label"]
    assert [one["step"] for one in made["drift"]][0::17] == ["conv1", "softmax"]
    assert set(made["drift"][0]) == {"step", "relative_l2", "cosine", "noise_relative_l2"}


def test_the_picture_is_ones_own_and_fools_again(
    client: TestClient, application: FastAPI, tmp_path: Path
) -> None:
    made = asked(client, epsilon=8, target=20)
    assert made["reached_target"] and made["after"][0]["index"] == 20
    assert made["trace"][-1]["target_probability"] == pytest.approx(made["after"][0]["probability"])
    image = made["adversarial_image"]
    png = client.get(f"/api/v1/images/{image}.png").content
    again = client.post("/api/v1/images", files={"file": ("fooled.png", png)}).json()
    assert again["id"] == image and (again["width"], again["height"]) == (64, 64)
    run = client.get(f"/api/v1/runs/mini/{image}").json()
    assert run["preprocess"]["untouched"]
    for one, other in zip(run["predictions"], made["after"], strict=True):
        assert one["index"] == other["index"]
        assert one["probability"] == pytest.approx(other["probability"], abs=1e-6)
    assert client.delete(f"/api/v1/images/{image}.png").status_code == 204


def test_noise_of_the_same_size_does_not_flip_what_pgd_flips(client: TestClient) -> None:
    attack, noise = asked(client, epsilon=2), asked(client, epsilon=2, method="noise")
    assert attack["flipped"] and not noise["flipped"] and not attack["control"]["flipped"]
    assert attack["linf"] == noise["linf"] == attack["control"]["linf"] == 2
    # The default sample is the sturdiest: noise does nothing to it either.
    assert not asked(client, image="coffee", epsilon=2, method="noise")["flipped"]
    assert asked(client, image="coffee", epsilon=8)["flipped"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"method": "fgsm"}, None),
        ({"method": "pgd_l2", "epsilon": 200}, None),
        ({"method": "deepfool"}, None),
        ({"method": "few_pixel", "epsilon": 1}, None),
        ({"method": "universal", "steps": 3}, "One noise for all pictures: it ships"),
        ({"method": "universal", "steps": 3, "target": 20}, "this one picture"),
        ({"method": "universal", "epsilon": 12}, "made for epsilon 10: more is not used"),
        ({"method": "universal", "step_size": 1}, "does not use step_size"),
        ({"method": "sticker", "steps": 2, "target": 71}, "school bus sticker ships"),
        ({"method": "sticker", "steps": 2, "target": 20}, "There are trained stickers for: school"),
        ({"method": "sticker", "steps": 2}, "this one picture"),
        ({"epsilon": 0}, "nothing happens"),
        ({"epsilon": 8, "steps": 2, "step_size": 1}, "cannot reach"),
        ({"target": "tabby cat", "epsilon": 1, "steps": 1}, "saw already"),
        ({"true_label": 3, "epsilon": 1, "steps": 1}, "Wrong from the start"),
    ],
)
def test_every_method_answers_and_notes_what_is_odd(
    client: TestClient, more: dict[str, Any], words: str | None
) -> None:
    made = asked(client, **more)
    assert words is None or any(words in note for note in made["notes"])
    assert made["trace"] and made["drift"] and made["after"]


def test_the_same_seed_repeats_the_attack(client: TestClient) -> None:
    first, second, other = (
        asked(client, method="noise", epsilon=3, seed=seed) for seed in (1, 1, 2)
    )
    assert first == second
    assert other["adversarial_image"] != first["adversarial_image"]


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"method": "magic"}, 422, "method"),
        ({"epsilon": 33}, 422, "from 0 to 32"),
        ({"epsilon": -1}, 422, "epsilon"),
        ({"epsilon": "much"}, 422, "epsilon"),
        ({"method": "pgd_l2", "epsilon": 4000}, 422, "from 0 to 3547"),
        ({"steps": 0}, 422, "steps"),
        ({"steps": 1000}, 422, "steps"),
        ({"step_size": 300}, 422, "step size"),
        ({"target": 100}, 422, "indices 0 to 99"),
        ({"target": -1}, 422, "indices 0 to 99"),
        ({"target": "skool bus"}, 422, "school bus"),
        ({"target": "9" * 5000}, 422, "far too large"),
        ({"target": 10**400}, 422, "far too large"),
        ({"target": "\ud800"}, 422, "no class called “\ufffd”"),
        ({"true_label": "9" * 5000}, 422, "far too large"),
        ({"true_label": "\udfff"}, 422, "no class called “\ufffd”"),
        ({"image": "\ud800"}, 422, "half a character"),
        ({"\ud800": 1}, 422, "half a character"),
        ({"x" * 3000: 1}, 422, "not permitted"),
        ({"method": "sticker", "epsilon": 0}, 422, "at least one pixel"),
        ({"method": "sticker", "epsilon": 5e-324}, 422, "from 0.024 to 32 per cent"),
        ({"epsilon": float("nan")}, 422, "finite"),
        ({"epsilon": float("inf")}, 422, "finite"),
        ({"step_size": 1e308}, 422, "step size"),
        ({"steps": 10**30}, 422, "steps"),
        ({"seed": 2**53}, 422, "seed"),
        ({"seed": -1}, 422, "seed"),
        ({"epsilom": 3}, 422, "epsilom"),
        ({"model": "resnet"}, 404, "mini"),
        ({"image": "nothing"}, 404, "picture"),
        ({"model": "alexnet"}, 503, "weights get alexnet"),
    ],
)
def test_mistakes_have_a_status_and_a_sentence(
    client: TestClient, more: dict[str, Any], status: int, words: str
) -> None:
    body = {"model": "mini", "image": "cat", "method": "pgd", **more}
    answer = client.post(URL, content=json.dumps(body), headers=JSON)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"] and len(answer.json()["detail"]) < 400


@pytest.mark.parametrize(
    "body", ["9" * 5000, '{"target": ' + "9" * 5000 + "}", "[" * 100_000, "{", "", "null", "\0"]
)
def test_a_body_that_cannot_be_read_has_a_sentence(client: TestClient, body: str) -> None:
    answer = client.post(URL, content=body, headers=JSON)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.json()["detail"]) > 20


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "more",
    [
        {"epsilon": 0},
        {"epsilon": 5e-324, "step_size": 5e-324},
        {"epsilon": LARGEST, "step_size": 255},
        {"epsilon": 0.025, "step_size": 0, "seed": 2**53 - 1},
    ],
)
def test_the_ends_of_every_range_are_answered_with_finite_numbers_or_a_sentence(
    client: TestClient, method: str, more: dict[str, float]
) -> None:
    body = {"model": "mini", "image": "cat", "method": method, "steps": 1, **more}
    answer = client.post(URL, json=body)
    if answer.status_code == 422:
        assert "epsilon" in answer.json()["detail"].lower()
        assert method in ("few_pixel", "sticker")
        return
    assert answer.status_code == 200, answer.text
    made = answer.json()
    ranked = (*made["before"], *made["after"], *made["control"]["after"])
    numbers = [one[name] for one in ranked for name in ("logit", "probability")]
    numbers += [made["linf"], made["l2"], made["ssim"]]
    numbers += [one[name] for one in made["drift"] for name in ("relative_l2", "cosine")]
    # What is not finite is null in JSON.
    assert all(isinstance(one, float | int) for one in numbers)


def test_a_partial_network_conflicts(tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    state = to_state_dict("squeezenet1_1", registry.seeded("squeezenet1_1"))
    part = {key: value for key, value in state.items() if not key.startswith("classifier")}
    save_file(part, stick / "squeezenet1_1-part.safetensors")
    app = create_app(Settings(data=tmp_path / "data", device="cpu", weights=stick))
    with TestClient(app, base_url=BASE) as client:
        body = {"model": "own-squeezenet1_1-part", "image": "cat", "method": "pgd"}
        answer = client.post(URL, json=body)
    assert answer.status_code == 409
    assert "nothing to fool" in answer.json()["detail"]


def test_a_second_attack_of_the_same_person_waits_outside(
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
    body = {"model": "mini", "image": "cat", "method": "fgsm"}
    answer = client.post(URL, json=body)
    assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0
    assert "One long job of yours" in answer.json()["detail"]
    client.portal.call(held.aclose)
    assert client.post(URL, json=body).status_code == 200


def test_the_documentation_shows_it_with_an_example(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    operation = described["paths"][URL]["post"]
    assert {"200", "404", "409", "422", "503"} <= set(operation["responses"])
    schema = described["components"]["schemas"]["AttackAsked"]
    assert schema["examples"][0]["method"] == "pgd"


def test_it_stops_when_the_caller_has_left(
    client: TestClient, application: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def left(self: Request) -> bool:
        return True

    monkeypatch.setattr(Request, "is_disconnected", left)
    body = {"model": "mini", "image": "cat", "method": "pgd", "steps": 200}
    answer = client.post(URL, json=body)
    assert answer.status_code == 503 and "stopped before its end" in answer.json()["detail"]
    assert not application.state.services.pictures.recent(client.cookies["layerscope_owner"])
    monkeypatch.undo()
    # Its place among the long jobs is free again.
    assert client.post(URL, json=body | {"steps": 1}).status_code == 200


def test_the_universal_noise_grows_on_the_picture_and_is_the_same_for_all(
    client: TestClient,
) -> None:
    made = {image: asked(client, method="universal", image=image) for image in ("cat", "rocket")}
    for one in made.values():
        assert [(at["step"], at["linf"]) for at in one["trace"]] == [(k, k) for k in range(11)]
        assert one["linf"] == one["control"]["linf"] == 10
    small = asked(client, method="universal", epsilon=4)
    assert [at["linf"] for at in small["trace"]] == [0, 1, 2, 3, 4]
    assert not any("cannot reach" in note for note in small["notes"])
    # The note tells what it does to pictures it was not made from, and how that was found.
    note = next(note for note in small["notes"] if "ships with Layerscope" in note)
    assert "8,000 pictures" in note and "1,000 pictures" in note and "random signs to" in note


def test_a_noise_of_the_operators_own_is_used_and_a_foreign_one_refused(
    client: TestClient, application: FastAPI
) -> None:
    model = application.state.services.catalogue.model("mini")
    values = torch.full((3, 64, 64), 6, dtype=torch.int8)
    noise = UniversalNoise(values, NoiseRecipe(epsilon=6), 30, 10, (NoiseFigures(6, 0.25, 0.125),))
    folder = application.state.services.settings.data / "universal"
    folder.mkdir()
    tensors, about = pack(noise)
    save_file(tensors, folder / "mini.safetensors", {**about, **origin(model)})
    made = asked(client, method="universal", epsilon=8)
    assert made["linf"] == 6
    assert any("was made on this server, made from 30 pictures" in note for note in made["notes"])
    save_file(tensors, folder / "mini.safetensors", {**about, "weights_sha256": "0" * 64})
    made = asked(client, method="universal", epsilon=8)
    assert made["linf"] == 8
    assert any("Not used: mini.safetensors was made from other" in note for note in made["notes"])


def test_a_trained_sticker_is_laid_at_one_place_after_the_other(client: TestClient) -> None:
    made = asked(client, method="sticker", target="school bus", steps=12)
    assert [one["step"] for one in made["trace"]] == list(range(13))
    hits = sum(one["label"] == "school bus" for one in made["trace"][1:])
    assert hits >= 6
    assert any(f"school bus at {hits} of 12 places" in note for note in made["notes"])
    assert made["trace"][-1]["label"] == made["after"][0]["label"]
    assert made["control"]["kind"] == "sticker"
    again = asked(client, method="sticker", target="school bus", steps=12)
    assert again == made
    other = asked(client, method="sticker", target="school bus", steps=12, seed=1)
    assert other["adversarial_image"] != made["adversarial_image"]
