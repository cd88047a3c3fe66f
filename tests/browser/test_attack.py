"""Fool it in a real browser: a first click, sliders, names, files, panels, a phone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.web.attack.panels import attack_panels
from app.web.panel_registry import PANELS
from tests.support.attack_in_browser import drawn, ended, headline, quick
from tests.support.browser import (
    Watch,
    picture,
    query,
    upload,
    violations,
    violations_in_light_and_dark,
)
from tests.support.waiting import HANG

LAST = {"sweep": "[data-done]", "survive": ".fates tr", "transfer": ".sentence", "change": ".curve"}
"""What comes last in a panel that goes on loading when it is open."""


def test_the_first_click_flips_and_the_control_does_not(page: Page) -> None:
    page.goto("/attack")
    # What the stage says on the way is over before a busy machine has looked.
    page.evaluate(
        """() => { window.said = []; new MutationObserver(() => {
          const words = document.querySelector('[data-out="words"]')?.textContent;
          if (words && words !== window.said.at(-1)) window.said.push(words);
        }).observe(document.getElementById('stage'), {childList: true, subtree: true}); }"""
    )
    page.click("#run")
    ended(page)
    said: list[str] = page.evaluate("window.said.filter(one => !one.startsWith('Waiting'))")
    assert said[0].startswith("As it was: “tabby cat”")
    assert [int(one.split()[1][:-1]) for one in said[1:]] == list(range(1, 11))
    assert sum("here it flips" in one for one in said) == 1
    assert headline(page).startswith("Fooled: “tabby cat” has become “teapot”")
    drawn(page)
    control = page.locator("#control")
    expect(control).to_contain_text("still “tabby cat”")
    expect(control.locator("img")).to_have_count(2)
    expect(page.locator(".moment.flips")).to_have_count(1)
    assert query(page)["run"] == "1" and "step" not in query(page)
    # All that matters is on one screen.
    for part in ("#run", "#ending .headline", ".attacked .frame", "#scrub", "#control"):
        box = page.locator(part).bounding_box()
        assert box and box["y"] >= 0 and box["y"] + box["height"] <= 900, part


def test_the_slider_goes_up_until_the_espresso_falls(page: Page) -> None:
    quick(page)
    page.goto("/attack?image=coffee")
    page.click("#run")
    ended(page)
    assert headline(page).startswith("Not fooled: it still says “espresso”")
    page.focus("#epsilon")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(page.locator('output[for="epsilon"]')).to_have_text("8 of 255")
    # What is on the stage belongs to the old settings, and says so.
    expect(page.locator("#scene[data-stale]")).to_have_count(1)
    page.click("#run")
    page.wait_for_url("**epsilon=8**")
    ended(page)
    assert headline(page).startswith("Fooled: “espresso” has become")
    expect(page.locator("#scene[data-stale]")).to_have_count(0)


def test_a_target_is_found_by_its_name_and_an_unknown_one_names_the_nearest(page: Page) -> None:
    quick(page)
    page.goto("/attack")
    page.click("#run")
    ended(page)
    page.fill("#target", "skool bus")
    page.keyboard.press("Enter")
    expect(page.locator("#problem")).to_contain_text("The nearest are: school bus")
    assert headline(page).startswith("Fooled"), "what was on the stage stays"
    page.fill("#target", "school bus")
    page.keyboard.press("Enter")
    page.wait_for_url("**target=school+bus**")
    ended(page)
    assert headline(page).startswith("Target reached: it now says “school bus”")
    expect(page.locator("#problem .warn")).to_have_count(0)
    expect(page.locator('[data-out="now"].goal')).to_have_count(1)


def test_another_method_brings_its_own_settings(page: Page) -> None:
    page.goto("/attack")
    page.focus("#method")
    page.select_option("#method", "pgd_l2")
    expect(page.locator('output[for="epsilon"]')).to_have_text("166 L2")
    expect(page.locator("#method")).to_be_focused()
    page.select_option("#method", "deepfool")
    expect(page.locator("#epsilon")).to_have_count(0)
    page.select_option("#method", "pgd")
    expect(page.locator('output[for="epsilon"]')).to_have_text("4 of 255")


def test_another_picture_is_shown_before_it_is_attacked(page: Page) -> None:
    page.goto("/attack")
    page.locator('input[name="image"][value="monarch"]').check(force=True)
    expect(page.locator(".original figcaption")).to_contain_text("Monarch butterfly")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".original figcaption")).to_contain_text("Bell pepper")
    page.wait_for_function(
        "() => document.querySelector('[data-out=original]').src.includes('bell-pepper')"
    )


def test_the_saved_picture_uploaded_again_fools_again(page: Page, tmp_path: Path) -> None:
    quick(page)
    page.goto("/attack?image=cat&run=1")
    ended(page)
    first = page.locator('[data-out="now"]').inner_text()
    with page.expect_download() as saving:
        page.click("text=Attacked picture, 64×64 PNG")
    saved = tmp_path / "attacked.png"
    saving.value.save_as(saved)
    upload(page, saved.read_bytes(), "attacked.png")
    page.wait_for_url(re.compile(r"image=[0-9a-f]{32}"))
    expect(page.locator('input[name="image"]:checked')).to_have_attribute(
        "data-title", "attacked.png"
    )
    page.goto(f"{page.url}&epsilon=0&run=1")
    ended(page)
    assert page.locator('[data-out="was"]').inner_text() == first
    assert headline(page).startswith("Nothing happened")
    expect(page.locator("#link-expires")).to_contain_text("deleted in 24 hours")
    page.click("text=Look at it in the explorer")
    expect(page.locator("#verdict strong")).to_have_text("teapot")
    image = query(page)["image"]
    page.click("text=Try to fool it")
    expect(page.locator('input[name="image"]:checked')).to_have_value(image)


def test_a_picture_of_ones_own_keeps_what_was_set(page: Page, watch: Watch) -> None:
    page.goto("/attack?method=fgsm&epsilon=7")
    page.fill("#target", "lemon")
    upload(page, picture("banana", 150), "mine.png")
    page.wait_for_url(re.compile(r"image=[0-9a-f]{32}&method=fgsm&epsilon=7&target=lemon"))
    expect(page.locator(".original figcaption")).to_contain_text("mine.png")
    watch.expected = ("415",)
    upload(page, b"no picture", "mine.txt")
    expect(page.locator(".notice")).to_contain_text("not a picture we can read")
    expect(page.locator("#upload .say")).to_have_text("Yours")


def test_the_keys_are_told(page: Page) -> None:
    page.goto("/attack")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    expect(page.locator("#help")).to_contain_text("play or pause the steps")


def test_without_javascript_the_form_runs_and_steps_have_pages(
    browser: Browser, base_url: str
) -> None:
    context = browser.new_context(base_url=base_url, java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(HANG * 1000)
    page.goto("/attack?image=cat")
    page.click("#run")
    expect(page.locator("#ending .headline")).to_contain_text("Fooled: “tabby cat”")
    expect(page.locator("#moments .to")).to_have_count(11)
    page.click("#moments .to >> nth=3")
    expect(page.locator('[data-out="words"]')).to_contain_text("Step 3:")
    expect(page.locator("#wipe")).to_be_hidden()
    context.close()


def test_a_finger_runs_and_scrubs_on_a_phone(phone: Page) -> None:
    phone.emulate_media(reduced_motion="reduce")
    phone.goto("/attack")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.locator("#run").tap()
    phone.wait_for_selector('#scene[data-at="end"]')
    expect(phone.locator("#ending .headline")).to_be_in_viewport()
    phone.locator('[data-act="back"]').tap()
    expect(phone.locator('[data-out="words"]')).to_contain_text("Step 9:")
    box = phone.locator("#scrub").bounding_box()
    assert box
    phone.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(phone.locator('[data-out="words"]')).to_contain_text("Step 5:")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(phone) == []
    small = phone.evaluate(
        """() => [...document.querySelectorAll('#attack :is(button, select, .button, summary)')]
          .filter(e => e.checkVisibility())
          .map(e => [e.getBoundingClientRect(), e.outerHTML.slice(0, 90)])
          .filter(([b]) => b.width < 24 || b.height < 30).map(([b, html]) => html)"""
    )
    assert small == []


@pytest.mark.parametrize(
    "address", ["/attack", "/attack?image=cat&run=1", "/attack?image=coffee&epsilon=2&run=1"]
)
def test_axe_finds_nothing(page: Page, address: str) -> None:
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(address)
    if "run" in address:
        ended(page)
    assert violations_in_light_and_dark(page) == []
    page.click(".more > summary")
    assert violations_in_light_and_dark(page) == []


@pytest.mark.parametrize("width", [1440, 1024, 768, 390])
def test_the_page_never_scrolls_sideways(page: Page, width: int) -> None:
    quick(page)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/attack?image=cat&run=1")
    ended(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_no_open_panel_makes_the_phone_page_scroll_sideways(phone: Page) -> None:
    phone.emulate_media(reduced_motion="reduce")
    phone.goto("/attack?image=cat&run=1")
    ended(phone)
    for panel in attack_panels(PANELS):
        inside = phone.locator(f"#panel-{panel.id} > .inside")
        phone.locator(f"#panel-{panel.id} > summary").tap()
        expect(inside.locator(":scope > :not(.wait)")).to_be_visible()
        if last := LAST.get(panel.id):
            expect(inside.locator(last).last).to_be_attached()
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390, panel.id
    # Nothing is cut off either: a wide table scrolls in a box of its own.
    clipped = "all => all.filter(e => getComputedStyle(e).overflowX !== 'visible').length"
    assert phone.locator(".attack-panel > .inside").evaluate_all(clipped) == 0


def test_in_a_panel_on_a_phone_the_answer_stays_in_sight(phone: Page) -> None:
    phone.emulate_media(reduced_motion="reduce")
    phone.goto("/attack?image=cat&run=1")
    ended(phone)
    phone.locator("#panel-survive > summary").tap()
    expect(phone.locator("#panel-survive .fates tbody tr")).to_have_count(21)
    phone.locator("#survive-on-jpeg").scroll_into_view_if_needed()
    phone.locator("#survive label.tick").last.tap()
    answer = phone.locator("#survive-result .headline")
    expect(answer).not_to_contain_text("Nothing has happened")
    expect(answer).to_be_in_viewport()
