"""Watching an attack in a browser: scrubbing, playing, wiping, stopping, coming back to it."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.support.attack_in_browser import drawn, ended, headline, quick, words
from tests.support.browser import Watch, query

HOUR = 3_600_000
LONG = "/attack?image=cat&steps=200&epsilon=4"
"""Two hundred steps: long enough to be stopped."""


def trace(page: Page) -> list[str]:
    """Every step as it is told, and where its picture lies."""
    shots = page.locator("#moments > .moment")
    found: list[str] = shots.evaluate_all(
        "all => all.map(e => [e.className, e.dataset.words, e.dataset.picture].join(' '))"
    )
    return found


def test_the_steps_are_scrubbed_back_and_forth(page: Page) -> None:
    quick(page)
    page.goto("/attack?image=cat&run=1")
    ended(page)
    shot = page.locator('[data-out="picture"]')
    last = shot.get_attribute("src")
    page.locator("body").press("ArrowLeft")
    assert words(page).startswith("Step 9:") and query(page)["step"] == "9"
    page.keyboard.press("Home")
    assert words(page).startswith("As it was: “tabby cat”")
    assert shot.get_attribute("src") == page.locator('[data-out="original"]').get_attribute("src")
    page.keyboard.press("f")
    flip = page.locator(".moment.flips").get_attribute("data-step")
    assert words(page).startswith(f"Step {flip}: here it flips")
    expect(page.locator('[data-out="bars"] .chance').first).not_to_contain_text("tabby cat")
    page.focus("#scrub")
    page.keyboard.press("End")
    ended(page)
    assert shot.get_attribute("src") == last and "step" not in query(page)
    box = page.locator("#scrub").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert words(page).startswith("Step 5:")
    # A step has a link of its own.
    page.reload()
    expect(page.locator('[data-out="words"]')).to_contain_text("Step 5:")


def test_it_plays_at_the_eyes_pace_and_pauses(page: Page) -> None:
    page.clock.install(time=0)
    page.goto("/attack?image=cat&epsilon=3&run=1")
    expect(page.locator("#play")).to_have_text("Pause")
    page.locator("body").press("Space")
    expect(page.locator("#play")).to_have_text("Play")
    expect(page.locator('#scene[data-at="end"]')).to_have_count(0)
    page.locator("body").press("End")
    ended(page)
    # From here on the page's time goes on only where this says so.
    page.clock.pause_at(10 * HOUR)
    page.locator("body").press("Space")
    assert words(page).startswith("As it was")
    page.clock.run_for(2500)
    expect(page.locator('#scene[data-at="end"]')).to_have_count(0)
    page.clock.run_for(7500)
    ended(page)
    expect(page.locator("#play")).to_have_text("Play")


def test_the_original_is_wiped_over_by_keyboard_and_by_hand(page: Page) -> None:
    quick(page)
    page.goto("/attack?image=cat&run=1")
    ended(page)
    clip = "getComputedStyle(document.querySelector('.wipe .over')).clipPath"
    covered = page.evaluate(clip)
    page.focus("#wipe")
    for _ in range(3):
        page.keyboard.press("PageUp")
    value = int(page.locator("#wipe").input_value())
    assert value > 0 and page.evaluate(clip) != covered
    spoken = f"{value} % of the width is the original"
    expect(page.locator("#wipe")).to_have_attribute("aria-valuetext", spoken)
    box = page.locator("#wipe").bounding_box()
    assert box
    page.mouse.move(box["x"] + 5, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 60, steps=4)
    page.mouse.up()
    assert 60 < int(page.locator("#wipe").input_value()) < 90


def test_a_run_is_stopped_in_the_middle_with_what_it_has(page: Page) -> None:
    quick(page)
    page.goto(LONG)
    page.click("#run")
    page.wait_for_function("() => document.querySelectorAll('.moment').length > 3")
    page.click("#stop")
    page.wait_for_selector('#scene[data-state="done"]')
    ended(page)
    assert "It was stopped at step" in headline(page)
    assert 3 < page.locator(".moment").count() < 200
    expect(page.locator("#control img")).to_have_count(2)
    expect(page.locator("#stop")).to_be_hidden()


def test_a_second_run_stops_the_first(page: Page) -> None:
    quick(page)
    page.goto(LONG)
    page.click("#run")
    page.wait_for_function("() => document.querySelectorAll('.moment').length > 3")
    page.select_option("#method", "fgsm")
    expect(page.locator("#settings cite")).to_contain_text("Goodfellow")
    page.click("#run")
    page.wait_for_url("**method=fgsm**")
    ended(page)
    expect(page.locator(".moment")).to_have_count(2)
    expect(page.locator(".notice")).to_have_count(0)


def test_leaving_the_page_stops_the_run(page: Page) -> None:
    quick(page)
    page.goto(f"{LONG}&seed=7")
    page.click("#run")
    page.wait_for_function("() => document.querySelectorAll('.moment').length > 1")
    page.goto("/attack?image=cat&run=1")
    ended(page)
    expect(page.locator(".notice")).to_have_count(0)


def test_a_link_repeats_the_run_exactly_for_somebody_else(
    page: Page, browser: Browser, base_url: str, watch: Watch
) -> None:
    quick(page)
    page.goto("/attack?image=cat&method=noise&epsilon=5&seed=41")
    page.click("#run")
    ended(page)
    context = browser.new_context(base_url=base_url, reduced_motion="reduce")
    other = context.new_page()
    watch.follow(other)
    other.goto(page.url)
    other.wait_for_selector('#scene[data-at="end"]')
    assert trace(other) == trace(page) and headline(other) == headline(page)
    assert not any(parts.endswith("/events") for parts in watch.streams[1:]), "nothing was computed"
    context.close()


def test_steps_that_are_no_longer_kept_are_offered_anew(page: Page, watch: Watch) -> None:
    watch.expected = ("404",)
    quick(page)
    page.goto("/attack?image=cat&run=1")
    ended(page)
    page.route("**/attack/trace/**", lambda route: route.fulfill(status=404, body="gone"))
    # A link that was not asked for before: nothing of it is in the browser's own store.
    page.goto("/attack?image=cat&seed=99&run=1")
    ended(page)
    expect(page.locator("#gone")).to_contain_text("have been deleted")
    page.unroute("**/attack/trace/**")
    page.click("text=Run it again")
    page.wait_for_url("**epsilon=4**")
    ended(page)
    drawn(page)
    expect(page.locator("#gone")).to_be_hidden()


def test_back_and_forward_show_the_runs_again(page: Page) -> None:
    quick(page)
    page.goto("/attack?image=cat")
    page.click("#run")
    ended(page)
    page.fill("#target", "school bus")
    page.click("#run")
    page.wait_for_url("**target=school+bus**")
    ended(page)
    page.go_back()
    expect(page.locator("#ending .headline")).to_contain_text("teapot")
    expect(page.locator("#target")).to_have_value("")
    page.keyboard.press("Home")
    expect(page.locator('[data-out="words"]')).to_contain_text("As it was")
