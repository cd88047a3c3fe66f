"""The panel “From no noise to much”: its stream, what is kept, its files, every refusal."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from PIL import Image
from safetensors.torch import save_file
from starlette.testclient import TestClient

from app.services.attacks import sweeps
from app.services.networks.state_dict import to_state_dict
from app.services.runs.pairs import load_pair
from app.settings import Settings
from app.vision.attacks.sweep import EPSILONS, SEEDS, SweepPoint, sweep
from app.web.app import create_app
from app.web.attack.charting import SIZES
from app.web.core import streams
from models import registry
from tests.support.addresses import BASE

PANEL = "/attack/sweep"
CAT: dict[str, Any] = {"model": "mini", "image": "cat", "method": "fgsm"}


def events(client: TestClient, last: int | None = None, **query: Any) -> list[tuple[str, str]]:
    """Id (or kind) and HTML of each event of a stream, to its end."""
    headers = {} if last is None else {"last-event-id": str(last)}
    answer = client.get(f"{PANEL}/events", params=CAT | query, headers=headers)
    assert answer.status_code == 200, answer.text
    found = []
    for block in answer.text.replace("\r\n", "\n").split("\n\n"):
        fields: dict[str, str] = {}
        for line in filter(None, block.split("\n")):
            name, _, value = line.partition(": ")
            fields[name] = f"{fields[name]}\n{value}" if name in fields else value
        if fields:
            found.append((fields.get("id", fields.get("event", "")), fields.get("data", "")))
    return found


def lines(text: str) -> dict[int, dict[str, str]]:
    return {
        int(one["epsilon"]): one for one in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    }


def test_points_come_one_after_the_other_and_the_last_tells_all(client: TestClient) -> None:
    told = events(client)
    assert told[0][0] == "" and "data-place" in told[0][1]
    assert told[-1][0] == "done"
    numbers = [int(id) for id, _ in told[1:-1]]
    assert numbers[0] == 1 and numbers == sorted(numbers)
    # The whole comes once more at the end, with sentences and files.
    assert numbers[-1] == numbers[-2] + 1 > len(EPSILONS)
    for id, text in told[1:-2]:
        assert f'data-points="{id}"' in text and "data-done" not in text
        assert text.count('class="dot of-attack"') == len(SIZES) * int(id)
    assert "data-done" in told[-2][1] and "changes at" in told[-2][1]


def test_what_came_to_its_end_is_kept_and_shown_at_once(client: TestClient) -> None:
    first = client.get(PANEL, params=CAT).text
    assert "hx-sse:connect" in first and 'data-state="running"' in first
    assert "plain=1" in first.partition("<noscript>")[2].partition("</noscript>")[0]
    told = events(client)
    again = client.get(PANEL, params=CAT).text
    assert "hx-sse:connect" not in again and "data-done" in again
    assert [id for id, _ in events(client)] == [told[-2][0], "done"]
    # Another method, target or seed is another sweep.
    for more in ({"method": "pgd"}, {"target": "banana"}, {"seed": 1}):
        assert "hx-sse:connect" in client.get(PANEL, params=CAT | more).text


def test_a_page_that_comes_back_is_sent_the_later_points(client: TestClient) -> None:
    ids = [id for id, _ in events(client, last=4, seed=9)]
    assert ids[0] == "5" and ids[-1] == "done"


def test_without_a_script_it_is_computed_to_its_end(client: TestClient) -> None:
    page = client.get(PANEL, params=CAT | {"plain": 1}, headers={"accept": "text/html"}).text
    assert "<html" in page and "data-done" in page and "hx-sse:connect" not in page
    assert "Under FGSM the answer “tabby cat” changes to" in page


def test_the_numbers_are_those_of_the_attacks_and_their_control(client: TestClient) -> None:
    query = CAT | {"method": "pgd", "seed": 2}
    told = lines(client.get(f"{PANEL}.csv", params=query).text)
    assert set(told) >= set(EPSILONS)
    for epsilon in (1, 4):
        asked = {"model": "mini", "image": "cat", "method": "pgd", "epsilon": epsilon, "seed": 2}
        made = client.post("/api/v1/attacks", json=asked).json()
        run = client.get(f"/api/v1/runs/mini/{made['adversarial_image']}?top=100").json()
        share = next(one["probability"] for one in run["predictions"] if one["index"] == 19)
        assert float(told[epsilon]["probability"]) == pytest.approx(share, abs=1e-4)
        assert int(told[epsilon]["class"]) == made["after"][0]["index"]
        first = made["control"]["after"][0]
        assert int(told[epsilon]["noise_class_1"]) == first["index"] == 19
        assert float(told[epsilon]["noise_1"]) == pytest.approx(first["probability"], abs=1e-4)
    flips = sorted(e for e, one in told.items() if int(one["class"]) != 19)
    page = client.get(PANEL, params=query).text
    assert f"at epsilon {flips[0]}." in page and f">changes at {flips[0]}</text>" in page
    below = [e for e in told if e < flips[0]]
    assert max(below) == flips[0] - 1


def test_toward_a_target_its_probability_is_drawn_too(client: TestClient) -> None:
    query = CAT | {"target": "school bus", "method": "pgd", "plain": 1}
    page = client.get(PANEL, params=query).text
    assert "PGD gets to “school bus” at epsilon" in page
    assert 'class="line of-target"' in page and "gets there at" in page
    assert "line of-target" not in client.get(PANEL, params=CAT | {"plain": 1}).text
    told = lines(client.get(f"{PANEL}.csv", params=query).text)
    assert float(told[0]["target_probability"]) < 0.01
    assert float(told[32]["target_probability"]) > 0.9
    own = client.get(PANEL, params=CAT | {"target": "tabby cat", "plain": 1}).text
    assert "“tabby cat”, is what the network already sees" in own


def test_the_table_adds_up_with_the_file(client: TestClient) -> None:
    page = client.get(PANEL, params=CAT | {"plain": 1}).text
    told = lines(client.get(f"{PANEL}.csv", params=CAT).text)
    for epsilon, one in told.items():
        row = page.partition(f'<tr data-epsilon="{epsilon}">')[2].partition("</tr>")[0]
        cells = re.findall(r"<td>(.*?)</td>", row)
        flipped = sum(int(one[f"noise_class_{i}"]) != 19 for i in range(1, SEEDS + 1))
        assert cells[-1] == f"{flipped} of {SEEDS}"
    first = [e for e, one in told.items()
             if any(int(one[f"noise_class_{i}"]) != 19 for i in range(1, SEEDS + 1))]  # fmt: skip
    assert (f"first changes the answer at {min(first)}" if first else "never changes") in page


def test_the_chart_is_a_picture_to_save(client: TestClient) -> None:
    answer = client.get(f"{PANEL}.png", params=CAT)
    assert Image.open(io.BytesIO(answer.content)).width > 1000
    assert answer.headers["content-disposition"].startswith("attachment")


def test_a_deleted_pictures_sweep_is_forgotten(client: TestClient, application: FastAPI) -> None:
    files = {"file": ("mine.png", client.get("/api/v1/images/cat.png").content)}
    image = client.post("/api/v1/images", files=files).json()["id"]
    events(client, image=image)
    sweeps = application.state.services.sweeps
    assert len(sweeps) == 1
    assert client.delete(f"/api/v1/images/{image}.png").status_code == 204
    assert not len(sweeps)
    assert client.get(PANEL, params=CAT | {"image": image}).status_code == 404


def test_while_another_long_job_of_the_same_person_runs_it_is_refused(
    client: TestClient, application: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PATIENCE", 0.1)
    client.get("/")
    owner = client.cookies["layerscope_owner"]
    engine = application.state.services.engine

    async def occupied() -> Any:
        held = engine.stream(owner, lambda: iter([1]))
        await anext(held)
        return held

    assert client.portal
    held = client.portal.call(occupied)
    # The panel itself can be looked at; its stream and its files have to wait.
    assert client.get(PANEL, params=CAT).status_code == 200
    for path in (f"{PANEL}/events", f"{PANEL}.csv"):
        answer = client.get(path, params=CAT)
        assert answer.status_code == 503 and "One long job of yours" in answer.json()["detail"]
    client.portal.call(held.aclose)
    assert events(client)[-1][0] == "done"


@pytest.fixture
def partial(tmp_path: Path) -> Iterator[TestClient]:
    stick = tmp_path / "stick"
    stick.mkdir()
    state = to_state_dict("squeezenet1_1", registry.seeded("squeezenet1_1"))
    part = {key: value for key, value in state.items() if not key.startswith("classifier")}
    save_file(part, stick / "squeezenet1_1-part.safetensors")
    app = create_app(Settings(data=tmp_path / "data", device="cpu", weights=stick))
    with TestClient(app, base_url=BASE) as client:
        yield client


def test_a_partial_network_conflicts(partial: TestClient) -> None:
    query = CAT | {"model": "own-squeezenet1_1-part"}
    for path in (PANEL, f"{PANEL}/events", f"{PANEL}.csv"):
        answer = partial.get(path, params=query)
        assert answer.status_code == 409 and "no classifier" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"image": "nothing"}, 404, "picture"),
        ({"model": "resnet"}, 404, "mini"),
        ({"model": "alexnet"}, 503, "weights get alexnet"),
        ({"method": "deepfool"}, 422, "method"),
        ({"target": "skool bus"}, 422, "school bus"),
        ({"seed": -1}, 422, "seed"),
    ],
)
def test_mistakes_have_a_status_and_a_sentence(
    client: TestClient, more: dict[str, Any], status: int, words: str
) -> None:
    for path in (PANEL, f"{PANEL}/events", f"{PANEL}.csv", f"{PANEL}.png"):
        answer = client.get(path, params=CAT | more)
        assert answer.status_code == status
        assert words in answer.json()["detail"]


def test_what_breaks_off_is_told_and_not_kept(
    client: TestClient, application: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any) -> Iterator[Any]:
        yield next(one for one in sweep(*arguments) if isinstance(one, SweepPoint))
        raise RuntimeError("the device is gone")

    monkeypatch.setattr(sweeps, "sweep", broken)
    told = events(client)
    assert [id for id, _ in told] == ["", "1", "", "done"]
    assert "Something went wrong" in told[2][1] and "device" not in told[2][1]
    monkeypatch.undo()
    assert "hx-sse:connect" in client.get(PANEL, params=CAT).text


def test_what_is_stopped_is_not_kept_and_leaves_its_place(
    client: TestClient, application: FastAPI
) -> None:
    client.get("/")
    services = application.state.services

    async def begun() -> Any:
        pair = await load_pair(services.catalogue, services.pictures, "mini", "cat", "cat")
        asked = sweeps.Sweep(pair, "fgsm")
        items = services.sweeps.run(services.engine, asked, client.cookies["layerscope_owner"])
        found = [await anext(items) for _ in range(3)]
        await items.aclose()
        return found, services.sweeps.finished(asked)

    assert client.portal
    found, kept = client.portal.call(begun)
    assert found[0] == 0 and [one.epsilon for one in found[1:]] == [0, 1]
    assert kept is None
    assert events(client)[-1][0] == "done"
