"""Phone, accessibility, light and dark, projector, error pages, the API's documentation."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Watch, settled, violations, violations_in_light_and_dark


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/?image=rocket&scale=layer",
        "/?step=conv1",
        "/?step=conv2&channel=58",
        "/?step=softmax&channel=97",
        "/?step=fc6",
    ],
)
def test_axe_finds_nothing(page: Page, address: str) -> None:
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(address)
    settled(page)
    assert violations_in_light_and_dark(page) == []


def test_axe_finds_nothing_in_dialogs_and_menus(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto("/")
    settled(page)
    page.click(".menu summary")
    page.click('.stage[data-stage="head"] > summary')
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.click('[data-action="help"]')
    assert violations(page) == []


def test_axe_finds_nothing_on_a_phone(phone: Page) -> None:
    phone.emulate_media(reduced_motion="reduce")
    phone.goto("/?step=conv2&channel=58")
    settled(phone)
    assert violations(phone) == []


def test_a_phone_shows_everything_without_scrolling_sideways(phone: Page) -> None:
    phone.goto("/")
    settled(phone)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    expect(phone.locator("#verdict strong")).to_have_text("espresso")
    first = phone.locator("#card-conv1 .map").first
    first.scroll_into_view_if_needed()
    first.tap()
    pane = phone.locator(".unit-pane")
    expect(pane).to_be_visible()
    box = pane.bounding_box()
    assert box
    assert box["width"] <= 390
    phone.locator(".close").tap()
    expect(phone.locator(".evidence")).to_be_hidden()


def test_what_is_tapped_is_large_enough(phone: Page) -> None:
    phone.goto("/?step=conv2&channel=58")
    settled(phone)
    small = phone.evaluate(
        """() => [...document.querySelectorAll('a, button, summary, label.button')]
          .filter(e => e.checkVisibility() && !e.closest('p, h3, th, .skip'))
          .map(e => [e.getBoundingClientRect(), e.outerHTML.slice(0, 90)])
          .filter(([b]) => b.width < 24 || b.height < 24).map(([b, html]) => html)"""
    )
    assert small == []


def test_theme_and_projector_are_kept(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/")
    settled(page)
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.click('[data-action="theme"]')
    dark = page.evaluate(background)
    assert dark != light
    page.keyboard.press("p")
    size = page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
    assert size >= 19
    page.reload()
    settled(page)
    assert page.evaluate(background) == dark
    assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") == size
    expect(page.locator('[data-action="projector"]')).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("width", [1024, 768, 390])
def test_the_page_never_scrolls_sideways(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 768})
    page.goto("/?step=conv4&channel=100")
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_lost_picture_has_a_page_with_a_way_out(page: Page, watch: Watch) -> None:
    watch.expected = ("404",)
    page.goto("/?image=0123456789abcdef0123456789abcdef")
    expect(page.locator("h1")).to_have_text("Unknown picture")
    assert violations(page) == []
    page.click("text=Look at the cup of espresso")
    settled(page)


def test_the_server_gone_is_said(page: Page, watch: Watch) -> None:
    watch.expected = ("ERR_FAILED", "Failed to load", "Failed to fetch")
    page.goto("/")
    settled(page)
    page.route("**/*", lambda route: route.abort())
    page.click("a[data-image=hourglass]")
    expect(page.locator(".notice")).to_contain_text("cannot be reached")
    expect(page.locator("#card-conv1")).to_have_attribute("data-state", "ready")


def test_the_documentation_of_the_api_works_offline(page: Page) -> None:
    page.goto("/docs")
    expect(page.locator(".opblock").first).to_be_visible()
    expect(page.locator("h1, h2").first).to_contain_text("Layerscope")
