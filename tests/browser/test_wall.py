"""The wall of first kernels, random weights, a unit kept while one looks elsewhere."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from app.vision.kernel_preferences import kernel_preferences
from tests.support.browser import settled, violations, violations_in_light_and_dark
from tests.support.networks import embedded


def order(page: Page) -> list[int]:
    """The kernels on the wall as they stand."""
    found = page.locator(".wall [data-kernel]")
    return [int(one.get_attribute("data-kernel") or -1) for one in found.all()]


def test_the_wall_is_sorted_by_a_link_and_back_goes_back(page: Page) -> None:
    page.goto("/?step=conv1")
    settled(page)
    assert order(page) == list(range(64))
    page.click(".wall .switches a:text-is('Strength')")
    expect(page.locator(".wall")).to_have_attribute("data-order", "strength")
    found = kernel_preferences(embedded().module("conv1").weight)  # type: ignore[arg-type]
    values = [found[i].strength for i in order(page)]
    assert values == sorted(values, reverse=True)
    expect(page).to_have_url(re.compile("wall=strength"))
    page.click(".wall .switches a:text-is('Hue')")
    expect(page.locator(".wall")).to_have_attribute("data-order", "hue")
    # A kernel is a link to its map, which keeps the order for the way back.
    page.locator(".wall .kernel").nth(2).click()
    expect(page.locator(".unit-pane")).to_contain_text("It prefers")
    page.keyboard.press("Escape")
    expect(page.locator(".wall")).to_have_attribute("data-order", "hue")
    page.go_back()
    expect(page.locator(".unit-pane")).to_be_visible()


def test_random_weights_and_back_keep_what_is_on_screen(page: Page) -> None:
    page.goto("/?image=cat&step=conv1&scale=layer&wall=orientation")
    settled(page)
    expect(page.locator("#verdict strong")).to_have_text("tabby cat")
    page.click(".wall .switches a:text-is('Random')")
    settled(page)
    expect(page).to_have_url(
        re.compile(r"model=mini-random&image=cat&step=conv1&scale=layer&wall=orientation$")
    )
    expect(page.locator(".untrained")).to_contain_text("predictions are guesses")
    expect(page.locator(".wall")).to_contain_text("seed 0")
    expect(page.locator(".wall")).to_have_attribute("data-order", "orientation")
    expect(page.locator("#bar .menu > summary")).to_contain_text("random weights")
    page.click("text=Back to the trained network")
    settled(page)
    expect(page.locator("#verdict strong")).to_have_text("tabby cat")
    expect(page.locator(".step-pane h2")).to_contain_text("conv1")
    expect(page.locator(".untrained")).to_have_count(0)


def test_the_whole_network_is_switched_from_its_menu(page: Page) -> None:
    page.goto("/?image=cat&step=conv3&channel=5")
    settled(page)
    page.click("#bar .menu > summary")
    page.click(".network[open] .segments a:text-is('Random')")
    settled(page)
    expect(page).to_have_url(re.compile(r"model=mini-random&image=cat&step=conv3&channel=5"))
    expect(page.locator(".unit-pane h2")).to_contain_text("Map 5")


def test_both_walls_stand_side_by_side(page: Page) -> None:
    page.goto("/?step=conv1")
    settled(page)
    page.click(".wall .switches a:text-is('Both')")
    sides = page.locator(".wall .side")
    expect(sides).to_have_count(2)
    boxes = [one.bounding_box() for one in sides.all()]
    assert boxes[0] and boxes[1]
    assert boxes[0]["y"] == boxes[1]["y"]
    assert boxes[1]["x"] > boxes[0]["x"] + boxes[0]["width"] - 1
    expect(sides.nth(1)).to_contain_text("Random weights")
    page.wait_for_function("() => document.querySelectorAll('.wall .kernel').length === 128")
    page.click(".wall .switches a:text-is('Trained')")
    expect(sides).to_have_count(1)


def test_a_unit_is_kept_while_other_layers_are_browsed(page: Page) -> None:
    page.goto("/?step=conv2&channel=58")
    settled(page)
    page.click("text=Keep this in view")
    card = page.locator(".kept")
    expect(card).to_contain_text("conv2, map 58")
    expect(page.locator(".beside")).to_contain_text("Stop keeping it")
    page.locator("#card-conv5 .map").first.click()
    expect(page.locator(".unit-pane .over")).to_contain_text("conv5")
    expect(card).to_contain_text("conv2, map 58")
    box, pane = card.bounding_box(), page.locator("#evidence").bounding_box()
    assert box and pane
    assert box["y"] + box["height"] <= pane["y"] + pane["height"] + 1
    source = card.locator("img").get_attribute("src") or ""
    assert "/mini/coffee/steps/conv2/projection.png" in source
    page.click("a[data-image=cat]")
    expect(page.locator("#verdict strong")).to_have_text("tabby cat")
    expect(card.locator("img")).to_have_attribute(
        "src", re.compile("/mini/cat/steps/conv2/projection.png")
    )
    page.wait_for_function(
        "() => [...document.querySelectorAll('.kept img')]"
        ".every(one => one.complete && one.naturalWidth)"
    )
    card.locator("h3 a").click()
    expect(page.locator(".unit-pane .over")).to_contain_text("conv2")
    card.locator(".release").click()
    expect(card).to_have_count(0)
    assert "kept" not in page.url


def test_a_key_keeps_and_lets_go(page: Page) -> None:
    page.goto("/?step=conv3&channel=26")
    settled(page)
    page.keyboard.press("k")
    card = page.locator(".kept")
    expect(card).to_contain_text("conv3, map 26")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".unit-pane .over")).to_contain_text("relu3")
    page.keyboard.press("k")
    expect(card).to_contain_text("relu3, map")
    page.keyboard.press("k")
    expect(card).to_have_count(0)
    page.keyboard.press("k")
    expect(card).to_have_count(1)
    # With nothing selected any more the key still lets go.
    for gone in (".step-pane h2", ".welcome"):
        page.keyboard.press("Escape")
        expect(page.locator(gone)).to_be_visible()
    expect(card).to_be_visible()
    page.keyboard.press("k")
    expect(card).to_have_count(0)


def test_a_projection_can_be_kept_from_its_panel(page: Page) -> None:
    page.goto("/?step=conv4&channel=9&scale=layer")
    settled(page)
    page.click("text=What in the picture drives it")
    page.locator(".panel .beside a").click()
    expect(page.locator(".kept")).to_contain_text("conv4, map 9")
    expect(page).to_have_url(re.compile("scale=layer.*kept=conv4%3A9"))


def test_a_slice_leads_to_the_map_it_reads(page: Page) -> None:
    page.goto("/?step=conv3&channel=5")
    settled(page)
    expect(page.locator(".unit-pane > .slices .slice")).to_have_count(8)
    page.click("text=All slices of its kernel")
    expect(page.locator(".panel .slice")).to_have_count(192)
    first = page.locator(".unit-pane > .slices .slice").first
    number = first.get_attribute("data-slice")
    first.click()
    expect(page.locator(".unit-pane .over")).to_contain_text("pool2")
    expect(page.locator(".unit-pane h2")).to_contain_text(f"Map {number}")


@pytest.mark.parametrize(
    "address",
    [
        "/?step=conv1&wall=hue&both=on",
        "/?model=mini-random&step=conv1&wall=orientation",
        "/?step=conv3&channel=5&kept=conv2:58",
        "/?kept=nonsense",
    ],
)
def test_axe_finds_nothing(page: Page, address: str) -> None:
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(address)
    settled(page)
    assert violations_in_light_and_dark(page) == []


def test_a_phone_shows_the_kept_unit_and_the_wall(phone: Page) -> None:
    phone.emulate_media(reduced_motion="reduce")
    phone.goto("/?step=conv1&wall=hue&both=on&kept=conv2:58")
    settled(phone)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    expect(phone.locator(".kept")).to_be_in_viewport()
    kernel = phone.locator(".wall .kernel").first.bounding_box()
    assert kernel
    assert min(kernel["width"], kernel["height"]) >= 43
    assert violations(phone) == []
    phone.locator(".kept .release").tap()
    expect(phone.locator(".kept")).to_have_count(0)
