"""What the page of one's own kernel shows: the photo, the results, one pixel's arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from app.pictures.samples import Sample, sample
from app.services.pictures.store import Stored
from app.services.runs.sheets import DRAWING, version
from app.vision.arithmetic.convolution import ConvCell
from app.vision.kernels import CLASSIC_KERNELS
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
    """A picture on the page; `mark` is what is outlined on it: x, y, width, height in pixels."""

    title: str = helped("What it shows.")
    url: str = helped("URL of its PNG.")
    width: int = helped("Pixels across.")
    height: int = helped("Pixels down.")
    mark: tuple[float, float, float, float] | None = helped("What is outlined on it.")
    words: str = helped("How its values became colours.")
    legend: Legend | None = helped("Its scale, where it has one.", None)


@dataclass(frozen=True, slots=True)
class FilterChoices:
    """The learned filters to choose from."""

    title: str = helped("The network they are from.")
    sheet: str = helped("URL of the sheet with all of them.")
    size: tuple[int, int] = helped("Width and height of that sheet, pixels.")
    tiles: tuple[tuple[int, str, str], ...] = helped("Number, page with it, part of the sheet.")
    chosen: int = helped("The one that is on screen.")
    shown: LabelledPicture = helped("Its answer to the photo.")
    comparison: str = helped("How it goes together with kernels by hand.")
    stride: int = helped("The stride that the network itself takes.")


@dataclass(frozen=True, slots=True)
class PhotoLab:
    """What the templates of the photo are given."""

    view: PhotoView = helped("What is on screen.")
    problem: str = helped("What does not fit, in a sentence; else empty.")
    swap: str = helped("How htmx changes the form with the results; empty for the whole page.")
    say: str = helped("The pinned pixel in one spoken sentence.")
    title: str = helped("What the photo shows.")
    samples: tuple[tuple[Sample, str], ...] = helped("Built-in pictures, each with its page.")
    recent: tuple[tuple[Stored, str], ...] = helped("This browser’s uploads, each with its page.")
    hours: float = helped("After how many hours uploads are deleted.")
    shared: bool = helped("Whether crops of uploads are shown to others.")
    fields: Grid = helped("The kernel, to be edited.")
    by: int = helped("What its numbers are divided by.")
    kernels: tuple[GridPreset, ...] = helped("Kernels to start from.")
    kernel_words: str = helped("What the kernel does.")
    settings: tuple[Setting, ...] = helped("What else can be set.")
    photo: LabelledPicture = helped("The photo as it goes in.")
    result: LabelledPicture = helped("What the kernel made of it.")
    shrunk: str = helped("What was done to the photo before.")
    patch: Grid = helped("The pinned window, in grey.")
    kernel: Grid = helped("The kernel as it is applied.")
    products: Grid = helped("Number times weight under the window.")
    sum: str = helped("The sum of the pinned pixel, written out.")
    at: tuple[int, int] = helped("Row and column of the pinned pixel.")
    moves: dict[str, str] = helped("Pages by key: where arrows lead, else empty.")
    wall: FilterChoices | None = helped("The learned filters; None where the network is not here.")
    query: str = helped("The view as a query string, for files.")


@dataclass(frozen=True, slots=True)
class PhotoResults:
    """What a request brought together: the photo's pixels, uint8 [3,H,W], and both results.

    `filter` is the learned one that is shown: the one asked for, or the closest.
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


def lab(given: PhotoResults, problem: str = "", swap: str = "") -> PhotoLab:
    """Everything that the photo's page shows."""
    view, made = given.view, given.view.made
    y, x = pixel(view, given.result.size)
    cell = cell_of(given.pixels, view, (y, x))
    pairs = list(zip(cell.patch.flatten().tolist(), cell.kernel.flatten().tolist(), strict=True))
    built_in = sample(view.image)
    return PhotoLab(
        view, problem, swap,
        f"Row {y}, column {x} in grey: {spoken(pairs, cell.total)}",
        built_in.title if built_in else "Your picture",
        tuple((one, view.url(image=one.id, y=-1, x=-1)) for one in given.samples),
        tuple((one, view.url(image=one.id, y=-1, x=-1)) for one in given.recent),
        given.hours,
        given.shared,
        _fields(view), int(made.by), _kernels(view), made.sentence, _settings(view),
        _photo(given, cell), _result(given, (y, x)), _shrunk(given),
        grid("patch", "The grey photo under the window", cell.patch[0], limit=1),
        grid("kernel", "The kernel", cell.kernel[0], text=exact),
        grid("products", "The products", cell.products[0]),
        written(pairs, cell.total), (y, x), _moves(view, (y, x), given.result.size),
        _wall(given), view.query(),
    )  # fmt: skip


def png_url(view: PhotoView, part: str, v: str) -> str:
    """A picture of the page; its id is a digest, so with `v` it may be kept forever."""
    return f"/lab/photo.png?{view.query(y=-1, x=-1)}&part={part}&v={v}".replace("?&", "?")


def _photo(given: PhotoResults, cell: ConvCell) -> LabelledPicture:
    height, width = given.pixels.shape[1:]
    side = given.view.made.side
    mark = (cell.columns[0], cell.rows[0], side, side)
    words = "The window is outlined."
    url = png_url(replace(PLAIN, image=given.view.image), "photo", str(DRAWING))
    return LabelledPicture("Photo", url, width, height, mark, words)


def _result(given: PhotoResults, at: tuple[int, int]) -> LabelledPicture:
    height, width = given.result.size
    url = png_url(replace(given.view, filter=PLAIN.filter), "result", str(DRAWING))
    title = given.view.made.title
    mark = (at[1], at[0], 1, 1)
    return LabelledPicture(
        title, url, width, height, mark, _words(given.result), _legend(given.result)
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
    return f"{text} {percent(result.cut)} of them lie beyond and are cut." if result.cut else text


def _legend(result: Filtered) -> Legend | None:
    if not result.signed:
        return None
    limit = number(result.limit)
    return Legend("signed", f"−{limit}", limit, "Colours end at the largest magnitude.")


def _shrunk(given: PhotoResults) -> str:
    width, height = given.photo
    new = f"{given.pixels.shape[2]}×{given.pixels.shape[1]}"
    edge = given.view.made.side - 1
    text = (
        f"The {width}×{height} photo was shrunk to {new} pixels: at most {SIDE} a side, so that a "
        "kernel answers at once."
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
        for one in CLASSIC_KERNELS
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


def _wall(given: PhotoResults) -> FilterChoices | None:
    if given.bank is None or given.learned is None:
        return None
    view, bank, learned = given.view, given.bank, given.learned
    sheet, layout = kernel_sheet(bank.model, bank.step)
    height, width = learned.size
    alone = replace(PLAIN, image=view.image, filter=given.filter)
    url = png_url(alone, "learned", version(bank.model.row))
    words = _words(learned).replace("In grey", "All three colours summed")
    return FilterChoices(
        bank.model.row.title,
        sheet,
        (layout.width, layout.height),
        tuple((i, view.url(filter=i), box(layout, i)) for i in range(len(bank.weight))),
        given.filter,
        LabelledPicture(
            f"Filter {given.filter}", url, width, height, None, words, _legend(learned)
        ),
        compared(given.pixels, view, given.filter, learned),
        bank.step.stride[0] if bank.step.stride else 1,
    )
