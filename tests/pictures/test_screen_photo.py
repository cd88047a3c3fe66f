"""The simulated photo of a screen: what each part does, and that its chance is its seed's."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from app.pictures.preprocess import Preprocess, fit
from app.pictures.samples import sample
from app.pictures.screen_photo import (
    CORNER,
    NEARER,
    TURN,
    draw_camera,
    homography,
    sample_screen,
    screen,
    simulate_photo,
)

PREP = Preprocess(64, 64, (0.5,) * 3, (0.5,) * 3)


def coffee() -> torch.Tensor:
    made = sample("coffee")
    assert made
    return fit(made.open(), PREP).pixels


def test_no_strength_is_no_change_and_the_same_seed_the_same_photo() -> None:
    pixels = coffee()
    assert simulate_photo(pixels, 0, 3).equal(pixels)
    one = simulate_photo(pixels, 50, 3)
    assert one.dtype == torch.uint8 and one.shape == pixels.shape
    assert simulate_photo(pixels, 50, 3).equal(one)
    assert not simulate_photo(pixels, 50, 4).equal(one)


def test_the_stronger_the_farther_from_the_picture() -> None:
    pixels = coffee()
    off = [(simulate_photo(pixels, p).float() - pixels.float()).abs().mean() for p in (5, 30, 100)]
    assert off == sorted(off)


def test_a_screen_shines_in_three_columns_and_keeps_the_mean() -> None:
    pixel = torch.tensor([200.0, 100.0, 50.0]).view(3, 1, 1)
    dots = screen(pixel, 1.0)
    assert dots.shape == (3, 3, 3)
    # The first column is red's, the second green's, the third blue's; the third row is darker.
    assert dots[0, 0, 0] == pytest.approx(200 * 2 / (2.6 / 3))
    assert dots[0, 0, 1] == pytest.approx(200 * 0.5 / (2.6 / 3))
    assert dots[1].argmax() == 1 and dots[2].argmax() == 2
    assert dots[:, 2, 0] / dots[:, 0, 0] == pytest.approx([0.6] * 3)
    assert dots.mean((1, 2)) == pytest.approx([200, 100, 50])
    assert screen(pixel, 0.0).equal(pixel.expand(3, 3, 3))


def test_a_camera_straight_before_the_screen_sees_the_picture() -> None:
    straight = replace(draw_camera(0, 0), corners=torch.zeros(4, 2, dtype=torch.float64))
    assert homography(straight).allclose(torch.eye(3, dtype=torch.float64), atol=1e-12)
    pixels = torch.rand(3, 8, 8) * 255
    seen = sample_screen(screen(pixels, 0.0), straight, (8, 8))
    # The camera's four samples of a pixel lie on its dots or between them and a neighbour's.
    assert (seen - pixels).abs().max() < 255 * 0.5
    assert float(seen.mean()) == pytest.approx(float(pixels.mean()), rel=0.01)
    flat = torch.full((3, 8, 8), 77.0)
    assert sample_screen(screen(flat, 0.0), straight, (8, 8)).allclose(flat)


def test_the_mapping_takes_the_corners_where_the_seed_says() -> None:
    shot = draw_camera(100, 7)
    assert abs(shot.turn) <= TURN and shot.corners.abs().max() <= 2 * CORNER
    plain = replace(shot, turn=0.0)
    corners = torch.tensor([[-1.0, -1], [1, -1], [1, 1], [-1, 1]], dtype=torch.float64)
    for corner, moved in zip(corners, shot.corners, strict=True):
        x, y, w = (homography(plain) @ torch.tensor([*corner, 1.0], dtype=torch.float64)).tolist()
        wanted = corner * (1 - NEARER) + moved
        assert (x / w, y / w) == pytest.approx(tuple(wanted.tolist()))
