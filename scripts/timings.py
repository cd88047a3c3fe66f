"""How fast does the page react in a real browser, and the server stop? Medians, as a table."""

from __future__ import annotations

import signal
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from http.client import IncompleteRead
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Browser, Page

from scripts.screenshots import launched, served, started

TRIES = 7
ATTACKING = "/attack/events?image=cat&steps=200&epsilon=4"

# Drawn: every card shows this picture and every sheet on screen is decoded.
DRAWN = """(image) => new Promise(resolve => {
  const look = async () => {
    const cards = [...document.querySelectorAll('.card')];
    const here = cards.length && cards.every(c => c.dataset.image === image
      && c.dataset.state === 'ready');
    if (!here) return requestAnimationFrame(look);
    const urls = new Set([...document.querySelectorAll('.card image')].map(i => i.href.baseVal));
    await Promise.all([...urls].map(url => {
      const i = new Image(); i.src = url; return i.decode(); }));
    requestAnimationFrame(() => resolve(performance.now()));
  };
  look();
})"""

CLICK = """(selector) => { const start = performance.now();
  document.querySelector(selector).click(); return start; }"""

PINNED = """([x, y]) => new Promise(resolve => {
  const start = performance.now();
  const before = document.querySelector('.terms');
  const scope = document.querySelector('.scope');
  const box = scope.getBoundingClientRect();
  scope.dispatchEvent(new MouseEvent('click', { bubbles: true,
    clientX: box.x + box.width * x, clientY: box.y + box.height * y }));
  const look = () => document.querySelector('.terms') !== before
    && document.querySelector('.terms') ? resolve(performance.now() - start)
    : requestAnimationFrame(look);
  look();
})"""

# Drag the window over a hundred cells, one per frame: the median time between two frames.
DRAGGED = """() => new Promise(resolve => {
  const svg = document.querySelector('.scan-out');
  const box = svg.getBoundingClientRect();
  const times = [];
  const at = (i) => ({ bubbles: true, pointerId: 1, pointerType: 'mouse', button: 0,
    clientX: box.x + box.width * (0.3 + 0.4 * (i % 20) / 20),
    clientY: box.y + box.height * (0.1 + 0.8 * i / 100) });
  svg.dispatchEvent(new PointerEvent('pointerover', at(0)));
  let i = 0;
  const frame = (now) => {
    times.push(now);
    if (i === 100) {
      const apart = times.slice(1).map((time, n) => time - times[n]).sort((a, b) => a - b);
      return resolve(apart[50]);
    }
    svg.dispatchEvent(new PointerEvent('pointermove', at(i++)));
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})"""

DEEPER = """() => new Promise(resolve => {
  const start = performance.now();
  const links = [...document.querySelectorAll('.zooms a')];
  links.find(link => link.textContent === 'Arithmetic').click();
  const look = () => document.querySelector('.deep-pane') ? resolve(performance.now() - start)
    : requestAnimationFrame(look);
  look();
})"""


# Paint a cell of the Lab's board: the time until the page shows the network's new answer.
PAINTED = """(x) => new Promise(resolve => {
  const alike = document.querySelector('[data-alike="X"]');
  const start = performance.now();
  new MutationObserver((_, watching) => {
    watching.disconnect();
    resolve(performance.now() - start);
  }).observe(alike, {childList: true, characterData: true, subtree: true});
  document.querySelector(`#board [data-y="0"][data-x="${x}"]`).click();
})"""


def main() -> int:
    """Start a server, measure, print the table."""
    with tempfile.TemporaryDirectory() as data, served(Path(data)) as base, launched() as browser:
        opening = _median(lambda _: _open(browser, base))
        rows = [
            ("open the page to the whole network drawn", 700, opening),
            ("another picture to all maps redrawn", 200, _repeat(browser, base, _another)),
            ("a click on a cell to its summands", 100, _repeat(browser, base, _cell)),
            ("from a map to its arithmetic", 100, _repeat(browser, base, _deeper)),
            ("a frame while the window is dragged", 17, _repeat(browser, base, _dragged)),
            ("a painted cell to the Lab's answer", 100, _repeat(browser, base, _painted)),
            ("Ctrl-C to the server's end, a stream open", 2000, _median(_interrupted, 3)),
        ]
    sys.stdout.write("| in Chromium, `mini` | bar | measured |\n|---|---|---|\n")
    for what, bar, measured in rows:
        sys.stdout.write(f"| {what} | {bar} ms | {measured:.0f} ms |\n")
    return 0


def _open(browser: Browser, base: str) -> float:
    """Open the page with a new browser profile, without a cache."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(base, wait_until="commit")
    page.wait_for_selector(".card", state="attached")
    taken = float(page.evaluate(DRAWN, "coffee"))
    context.close()
    return taken


SAMPLES = ("cat", "rocket", "hourglass", "monarch", "banana", "candle", "o", "noise")


def _another(page: Page, i: int) -> float:
    """Choose a picture that this server has not run yet."""
    start = float(page.evaluate(CLICK, f"a[data-image={SAMPLES[i]}]"))
    return float(page.evaluate(DRAWN, SAMPLES[i])) - start


def _cell(page: Page, i: int) -> float:
    if not page.locator(".unit-pane").count():
        page.locator("#card-conv2 .map").first.click()
        page.wait_for_selector(".unit-pane")
    return float(page.evaluate(PINNED, [0.1 + 0.1 * i, 0.5]))


def _deeper(page: Page, i: int) -> float:
    """Open another map each time."""
    page.locator("#card-conv2 .map").nth(i).click()
    if "zoom=" in page.url:
        page.click(".zooms a >> nth=0")
    page.wait_for_selector(".unit-pane")
    return float(page.evaluate(DEEPER))


def _dragged(page: Page, i: int) -> float:
    if i == 0:
        _deeper(page, i)
        page.wait_for_selector(".deep-pane[data-numbers]")
    return float(page.evaluate(DRAGGED))


def _painted(page: Page, i: int) -> float:
    if i == 0:
        page.goto(urljoin(page.url, "/lab/xo"))
        page.wait_for_selector("#board")
    return float(page.evaluate(PAINTED, i + 1))


def _interrupted(_: int) -> float:
    """Stop the server during an attack with very many steps."""
    with tempfile.TemporaryDirectory() as data:
        server, base = started(Path(data))
        try:
            with urllib.request.urlopen(base + ATTACKING) as stream:
                stream.readline()
                start = time.monotonic()
                server.send_signal(signal.SIGINT)
                # A stream that has not ended after a second is closed.
                with suppress(IncompleteRead):
                    stream.read()
                server.wait()
            return 1000 * (time.monotonic() - start)
        finally:
            server.kill()


def _repeat(browser: Browser, base: str, measure: Callable[[Page, int], float]) -> float:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(base)
    page.evaluate(DRAWN, "coffee")
    found = _median(lambda i: measure(page, i))
    page.close()
    return found


def _median(measure: Callable[[int], float], tries: int = TRIES) -> float:
    return statistics.median(measure(i) for i in range(tries))


if __name__ == "__main__":
    sys.exit(main())
