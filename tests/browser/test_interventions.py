"""Cover and cut in a real browser: painting, a sliding patch, channels off, links, looks."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from app.services.interventions import occlusion
from app.services.pictures.mask import Mask
from app.vision.ablation import Ablation, Costs
from app.vision.occlusion import CoveredPlaces, occlude
from tests.support.browser import settled, violations, violations_in_light_and_dark
from tests.support.waiting import HANG

LEFT = str(Mask((0xFF00,) * 16))
SLID = "patch=24&stride=20&fill=grey&of=unit"


def opened(page: Page, title: str, address: str = "/?step=conv3&channel=26") -> Locator:
    """A unit's page with one of its panels unfolded."""
    page.goto(address)
    settled(page)
    page.locator("#evidence summary", has_text=title).click()
    panel = page.locator("#evidence .cut")
    expect(panel).to_be_visible()
    if title == "Cover a part":
        expect(panel.locator(".brush[data-ready]")).to_be_visible()
    return panel


def at(page: Page, down: float, across: float) -> tuple[float, float]:
    """A point of the pad, in shares of its sides."""
    pad = page.locator(".pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def covered(page: Page) -> Mask:
    """The mask that the page's address names."""
    found = re.search(r"cover=(\w+)", page.url)
    return Mask.read(found[1] if found else "")


def test_a_mouse_paints_and_the_answer_changes(page: Page) -> None:
    panel = opened(page, "Cover a part")
    said = panel.locator(".cut-say")
    before = said.inner_text()
    expect(panel).to_contain_text("Nothing is covered yet.")
    page.locator('[name="brush-size"]').fill("7")
    page.mouse.move(*at(page, 0.1, 0.2))
    page.mouse.down()
    for down in (0.3, 0.6, 0.9):
        page.mouse.move(*at(page, down, 0.5), steps=4)
    page.mouse.up()
    expect(said).not_to_have_text(before)
    expect(page).to_have_url(re.compile(r"cover=[0-9a-f]{64}"))
    mask = covered(page)
    assert mask.count > 60
    assert 15 * 16 not in mask.cells
    # What lies on the pad is the server's own picture of that mask.
    expect(panel.locator(".pad image")).to_have_attribute("href", re.compile(str(mask)))
    expect(panel.locator(".fresh")).to_have_attribute("d", "")
    expect(panel.locator(".triple svg")).to_have_count(3)
    panel.get_by_role("button", name="Undo").click()
    expect(panel).to_contain_text("Nothing is covered yet.")
    expect(page).not_to_have_url(re.compile("cover="))
    expect(said).to_have_text(before)


def test_one_question_at_a_time_and_the_newest_wins(page: Page) -> None:
    panel = opened(page, "Cover a part")
    flying, most = 0, 0

    def counted(by: int) -> Callable[[Any], None]:
        def change(request: Any) -> None:
            nonlocal flying, most
            if "/cut/cover/live" in request.url:
                flying += by
                most = max(most, flying)

        return change

    page.on("request", counted(1))
    page.on("requestfinished", counted(-1))
    page.mouse.move(*at(page, 0.05, 0.05))
    page.mouse.down()
    for i in range(12):
        page.mouse.move(*at(page, 0.05 + 0.07 * i, 0.1 + 0.8 * (i % 2)), steps=3)
    page.mouse.up()
    panel.get_by_role("button", name="Top half").click()
    expect(page).to_have_url(re.compile("f" * 32 + "0" * 32))
    expect(panel).to_contain_text("50.0 % of the picture is covered with grey.")
    assert most == 1


def test_a_finger_paints(phone: Page) -> None:
    panel = opened(phone, "Cover a part")
    before = panel.locator(".cut-say").inner_text()
    phone.touchscreen.tap(*at(phone, 0.5, 0.5))
    expect(phone).to_have_url(re.compile("cover="))
    assert set(covered(phone).cells) & {7 * 16 + 7, 8 * 16 + 8}
    expect(panel.locator(".cut-say")).not_to_have_text(before)
    for button in panel.get_by_role("button").all():
        box = button.bounding_box()
        assert box and box["height"] >= 44
    width: int = phone.evaluate("document.documentElement.scrollWidth")
    assert width <= 390


def test_the_keyboard_paints(page: Page) -> None:
    panel = opened(page, "Cover a part")
    pad = panel.locator(".pad")
    before = panel.locator(".cut-say").inner_text()
    pad.focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowLeft", "Space"):
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile("cover="))
    assert covered(page) == Mask.of(y * 16 + x for y in (5, 6, 7) for x in (6, 7, 8))
    expect(panel.locator(".cut-say")).not_to_have_text(before)
    expect(page.locator("#brush-at")).to_have_text("Row 6, column 7: covered.")
    page.keyboard.press("Delete")
    expect(page).not_to_have_url(re.compile("cover="))
    # The map that is looked at stayed: its arrows did not hear.
    expect(page).to_have_url(re.compile("step=conv3&channel=26"))


def test_a_link_shows_the_same_and_follows_to_other_maps(page: Page) -> None:
    page.goto(f"/?step=conv3&channel=26&cover={LEFT}&how=noise")
    panel = page.locator("#cut-cover")
    expect(panel).to_contain_text("50.0 % of the picture is covered with noise.")
    expect(panel.get_by_label("Noise")).to_be_checked()
    said = panel.locator(".cut-say").inner_text()
    settled(page)
    page.locator("#card-conv5 .map").first.click()
    expect(page.locator(".unit-pane .over")).to_contain_text("conv5")
    expect(panel.locator("h3").first).to_contain_text("conv5")
    expect(panel.locator(".cut-say")).to_have_text(said)
    page.locator("#evidence summary", has_text="Cover a part").click()
    expect(page).not_to_have_url(re.compile("cover="))


def test_another_class_is_asked_about(page: Page) -> None:
    page.goto(f"/?step=conv3&channel=26&cover={LEFT}")
    panel = page.locator("#cut-cover")
    other = panel.locator(".class-table a").first
    name = other.inner_text()
    other.click()
    expect(panel.locator(".cut-say")).to_contain_text(f"{name}: ")
    expect(page).to_have_url(re.compile(r"class=\d+"))
    panel.get_by_label("Ask about another class").fill("tabby cat")
    panel.get_by_role("button", name="Ask").click()
    expect(panel.locator(".cut-say")).to_contain_text("tabby cat: ")
    said = panel.locator(".cut-say").inner_text()
    page.reload()
    expect(panel.locator(".cut-say")).to_have_text(said)
    expect(panel).to_contain_text("50.0 % of the picture")


def test_the_covered_picture_becomes_one_s_own(page: Page) -> None:
    page.goto(f"/?step=conv3&channel=26&cover={LEFT}")
    panel = page.locator("#cut-cover")
    now = panel.locator(".class-table tr[data-class] b").first.inner_text()
    panel.get_by_role("button", name="Use the covered picture as mine").click()
    page.wait_for_url(re.compile(r"image=[0-9a-f]{32}"))
    settled(page)
    expect(page.locator("#picture")).to_contain_text("covered with grey")
    expect(page.locator("#verdict")).to_contain_text(now)


def test_the_panels_are_saved(page: Page) -> None:
    page.goto(f"/?step=conv3&channel=26&cover={LEFT}&off=26&{SLID}")
    expect(page.locator("#cut-occlusion")).to_have_attribute("data-state", "done")
    for name, files in (("cover", 2), ("occlusion", 3), ("ablation", 2)):
        links = page.locator(f"#cut-{name} .take a")
        expect(links.first).to_be_visible()
        for i in range(files):
            with page.expect_download() as saved:
                links.nth(i).click()
            assert saved.value.path().stat().st_size > 200
            assert saved.value.suggested_filename.startswith("mini-coffee-conv3")


@pytest.fixture
def brake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Occlusion stops before its second row until this is called."""
    gate = threading.Event()

    def held(*arguments: Any) -> Iterator[CoveredPlaces]:
        for part in occlude(*arguments):
            if part.row == 1:
                gate.wait(HANG)
            yield part

    monkeypatch.setattr(occlusion, "occlude", held)
    yield gate.set
    gate.set()


def test_a_map_streams_is_stopped_and_goes_on(page: Page, brake: Callable[[], None]) -> None:
    panel = opened(page, "Where covering hurts", "/?step=conv5&channel=31")
    panel.locator("#occlusion-patch").select_option("24")
    expect(page).to_have_url(re.compile("patch=24"))
    panel.locator("#occlusion-stride").select_option("8")
    expect(page).to_have_url(re.compile("stride=8"))
    panel.get_by_role("button", name="Start: 36 places").click()
    heat = panel.locator(".heat")
    expect(heat).to_have_attribute("data-done", "1")
    expect(panel).to_contain_text("of computing left")
    expect(panel.locator(".map-image")).to_have_count(1)
    panel.get_by_role("button", name="Stop").click()
    expect(panel).to_have_attribute("data-state", "stopped")
    brake()
    expect(heat).to_have_attribute("data-done", "1")
    expect(panel.get_by_text("Save as CSV")).to_be_hidden()
    panel.get_by_role("button", name="Go on").click()
    expect(panel).to_have_attribute("data-state", "done")
    expect(heat).to_have_attribute("data-done", "6")
    expect(panel.get_by_text("Save as CSV")).to_be_visible()
    expect(panel).to_contain_text(re.compile("worst place|no place lowers it"))


def test_a_link_to_a_map_computes_it_and_places_are_read(page: Page) -> None:
    page.goto(f"/?step=conv5&channel=30&{SLID.replace('unit', 'class')}")
    panel = page.locator("#cut-occlusion")
    expect(panel).to_have_attribute("data-state", "done")
    readout = panel.locator("[data-drop]")
    expect(readout).to_contain_text("Patch over pixel rows")
    scope = panel.locator(".heat-map")
    scope.focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    expect(readout).to_contain_text("rows 0–23, columns 0–23")
    page.keyboard.press("ArrowRight")
    expect(readout).to_contain_text("rows 0–23, columns 20–43")
    expect(scope).to_have_attribute("aria-valuenow", "1")
    scope.scroll_into_view_if_needed()
    box = scope.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    expect(readout).to_contain_text("rows 20–43, columns 20–43")
    expect(readout).to_contain_text("points")


def test_a_channel_is_switched_off_and_the_answer_changes(page: Page) -> None:
    panel = opened(page, "Switch channels off", "/?step=conv5&channel=83")
    said = panel.locator(".cut-say")
    before = said.inner_text()
    panel.get_by_role("link", name="Only map 83 off").click()
    expect(said).not_to_have_text(before)
    expect(page).to_have_url(re.compile("off=83"))
    expect(panel).to_contain_text("Off: 83 (1 of 192")
    panel.get_by_label("Only ticked are on").check(force=True)
    expect(panel).to_contain_text("Of conv5 only 83 is on")
    expect(page).to_have_url(re.compile("only=83"))
    expect(panel.get_by_role("link", name="Only map 83 on")).to_have_attribute(
        "aria-current", "true"
    )
    panel.locator(".tick input").nth(1).check()
    expect(page).to_have_url(re.compile(r"only=\d+%2C\d+"))
    text = said.inner_text()
    page.reload()
    expect(said).to_have_text(text)
    expect(panel.locator(".tick input:checked")).to_have_count(2)
    # Channels belong to their step.
    settled(page)
    page.locator("#card-conv4 .map").first.click()
    expect(page.locator(".unit-pane .over")).to_contain_text("conv4")
    assert "only=" not in page.url


def test_the_ranking_comes_by_itself_and_links_to_its_units(page: Page) -> None:
    panel = opened(page, "Switch channels off", "/?step=conv5")
    row = panel.locator("[data-rank]").first
    expect(row).to_be_visible()
    channel = str(row.get_attribute("data-rank"))
    expect(panel.locator(".ranks > p").first).to_contain_text(f"Channel {channel} costs most")
    panel.get_by_role("link", name="Probability").click()
    expect(panel.locator(".ranks")).to_contain_text("points less")
    first = panel.locator("[data-rank] a").first
    channel = first.inner_text()
    first.click()
    expect(page.locator(".unit-pane h2")).to_contain_text(f"Map {channel}")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Rankings stop before their second batch until this is called."""
    gate, costs = threading.Event(), Ablation.costs

    def held(*arguments: Any) -> Iterator[Costs]:
        for count, some in enumerate(costs(*arguments)):
            if count == 1:
                gate.wait(HANG)
            yield some

    monkeypatch.setattr(Ablation, "costs", held)
    yield gate.set
    gate.set()


def test_a_large_network_s_ranking_streams_and_is_stopped(
    page: Page, slow: Callable[[], None]
) -> None:
    panel = opened(
        page, "Switch channels off", "/?model=own-squeezenet1_1-seeded&step=fire9.squeeze&channel=3"
    )
    rank = panel.locator(".cut-rank")
    rank.get_by_role("button", name="Rank all 64 channels").click()
    expect(rank.locator("[data-rank]").first).to_be_visible()
    rank.get_by_role("button", name="Stop").click()
    expect(rank).to_have_attribute("data-state", "stopped")
    slow()
    rank.get_by_role("button", name="Rank all 64 channels").click()
    expect(rank).to_have_attribute("data-state", "done")
    expect(rank).to_contain_text("costs most")


def test_a_network_without_classes_says_so(page: Page) -> None:
    page.goto(f"/?model=own-mini-part&step=conv3&channel=26&cover={LEFT}&off=26&{SLID}")
    expect(page.locator("#cut-cover .warn")).to_contain_text("no classifier")
    expect(page.locator("#cut-cover .triple svg")).to_have_count(3)
    expect(page.locator("#cut-ablation")).to_contain_text("What changes most in")
    expect(page.locator("#cut-occlusion")).to_have_attribute("data-state", "done")


def test_axe_finds_nothing_in_the_panels(page: Page) -> None:
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(f"/?step=conv5&channel=83&cover={LEFT}&off=83&{SLID}")
    settled(page)
    expect(page.locator("#cut-occlusion")).to_have_attribute("data-state", "done")
    expect(page.locator("#cut-ablation [data-rank]").first).to_be_visible()
    expect(page.locator("#cut-cover .triple")).to_be_visible()
    assert violations_in_light_and_dark(page) == []


def test_axe_finds_nothing_on_a_phone_nor_without_scripts(phone: Page) -> None:
    phone.emulate_media(reduced_motion="reduce")
    phone.goto(f"/?step=conv5&channel=83&cover={LEFT}&off=83")
    expect(phone.locator("#cut-ablation [data-rank]").first).to_be_visible()
    assert violations(phone) == []
    for name, state in (("cover", f"cover={LEFT}"), ("ablation", "off=3"), ("occlusion", SLID)):
        phone.goto(f"/cut/{name}?model=mini&image=coffee&step=conv5&channel=83&{state}")
        expect(phone.locator(".cut")).to_be_visible()
        assert violations(phone) == []
