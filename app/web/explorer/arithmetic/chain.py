"""The chain of cells that made a cell, link by link, down to a patch of the photo."""

from __future__ import annotations

from app.services.runs.arithmetic import chained
from app.services.runs.run import Run, StepRecord
from app.vision.arithmetic.chain import CellPlace, ChainStep
from app.web.api.explain import choices
from app.web.core.links import View, input_url
from app.web.core.templating import number, percent
from app.web.explorer.arithmetic.contexts import ChainMade, LinkMade, PartMade
from app.web.parts.photo import photo
from app.web.parts.sprites import box as tile_box
from app.web.parts.sprites import kernel_sheet
from app.web.parts.unit_names import place_name, place_url, short_name
from models.graph import INPUT

PASSED = {
    "relu": "ReLU lets it through unchanged",
    "maxpool": "the largest of its window",
    "concat": "copied unchanged",
    "flatten": "copied unchanged",
    "norm": "shifted and stretched",
    "softmax": "e to the power of the score, as a share of all classes",
}
"""What happens at a link that is no sum."""


def chain_made(
    view: View, run: Run, record: StepRecord, place: CellPlace
) -> tuple[str, ChainMade, str]:
    """The chain that `view.path` describes. Raises `BadRequest` for an invalid path."""
    path = choices(view.path or "")
    links = chained(run, record, place.channel, (place.y, place.x), path, whole=False)
    made: list[LinkMade] = []
    sums = 0
    for link in links:
        made.append(_link(view, run, link, path[:sums]))
        sums += link.adds
    last = links[-1]
    kernel, kernel_box, kernel_size, patch = _end(run, last)
    chain = ChainMade(
        links=tuple(made),
        photo=photo(view, run),
        kernel=kernel,
        kernel_box=kernel_box,
        kernel_size=kernel_size,
        input=input_url(view, run.model),
        input_size=run.model.outline.input_size,
        patch_box=patch,
        ended=_ended(run, last),
    )
    return "_chain.html", chain, _sentence(run, links)


def _link(view: View, run: Run, link: ChainStep, before: list[int]) -> LinkMade:
    """One link; `before` are the parts chosen at the sums above it."""

    def part(i: int) -> PartMade:
        one = link.parts[i]
        path = ",".join(map(str, [*before, i]))
        return PartMade(
            name=short_name(run, one.place),
            value=one.value,
            weight=one.weight,
            term=one.term,
            share=one.share,
            url=view.url(path=path) if link.chosen is not None else "",
            set=f"path={path}",
            chosen=i == link.chosen,
        )

    geometry = run.model.geometry[link.place.step]
    return LinkMade(
        name=short_name(run, link.place),
        url=place_url(view, run, link.place, zoom="arithmetic"),
        kind=link.kind,
        words="" if link.adds else PASSED.get(link.kind, ""),
        value=link.value,
        adds=link.adds,
        parts=tuple(part(i) for i in range(len(link.parts))),
        bias=link.bias,
        rest=link.rest,
        others=link.others,
        box=geometry.box(link.place.y, link.place.x),
    )


def _end(run: Run, last: ChainStep) -> tuple[str, str, tuple[int, int], str]:
    """The first step's kernel and its patch of the input; empty if the chain ends before."""
    step = run.model.outline.step(last.place.step)
    url, layout = kernel_sheet(run.model, step)
    if not url:
        return "", "", (0, 0), ""
    axis_y, axis_x = run.model.geometry[step.name].rows, run.model.geometry[step.name].columns
    left, top = (
        axis_x.start + axis_x.jump * last.place.x,
        axis_y.start + axis_y.jump * last.place.y,
    )
    box = tile_box(layout, last.place.channel)
    return url, box, (layout.width, layout.height), f"{left} {top} {axis_x.size} {axis_y.size}"


def _ended(run: Run, last: ChainStep) -> str:
    if run.model.outline.step(last.place.step).inputs[0] == INPUT:
        return ""
    if last.kind == "relu":
        return "The chain ends here: the ReLU made this cell zero, so it has no source."
    if last.value == 0:
        return "The chain ends here: this cell is zero, and no source pushed it either way."
    return "The chain ends here: only the bias pushed this cell in its direction."


def _sentence(run: Run, links: list[ChainStep]) -> str:
    """The first sum and the end of the chain, in words."""
    here, first = links[0], next((link for link in links if link.adds and link.parts), None)
    begin, last = f"{place_name(run, here.place)} is {number(here.value)}", links[-1]
    if first is None and last is here:
        return f"{place_name(run, here.place)}: it has no source."
    if first is None:
        return (
            f"{begin}; it comes from {place_name(run, last.place)}, {number(last.value)}, which "
            "has no source."
        )
    if first is not here:
        begin += f"; it comes from {place_name(run, first.place)}, {number(first.value)}"
    return (
        f"{begin}. {_source_words(run, first)} Followed down through {len(links)} steps, the chain "
        f"reaches {place_name(run, last.place)}."
    )


def _source_words(run: Run, link: ChainStep) -> str:
    """The source that is followed, and what its term is a share of."""
    chosen = link.chosen or 0
    part = link.parts[chosen]
    which = "largest term in its direction" if chosen == 0 else "term that is followed"
    of_value = part.term / link.value if link.value else float("inf")
    share = (
        f"{percent(of_value)} of this value"
        if of_value <= 1
        else "more than this value, since other terms take away"
    )
    return (
        f"Of this sum the {which}, from {place_name(run, part.place)}, is {number(part.term)}: "
        f"{share}, and {percent(abs(part.share))} of the magnitudes of bias and all terms."
    )
