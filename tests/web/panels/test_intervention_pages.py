"""Cover and cut as pages: without scripts, beside others' work, refusals in words."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from app.errors import Busy
from app.services.pictures.mask import Mask
from app.settings import Settings
from app.web.app import create_app
from tests.support.addresses import BASE
from tests.support.intervention_pages import HTML, HX, MASK, RUN, UNIT, array, hidden
from tests.support.networks import put_partial


def test_without_scripts_a_ticked_grid_becomes_a_link(client: TestClient) -> None:
    page = client.get(f"/cut/cover?{UNIT}&step=conv3&channel=26", headers=HTML)
    assert page.text.count('type="checkbox" name="cell"') == 256
    assert "<script" not in page.text.split("</head>")[1]
    sent = client.get(f"/cut/cover?{UNIT}&step=conv3&channel=26&cell=0&cell=17&how=blur")
    assert sent.status_code == 303
    assert str(Mask.of([0, 17])) in sent.headers["location"]
    shown = client.get(sent.headers["location"], headers=HTML).text
    assert len(re.findall(r'name="cell" value="(?:0|17)"[^>]*checked', shown)) == 2
    assert "0.8\u00a0% of the picture is covered with blur" in shown
    cut = client.get(f"/cut/ablation?{UNIT}&step=conv3&channel=26&c=3&c=17&mode=only")
    assert cut.status_code == 303 and "only=3,17" in cut.headers["location"]
    shown = client.get(cut.headers["location"], headers=HTML).text
    assert "only 3, 17 are on; 286 off" in shown
    whole = client.get(
        f"/cut/occlusion?{UNIT}&step=conv5&channel=8&patch=32&stride=32&start=true", headers=HTML
    ).text
    assert 'data-state="done"' in whole and "hx-sse" not in whole
    ranks = client.get(f"/cut/ablation/ranking?{UNIT}&step=conv5&start=true", headers=HTML).text
    assert "data-rank=" in ranks


def test_the_covered_picture_becomes_one_s_own_and_gives_the_same_answer(
    client: TestClient,
) -> None:
    text = client.get(f"/cut/cover?{UNIT}&step=conv3&channel=26&cover={MASK}", headers=HX).text
    form = re.search(r'<form action="/cut/cover" method="post".*?</form>', text, re.S)
    assert form
    sent = client.post("/cut/cover", data=hidden(form[0]))
    assert sent.status_code == 303
    image = re.search(r"image=(\w+)", sent.headers["location"])
    assert image and "step=conv3&channel=26" in sent.headers["location"]
    own = client.get(f"/api/v1/runs/mini/{image[1]}").json()["predictions"]
    told = client.get(f"{RUN}/cover?mask={MASK}").json()["after"]
    assert [one["index"] for one in own] == [one["index"] for one in told]
    for one, other in zip(own, told, strict=True):
        assert one["logit"] == pytest.approx(other["logit"], abs=1e-4)
    with Image.open(io.BytesIO(client.get(f"{RUN}/cover.png?mask={MASK}").content)) as mine:
        kept = client.get(f"/api/v1/images/{image[1]}.png")
        with Image.open(io.BytesIO(kept.content)) as stored:
            assert np.array_equal(np.asarray(mine), np.asarray(stored))


def test_panels_stand_where_they_apply(client: TestClient) -> None:
    client.get(f"{RUN}")
    for query, expected in [
        ("step=conv3&channel=26", {"cover", "occlusion", "ablation"}),
        ("step=conv3", {"cover", "occlusion", "ablation"}),
        ("step=softmax&channel=97", {"cover", "occlusion"}),
        ("step=fc7&channel=97", {"cover", "occlusion"}),
        ("step=flatten&channel=5", set()),
    ]:
        text = client.get(f"/?{UNIT}&{query}", headers=HTML).text
        assert set(re.findall(r'hx-get="/cut/(\w+)\?', text)) == expected, query


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        (f"cut/cover?{UNIT}&step=conv3&cover=123", 422, "hexadecimal"),
        (f"cut/cover?{UNIT}&step=conv3&cell=256", 422, "cells 0 to 255"),
        (f"cut/cover?{UNIT}&step=conv3&how=paint", 422, "grey"),
        (f"cut/cover?{UNIT}&step=conv9", 404, "conv9"),
        (f"cut/cover?{UNIT}&step=conv3&channel=999", 404, "channels 0 to 287"),
        (f"cut/cover?{UNIT}&step=conv3&class=unicorn", 422, "unicorn"),
        ("cut/cover?model=mini&image=nobody&step=conv3", 404, "not here"),
        ("cut/cover?model=vast&image=coffee&step=conv3", 404, "vast"),
        (f"cut/occlusion?{UNIT}&step=conv3&patch=65", 422, "1 to 64 pixels"),
        (f"cut/occlusion?{UNIT}&step=conv3&patch=0", 422, "1 to 64 pixels"),
        (f"cut/occlusion?{UNIT}&step=conv3&stride=0", 422, "moves by"),
        (f"cut/occlusion/events?{UNIT}&step=conv3&patch=65", 422, "1 to 64 pixels"),
        (f"cut/ablation?{UNIT}&step=conv3&off=3,x", 422, "numbers with commas"),
        (f"cut/ablation?{UNIT}&step=conv3&off=384", 404, "channels 0 to 287"),
        (f"cut/ablation?{UNIT}&step=conv3&off=1&only=2", 422, "not both"),
        (f"cut/ablation?{UNIT}&step=softmax", 404, "earlier step"),
        (f"cut/ablation/events?{UNIT}&step=fc7", 404, "earlier step"),
        ("api/v1/runs/mini/coffee/steps/fc6/cover.npy", 404, "no maps"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    client: TestClient, query: str, status: int, words: str
) -> None:
    answer = client.get(f"/{query}")
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text


def test_a_patch_may_not_take_too_many_places(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.interventions.occlusion.MOST_PLACES", 195)
    answer = client.get(f"{RUN}/steps/conv3/occlusion")
    assert answer.status_code == 422
    assert "196 places" in answer.json()["detail"] and "at most 195" in answer.json()["detail"]


@pytest.fixture
def partial(tmp_path: Path) -> Iterator[TestClient]:
    """Mini without its classifier, as somebody's own file."""
    folder = put_partial(tmp_path / "stick")
    app = create_app(Settings(data=tmp_path / "data", device="cpu", weights=folder))
    with TestClient(app, base_url=BASE, follow_redirects=False) as made:
        yield made


def test_a_network_without_classes_shows_its_maps_and_says_why_no_class(
    partial: TestClient,
) -> None:
    unit = "model=own-mini-part&image=coffee&step=conv3&channel=26"
    covered = partial.get(f"/cut/cover?{unit}&cover={MASK}", headers=HX).text
    assert "no classifier" in covered and 'class="triple"' in covered
    at = "/api/v1/runs/own-mini-part/coffee"
    maps = array(partial, f"{at}/steps/conv3/cover.npy?channel=26&mask={MASK}")
    assert maps[2].any()
    told = partial.get(f"{at}/cover?mask={MASK}").json()
    assert told["before"] == told["after"] == [] and told["asked"] is None
    cut = partial.get(f"/cut/ablation?{unit}&off=26", headers=HX).text
    assert "What changes most in" in cut and "no classifier" in cut
    assert partial.get(f"{at}/steps/conv3/ablation?off=26").json()["moved"] > 0
    slid = partial.get(f"/cut/occlusion?{unit}&patch=32&stride=32&start=true", headers=HTML).text
    assert 'data-state="done"' in slid and 'name="of"' not in slid
    for refused in (
        f"{at}/steps/conv3/occlusion?of=class",
        f"{at}/steps/conv3/ablation/ranking",
        f"{at}/cover?class=espresso",
        f"/cut/ablation/events?{unit}",
    ):
        answer = partial.get(refused)
        assert (answer.status_code, "classifier" in answer.json()["detail"]) == (409, True)


def test_a_second_long_job_of_the_same_person_is_told_to_wait(
    client: TestClient, application: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: Any, **__: Any) -> Any:
        raise Busy("One long job of yours is running already. Stop it, or wait for it.")
        yield

    monkeypatch.setattr("app.web.core.streams.PATIENCE", 0.0)
    monkeypatch.setattr(application.state.services.engine, "stream", busy)
    for path in ("occlusion", "ablation"):
        answer = client.get(f"/cut/{path}/events?{UNIT}&step=conv5")
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert "running already" in answer.json()["detail"]


def test_a_deleted_picture_takes_everything_with_it(
    client: TestClient, application: FastAPI
) -> None:
    data = io.BytesIO()
    Image.effect_noise((64, 64), 60).convert("RGB").save(data, "PNG")
    image = client.post("/api/v1/images", files={"file": data.getvalue()}).json()["id"]
    at = f"/api/v1/runs/mini/{image}"
    client.get(f"{at}/cover?mask={MASK}")
    client.get(f"{at}/steps/conv5/occlusion?patch=32&stride=32")
    client.get(f"{at}/steps/conv5/ablation/ranking")
    cuts = application.state.services.cuts
    assert all(len(kept) == 1 for kept in (cuts.brush_results, cuts.occlusions, cuts.rankings))
    client.delete(f"/api/v1/images/{image}.png")
    assert all(len(kept) == 0 for kept in (cuts.brush_results, cuts.occlusions, cuts.rankings))
    gone = client.get(f"/cut/cover?model=mini&image={image}&step=conv3")
    assert gone.status_code == 404


def test_the_documentation_has_examples(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    ours = [path for path in paths if "/cover" in path or "occlusion" in path or "ablation" in path]
    assert len(ours) == 12
    for path in ours:
        assert paths[path]["get"]["summary"] and paths[path]["get"]["description"]
