"""Sittings: what is written when, and what is not overwritten."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import TrainingStopped
from app.training import session as session_module
from app.training.options import TrainingOptions
from app.training.session import Places, Session
from app.training.trainer import Trainer, TrainingProgress
from tests.support.stripes import SMALL

Make = Callable[[TrainingOptions], Trainer]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "net.safetensors")


def test_metrics_and_chart_have_a_row_an_epoch(make: Make, places: Places) -> None:
    trainer = make(SMALL)
    told = list(Session(trainer, places).run())
    assert [one.step for one in told] == list(range(1, 19))
    with places.metrics.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [float(row["top1"]) for row in rows] == [row.top1 for row in trainer.history]
    drawn = ElementTree.parse(places.chart).getroot()
    lines = drawn.findall("{http://www.w3.org/2000/svg}polyline")
    assert [len(line.attrib["points"].split()) for line in lines] == [3, 3]


@pytest.mark.parametrize("how", [KeyboardInterrupt, RuntimeError])
def test_however_a_sitting_ends_the_next_goes_on(
    make: Make, places: Places, how: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, first, second = make(SMALL), make(SMALL), make(SMALL)
    list(whole.run())
    rate = first.rate

    def ended(step: int) -> float:
        """Asked at the beginning of a step."""
        if step == 8:
            raise how
        return rate(step)

    monkeypatch.setattr(first, "rate", ended)
    with pytest.raises(how):
        list(Session(first, places).run())
    going_on = Session(second, places)
    assert (going_on.resumed, going_on.before > 0) == (8, True)
    list(going_on.run())
    pairs = zip(whole.averaged.parameters(), second.averaged.parameters(), strict=True)
    assert all(a.equal(b) for a, b in pairs)
    assert going_on.seconds > going_on.before


def test_a_power_cut_costs_no_more_than_the_time_since_the_last_checkpoint(
    make: Make, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "CHECKPOINT_EVERY", 0)
    steps = Session(make(SMALL), places).run()
    for _ in range(4):
        next(steps)
    # No goodbye: what lies on the disk is all there is.
    assert Session(make(SMALL), places).resumed == 4


def test_a_file_made_before_is_not_overwritten_by_accident(make: Make, places: Places) -> None:
    places.out.write_bytes(b"weeks of work")
    with pytest.raises(TrainingStopped, match="exists already"):
        Session(make(SMALL), places)
    assert Session(make(SMALL), places, fresh=True).resumed == 0
    assert places.out.read_bytes() == b"weeks of work"


def test_fresh_begins_anew(make: Make, places: Places) -> None:
    list(Session(make(SMALL), places).run())
    assert Session(make(SMALL), places).resumed == 18
    assert Session(make(SMALL), places, fresh=True).resumed == 0


def test_time_left_counts_this_sittings_steps(
    make: Make, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("app.training.session.time.monotonic", lambda: now[0])
    session = Session(make(SMALL), places)
    session.resumed = 4
    now[0] += 30
    assert session.left(TrainingProgress(10, 18, 0.5)) == pytest.approx(30 / 6 * 8)
    assert session.seconds == pytest.approx(30)
