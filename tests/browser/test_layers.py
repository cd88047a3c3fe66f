"""The walk through the layers and the crops of a unit, as people use them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import settled, violations, violations_in_light_and_dark


@pytest.fixture
def walk(page: Page) -> Page:
    """The walk, measured."""
    page.goto("/layers/1")
    expect(page.locator(".bars li")).to_have_count(3)
    return page


def test_by_buttons_from_layer_1_to_5(walk: Page) -> None:
    titles = []
    for number in range(1, 6):
        expect(walk.locator(".dots [aria-current=step]")).to_have_attribute(
            "data-layer", str(number)
        )
        titles.append(walk.locator("h1").inner_text())
        expect(walk.locator(".column")).to_have_count(6)
        if number < 5:
            walk.click("#after")
            walk.wait_for_url(f"**/layers/{number + 1}?*")
    assert len(set(titles)) == 5


def test_by_keyboard_there_and_back(walk: Page) -> None:
    for key, number in (("ArrowRight", 2), ("ArrowRight", 3), ("5", 5), ("ArrowLeft", 4)):
        walk.keyboard.press(key)
        walk.wait_for_url(f"**/layers/{number}?*")
        walk.wait_for_load_state()
    walk.keyboard.press("?")
    expect(walk.locator("#help")).to_be_visible()


def test_the_trap_opens_with_its_answer_and_the_trial(walk: Page) -> None:
    walk.goto("/layers/5?image=monarch")
    expect(walk.locator(".trap .answer")).to_be_hidden()
    walk.click("#trap summary")
    expect(walk.locator(".trap .answer")).to_contain_text("The grass in the background")
    expect(walk.locator(".tries.pictures li")).to_have_count(3)


@pytest.mark.parametrize("number", [1, 3, 5])
def test_it_fits_one_screen_of_a_laptop(walk: Page, number: int) -> None:
    walk.goto(f"/layers/{number}")
    assert walk.evaluate("document.documentElement.scrollHeight") <= 900
    assert walk.evaluate("document.documentElement.scrollWidth") <= 1440


def test_its_pictures_are_there(walk: Page) -> None:
    walk.goto("/layers/3")
    walk.wait_for_function(
        "() => [...document.querySelectorAll('#walk img')].every(i => i.complete)"
    )
    broken = "[...document.querySelectorAll('#walk img')].filter(i => !i.naturalWidth).length"
    assert walk.evaluate(broken) == 0
    small = "[...document.querySelectorAll('.column img')].filter(i => i.width < 44).length"
    assert walk.evaluate(small) == 0


def test_a_crop_leads_to_its_picture(walk: Page) -> None:
    walk.goto("/?step=conv2&channel=58")
    settled(walk)
    walk.click("text=The crops it responds to most")
    first = walk.locator(".crop-list a.crop").first
    expect(first).to_be_visible()
    url = first.get_attribute("href")
    assert url
    first.click()
    settled(walk)
    image = re.search(r"image=([\w-]+)", url)
    assert image
    expect(walk.locator("#stream")).to_have_attribute("data-image", image[1])
    expect(walk.locator(".unit-pane")).to_have_attribute("data-channel", "58")
    cell = re.search(r"y=(\d+)&x=(\d+)", url)
    assert cell
    expect(walk.locator(".unit-pane")).to_have_attribute("data-cell", f"{cell[1]},{cell[2]}")


def test_projections_come_when_they_are_asked_for(walk: Page) -> None:
    asked: list[str] = []
    walk.on("request", lambda one: asked.append(one.url))
    walk.goto("/?step=conv2&channel=58")
    settled(walk)
    walk.click("text=The crops it responds to most")
    expect(walk.locator(".crop-list li")).to_have_count(9)
    assert not [url for url in asked if "projection" in url]
    walk.click(".project summary")
    walk.locator(".crop-pairs").scroll_into_view_if_needed()
    walk.wait_for_function(
        "() => document.querySelector('.crop-pairs img[src*=projection]')?.naturalWidth > 0"
    )


@pytest.mark.parametrize("number", [1, 5])
def test_axe_finds_nothing(walk: Page, number: int) -> None:
    walk.emulate_media(color_scheme="light", reduced_motion="reduce")
    walk.goto(f"/layers/{number}")
    walk.click("#trap summary")
    walk.click(".how summary")
    assert violations_in_light_and_dark(walk) == []


def test_axe_finds_nothing_in_the_crops(walk: Page) -> None:
    walk.emulate_media(reduced_motion="reduce")
    walk.goto("/?step=conv2&channel=58")
    settled(walk)
    walk.click("text=The crops it responds to most")
    expect(walk.locator(".crop-list li")).to_have_count(9)
    assert violations(walk) == []


def test_on_a_phone_it_is_stacked_and_nothing_runs_over(walk: Page, phone: Page) -> None:
    phone.emulate_media(reduced_motion="reduce")
    phone.goto("/layers/4")
    expect(phone.locator(".bars li")).to_have_count(3)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.locator("#after").tap()
    phone.wait_for_url("**/layers/5?*")
    phone.locator("#trap summary").tap()
    expect(phone.locator(".trap .answer")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(phone) == []
