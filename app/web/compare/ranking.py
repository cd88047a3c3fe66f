"""The ranking of a comparison: the pairs of channels that differ most, with bars and links."""

from __future__ import annotations

import math

from app.services.runs.comparison import PARTS, By, ChannelPair, ComparedSide, MapComparison, Part
from app.web.compare.contexts import CompareChoice, PairRanking, RankedPair
from app.web.compare.sheets import layout, maps_url
from app.web.compare.view import CompareView
from app.web.compare.words import DEFINITION
from app.web.core.templating import number
from app.web.parts.sprites import box
from app.web.parts.unit_names import label_of

SHOWN = 16
"""Pairs in the ranking; the table has all."""

NAMES: dict[Part, str] = {"here": "Here", "there": "There", "difference": "There − here"}

ORDERS: dict[By, tuple[str, str]] = {
    "relative": ("Most different", f"Bars show the relative distance. {DEFINITION}"),
    "alike": ("Most alike", f"Bars show the relative distance. {DEFINITION}"),
    "peak": (
        "Peak",
        "Bars show how much higher (warm) or lower (cool) the peak is there, wherever it lies.",
    ),
}


def ranking(view: CompareView, comparison: MapComparison, chosen: ChannelPair) -> PairRanking:
    """The first pairs in the selected order."""
    rows = [comparison.row(place) for place in comparison.order(view.by, SHOWN)]
    spatial = comparison.here.run.spatial(comparison.here.record.step.name)
    parts = (
        [part for part in PARTS if part != "difference" or comparison.same_size] if spatial else []
    )
    layouts = [layout(comparison, part, len(rows)) for part in parts]
    most = max((abs(row.peak) for row in rows), default=0.0)
    return PairRanking(
        title=_title(view, comparison),
        sentence=_sentence(view, comparison),
        orders=_orders(view, comparison),
        rows=tuple(
            RankedPair(
                row,
                channel_name(comparison.here, row.here),
                channel_name(comparison.there, row.there),
                pair_url(view, comparison, row),
                (row.here, row.there) == (chosen.here, chosen.there),
                tuple(box(one, i) for one in layouts),
                *_bar(by_of(view, comparison), row, most),
            )
            for i, row in enumerate(rows)
        ),
        total=len(comparison.pairs[0]),
        sheets=tuple(maps_url(view, comparison, part) for part in parts),
        sizes=tuple((one.width, one.height) for one in layouts),
        heads=tuple(NAMES[part] for part in parts),
    )


def pair_url(view: CompareView, comparison: MapComparison, row: ChannelPair) -> str:
    """The page with a pair; the default partner is not named."""
    named = comparison.pairing == "one" or row.there != row.here
    return view.url(channel=row.here, other_channel=row.there if named else None)


def channel_name(half: ComparedSide, channel: int) -> str:
    """`map 5`, `number 5`, or a class."""
    kind = "map" if half.run.spatial(half.record.step.name) else "number"
    return label_of(half.run, half.record.step, channel) or f"{kind} {channel}"


def apart_words(comparison: MapComparison, row: ChannelPair) -> str:
    """The distance of two maps, or why it is not defined."""
    what = "peak" if comparison.spatial else "number"
    peak = f"The {what} is {number(abs(row.peak))} {'higher' if row.peak >= 0 else 'lower'} there."
    if not comparison.spatial:
        return peak
    if row.relative is None or row.largest is None:
        one, other = comparison.here.shape, comparison.there.shape
        return (
            f"No difference can be taken: {one[0]}×{one[1]} cells here, {other[0]}×{other[1]} "
            f"there, so a cell here has no partner there. {peak}"
        )
    return (
        f"Relative distance {row.relative:.2f}; the largest difference in a cell is "
        f"{number(row.largest)}. {peak}"
    )


def _title(view: CompareView, comparison: MapComparison) -> str:
    if comparison.pairing == "rank":
        return "Strongest next to strongest"
    return "Most alike first" if by_of(view, comparison) == "alike" else "What differs most"


def _sentence(view: CompareView, comparison: MapComparison) -> str:
    if comparison.pairing == "rank":
        return "By rank on each side, highest peak first. Bars show the peaks’ difference."
    if not comparison.spatial:
        return "Bars show how much higher (warm) or lower (cool) the number is there."
    sizes = "" if comparison.same_size else "Maps of two sizes cannot be subtracted. "
    return sizes + ORDERS[by_of(view, comparison)][1]


def _orders(view: CompareView, comparison: MapComparison) -> tuple[CompareChoice, ...]:
    known, now = comparison.orders(), by_of(view, comparison)
    if len(known) < 2:
        return ()
    return tuple(CompareChoice(ORDERS[by][0], view.url(by=by), by == now) for by in known)


def by_of(view: CompareView, comparison: MapComparison) -> By:
    """What is ranked by: not every comparison allows the requested value."""
    return view.by if view.by in comparison.orders() else "peak"


def _bar(by: By, row: ChannelPair, most: float) -> tuple[float, str, str]:
    """Length 0..100, its value as text, and its colour."""
    if by == "peak" or row.relative is None:
        length = 100 * abs(row.peak) / most if most else 0.0
        return length, f"{'+' if row.peak > 0 else ''}{number(row.peak)}", _colour(row)
    return 100 * row.relative / math.sqrt(2), f"{row.relative:.2f}", "warm"


def _colour(row: ChannelPair) -> str:
    return "warm" if row.peak >= 0 else "cool"
