"""What becomes of an attack, in a browser: switches, sliders, charts, histograms, on a phone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import violations_in_light_and_dark

READY = "() => document.querySelector('main form')?._htmx && document.readyState === 'complete'"
PHOTO = "model=mini&image=cat"


@pytest.fixture(scope="session")
def pair(browser: Browser, base_url: str) -> str:
    """The cat, attacked once for all tests."""
    context = browser.new_context(base_url=base_url)
    asked = {"model": "mini", "image": "cat", "method": "pgd", "epsilon": 4}
    answer: Any = context.request.post("/api/v1/attacks", data=asked).json()
    context.close()
    return f"{PHOTO}&attacked={answer['adversarial_image']}"


def opened(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function(READY)


def headline(page: Page) -> Any:
    return page.locator(".headline").first


def test_a_switch_changes_the_answer_and_the_address(page: Page, pair: str) -> None:
    opened(page, f"/attack/survive?{pair}")
    expect(headline(page)).to_contain_text("Nothing has happened yet")
    before = page.locator('[data-picture="attacked"] .chance').first.inner_text()
    source = page.locator('[data-picture="attacked"] img').get_attribute("src")
    page.get_by_label("Blur", exact=True).check()
    expect(headline(page)).not_to_contain_text("Nothing has happened")
    expect(page.locator("#survive-result")).to_contain_text("Done, in this order: Blur 0.8 px.")
    assert page.locator('[data-picture="attacked"] .chance').first.inner_text() != before
    assert page.locator('[data-picture="attacked"] img').get_attribute("src") != source
    expect(page).to_have_url(re.compile(r"on=blur&blur=0\.8$"))
    # The link brings it all back.
    page.reload()
    expect(page.get_by_label("Blur", exact=True)).to_be_checked()
    expect(page.locator("#survive-result")).to_contain_text("Blur 0.8 px")
    page.get_by_label("Blur", exact=True).uncheck()
    expect(headline(page)).to_contain_text("Nothing has happened yet")


def test_a_slider_by_keyboard_switches_on_what_it_sets(page: Page, pair: str) -> None:
    opened(page, f"/attack/survive?{pair}")
    slider = page.locator("#survive-jpeg")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    expect(page.locator("#survive-on-jpeg")).to_be_checked()
    expect(page.locator('output[for="survive-jpeg"]')).to_contain_text("70")
    expect(page.locator("#survive-result")).to_contain_text("JPEG quality 70")
    expect(slider).to_be_focused()
    page.keyboard.press("Home")
    expect(page.locator("#survive-result")).to_contain_text("JPEG quality 5.")
    expect(headline(page)).to_have_attribute("data-fate", "broken")


def test_all_switches_together_in_their_order(page: Page, pair: str) -> None:
    opened(page, f"/attack/survive?{pair}")
    for id in ("jpeg", "flip", "brightness"):
        page.locator(f"#survive-on-{id}").check()
    expect(page.locator("#survive-result")).to_contain_text(
        "Done, in this order: Flip, Brightness 140 %, JPEG quality 75."
    )


def test_the_table_of_each_thing_alone_comes_by_itself(page: Page, pair: str) -> None:
    opened(page, f"/attack/survive?{pair}")
    expect(page.locator(".fates tbody tr")).to_have_count(21)
    expect(page.locator("[data-summary]")).to_contain_text("Of 21 changes to both")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save as CSV").click()
    assert saved.value.suggested_filename == "layerscope-survives.csv"


def test_the_photo_follows_its_sliders(page: Page) -> None:
    opened(page, f"/attack/change?{PHOTO}")
    expect(headline(page)).to_contain_text("As it is: “tabby cat”")
    slider = page.locator("#change-turn")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(headline(page)).to_contain_text("Still “tabby cat”")
    page.keyboard.press("End")
    expect(headline(page)).to_contain_text("has become")
    expect(page.locator('output[for="change-turn"]')).to_contain_text("180")
    expect(page).to_have_url(re.compile(r"turn=180$"))
    page.get_by_label("Flip left and right").check()
    expect(page).to_have_url(re.compile(r"turn=180&flip=1$"))
    page.get_by_role("link", name="Reset all").click()
    expect(headline(page)).to_contain_text("As it is")
    expect(page.locator("#change-turn")).to_have_value("0")


def test_every_slider_has_its_curve_and_the_border_in_words(page: Page) -> None:
    opened(page, f"/attack/change?{PHOTO}")
    expect(page.locator("svg.curve")).to_have_count(5)
    expect(page.locator("#change-chart-turn")).to_contain_text(
        re.compile(r"Turned by \d+° to the left it becomes “")
    )
    expect(page.locator("#change-charts")).to_contain_text("Flipped it stays “tabby cat”")
    # As wide as the way of the slider's thumb, so that it stands under its point.
    slider, curve = (
        page.locator(css).bounding_box() for css in ("#change-turn", "#change-chart-turn svg")
    )
    assert slider and curve
    assert abs((slider["x"] + 8) - curve["x"]) <= 2
    assert abs((slider["width"] - 16) - curve["width"]) <= 4
    assert page.locator("#change-chart-contrast .turns").count() >= 1


def test_black_corners_instead_of_the_mirror(page: Page) -> None:
    opened(page, f"/attack/change?{PHOTO}&turn=45")
    page.get_by_role("link", name="Black instead").click()
    expect(page.locator("#change-now")).to_contain_text("beyond the photo’s edge shows black")
    expect(page.locator("#change-turn")).to_have_value("45")
    expect(page.locator("#change-now img")).to_have_attribute("src", re.compile("edge=black"))
    page.locator("#change-turn").press("ArrowRight")
    expect(page.locator("#change-now img")).to_have_attribute(
        "src", re.compile("turn=46.*edge=black")
    )


def test_the_histogram_stands_with_its_marks(page: Page, pair: str) -> None:
    page.goto(f"/attack/unusual?{pair}")
    first = page.locator("svg.histogram").first
    expect(first).to_be_visible()
    assert first.locator("rect").count() == 40
    for mark in ("clean", "attacked", "noise"):
        expect(first.locator(f"line.{mark}")).to_have_count(1)
    box = first.bounding_box()
    assert box and box["height"] >= 100 and box["width"] >= 300
    expect(page.locator(".stands li").first).to_contain_text("reference photos")


def test_the_others_answer_one_after_the_other(page: Page, pair: str) -> None:
    page.goto(f"/attack/transfer?{pair}")
    other = page.locator('[id="transfer-own-squeezenet1_1-seeded"]')
    expect(other.locator("img")).to_have_count(3)
    expect(other).to_have_attribute("data-verdict", "elsewhere")
    expect(other).to_contain_text("It already says")


def test_the_explorer_leads_there(page: Page) -> None:
    page.goto("/?image=sketch-cat")
    page.get_by_role("link", name="More unusual than 97 % of photos").click()
    expect(headline(page)).to_contain_text("unusual in style")
    expect(page.locator("svg.histogram").first).to_be_visible()


def test_the_panels_open_under_an_attack(page: Page) -> None:
    page.goto(f"/attack?{PHOTO}&method=pgd&epsilon=4&run=1")
    if page.locator("#panel-survive").count() == 0:
        page.locator("#run").click()
    page.locator("#panel-survive summary").click()
    expect(page.locator("#panel-survive .headline")).to_contain_text("Nothing has happened yet")
    address = page.url
    page.locator("#survive-on-jpeg").check()
    expect(page.locator("#survive-result")).to_contain_text("JPEG quality 75")
    # The address is the attack's.
    assert page.url == address
    page.locator("#panel-change summary").click()
    expect(page.locator("#panel-change svg.curve")).to_have_count(5)
    page.locator("#panel-unusual summary").click()
    expect(page.locator("#panel-unusual svg.histogram").first).to_be_visible()


def test_axe_finds_nothing(page: Page, pair: str) -> None:
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    opened(page, f"/attack/survive?{pair}&on=jpeg")
    expect(page.locator(".fates tbody tr")).to_have_count(21)
    assert violations_in_light_and_dark(page) == []
    opened(page, f"/attack/change?{PHOTO}&turn=60")
    expect(page.locator("svg.curve")).to_have_count(5)
    assert violations_in_light_and_dark(page) == []
    page.goto(f"/attack/unusual?{pair}")
    page.get_by_text("More scores").click()
    assert violations_in_light_and_dark(page) == []
    page.goto(f"/attack/transfer?{pair}")
    expect(page.locator(".other-network img").first).to_be_visible()
    page.get_by_text("Not asked").click()
    assert violations_in_light_and_dark(page) == []


@pytest.mark.parametrize("panel", ["survive", "change", "unusual", "transfer"])
def test_on_a_phone_nothing_is_wider_than_it(phone: Page, pair: str, panel: str) -> None:
    phone.goto(f"/attack/{panel}?{pair}")
    expect(phone.locator("main img").first).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_on_a_phone_the_answer_stays_in_sight(phone: Page, pair: str) -> None:
    opened(phone, f"/attack/survive?{pair}")
    last = phone.locator("#survive-on-jpeg")
    last.scroll_into_view_if_needed()
    label = phone.locator("label.tick").last
    box = label.bounding_box()
    assert box and box["height"] >= 44
    label.tap()
    expect(headline(phone)).to_be_in_viewport()
    expect(headline(phone)).not_to_contain_text("Nothing has happened")


def test_without_javascript_forms_and_links_do_it(
    browser: Browser, base_url: str, pair: str
) -> None:
    context = browser.new_context(base_url=base_url, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/attack/survive?{pair}")
    page.locator("#survive-on-jpeg").check()
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#survive-result")).to_contain_text("JPEG quality 75")
    page.get_by_role("link", name="Try every change").click()
    expect(page.locator(".fates tbody tr")).to_have_count(21)
    page.goto(f"/attack/change?{PHOTO}")
    page.get_by_role("link", name="Draw every slider").click()
    expect(page.locator("svg.curve")).to_have_count(5)
    page.goto(f"/attack/transfer?{pair}")
    page.get_by_role("link", name="Ask it").first.click()
    expect(page.locator(".sentence")).to_be_visible()
    context.close()
