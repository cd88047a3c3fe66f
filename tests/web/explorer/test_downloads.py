"""Networks to choose from: the page's list, downloads, partial files, big networks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest
from safetensors.torch import save_file
from starlette.testclient import TestClient

from app.services.networks.downloads import Attempt
from app.services.networks.fetch import Received, fetch
from app.services.networks.partial_file import WantedFile
from app.services.networks.state_dict import to_state_dict
from app.settings import Settings
from app.web.app import create_app
from app.web.explorer import downloads
from app.web.explorer.network_menu import stage_step
from models import registry
from models.row import Weights
from tests.support.addresses import BASE, ELSEWHERE
from tests.support.misbehaving_server import MisbehavingServer, serving
from tests.support.networks import embedded, put_partial
from tests.support.waiting import wait_until

API = "/api/v1"
HTML = {"accept": "text/html"}
HTMX = {**HTML, "hx-request": "true"}
GET = "/networks/squeezenet1_1/download"


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """A folder of weights: mini without its classifier, a seeded SqueezeNet, a broken file."""
    folder = put_partial(tmp_path / "stick")
    whole = to_state_dict("squeezenet1_1", registry.seeded("squeezenet1_1"))
    save_file(whole, folder / "squeezenet1_1-seeded.safetensors")
    (folder / "alexnet-broken.safetensors").write_bytes(b"broken")
    return folder


@pytest.fixture
def with_stick(tmp_path: Path, stick: Path) -> Iterator[TestClient]:
    app = create_app(Settings(data=tmp_path / "data", device="cpu", weights=stick))
    with TestClient(app, base_url=BASE, follow_redirects=False) as client:
        yield client


def test_a_partial_network_shows_its_maps_and_names_nothing(with_stick: TestClient) -> None:
    models = {one["id"]: one for one in with_stick.get(f"{API}/models").json()}
    part = models["own-mini-part"]
    assert part["weights"] == {"state": "partial", "verified": False}
    assert (part["steps"][-1]["name"], part["classes"]) == ("conv5", 0)
    run = with_stick.get(f"{API}/runs/own-mini-part/coffee").raise_for_status().json()
    whole = with_stick.get(f"{API}/runs/mini/coffee").json()
    assert run["predictions"] == []
    assert [step["max"] for step in run["steps"]] == [step["max"] for step in whole["steps"][:11]]
    assert with_stick.get(f"{API}/models/own-mini-part/labels").json() == []
    page = with_stick.get("/?model=own-mini-part", headers=HTML).raise_for_status().text
    assert "This file has no classifier" in page
    assert 'id="card-softmax"' not in page
    stream = with_stick.get("/runs/own-mini-part/coffee/events").text
    assert stream.count('data-state="ready"') == 11
    assert "event: done" in stream
    for step in ("conv1", "conv5"):
        chosen = f"/?model=own-mini-part&step={step}&channel=3"
        assert with_stick.get(chosen, headers=HTML).status_code == 200


def test_a_file_that_is_replaced_is_computed_anew(with_stick: TestClient, stick: Path) -> None:
    address = f"{API}/runs/own-mini-part/coffee"
    before = [step["max"] for step in with_stick.get(address).json()["steps"]]
    address_of_page = "/?model=own-mini-part&image=coffee&step=conv1"
    page = with_stick.get(address_of_page, headers=HTML).text
    state = {key: 2 * value for key, value in embedded().state_dict().items() if "conv" in key}
    save_file(state, stick / "mini-part.safetensors")
    after = [step["max"] for step in with_stick.get(address).json()["steps"]]
    assert after[0] == pytest.approx(2 * before[0], rel=1e-5)
    assert after[-1] > 2 * before[-1]
    assert (
        with_stick.get("/?model=own-mini-part&image=coffee&step=conv1", headers=HTML).text != page
    )


def test_what_is_refused_is_told_and_nothing_else_suffers(with_stick: TestClient) -> None:
    page = with_stick.get("/", headers=HTML).text
    assert "alexnet-broken.safetensors" in page
    assert "It is not a safetensors file" in page
    assert with_stick.get(f"{API}/runs/own-alexnet-broken/coffee").status_code == 404


def test_weights_that_are_not_here_say_what_to_do(with_stick: TestClient) -> None:
    answer = with_stick.get(f"{API}/runs/vgg16/coffee")
    assert answer.status_code == 503
    assert "python -m app weights get vgg16" in answer.json()["detail"]
    assert with_stick.get(f"{API}/models/vgg16/labels").status_code == 200


def test_a_big_network_folds_its_stages_and_fetches_sheets_when_seen(
    with_stick: TestClient,
) -> None:
    base = "/?model=own-squeezenet1_1-seeded&image=coffee"
    assert 'class="stages folding"' in with_stick.get(base, headers=HTML).text
    events = with_stick.get("/runs/own-squeezenet1_1-seeded/coffee/events").text
    assert events.count("<image data-href=") > 300
    page = with_stick.get(f"{base}&step=fire4.expand1x1", headers=HTML).text
    assert page.count('class="peek"') == 5
    unfolded = [part for part in page.split("<details")[1:] if 'class="stage"' in part]
    opened = [part.split(">")[0] for part in unfolded]
    assert [" open" in one for one in opened] == [False, False, True, False, False, False]
    predictions = with_stick.get(f"{API}/runs/own-squeezenet1_1-seeded/coffee").json()
    assert len(predictions["predictions"]) == 5
    assert 'id="verdict"' in page and "The network is looking" not in page


def test_choosing_a_network_keeps_picture_and_stage(with_stick: TestClient) -> None:
    page = with_stick.get("/?model=mini&image=cat&step=conv3&channel=5", headers=HTML).text
    assert "/?model=own-squeezenet1_1-seeded&amp;image=cat&amp;step=fire4.squeeze" in page
    assert "/?model=own-mini-part&amp;image=cat&amp;step=conv3" in page


def test_a_step_becomes_its_like_where_a_network_comes_instead(with_stick: TestClient) -> None:
    asked = "/?model=own-squeezenet1_1-seeded&instead_of=mini&image=cat&step=relu2&scale=layer"
    answer = with_stick.get(asked, headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["location"] == (
        "/?model=own-squeezenet1_1-seeded&image=cat&step=fire2.squeeze_relu&scale=layer"
    )
    assert with_stick.get("/?model=mini&instead_of=none", headers=HTML).status_code == 404


@pytest.mark.parametrize(
    ("step", "other", "expected"),
    [
        ("pool2", "vgg16", "pool2"),
        ("conv3", "vgg16", "conv3_1"),
        ("relu4", "vgg19_bn", "relu4_1"),
        ("norm2_1", "vgg11_bn", "norm2_1"),
        ("fc6", "squeezenet1_0", "avgpool"),
        (None, "vgg16", None),
    ],
)
def test_a_step_has_its_like_in_another_network(
    client: TestClient, step: str | None, other: str, expected: str | None
) -> None:
    catalogue = client.app.state.services.catalogue  # type: ignore[attr-defined]
    base = "vgg13_bn" if step == "norm2_1" else "mini"
    assert stage_step(catalogue.model(base), step, catalogue.model(other)) == expected


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MisbehavingServer]:
    """Where downloads come from in these tests."""
    with serving(b"w" * 3_000_000) as made:
        digest = sha256(made.body).hexdigest()

        def slow(wanted: WantedFile, stop: threading.Event) -> Iterator[Received]:
            yield Received(1_000_000, 3_000_000, 500_000.0)
            wait_until(lambda: not made.stall or stop.is_set())
            yield from fetch(wanted, stop)

        def attempts(row: Weights, cache: Path) -> list[Attempt]:
            return [partial(slow, WantedFile(made.url, cache / row.file, None, digest))]

        monkeypatch.setattr(downloads, "attempts", attempts)
        yield made


def once_it_says(client: TestClient, words: str) -> str:
    """What the entry says as soon as the words stand in it."""
    text = ""

    def said() -> bool:
        nonlocal text
        text = client.get(GET, headers=HTMX).raise_for_status().text
        return words in text

    wait_until(said)
    return text


def test_a_download_is_started_looked_at_and_done(
    client: TestClient, server: MisbehavingServer
) -> None:
    assert "Download it (5 MB)" in client.get("/", headers=HTML).text
    server.stall = 1
    begun = client.post(GET, headers=HTMX).text
    assert 'data-state="running"' in begun
    assert 'hx-trigger="every' in begun
    half = once_it_says(client, "1 of 3 MB, 0.5 MB a second, 4 s left")
    assert '<progress max="100" value="33.3"' in half
    server.stall = None
    server.let.set()
    done = once_it_says(client, 'data-state="done"')
    assert "hx-trigger" not in done
    assert "SqueezeNet 1.1 is on this computer now" in done
    state = {one["id"]: one["weights"]["state"] for one in client.get(f"{API}/models").json()}
    assert (state["squeezenet1_1"], state["squeezenet1_0"]) == ("ready", "downloadable")


def test_a_download_is_stopped_and_taken_up_again(
    client: TestClient, server: MisbehavingServer
) -> None:
    server.stall = 1
    client.post(GET, headers=HTMX)
    once_it_says(client, "1 of 3 MB")
    stopped = client.post("/networks/squeezenet1_1/cancel", headers=HTMX).text
    assert "Stopped. The part that has arrived is kept." in stopped
    assert "Try again" in stopped
    server.stall = None
    server.let.set()
    client.post(GET, headers=HTMX)
    once_it_says(client, 'data-state="done"')


def test_what_goes_wrong_is_told_with_a_button_to_try_again(
    client: TestClient, server: MisbehavingServer
) -> None:
    server.status = 404
    client.post(GET, headers=HTMX)
    text = once_it_says(client, 'data-state="failed"')
    assert 'role="alert"' in text
    assert "404" in text
    assert "Try again" in text


def test_a_server_open_to_others_does_not_download_for_them(tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path, device="cpu"), beyond=True)
    with TestClient(app, base_url=BASE, follow_redirects=False, client=ELSEWHERE) as client:
        page = client.get("/", headers=HTML).text
        assert "Download it" not in page
        assert "<code>python -m app weights get alexnet</code>" in page
        for address in (GET, "/networks/squeezenet1_1/cancel"):
            assert client.post(address, headers=HTMX).status_code == 403


def test_a_foreign_page_cannot_start_one(client: TestClient) -> None:
    headers = {**HTMX, "sec-fetch-site": "cross-site"}
    assert client.post(GET, headers=headers).status_code == 403
    assert client.post("/networks/nonsense/download", headers=HTMX).status_code == 404


def test_memory_is_told_in_advance(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.explorer.network_menu.available_bytes", lambda: 800_000_000)
    page = client.get("/", headers=HTML).text
    assert "It needs about 1.1 GB of memory while it is loaded, and 0.8 GB are free" in page
    assert page.count("of memory while it is loaded") == 8  # the VGGs, not AlexNet
