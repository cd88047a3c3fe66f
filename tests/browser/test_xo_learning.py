"""X or O in a real browser: learning runs that stream, stop, and are left."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from app.vision.tiny_network.learn import STEPS, Learned, learn
from app.web.core import streams
from app.web.lab.xo import learning
from tests.support.browser import Watch, query, violations
from tests.support.waiting import HANG
from tests.support.xo_pages import PAGE


def test_a_learning_run_streams_ends_and_its_kernels_are_used(page: Page, watch: Watch) -> None:
    page.goto(f"{PAGE}?layers=conv,relu,pool")
    page.get_by_role("button", name="Learn the kernels").click()
    run = page.locator("#learning")
    expect(run).to_have_attribute("data-state", "done")
    expect(run.locator(".figures")).to_contain_text(f"{STEPS} of {STEPS}")
    expect(page.locator("#learn-status")).to_contain_text("Learned:")
    accuracy = run.locator("[data-accuracy]").text_content()
    assert accuracy
    assert float(accuracy.rstrip("\u00a0%")) >= 95
    points = str(run.locator(".curve .line").get_attribute("d")).split("L")
    assert len(points) == 61
    expect(run.get_by_role("button", name="Stop")).to_be_hidden()
    assert len(watch.streams) == 1
    use = run.get_by_role("button", name="Use these kernels")
    learned = str(use.get_attribute("value"))
    formed = float(str(run.locator("td").first.text_content()).replace("−", "-"))
    assert formed == pytest.approx(float(learned.split(",")[0]), abs=0.06)
    use.click()
    shown = learned.split(",")[0].replace("-", "−")
    expect(page.get_by_label("Kernel 0, row 0, column 0")).to_have_value(shown)
    assert query(page)["kernels"] == learned
    expect(page.locator("[data-verdict]")).to_have_text("X")
    # The run is on the page still; it is over for good.
    expect(run).to_have_attribute("data-state", "done")
    assert len(watch.streams) == 1


@pytest.fixture
def brake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Learning runs stop before their fourth report until this is called."""
    gate = threading.Event()

    def held(*arguments: Any) -> Iterator[Learned]:
        for count, report in enumerate(learn(*arguments)):
            if count == 3:
                gate.wait(HANG)
            yield report

    monkeypatch.setattr(learning, "learn", held)
    yield gate.set
    gate.set()


def test_a_learning_run_is_stopped_and_keeps_what_it_reached(
    page: Page, watch: Watch, brake: Callable[[], None]
) -> None:
    page.goto(f"{PAGE}?layers=conv,relu,pool")
    page.get_by_role("button", name="Learn the kernels").click()
    run = page.locator("#learning")
    expect(run.locator(".learned")).to_have_attribute("data-step", "10")
    # The page goes on meanwhile, and the run with it.
    page.get_by_role("button", name="O thick").click()
    expect(page.locator("[data-verdict]")).to_have_text("O")
    expect(run.locator(".learned")).to_have_attribute("data-step", "10")
    run.get_by_role("button", name="Stop").click()
    expect(run).to_have_attribute("data-state", "stopped")
    brake()
    expect(run.get_by_role("button", name="Use these kernels")).to_be_visible()
    run.get_by_role("button", name="Use these kernels").click()
    expect(page).to_have_url(re.compile("kernels="))
    expect(run.locator(".learned")).to_have_attribute("data-step", "10")
    # Stopped, not waiting: another begins at once.
    run.get_by_role("button", name="Another random start").click()
    expect(run).to_have_attribute("data-state", "done")
    assert [parse_qs(urlsplit(one).query)["seed"] for one in watch.streams] == [["0"], ["1"]]


def test_a_page_that_is_left_in_mid_run_leaves_no_run_behind(
    page: Page, brake: Callable[[], None]
) -> None:
    page.goto(f"{PAGE}?layers=conv,relu,pool")
    page.get_by_role("button", name="Learn the kernels").click()
    expect(page.locator(".learned")).to_have_attribute("data-step", "10")
    page.goto(f"{PAGE}?layers=conv,relu,pool&match=sum")
    brake()
    page.get_by_role("button", name="Learn the kernels").click()
    done = page.locator('#learning[data-state="done"]')
    expect(done).to_be_visible()


def test_a_second_tab_that_learns_is_told_why_not(
    page: Page, watch: Watch, brake: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PATIENCE", 0.1)
    watch.expected = ("503",)
    page.goto(PAGE)
    page.get_by_role("button", name="Learn the kernels").click()
    expect(page.locator(".learned")).to_have_attribute("data-step", "10")
    second = page.context.new_page()
    watch.follow(second)
    second.goto(PAGE)
    second.get_by_role("button", name="Learn the kernels").click()
    expect(second.locator("#notice")).to_contain_text("One long job of yours is running already")
    expect(second.locator("#learning")).to_have_attribute("data-state", "stopped")
    expect(second.locator("#learn-events")).to_be_empty()
    page.get_by_role("button", name="Stop").click()
    brake()


def test_without_a_kernel_there_is_nothing_to_learn(page: Page, watch: Watch) -> None:
    watch.expected = ("422",)
    page.goto(f"{PAGE}?layers=relu,pool")
    page.get_by_role("button", name="Learn the kernels").click()
    expect(page.locator("#notice")).to_contain_text("no kernel to learn")
    expect(page.locator("[data-verdict]")).to_be_visible()


def test_axe_finds_nothing_while_it_learns(page: Page, brake: Callable[[], None]) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(PAGE)
    page.get_by_role("button", name="Learn the kernels").click()
    expect(page.locator(".learned")).to_have_attribute("data-step", "10")
    assert violations(page) == []
    page.get_by_role("button", name="Stop").click()
    assert violations(page) == []
    brake()
