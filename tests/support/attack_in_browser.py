"""Reading the attack page in Chromium."""

from __future__ import annotations

from playwright.sync_api import Page


def ended(page: Page) -> None:
    """Wait until the last step is on the stage."""
    page.wait_for_selector('#scene[data-at="end"]')


def headline(page: Page) -> str:
    return page.locator("#ending .headline").inner_text()


def words(page: Page) -> str:
    return page.locator('[data-out="words"]').inner_text()


def quick(page: Page) -> None:
    """No steps are played: the end is there at once."""
    page.emulate_media(reduced_motion="reduce")


def drawn(page: Page) -> None:
    """Wait until every picture of the stage has arrived."""
    page.wait_for_function(
        "() => [...document.querySelectorAll('#scene .frame img')]"
        ".every(one => one.complete && one.naturalWidth > 0)"
    )
