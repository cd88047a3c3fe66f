"""A panel of one's own: one function, one file, one partial and one line show it in the page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import numpy as np
import pytest
import torch
from jinja2 import ChoiceLoader, DictLoader, FileSystemLoader
from starlette.testclient import TestClient
from torch import Tensor

from app.services.runs.pairs import PicturePair
from app.services.runs.run import Run, StepRecord
from app.settings import Settings
from app.web.app import create_app
from app.web.attack.panels import attack_panels
from app.web.core.links import View
from app.web.core.templating import TEMPLATES, environment
from app.web.panel_registry import PANELS
from app.web.panels.panel import AttackPanel, UnitPanel, of_units
from app.web.panels.unit_panels import unit_panels
from app.web.parts.contexts import helped
from tests.support.addresses import BASE

HTMX = {"HX-Request": "true"}
HTML = {"Accept": "text/html"}
UNIT = "model=mini&image=cat&step=relu2&channel=5"


# The function, which would be in app/vision/.
def share_of_zeros(values: Tensor) -> float:
    """The share of values that are zero, 0..1."""
    return (values == 0).double().mean().item()


# The file, which would be in app/web/panels/.
@dataclass(frozen=True, slots=True)
class ZerosPanel:
    """How much of a map is silent."""

    share: float = helped("The share of its values that are zero, 0..1.")


def zeros(view: View, run: Run, record: StepRecord) -> ZerosPanel:
    return ZerosPanel(share_of_zeros(run.tensor(record.step.name)[view.channel or 0]))


ZEROS = UnitPanel(
    "zeros",
    "How much of it is silent",
    of_units(lambda model, step: step.kind == "relu"),
    "partials/_zeros.html",
    zeros,
)


def untouched(pair: PicturePair) -> ZerosPanel:
    return ZerosPanel(share_of_zeros(pair.clean - pair.attacked))


UNTOUCHED = AttackPanel(
    "untouched", "What it left alone", "How many values?", "partials/_zeros.html", untouched
)

# The partial.
PARTIAL = '<p class="zeros">{{ panel.share|percent }} is zero.</p>'


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    own = DictLoader({"partials/_zeros.html": PARTIAL})
    theirs = FileSystemLoader(TEMPLATES)
    monkeypatch.setattr(environment(), "loader", ChoiceLoader([own, theirs]))
    # The line, which would be in app/web/panel_registry.py.
    app = create_app(Settings(data=tmp_path, device="cpu"), panels=(*PANELS, ZEROS, UNTOUCHED))
    with TestClient(app, base_url=BASE, follow_redirects=False) as made:
        yield made


def link(text: str, title: str) -> str:
    """The URL that a folded panel of this title fetches."""
    found = re.search(rf'hx-get="([^"]+)"[^>]*>\s*<summary>\s*(?:<h2>)?{title}<', text)
    assert found, title
    return unescape(found[1])


def test_a_new_panel_is_folded_under_the_units_it_applies_to(client: TestClient) -> None:
    page = client.get(f"/?{UNIT}", headers=HTML).text
    url = link(page, "How much of it is silent")
    assert url == f"/panels/zeros?{UNIT}"
    array = np.load(io.BytesIO(client.get("/api/v1/runs/mini/cat/steps/relu2.npy").content))
    wanted = f"{100 * share_of_zeros(torch.from_numpy(array[5])):.1f}"
    assert wanted in client.get(url, headers=HTMX).text
    elsewhere = client.get("/?model=mini&image=cat&step=conv2&channel=5", headers=HTML).text
    assert "How much of it is silent" not in elsewhere
    refused = client.get("/panels/zeros?model=mini&image=cat&step=conv2&channel=5")
    assert refused.status_code == 404 and "has nothing to show" in refused.json()["detail"]


def test_a_new_panel_is_folded_under_an_attack(client: TestClient) -> None:
    page = client.get("/attack?image=cat&method=few_pixel&epsilon=5&run=1&plain=1", headers=HTML)
    url = link(page.text, "What it left alone")
    assert url.startswith("/attack/untouched?model=mini&image=cat&attacked=")
    part = client.get(url, headers=HTMX).text
    share = float(re.findall(r"([\d.]+) % is zero", part.replace("\u00a0", " "))[0])
    assert 99 < share < 100  # five of 4,096 pixels
    alone = client.get(url, headers=HTML).text
    assert "<h1" in alone and "What it left alone" in alone and "is zero" in alone


def test_other_apps_do_not_have_it(client: TestClient, tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path / "other", device="cpu"))
    with TestClient(app, base_url=BASE) as plain:
        assert plain.get(f"/panels/zeros?{UNIT}").status_code == 404


@pytest.mark.parametrize("path", ["/panels/nothing", "/attack/nothing", "/panels/cover"])
def test_an_unknown_panel_is_said_to_be_unknown(client: TestClient, path: str) -> None:
    answer = client.get(f"{path}?{UNIT}&attacked=cat")
    assert answer.status_code == 404 and "no such panel" in answer.json()["detail"]


def test_every_panel_has_an_id_of_its_own_and_something_to_show() -> None:
    for some in (unit_panels(PANELS), attack_panels(PANELS)):
        assert len({one.id for one in some}) == len(some)
    for one in PANELS:
        path = isinstance(one, UnitPanel) and one.path
        assert bool(one.build) is not bool(one.router or path), one.id
        assert not one.build or (TEMPLATES / one.template).is_file(), one.template
