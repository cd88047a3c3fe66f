"""Where an attack happens and how much it takes, in a real browser."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from app.services.attacks import sweeps
from app.vision.attacks.sweep import SweepPass, SweepPoint, sweep
from app.web.core import streams
from tests.support.browser import Watch, picture, violations, violations_in_light_and_dark
from tests.support.waiting import HANG

SWEEP = "/attack/sweep?model=mini&image=cat&method=fgsm"


def attacked(page: Page, image: str = "cat", epsilon: int = 4) -> str:
    """A panel's address for a picture that was attacked a moment ago."""
    asked = {"model": "mini", "image": image, "method": "pgd", "epsilon": epsilon}
    made = page.request.post("/api/v1/attacks", data=asked).json()
    return f"/attack/where?model=mini&image={image}&attacked={made['adversarial_image']}"


def chips(page: Page) -> Locator:
    return page.locator(".chip-of")


def small_texts(page: Page) -> list[str]:
    """What is written smaller than 14 pixels, charts with their scale included."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('main *')].filter(e => e.checkVisibility()
          && !e.closest('.vh')
          && [...e.childNodes].some(n => n.nodeType === 3 && n.nodeValue.trim())
          && parseFloat(getComputedStyle(e).fontSize) * (e.ownerSVGElement
            ? e.ownerSVGElement.getScreenCTM().a : 1) < 13.99).map(e => e.outerHTML.slice(0, 80))"""
    )
    return found


def test_a_click_on_a_channel_shows_its_maps_beside_the_columns(page: Page) -> None:
    page.goto(attacked(page))
    expect(page.locator("#where-maps")).to_contain_text("Choose a channel")
    first, second = (str(chips(page).nth(i).get_attribute("id")) for i in (0, 1))
    number = first.removeprefix("where-channel-")
    chips(page).first.click()
    expect(page.locator("#where-maps h3")).to_contain_text(f"Map {number} of relu5")
    expect(page.locator("#where-maps .three-maps svg")).to_have_count(3)
    expect(page.locator(f"#{first}")).to_have_attribute("aria-current", "true")
    expect(page).to_have_url(re.compile(f"layer=relu5&channel={number}$"))
    page.get_by_role("link", name="The next channel").click()
    following = second.removeprefix("where-channel-")
    expect(page.locator("#where-maps h3")).to_contain_text(f"Map {following} of")
    expect(page.locator(f"#{first}")).not_to_have_attribute("aria-current", "true")
    # The address holds it, and so does going back.
    page.reload()
    expect(page.locator("#where-maps h3")).to_contain_text(f"Map {following} of")
    page.go_back()
    expect(page.locator("#where-maps h3")).to_contain_text(f"Map {number} of")


def test_another_layer_is_chosen_and_the_charts_stay(page: Page) -> None:
    page.goto(attacked(page))
    page.evaluate("document.querySelector('.charts').dataset.same = 'yes'")
    page.get_by_role("navigation", name="Layers").get_by_role("link", name="2 relu2").click()
    expect(page).to_have_url(re.compile("layer=relu2"))
    expect(page.locator("#where-stage-2")).to_have_attribute("aria-current", "true")
    chips(page).first.click()
    expect(page.locator("#where-maps h3")).to_contain_text("of relu2")
    expect(page.locator('.charts[data-same="yes"]')).to_have_count(1)


def test_the_keyboard_alone_goes_from_channel_to_channel(page: Page) -> None:
    page.goto(attacked(page))
    chips(page).first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#where-maps .three-maps")).to_be_visible()
    # What had the focus keeps it.
    expect(chips(page).first).to_be_focused()
    page.keyboard.press("Tab")
    expect(chips(page).nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    number = str(chips(page).nth(1).get_attribute("id")).removeprefix("where-channel-")
    expect(page.locator("#where-maps h3")).to_contain_text(f"Map {number} of")
    page.locator("#where-next").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#where-maps h3")).not_to_contain_text(f"Map {number} of")
    expect(page.locator("#where-next")).to_be_focused()


def test_a_map_leads_to_the_explorer_with_that_channel(page: Page) -> None:
    page.goto(attacked(page))
    chips(page).first.click()
    page.locator('[data-map="0"]').get_by_role("link", name="Explore").click()
    expect(page).to_have_url(re.compile(r"/\?model=mini&image=cat&step=relu5&channel=\d+"))
    expect(page.locator(".unit-pane")).to_be_visible()


def test_without_a_script_links_lead_to_channels(page: Page, base_url: str) -> None:
    address = attacked(page)
    browser = page.context.browser
    assert browser
    with browser.new_context(base_url=base_url, java_script_enabled=False) as context:
        plain = context.new_page()
        plain.goto(address)
        chips(plain).nth(3).click()
        expect(plain.locator("#where-maps .three-maps svg")).to_have_count(3)
        plain.goto(SWEEP)
        plain.get_by_role("link", name="Compute it to the end").click()
        expect(plain.locator("[data-done]")).to_be_visible()


@pytest.fixture
def brake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Sweeps stop before their fourth point until this is called."""
    gate = threading.Event()

    def held(*arguments: Any) -> Iterator[SweepPoint | SweepPass]:
        count = 0
        for item in sweep(*arguments):
            count += isinstance(item, SweepPoint)
            if count == 4:
                gate.wait(HANG)
            yield item

    monkeypatch.setattr(sweeps, "sweep", held)
    yield gate.set
    gate.set()


def test_a_sweep_grows_point_by_point_to_its_sentence(
    page: Page, brake: Callable[[], None]
) -> None:
    page.goto(f"{SWEEP}&seed=1")
    expect(page.locator(".swept")).to_have_attribute("data-points", "3")
    expect(page.locator("#sweep")).to_have_attribute("data-state", "running")
    expect(page.locator(".chart.wide .mark")).to_have_count(0)
    before = page.locator(".chart.wide .line.of-attack").last.get_attribute("points")
    brake()
    expect(page.locator(".swept")).to_have_attribute("data-done", "")
    expect(page.locator("#sweep")).to_have_attribute("data-state", "done")
    after = page.locator(".chart.wide .line.of-attack").last.get_attribute("points")
    # What was drawn does not move when more comes.
    assert before and after and after.startswith(before)
    expect(page.locator(".chart.wide .words.of-attack")).to_contain_text("changes at")
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    # Kept: the same again asks for no stream.
    page.reload()
    expect(page.locator(".swept[data-done]")).to_be_visible()
    expect(page.locator("#sweep-events")).to_have_count(0)


def test_a_sweep_is_stopped_keeps_what_it_has_and_starts_again(
    page: Page, brake: Callable[[], None]
) -> None:
    page.goto(f"{SWEEP}&seed=2")
    expect(page.locator(".swept")).to_have_attribute("data-points", "3")
    page.get_by_role("button", name="Stop").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#sweep")).to_have_attribute("data-state", "stopped")
    expect(page.locator(".swept")).to_have_attribute("data-points", "3")
    again = page.get_by_role("button", name="Sweep again")
    expect(again).to_be_focused()
    brake()
    page.keyboard.press("Enter")
    expect(page.locator(".swept")).to_have_attribute("data-done", "")


def test_another_method_is_another_sweep(page: Page) -> None:
    page.goto(SWEEP)
    expect(page.locator("[data-attack]")).to_contain_text("Under FGSM")
    page.get_by_role("link", name="PGD").click()
    expect(page.locator("[data-attack]")).to_contain_text("Under PGD")
    expect(page.locator(".swept[data-done]")).to_be_visible()
    expect(page.locator("#sweep-panel")).to_have_count(1)


def test_while_another_page_sweeps_the_second_is_told_why_not(
    page: Page, watch: Watch, brake: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PATIENCE", 0.1)
    watch.expected = ("503",)
    page.goto(f"{SWEEP}&seed=3")
    expect(page.locator(".swept")).to_have_attribute("data-points", "3")
    second = page.context.new_page()
    watch.follow(second)
    second.goto(f"{SWEEP}&seed=4")
    expect(second.locator("#notice")).to_contain_text("One long job of yours is running already")
    expect(second.get_by_role("button", name="Sweep again")).to_be_visible()
    brake()
    expect(page.locator(".swept")).to_have_attribute("data-done", "")
    second.get_by_role("button", name="Sweep again").click()
    expect(second.locator(".swept")).to_have_attribute("data-done", "")


def test_axe_finds_nothing(page: Page) -> None:
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(attacked(page))
    assert violations_in_light_and_dark(page) == []
    page.locator("summary").first.click()
    chips(page).first.click()
    expect(page.locator("#where-maps .three-maps")).to_be_visible()
    assert violations_in_light_and_dark(page) == []
    page.goto(SWEEP)
    expect(page.locator(".swept[data-done]")).to_be_visible()
    page.locator(".numbers-of summary").click()
    assert violations_in_light_and_dark(page) == []


def test_axe_finds_nothing_in_the_midst_of_a_sweep(page: Page, brake: Callable[[], None]) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{SWEEP}&seed=5&target=banana")
    expect(page.locator(".swept")).to_have_attribute("data-points", "3")
    assert violations(page) == []
    brake()
    expect(page.locator(".swept")).to_have_attribute("data-done", "")


@pytest.mark.parametrize("projector", [False, True])
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768), (390, 844)])
def test_nothing_is_small_and_nothing_scrolls_sideways(
    page: Page, width: int, height: int, projector: bool
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.add_init_script(f"localStorage.setItem('projector', '{'on' if projector else 'off'}')")
    for address in (f"{attacked(page)}&channel=3", SWEEP):
        page.goto(address)
        expect(page.locator("[data-done], #where-maps .three-maps")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert small_texts(page) == []
        expect(page.locator(".chart:visible").first).to_be_visible()


def test_on_a_phone_the_maps_stay_in_sight_while_channels_are_tapped(phone: Page) -> None:
    phone.goto(attacked(phone))
    chip = chips(phone).nth(5)
    chip.scroll_into_view_if_needed()
    chip.tap()
    place = phone.locator("#where-maps")
    expect(place.locator(".three-maps svg")).to_have_count(3)
    expect(place).to_be_in_viewport()
    expect(chip).to_be_in_viewport()
    small = phone.evaluate(
        """() => [...document.querySelectorAll('main button, main a, summary')]
          .filter(e => e.checkVisibility()).map(e => [e.getBoundingClientRect(), e.outerHTML])
          .filter(([b]) => b.width < 24 || b.height < 24).map(([, html]) => html.slice(0, 90))"""
    )
    assert small == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_ones_own_picture_is_swept_and_the_same_twice_is_told_so(page: Page) -> None:
    data = {"name": "mine.png", "mimeType": "image/png", "buffer": picture("cat", 90)}
    answer = page.request.post("/api/v1/images", multipart={"file": data})  # type: ignore[dict-item]
    image = answer.json()["id"]
    page.goto(f"/attack/where?model=mini&image={image}&attacked={image}")
    expect(page.locator("[data-sentence]")).to_contain_text("nothing changed")
    page.goto(f"/attack/sweep?model=mini&image={image}&method=fgsm")
    expect(page.locator(".swept[data-done]")).to_be_visible()
