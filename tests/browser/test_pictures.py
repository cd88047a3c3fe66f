"""Pictures people bring: click, drop, paste, camera; refused, deleted, private."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.support.browser import Watch, payload, picture, settled, upload

OWN = re.compile("image=[0-9a-f]{32}")

CARRY = """async ([bytes, how]) => {
  const file = new File([new Uint8Array(bytes)], 'carried.png', { type: 'image/png' });
  const bag = new DataTransfer();
  bag.items.add(file);
  if (how === 'paste') {
    document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: bag, bubbles: true }));
    return;
  }
  for (const kind of ['dragenter', 'dragover', 'drop'])
    document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: bag, bubbles: true }));
}"""


def test_a_picture_can_be_dropped(page: Page) -> None:
    page.goto("/")
    settled(page)
    page.evaluate(CARRY, [list(picture("oranges", 120, seed=11)), "drop"])
    page.wait_for_url(OWN)
    expect(page.locator("#verdict strong")).to_have_text("orange")
    expect(page.locator("#drop")).to_be_hidden()


def test_a_picture_can_be_pasted(page: Page) -> None:
    page.goto("/")
    settled(page)
    page.evaluate(CARRY, [list(picture("school-bus", 120, seed=12)), "paste"])
    page.wait_for_url(OWN)
    expect(page.locator("#verdict strong")).to_have_text("school bus")


def test_the_camera_takes_a_picture(page: Page) -> None:
    page.goto("/")
    settled(page)
    page.click('[data-action="camera"]')
    expect(page.locator("dialog#camera")).to_be_visible()
    page.wait_for_function("() => document.querySelector('#camera video').videoWidth > 0")
    page.click("dialog#camera >> text=Take it")
    page.wait_for_url(OWN)
    settled(page)
    expect(page.locator("#picture h1")).to_have_text("camera.jpg")


def test_without_a_camera_a_file_can_be_chosen(page: Page) -> None:
    page.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    page.goto("/")
    settled(page)
    with page.expect_file_chooser() as chooser:
        page.click('[data-action="camera"]')
    chooser.value.set_files([payload(picture("candle", 90, seed=1), "photo.png")])
    page.wait_for_url(OWN)
    expect(page.locator("#verdict strong")).to_have_text("candle")


def test_a_file_that_is_no_picture_is_refused_in_words(page: Page, watch: Watch) -> None:
    watch.expected = ("415",)
    page.goto("/")
    settled(page)
    upload(page, b"MZ\x90\x00 not a picture at all", "<b>holiday</b>.png")
    notice = page.locator(".notice")
    expect(notice).to_contain_text("program")
    expect(page.locator("#verdict strong")).to_have_text("espresso")
    settled(page)
    assert "image=" not in page.url
    notice.locator("button").click()
    expect(notice).to_have_count(0)
    upload(page, picture("monarch", 130, seed=5))
    page.wait_for_url(OWN)
    expect(page.locator("#verdict strong")).to_have_text("monarch butterfly")


def test_a_file_that_is_too_big_is_not_even_sent(page: Page, tmp_path: Path) -> None:
    # By its path: a file of this size in a message to Chromium takes ten seconds.
    huge = tmp_path / "huge.png"
    huge.write_bytes(b"\x89PNG" + bytes(31_000_000))
    page.goto("/")
    settled(page)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.set_input_files("#upload input[type=file]", huge)
    expect(page.locator(".notice")).to_contain_text("limit is 30 MB")
    assert "POST" not in sent


def test_a_name_with_html_stays_text(page: Page) -> None:
    page.goto("/")
    settled(page)
    upload(page, picture("banana", 111, seed=9), "<img src=x onerror=alert(1)>.png")
    page.wait_for_url(OWN)
    expect(page.locator("#picture h1")).to_have_text("<img src=x onerror=alert(1)>.png")
    assert page.locator("#picture h1 img").count() == 0


def test_a_deleted_picture_is_gone(page: Page) -> None:
    page.goto("/")
    settled(page)
    upload(page, picture("hourglass", 140, seed=21), "sand.png")
    page.wait_for_url(OWN)
    address = page.url
    settled(page)
    # Sheets still on their way would be asked for after the picture is gone.
    page.wait_for_load_state("networkidle")
    page.click(".remove")
    expect(page.locator("#verdict strong")).to_have_text("espresso")
    expect(page.locator("#gallery")).not_to_contain_text("Your pictures")
    response = page.request.get(address)
    assert response.status == 404


def test_two_people_do_not_see_each_others_pictures(
    page: Page, browser: Browser, base_url: str
) -> None:
    page.goto("/")
    settled(page)
    upload(page, picture("bell-pepper", 150, seed=31), "secret.png")
    page.wait_for_url(OWN)
    expect(page.locator("#gallery")).to_contain_text("Your pictures")
    other = browser.new_context(base_url=base_url)
    their = other.new_page()
    their.goto("/")
    settled(their)
    assert "secret.png" not in their.content()
    expect(their.locator("#gallery")).not_to_contain_text("Your pictures")
    # A link that was given away shows the picture, but neither its name nor a way to delete it.
    their.goto(page.url)
    settled(their)
    expect(their.locator("#verdict strong")).to_have_text("bell pepper")
    assert "secret.png" not in their.content()
    assert their.locator(".remove").count() == 0
    other.close()


def test_without_script_a_picture_still_becomes_a_verdict(
    browser: Browser, base_url: str, page: Page
) -> None:
    page.goto("/?image=banana")
    settled(page)
    context = browser.new_context(base_url=base_url, java_script_enabled=False)
    plain = context.new_page()
    plain.goto("/?image=banana&step=conv1")
    expect(plain.locator("#verdict strong")).to_have_text("banana")
    expect(plain.locator("#card-conv5 .map")).to_have_count(10)
    plain.set_input_files(
        "#upload input[type=file]",
        files=[payload(picture("candle", 77), "p.png")],
    )
    plain.click("#upload button")
    plain.wait_for_url(OWN)
    context.close()
