"""Panel “Does it survive?”: does the attack survive JPEG, resizing, a camera?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.errors import BadRequest
from app.pictures.preprocess import input_png
from app.pictures.transformations import TRANSFORMATIONS
from app.services.attacks.survival import (
    Fate,
    SurvivalStart,
    SurvivalTrial,
    Survivor,
    fate,
    predict_transformed,
    transformed,
    trials,
)
from app.services.runs.sheets import DRAWING
from app.web.attack.class_bars import ClassShareBar, class_bars
from app.web.attack.pair_query import PairDep, PairView, PairViewDep, show
from app.web.attack.slider_responses import is_part, push_panel_url, strength
from app.web.core.base_path import base
from app.web.core.file_responses import Download, csv_response, file_response
from app.web.core.state import OwnerDep, ServicesDep
from app.web.core.templating import percent, render
from app.web.core.work import WorkDep
from app.web.panels.panel import AttackPanel
from app.web.parts.contexts import helped
from models.classes import Label


@dataclass(frozen=True, slots=True)
class TransformSwitch:
    """One transformation of a picture."""

    id: str  # its name in the query
    title: str
    on: bool
    plain: bool  # whether it has no strength
    least: str
    most: str
    step: str
    value: str
    unit: str  # after the value
    how: str  # what it does


@dataclass(frozen=True, slots=True)
class SurvivingPicture:
    """One of the two pictures after the transformations."""

    id: str  # `clean` or `attacked`
    title: str
    url: str
    bars: tuple[ClassShareBar, ...]


@dataclass(frozen=True, slots=True)
class SurvivalRow:
    """A line of the table."""

    what: str  # the transformation
    clean: str  # the predicted class
    clean_share: float  # 0..1
    attacked: str  # the predicted class
    attacked_share: float  # 0..1
    fate: Fate
    words: str  # whether it still fools


@dataclass(frozen=True, slots=True)
class SurvivalResult:
    """Both pictures after the selected transformations."""

    seen: tuple[SurvivingPicture, ...]  # the clean picture, then the attacked one
    fate: Fate
    sentence: str
    done: str  # the transformations in order; "" if there are none
    side: int  # pixels
    link: str  # URL of the panel, on a page of its own


@dataclass(frozen=True, slots=True)
class SurvivePanel:
    """The whole panel."""

    view: PairView = helped("Network, picture, attacked picture.")
    switches: tuple[TransformSwitch, ...] = helped("All transformations, in order.")
    result: SurvivalResult = helped("Both pictures after the selected transformations.")
    table: str = helped("URL of the table of each transformation alone.")
    csv: str = helped("URL of the same as CSV.")


SHORT: dict[Fate, str] = {
    "none": "never fooled",
    "broken": "picture too damaged",
    "undone": "no",
    "fooled": "yes",
    "other": "yes, as something else",
}


def switches(chosen: dict[str, float]) -> tuple[TransformSwitch, ...]:
    """All transformations in order, the selected ones on."""
    return tuple(
        TransformSwitch(
            one.id,
            one.title,
            one.id in chosen,
            one.plain,
            f"{one.least:g}",
            f"{one.most:g}",
            f"{one.step:g}",
            f"{chosen.get(one.id, one.start):g}",
            one.unit.strip(),
            one.how,
        )
        for one in TRANSFORMATIONS
    )


def query(view: PairView, chosen: dict[str, float]) -> str:
    """The panel's state as a query string; transformations that are off are left out."""
    on = [("on", id) for id in chosen]
    given = [(id, f"{value:g}") for id, value in chosen.items()]
    more = "".join(f"&{key}={value}" for key, value in (*on, *given))
    return view.query() + more


def result(
    view: PairView,
    labels: tuple[Label, ...],
    start: SurvivalStart,
    survivor: Survivor,
    chosen: dict[str, float],
) -> SurvivalResult:
    """Both pictures and the sentence."""
    clean, attacked = survivor.before[0].index, survivor.after[0].index
    became = fate(start, clean, attacked)
    asked = query(view, chosen)

    def seen(id: str, title: str, rows: tuple[ClassShareBar, ...]) -> SurvivingPicture:
        url = f"{base()}/attack/survive.png?{asked}&which={id}&v={DRAWING}"
        return SurvivingPicture(id, title, url, rows)

    was = start.clean.index
    return SurvivalResult(
        (
            seen("clean", "Clean", class_bars(labels, survivor.before, was)),
            seen("attacked", "Attacked", class_bars(labels, survivor.after, was)),
        ),
        became,
        _sentence(labels, start, clean, attacked, became, bool(chosen)),
        ", ".join(one.words(chosen[one.id]) for one in TRANSFORMATIONS if one.id in chosen),
        survivor.clean.shape[1],
        f"{base()}/attack/survive?{asked}",
    )


def row(labels: tuple[Label, ...], trial: SurvivalTrial) -> SurvivalRow:
    """A line of the table."""
    clean, attacked = labels[trial.clean.index].label, labels[trial.attacked.index].label
    return SurvivalRow(
        trial.stop.words(trial.strength),
        clean,
        trial.clean.probability,
        attacked,
        trial.attacked.probability,
        trial.fate,
        SHORT[trial.fate],
    )


def summary(start: SurvivalStart, trials: list[SurvivalTrial]) -> str:
    """The table in a sentence."""
    if not start.fooled:
        return "The attack did not change the answer here: there is nothing to survive."
    counts = [trial.fate for trial in trials]
    sound = len(counts) - counts.count("broken")
    fooled = counts.count("fooled") + counts.count("other")
    return (
        f"Of {len(counts)} changes to both pictures, {sound} leave the answer to the clean one as "
        f"it was. After {fooled} of those the attacked one still fools, after "
        f"{counts.count('undone')} it gets the clean one’s answer again."
    )


def _sentence(
    labels: tuple[Label, ...],
    start: SurvivalStart,
    clean: int,
    attacked: int,
    became: Fate,
    done: bool,
) -> str:
    first, last = labels[start.clean.index].label, labels[start.attacked.index].label
    if became == "none":
        return f"The attack changed nothing here: both are “{first}”. There is nothing to survive."
    if not done:
        return (
            f"Nothing has happened yet: the clean picture is “{first}”, the attacked one “{last}” "
            f"({percent(start.attacked.probability)}). Switch something on."
        )
    now = labels[attacked].label
    match became:
        case "broken":
            return (
                "That damaged the picture itself: even the clean one is now "
                f"“{labels[clean].label}”. Nothing can be said about the attack."
            )
        case "undone":
            return f"The attack did not survive: it is “{first}” again."
        case "fooled":
            return f"The attack survived: the clean picture is “{first}”, this one still “{last}”."
        case _:
            return f"It still fools, but differently: no longer “{last}”, now “{now}”."


router = APIRouter()

PANEL = AttackPanel(
    "survive", "Does it survive?", "JPEG, blur, a photo: which breaks first?", router=router
)

TABLE = "Does it survive? Each change alone"


def chosen_stops(request: Request) -> dict[str, float]:
    """The selected transformations, with their strengths. Raises `BadRequest`."""
    given = request.query_params
    on = given.getlist("on")
    known = {one.id for one in TRANSFORMATIONS}
    if unknown := [id for id in on if id not in known]:
        raise BadRequest(f"There is no “{unknown[0][:40]}” here: on is one of {', '.join(known)}.")
    return {
        one.id: strength(given.get(one.id, one.start), one.id, one.least, one.most)
        for one in TRANSFORMATIONS
        if one.id in on
    }


ChosenDep = Annotated[dict[str, float], Depends(chosen_stops)]


@router.get("/survive")
async def survive(
    request: Request,
    side: WorkDep,
    view: PairViewDep,
    chosen: ChosenDep,
    pair: PairDep,
    services: ServicesDep,
) -> Response:
    """The panel; for its own form only the results."""
    both = await side(transformed, pair, chosen)
    start, found = await predict_transformed(services.engine, pair, both)
    outcome = result(view, pair.model.labels, start, found, chosen)
    if is_part(request, "survive-result"):
        response = render(request, "attack/_survive_result.html", {"result": outcome})
        return push_panel_url(request, response, query(view, chosen))
    files = view.query()
    panel = SurvivePanel(
        view,
        switches(chosen),
        outcome,
        f"{base()}/attack/survive/table?{files}",
        f"{base()}/attack/survive.csv?{files}",
    )
    return show(request, PANEL.title, "attack/_survive.html", {"panel": panel})


@router.get("/survive.png")
async def survive_png(
    pair: PairDep,
    side: WorkDep,
    chosen: ChosenDep,
    which: Literal["clean", "attacked"] = "attacked",
    v: str = "",
    download: Download = "",
) -> Response:
    """One of the transformed pictures, exactly the 8 bits that the network classified."""

    def drawn() -> bytes:
        clean, attacked = transformed(pair, chosen)
        return input_png(attacked if which == "attacked" else clean)

    return file_response(await side(drawn), "image/png", v == str(DRAWING), download)


@router.get("/survive/table")
async def survive_table(
    request: Request, view: PairViewDep, pair: PairDep, services: ServicesDep, owner: OwnerDep
) -> Response:
    """The table of each transformation alone."""
    start, found = await trials(services.engine, owner, pair)
    context = {
        "rows": [row(pair.model.labels, one) for one in found],
        "summary": summary(start, found),
        "csv": f"{base()}/attack/survive.csv?{view.query()}",
    }
    return show(request, TABLE, "attack/_survive_table.html", context)


@router.get("/survive.csv")
async def survive_csv(pair: PairDep, services: ServicesDep, owner: OwnerDep) -> Response:
    """The same table as CSV."""
    start, found = await trials(services.engine, owner, pair)
    labels = pair.model.labels
    head = [
        "transformation", "strength", "clean label", "clean probability",
        "attacked label", "attacked probability", "outcome",
    ]  # fmt: skip
    none = ("none", "", start.clean, start.attacked, "fooled" if start.fooled else "none")
    rows = [none, *((t.stop.id, t.strength, t.clean, t.attacked, t.fate) for t in found)]
    lines = (
        (id, value, labels[a.index].label, a.probability, labels[b.index].label, b.probability, end)
        for id, value, a, b, end in rows
    )
    return csv_response(head, lines, "layerscope-survives.csv")
