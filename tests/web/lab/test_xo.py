"""X or O over HTTP: numbers, addresses, nonsense, files, the learning stream."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from app.vision.letters.board import CELLS, PRESETS, ideal
from app.vision.letters.learn import EVERY, STEPS, Learned, learn
from app.web.lab.xo import contexts, learning
from app.web.lab.xo.state import as_bits, as_hex, plain
from tests.web.test_stream import parse

PAGE = "/lab/xo"
EVENTS = "/lab/xo/events?layers=conv,relu,pool"
HTMX = {"hx-request": "true", "hx-target": "div#results", "accept": "text/html"}
STACK = "conv,relu,pool,conv1,relu,pool"
SHIFTED_O = as_hex(
    as_bits(next(p for p in PRESETS if (p.letter, p.how) == ("O", "shifted")).board())
)


def grid(text: str, name: str, which: int = 0) -> list[list[str]]:
    """The numbers of a table of the page."""
    tables = re.findall(rf'<table [^>]*data-grid="{name}">(.*?)</table>', text, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", tables[which], re.DOTALL)
    return [
        [re.sub("<[^>]*>", "", cell) for cell in re.findall(r"<td.*?</td>", row)] for row in rows
    ]


def typed(place: int, text: str) -> str:
    """The 27 fields of the kernels, all 1 but one."""
    return "&".join(f"k={text if i == place else 1}" for i in range(27))


def said(text: str) -> str:
    found = re.search(r"data-say[^>]*>([^<]*)<", text)
    assert found
    return found[1]


def warnings(text: str) -> list[str]:
    return re.findall(r'<p class="warn">([^<]*)</p>', text)


def sizes(text: str) -> list[str]:
    return re.findall(r"data-size>([^<]*)<", text)


@pytest.mark.parametrize(
    "kind",
    [
        contexts.Lab, contexts.PresetView, contexts.MapView, contexts.PartView, contexts.CellView,
        contexts.LayerView, contexts.VotePart, contexts.VoteView, contexts.PixelView,
        learning.LearnView,
    ],
)  # fmt: skip
def test_every_field_of_a_context_says_what_it_is(kind: type) -> None:
    for spec in fields(kind):
        assert len(spec.metadata["help"]) > 4, f"{kind.__name__}.{spec.name}"


def test_nothing_is_inline(client: TestClient) -> None:
    text = client.get(f"{PAGE}?cell=4.0.0.0").text
    for inline in (" style=", "<style", " onclick=", "hx-on", "<script>"):
        assert inline not in text


def test_the_page_shows_the_published_numbers_and_both_verdicts(client: TestClient) -> None:
    text = client.get(PAGE).text
    first = grid(text, "map-1-0")
    assert first[0] == ["0.78", "−0.11", "0.11", "0.33", "0.56", "−0.11", "0.33"]
    assert [first[i][i] for i in (1, 2, 4, 5)] == ["1.00"] * 4
    assert grid(text, "map-3-0")[0] == ["1.00", "0.33", "0.56", "0.33"]
    assert sizes(text) == [
        "9×9 → 7×7",
        "7×7 → 7×7",
        "7×7 → 4×4",
        "4×4 → 4×4",
        "4×4 → 4×4",
        "4×4 → 2×2",
    ]
    assert 'data-verdict="X"' in text
    assert 'data-pixels="X"' in text
    assert said(text).startswith("The network says X, ")
    assert warnings(text) == []


def test_both_sums_of_the_vote_re_add_on_the_page(client: TestClient) -> None:
    text = client.get(PAGE).text
    for letter in ("x", "o"):
        found = re.search(rf'data-sum="{letter}">([^<]*)<', text)
        assert found
        left, right = found[1].replace("−", "-").replace("- ", "-").replace("+ ", "+").split(" = ")
        assert sum(map(float, left.split())) == pytest.approx(float(right), abs=0.003)
        score = re.search(rf'data-score="{letter}">([^<]*)<', text)
        assert score
        assert float(score[1]) == pytest.approx(float(right), abs=0.006)


def test_pixel_by_pixel_fails_where_the_network_holds(client: TestClient) -> None:
    text = client.get(f"{PAGE}?board={SHIFTED_O}").text
    assert 'data-verdict="O"' in text
    assert 'data-pixels="X"' in text
    right, pixels = (int(found) for found in re.findall(r'data-right="\w+">(\d+)<', text))
    assert right > 380 > 300 > pixels


def test_a_cell_is_explained_and_marked_where_it_comes_from(client: TestClient) -> None:
    text = client.get(f"{PAGE}?cell=1.0.1.1").text
    assert grid(text, "patch-0") == [["1", "−1", "−1"], ["−1", "1", "−1"], ["−1", "−1", "1"]]
    assert grid(text, "terms-0") == [["1"] * 3] * 3
    assert "1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 = 9, and 9 ÷ 9 = 1.00" in text
    assert said(text) == (
        "Layer 1, map 0, row 1, column 1 is 1.00: 9 products add up to 9, and divided by 9 that is "
        "1.00, a perfect match."
    )
    table = text[text.index('data-grid="input"') :]
    assert table[: table.index("</table>")].count("window") == 9


def test_with_sums_a_perfect_match_is_nine_of_nine(client: TestClient) -> None:
    text = client.get(f"{PAGE}?match=sum&cell=1.0.1.1").text
    assert grid(text, "map-1-0")[1][1] == "9"
    assert "= 9, of 9" in text
    assert "The mean divides that by the cells compared" in text


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("2.0.0.1", "is 0: the layer before has −0.11 there, and below zero becomes zero."),
        ("2.0.1.1", "is 1.00: the layer before has 1.00 there, not below zero, so it stays."),
        ("3.0.0.0", "is 1.00: the largest of the 4 numbers in its window."),
        ("3.0.3.3", "is 0.78: the only number in its window."),
        ("4.1.0.0", "27 products add up to 2, and divided by 27 that is 0.07."),
    ],
)
def test_every_kind_of_cell_is_said_in_a_sentence(
    client: TestClient, cell: str, words: str
) -> None:
    assert said(client.get(f"{PAGE}?cell={cell}").text).endswith(words)


def test_the_padding_of_a_window_counts_as_zero(client: TestClient) -> None:
    text = client.get(f"{PAGE}?layers=conv1&cell=1.0.0.0").text
    assert grid(text, "patch-0")[0] == ["0", "0", "0"]
    assert "5 cells of the window lie in the padding and count 0." in text
    assert grid(text, "coverage-1")[0][:3] == ["4", "6", "6"]
    assert grid(client.get(f"{PAGE}?layers=conv").text, "coverage-1")[0][:4] == ["1", "2", "3", "3"]


def test_sizes_follow_the_order_of_the_layers(client: TestClient) -> None:
    text = client.get(f"{PAGE}?layers=pool,conv,relu").text
    assert sizes(text) == ["9×9 → 5×5", "5×5 → 3×3", "3×3 → 3×3"]
    assert "fully connected, 27 numbers" in text
    bare = client.get(f"{PAGE}?layers=").text
    assert "fully connected, 81 numbers" in bare


def test_an_order_that_does_not_fit_says_why_and_the_rest_stays(client: TestClient) -> None:
    answer = client.get(f"{PAGE}?layers=pool,pool,pool,conv,relu")
    assert answer.status_code == 200
    assert sizes(answer.text)[2:] == [
        "3×3 → 2×2",
        "The window reaches over 3 rows, and the map has only 2.",
        "Waits for the layer before it.",
    ]
    assert "layer 4 does not fit: The window reaches over 3 rows" in said(answer.text)
    assert grid(answer.text, "map-3-0")
    assert 'data-pixels="X"' in answer.text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (typed(0, "-"), "Kernel 0, row 0, column 0 is “-”: it takes a number from −9 to 9."),
        (typed(26, "1e9"), "Kernel 2, row 2, column 2 is 1e9: it takes a number from −9 to 9."),
        (typed(10, "abc"), "Kernel 1, row 0, column 1 is “abc”"),
        (typed(0, ""), "Kernel 0, row 0, column 0 is nothing yet"),
        (typed(1, "nan"), "“nan”: it takes a number from −9 to 9."),
        ("kernels=1,2", "The three kernels have 27 numbers, not 2."),
        ("board=12", "A board is 21 hexadecimal digits"),
        ("board=fffffffffffffffffffff", "A board is 21 hexadecimal digits"),
        ("layers=conv,flatten", "There is no layer “flatten”: a layer is conv, conv1"),
        ("layers=" + ",".join(["relu"] * 9), "9 layers are too many: from 0 to 8"),
        ("layers=conv,conv,conv,conv", "4 convolutions are too many: from 0 to 3"),
        ("match=median", "A match is a mean or a sum, not “median”."),
        ("cell=1.0.7.0", "Layer 1 has maps 0 to 2, rows 0 to 6 and columns 0 to 6; map 0, row 7"),
        ("cell=9.0.0.0", "There is no layer 9 here: layers 1 to 6 have numbers."),
        ("cell=abc", "“abc” is no cell: a cell is layer.map.row.column"),
        ("layers=&cell=1.0.0.0", "There is no layer whose numbers could be chosen."),
    ],
)  # fmt: skip
def test_nonsense_gets_a_sentence_and_the_page_stays(
    client: TestClient, query: str, words: str
) -> None:
    for headers in ({}, HTMX):
        answer = client.get(f"{PAGE}?{query}", headers=headers)
        assert answer.status_code == 200
        (told,) = warnings(answer.text)
        assert words in told
        assert grid(answer.text, "input")


def test_while_a_number_is_typed_the_last_that_held_stays(client: TestClient) -> None:
    kept = ",".join(["2"] + ["1"] * 26)
    answer = client.get(f"{PAGE}?{typed(0, '-')}&kept={kept}&drawn=1&c=40", headers=HTMX)
    (told,) = warnings(answer.text)
    assert told.endswith("Until then the last numbers that hold stay.")
    # The board goes on meanwhile: one cell of ink, under the kernels from before.
    assert sum(row.count("1") for row in grid(answer.text, "input")) == 1
    assert f'name="kept" value="{kept}"' in answer.text
    assert parse_qs(urlsplit(answer.headers["hx-replace-url"]).query)["kernels"] == [kept]


def test_the_form_as_a_browser_sends_it_becomes_a_short_address(client: TestClient) -> None:
    inked = [i for i, value in enumerate(ideal("O").flatten().tolist()) if value > 0]
    fields: list[tuple[str, str | int | float | bool | None]]
    fields = [("drawn", "1"), *(("c", str(i)) for i in inked), ("match", "mean")]
    fields += [("k", f"{value:g}") for value in plain().kernels]
    fields += [("layers", STACK), ("shown", STACK), ("cell", ""), ("layers", "conv")]
    answer = client.get(PAGE, params=fields, headers=HTMX)
    address = answer.headers["hx-replace-url"]
    assert address == f"/lab/xo?board={as_hex(as_bits(ideal('O')))}&layers=conv"
    again = client.get(address)
    assert 'data-pixels="O"' in again.text
    assert sizes(again.text) == ["9×9 → 7×7"]
    assert client.get(PAGE, params=fields).status_code == 200


def test_an_empty_board_is_a_board(client: TestClient) -> None:
    answer = client.get(f"{PAGE}?drawn=1", headers=HTMX)
    assert {number for row in grid(answer.text, "input") for number in row} == {"−1"}
    assert answer.headers["hx-replace-url"] == f"/lab/xo?board={'0' * 21}"


def test_a_cell_chosen_under_other_layers_is_let_go_in_silence(client: TestClient) -> None:
    query = f"layers=conv&shown={STACK}&cell=6.0.1.1"
    answer = client.get(f"{PAGE}?{query}", headers=HTMX)
    assert warnings(answer.text) == []
    assert answer.headers["hx-replace-url"] == "/lab/xo?layers=conv"


def test_boxes_and_fields_are_drawn_anew_only_when_they_change(client: TestClient) -> None:
    text = client.get(f"{PAGE}?board={SHIFTED_O}", headers=HTMX).text
    assert 'hx-target="#board"' in text
    assert text.count("checked") == 20
    assert 'hx-target="#kernels"' not in text
    text = client.get(f"{PAGE}?kernels={','.join(['1'] * 27)}", headers=HTMX).text
    assert 'hx-target="#kernels"' in text
    assert 'hx-target="#board"' not in text


def test_edited_kernels_change_the_maps(client: TestClient) -> None:
    text = client.get(f"{PAGE}?kernels={','.join(['0,0,0,0,1,0,0,0,0'] * 3)}&match=sum").text
    assert grid(text, "map-1-0") == [row[1:8] for row in grid(text, "input")[1:8]]
    assert "falling diagonal" not in text


def test_the_picture_and_the_table_hold_every_number(client: TestClient) -> None:
    png = client.get(f"/lab/xo.png?board={SHIFTED_O}&layers=conv,relu")
    assert png.headers["content-type"] == "image/png"
    assert "layerscope-xo.png" in png.headers["content-disposition"]
    assert Image.open(io.BytesIO(png.content)).size[0] > 600
    table = client.get("/lab/xo.csv?layers=conv")
    assert "layerscope-xo.csv" in table.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
    kinds = [row["kind"] for row in rows]
    assert [kinds.count(kind) for kind in ("board", "conv", "weight", "product")] == [
        CELLS,
        147,
        147,
        147,
    ]
    one = next(
        row
        for row in rows
        if (row["kind"], row["map"], row["row"], row["column"]) == ("conv", "0", "1", "1")
    )
    assert float(one["value"]) == 1.0
    total = sum(float(row["value"]) for row in rows if row["kind"] in ("product", "bias"))
    (score,) = [float(row["value"]) for row in rows if row["kind"] == "score X"]
    assert total == pytest.approx(score)


def test_an_order_that_does_not_fit_has_a_picture_and_a_table_too(client: TestClient) -> None:
    for kind in ("png", "csv"):
        assert client.get(f"/lab/xo.{kind}?layers=pool,pool,pool,conv").status_code == 200


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of four reports, computed as real ones."""

    def cut(*arguments: Any) -> Iterator[Learned]:
        for report in learn(*arguments):
            yield report
            if report.step == 3 * EVERY:
                return

    monkeypatch.setattr(learning, "learn", cut)


def test_the_learning_streams_its_place_its_steps_and_an_end(client: TestClient) -> None:
    answer = client.get(EVENTS)
    assert answer.headers["content-type"].startswith("text/event-stream")
    place, *steps, done = parse(answer.text)
    assert 'data-place="0"' in place["data"]
    assert [step["id"] for step in steps] == [str(i) for i in range(0, STEPS + 1, EVERY)]
    assert done["event"] == "done"
    last = steps[-1]["data"]
    assert f"{STEPS} of {STEPS}" in last
    assert 'hx-target="#learn-status"' in last
    accuracy = re.search(r"data-accuracy>([\d.]+) %", last)
    assert accuracy
    assert float(accuracy[1]) >= 95
    assert float(re.findall(r"data-loss>([\d.]+)<", last)[0]) < 0.2
    assert all(len(grid(step["data"], "learned-2")) == 3 for step in steps)
    use = re.search(r'name="kernels" value="([^"]+)"', last)
    assert use
    text = client.get(f"{PAGE}?kernels={use[1]}&layers=conv,relu,pool").text
    assert warnings(text) == []
    assert 'data-verdict="X"' in text


@pytest.mark.usefixtures("short")
def test_a_page_that_comes_back_is_sent_the_later_steps(client: TestClient) -> None:
    events = parse(client.get(EVENTS, headers={"Last-Event-ID": "5"}).text)
    assert [event.get("id") for event in events] == ["10", "15", None]


def test_what_cannot_be_learned_has_a_status_before_the_first_event(client: TestClient) -> None:
    for query, words in (
        ("layers=relu,pool", "no kernel to learn"),
        ("layers=pool,pool,pool,conv", "the map has only 2"),
        ("layers=nothing", "There is no layer"),
        ("seed=-1", "seed"),
    ):
        for path in ("events", "learn"):
            answer = client.get(f"/lab/xo/{path}?{query}")
            assert answer.status_code == 422
            assert words in answer.json()["detail"]


def test_the_panel_listens_and_without_htmx_the_page_comes(client: TestClient) -> None:
    panel = client.get("/lab/xo/learn?layers=conv,relu", headers={"hx-request": "true"}).text
    assert 'hx-sse:connect="/lab/xo/events?layers=conv,relu&amp;match=mean&amp;seed=0"' in panel
    assert "seed=1" in panel
    plain_answer = client.get("/lab/xo/learn?layers=conv,relu")
    assert plain_answer.status_code == 303
    assert plain_answer.headers["location"].startswith("/lab/xo?")


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Runs that go on until the gate is opened; how many were closed is in `closed`."""
    gate = threading.Event()

    def endless(*arguments: Any) -> Iterator[Learned]:
        for report in learn(*arguments):
            yield report
            gate.wait(10)
            if gate.is_set():
                return

    monkeypatch.setattr(learning, "learn", endless)
    yield gate
    gate.set()


class Listener:
    """A browser that listens to a run, in the app's own event loop."""

    def __init__(self, application: FastAPI, owner: str) -> None:
        self.status, self.text, self.begun = 0, "", asyncio.Event()
        self._closed = asyncio.Event()
        path, query = EVENTS.split("?")
        cookie = f"layerscope_owner={owner * 24}".encode()
        scope = {
            "type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
            "query_string": query.encode(), "root_path": "", "scheme": "http",
            "headers": [(b"host", b"localhost"), (b"cookie", cookie)], "http_version": "1.1",
            "server": ("localhost", 80), "client": ("127.0.0.1", 1), "asgi": {"version": "3.0"},
        }  # fmt: skip
        self.answered = asyncio.create_task(application(scope, self._receive, self._send))

    def close(self) -> None:
        """The laptop is shut."""
        self._closed.set()

    async def _receive(self) -> dict[str, Any]:
        await self._closed.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        self.text += message.get("body", b"").decode()
        if "data-step" in self.text:
            self.begun.set()


async def test_one_run_a_person_and_others_take_turns(
    application: FastAPI, held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "PATIENCE", 0.1)
    async with application.router.lifespan_context(application), asyncio.timeout(20):
        jobs = application.state.services.engine._jobs
        mine = Listener(application, "m")
        await until(lambda: len(jobs) == 1)
        # The same person again, in another tab: refused with a sentence, before any event.
        second = Listener(application, "m")
        await second.answered
        assert second.status == 503
        assert "One long job of yours" in second.text
        theirs = Listener(application, "t")
        await until(lambda: len(jobs) == 2)
        held.set()
        await asyncio.gather(mine.answered, theirs.answered)
        assert 'data-place="0"' in mine.text
        assert 'data-place="1"' in theirs.text
        assert "Number 2 in the queue" in theirs.text
        assert [parse(one.text)[-1]["event"] for one in (mine, theirs)] == ["done", "done"]
        assert not jobs


async def test_who_begins_again_waits_for_the_last_run_to_end(
    application: FastAPI, held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with application.router.lifespan_context(application), asyncio.timeout(20):
        engine = application.state.services.engine
        last = Listener(application, "m")
        await last.begun.wait()
        asked: list[str] = []
        real = engine.stream

        def counted(owner: str, make: Any) -> Any:
            asked.append(owner)
            return real(owner, make)

        monkeypatch.setattr(engine, "stream", counted)
        again = Listener(application, "m")
        await until(lambda: len(asked) == 2)
        last.close()
        held.set()
        await asyncio.gather(last.answered, again.answered)
        assert again.status == 200
        assert "data-step" in again.text


async def test_a_run_that_nobody_listens_to_ends(application: FastAPI) -> None:
    async with application.router.lifespan_context(application), asyncio.timeout(20):
        jobs = application.state.services.engine._jobs
        listener = Listener(application, "m")
        await listener.begun.wait()
        assert len(jobs) == 1
        listener.close()
        async with asyncio.timeout(2):
            await listener.answered
        assert not jobs
        assert f"{STEPS} of {STEPS}" not in listener.text


@pytest.mark.usefixtures("short")
def test_what_breaks_on_the_way_is_an_event_and_a_clean_end(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.errors import LayerscopeError

    def broken(*arguments: Any) -> Iterator[Learned]:
        yield next(iter(learn(*arguments)))
        raise LayerscopeError("The pencil broke.")

    monkeypatch.setattr(learning, "learn", broken)
    *_, problem, done = parse(client.get(EVENTS).text)
    assert "The pencil broke." in problem["data"]
    assert "#notice" in problem["data"]
    assert done["event"] == "done"
    monkeypatch.undo()


async def until(holds: Callable[[], bool]) -> None:
    """Until something holds; ten seconds are too long."""
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)
