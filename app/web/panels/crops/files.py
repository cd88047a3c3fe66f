"""Files of crops: each crop, its projection and its picture; all of a unit's crops in one file."""

from __future__ import annotations

from io import BytesIO

from fastapi import APIRouter, Request
from fastapi.responses import Response
from PIL import Image

from app.errors import NotFound
from app.pictures.figures import CaptionedFigure, figures_png
from app.pictures.filters import colour_filters
from app.pictures.preprocess import input_png, normalise
from app.pictures.samples import all_samples
from app.services.atlas.crop_sources import AtlasCropSource
from app.services.runs.peaks import KEEP
from app.services.runs.run import preprocess
from app.vision.crops import cut_signed
from app.vision.projections.deconvolution import deconvolution
from app.vision.units import Unit
from app.web.core.file_responses import csv_response, file_response
from app.web.core.links import View
from app.web.core.state import ServicesDep
from app.web.core.templating import render
from app.web.core.work import WorkDep
from app.web.parts.crop_query import Channel, CropQuery, CropQueryDep, out_of, unit

router = APIRouter(prefix="/{model}/{of}/{step}/{channel}")
tables = APIRouter(prefix="/{model}/{of}/{step}")

HEAD = ("rank", "value", "picture", "row", "column", "left", "top", "right", "bottom")
SIDE = 112
"""Side of a crop in the picture of all nine, pixels."""


@router.get("/{number}.webp")
async def crop(query: CropQueryDep, side: WorkDep, v: str = "") -> Response:
    """The crop."""
    data = await side(query.source.crop, query.step, query.channel, query.peak)
    return query.answer(data, "image/webp", v)


@router.get("/{number}/projection.png")
async def projection(
    query: CropQueryDep, side: WorkDep, services: ServicesDep, v: str = ""
) -> Response:
    """The deconvolution projection of the unit, cut to the crop."""
    model = query.source.model
    network = await services.catalogue.network(model.id)
    where = model.geometry[query.step]

    def work() -> bytes:
        pixels = query.source.fitted(query.peak.number).pixels
        picture = normalise(pixels, preprocess(model)).to(next(network.parameters()).device)
        cell = divmod(query.peak.cell, where.shape[2])
        made = deconvolution(network, picture, Unit(query.step, query.channel, cell)).cpu()
        return colour_filters(cut_signed(made, where, query.peak.cell)[None]).png

    return query.answer(await side(work), "image/png", v)


@router.get("/{number}/picture.png")
async def picture(query: CropQueryDep, side: WorkDep) -> Response:
    """A picture of an operator's folder as the network gets it."""
    _only_folders(query)
    pixels = (await side(query.source.fitted, query.peak.number)).pixels
    return query.answer(input_png(pixels), "image/png", "")


@router.get("/{number}")
async def whole(request: Request, side: WorkDep, query: CropQueryDep) -> Response:
    """A picture of an operator's folder, with the cell's receptive field framed."""
    _only_folders(query)
    model = query.source.model
    await side(query.source.fitted, query.peak.number)
    y, x = divmod(query.peak.cell, model.geometry[query.step].shape[2])
    context = {
        "model": model,
        "name": query.source.name(query.peak.number),
        "step": query.step,
        "channel": query.channel,
        "value": query.peak.value,
        "cell": (y, x),
        "box": model.geometry[query.step].box(y, x),
        "size": model.outline.input_size,
        "image": f"{request.url.path}/picture.png",
        "projection": f"{request.url.path}/projection.png",
        "back": View(
            model=model.id, image=all_samples()[0].id, step=query.step, channel=query.channel
        ).url(),
    }
    return render(request, "pages/crop.html", context)


@tables.get("/{channel}.csv")
async def csv(services: ServicesDep, model: str, of: str, step: str, channel: Channel) -> Response:
    """The crops of a unit as a table, which identifies no upload."""
    source = await unit(services, model, of, step, channel)
    where = source.model.geometry[step]
    rows = []
    for rank, won in enumerate(source.ranking(step, channel), 1):
        y, x = divmod(won.cell, where.shape[2])
        box = where.box(y, x)
        place = (y, x, box.left, box.top, box.right, box.bottom)
        rows.append((rank, f"{won.value:.6g}", source.name(won.number), *place))
    return csv_response(HEAD, rows, f"{model}-{step}-{channel}-crops.csv")


@tables.get("/{channel}.png")
async def png(
    services: ServicesDep, side: WorkDep, model: str, of: str, step: str, channel: Channel
) -> Response:
    """The crops of a unit as one picture."""
    source = await unit(services, model, of, step, channel)

    def work() -> bytes:
        page = Image.new("RGB", (3 * SIDE, 3 * SIDE), (255, 255, 255))
        lines = []
        for i, won in enumerate(source.ranking(step, channel)[:KEEP]):
            crop = Image.open(BytesIO(source.crop(step, channel, won)), formats=("WEBP",))
            small = crop.convert("RGBA").resize((SIDE - 4, SIDE - 4))
            page.paste(small, (i % 3 * SIDE, i // 3 * SIDE), small)
            lines.append(f"{i + 1}: {won.value:.3g}  {source.name(won.number)}")
        title = f"{source.model.row.title}, {step}, map {channel}"
        return figures_png(title, [CaptionedFigure(page, out_of(services, source))], lines)

    return file_response(await side(work), "image/png", False, f"{model}-{step}-{channel}.png")


def _only_folders(query: CropQuery) -> None:
    if not isinstance(query.source, AtlasCropSource):
        raise NotFound("This picture has its own page in the explorer, for users with its link.")
