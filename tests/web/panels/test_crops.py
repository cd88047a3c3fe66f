"""The crops of a unit: built-in pictures, an operator's folder, and uploads where that is on."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from app.services.atlas.atlas import write_atlas
from app.services.networks.catalogue import Catalogue
from app.services.runs.peaks import Peaks, peaks_of_run
from app.services.runs.run import Run
from app.settings import Settings
from app.web.app import create_app
from app.web.parts.crop_query import best_crops
from tests.support.addresses import BASE
from tests.support.atlases import atlas
from tests.support.engines import CPU
from tests.support.picture_files import blurred_noise
from tests.support.surveys import put_survey
from tests.support.waiting import HANG

PANEL = "/crops/panel?model=mini&image=coffee&step=conv1&channel=3"


@pytest.fixture(autouse=True)
def measured(tmp_path: Path) -> None:
    """The built-in pictures have gone through mini before."""
    put_survey(tmp_path)


def inside(client: TestClient | Browser, url: str = PANEL) -> str:
    """The panel."""
    answer = client.get(url)
    assert answer.status_code == 200
    return unescape(answer.text)


def test_while_built_in_pictures_go_through_it_says_how_far_they_are(
    client: TestClient, tmp_path: Path
) -> None:
    url = PANEL.replace("mini", "mini-random")
    text = inside(client, url)
    if "Look again" in text:
        assert 'hx-trigger="load delay:700ms"' in text
        # The file behind it waits for them.
        assert client.get("/crops/mini-random/samples/conv1/0.csv").status_code == 200
    assert "The strongest of the 21" in inside(client, url)


def links(text: str, attribute: str = "href") -> list[str]:
    return re.findall(rf'<(?:a|img)[^>]* {attribute}="([^"]+)"', text)


def uploaded(client: TestClient | Browser, seed: int) -> str:
    """An upload of one's own that has gone through mini."""
    answer = client.post(
        "/api/v1/images", files={"file": ("a.png", blurred_noise(seed), "image/png")}
    )
    image: str = answer.json()["id"]
    assert client.get(f"/api/v1/runs/mini/{image}").status_code == 200
    return image


@pytest.fixture
def sharing(tmp_path: Path) -> FastAPI:
    return create_app(Settings(data=tmp_path, device="cpu", crops_of_uploads=True))


@pytest.fixture
def sharer(sharing: FastAPI) -> Iterator[TestClient]:
    with TestClient(sharing, base_url=BASE, follow_redirects=False) as made:
        yield made


class Browser:
    """One of several browsers over one client: their runs meet in one event loop."""

    def __init__(self, client: TestClient, token: str) -> None:
        self._client, self._token = client, token * 24

    def __getattr__(self, method: str) -> Any:
        self._client.cookies.clear()
        self._client.cookies.set("layerscope_owner", self._token)
        return getattr(self._client, method)


@pytest.fixture
def pupil(sharer: TestClient) -> Browser:
    """Who brings a picture."""
    return Browser(sharer, "a")


@pytest.fixture
def classmate(sharer: TestClient) -> Browser:
    """Somebody else on the same server."""
    return Browser(sharer, "b")


def test_nine_crops_of_built_in_pictures_are_there_out_of_the_box(client: TestClient) -> None:
    text = inside(client)
    assert "The strongest of the 21 built-in pictures" in text
    found = [url for url in links(text, "src") if url.split("?")[0].endswith(".webp")]
    assert len(set(found)) == 9
    crop = client.get(found[0])
    assert crop.headers["content-type"] == "image/webp"
    assert "immutable" in crop.headers["cache-control"]
    assert Image.open(BytesIO(crop.content)).size == (7, 7)


def test_a_crop_leads_to_its_picture_step_channel_and_cell(client: TestClient) -> None:
    text = inside(client)
    url = next(one for one in links(text) if one.startswith("/?"))
    match = re.fullmatch(r"/\?model=mini&image=([\w-]+)&step=conv1&channel=3&y=(\d+)&x=(\d+)", url)
    assert match
    value = float(re.findall(r'class="value">([\d.]+)<', text)[0])
    told = client.get(
        f"/api/v1/runs/mini/{match[1]}/steps/conv1/explain?channel=3&y={match[2]}&x={match[3]}"
    ).json()
    assert told["value"] == pytest.approx(value, rel=0.01)


def test_each_crop_has_its_projection(client: TestClient) -> None:
    text = inside(client)
    found = [url for url in links(text, "src") if "projection" in url]
    assert len(found) == 9
    picture = Image.open(BytesIO(client.get(found[0]).content))
    assert picture.size == (7, 7)
    values = picture.convert("L").tobytes()
    assert max(values) - min(values) > 50


def test_the_crops_are_a_table_and_a_picture(client: TestClient) -> None:
    inside(client)
    lines = client.get("/crops/mini/samples/conv3/5.csv").text.splitlines()
    assert lines[0].endswith("rank,value,picture,row,column,left,top,right,bottom")
    assert len(lines) == 10
    png = client.get("/crops/mini/samples/conv3/5.png")
    assert Image.open(BytesIO(png.content)).width > 300


def test_without_a_folder_it_says_how_to_search_one(client: TestClient) -> None:
    assert "python -m app atlas build --model mini --images <folder>" in inside(client)


@pytest.mark.parametrize(
    "url",
    [
        "/crops/mini/samples/conv1/3/99.webp",
        "/crops/mini/samples/conv1/64.csv",
        "/crops/mini/samples/relu1/3/0.webp",
        "/crops/mini/samples/nothing/3.csv",
        "/crops/mini/uploads/conv1/3.csv",
        "/crops/mini/elsewhere/conv1/3/0.webp",
        "/crops/mini/..%2Fx/conv1/3/0.webp",
        "/crops/nothing/samples/conv1/3/0.webp",
    ],
)
def test_what_is_not_there_is_not_found(client: TestClient, url: str) -> None:
    inside(client)
    assert client.get(url).status_code == 404


def test_a_step_that_sees_everything_has_no_panel(client: TestClient) -> None:
    assert client.get(PANEL.replace("conv1", "fc6")).status_code == 404
    page = client.get("/?step=fc6&channel=3").text
    assert "/crops/panel" not in page
    assert "/crops/panel" in client.get("/?step=relu2&channel=3").text


def test_a_built_in_picture_has_no_page_of_its_own_here(client: TestClient) -> None:
    text = inside(client)
    url = next(u for u in links(text, "src") if ".webp" in u).split(".webp")[0]
    assert client.get(url).status_code == 404


def test_a_program_is_told_the_crops_with_their_classes(
    client: TestClient, application: FastAPI
) -> None:
    services = application.state.services
    model = services.catalogue.model("mini")
    assert client.portal
    found = client.portal.call(best_crops, services, model, "relu1", 3)
    assert len(found) == 9
    assert [value for _, value, _ in found] == sorted((v for _, v, _ in found), reverse=True)
    assert all(client.get(url).headers["content-type"] == "image/webp" for url, _, _ in found)
    assert {"espresso", None} & {label for _, _, label in found}
    assert client.portal.call(best_crops, services, model, "fc6", 3) == []


class TestAFolder:
    @pytest.fixture
    def photos(self, tmp_path: Path) -> Path:
        folder = tmp_path / "photos"
        folder.mkdir()
        Image.new("RGB", (70, 70), "red").save(folder / "1.png")
        return folder

    @pytest.fixture
    def searched(self, client: TestClient, photos: Path, tmp_path: Path) -> TestClient:
        model = Catalogue(CPU, 1).model("mini")
        made = atlas(model, photos, {"3": "1.png", "8": "gone.png"})
        write_atlas(tmp_path / "atlas" / "photos" / "mini.atlas", made)
        return client

    def test_its_crops_and_classes_come_first(self, searched: TestClient) -> None:
        text = unescape(searched.get(PANEL).text)
        assert "The strongest of 10 pictures in “photos”" in text
        assert "Built-in pictures" in text
        assert "espresso" in text
        url = next(url for url in links(text, "src") if url.endswith(".webp"))
        assert searched.get(url).content == b"3/3"

    def test_a_picture_is_shown_by_number_with_what_the_cell_sees_framed(
        self, searched: TestClient
    ) -> None:
        text = unescape(searched.get(PANEL).text)
        url = next(url for url in links(text) if url.startswith("/crops/mini/") and "." not in url)
        assert url.endswith("/conv1/3/3")
        page = searched.get(url)
        assert "1.png" in page.text
        # Cell 33 is row 1, column 1; its 7 pixels begin 2 * 1 - 3 before the edge.
        assert re.search(r'x="0" y="0" width="6"\s+height="6"', page.text)
        picture = Image.open(BytesIO(searched.get(f"{url}/picture.png").content))
        assert picture.size == (64, 64)
        assert picture.getpixel((30, 30)) == (255, 0, 0)

    def test_a_picture_that_is_gone_keeps_its_crop_and_loses_its_link(
        self, searched: TestClient
    ) -> None:
        text = unescape(searched.get(PANEL).text)
        base = next(u for u in links(text, "src") if u.endswith("/3.webp")).removesuffix("/3.webp")
        assert searched.get(f"{base}/8.webp").status_code == 200
        assert searched.get(f"{base}/8").status_code == 404
        assert searched.get(f"{base}/8/picture.png").status_code == 404
        assert f'{base}/8"' not in text
        assert searched.get(f"{base}/1/picture.png").status_code == 404

    def test_one_of_other_weights_is_told_and_not_used(
        self, client: TestClient, photos: Path, tmp_path: Path
    ) -> None:
        model = Catalogue(CPU, 1).model("mini")
        made = atlas(model, photos, {}, weights="0" * 64)
        write_atlas(tmp_path / "atlas" / "photos" / "mini.atlas", made)
        text = inside(client)
        assert "was made from other weights" in text
        assert "built-in pictures" in text


def test_uploads_stay_private_by_default(client: TestClient, application: FastAPI) -> None:
    uploaded(client, 1)
    services = application.state.services
    assert services.gathered is None
    text = inside(client)
    assert "Uploaded pictures" not in text
    assert client.get(f"{PANEL}&of=uploads").status_code == 404
    page = client.get("/").text
    assert "seen by nobody else" in page
    assert "may be shown to others" not in page


def test_shared_crops_are_said_where_pictures_are_brought(sharer: TestClient) -> None:
    for url in ("/", "/lab/photo"):
        page = sharer.get(url).text
        assert "Parts of your picture may be shown to others on this server" in page
        assert "seen by nobody else" not in page


def test_a_shared_crop_tells_nobody_else_where_its_picture_is(
    pupil: Browser, classmate: Browser
) -> None:
    image = uploaded(pupil, 1)
    mine, theirs = (inside(who, f"{PANEL}&of=uploads") for who in (pupil, classmate))
    assert f"image={image}&step=conv1" in mine
    assert image not in theirs.replace(PANEL, "")
    assert "Another user's picture" in theirs
    url = next(url for url in links(theirs, "src") if url.endswith(".webp"))
    crop = classmate.get(url)
    assert crop.status_code == 200
    assert crop.headers["cache-control"] == "no-store"
    csv = classmate.get("/crops/mini/uploads/conv1/3.csv").text
    assert image not in csv
    assert len(csv.splitlines()) == 2


def test_the_panel_waits_until_the_picture_just_brought_was_looked_at(
    pupil: Browser, sharing: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited_for, gathered = threading.Event(), sharing.state.services.gathered
    settled = gathered.settled

    def held(run: Run) -> Peaks:
        assert waited_for.wait(HANG)
        return peaks_of_run(run)

    async def waiting() -> None:
        waited_for.set()
        await settled()

    monkeypatch.setattr("app.services.atlas.upload_crops.peaks_of_run", held)
    monkeypatch.setattr(gathered, "settled", waiting)
    image = uploaded(pupil, 2)
    assert f"image={image}&step=conv1" in inside(pupil, f"{PANEL}&of=uploads")


def test_with_its_last_owner_a_picture_and_its_crops_go(pupil: Browser, classmate: Browser) -> None:
    image = uploaded(pupil, 1)
    assert uploaded(classmate, 1) == image
    url = next(
        url
        for url in links(inside(classmate, f"{PANEL}&of=uploads"), "src")
        if url.endswith(".webp")
    )
    assert pupil.delete(f"/api/v1/images/{image}.png").status_code == 204
    assert classmate.get(url).status_code == 200
    assert classmate.delete(f"/api/v1/images/{image}.png").status_code == 204
    assert classmate.get(url).status_code == 404
    assert classmate.get(url.replace(".webp", "/projection.png")).status_code == 404
    assert "No picture of this collection" in inside(pupil, f"{PANEL}&of=uploads")


def test_with_its_time_a_picture_and_its_crops_go(sharer: TestClient, sharing: FastAPI) -> None:
    uploaded(sharer, 1)
    text = inside(sharer, f"{PANEL}&of=uploads")
    url = next(url for url in links(text, "src") if url.endswith(".webp"))
    services = sharing.state.services
    # Brought again it stays for as long as pictures stay now: its time is over.
    services.pictures.lifetime = -1
    again = {"file": ("a.png", blurred_noise(1), "image/png")}
    assert sharer.post("/api/v1/images", files=again).status_code == 404
    assert sharer.get(url).status_code == 404
    for image in services.pictures.expire():
        services.forget(image)
    assert services.gathered.bytes == 0


@pytest.mark.parametrize(
    ("text", "on"), [("on", True), ("TRUE", True), ("1", True), ("off", False), ("", False)]
)
def test_the_switch_is_off_unless_it_is_put_on(text: str, on: bool) -> None:
    given = Settings.from_environment({"LAYERSCOPE_CROPS_OF_UPLOADS": text})
    assert given.crops_of_uploads is on
