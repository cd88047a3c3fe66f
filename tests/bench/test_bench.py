"""The benchmark itself: it measures everything it promises, and writes it down."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from app.bench import (
    atlas,
    attacks,
    bytes_on_wire,
    explain,
    foolbox_attack,
    main,
    memory,
    projections,
    repeated_run,
    report,
    stickers,
    synthesis,
    thirty_at_once,
    upload,
)
from app.bench.rows import HEAD, BenchRow, percentile, quantity

WHAT = (
    memory.IDLE, upload.ALL_SHEETS, upload.STORED, upload.FIRST_EVENT, repeated_run.AGAIN,
    explain.CELL, explain.CHAIN, f"{attacks.PGD}, epsilon 8", f"{attacks.PGD}, epsilon 2",
    foolbox_attack.BESIDE, stickers.DRAG, synthesis.SYNTHESIS.format(32, 64), projections.GUIDED,
    projections.COVER, atlas.ATLAS,
    thirty_at_once.TOGETHER, thirty_at_once.GROWTH, bytes_on_wire.OVERVIEW,
    bytes_on_wire.FIRST_USE, bytes_on_wire.CODE,
)  # fmt: skip


def row(measured: float, limit: float | None = 1.5) -> BenchRow:
    return BenchRow("a thing", "mini", measured, 10.0, "ms", limit, bare=True)


def test_the_small_network_is_measured_in_every_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[BenchRow] = []
    as_text = report.text

    def keep(rows: list[BenchRow]) -> str:
        shown.extend(rows)
        return as_text(rows)

    monkeypatch.setattr(report, "text", keep)
    # A class of four shows as well as one of thirty that it is measured.
    monkeypatch.setattr(thirty_at_once, "PICTURES", 4)
    monkeypatch.setattr(thirty_at_once, "BATCH", 2)
    file = tmp_path / "benchmarks.md"
    assert main(["--models", "mini", "--quick", "--markdown", str(file)]) == 0
    assert [one.what for one in shown] == list(WHAT)
    assert all(one.ratio > 0 for one in shown)
    printed, written = capsys.readouterr().out, file.read_text(encoding="utf-8")
    assert all(what in printed and f"| {what} | mini |" in written for what in WHAT)


def test_a_bar_is_kept_up_to_its_limit() -> None:
    assert [row(15.0).verdict, row(15.1).verdict, row(99.0, None).verdict] == ["ok", "over", "told"]


def test_a_missed_bar_is_an_error_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.bench.memory.measure", lambda name: [row(20.0)])
    monkeypatch.setattr("app.bench.command.open_bench", lambda *_: nullcontext())
    monkeypatch.setattr("app.bench.command.PARTS", ())
    assert main(["--models", "mini"]) == 0
    assert main(["--models", "mini", "--strict"]) == 1


def test_a_network_that_is_not_there_is_refused() -> None:
    with pytest.raises(SystemExit):
        main(["--models", "mini,resnet"])


def test_the_table_takes_the_place_of_the_last_one_and_the_rest_stays(tmp_path: Path) -> None:
    file = tmp_path / "benchmarks.md"
    file.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    report.write(file, [row(12.0)], "a quiet machine")
    text = file.read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("after\n")
    assert "old" not in text and "a quiet machine" in text and "1.20 × bare" in text


def test_columns_are_aligned() -> None:
    lines = report.text([row(12.0), row(1.0)]).splitlines()[:3]
    assert len(lines[0].split()) == len(HEAD)
    assert len({line.index("mini") for line in lines[1:]} | {lines[0].index("network")}) == 1


def test_figures_have_three_significant_digits() -> None:
    assert [quantity(v, "ms") for v in (0.123, 9.99, 12.34, 123.4)] == [
        "0.12 ms", "9.99 ms", "12.3 ms", "123 ms"
    ]  # fmt: skip


def test_the_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([float(i) for i in range(100)], 0.95) == 94.0
    assert percentile([3.0], 0.95) == 3.0


def test_what_a_page_loads_is_found_and_what_it_links_to_is_not() -> None:
    page = (
        '<link rel="stylesheet" href="/static/a.css"><script src="/static/b.js"></script>'
        '<img src="/c.jpg"><a href="/d.npy"></a><svg><image href="/e.png"/></svg>'
        '<img src="data:,x">'
    )
    assert bytes_on_wire.named("/", "text/html; charset=utf-8", page.encode()) == [
        "/static/a.css", "/static/b.js", "/c.jpg", "/e.png"
    ]  # fmt: skip
    script = b"import { a } from './one.js';\nimport './two.js';"
    assert bytes_on_wire.named("/static/js/main.js?v=1", "text/javascript", script) == [
        "/static/js/one.js", "/static/js/two.js"
    ]  # fmt: skip
    event = b"id: 0\ndata: <img\ndata: src='/f.png'>\n\n"
    assert bytes_on_wire.named("/events", "text/event-stream; charset=utf-8", event) == ["/f.png"]
