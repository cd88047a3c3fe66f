"""The sticker in a browser: dragged, pinched, turned, by keyboard, on a phone, without scripts."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.support.browser import Watch, violations, violations_in_light_and_dark

URL = "/attack/sticker?image=cat&sticker=71&x=0.3&y=0.7&scale=0.3"
SEEN = "**/attack/sticker/seen?*"
READY = "() => document.readyState === 'complete' && window.htmx !== undefined"
Point = tuple[float, float]


def opened(page: Page, address: str = URL) -> None:
    page.goto(address)
    page.wait_for_function(READY)


def at(page: Page, x: float, y: float) -> Point:
    """A place on the picture, shares of its side, as it lies on the screen."""
    box = page.locator("#sticker-stage").bounding_box()
    assert box
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def told(page: Page) -> dict[str, float]:
    """What the sliders say."""
    found: dict[str, float] = page.evaluate(
        "() => Object.fromEntries(['x', 'y', 'scale', 'turn'].map((name) => "
        "[name, Number(document.getElementById(name).value)]))"
    )
    return found


def answered(page: Page) -> None:
    """Wait until nothing is asked any more and the answer is that of the sliders."""
    page.wait_for_function(
        "() => { const query = new URLSearchParams(document.querySelector('#sticker-link')"
        ".href.split('?')[1]); return document.querySelector('#sticker-seen').dataset.state === "
        "'ready' && ['x', 'y', 'scale', 'turn'].every((name) => Number(query.get(name)) === "
        "Number(document.getElementById(name).value)); }"
    )


def named(page: Page) -> dict[str, float]:
    """The place that the address names."""
    query = parse_qs(urlsplit(page.url).query)
    return {name: float(query[name][0]) for name in ("x", "y", "scale", "turn")}


def test_a_drag_by_mouse_moves_the_sticker_and_the_answer_follows(page: Page) -> None:
    opened(page)
    before = page.locator("#sticker-seen .look").first.inner_text()
    page.mouse.move(*at(page, 0.3, 0.7))
    page.mouse.down()
    page.mouse.move(*at(page, 0.45, 0.6), steps=4)
    page.mouse.move(*at(page, 0.6, 0.5), steps=4)
    page.mouse.up()
    answered(page)
    assert told(page)["x"] == pytest.approx(0.6, abs=0.01)
    assert told(page)["y"] == pytest.approx(0.5, abs=0.01)
    expect(page).to_have_url(re.compile(r"x=0\.(6|59\d|60\d)"))
    assert named(page) == told(page)
    assert page.locator("#sticker-seen .look").first.inner_text() != before
    # What is shown is what was asked about: the link gives the same page again.
    shown = page.locator("#sticker-seen .look").all_inner_texts()
    picture = str(page.locator("#sticker-picture").get_attribute("src"))
    assert parse_qs(urlsplit(picture).query)["x"] == parse_qs(urlsplit(page.url).query)["x"]
    page.reload()
    assert page.locator("#sticker-seen .look").all_inner_texts() == shown


def test_one_question_at_a_time_and_the_newest_wins(page: Page) -> None:
    opened(page)
    going, most, asked = 0, 0, 0

    def began(request: Request) -> None:
        nonlocal going, most, asked
        if "/sticker/seen?" in request.url:
            going, asked = going + 1, asked + 1
            most = max(most, going)

    def ended(request: Request) -> None:
        nonlocal going
        going -= "/sticker/seen?" in request.url

    page.on("request", began)
    page.on("requestfinished", ended)
    page.mouse.move(*at(page, 0.3, 0.7))
    page.mouse.down()
    page.mouse.move(*at(page, 0.7, 0.3), steps=60)
    page.mouse.up()
    answered(page)
    assert most == 1 and 2 <= asked < 60
    assert told(page)["x"] == pytest.approx(0.7, abs=0.01)


def test_a_tap_beside_it_brings_it_there_and_the_knob_turns_it(page: Page) -> None:
    opened(page)
    page.mouse.click(*at(page, 0.7, 0.35))
    answered(page)
    assert told(page)["x"] == pytest.approx(0.7, abs=0.01)
    page.mouse.move(*at(page, 0.7, 0.35 - 0.6 * 0.3))
    page.mouse.down()
    page.mouse.move(*at(page, 0.9, 0.35), steps=5)
    page.mouse.up()
    answered(page)
    assert told(page)["turn"] == pytest.approx(90, abs=3)
    assert told(page)["x"] == pytest.approx(0.7, abs=0.01)


def test_the_wheel_changes_its_size_once_it_is_held_and_scrolls_the_page_else(page: Page) -> None:
    opened(page)
    page.mouse.move(*at(page, 0.3, 0.7))
    page.mouse.wheel(0, -100)
    assert told(page)["scale"] == 0.3
    page.mouse.down()
    page.mouse.up()
    page.mouse.wheel(0, -100)
    answered(page)
    assert told(page)["scale"] > 0.3


def test_it_moves_grows_and_turns_by_keyboard(page: Page) -> None:
    opened(page)
    stage = page.locator("#sticker-stage")
    stage.focus()
    for key in ("ArrowRight", "ArrowUp", "+", "."):
        stage.press(key)
    answered(page)
    assert told(page) == pytest.approx({"x": 0.32, "y": 0.68, "scale": 0.32, "turn": 5})
    for key in ("ArrowLeft", "ArrowDown", "-", ",", ","):
        stage.press(key)
    answered(page)
    assert told(page) == pytest.approx({"x": 0.3, "y": 0.7, "scale": 0.3, "turn": -5})
    expect(page.locator("#sticker-status")).to_contain_text("school bus sticker on")
    # The sliders do the same, and are read out.
    slider = page.locator("#turn")
    slider.focus()
    slider.press("ArrowRight")
    answered(page)
    assert told(page)["turn"] == -4


def test_another_sticker_is_chosen_and_its_class_stands_among_the_bars(page: Page) -> None:
    opened(page)
    page.locator(".sticker-choices label").nth(1).click()
    goldfish = page.locator("#sticker-seen .look").first.locator('[data-class="0"]')
    expect(goldfish).to_have_count(1)
    expect(goldfish).to_have_class(re.compile("goal"))
    expect(page).to_have_url(re.compile("sticker=0&"))


def test_a_hundred_places_are_tried_and_the_picture_goes_further(page: Page) -> None:
    opened(page)
    page.locator("#sticker-stage").press("ArrowRight")
    answered(page)
    page.locator("#sticker-try").click()
    expect(page.locator("#sticker-places h3")).to_contain_text("of 100 random places")
    assert page.locator(".places-map circle").count() == 100
    page.get_by_role("button", name="Use this picture").click()
    kept = page.locator("#sticker-kept")
    expect(kept).to_contain_text("one of your pictures")
    kept.get_by_role("link", name="Look inside the network").click()
    expect(page).to_have_url(re.compile(r"/\?model=mini&image=\w{32}"))
    expect(page.locator(".title").first).to_contain_text("school bus sticker")


def test_a_lost_answer_is_said_and_the_next_move_asks_again(page: Page, watch: Watch) -> None:
    watch.expected = ("Failed to load resource", "ERR_FAILED")
    opened(page)

    def lose(route: Route) -> None:
        route.abort()

    page.route(SEEN, lose)
    page.locator("#sticker-stage").press("ArrowRight")
    expect(page.locator("#sticker-status")).to_contain_text("did not come")
    expect(page.locator("#sticker-seen")).to_have_attribute("data-state", "stale")
    page.unroute(SEEN, lose)
    page.locator("#sticker-stage").press("ArrowRight")
    answered(page)
    expect(page.locator("#sticker-status")).not_to_contain_text("did not come")


def send(touch: Any, page: Page, kind: str, *points: Point) -> None:
    spots = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(at(page, *p) for p in points)]
    touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})


def test_it_is_dragged_and_pinched_by_touch_and_the_page_stays_where_it_is(phone: Page) -> None:
    opened(phone)
    touch = phone.context.new_cdp_session(phone)
    send(touch, phone, "touchStart", (0.3, 0.7))
    for part in range(1, 9):
        send(touch, phone, "touchMove", (0.3 + 0.04 * part, 0.7 - 0.03 * part))
    send(touch, phone, "touchEnd")
    answered(phone)
    assert told(phone)["x"] == pytest.approx(0.62, abs=0.02)
    assert told(phone)["y"] == pytest.approx(0.46, abs=0.02)
    send(touch, phone, "touchStart", (0.55, 0.46))
    send(touch, phone, "touchStart", (0.55, 0.46), (0.69, 0.46))
    for part in range(1, 8):
        send(touch, phone, "touchMove", (0.55 - 0.01 * part, 0.46), (0.69 + 0.01 * part, 0.46))
    send(touch, phone, "touchEnd")
    answered(phone)
    assert told(phone)["scale"] == pytest.approx(0.6, abs=0.02)
    assert phone.evaluate("() => scrollY") == 0


def test_it_works_without_scripts_by_its_form(browser: Browser, base_url: str) -> None:
    context = browser.new_context(base_url=base_url, java_script_enabled=False)
    page = context.new_page()
    page.goto(URL)
    before = page.locator("#sticker-area").inner_text()
    page.locator(".sticker-choices label").nth(2).click()
    page.locator("#scale").press("ArrowRight")
    page.get_by_role("button", name="Put it there").click()
    expect(page).to_have_url(re.compile(r"sticker=92.*scale=0\.31"))
    assert page.locator("#sticker-area").inner_text() != before
    page.locator("#sticker-try").click()
    expect(page.locator("h3")).to_contain_text("of 100 random places")
    page.go_back()
    page.get_by_role("button", name="Use this picture").click()
    expect(page.locator(".kept")).to_contain_text("one of your pictures")
    context.close()


def test_axe_finds_nothing(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    opened(page)
    page.locator("#sticker-try").click()
    expect(page.locator("#sticker-places h3")).to_contain_text("of 100")
    page.get_by_role("button", name="Use this picture").click()
    expect(page.locator("#sticker-kept")).to_contain_text("your pictures")
    page.locator(".sticker-more summary").click()
    assert violations_in_light_and_dark(page) == []


def test_on_a_phone_nothing_is_too_wide_and_axe_finds_nothing(phone: Page) -> None:
    opened(phone)
    phone.locator("#sticker-try").click()
    expect(phone.locator("#sticker-places h3")).to_contain_text("of 100")
    assert phone.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert violations(phone) == []
    for field in ("scale", "turn", "x", "y"):
        box = phone.locator(f"#{field}").bounding_box()
        assert box and box["height"] >= 44


def test_a_network_without_a_sticker_says_what_to_do(page: Page) -> None:
    page.goto("/attack/sticker?model=own-squeezenet1_1-seeded&image=cat")
    expect(page.locator("#sticker pre")).to_contain_text("python -m app sticker --model own-")
    assert violations(page) == []
