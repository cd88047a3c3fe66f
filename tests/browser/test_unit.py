"""A unit, a step, the URL, the keyboard."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.browser import picture, settled, upload


def test_a_selected_map_shows_its_map_field_and_figures(page: Page) -> None:
    page.goto("/")
    settled(page)
    strongest = page.locator("#card-conv2 .map").first
    channel = strongest.get_attribute("data-channel")
    strongest.click()
    pane = page.locator(".unit-pane")
    expect(pane.locator("h2")).to_contain_text(f"Map {channel}")
    expect(page).to_have_url(re.compile(f"step=conv2&channel={channel}$"))
    expect(pane).to_contain_text("rank 1 of 192")
    expect(pane.locator(".terms .sum")).to_be_visible()
    field = page.locator(".photo .field")
    expect(field).to_be_visible()
    assert float(field.get_attribute("width") or 0) > 5
    expect(page.locator("#card-conv2 .map").first).to_have_attribute("aria-current", "true")


def test_the_value_under_the_pointer_is_the_float_in_the_tensor(page: Page) -> None:
    page.goto("/?step=relu1&channel=19")
    settled(page)
    with page.expect_response(re.compile("relu1.npy")) as caught:
        page.reload()
    values = np.load(io.BytesIO(caught.value.body()))
    scope = page.locator(".scope")
    box = scope.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.61, box["y"] + box["height"] * 0.37)
    y = int(page.locator('[data-out="y"]').inner_text())
    x = int(page.locator('[data-out="x"]').inner_text())
    assert (10 <= y <= 13) and (18 <= x <= 21)
    expect(page.locator('[data-out="value"]')).to_have_text(
        str(float(f"{values[y, x]:.3g}")).replace("-", "−").removesuffix(".0")
    )


def test_a_tap_pins_a_cell_and_the_summands_follow(page: Page) -> None:
    page.goto("/?step=conv3&channel=26")
    settled(page)
    box = page.locator(".scope").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.8)
    page.wait_for_url(re.compile(r"y=\d+&x=\d+"))
    caption = page.locator(".terms caption", has_text="The terms of the sum")
    found = re.search(r"y=(\d+)&x=(\d+)", page.url)
    assert found
    expect(caption).to_contain_text(f"row {found[1]}, column {found[2]}")


def test_a_link_opens_what_it_names_and_back_goes_back(page: Page) -> None:
    page.goto("/?image=cat&step=conv4&channel=100&scale=layer")
    settled(page)
    expect(page.locator(".unit-pane h2")).to_contain_text("Map 100")
    expect(page.locator("#verdict strong")).to_have_text("tabby cat")
    page.locator("#card-conv1 .map").first.click()
    expect(page.locator(".unit-pane .over")).to_contain_text("conv1")
    page.click("a[data-image=coffee]")
    expect(page.locator("#verdict strong")).to_have_text("espresso")
    expect(page.locator(".unit-pane .over")).to_contain_text("conv1")
    page.go_back()
    expect(page.locator("#verdict strong")).to_have_text("tabby cat")
    page.go_back()
    expect(page.locator(".unit-pane h2")).to_contain_text("Map 100")
    settled(page)


def test_the_keyboard_goes_everywhere(page: Page) -> None:
    page.goto("/")
    settled(page)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".unit-pane .over")).to_contain_text("conv1 · rank 1 of 64")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".unit-pane .over")).to_contain_text("rank 2 of 64")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".unit-pane .over")).to_contain_text("rank 1 of 64")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".unit-pane .over")).to_contain_text("relu1")
    page.keyboard.press("Escape")
    expect(page.locator(".step-pane h2")).to_contain_text("relu1")
    page.keyboard.press("Escape")
    expect(page.locator(".welcome")).to_be_visible()
    assert "step=" not in page.url
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()


def test_tab_and_enter_select_a_map(page: Page) -> None:
    page.goto("/")
    settled(page)
    page.locator("#card-pool1 .map").nth(2).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".unit-pane .over")).to_contain_text("pool1")


def test_a_click_on_empty_space_steps_back(page: Page) -> None:
    page.goto("/?step=conv5&channel=23")
    settled(page)
    box = page.locator("#river").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] - 6, box["y"] + box["height"] - 6)
    expect(page.locator(".step-pane h2")).to_contain_text("conv5")


def test_a_step_shows_words_mathematics_kernels_and_all_channels(page: Page) -> None:
    page.goto("/")
    settled(page)
    page.click("#card-conv1 h3 a")
    pane = page.locator(".step-pane")
    expect(pane).to_contain_text("Edges and colours")
    expect(pane.locator(".kernel")).to_have_count(64)
    expect(pane.locator(".all .map")).to_have_count(64)
    pane.locator("summary").first.click()
    expect(pane.locator("pre")).to_contain_text("Σ")


def test_maps_and_tables_can_be_saved(page: Page) -> None:
    page.goto("/?step=conv2&channel=58")
    settled(page)
    with page.expect_download() as saved:
        page.click("text=Save map as PNG")
    with Image.open(saved.value.path()) as image:
        assert image.size == (256, 256)
    assert saved.value.suggested_filename == "mini-coffee-conv2-58.png"
    with page.expect_download() as saved:
        page.click("text=Save values as CSV")
    rows = list(csv.reader(saved.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == 17
    assert len(rows[1]) == 17


def test_a_stage_folds_and_unfolds(page: Page) -> None:
    page.goto("/")
    settled(page)
    chip = page.locator('.stage[data-stage="1"] > summary')
    chip.click()
    expect(page.locator("#card-conv1 .map").first).to_be_hidden()
    expect(chip).to_be_visible()
    chip.click()
    expect(page.locator("#card-conv1 .map").first).to_be_visible()
    page.locator('.stage[data-stage="head"] > summary').click()
    expect(page.locator("#card-fc6 .map").first).to_be_visible()


def test_a_shared_link_says_when_it_ends(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/")
    settled(page)
    upload(page, picture("lighthouse", 150, seed=3))
    page.wait_for_url(re.compile("image=[0-9a-f]{32}"))
    page.click('[data-action="share"]')
    expect(page.locator("#toast")).to_contain_text("deleted in 24 hours")
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_the_numbers_around_a_cell_are_shown_when_asked_for(page: Page) -> None:
    page.goto("/?step=conv2&channel=58&y=6&x=10")
    settled(page)
    page.click("text=The numbers around this cell")
    here = page.locator(".numbers .here")
    expect(here).to_have_text(page.locator('[data-out="value"]').inner_text())
    expect(page.locator(".numbers tbody tr")).to_have_count(5)
