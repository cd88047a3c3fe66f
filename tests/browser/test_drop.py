"""A picture dropped on any page is used there or goes to the explorer; other things get a word."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Watch, settled
from tests.support.picture_files import png

DROP = """([files, texts, at]) => {
  const bag = new DataTransfer();
  for (const [name, type, bytes] of files) {
    bag.items.add(new File([new Uint8Array(bytes)], name, { type }));
  }
  for (const [type, text] of texts) bag.setData(type, text);
  const target = document.querySelector(at);
  let taken = false;
  for (const kind of ["dragenter", "dragover", "drop"]) {
    const event = new DragEvent(kind, { dataTransfer: bag, bubbles: true, cancelable: true });
    target.dispatchEvent(event);
    taken = event.defaultPrevented;
  }
  return taken;
}"""


def drop(page: Page, *files: bytes, at: str = "main", **texts: str) -> None:
    """Drop pictures, or texts by their kind; the browser must never open them itself."""
    made = [[f"{n}.png", "image/png", list(data)] for n, data in enumerate(files)]
    kinds = {"uri": "text/uri-list", "plain": "text/plain"}
    given = [[kinds[kind], text] for kind, text in texts.items()]
    assert page.evaluate(DROP, [made, given, at])


@pytest.mark.parametrize(
    "path", ["/lab/row", "/lab/xo", "/layers/1?image=cat", "/nowhere", "/docs"]
)
def test_where_no_picture_is_used_it_goes_to_the_explorer(
    page: Page, watch: Watch, path: str
) -> None:
    watch.expected = ("404",) if path == "/nowhere" else ()
    page.goto(path)
    drop(page, png(), at="body")
    page.wait_for_url(re.compile(r"/\?image=[0-9a-f]{32}"))
    settled(page)


def test_it_is_chosen_for_an_attack(page: Page) -> None:
    page.goto("/attack")
    drop(page, png())
    page.wait_for_url(re.compile(r"/attack\?.*image=[0-9a-f]{32}"))


@pytest.mark.parametrize("side", ["here", "there"])
def test_it_is_compared_on_the_side_that_it_was_dropped_on(page: Page, side: str) -> None:
    page.goto("/compare?model=mini&image=cat")
    drop(page, png(), at=f"[data-side={side}]")
    own = page.locator(f"[data-side={side}] header img")
    expect(own).to_have_attribute("src", re.compile(r"/images/[0-9a-f]{32}/"))


def test_one_s_kernel_is_laid_over_it(page: Page) -> None:
    page.goto("/lab/photo")
    drop(page, png())
    expect(
        page.locator("#results .thumbs [aria-current], .thumbs [aria-current]").first
    ).to_be_visible()
    page.wait_for_url(re.compile(r"image=[0-9a-f]{32}"))


@pytest.mark.parametrize("path", ["/", "/attack", "/lab/grid"])
def test_what_is_no_single_picture_gets_a_word(page: Page, path: str) -> None:
    page.goto(path)
    before = page.url
    drop(page, png(), png(1), at="body")
    expect(page.locator("#notice")).to_contain_text("One picture at a time")
    drop(page, at="body", uri="https://example.org/cat.jpg")
    expect(page.locator("#notice")).to_contain_text("That is a link")
    drop(page, at="body", plain="a poem")
    expect(page.locator("#notice")).to_contain_text("That is text")
    assert page.url == before


def test_what_is_no_picture_is_told_by_the_server(page: Page, watch: Watch) -> None:
    watch.expected = ("415",)
    page.goto("/lab/row")
    drop(page, b"%PDF-1.7 a document")
    expect(page.locator("#notice")).to_contain_text("PDF")


def test_the_api_s_page_says_what_it_cannot_use(page: Page) -> None:
    page.goto("/docs")
    drop(page, png(), png(), at="body")
    notice = page.locator("#notice")
    expect(notice).to_contain_text("One picture at a time")
    notice.get_by_role("button").click()
    expect(notice).to_be_empty()
