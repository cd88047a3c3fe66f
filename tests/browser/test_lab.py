"""The Lab in a browser: typed into, played, tapped, by keyboard, in the dark, on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import payload, picture, violations, violations_in_light_and_dark

PAGES = ["/lab/row", "/lab/grid", "/lab/photo"]

READY = "() => document.querySelector('#controls')?._htmx && document.readyState === 'complete'"
"""htmx has seen the form, and the islands have run."""


def results(page: Page) -> list[str]:
    """The line of results of the row."""
    return page.locator('tr[data-line="result"] td.out').all_inner_texts()


def opened(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function(READY)


def test_a_number_that_is_edited_changes_the_result(page: Page) -> None:
    opened(page, "/lab/row")
    assert results(page) == ["32", "32", "44", "44"]
    field = page.locator('input[name="row"]').nth(5)
    field.fill("8")
    last = page.locator('tr[data-line="result"] td.out').nth(3)
    expect(last).to_have_text("47")
    expect(page).to_have_url(re.compile(r"/lab/row\?row=5\+3\+7\+5\+9\+8$"))
    # The cursor stays where one types.
    expect(field).to_be_focused()
    field.press("End")
    field.type(".5")
    expect(last).to_have_text("48.5")
    expect(field).to_have_value("8.5")


def test_nonsense_leaves_the_numbers_and_says_what_holds(page: Page) -> None:
    opened(page, "/lab/row")
    field = page.locator('input[name="row"]').nth(0)
    for nonsense in ("-", "", "abc", "1000", "1e5"):
        field.fill(nonsense)
        expect(page.locator("#problem .warn")).to_contain_text("−99")
        assert results(page) == ["32", "32", "44", "44"]
    expect(page).to_have_url(re.compile(r"/lab/row$"))
    field.fill("-6")
    expect(page.locator("#problem .warn")).to_have_count(0)
    expect(page.locator('tr[data-line="result"] td.out').first).to_have_text("21")


def test_settings_that_do_not_fit_keep_the_numbers(page: Page) -> None:
    opened(page, "/lab/grid")
    page.get_by_label("2", exact=True).and_(page.locator("[name=dilation]")).check(force=True)
    grid = page.locator('[data-grid="result"]')
    expect(grid).to_have_text(re.compile(r"^\D*2\s*$"))
    page.locator("#dilation-3").check(force=True)
    expect(page.locator("#problem .warn")).to_contain_text("reaches over 7 rows")
    expect(grid).to_have_text(re.compile(r"^\D*2\s*$"))
    expect(page).to_have_url(re.compile(r"dilation=2$"))
    # Through nonsense and out of it again, by the keyboard.
    page.locator("#dilation-3").press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#problem .warn")).to_have_count(0)
    expect(grid.locator("td")).to_have_count(9)
    page.locator("#padding-2").check(force=True)
    expect(page.locator("[data-formula]")).to_contain_text("(5 + 2·2 − 1·(3 − 1) − 1) / 1⌋ + 1 = 7")


LONG = "/lab/row?row=1+2+3+4+5+6+7+8+9+1+2+3&kernel=1"
"""Twelve positions: ten seconds and more."""


def test_play_steps_to_the_end_and_stops_there(page: Page) -> None:
    opened(page, "/lab/row")
    page.click("#play")
    expect(page.locator("#play")).to_have_text("Pause")
    expect(page.locator(".where")).to_have_text("Position 4 of 4")
    expect(page.locator("#play")).to_have_text("Play")
    expect(page.locator("[data-say]")).to_have_text(
        "Position 4 of 4: 5 times 1 plus 9 times 2 plus 7 times 3 makes 44."
    )
    expect(page).to_have_url(re.compile(r"at=4$"))
    # From the end it starts over.
    page.click("#play")
    expect(page.locator(".where")).to_have_text("Position 1 of 4")


def test_pause_stays_where_it_is(page: Page) -> None:
    page.clock.install()
    opened(page, LONG)
    page.click("#play")
    expect(page.locator(".where")).to_have_text("Position 3 of 12")
    page.click("#play")
    expect(page.locator("#play")).to_have_text("Play")
    before = page.locator(".where").inner_text()
    assert before != "Position 12 of 12"
    # Longer than all steps take.
    page.clock.run_for(60_000)
    assert page.locator(".where").inner_text() == before


def test_play_stops_where_a_person_takes_over(page: Page) -> None:
    opened(page, LONG)
    page.click("#play")
    expect(page.locator(".where")).to_have_text("Position 2 of 12")
    page.locator('input[name="kernel"]').first.focus()
    expect(page.locator("#play")).to_have_text("Play")
    expect(page.locator(".where")).not_to_have_text("Position 12 of 12")
    page.click("#play")
    expect(page.locator("#play")).to_have_text("Pause")
    page.locator('tr[data-line="result"] a').nth(8).click()
    expect(page.locator(".where")).to_have_text("Position 9 of 12")
    expect(page.locator("#play")).to_have_text("Play")
    expect(page.locator(".where")).to_have_text("Position 9 of 12")


def test_arrows_move_the_window(page: Page) -> None:
    opened(page, "/lab/row")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".where")).to_have_text("Position 2 of 4")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".where")).to_have_text("Position 3 of 4")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".where")).to_have_text("Position 2 of 4")
    # In a field they move the cursor.
    page.locator('input[name="row"]').first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    expect(page.locator(".where")).to_have_text("Position 2 of 4")


def test_arrows_walk_over_the_grid_with_the_focus(page: Page) -> None:
    opened(page, "/lab/grid")
    page.locator('[data-grid="result"] a[aria-current]').focus()
    for key, where in (("ArrowDown", "Row 1, column 0"), ("ArrowRight", "Row 1, column 1")):
        page.keyboard.press(key)
        expect(page.locator(".where")).to_have_text(where)
        expect(page.locator('[data-grid="result"] a[aria-current]')).to_be_focused()
    expect(page.locator("[data-sum]")).to_contain_text("= 4")
    expect(page).to_have_url(re.compile(r"y=1&x=1$"))


def test_a_tap_on_a_result_goes_there(phone: Page) -> None:
    opened(phone, "/lab/row")
    phone.locator('tr[data-line="result"] a').nth(2).tap()
    expect(phone.locator(".where")).to_have_text("Position 3 of 4")
    expect(phone.locator("[data-sum]")).to_have_text("7·1 + 5·2 + 9·3 = 44")
    opened(phone, "/lab/grid")
    phone.locator('[data-grid="result"] a').nth(5).tap()
    expect(phone.locator(".where")).to_have_text("Row 1, column 2")
    phone.locator('[data-grid="pooled"] a').nth(3).tap()
    expect(phone.locator("[data-pool]")).to_contain_text("Row 1, column 1: the largest of 4, 3, 3")


def test_sizes_change_with_the_numbers_kept(page: Page) -> None:
    opened(page, "/lab/grid")
    page.locator("#size-5").check(force=True)
    expect(page.locator('input[name="kernel"]')).to_have_count(25)
    expect(page.locator('input[name="kernel"]').nth(12)).to_have_value("1")
    expect(page.locator("#size-5")).to_be_focused()
    page.locator("#size-3").check(force=True)
    expect(page.locator('input[name="kernel"]')).to_have_count(9)
    expect(page).to_have_url(re.compile(r"/lab/grid$"))
    page.click('.presets a:has-text("Dot")')
    expect(page.locator('input[name="picture"]').nth(12)).to_have_value("1")
    expect(page.locator('input[name="picture"]').nth(0)).to_have_value("0")
    expect(page.locator('[data-grid="result"] td').nth(4)).to_have_text("1")


def test_the_address_brings_everything_back(page: Page) -> None:
    opened(page, "/lab/grid")
    page.locator("#stride-2").check(force=True)
    page.locator("#mode-average").check(force=True)
    page.locator('input[name="kernel"]').nth(4).fill("-2,5")
    expect(page).to_have_url(re.compile(r"-2\.5"))
    page.locator('[data-grid="result"] a').nth(3).click()
    expect(page.locator(".where")).to_have_text("Row 1, column 1")
    before = page.locator("#results").inner_text()
    page.reload()
    page.wait_for_function(READY)
    assert page.locator("#results").inner_text() == before
    expect(page.locator("#stride-2")).to_be_checked()
    expect(page.locator("#mode-average")).to_be_checked()
    expect(page.locator('input[name="kernel"]').nth(4)).to_have_value("-2.5")


def test_a_photo_of_ones_own_goes_through_a_kernel_of_ones_own(page: Page) -> None:
    opened(page, "/lab/photo")
    page.set_input_files(
        "#own-photo input[type=file]", files=[payload(picture("cat", 120), "mine.png")]
    )
    expect(page).to_have_url(re.compile(r"image=\w{32}$"))
    expect(page.locator('[data-part="photo"] figcaption')).to_contain_text("120×120")
    page.click('.presets a:has-text("Blur")')
    expect(page.locator("#by")).to_have_value("9")
    expect(page.locator('[data-part="result"] figcaption')).to_contain_text("Blur 118×118")
    page.locator('input[name="k"]').nth(4).fill("2")
    expect(page.locator('[data-part="result"] figcaption')).to_contain_text("Your own")
    expect(page).to_have_url(re.compile(r"kernel=own&k=1\+1\+1\+1\+2"))
    page.locator("#filter-7").click()
    expect(page.locator('[data-part="learned"] figcaption')).to_contain_text("Filter 7")
    expect(page.locator("[data-comparison]")).to_contain_text("filter 7")


def test_a_tap_on_the_photo_pins_the_pixel_there(page: Page) -> None:
    opened(page, "/lab/photo")
    page.set_input_files(
        "#own-photo input[type=file]", files=[payload(picture("cat", 42), "small.png")]
    )
    result = page.locator('svg[data-pin][viewBox="0 0 40 40"]')
    box = result.bounding_box()
    assert box
    # The centre of the pixel in row 10, column 30.
    result.click(position={"x": 30.5 * box["width"] / 40, "y": 10.5 * box["height"] / 40})
    expect(page).to_have_url(re.compile(r"y=10&x=30$"))
    expect(page.locator("[data-say]")).to_contain_text("Row 10, column 30")
    page.locator("#ArrowDown").click()
    expect(page.locator("[data-say]")).to_contain_text("Row 11, column 30")


@pytest.mark.parametrize("address", [*PAGES, "/lab/row?stride=0", "/lab/grid?padding=4&side=9"])
def test_axe_finds_nothing_in_the_lab(page: Page, address: str) -> None:
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    opened(page, address)
    assert violations_in_light_and_dark(page) == []


@pytest.mark.parametrize("address", [*PAGES, "/lab/row?padding=4", "/lab/grid?padding=4&side=9"])
def test_a_phone_never_scrolls_sideways(phone: Page, address: str) -> None:
    opened(phone, address)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.emulate_media(reduced_motion="reduce")
    assert violations(phone) == []


@pytest.mark.parametrize("address", PAGES)
def test_nothing_to_tap_is_small_and_no_text_is(phone: Page, address: str) -> None:
    opened(phone, address)
    small = phone.evaluate(
        """() => [...document.querySelectorAll('#lab :is(a, button, summary, label, td input)')]
          .filter(e => e.checkVisibility() && !e.closest('.vh'))
          .map(e => [e.getBoundingClientRect(), e.outerHTML.slice(0, 90)])
          .filter(([b]) => b.width < 40 || b.height < 40).map(([b, html]) => html)"""
    )
    assert small == []
    tiny = phone.evaluate(
        """() => [...document.querySelectorAll('#lab *')]
          .filter(e => e.checkVisibility() && e.innerText?.trim() && !e.children.length)
          .filter(e => parseFloat(getComputedStyle(e).fontSize) < 14)
          .map(e => e.outerHTML.slice(0, 90))"""
    )
    assert tiny == []


def test_without_script_links_and_the_button_do_it(browser: Browser, base_url: str) -> None:
    plain = browser.new_context(java_script_enabled=False, base_url=base_url)
    made = plain.new_page()
    made.goto("/lab/row")
    made.locator('input[name="row"]').nth(5).fill("8")
    made.click("text=Compute")
    assert results(made)[3] == "47"
    made.click("text=On →")
    assert made.locator(".where").inner_text() == "Position 2 of 4"
    plain.close()
