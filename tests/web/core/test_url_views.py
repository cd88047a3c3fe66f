"""Every kind of URL says what it was built from: parse what it wrote, and it is equal."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
from annotated_types import Ge, Le, Lt, MaxLen
from fastapi import FastAPI, Query
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject, SearchStrategy
from pydantic.fields import FieldInfo
from starlette.datastructures import QueryParams
from starlette.testclient import TestClient

from app import web
from app.services.attacks.options import Method
from app.services.attacks.robustness_curves import SLIDERS
from app.vision.preset_kernels import PRESET_KERNELS
from app.vision.tiny_network.board import CELLS
from app.vision.tiny_network.network import Match, TinyLayer
from app.web.attack.change_view import ChangeView, Edge
from app.web.attack.methods import METHODS
from app.web.attack.view import SEEDS, AttackView, read
from app.web.compare.view import CompareView
from app.web.core.links import View
from app.web.core.url_view import UrlView, with_parameter
from app.web.lab import grid_view, photo_view, row, row_view
from app.web.lab.lab_query import LabQuery
from app.web.lab.xo import state
from tests.support.addresses import BASE


def kinds(kind: type[UrlView] = UrlView) -> list[type[UrlView]]:
    """Every kind of URL there is in the app."""
    if kind is UrlView:
        for module in pkgutil.walk_packages(web.__path__, f"{web.__name__}."):
            importlib.import_module(module.name)
    found = [one for one in kind.__subclasses__() if one.__module__.startswith("app.")]
    return [one for child in found for one in (child, *kinds(child))]


KINDS = list(dict.fromkeys(kinds()))


def numbers(least: int, most: int, limit: float = 99) -> SearchStrategy[tuple[float, ...]]:
    """Numbers of four decimal places."""
    ten_thousand = int(limit * 10_000)
    one = st.integers(-ten_thousand, ten_thousand).map(lambda number: number / 10_000)
    return st.lists(one, min_size=least, max_size=most).map(tuple)


def thousandths(least: float, most: float) -> SearchStrategy[float]:
    """Numbers of three decimal places."""
    return st.integers(round(1000 * least), round(1000 * most)).map(lambda number: number / 1000)


def square(sides: range) -> SearchStrategy[tuple[float, ...]]:
    """As many numbers as a square has."""
    return st.sampled_from(sides).flatmap(lambda side: numbers(side * side, side * side))


@st.composite
def rows(draw: st.DrawFn) -> row_view.RowView:
    """A row and a kernel that fits on it."""
    view = row_view.RowView(
        row=draw(numbers(1, row_view.LONGEST)),
        kernel=draw(numbers(1, row_view.LARGEST_KERNEL)),
        stride=draw(st.sampled_from(row_view.STRIDES)),
        padding=draw(st.sampled_from(row_view.PADDINGS)),
        dilation=draw(st.sampled_from(row_view.DILATIONS)),
        mode=draw(st.sampled_from(row_view.MODES)),
        turn=draw(st.booleans()),
    )
    if view.window.misfit((1, len(view.row))):
        view = row_view.RowView(mode=view.mode, turn=view.turn)
    return view.changed(at=draw(st.integers(1, view.count)))


@st.composite
def grids(draw: st.DrawFn) -> grid_view.GridView:
    """A picture and a kernel that fits on it, and cells of their maps."""
    view = grid_view.GridView(
        picture=draw(square(grid_view.SIDES)),
        kernel=draw(square(grid_view.KERNELS)),
        stride=draw(st.sampled_from(row_view.STRIDES)),
        padding=draw(st.sampled_from(row_view.PADDINGS)),
        dilation=draw(st.sampled_from(row_view.DILATIONS)),
        mode=draw(st.sampled_from(row_view.MODES)),
        turn=draw(st.booleans()),
        pool=draw(st.sampled_from(grid_view.POOLS)),
        pool_stride=draw(st.sampled_from(grid_view.POOLS)),
    )
    if view.window.misfit((view.side, view.side)):
        view = grid_view.GridView(mode=view.mode, turn=view.turn)
    y, x = (draw(st.integers(0, view.out - 1)) for _ in "yx")
    py, px = (draw(st.integers(0, max(0, view.pooled - 1))) for _ in "yx")
    return view.changed(y=y, x=x, py=py, px=px)


@st.composite
def photos(draw: st.DrawFn) -> photo_view.PhotoView:
    """A preset kernel, or one of one's own."""
    view = photo_view.PhotoView(
        image=draw(st.text(WRITTEN, min_size=1)),
        kernel=draw(st.sampled_from([one.id for one in PRESET_KERNELS])),
        show=draw(st.sampled_from(photo_view.SHOWN)),
        filter=draw(st.integers(-1, 9999)),
        y=draw(st.integers(-1, 98)),
        x=draw(st.integers(-1, 98)),
    )
    own = draw(square(range(3, 6, 2)))
    by = draw(st.integers(1, 1000))
    if draw(st.booleans()) or (own, by) in [(one.numbers, one.by) for one in PRESET_KERNELS]:
        return view
    return view.changed(kernel=photo_view.OWN, k=own, by=by)


@st.composite
def boards(draw: st.DrawFn) -> state.BoardState:
    """A board with some layers; the cell need not be one of theirs."""
    layers = (TinyLayer("conv"), TinyLayer("conv", 1), TinyLayer("relu"), TinyLayer("pool"))
    cell = st.builds(state.BoardCell, *[st.integers(0, 99)] * 4)
    return state.BoardState(
        board=draw(st.integers(0, 2**CELLS - 1)),
        layers=draw(st.lists(st.sampled_from(layers), max_size=2).map(tuple)),
        kernels=draw(numbers(state.WEIGHTS, state.WEIGHTS, state.LIMIT)),
        match=draw(st.sampled_from(get_args(Match))),
        cell=draw(st.none() | cell),
    )


@st.composite
def attacks(draw: st.DrawFn) -> AttackView:
    """An attack with settings of its method, as a form sends them: no space around a text."""
    method = draw(st.sampled_from(get_args(Method)))
    uses, text = METHODS[method].uses, st.text(WRITTEN, max_size=200).map(str.strip)
    run = draw(st.booleans())
    settings: dict[str, SearchStrategy[Any]] = {
        "epsilon": st.none() | thousandths(0, 1e6),
        "steps": st.none() | st.integers(0, SEEDS - 1),
        "step_size": st.none() | thousandths(0, 1e6),
        "target": text,
    }
    return AttackView(
        model=draw(text.filter(bool)),
        image=draw(text.filter(bool)),
        method=method,
        **{name: draw(one) for name, one in settings.items() if name in uses},
        true_label=draw(text),
        seed=draw(st.integers(0, SEEDS - 1)),
        run=run,
        step=draw(st.none() | st.integers(0, SEEDS - 1)) if run else None,
    )


@st.composite
def changes(draw: st.DrawFn) -> ChangeView:
    """A transformation of a photo."""
    names = {name: draw(st.text(WRITTEN, max_size=200)) for name in ("model", "image")}
    slid = {one.id: draw(thousandths(one.least, one.most)) for one in SLIDERS}
    edge = draw(st.sampled_from(get_args(Edge)))
    return ChangeView.model_validate({**names, **slid, "flip": draw(st.booleans()), "edge": edge})


def placed_photo(query: LabQuery, parameters: QueryParams) -> photo_view.PhotoView:
    view = photo_view.read(query, parameters.get("image") or photo_view.PLAIN.image)
    return photo_view.placed(query, view, (99, 99))


WRITTEN = st.characters(codec="utf-8")
STRATEGIES: dict[type[UrlView], SearchStrategy[Any]] = {
    row_view.RowView: rows(),
    grid_view.GridView: grids(),
    photo_view.PhotoView: photos(),
    state.BoardState: boards(),
    AttackView: attacks(),
    ChangeView: changes(),
}
"""Kinds whose fields depend on each other."""
READERS: dict[type[UrlView], Callable[[QueryParams], UrlView]] = {
    row_view.RowView: lambda given: row.placed(LabQuery(given)),
    grid_view.GridView: lambda given: grid_view.placed(
        LabQuery(given), grid_view.read(LabQuery(given))
    ),
    photo_view.PhotoView: lambda given: placed_photo(LabQuery(given), given),
    state.BoardState: lambda given: state.read(given).state,
    AttackView: lambda given: read(given, "mini").view,
}
"""Kinds that are read with a sentence beside the form; FastAPI reads all others."""


def values(annotation: Any, limits: list[Any]) -> SearchStrategy[Any]:
    """Values of a field's type within its limits."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        within = [part for one in more for part in getattr(one, "metadata", [one])]
        return values(inner, [*limits, *within])
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    if options := [one for one in get_args(annotation) if one is not NoneType]:
        chosen = st.one_of([values(one, limits) for one in options])
        return st.none() | chosen if NoneType in get_args(annotation) else chosen
    least = next((float(str(one.ge)) for one in limits if isinstance(one, Ge)), -(2.0**60))
    most = next((float(str(one.le)) for one in limits if isinstance(one, Le)), 2.0**60)
    most = next((float(str(one.lt)) - 1 for one in limits if isinstance(one, Lt)), most)
    longest = next((one.max_length for one in limits if isinstance(one, MaxLen)), 300)
    kinds: dict[Any, SearchStrategy[Any]] = {
        bool: st.booleans(),
        int: st.integers(int(least), int(most)),
        float: thousandths(least, most),
        str: st.text(WRITTEN, max_size=longest),
    }
    return kinds[annotation]


def field_values(field: FieldInfo) -> SearchStrategy[Any]:
    return values(field.annotation, field.metadata)


def built(kind: type[UrlView]) -> SearchStrategy[UrlView]:
    """Any view of a kind."""
    if kind in STRATEGIES:
        return STRATEGIES[kind]
    fields = kind.model_fields
    required = {one.alias or n: field_values(one) for n, one in fields.items() if one.is_required()}
    others = {one.alias or n: field_values(one) for n, one in fields.items()}
    optional = {name: one for name, one in others.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional).map(kind.model_validate)


def reader(kind: type[UrlView]) -> Callable[[QueryParams], UrlView]:
    """What reads a query for a route."""
    if kind in READERS:
        return READERS[kind]
    app, found = FastAPI(), list[UrlView]()

    def route(view: UrlView) -> None:
        found.append(view)

    route.__annotations__ = {"view": Annotated[kind, Query()]}
    app.add_api_route("/", route)
    client = TestClient(app, base_url=BASE)

    def read(parameters: QueryParams) -> UrlView:
        answer = client.get("/", params=str(parameters))
        assert answer.status_code == 200, answer.text
        return found.pop()

    return read


def test_all_kinds_are_found() -> None:
    assert {"View", "CompareView", "AttackView", "RowView", "BoardState"} <= {
        kind.__name__ for kind in KINDS
    }


def test_a_change_of_no_field_is_refused() -> None:
    with pytest.raises(TypeError, match="View has no chanel"):
        View(model="mini", image="cat").url(chanel=3)


def test_further_parameters_come_last() -> None:
    view = View(model="mini", image="cat", step="conv1")
    assert view.query({"v": 1}, channel=0) == "model=mini&image=cat&step=conv1&channel=0&v=1"


def test_invalid_parts_of_a_query_are_ignored() -> None:
    given = {"model": "mini", "channel": "-1", "by": "nothing", "step": "conv1", "image": "a" * 201}
    assert CompareView.valid_parts(given) == CompareView(model="mini", step="conv1")


def test_a_parameter_is_replaced_in_a_url() -> None:
    url = "http://localhost/?model=mini&made=seed1&kept=conv1%3A3"
    assert with_parameter(url, "made", "seed2") == "model=mini&kept=conv1%3A3&made=seed2"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=50)
@given(data=st.data())
def test_what_a_url_says_is_what_it_was_built_from(kind: type[UrlView], data: DataObject) -> None:
    read, view = reader(kind), data.draw(built(kind))
    again = read(QueryParams(view.query()))
    assert again == view
    assert again.query() == view.query()
