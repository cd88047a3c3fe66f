"""Built-in pictures drawn by the project: everyday objects that the embedded network knows."""

from math import pi, sin

from PIL import Image

from app.pictures.canvas import Canvas, Glow, Rgb, circle, mirrored, smooth

_WHITE: Rgb = (250, 249, 246)
_DARK: Rgb = (28, 28, 30)


def school_bus() -> Image.Image:
    """A yellow school bus from the side."""
    yellow = (250, 190, 20)
    canvas = Canvas((185, 215, 240), (215, 232, 245))
    canvas.box(-5, 190, 261, 198, (160, 165, 150))
    canvas.box(-5, 196, 261, 261, (120, 120, 122))
    canvas.shadow(128, 211, 118, 11)
    canvas.box(14, 70, 214, 198, yellow, 12)
    canvas.box(190, 120, 246, 198, yellow, 10)
    for y, thick in ((150, 5), (168, 4), (186, 4)):
        canvas.box(14, y, 246, y + thick, _DARK)
    for x in range(22, 180, 27):
        canvas.box(x, 90, x + 22, 122, (60, 75, 90), 3)
    canvas.box(186, 90, 212, 132, (80, 100, 120), 3)
    for x in (62, 198):
        canvas.ellipse(x, 202, 24, 24, _DARK)
        canvas.ellipse(x, 203, 11, 12, (150, 150, 150))
    canvas.ellipse(241, 166, 5, 6, (255, 250, 220))
    return canvas.picture()


def hourglass() -> Image.Image:
    """An hourglass in a wooden frame."""
    wood, sand = (150, 85, 40), (225, 180, 110)
    canvas = Canvas((240, 236, 228))
    canvas.shadow(130, 235, 70, 13)
    right = smooth((180, 40), (172, 68), (134, 124), (134, 132), (172, 188), (180, 216))
    glass = [*right, *mirrored(right)[::-1]]
    canvas.polygon(glass, (205, 222, 230))
    canvas.polygon([(94, 84), (162, 84), (133, 122), (128, 128), (123, 122)], sand)
    canvas.polygon([(128, 165), (172, 214), (84, 214)], sand)
    canvas.line([(128, 128), (128, 170)], 2, sand)
    canvas.line([*glass, glass[0]], 2.5, (120, 140, 150))
    for x in (62, 190):
        canvas.box(x - 5, 36, x + 5, 220, wood, 3)
    for y in (22, 214):
        canvas.box(50, y, 206, y + 20, wood, 6)
        canvas.box(52, y + 2, 204, y + 7, (190, 120, 65), 3)
    return canvas.picture()


def candle() -> Image.Image:
    """A burning candle in the dark."""
    canvas = Canvas((22, 14, 10))
    halo = ((0.0, (210, 122, 44)), (0.3, (140, 80, 30)), (0.6, (55, 33, 16)), (1.0, (22, 14, 10)))
    canvas.box(-5, -5, 261, 261, Glow(128, 82, 140, halo))
    wax = ((0.0, (255, 225, 160)), (0.6, (235, 180, 110)), (1.0, (170, 110, 60)))
    canvas.polygon([(98, 125), (158, 125), (160, 246), (96, 246)], Glow(128, 125, 130, wax))
    canvas.line([(128, 124), (128, 108)], 3, (40, 25, 15))
    edge = smooth((128, 42), (139, 72), (145, 94), (138, 108), (128, 112))
    fire = ((0.0, (255, 255, 235)), (0.5, (255, 225, 120)), (1.0, (250, 150, 40)))
    canvas.polygon([*edge, *mirrored(edge)[::-1]], Glow(128, 96, 54, fire))
    return canvas.picture()


def lighthouse() -> Image.Image:
    """A red and white lighthouse on a hill."""
    canvas = Canvas((90, 150, 215), (190, 215, 235))
    canvas.polygon(
        [(0, 215), (90, 200), (180, 205), (256, 220), (256, 256), (0, 256)], (95, 120, 70)
    )
    for row, y in enumerate(range(70, 210, 20)):
        half, next_half = 20 + (y - 70) / 10, 22 + (y - 70) / 10
        tower = [
            (128 - half, y),
            (128 + half, y),
            (128 + next_half, y + 20),
            (128 - next_half, y + 20),
        ]
        bright, dark = (
            ((245, 245, 245), (190, 195, 200)) if row % 2 == 0 else ((215, 50, 45), (165, 30, 28))
        )
        canvas.polygon(tower, Glow(116, 140, 110, ((0.0, bright), (1.0, dark))))
    canvas.box(100, 64, 156, 72, (40, 40, 45))
    canvas.box(112, 40, 144, 66, (250, 235, 160))
    for x in (112, 122, 133, 143):
        canvas.line([(x, 40), (x, 66)], 2, (40, 40, 45))
    canvas.polygon([(106, 42), (128, 18), (150, 42)], (180, 30, 30))
    return canvas.picture()


def sunglasses() -> Image.Image:
    """Dark glasses, folded open."""
    canvas = Canvas((245, 245, 245))
    rim = smooth(
        (14, 104), (38, 92), (100, 92), (116, 112), (104, 154), (66, 168), (26, 154), (14, 104)
    )
    lens = [(x + (65 - x) * 0.1, y + (130 - y) * 0.13) for x, y in rim]
    tint = ((0.0, (95, 95, 105)), (0.6, (45, 45, 52)), (1.0, (20, 20, 24)))
    for flip, shine in ((False, 48), (True, 165)):
        canvas.polygon(mirrored(rim) if flip else rim, _DARK)
        canvas.polygon(mirrored(lens) if flip else lens, Glow(shine, 100, 85, tint))
        hinge = [(20, 108), (8, 106), (6, 112)]
        canvas.line(mirrored(hinge) if flip else hinge, 8, _DARK)
    canvas.line(smooth((112, 112), (128, 106), (144, 112)), 8, _DARK)
    return canvas.picture()


def monarch() -> Image.Image:
    """A monarch butterfly on a meadow."""
    black, orange = (20, 15, 12), (240, 125, 20)
    canvas = Canvas((120, 165, 80), (90, 140, 60))
    upper = [(126, 122), (88, 50), (28, 28), (16, 60), (38, 115), (78, 135)]
    lower = [(126, 128), (68, 135), (43, 165), (58, 212), (88, 215), (118, 160)]
    for wing in (upper, lower, mirrored(upper), mirrored(lower)):
        x0, y0 = (sum(point[axis] for point in wing) / 6 for axis in (0, 1))
        canvas.polygon(wing, black)
        inner = [(x0 + (x - x0) * 0.8, y0 + (y - y0) * 0.8) for x, y in wing]
        canvas.polygon(inner, orange)
        for x, y in inner[1:]:
            canvas.line([(124 if x0 < 128 else 132, 125), (x, y)], 3, black)
        for x, y in wing[1:]:
            canvas.ellipse(x * 0.93 + x0 * 0.07, y * 0.93 + y0 * 0.07, 3, 3, _WHITE)
    canvas.ellipse(128, 138, 7, 53, black)
    for x in (105, 151):
        canvas.line([(128, 88), (x, 50)], 2, black)
    return canvas.picture()


def bell_pepper() -> Image.Image:
    """A red bell pepper."""
    canvas = Canvas(_WHITE)
    canvas.shadow(130, 226, 72, 14)
    side = smooth(
        (128, 76),
        (100, 62),
        (66, 66),
        (46, 96),
        (48, 146),
        (66, 200),
        (92, 224),
        (114, 216),
        (128, 222),
    )
    skin = ((0.0, (232, 40, 32)), (0.55, (222, 28, 24)), (0.85, (170, 10, 15)), (1.0, (112, 2, 10)))
    canvas.polygon([*side, *mirrored(side)[::-1]], Glow(118, 125, 118, skin))
    for bend in (-1, 1):
        groove = [(128 + bend * (22 + 22 * sin(pi * k / 20)), 74 + 7 * k) for k in range(21)]
        canvas.line(groove, 7, (150, 8, 14), blur=5)
    canvas.polygon([(74, 92), (86, 86), (78, 152), (68, 146)], (255, 205, 200), blur=4)
    canvas.polygon([(120, 90), (131, 88), (130, 140), (122, 140)], (255, 170, 165), blur=4)
    stem = [
        (100, 72),
        (118, 58),
        (120, 24),
        (136, 20),
        (140, 58),
        (160, 70),
        (146, 80),
        (130, 73),
        (114, 81),
    ]
    canvas.polygon(stem, (70, 130, 45))
    canvas.line([(128, 62), (129, 26)], 3, (110, 170, 70))
    return canvas.picture()


def oranges() -> Image.Image:
    """Three oranges."""
    canvas = Canvas((245, 240, 230))
    peel = (
        (0.0, (255, 200, 95)),
        (0.45, (252, 152, 30)),
        (0.8, (235, 118, 8)),
        (1.0, (190, 84, 0)),
    )
    for x, y, r in ((80, 160, 62), (178, 150, 66), (128, 82, 60)):
        canvas.shadow(x, y + r - 8, r, 14)
        canvas.ellipse(x, y, r, r, Glow(x - r * 0.3, y - r * 0.35, r * 1.6, peel))
        canvas.ellipse(x + 1, y - r * 0.6, 5, 3, (120, 130, 50))
    return canvas.picture()


def banana() -> Image.Image:
    """A banana."""
    canvas = Canvas(_WHITE)
    canvas.shadow(132, 208, 84, 17)
    outer = circle(128, 80, 105, 118, pi - 0.05, 0.2 - pi)
    inner = circle(128, 68, 95, 65, 0.2, pi - 0.32)
    peel = ((0.0, (255, 240, 120)), (0.6, (250, 215, 50)), (1.0, (215, 165, 15)))
    canvas.polygon([*outer, *inner], Glow(110, 120, 130, peel))
    canvas.line(circle(128, 76, 100, 95, pi - 0.15, 0.4 - pi), 2.5, (205, 160, 20))
    canvas.polygon([(20, 80), (34, 70), (36, 92), (26, 98)], (90, 60, 20))
    canvas.polygon([(218, 86), (232, 60), (244, 60), (236, 96)], (150, 130, 40))
    return canvas.picture()
