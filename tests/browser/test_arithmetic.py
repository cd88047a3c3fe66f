"""The third zoom: the sliding window, the factors, the chain, the vote, the shares."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from app.web.core.templating import number
from tests.support.browser import settled, violations, violations_in_light_and_dark

CONV = "/?step=conv2&channel=58&y=3&x=5&zoom=arithmetic"


def opened(page: Page, address: str) -> Any:
    """The pane, with the numbers that its window slices."""
    page.goto(address)
    settled(page)
    pane = page.locator(".deep-pane")
    if page.locator(".scan").count():
        page.wait_for_selector(".deep-pane[data-numbers]")
    return pane


def values(page: Page, step: str, channel: int) -> np.ndarray[Any, Any]:
    """What the network has, from the API."""
    answer = page.request.get(f"/api/v1/runs/mini/coffee/steps/{step}.npy?channel={channel}")
    found: np.ndarray[Any, Any] = np.load(io.BytesIO(answer.body()))
    return found


def shown(page: Page, name: str) -> str:
    return page.locator(f'.deep-pane [data-out="{name}"]').first.inner_text()


def products(page: Page) -> list[float]:
    texts = page.locator('[data-grid="products"] td').all_inner_texts()
    return [float(text.replace("−", "-")) for text in texts]


def test_from_a_map_to_its_arithmetic_and_back(page: Page) -> None:
    page.goto("/?step=conv2&channel=58")
    settled(page)
    page.click(".zooms >> text=Arithmetic")
    pane = page.locator(".deep-pane")
    expect(pane).to_contain_text("What 64 input maps add")
    expect(page).to_have_url(re.compile("zoom=arithmetic"))
    expect(page.locator("#card-conv2")).to_be_visible()
    expect(pane.locator(".sums tr[data-input]")).to_have_count(64)
    page.keyboard.press("Escape")
    expect(page.locator(".unit-pane h2")).to_contain_text("Map 58")
    assert "zoom" not in page.url
    page.keyboard.press("c")
    expect(page.locator(".chain")).to_be_visible()
    page.keyboard.press("a")
    expect(page.locator(".multiply")).to_be_visible()
    page.go_back()
    expect(page.locator(".chain")).to_be_visible()


def test_the_window_slides_and_the_output_fills_in(page: Page) -> None:
    opened(page, CONV)
    exact = values(page, "conv2", 58)
    page.locator("[data-scan-speed]").fill("5")
    page.click('[data-scan-do="first"]')
    page.wait_for_url(re.compile("y=0&x=0"))
    page.wait_for_selector(".deep-pane[data-numbers]")
    page.click('[data-scan-do="play"]')
    expect(page.locator('[data-scan-do="play"]')).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("() => Number(document.querySelector('.scan-out').ariaValueNow) > 20")
    # The part that the window has passed is shown, the rest is not.
    assert not page.locator("#seen path").get_attribute("d").startswith("M0 0H16V16")  # type: ignore[union-attr]
    page.click('[data-scan-do="play"]')
    page.wait_for_url(re.compile(r"y=[1-9]\d*&x=\d+"))
    y, x = (int(n) for n in re.findall(r"[yx]=(\d+)", page.url))
    expect(page.locator('.deep-pane h2 [data-out="value"]')).to_have_text(number(exact[y, x]))


def test_the_numbers_that_are_shown_while_sliding_add_up(page: Page) -> None:
    opened(page, CONV)
    exact = values(page, "conv2", 58)
    before = page.url
    output = page.locator(".scan-out")
    box = output.bounding_box()
    assert box
    side = min(box["width"], box["height"])
    left = box["x"] + (box["width"] - side) / 2
    page.mouse.move(left + side * 9.5 / 16, box["y"] + side * 6.5 / 16)
    assert (shown(page, "y"), shown(page, "x")) == ("6", "9")
    assert shown(page, "value") == number(exact[6, 9])
    bias = float(page.locator(".sum-line span").nth(1).locator("b").inner_text().replace("−", "-"))
    total = float(shown(page, "sum").replace("−", "-"))
    assert total + bias == pytest.approx(float(exact[6, 9]), abs=0.02)
    assert page.url == before
    # Only looked: away from the map the pinned cell comes back.
    page.mouse.move(5, 5)
    assert (shown(page, "y"), shown(page, "x")) == ("3", "5")
    page.mouse.click(left + side * 9.5 / 16, box["y"] + side * 6.5 / 16)
    page.wait_for_url(re.compile("y=6&x=9"))
    expect(page.locator("[data-say]")).to_contain_text("row 6, column 9")


def test_the_client_slices_what_the_server_says(page: Page) -> None:
    opened(page, CONV)
    page.locator(".scan-out").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    # Before the server has been asked, and after.
    sliced = (products(page), shown(page, "value"), shown(page, "sum"))
    page.wait_for_url(re.compile("y=4&x=6"))
    expect(page.locator("[data-say]")).to_contain_text("row 4, column 6")
    assert (products(page), shown(page, "value"), shown(page, "sum")) == sliced
    expect(page.locator(".scan-out")).to_be_focused()


def test_the_window_is_dragged_over_the_input(page: Page) -> None:
    opened(page, "/?step=pool1&channel=5&y=0&x=0&zoom=arithmetic")
    box = page.locator(".scan-in").bounding_box()
    assert box
    centre = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(centre[0] - 60, centre[1] - 60)
    page.mouse.down()
    page.mouse.move(centre[0], centre[1], steps=4)
    assert shown(page, "y") in ("7", "8")
    page.mouse.up()
    page.wait_for_url(re.compile(r"y=[78]&x=[78]"))
    window = [
        float(text) for text in page.locator('[data-grid="patch"] td').all_inner_texts() if text
    ]
    assert number(max(window)) == shown(page, "value")
    expect(page.locator('[data-grid="patch"] .winner')).to_have_count(1)


def test_a_number_names_its_three_factors(page: Page) -> None:
    opened(page, CONV)
    page.locator('[data-grid="kernel"] td').nth(12).hover()
    text = page.locator('[data-out="factors"]').inner_text()
    found = re.search(r"row (\d+), column (\d+): (\S+) × (\S+) = (\S+)", text)
    assert found, text
    given, weight, product = (float(n.replace("−", "-")) for n in found.groups()[2:])
    assert given * weight == pytest.approx(product, rel=0.02)
    assert (found[1], found[2]) == ("3", "5")
    expect(page.locator(".multiply [data-lit]")).to_have_count(3)
    expect(page.locator(".scan .pixel")).to_be_visible()


def test_factors_are_chosen_by_keyboard(page: Page) -> None:
    opened(page, CONV)
    page.locator(".multiply").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    # Row 1, column 1 of a window whose first cell is row 1, column 3 of the map.
    expect(page.locator('[data-out="factors"]')).to_contain_text("row 2, column 4:")
    expect(page).to_have_url(re.compile("channel=58&y=3&x=5"))


def test_every_input_map_can_be_looked_at(page: Page) -> None:
    pane = opened(page, CONV)
    last = pane.locator(".sums tr[data-input] a").last
    name = last.inner_text()
    last.click()
    expect(pane.locator(".multiply figcaption").first).to_contain_text(name)
    expect(page).to_have_url(re.compile(r"source=\d+"))
    # The map that is looked at stays while the window moves.
    page.wait_for_selector(".deep-pane[data-numbers]")
    page.click('[data-scan-do="next"]')
    page.wait_for_url(re.compile("x=6"))
    expect(pane.locator(".multiply figcaption").first).to_contain_text(name)


def test_seven_by_seven_kernels_are_colours_with_their_numbers_at_hand(page: Page) -> None:
    opened(page, "/?step=conv1&channel=4&zoom=arithmetic")
    expect(page.locator('[data-grid="patch"] td')).to_have_count(49)
    page.locator('[data-grid="products"] td').nth(24).hover()
    expect(page.locator('[data-out="factors"]')).to_contain_text("×")


def test_a_shift_is_shown_before_and_after_pooling(page: Page) -> None:
    opened(page, "/?step=pool1&channel=5&zoom=arithmetic")
    page.click(".arrows button:has-text('right')")
    table = page.locator(".moved")
    expect(table.locator("caption")).to_have_text("The picture moved 1 px right")
    expect(table.locator("svg")).to_have_count(4)
    page.click("#shifted a")
    expect(page).to_have_url(re.compile("image=(?!coffee)"))
    expect(page.locator(".title")).to_contain_text("shifted 1 px right")


def test_the_chain_goes_down_to_the_photo_and_another_way(page: Page) -> None:
    pane = opened(page, "/?step=conv5&channel=83&zoom=chain")
    expect(pane.locator(".links > li")).to_have_count(11)
    expect(pane.locator(".nested")).to_have_count(5)
    sizes = [float(one.get_attribute("width") or 0) for one in pane.locator(".nested").all()]
    assert sizes == sorted(sizes, reverse=True)
    expect(pane.locator(".meets svg")).to_have_count(2)
    first = pane.locator(".links li.adds").first
    first.hover()
    expect(pane.locator(".nested[data-lit]")).to_have_count(1)
    before = pane.locator(".links > li").nth(1).inner_text()
    first.locator("tbody a").nth(1).click()
    expect(page).to_have_url(re.compile("path=1"))
    expect(pane.locator(".links > li").nth(1)).not_to_have_text(before)
    page.go_back()
    expect(pane.locator(".links > li").nth(1)).to_have_text(before)
    settled(page)
    # A link of the chain leads to that cell's own arithmetic.
    pane.locator(".links li.adds > p a").nth(1).click()
    expect(page.locator(".multiply")).to_be_visible()
    expect(page).to_have_url(re.compile("step=conv4"))
    assert "path" not in page.url


def test_a_class_is_traced_to_the_cells_that_paid(page: Page) -> None:
    pane = opened(page, "/?step=softmax&channel=97&zoom=arithmetic")
    pane.locator('.fraction .bottom [data-term="97"]').hover()
    expect(pane.locator('.shares tr[data-term="97"]')).to_have_attribute("data-lit", "")
    expect(page.locator('.map.class[data-channel="97"]')).to_have_attribute("data-lit", "")
    pane.locator(".panel summary", has_text="made this score").click()
    expect(pane.locator(".paid .map-image")).to_be_visible()
    expect(pane.locator(".panel .terms")).to_contain_text("score of espresso")
    page.click("text=who voted for espresso")
    expect(page.locator(".votes")).to_be_visible()
    expect(page).to_have_url(re.compile("step=fc7&channel=97"))
    page.locator(".votes a").first.click()
    expect(page.locator(".formula")).to_contain_text("max(0,")


def test_what_drives_a_unit_is_shown_under_its_map(page: Page) -> None:
    page.goto("/?image=cat&step=conv5&channel=83&y=3&x=4")
    settled(page)
    page.locator(".panel", has_text="What in the picture drives it").locator("summary").click()
    figures = page.locator(".projections figure")
    expect(figures).to_have_count(4)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.projections img')].every(i => i.naturalWidth === 64)"
    )
    # A click on Grad-CAM's photo is no click on the map.
    figures.last.locator("svg").click()
    expect(page).to_have_url(re.compile("y=3&x=4$"))
    assert violations(page) == []


def test_the_arithmetic_is_taken_home(page: Page) -> None:
    opened(page, CONV)
    for words, kind in (("Save as PNG", "png"), ("Save every number as CSV", "csv")):
        with page.expect_download() as caught:
            page.click(f".take >> text={words}")
        with open(caught.value.path(), "rb") as file:
            data = file.read()
        assert caught.value.suggested_filename.endswith(kind)
        if kind == "png":
            assert Image.open(io.BytesIO(data)).width > 600
        else:
            assert data.count(b"\n") > 1600


def test_the_deep_pane_works_by_touch(phone: Page) -> None:
    phone.goto(CONV)
    settled(phone)
    phone.wait_for_selector(".deep-pane[data-numbers]")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    output = phone.locator(".scan-out")
    output.scroll_into_view_if_needed()
    box = output.bounding_box()
    assert box
    phone.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    phone.wait_for_url(re.compile(r"y=[78]&x=[78]"))
    phone.locator('[data-grid="patch"] td').nth(3).tap()
    expect(phone.locator('[data-out="factors"]')).to_contain_text("×")


@pytest.mark.parametrize(
    "address",
    [
        CONV,
        "/?step=relu2&channel=58&zoom=arithmetic",
        "/?step=pool1&channel=5&zoom=arithmetic",
        "/?step=softmax&channel=97&zoom=arithmetic",
        "/?step=fc6&channel=9&zoom=arithmetic",
        "/?step=conv5&channel=83&zoom=chain",
    ],
)
def test_axe_finds_nothing(page: Page, address: str) -> None:
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    opened(page, address)
    assert violations_in_light_and_dark(page) == []
