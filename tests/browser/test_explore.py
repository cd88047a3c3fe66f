"""The main job: a picture becomes layers and a verdict."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from models.registry import empty
from tests.support.browser import Gate, Watch, picture, settled, upload

STEPS = [step.name for step in empty("mini").steps]


def test_a_newcomer_sees_espresso_become_layers_and_a_verdict(page: Page) -> None:
    page.goto("/")
    settled(page)
    expect(page.locator("#verdict strong")).to_have_text("espresso")
    assert page.locator(".card").evaluate_all("all => all.map(c => c.dataset.step)") == STEPS
    expect(page.locator("#card-conv1 .map")).to_have_count(10)
    expect(page.locator("#card-conv1 .kernel")).to_have_count(10)
    expect(page.locator("#card-softmax .class").first).to_contain_text("espresso")
    expect(page.locator(".badge")).to_contain_text("CPU")


def test_maps_on_screen_are_pictures_that_loaded(page: Page) -> None:
    page.goto("/")
    settled(page)
    page.wait_for_load_state("networkidle")
    colours = page.evaluate(
        """async () => {
          const image = document.querySelector('#card-relu1 image').href.baseVal;
          const bitmap = await createImageBitmap(await (await fetch(image)).blob());
          const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
          canvas.drawImage(bitmap, 0, 0);
          const data = canvas.getImageData(0, 0, bitmap.width, bitmap.height).data;
          return new Set(new Uint32Array(data.buffer)).size;
        }"""
    )
    assert colours > 20


def test_an_uploaded_picture_travels_to_its_prediction(page: Page) -> None:
    page.goto("/")
    settled(page)
    upload(page, picture("banana", 180), "banana.png")
    page.wait_for_url(re.compile("image=[0-9a-f]{32}"))
    settled(page)
    expect(page.locator("#verdict strong")).to_have_text("banana")
    expect(page.locator("#picture h1")).to_have_text("banana.png")
    expect(page.locator(".preprocess p")).to_contain_text("Your 180×180 photo")
    expect(page.locator("#gallery")).to_contain_text("Your pictures")
    page.reload()
    settled(page)
    expect(page.locator("#verdict strong")).to_have_text("banana")


def test_an_early_layer_is_on_screen_while_later_ones_are_computed(page: Page, gate: Gate) -> None:
    gate.close("conv3")
    page.goto("/?image=gratings")
    expect(page.locator("#card-pool2")).to_have_attribute("data-state", "ready")
    expect(page.locator("#card-conv3")).to_have_attribute("data-state", "waiting")
    expect(page.locator("#card-softmax")).to_have_attribute("data-state", "waiting")
    expect(page.locator("#verdict")).to_contain_text("looking")
    gate.open()
    settled(page)
    expect(page.locator("#verdict strong")).not_to_be_empty()


def test_old_results_stay_and_are_marked_stale_while_new_ones_arrive(
    page: Page, gate: Gate
) -> None:
    page.goto("/")
    settled(page)
    # No test before this one looks at the hourglass: what is kept would not come step by step.
    gate.close("conv2")
    page.click("a[data-image=hourglass]")
    expect(page.locator("#card-conv1")).to_have_attribute("data-image", "hourglass")
    expect(page.locator("#card-conv4")).to_have_attribute("data-state", "stale")
    expect(page.locator("#card-conv4 .map")).to_have_count(10)
    gate.open()
    settled(page)
    assert page.locator(".card").evaluate_all("a => a.every(c => c.dataset.image == 'hourglass')")
    expect(page.locator("#verdict strong")).to_have_text("hourglass")


def test_layers_do_not_move_while_they_arrive(page: Page, gate: Gate) -> None:
    gate.close("conv1")
    page.goto("/?image=candle")
    expect(page.locator("#card-conv1")).to_have_attribute("data-state", "waiting")
    places = """all => all.filter(c => c.checkVisibility()).map(c => {
      const b = c.getBoundingClientRect(); return [b.x, b.width]; })"""
    before = page.locator(".card").evaluate_all(places)
    gate.open()
    settled(page)
    assert page.locator(".card").evaluate_all(places) == before


def test_the_stream_closes_for_good_and_is_the_only_one(page: Page, watch: Watch) -> None:
    page.goto("/?image=noise")
    settled(page)
    page.wait_for_function("() => !document.querySelector('#stream').hasAttribute('data-live')")
    page.click("a[data-image=x]")
    page.wait_for_selector('#card-softmax[data-image="x"]')
    settled(page)
    page.wait_for_function("() => !document.querySelector('#stream').hasAttribute('data-live')")
    # A tab that was hidden asks nothing more of a stream that has ended.
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_load_state("networkidle")
    assert len(watch.streams) == len(set(watch.streams)) <= 2


def test_what_the_network_never_learned_is_said(page: Page) -> None:
    page.goto("/?image=rocket")
    settled(page)
    expect(page.locator("#verdict strong")).to_have_text("obelisk")
    expect(page.locator(".stranger")).to_contain_text("not among the 100 classes")


def test_the_scale_is_a_choice_that_is_stated(page: Page) -> None:
    page.goto("/")
    settled(page)
    expect(page.locator("#scale-words")).to_contain_text("Each map on its own scale")
    page.click("#scales >> text=Layer")
    page.wait_for_url(re.compile("scale=layer"))
    expect(page.locator("#scale-words")).to_contain_text("All maps of a step on one scale")
    settled(page)
    sheets: Any = page.locator(".card image").evaluate_all("all => all.map(i => i.href.baseVal)")
    assert all("scale=layer" in url for url in sheets if "/steps/conv" in url and "runs" in url)
    page.click("#scales >> text=Network")
    page.wait_for_url(re.compile("scale=network"))
    expect(page.locator("#scale-words")).to_contain_text("in the network")


def test_everything_fits_one_screen(page: Page) -> None:
    page.goto("/")
    settled(page)
    river = page.locator("#river")
    assert river.evaluate("r => r.scrollWidth - r.clientWidth") <= 1
    assert page.evaluate("document.documentElement.scrollHeight") <= 900
    sizes = page.locator(".card:not(.softmax) .map:visible").evaluate_all(
        "all => all.filter(m => m.checkVisibility()).map(m => m.getBoundingClientRect().width)"
    )
    assert sizes
    assert min(sizes) >= 47.9


def test_no_text_is_under_14_pixels(page: Page) -> None:
    page.goto("/?step=conv2&channel=58")
    settled(page)
    small = page.evaluate(
        """() => [...document.body.querySelectorAll('*')].filter(e => e.checkVisibility()
          && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
          && parseFloat(getComputedStyle(e).fontSize) < 14).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert small == []


def test_lines_run_between_maps_and_those_of_the_selected_light_up(page: Page) -> None:
    page.goto("/")
    settled(page)
    page.wait_for_function("() => document.querySelectorAll('.lines path').length > 40")
    expect(page.locator(".lines path.lit")).to_have_count(0)
    page.locator("#card-conv3 .map").first.click()
    page.wait_for_function("() => document.querySelectorAll('.lines path.lit').length >= 3")
    assert page.locator(".map[data-lit]").count() >= 5


def test_first_use_costs_less_than_a_megabyte(page: Page) -> None:
    page.goto("/")
    settled(page)
    page.wait_for_load_state("networkidle")
    sizes = page.evaluate(
        "performance.getEntriesByType('resource').concat("
        "performance.getEntriesByType('navigation')).map(e => e.transferSize)"
    )
    assert 50_000 < sum(sizes) <= 1_000_000
