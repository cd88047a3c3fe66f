"""The Jinja environment, with autoescape on, and the globals and filters of every template."""

from __future__ import annotations

import hashlib
import math
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app import __version__
from app.errors import NotFinite, printable
from app.web.core.base_path import base
from app.web.core.links import palette_url, preview_url

ROOT = Path(__file__).parents[3]
STATIC = ROOT / "static"
TEMPLATES = ROOT / "templates"


@cache
def environment() -> Environment:
    """The only environment; a name that a context lacks is an error, not a blank."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals["base"] = base
    env.globals["static"] = static
    env.globals["preview_url"] = preview_url
    env.globals["palette_url"] = palette_url
    env.globals["version"] = __version__
    env.filters["number"] = number
    env.filters["exact"] = exact
    env.filters["short"] = short
    env.filters["percent"] = percent
    env.filters["relative_percent"] = relative_percent
    env.filters["milliseconds"] = milliseconds
    env.filters["thousands"] = thousands
    return env


def short(name: str) -> str:
    """A step's name above a narrow map: `fire2.expand3x3` is `fire2 3×3`, its ReLU `fire2 relu`."""
    module, dot, part = name.partition(".")
    word = part.rpartition("_")[2]
    if word.startswith("expand"):
        word = word.removeprefix("expand").replace("x", "×")
    return f"{module} {word}" if dot else name


def render(
    request: Request, template: str, context: dict[str, Any], status: int = 200
) -> HTMLResponse:
    """Render a page or a partial; not cached: it depends on htmx's headers and on changing data."""
    headers = {"Cache-Control": "no-store", "Vary": "HX-Request, HX-Target"}
    return HTMLResponse(render_text(template, context), status, headers=headers)


def render_text(template: str, context: dict[str, Any]) -> str:
    """Render a template as text, as event streams send it."""
    # The name of a folder or file on this server may hold what UTF-8 cannot.
    return printable(environment().get_template(template).render(context))


def static(path: str) -> str:
    """The URL of a file under `static/` with its digest, so that it may be cached forever."""
    return f"{base()}/static/{path}?v={static_digest(path)}"


@cache
def static_digest(path: str) -> str:
    """The digest of a file under `static/`."""
    return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]


def finite(value: float) -> float:
    """The value itself. Raises `NotFinite`: no page writes `nan` or `inf`."""
    if not math.isfinite(value):
        raise NotFinite("A number that belongs here is not finite (NaN or infinity).")
    return value


def number(value: float) -> str:
    """A value of a map, short: three significant digits, whole from 1,000 on, a true minus sign.

    `static/js/numbers.js` writes the same; halves are rounded away from zero, as scripts do.
    """
    if finite(value) == 0:
        return "0"
    size, minus = Decimal(abs(float(value))), "−" if value < 0 else ""
    if Decimal("999.5") <= size < 10_000:
        return f"{minus}{size.quantize(Decimal(1), ROUND_HALF_UP)}"
    if Decimal("0.001") <= size < 10_000:
        return f"{minus}{_rounded(size, 3).normalize():f}"
    return scientific(value, 2)


def scientific(value: float, digits: int) -> str:
    """A value with significant digits and a power of ten: 1.0e−05."""
    rounded = _rounded(Decimal(float(finite(value))), digits)
    return f"{float(rounded):.{digits - 1}e}".replace("-", "−")


def fixed(value: float, decimals: int) -> str:
    """A value with decimal places, a tie away from zero: as `toFixed` of scripts, not as Python."""
    rounded = Decimal(float(finite(value))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return f"{rounded:f}".replace("-", "−")


def _rounded(size: Decimal, digits: int) -> Decimal:
    return size.quantize(Decimal(1).scaleb(size.adjusted() - digits + 1), ROUND_HALF_UP)


def exact(value: float, digits: int = 7) -> str:
    """A value with as many digits as float32 has, or fewer: 0.1234568, −2.5e−07."""
    text = f"{finite(value):.{digits}g}"
    return text.replace("e-0", "e-").replace("-", "−")


def percent(share: float) -> str:
    """A share in 0..1 as per cent: 97.3 %, 0.4 %, < 0.1 %; no line breaks within it."""
    finite(share)
    text = f"{100 * share:.1f} %" if share < 0.9995 or share >= 1 else "> 99.9 %"
    return ("< 0.1 %" if 0 < share < 0.001 else text).replace(" ", "\u00a0")


def relative_percent(value: float) -> str:
    """A relative change: 6.2 %, 138 %; > 1000 % for what began near zero: more says nothing."""
    if 0 < finite(value) < 0.0005:
        text = "< 0.1 %"
    elif value > 10:
        text = "> 1000 %"
    else:
        text = f"{100 * value:.1f} %" if value < 0.0995 else f"{100 * value:.0f} %"
    return text.replace(" ", "\u00a0")


def milliseconds(value: float) -> str:
    """A time in milliseconds, two significant digits."""
    digits = 2 if finite(value) < 0.995 else 1 if value < 9.95 else 0
    return f"{value:.{digits}f}"


def thousands(value: int) -> str:
    """A whole number with thin spaces between thousands."""
    return f"{value:,}".replace(",", "\u2009")
