"""Several networks: switching in mid-stream, a partial one, a big one, the download bar."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from app.services.networks.downloads import Attempt
from app.services.networks.fetch import Received, fetch
from app.services.networks.partial_file import WantedFile
from app.web.explorer import downloads
from models.row import Weights
from tests.support.browser import Gate, picture, settled, upload
from tests.support.misbehaving_server import serving
from tests.support.waiting import wait_until

BIG = "own-squeezenet1_1-seeded"
PART = "own-mini-part"


def menu(page: Page) -> Locator:
    """The opened menu of networks."""
    page.locator(".menu.about > summary").click()
    return page.locator(".menu.about .sheet")


def choose(page: Page, title: str) -> None:
    """Unfold a network in the menu and look into it."""
    heading = page.locator("h2", has_text=re.compile(rf"^\s*{re.escape(title)}(?! \()"))
    entry = menu(page).locator(".network").filter(has=heading)
    entry.locator("summary").click()
    entry.get_by_role("link", name="Look into it").click()


def test_switching_in_mid_stream_keeps_picture_and_stage(page: Page, gate: Gate) -> None:
    page.goto("/")
    settled(page)
    # A picture of its own: no other test has had it computed.
    gate.close("conv4")
    upload(page, picture("hourglass", 157, seed=41), "glass.png")
    expect(page.locator("h1.title")).to_have_text("glass.png")
    expect(page.locator("#card-conv3")).to_have_attribute("data-state", "ready")
    expect(page.locator("#card-conv5")).not_to_have_attribute("data-state", "ready")
    image = re.search("image=([^&]+)", page.url)
    assert image
    choose(page, "mini AlexNet (mini-part)")
    expect(page).to_have_url(re.compile(f"model={PART}&image={image[1]}$"))
    gate.open()
    expect(page.locator("#card-conv5")).to_have_attribute("data-state", "ready")
    expect(page.locator("#river")).to_have_attribute("data-model", PART)
    expect(page.locator("h1.title")).to_have_text("glass.png")
    page.locator("#card-conv3 h3 a").click()
    expect(page).to_have_url(re.compile("step=conv3"))
    choose(page, "SqueezeNet 1.1 (squeezenet1_1-seeded)")
    expect(page).to_have_url(re.compile(f"model={BIG}&image={image[1]}&step=fire4.squeeze"))
    settled(page)
    expect(page.locator("#evidence h2").first).to_contain_text("fire4.squeeze")
    choose(page, "mini AlexNet")
    settled(page)
    expect(page.locator("#verdict strong")).to_have_text("hourglass")


def test_a_partial_network_shows_its_maps_and_says_why_it_names_nothing(page: Page) -> None:
    page.goto(f"/?model={PART}&image=coffee")
    expect(page.locator("#card-conv5")).to_have_attribute("data-state", "ready")
    expect(page.locator(".card")).to_have_count(11)
    expect(page.locator("#verdict")).to_contain_text("no classifier")
    page.locator("#card-conv5 .map").first.click()
    expect(page.locator(".unit-pane")).to_be_visible()
    # Another picture in place of this one.
    page.locator(".thumbs a").nth(1).click()
    expect(page.locator("h1.title")).to_have_text("Chelsea the cat")
    expect(page.locator("#card-conv5")).to_have_attribute("data-state", "ready")
    expect(page.locator("#verdict")).to_contain_text("no classifier")


def test_a_big_network_is_folded_and_fetches_what_is_seen(page: Page) -> None:
    sheets: list[str] = []
    page.on("request", lambda r: sheets.append(r.url) if "/steps/" in r.url else None)
    page.goto(f"/?model={BIG}&image=coffee")
    settled(page)
    river = page.locator("#river")
    expect(river.locator(".peek")).to_have_count(5)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.peek > .card image')].every(i => i.href.baseVal)"
    )
    seen = {url.split("/steps/")[1].split(".png")[0] for url in sheets}
    assert seen >= {"pool1", "pool3", "pool5", "fire9.concat", "relu10"}
    assert not seen & {"fire2.squeeze", "fire6.expand3x3"}
    assert river.evaluate("one => one.scrollWidth <= one.clientWidth")
    with page.expect_request(re.compile(r"/steps/fire2\.squeeze\.png")):
        river.locator('.stage[data-stage="2"] > summary').click()
    expect(river.locator("#card-fire2__squeeze")).to_be_visible()


def test_a_big_network_fits_a_phone(phone: Page) -> None:
    phone.goto(f"/?model={BIG}&image=coffee")
    settled(phone)
    assert phone.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    stage = phone.locator('.stage[data-stage="3"]')
    stage.locator("summary").tap()
    expect(stage.locator(".card").first).to_be_visible()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Downloads of squeezenet1_0 that stop at a third until the event is set."""
    let = threading.Event()
    with serving(b"w" * 300_000) as server:

        def halting(wanted: WantedFile, stop: threading.Event) -> Iterator[Received]:
            yield Received(1_600_000, 4_800_000, 400_000.0)
            wait_until(lambda: let.is_set() or stop.is_set())
            yield from fetch(wanted, stop)

        def attempts(row: Weights, cache: Path) -> list[Attempt]:
            digest = sha256(server.body).hexdigest()
            return [partial(halting, WantedFile(server.url, cache / row.file, None, digest))]

        monkeypatch.setattr(downloads, "attempts", attempts)
        yield let
        let.set()


def test_a_download_shows_its_bar_is_stopped_and_ends(page: Page, slow: threading.Event) -> None:
    page.goto("/")
    settled(page)
    entry = menu(page).locator(".network").filter(has_text="SqueezeNet 1.0")
    entry.locator("summary").click()
    expect(entry).to_contain_text("not here yet")
    entry.get_by_role("button", name="Download it (5 MB)").click()
    bar = entry.get_by_role("progressbar")
    expect(bar).to_be_visible()
    expect(entry).to_contain_text("2 of 5 MB, 0.4 MB a second, 8 s left")
    assert float(bar.get_attribute("value") or 0) == pytest.approx(33.3, abs=0.1)
    entry.get_by_role("button", name="Stop").click()
    expect(entry).to_contain_text("Stopped. The part that has arrived is kept.")
    slow.set()
    entry.get_by_role("button", name="Try again").click()
    expect(entry).to_contain_text("SqueezeNet 1.0 is on this computer now.")
    expect(entry.get_by_role("link", name="Look into it")).to_be_visible()
