"""Context of the custom kernel's page: the photo, the results, one pixel's arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from app.pictures.samples import Sample, sample
from app.services.pictures.store import Stored
from app.services.runs.sheets import DRAWING, version
from app.vision.arithmetic.convolution import ConvCell
from app.vision.preset_kernels import PRESET_KERNELS
from app.web.core.base_path import base
from app.web.core.templating import number, percent
from app.web.lab.grid_page import GridPreset
from app.web.lab.lab_query import ascii_number, exact
from app.web.lab.learned_filters import Bank, compared
from app.web.lab.photo_view import PLAIN, SHOWN, SIDE, Filtered, PhotoView, cell_of, pixel
from app.web.lab.setting_fields import Setting
from app.web.lab.words import spoken, written
from app.web.parts.contexts import helped
from app.web.parts.number_grids import Grid, grid
from app.web.parts.sprites import Legend, box, kernel_sheet


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A picture on the page; `mark` is an outlined box: x, y, width, height in pixels."""

    title: str
    url: str
    width: int  # pixels
    height: int  # pixels
    mark: tuple[float, float, float, float] | None
    words: str  # how its values are coloured
    legend: Legend | None = None  # if it has a scale


@dataclass(frozen=True, slots=True)
class FilterChoices:
    """The learned filters to choose from."""

    title: str  # of their network
    sheet: str  # URL
    size: tuple[int, int]  # width and height of the sheet, pixels
    tiles: tuple[tuple[int, str, str], ...]  # number, page and part of the sheet
    chosen: int
    shown: LabelledPicture  # the response of the chosen one to the photo
    comparison: str  # its correlation with preset kernels, in words
    stride: int  # in the network


@dataclass(frozen=True, slots=True)
class PhotoLab:
    """Context of the photo's templates."""

    view: PhotoView = helped("What is on screen.")
    problem: str = helped("Why the input is invalid, in a sentence; else empty.")
    swap: str = helped("How htmx updates the form with the results; empty for the whole page.")
    say: str = helped("The pinned pixel in one sentence, for screen readers.")
    title: str = helped("Title of the photo.")
    samples: tuple[tuple[Sample, str], ...] = helped("Built-in pictures, each with its page.")
    recent: tuple[tuple[Stored, str], ...] = helped("This browser’s uploads, each with its page.")
    hours: float = helped("After how many hours uploads are deleted.")
    shared: bool = helped("Whether crops of uploads are shown to other users.")
    fields: Grid = helped("The kernel, to be edited.")
    by: int = helped("Divisor of its numbers.")
    kernels: tuple[GridPreset, ...] = helped("Example kernels.")
    kernel_words: str = helped("What the kernel does.")
    settings: tuple[Setting, ...] = helped("The other settings.")
    photo: LabelledPicture = helped("The photo as it is read.")
    result: LabelledPicture = helped("The result of the kernel.")
    shrunk: str = helped("How the photo was downscaled.")
    patch: Grid = helped("The pinned window, in grey.")
    kernel: Grid = helped("The kernel as it is applied.")
    products: Grid = helped("Number times weight under the window.")
    sum: str = helped("The sum of the pinned pixel, as an equation.")
    at: tuple[int, int] = helped("Row and column of the pinned pixel.")
    moves: dict[str, str] = helped("The page for each arrow key, or empty.")
    wall: FilterChoices | None = helped(
        "The learned filters; None if the network's weights are missing."
    )
    query: str = helped("The view as a query string, for its files.")


@dataclass(frozen=True, slots=True)
class PhotoResults:
    """The results of a request: the photo's pixels, uint8 [3,H,W], and both filtered maps.

    `filter` is the learned one that is shown: the requested one, or the closest.
    """

    view: PhotoView
    pixels: Tensor
    photo: tuple[int, int]
    result: Filtered
    bank: Bank | None
    filter: int
    learned: Filtered | None
    recent: tuple[Stored, ...]
    samples: tuple[Sample, ...]
    hours: float
    shared: bool


def lab(results: PhotoResults, problem: str = "", swap: str = "") -> PhotoLab:
    """The context of the photo's page."""
    view, made = results.view, results.view.made
    y, x = pixel(view, results.result.size)
    cell = cell_of(results.pixels, view, (y, x))
    pairs = list(zip(cell.patch.flatten().tolist(), cell.kernel.flatten().tolist(), strict=True))
    built_in = sample(view.image)
    return PhotoLab(
        view, problem, swap,
        f"Row {y}, column {x} in grey: {spoken(pairs, cell.total)}",
        built_in.title if built_in else "Your picture",
        tuple((one, view.url(image=one.id, y=-1, x=-1)) for one in results.samples),
        tuple((one, view.url(image=one.id, y=-1, x=-1)) for one in results.recent),
        results.hours,
        results.shared,
        _fields(view), int(made.by), _kernels(view), made.sentence, _settings(view),
        _photo(results, cell), _result(results, (y, x)), _shrunk(results),
        grid("patch", "The grey photo under the window", cell.patch[0], limit=1),
        grid("kernel", "The kernel", cell.kernel[0], text=exact),
        grid("products", "The products", cell.products[0]),
        written(pairs, cell.total), (y, x), _moves(view, (y, x), results.result.size),
        _wall(results), view.query(),
    )  # fmt: skip


def png_url(view: PhotoView, part: str, v: str) -> str:
    """The URL of a picture of the page; an id is a digest, so with `v` it may be cached forever."""
    return f"{base()}/lab/photo.png?{view.query(y=-1, x=-1)}&part={part}&v={v}".replace("?&", "?")


def _photo(results: PhotoResults, cell: ConvCell) -> LabelledPicture:
    height, width = results.pixels.shape[1:]
    side = results.view.made.side
    mark = (cell.columns[0], cell.rows[0], side, side)
    words = "The window is outlined."
    url = png_url(PLAIN.changed(image=results.view.image), "photo", str(DRAWING))
    return LabelledPicture("Photo", url, width, height, mark, words)


def _result(results: PhotoResults, at: tuple[int, int]) -> LabelledPicture:
    height, width = results.result.size
    url = png_url(results.view.changed(filter=PLAIN.filter), "result", str(DRAWING))
    title = results.view.made.title
    mark = (at[1], at[0], 1, 1)
    return LabelledPicture(
        title, url, width, height, mark, _words(results.result), _legend(results.result)
    )


def _words(result: Filtered) -> str:
    if result.signed:
        return (
            f"In grey. Warm is above zero, cool below, dark is 0; full colour at "
            f"±{number(result.limit)}."
        )
    low, high = float(result.values.min()), float(result.values.max())
    text = (
        f"Each colour by itself: numbers from {number(low)} to {number(high)}; 0 is black, 1 full."
    )
    return f"{text} {percent(result.cut)} of them are outside this and cut." if result.cut else text


def _legend(result: Filtered) -> Legend | None:
    if not result.signed:
        return None
    limit = number(result.limit)
    return Legend("signed", f"−{limit}", limit, "Colours end at the largest magnitude.")


def _shrunk(results: PhotoResults) -> str:
    width, height = results.photo
    new = f"{results.pixels.shape[2]}×{results.pixels.shape[1]}"
    edge = results.view.made.side - 1
    text = (
        f"The {width}×{height} photo was shrunk to {new} pixels: at most {SIDE} a side, so that "
        "the result comes at once."
        if max(width, height) > SIDE
        else f"The photo went in as it is, {new} pixels."
    )
    return f"{text} Without padding a kernel of {edge + 1} takes {edge} rows and columns away."


def _fields(view: PhotoView) -> Grid:
    side, numbers = view.made.side, view.made.numbers
    rows = [list(numbers[i * side : (i + 1) * side]) for i in range(side)]
    return grid("k", "The kernel", rows, text=ascii_number, edit="k")


def _kernels(view: PhotoView) -> tuple[GridPreset, ...]:
    return tuple(
        GridPreset(
            one.title, view.url(kernel=one.id, k=(), by=1, y=-1, x=-1), one.id == view.kernel
        )
        for one in PRESET_KERNELS
    )


def _settings(view: PhotoView) -> tuple[Setting, ...]:
    ways = {"fitting": "As it fits", "colours": "Colours", "signed": "± map"}
    return (
        Setting("size", "Kernel’s side", "", (("3", "3"), ("5", "5")), str(view.made.side)),
        Setting("show", "Show as", "", tuple((one, ways[one]) for one in SHOWN), view.show),
    )


def _moves(view: PhotoView, at: tuple[int, int], size: tuple[int, int]) -> dict[str, str]:
    (y, x), (rows, columns) = at, size
    places = {
        "ArrowLeft": (y, x - 1),
        "ArrowRight": (y, x + 1),
        "ArrowUp": (y - 1, x),
        "ArrowDown": (y + 1, x),
    }
    return {
        key: view.url(y=i, x=j) if 0 <= i < rows and 0 <= j < columns else ""
        for key, (i, j) in places.items()
    }


def _wall(results: PhotoResults) -> FilterChoices | None:
    if results.bank is None or results.learned is None:
        return None
    view, bank, learned = results.view, results.bank, results.learned
    sheet, layout = kernel_sheet(bank.model, bank.step)
    height, width = learned.size
    alone = PLAIN.changed(image=view.image, filter=results.filter)
    url = png_url(alone, "learned", version(bank.model.row))
    words = _words(learned).replace("In grey", "All three colours summed")
    return FilterChoices(
        bank.model.row.title,
        sheet,
        (layout.width, layout.height),
        tuple((i, view.url(filter=i), box(layout, i)) for i in range(len(bank.weight))),
        results.filter,
        LabelledPicture(
            f"Filter {results.filter}", url, width, height, None, words, _legend(learned)
        ),
        compared(results.pixels, view, results.filter, learned),
        bank.step.stride[0] if bank.step.stride else 1,
    )
