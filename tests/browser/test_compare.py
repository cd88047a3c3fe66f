"""The comparison: choosing, ranking, keys, phone, light and dark."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import (
    Watch,
    payload,
    picture,
    settled,
    violations,
    violations_in_light_and_dark,
)


def drawn(page: Page) -> None:
    """Wait until every picture of the pair is there."""
    page.wait_for_function(
        "() => [...document.querySelectorAll('.shown img')]"
        ".every(one => one.complete && one.naturalWidth)"
    )


def test_two_pictures_are_compared_from_the_explorer(page: Page) -> None:
    page.goto("/?step=conv3")
    settled(page)
    page.locator(".step-pane .take a:text-is('Compare with …')").click()
    expect(page.locator("h1")).to_have_text("Compare")
    other = page.locator('[data-side="there"]')
    other.locator("a[data-image=cat]").click()
    expect(other.locator(".says li").first).to_contain_text("tabby cat")
    expect(page.locator('[data-side="here"] .says li').first).to_contain_text("espresso")
    expect(page).to_have_url(re.compile("step=conv3&other_image=cat"))
    expect(page.locator(".shown")).to_have_count(3)
    drawn(page)
    expect(page.locator(".row")).to_have_count(16)
    page.go_back()
    expect(other.locator(".says li").first).to_contain_text("espresso")


def test_a_pair_of_the_ranking_is_looked_at_by_mouse_and_by_key(page: Page) -> None:
    page.goto("/compare?step=conv3&other_image=cat")
    rows = page.locator(".row")
    names = [rows.nth(i).get_attribute("data-here") for i in range(3)]
    rows.nth(1).click()
    caption = page.locator(".shown figcaption").first
    expect(caption).to_have_text(f"Here: conv3, map {names[1]}")
    expect(rows.nth(1)).to_have_attribute("aria-current", "true")
    page.keyboard.press("ArrowDown")
    expect(caption).to_have_text(f"Here: conv3, map {names[2]}")
    page.keyboard.press("ArrowUp")
    expect(caption).to_have_text(f"Here: conv3, map {names[1]}")
    page.keyboard.press("ArrowUp")
    expect(caption).to_have_text(f"Here: conv3, map {names[0]}")
    drawn(page)


def test_the_order_is_a_link(page: Page) -> None:
    page.goto("/compare?step=conv4&other_image=cat")
    first = page.locator(".row").first
    before = first.get_attribute("data-here")
    page.click(".ranking .segments a:text-is('Peak')")
    expect(page).to_have_url(re.compile("by=peak"))
    expect(first).not_to_have_attribute("data-here", before or "")
    page.go_back()
    expect(first).to_have_attribute("data-here", before or "")


def test_trained_beside_random_and_sides_exchanged(page: Page) -> None:
    page.goto("/compare?step=conv5")
    page.click("#networks-there > summary")
    page.click("#networks-there a:text-is('mini AlexNet, random weights')")
    there = page.locator('[data-side="there"]')
    expect(there.locator(".warn")).to_contain_text("predictions are guesses")
    # What was open stays open.
    expect(page.locator("#networks-there")).to_have_attribute("open", "")
    page.keyboard.press("s")
    expect(page.locator('[data-side="here"] .warn')).to_be_visible()
    expect(there.locator(".warn")).to_have_count(0)


def test_a_channel_is_chosen_by_its_number_and_by_its_map(page: Page) -> None:
    page.goto("/compare?step=conv2&other_image=cat")
    page.click("#channels-here > summary")
    page.fill("#channel-here", "58")
    page.keyboard.press("Enter")
    caption = page.locator(".shown figcaption")
    expect(caption.first).to_have_text("Here: conv2, map 58")
    expect(caption.nth(1)).to_have_text("There: conv2, map 58")
    page.click("#channels-there > summary")
    tile = page.locator("#channels-there .map").first
    number = tile.get_attribute("data-channel")
    tile.click()
    expect(caption.nth(1)).to_have_text(f"There: conv2, map {number}")
    expect(caption.first).to_have_text("Here: conv2, map 58")


def test_a_step_is_chosen_and_another_architecture_told_apart(page: Page) -> None:
    page.goto("/compare?step=conv3&other_model=own-squeezenet1_1-seeded")
    expect(page.locator(".compare-head")).to_contain_text("do not correspond")
    expect(page.locator("[data-apart]")).to_contain_text("No difference can be taken")
    expect(page.locator(".shown")).to_have_count(2)
    page.click("#steps-there > summary")
    page.click("#steps-there a:text-is('fire2.squeeze')")
    expect(page.locator(".shown figcaption").nth(1)).to_contain_text("fire2.squeeze")


def test_a_network_without_the_step_is_told_in_words(page: Page) -> None:
    page.goto("/compare?step=fc6&other_model=own-mini-part")
    expect(page.locator(".warn")).to_contain_text("no step like fc6")
    page.click("#steps-here > summary")
    page.click("#steps-here a:text-is('conv5')")
    expect(page.locator(".shown")).to_have_count(3)


def test_one_s_own_picture_is_compared(page: Page) -> None:
    page.goto("/compare?step=conv1")
    data = payload(picture("lighthouse", 140, seed=9), "mine.png")
    page.set_input_files("#pictures-there input[type=file]", files=[data])
    page.click("#pictures-there button")
    expect(page.locator('[data-side="there"] header')).to_contain_text("mine.png")
    expect(page).to_have_url(re.compile("other_image=[0-9a-f]{32}"))


def test_files_are_saved(page: Page) -> None:
    page.goto("/compare?step=conv3&other_image=cat")
    for text, name in (("Save as PNG", r"\.png$"), ("Save all as CSV", r"conv3\.csv$")):
        with page.expect_download() as saved:
            page.click(f"text={text}")
        assert re.search(name, saved.value.suggested_filename)
        assert saved.value.path().stat().st_size > 1000


def test_what_is_unknown_is_told(page: Page, watch: Watch) -> None:
    watch.expected = ("404",)
    page.goto("/compare?other_image=none")
    expect(page.locator("h1")).to_have_text("Unknown picture")


def test_without_scripts_links_and_forms_do_all(page: Page) -> None:
    page.route("**/*.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto("/compare?step=conv3")
    page.locator('[data-side="there"] a[data-image=cat]').click()
    expect(page.locator('[data-side="there"] .says li').first).to_contain_text("tabby cat")
    page.locator(".row").nth(4).click()
    expect(page.locator(".row").nth(4)).to_have_attribute("aria-current", "true")


@pytest.mark.parametrize(
    "query",
    [
        "step=conv3",
        "step=relu3&other_image=cat&by=peak",
        "step=conv5&other_model=mini-random",
        "step=fc7&other_image=cat",
    ],
)
def test_axe_finds_nothing(page: Page, query: str) -> None:
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(f"/compare?{query}")
    for panel in page.locator(".choosers details").all():
        panel.evaluate("one => { one.removeAttribute('name'); one.open = true; }")
    drawn(page)
    assert violations_in_light_and_dark(page) == []


def test_a_phone_shows_all_without_scrolling_sideways(phone: Page) -> None:
    phone.emulate_media(reduced_motion="reduce")
    phone.goto("/compare?step=conv3&other_image=cat")
    drawn(phone)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(phone) == []
    phone.locator("#pictures-there > summary").tap()
    phone.locator("#pictures-there a[data-image=monarch]").tap()
    expect(phone.locator('[data-side="there"] header')).to_contain_text("onarch")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
