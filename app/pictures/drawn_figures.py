"""Built-in test figures drawn by the project: edges, gratings, colours, noise, a sketch."""

from math import pi
from random import Random

import numpy as np
from PIL import Image

from app.pictures.canvas import SIDE, Canvas, Point, circle, mirrored, smooth

_PAPER = (250, 249, 245)
_INK = (28, 28, 34)


def cross() -> Image.Image:
    """A black X on paper."""
    canvas = Canvas(_PAPER)
    canvas.line([(56, 56), (200, 200)], 26, _INK)
    canvas.line([(200, 56), (56, 200)], 26, _INK)
    return canvas.picture()


def ring() -> Image.Image:
    """A black O on paper."""
    canvas = Canvas(_PAPER)
    canvas.ellipse(128, 128, 90, 90, _INK)
    canvas.ellipse(128, 128, 64, 64, _PAPER)
    return canvas.picture()


def gratings() -> Image.Image:
    """Four sine gratings: 0, 45, 90 and 135 degrees, with periods of 32, 16, 8 and 4 pixels."""
    y, x = np.mgrid[0 : SIDE // 2, 0 : SIDE // 2]
    turns = (x / 32, (x + y) / 16 / np.sqrt(2), y / 8, (x - y) / 4 / np.sqrt(2))
    a, b, c, d = (np.sin(2 * pi * turn) for turn in turns)
    grey = np.rint(127.5 + 127.5 * np.block([[a, b], [c, d]])).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def checkerboard() -> Image.Image:
    """Eight by eight squares, black and white."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] // (SIDE // 8)
    return Image.fromarray(((x + y) % 2 * 255).astype(np.uint8)).convert("RGB")


def colour_wheel() -> Image.Image:
    """All hues around a white centre."""
    fine = 2 * SIDE
    y, x = np.mgrid[0:fine, 0:fine] - (fine - 1) / 2
    radius = np.hypot(x, y) / (0.47 * fine)
    hue = np.arctan2(-y, x) / (2 * pi) % 1
    inside = radius <= 1
    hsv = np.stack([hue * 255, np.where(inside, radius, 0) * 255, np.full_like(hue, 255)], axis=-1)
    return Image.fromarray(np.rint(hsv).astype(np.uint8), "HSV").convert("RGB").reduce(2)


def noise() -> Image.Image:
    """Random noise in every channel of every pixel, deterministic."""
    return Image.frombytes("RGB", (SIDE, SIDE), Random(20120930).randbytes(3 * SIDE * SIDE))


def sketch_cat() -> Image.Image:
    """A sitting cat, sketched with a few lines."""
    canvas = Canvas(_PAPER)
    for stroke in _cat_strokes():
        canvas.line(stroke, 3.6, _INK)
    for x in (103, 141):
        canvas.ellipse(x, 84, 5, 8, _INK)
        canvas.ellipse(x + 1.5, 81, 1.6, 2.2, _PAPER)
    canvas.polygon([(116, 99), (128, 99), (122, 106)], _INK)
    return canvas.picture()


def _cat_strokes() -> list[list[Point]]:
    head: list[list[Point]] = [
        smooth((84, 62), (76, 84), (84, 108), (122, 122), (160, 108), (168, 84), (160, 62)),
        [(84, 62), (80, 26), (106, 47)],
        [(160, 62), (164, 26), (138, 47)],
        smooth((106, 47), (122, 44), (138, 47)),
    ]
    mouth = smooth((122, 106), (119, 112), (110, 111))
    whiskers: list[list[Point]] = [
        [(94, 100), (52, 92)],
        [(94, 105), (50, 106)],
        [(95, 110), (54, 120)],
    ]
    left = [mouth, *whiskers]
    right = [[(x - 12, y) for x, y in mirrored(stroke)] for stroke in left]
    body = [
        smooth((94, 116), (80, 150), (72, 196), (84, 232), (104, 234)),
        smooth((150, 116), (168, 148), (178, 196), (170, 226), (150, 234)),
        smooth((104, 234), (112, 222), (108, 180)),
        smooth((140, 234), (132, 222), (136, 180)),
        smooth((104, 234), (122, 236), (150, 234)),
        smooth((174, 222), (208, 226), (226, 196), (214, 164), (228, 142), (240, 152)),
    ]
    return [*head, *left, *right, *body, circle(122, 122, 30, 8, 0.5, pi - 1)]
