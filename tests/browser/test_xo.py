"""X or O in a real browser: drawing, dragging cards, editing kernels, a learning run."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import query, violations_in_light_and_dark
from tests.support.xo_pages import PAGE

STACK = ["conv", "relu", "pool", "conv1", "relu", "pool"]


def cell(page: Page, y: int, x: int) -> Locator:
    """A cell of the board."""
    return page.locator(f'#board [data-y="{y}"][data-x="{x}"]')


def number(page: Page, name: str, y: int, x: int) -> Locator:
    """A number of a table."""
    return page.locator(f'[data-grid="{name}"] td').nth(y * 9 + x)


def middle(of: Locator) -> tuple[float, float]:
    box = of.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def inked(page: Page) -> set[tuple[int, int]]:
    values = page.locator("#board input:checked").evaluate_all("all => all.map(e => e.value)")
    return {divmod(int(value), 9) for value in values}


def words(page: Page) -> list[str]:
    """The layers, as their cards stand."""
    cards = page.locator("#cards > .layer-card")
    return [str(cards.nth(i).get_attribute("data-card")) for i in range(cards.count())]


def card(page: Page, number: int) -> Locator:
    return page.locator(f'.layer-card[data-number="{number}"]')


def test_a_letter_is_drawn_by_mouse_and_the_network_follows(page: Page) -> None:
    page.goto(PAGE)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#board input:checked")).to_have_count(0)
    expect(page).to_have_url(re.compile("board=0{21}"))
    for start, end in (((1, 1), (7, 7)), ((1, 7), (7, 1))):
        page.mouse.move(*middle(cell(page, *start)))
        page.mouse.down()
        # In one jump: what lies between is painted as well.
        page.mouse.move(*middle(cell(page, *end)))
        page.mouse.up()
    strokes = {(i, i) for i in range(1, 8)} | {(i, 8 - i) for i in range(1, 8)}
    assert inked(page) >= strokes
    expect(page.locator('[data-alike="X"]')).not_to_have_text("68")
    expect(number(page, "input", 1, 1)).to_have_text("1")
    expect(page.locator("[data-pixels]")).to_have_text("X")


def test_a_click_turns_one_cell_and_a_second_turns_it_back(page: Page) -> None:
    page.goto(PAGE)
    cell(page, 0, 0).click()
    expect(cell(page, 0, 0)).to_be_checked()
    expect(page.locator('[data-alike="X"]')).to_have_text("80")
    expect(number(page, "input", 0, 0)).to_have_text("1")
    cell(page, 0, 0).click()
    expect(cell(page, 0, 0)).not_to_be_checked()
    expect(page.locator('[data-alike="X"]')).to_have_text("81")
    expect(page).to_have_url(re.compile(f"{PAGE}$"))


def test_a_press_on_ink_erases_along_the_way(page: Page) -> None:
    page.goto(PAGE)
    page.mouse.move(*middle(cell(page, 1, 1)))
    page.mouse.down()
    page.mouse.move(*middle(cell(page, 3, 3)), steps=6)
    page.mouse.up()
    assert {(1, 1), (2, 2), (3, 3)} & inked(page) == set()
    expect(page.locator('[data-alike="X"]')).to_have_text("78")


def test_a_letter_is_drawn_by_keyboard(page: Page) -> None:
    page.goto(PAGE)
    page.get_by_role("button", name="Clear").focus()
    page.keyboard.press("Tab")
    expect(cell(page, 0, 0)).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(cell(page, 1, 1)).to_be_focused()
    page.keyboard.press("Space")
    expect(cell(page, 0, 0)).to_be_checked()
    expect(cell(page, 1, 1)).not_to_be_checked()
    expect(page.locator('[data-alike="X"]')).to_have_text("79")
    # At the edge the focus stays; one Tab leaves the board.
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(cell(page, 0, 1)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="X", exact=True)).to_be_focused()


def test_a_letter_is_drawn_by_touch_and_the_page_does_not_scroll(phone: Page) -> None:
    phone.goto(PAGE)
    phone.get_by_role("button", name="Clear").tap()
    expect(phone.locator("#board input:checked")).to_have_count(0)
    start, end = middle(cell(phone, 1, 4)), middle(cell(phone, 7, 4))
    touch = phone.context.new_cdp_session(phone)

    def send(kind: str, *points: tuple[float, float]) -> None:
        spots = [{"x": x, "y": y} for x, y in points]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})

    send("touchStart", start)
    for part in range(1, 9):
        send("touchMove", (start[0], start[1] + (end[1] - start[1]) * part / 8))
    send("touchEnd")
    assert inked(phone) == {(y, 4) for y in range(1, 8)}
    assert phone.evaluate("scrollY") == 0
    cell(phone, 0, 0).tap()
    expect(cell(phone, 0, 0)).to_be_checked()
    expect(phone.locator("[data-say]")).to_contain_text("The network says")
    box = cell(phone, 0, 0).bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 32


def test_a_preset_fills_the_board_and_pixels_fail_where_the_network_holds(page: Page) -> None:
    page.goto(PAGE)
    page.get_by_role("button", name="O shifted").click()
    expect(page.locator("[data-verdict]")).to_have_text("O")
    expect(page.locator("[data-pixels]")).to_have_text("X")
    expect(page.locator("#board input:checked")).to_have_count(20)
    expect(page.get_by_role("button", name="O shifted")).to_be_focused()
    # What is drawn next starts from there.
    cell(page, 0, 0).click()
    expect(page.locator("#board input:checked")).to_have_count(21)
    expect(number(page, "input", 0, 0)).to_have_text("1")


def test_a_card_is_dragged_and_sizes_and_numbers_follow(page: Page) -> None:
    page.goto(PAGE)
    assert words(page) == STACK
    x, y = middle(card(page, 3).locator(".grip"))
    first = card(page, 1).bounding_box()
    assert first
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(first["x"] + 10, first["y"] + 20, steps=8)
    expect(card(page, 3)).to_have_class(re.compile("lifted"))
    expect(card(page, 1)).to_have_class(re.compile("before"))
    page.mouse.up()
    expect(card(page, 1)).to_have_attribute("data-card", "pool")
    assert words(page) == ["pool", "conv", "relu", "conv1", "relu", "pool"]
    expect(card(page, 1).locator("[data-size]")).to_have_text("9×9 → 5×5")
    expect(card(page, 2).locator("[data-size]")).to_have_text("5×5 → 3×3")
    expect(page.locator('[data-grid="map-1-0"] td')).to_have_count(25)
    assert query(page)["layers"] == "pool,conv,relu,conv1,relu,pool"


def test_a_drag_that_is_given_up_changes_nothing(page: Page) -> None:
    page.goto(PAGE)
    for end in ("Escape", "home"):
        x, y = middle(card(page, 3).locator(".grip"))
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 300, y + 10, steps=5)
        if end == "Escape":
            page.keyboard.press("Escape")
        else:
            page.mouse.move(x + 2, y, steps=5)
        page.mouse.up()
        expect(page.locator(".lifted, .before, .after-card")).to_have_count(0)
        assert words(page) == STACK


def test_cards_are_moved_by_keyboard_and_keep_the_focus(page: Page) -> None:
    page.goto(PAGE)
    page.get_by_role("button", name="Convolution 1: one place later").focus()
    page.keyboard.press("Enter")
    expect(card(page, 2)).to_have_attribute("data-card", "conv")
    expect(page.get_by_role("button", name="Convolution 2: one place later")).to_be_focused()
    page.keyboard.press("Enter")
    expect(card(page, 3)).to_have_attribute("data-card", "conv")
    assert words(page) == ["relu", "pool", "conv", "conv1", "relu", "pool"]
    page.get_by_role("button", name="Max pooling 2: remove").press("Enter")
    expect(page.locator(".layer-card")).to_have_count(5)
    page.get_by_role("button", name="+ ReLU").press("Enter")
    expect(card(page, 6)).to_have_attribute("data-card", "relu")
    page.get_by_role("button", name="Reset the layers").press("Enter")
    expect(card(page, 3)).to_have_attribute("data-card", "pool")
    assert words(page) == STACK


def test_padding_changes_sizes_and_the_say_of_the_border(page: Page) -> None:
    page.goto(PAGE)
    used = page.locator('[data-coverage="1"]')
    expect(used).to_contain_text("A corner is used once, the middle 9 times")
    card(page, 1).get_by_role("button", name="Padding 0").click()
    expect(used).to_contain_text("A corner is used 4 times")
    expect(card(page, 1).locator("[data-size]")).to_have_text("9×9 → 9×9")
    expect(page.locator('[data-grid="coverage-1"] td').first).to_have_text("4")
    expect(card(page, 1).get_by_role("button", name="Padding 1")).to_be_focused()


def test_an_order_that_does_not_fit_says_why_and_is_left_again(page: Page) -> None:
    page.goto(f"{PAGE}?layers=pool,pool,pool")
    page.get_by_role("button", name="+ Convolution").click()
    expect(card(page, 4)).to_contain_text("The window reaches over 3 rows, and the map has only 2.")
    expect(page.locator("[data-say]")).to_contain_text("There is no verdict")
    card(page, 4).get_by_role("button", name="Padding 0").click()
    expect(page.locator("[data-say]")).to_contain_text("The network says")


def test_a_number_shows_its_arithmetic_by_click_and_by_arrows(page: Page) -> None:
    page.goto(PAGE)
    page.locator('[data-grid="map-1-0"] button[value="1.0.1.1"]').click()
    made = page.locator(".made")
    expect(made).to_contain_text("Layer 1, map 0, row 1, column 1 = 1.00")
    expect(made.locator("[data-equation]")).to_contain_text("= 9, and 9 ÷ 9 = 1.00")
    expect(page.locator('[data-grid="input"] .window')).to_have_count(9)
    expect(page.locator("[data-say]")).to_contain_text("a perfect match")
    page.keyboard.press("ArrowDown")
    expect(made).to_contain_text("row 2, column 1 = −0.11")
    expect(page.locator('button[value="1.0.2.1"]')).to_be_focused()
    assert query(page)["cell"] == "1.0.2.1"
    # One stop for Tab on each map.
    stops = page.locator('[data-grid="map-1-0"] button:not([tabindex="-1"])')
    expect(stops).to_have_count(1)


def test_a_kernel_is_edited_through_nonsense_and_back(page: Page) -> None:
    page.goto(PAGE)
    field = page.get_by_label("Kernel 0, row 0, column 0")
    first = page.locator('[data-grid="map-1-0"] button').first
    field.fill("-8")
    # The corner of the board is paper: minus one times minus eight, and eight that match.
    expect(first).to_have_text("1.78")
    field.fill("-")
    expect(page.locator("#problem .warn")).to_contain_text("it takes a number from −9 to 9")
    expect(first).to_have_text("1.78")
    expect(field).to_be_focused()
    expect(field).to_have_value("-")
    field.press_sequentially("2")
    expect(page.locator("#problem .warn")).to_have_count(0)
    expect(first).to_have_text("1.11")
    expect(field).to_have_value("-2")
    assert query(page)["kernels"].startswith("-2,-1,-1,")
    # Enter computes; it presses none of the form's other buttons.
    with page.expect_response("**/lab/xo?**"):
        field.press("Enter")
    expect(page).to_have_url(re.compile(r"/lab/xo\?kernels=[^&]*$"))
    assert len(inked(page)) == 13
    page.get_by_role("button", name="Features of the X").click()
    expect(field).to_have_value("1")
    expect(page).to_have_url(re.compile(f"{PAGE}$"))


def test_sums_and_means_are_switched_and_the_difference_is_named(page: Page) -> None:
    page.goto(f"{PAGE}?cell=1.0.1.1")
    verdict = page.locator("[data-score=x]").text_content()
    page.get_by_role("radio", name="Sum").check()
    expect(page.locator('button[value="1.0.1.1"]')).to_have_text("9")
    expect(page.locator("#results")).to_contain_text("it is the same sum with smaller weights")
    expect(page.locator("[data-score=x]")).to_have_text(str(verdict))


def test_an_address_restores_all(page: Page) -> None:
    page.goto(PAGE)
    page.get_by_role("button", name="O thick").click()
    expect(page.locator("[data-pixels]")).to_have_text("O")
    cell(page, 4, 4).click()
    page.get_by_label("Kernel 2, row 1, column 1").fill("0.5")
    page.get_by_role("radio", name="Sum").check()
    page.get_by_role("button", name="Max pooling 6: remove").click()
    expect(page.locator(".layer-card")).to_have_count(5)
    page.locator('button[value="4.2.3.3"]').click()
    expect(page.locator(".made")).to_contain_text("Layer 4, map 2, row 3, column 3")
    told = page.locator("#results").inner_text()
    board = inked(page)
    page.goto(page.url)
    assert page.locator("#results").inner_text() == told
    assert inked(page) == board
    assert (4, 4) in board
    expect(page.get_by_label("Kernel 2, row 1, column 1")).to_have_value("0.5")
    expect(page.get_by_role("radio", name="Sum")).to_be_checked()


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_without_javascript_the_form_and_its_buttons_work(page: Page) -> None:
    page.goto(PAGE)
    cell(page, 0, 0).check()
    page.get_by_role("button", name="Compute").click()
    expect(page.locator('[data-alike="X"]')).to_have_text("80")
    page.get_by_role("button", name="O shifted").click()
    expect(page.locator("[data-verdict]")).to_have_text("O")
    page.get_by_role("button", name="Max pooling 6: remove").click()
    expect(page.locator(".layer-card")).to_have_count(5)
    page.locator('button[value="1.0.1.1"]').click()
    expect(page.locator(".made")).to_contain_text("Layer 1, map 0, row 1, column 1")
    expect(page.locator("[data-pixels]")).to_have_text("X")


@pytest.mark.parametrize(
    "address",
    [PAGE, f"{PAGE}?cell=4.1.0.0&match=sum", f"{PAGE}?layers=pool,pool,pool,conv&kernels=1,2"],
)
def test_axe_finds_nothing(page: Page, address: str) -> None:
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(address)
    expect(page.locator("[data-say]")).to_be_visible()
    assert violations_in_light_and_dark(page) == []


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768), (768, 1024), (390, 844)])
def test_the_page_never_scrolls_sideways_and_no_text_is_small(
    page: Page, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{PAGE}?layers=conv1,relu,conv1,relu,pool,conv1,relu,pool&cell=3.1.4.4")
    expect(page.locator(".made")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        """() => [...document.querySelectorAll('main *')].filter(e => e.checkVisibility()
          && !e.closest('.vh')
          && [...e.childNodes].some(n => n.nodeType === 3 && n.nodeValue.trim())
          && parseFloat(getComputedStyle(e).fontSize) < 14).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert small == []


def test_what_is_tapped_is_large_enough(phone: Page) -> None:
    phone.goto(f"{PAGE}?cell=1.0.1.1")
    small = phone.evaluate(
        """() => [...document.querySelectorAll('main button, main a, main input, summary')]
          .filter(e => e.checkVisibility() && e.type !== 'hidden' && e.type !== 'radio')
          .map(e => [e.getBoundingClientRect(), e.outerHTML.slice(0, 90)])
          .filter(([b]) => b.width < 24 || b.height < 24).map(([b, html]) => html)"""
    )
    assert small == []


def test_the_whole_is_drawn_anew_with_every_cell_that_is_painted(page: Page) -> None:
    page.goto(PAGE)
    cell(page, 0, 0).click()
    expect(page.locator('[data-alike="X"]')).to_have_text("80")
    for x in range(1, 8):
        cell(page, 0, x).click()
        expect(page.locator('[data-alike="X"]')).to_have_text(str(80 - x))
