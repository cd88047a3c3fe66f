"""Behind a proxy that serves it under a sub-path, as notebook servers do, everything works."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.attack_in_browser import ended
from tests.support.browser import Gate, Watch, picture, settled, upload
from tests.support.real_server import serving
from tests.support.stripping_proxy import StrippingProxy, proxying
from tests.support.waiting import HANG

PREFIX = "/user/7/proxy/8000"


class Behind(NamedTuple):
    """A server behind a proxy."""

    proxy: StrippingProxy
    address: str
    key: str


@pytest.fixture(scope="module")
def stripping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """The proxy, the address of the page behind it, and its operator's key."""
    with serving(tmp_path_factory.mktemp("proxied"), behind_proxy=True) as (port, app):
        app.state.services.runs.linger = HANG
        proxy = StrippingProxy(f"http://127.0.0.1:{port}", PREFIX)
        with proxying(proxy) as address:
            yield Behind(proxy, address, app.state.operator_key)


@pytest.fixture
def behind(browser: Browser, stripping: Behind) -> Iterator[Page]:
    """A page behind the proxy; nothing it asks for may lie outside the sub-path, or be missing."""
    proxy, address, _ = stripping
    watch, missing = Watch(address), list[str]()
    # Playwright resolves paths against it as browsers do: "/" would leave the sub-path.
    context = browser.new_context(base_url=f"{address}/", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(HANG * 1000)
    watch.follow(page)
    page.on("response", lambda answer: missing.append(answer.url) if answer.status > 399 else None)
    yield page
    context.close()
    assert proxy.strays == []
    assert missing == []
    assert watch.errors == []
    assert watch.foreign == []


def test_the_explorer_its_panels_and_its_keys(behind: Page) -> None:
    behind.goto("./")
    settled(behind)
    expect(behind.locator("#verdict strong")).to_have_text("espresso")
    behind.locator("#card-conv2 .map").first.click()
    expect(behind.locator(".unit-pane")).to_be_visible()
    assert behind.url.partition(PREFIX)[2].startswith("/?")
    for index in range(behind.locator("#evidence details.panel").count()):
        panel = behind.locator("#evidence details.panel").nth(index)
        panel.locator("summary").first.click()
        expect(panel.locator(".panel-body, [data-loaded], p, svg, img").first).to_be_visible()
        behind.wait_for_function("() => !document.querySelector('.htmx-request')")
    behind.goto("./?step=conv2&channel=3&y=3&x=4&zoom=arithmetic&model=mini&image=cat")
    settled(behind)
    behind.goto("./?step=conv2&channel=3&y=3&x=4&zoom=chain&model=mini&image=cat")
    settled(behind)
    behind.keyboard.press("Escape")
    behind.wait_for_url(re.compile("/proxy/8000/.*channel=3"))


def test_the_cards_come_while_the_network_runs(behind: Page, gate: Gate) -> None:
    gate.close("conv3")
    behind.goto("./?model=mini&image=gratings")
    expect(behind.locator("#card-pool2")).to_have_attribute("data-state", "ready")
    expect(behind.locator("#card-conv3")).to_have_attribute("data-state", "waiting")
    gate.open()
    settled(behind)


def test_a_picture_is_brought_shown_and_deleted(behind: Page) -> None:
    behind.goto("./")
    settled(behind)
    upload(behind, picture("cat"))
    behind.wait_for_url(re.compile(f"{PREFIX}/\\?.*image=[0-9a-f]{{32}}"))
    behind.wait_for_load_state("networkidle")
    cookie = next(one for one in behind.context.cookies() if one["name"] == "layerscope_owner")
    assert cookie["path"] == PREFIX
    behind.locator('form[action$="/delete"] button').first.click()
    behind.wait_for_url(re.compile(f"{PREFIX}/\\?.*image=coffee"))


def test_an_attack_streams_and_its_questions_open(behind: Page) -> None:
    behind.emulate_media(reduced_motion="reduce")
    behind.goto("./attack?model=mini&image=cat")
    behind.locator("button[form=attack-form]").first.click()
    ended(behind)
    questions = behind.locator("#summary details[hx-get] > summary")
    assert questions.count() > 5
    for question in questions.all():
        question.click()
        behind.wait_for_function("() => !document.querySelector('.htmx-request')")
    expect(behind.locator("#summary img").first).to_be_visible()


@pytest.mark.parametrize("tool", ["row", "grid", "photo"])
def test_the_lab_answers_to_what_is_set(behind: Page, tool: str) -> None:
    behind.goto(f"./lab/{tool}")
    expect(behind.locator("#results")).to_be_visible()
    preset = behind.locator("#results a[href*='?']").first
    if preset.count():
        preset.click()
        behind.wait_for_function("() => !document.querySelector('.htmx-request')")
    assert f"{PREFIX}/lab/{tool}" in behind.url


def test_x_or_o_learns(behind: Page) -> None:
    behind.goto("./lab/xo")
    behind.locator("#learn").click()
    expect(behind.locator('#learning[data-state="done"], .learnt').first).to_be_visible()


def test_layers_compare_docs_and_drops(behind: Page) -> None:
    for path in ("layers/1", "layers/5?model=mini&image=cat", "compare?model=mini&image=cat"):
        behind.goto(f"./{path}")
        behind.wait_for_load_state("networkidle")
    behind.goto("./docs")
    expect(behind.locator(".opblock").first).to_be_visible()
    expect(behind.locator(".servers")).to_contain_text(PREFIX)


def test_the_operator_brings_the_key(behind: Page, stripping: Behind) -> None:
    offer = behind.locator("form[hx-post$='/download'] button")
    behind.goto("./")
    expect(offer).to_have_count(0)
    behind.goto(f"./operator?key={stripping.key}")
    expect(offer.first).to_contain_text("Download it", use_inner_text=False)
    assert behind.url.endswith(f"{PREFIX}/")
    settled(behind)
