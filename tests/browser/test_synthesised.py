"""What a unit responds to most, in a real browser: growing, stopping, mixing, keeping."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from app.services.synthesis.growth import Growth, GrowthReport
from tests.support.browser import Watch, query, settled, violations_in_light_and_dark
from tests.support.waiting import HANG

UNIT = "/?step=conv5&channel=3"
PANEL = "What it responds to most"


class Brake:
    """Lets a growth come to a step and no further, until it is let go."""

    def __init__(self) -> None:
        self._gone = threading.Event()
        self._gone.set()
        self._at = 0

    def hold(self, at: int) -> None:
        self._at = at
        self._gone.clear()

    def let_go(self) -> None:
        self._gone.set()

    def wait(self, report: GrowthReport | None) -> None:
        if report is not None and report.step == self._at:
            self._gone.wait(HANG)


@pytest.fixture
def brake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Brake]:
    made, real = Brake(), Growth.advance

    def braked(self: Growth) -> GrowthReport:
        made.wait(self.report)
        return real(self)

    monkeypatch.setattr(Growth, "advance", braked)
    yield made
    made.let_go()


def opened(page: Page, url: str = UNIT, title: str = PANEL) -> Locator:
    """The panel of a unit, unfolded."""
    page.goto(url)
    settled(page)
    page.locator("details.panel > summary", has_text=title).click()
    panel = page.locator(".synthesis")
    expect(panel.get_by_role("button", name="Grow it")).to_be_visible()
    return panel


def grow(panel: Locator, **settings: int) -> None:
    for name, value in settings.items():
        panel.locator(f"[name={name}]:visible").fill(str(value))
    panel.get_by_role("button", name="Grow it").click()


def made(panel: Locator) -> Locator:
    return panel.locator("#synthesis-stage [data-state=made]")


def drawn(picture: Locator) -> bool:
    found = picture.evaluate("one => one.decode().then(() => one.naturalWidth)")
    return bool(found)


def test_the_picture_stands_at_the_head_and_leads_to_how_it_was_made(page: Page) -> None:
    page.goto(UNIT)
    settled(page)
    portrait = page.locator(".unit-pane .portrait img")
    expect(portrait).to_be_visible()
    assert drawn(portrait)
    box, photo = portrait.bounding_box(), page.locator(".overlay").bounding_box()
    assert box and photo and box["y"] < photo["y"]
    portrait.click()
    panel = page.locator(".synthesis")
    expect(made(panel)).to_be_visible()
    expect(made(panel)).to_contain_text("It comes with the weights")
    expect(made(panel).locator("img")).to_be_in_viewport()
    assert query(page)["made"].startswith("steps")
    assert drawn(made(panel).locator("img"))
    expect(page.get_by_role("heading", name="Classes it prefers")).to_be_visible()


def test_one_watches_it_grow_and_the_link_repeats_it(page: Page, brake: Brake) -> None:
    panel = opened(page)
    brake.hold(20)
    grow(panel, steps=40, seed=11)
    growing = panel.locator("#synthesis-events [data-reached='16']")
    expect(growing).to_be_visible()
    assert drawn(growing.locator("img"))
    expect(growing).to_contain_text(re.compile(r"step\s+\d+ of 40"))
    expect(growing.locator(".curve .line")).to_have_attribute("d", re.compile("^M0.0 "))
    first = growing.locator("img").get_attribute("src")
    brake.let_go()
    expect(made(panel)).to_be_visible()
    assert made(panel).locator("img").get_attribute("src") != first
    expect(made(panel)).to_contain_text("(seed 11) in 40 steps")
    assert query(page)["made"] == "steps40-seed11-size64"
    page.reload()
    settled(page)
    expect(made(page.locator(".synthesis"))).to_contain_text("(seed 11) in 40 steps")
    expect(page.locator(".synthesis [name=seed]")).to_have_value("11")


def test_stopped_it_keeps_what_was_reached(page: Page, brake: Brake) -> None:
    panel = opened(page)
    brake.hold(40)
    grow(panel, steps=400, seed=12)
    expect(panel.locator("[data-reached='32']")).to_be_visible()
    panel.get_by_role("button", name="Stop here").click()
    brake.let_go()
    expect(made(panel)).to_contain_text("in 32 steps")
    assert drawn(made(panel).locator("img"))
    assert query(page)["made"] == "steps32-seed12-size64"
    expect(made(panel).get_by_role("link", name="Save as PNG")).to_be_focused()
    # The next begins at once: one's last is gone.
    grow(panel, steps=18, seed=12)
    expect(made(panel)).to_contain_text("in 18 steps")


def test_away_from_and_a_mix_of_two(page: Page) -> None:
    panel = opened(page)
    panel.get_by_label("least").check()
    grow(panel, steps=16)
    expect(made(panel)).to_contain_text("would lower its mean")
    values = made(panel).locator("td:last-child").all_inner_texts()
    least, here, grey = (float(value.replace("−", "-")) for value in values)
    assert least < min(here, grey)
    panel.get_by_label("most", exact=True).check()
    panel.locator("[name=second]").fill("17")
    panel.locator("[name=share]").focus()
    page.keyboard.press("ArrowLeft")
    expect(panel.locator("output")).to_have_text("45 %")
    grow(panel, second=17)
    expect(made(panel)).to_contain_text("55 % of conv5, map 3 with 45 % of conv5, map 17")
    assert query(page)["made"] == "steps16-seed0-size64-with17-share45"


def test_another_unit_lets_it_go(page: Page, brake: Brake) -> None:
    panel = opened(page)
    brake.hold(20)
    grow(panel, steps=400, seed=13)
    expect(panel.locator("[data-reached='16']")).to_be_visible()
    page.locator('a[rel="next"]').click()
    brake.let_go()
    expect(page.locator(".synthesis")).to_have_count(0)
    assert "made" not in query(page)
    # Nothing of one's own is running: the next begins.
    page.locator("details.panel > summary", has_text=PANEL).click()
    grow(page.locator(".synthesis"), steps=16, seed=13)
    expect(made(page.locator(".synthesis"))).to_contain_text("in 16 steps")


def test_what_cannot_be_is_said_in_words(page: Page, watch: Watch) -> None:
    watch.expected = ("404",)
    panel = opened(page)
    panel.locator("[name=second]").evaluate("one => { one.max = 9999; }")
    grow(panel, steps=16, second=999)
    expect(page.locator("#notice")).to_contain_text("channels 0 to 191, not 999")


def test_the_wall_has_a_link_to_every_unit(page: Page) -> None:
    page.goto("/?step=conv3")
    settled(page)
    expect(page.locator(".synthesised")).to_have_count(0)
    page.locator("details.panel > summary", has_text="What each map").click()
    tiles = page.locator(".synthesised .map")
    expect(tiles).to_have_count(288)
    sheet = tiles.first.locator("image")
    assert (sheet.get_attribute("href") or "").startswith("/api/v1/models/mini/steps/conv3/")
    box = tiles.first.bounding_box()
    assert box and box["width"] >= 48
    channel = (tiles.first.get_attribute("title") or "").rpartition(" ")[2]
    tiles.first.click()
    expect(page.locator(".unit-pane")).to_have_attribute("data-channel", channel)
    assert query(page)["channel"] == channel


def test_a_whole_layer_grows(page: Page) -> None:
    panel = opened(page, "/?step=conv4", "What the whole layer responds to most")
    expect(panel.locator("[name=second]")).to_have_count(0)
    grow(panel, steps=17)
    expect(made(panel)).to_contain_text("the whole of conv4: grown")
    assert query(page)["made"] == "steps17-seed0-size64"


def test_accessible(page: Page, brake: Brake) -> None:
    page.emulate_media(color_scheme="light")
    panel = opened(page)
    assert violations_in_light_and_dark(page) == []
    brake.hold(20)
    grow(panel, steps=32, seed=24)
    expect(panel.locator("[data-reached='16']")).to_be_visible()
    assert violations_in_light_and_dark(page) == []
    brake.let_go()
    expect(made(panel)).to_contain_text("in 32 steps")
    assert violations_in_light_and_dark(page) == []
    page.goto("/?step=conv1")
    settled(page)
    page.locator("details.panel > summary", has_text="What each map").click()
    expect(page.locator(".synthesised .map").first).to_be_visible()
    assert violations_in_light_and_dark(page) == []


def test_by_keyboard_alone(page: Page) -> None:
    page.goto(UNIT)
    settled(page)
    summary = page.locator("details.panel > summary", has_text=PANEL)
    summary.focus()
    page.keyboard.press("Enter")
    panel = page.locator(".synthesis")
    expect(made(panel)).to_be_visible()
    panel.locator("[name=steps]").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("18")
    page.keyboard.press("Enter")
    expect(made(panel)).to_contain_text("in 18 steps")


def test_on_a_phone_it_fits_and_is_touched(phone: Page) -> None:
    phone.goto(UNIT)
    settled(phone)
    phone.locator("details.panel > summary", has_text=PANEL).tap()
    panel = phone.locator(".synthesis")
    expect(made(panel)).to_be_visible()
    fields = panel.locator(":is(input:not([type=hidden], [type=radio]), select, .button)")
    heights = [box["height"] for one in fields.all() if (box := one.bounding_box())]
    # The share of the other picture is hidden until there is one.
    assert len(heights) >= 4 and min(heights) >= 44
    panel.locator("[name=steps]").fill("16")
    panel.get_by_role("button", name="Grow it").tap()
    expect(made(panel)).to_contain_text("in 16 steps")
    box = made(panel).locator("img").bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
