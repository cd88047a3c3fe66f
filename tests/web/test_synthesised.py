"""What a unit responds to most: the panel, its stream, the wall, the API of channels."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import torch
from anyio.from_thread import BlockingPortal
from fastapi import FastAPI
from PIL import Image
from safetensors.torch import save_file
from starlette.testclient import TestClient

from app.errors import Busy, NotWritten
from app.services.calibration import calibration
from app.services.catalogue import Catalogue
from app.services.engine import LocalEngine
from app.services.synthesis.asked import Wanted
from app.services.synthesis.growth import Growths, Report
from app.services.synthesis.kept import Kept
from app.services.synthesis.shipped import shipped
from app.web import turns
from app.web.app import create_app
from app.web.contexts import helped
from app.web.settings import Settings
from app.web.synthesis import contexts
from app.web.synthesis.spelling import from_link, in_link
from tests.services.networks import embedded
from tests.web.test_stream import parse

API = "/api/v1/models/mini/steps"
UNIT = "model=mini&image=coffee&step=conv5&channel=3"
FEW = f"{UNIT}&steps=20&seed=7"
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://localhost:8000/?step=conv5&channel=3&y=2"}
HTML = {"Accept": "text/html"}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.0)


def pixels(client: TestClient, url: str) -> np.ndarray:
    answer = client.get(unescape(url))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def picture_of(text: str) -> str:
    found = re.search(r'<img src="([^"]+synthesised\.png[^"]+)"', text)
    assert found, text
    return unescape(found[1])


def test_every_field_of_a_context_says_what_it_is() -> None:
    for name in dir(contexts):
        kind = getattr(contexts, name)
        for spec in getattr(kind, "__dataclass_fields__", {}).values():
            assert spec.metadata["help"].endswith("."), (kind, spec.name)
    assert helped("x")


def test_what_ships_is_shown_at_once_beside_the_numbers_of_other_pictures(
    client: TestClient,
) -> None:
    text = client.get(f"/panels/synthesised?{UNIT}").text
    assert 'data-state="made"' in text and "It ships with the weights" in text
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


def test_it_grows_in_order_ends_finished_and_is_there_for_everyone(
    client: TestClient, other: TestClient
) -> None:
    stage = client.get(f"/synthesis/stage?{FEW}", headers=HTMX)
    assert stage.headers["hx-replace-url"].startswith("/?")
    query = parse_qs(urlsplit(stage.headers["hx-replace-url"]).query)
    assert query["made"] == ["steps20-seed7-size64"] and query["y"] == ["2"]
    events = unescape(re.search(r'hx-sse:connect="([^"]+)"', stage.text)[1])  # type: ignore[index]
    answer = client.get(events)
    assert "base64" not in answer.text
    queued, *steps, last, done = parse(answer.text)
    assert 'data-place="0"' in queued["data"] and done["event"] == "done"
    ids = [int(event["id"]) for event in (*steps, last)]
    assert ids == sorted(set(ids)) and {0, 16, 20} <= set(ids) and ids[-1] == 20
    early = next(event for event in steps if event["id"] == "16")
    assert 'name="steps" value="16"' in early["data"]
    assert pixels(client, picture_of(early["data"])).shape == (64, 64, 3)
    assert '<hx-partial hx-target="#synthesis-stage"' in last["data"]
    assert 'class="line"' in last["data"] and 'data-state="made"' in last["data"]
    # Somebody else has it at once, and after a new start of the server.
    again = other.get(f"/panels/synthesised?{UNIT}&made=steps20-seed7-size64").text
    assert 'data-state="made"' in again and "hx-sse" not in again
    assert (pixels(other, picture_of(again)) == pixels(client, picture_of(last["data"]))).all()


def test_a_page_that_comes_back_is_sent_the_later_steps(client: TestClient) -> None:
    url = f"/synthesis/events?{UNIT}&steps=36&seed=9"
    events = parse(client.get(url, headers={"Last-Event-ID": "16"}).text)
    assert [event["id"] for event in events if "id" in event][0] != "0"
    assert all(int(event["id"]) > 16 for event in events if "id" in event)


def test_stopped_it_keeps_what_was_reached_and_the_engine_is_free(
    client: TestClient, application: FastAPI
) -> None:
    stage = client.get(f"/synthesis/stage?{UNIT}&steps=2000&seed=3", headers=HTMX).text
    stop = unescape(re.search(r'hx-get="([^"]+)" hx-include', stage)[1])  # type: ignore[index]
    growths: Growths = application.state.services.studio.growths
    url = f"{API}/conv5/channels/3/synthesised/events?steps=2000&seed=3"
    seen = follow_until(client, application, url, 32)
    assert seen >= 32
    until_idle(client, application)
    assert len(growths) == 0
    stopped = client.get(f"{stop}&steps=32", headers=HTMX)
    assert 'data-state="made"' in stopped.text and "autofocus" in stopped.text
    assert "in 32 steps" in stopped.text
    query = parse_qs(urlsplit(stopped.headers["hx-replace-url"]).query)
    assert query["made"] == ["steps32-seed3-size64"]
    kept = list(Path(application.state.services.settings.data).glob("synthesised/kept/*.png"))
    assert len(kept) == 1
    never = client.get(f"{stop}&steps=0&seed=4", headers=HTMX)
    assert 'data-state="none"' in never.text and "hx-replace-url" not in never.headers


def follow_until(client: TestClient, application: FastAPI, url: str, step: int) -> int:
    """Listen to a stream in the app's own loop until a step has come, then leave."""
    portal = client.portal
    assert isinstance(portal, BlockingPortal)
    services = application.state.services

    async def listen() -> int:
        query = {k: v[0] for k, v in parse_qs(urlsplit(url).query).items()}
        model = services.catalogue.model("mini")
        wanted = Wanted(int(query["steps"]), int(query["seed"]))
        asked = services.studio.asked(model, "conv5", 3, wanted)
        network = await services.catalogue.network("mini")
        items = services.studio.stream("somebody", asked, network)
        try:
            async for item in items:
                if not isinstance(item, int) and item.step >= step:
                    return int(item.step)
        finally:
            await items.aclose()
        return -1

    return portal.call(listen)


def until_idle(client: TestClient, application: FastAPI) -> None:
    """Wait until nothing runs in the compute thread."""
    engine: LocalEngine = application.state.services.engine

    async def wait() -> None:
        async with asyncio.timeout(10):
            while not engine.idle or engine._jobs or len(application.state.services.studio.growths):
                await asyncio.sleep(0.002)

    assert client.portal is not None
    client.portal.call(wait)


def test_a_second_long_job_of_one_person_is_refused_in_words(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object) -> AsyncIterator[object]:
        raise Busy("One long job of yours is running already. Stop it, or wait for it.")
        yield

    monkeypatch.setattr(LocalEngine, "stream", busy)
    for url in (f"/synthesis/events?{FEW}", f"{API}/conv5/channels/3/synthesised/events?steps=20"):
        answer = client.get(url)
        assert answer.status_code == 503 and "One long job of yours" in answer.text


def test_one_s_last_is_waited_for_before_the_next_begins(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 10.0)
    real, refused = LocalEngine.stream, 0

    async def first_busy(
        self: LocalEngine, owner: str, make: Callable[[], Iterator[Report]]
    ) -> AsyncIterator[int | Report]:
        nonlocal refused
        if refused < 2:
            refused += 1
            raise Busy("One long job of yours is running already.")
        async for item in real(self, owner, make):
            yield item

    monkeypatch.setattr(LocalEngine, "stream", first_busy)
    events = parse(client.get(f"/synthesis/events?{FEW}").text)
    assert refused == 2 and 'data-state="made"' in events[-2]["data"]


def test_a_full_disk_is_told_and_the_picture_shown(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise NotWritten("The picture is here but could not be kept: save it yourself.")

    monkeypatch.setattr(Kept, "put", full)
    *_, last, done = parse(client.get(f"/synthesis/events?{FEW}").text)
    assert "could not be kept" in last["data"]
    assert pixels(client, picture_of(last["data"])).shape == (64, 64, 3)


def test_what_breaks_in_mid_stream_is_told_in_words(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Iterator[object]:
        yield from ()
        raise RuntimeError("secret detail")

    monkeypatch.setattr(Growths, "follow", broken)
    for url in (f"/synthesis/events?{FEW}", f"{API}/conv5/channels/3/synthesised/events?steps=20"):
        *_, error, done = parse(client.get(url).text)
        assert "Something went wrong on the server" in error["data"]
        assert "secret" not in error["data"] and done["event"] == "done"


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
        Wanted(20, 7, 64),
        Wanted(0, 0, 96, away=True),
        Wanted(512, 9, 128, 17, 30, True),
    ):
        asked = services.studio.asked(model, "conv5", 3, wanted)
        assert from_link(in_link(asked)) == wanted
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


def test_the_api_tells_what_a_channel_responds_to(client: TestClient) -> None:
    info = client.get(f"{API}/conv5/channels/17").json()
    made = info["synthesised"]
    assert (info["model"], info["step"], info["channel"], info["label"]) == (
        "mini",
        "conv5",
        17,
        None,
    )
    assert made["state"] == "shipped" and made["measured_at"] == "conv5" and made["objective"] > 1
    assert len(info["prefers"]) == 5 and set(info["prefers"][0]) == {"index", "class", "value"}
    values = [one["value"] for one in info["prefers"]]
    assert values == sorted(values, reverse=True)
    told = info["statistics"]
    assert told["lowest"] <= told["mean"] <= told["highest"] == pytest.approx(values[0])
    assert info["receptive_field"] > 50 and info["kernel"] is None
    strengths = [one["value"] for one in info["crops"]]
    assert len(strengths) == 9 and strengths == sorted(strengths, reverse=True)
    assert client.get(info["crops"][0]["url"]).headers["content-type"] == "image/webp"
    answer = client.get(made["url"])
    assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
    bare = client.get(f"{API}/conv5/channels/17/synthesised.png")
    assert bare.content == answer.content and "no-cache" in bare.headers["cache-control"]
    first = client.get(f"{API}/conv1/channels/5").json()
    assert client.get(first["kernel"]).status_code == 200
    espresso = client.get(f"{API}/softmax/channels/97").json()
    assert espresso["label"] == "espresso" and espresso["prefers"] == []
    assert espresso["synthesised"]["state"] == "shipped"
    assert client.get(f"{API}/fc6/channels/3").json()["synthesised"] | {
        "url": "",
        "events": "",
    } == {
        "url": "",
        "events": "",
        "state": "none",
        "steps": 512,
        "seed": 0,
        "size": 64,
        "measured_at": "fc6",
        "objective": None,
    }


def test_the_api_streams_json_and_then_has_the_picture(client: TestClient) -> None:
    query = "?steps=20&seed=7&away=true"
    missing = client.get(f"{API}/conv2/channels/3/synthesised.png{query}")
    assert missing.status_code == 404 and "not made yet" in missing.json()["detail"]
    events = parse(client.get(f"{API}/conv2/channels/3/synthesised/events{query}").text)
    items = [json.loads(event["data"]) for event in events[:-1]]
    assert [item["step"] for item in items] == [0, 16, 20]
    assert items[-1]["objective"] > items[0]["objective"] and events[-1]["event"] == "done"
    assert client.get(items[1]["picture"]).status_code == 200
    assert client.get(f"{API}/conv2/channels/3/synthesised.png{query}").status_code == 200
    info = client.get(f"{API}/conv2/channels/3{query}").json()["synthesised"]
    assert info["state"] == "cached" and info["objective"] == items[-1]["objective"]


REFUSED_BY_THE_API = [
    ("/api/v1/models/nothing/steps/conv5/channels/3", 404, "no network called"),
    (f"{API}/conv9/channels/3", 404, "no step"),
    (f"{API}/conv5/channels/192", 404, "channels 0 to 191"),
    (f"{API}/softmax/channels/100", 404, "channels 0 to 99"),
    (f"{API}/flatten/channels/3", 404, "ask for pool5"),
    (f"{API}/conv5/channels/-1", 422, "channel"),
    (f"{API}/fc6/synthesised.jpg", 404, "no synthesised pictures of all of fc6"),
    ("/api/v1/models/alexnet/steps/conv5/channels/3/synthesised.png", 404, "not made yet"),
    (
        "/api/v1/models/alexnet/steps/conv5/channels/3/synthesised/events",
        503,
        "python -m app weights get alexnet",
    ),
]


def test_the_api_refuses_in_words(client: TestClient) -> None:
    for path, status, words in REFUSED_BY_THE_API:
        answer = client.get(path)
        assert (path, answer.status_code) == (path, status)
        assert words in answer.json()["detail"]


def test_the_stream_and_the_answers_are_documented_with_examples(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    at = "/api/v1/models/{model}/steps/{step}/channels/{channel}"
    assert {at, f"{at}/synthesised.png", f"{at}/synthesised/events"} <= set(paths)
    content = paths[f"{at}/synthesised/events"]["get"]["responses"]["200"]["content"]
    example = content["text/event-stream"]["example"]
    assert "event: done" in example and '"picture_step"' in example


def test_a_partial_network_has_pictures_and_no_classes(tmp_path: Path, stick: Path) -> None:
    settings = Settings(data=tmp_path, device="cpu", weights=stick)
    with TestClient(create_app(settings), base_url="http://localhost:8000") as client:
        unit = "model=own-mini-part&image=coffee&step=conv5&channel=3"
        text = client.get(f"/panels/synthesised?{unit}").text
        assert 'data-state="none"' in text
        events = parse(client.get(f"/synthesis/events?{unit}&steps=3").text)
        assert 'data-state="made"' in events[-2]["data"]
        info = client.get("/api/v1/models/own-mini-part/steps/conv5/channels/3").json()
        assert info["prefers"] == [] and info["statistics"] is None
        assert client.get("/?model=own-mini-part&step=conv5&channel=3").status_code == 200


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """Mini without its classifier, as a file of somebody's own."""
    folder = tmp_path / "stick"
    folder.mkdir()
    state = embedded().state_dict()
    part = {key: value for key, value in state.items() if not key.startswith("fc")}
    save_file(part, folder / "mini-part.safetensors")
    return folder
