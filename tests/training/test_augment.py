"""Changed pictures: nothing where nothing is asked, the right share where pictures are mixed."""

from __future__ import annotations

import pytest
import torch

from app.training import augment
from app.training.augment import cutmix, jitter_colour, random_crop


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_whole_and_upright_pictures_are_only_mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "RATIO", 0.0)
    pixels = torch.rand(16, 3, 8, 8)
    placed = random_crop(pixels, 1.0, 0.0, seeded())
    kept = [torch.allclose(a, b, atol=1e-5) for a, b in zip(placed, pixels, strict=True)]
    mirrored = [
        torch.allclose(a, b.flip(2), atol=1e-5) for a, b in zip(placed, pixels, strict=True)
    ]
    assert all(a != b for a, b in zip(kept, mirrored, strict=True))
    assert 0 < sum(kept) < 16


def test_a_crop_keeps_at_least_its_share() -> None:
    ramp = torch.arange(64.0).expand(200, 3, 64, 64)
    placed = random_crop(ramp, 0.25, 0.0, seeded())
    spans = (placed.amax((1, 2, 3)) - placed.amin((1, 2, 3))) / 63
    # A quarter of the area at 3:4 is at least 0.43 wide, at 1:1 of all of it 1.
    assert spans.min() > 0.41
    assert spans.min() < 0.6
    assert spans.max() > 0.95


def test_light_of_no_strength_changes_nothing_and_else_all_three() -> None:
    pixels = torch.rand(4, 3, 8, 8)
    assert jitter_colour(pixels, 0.0, seeded()).allclose(pixels)
    lit = jitter_colour(pixels, 0.5, seeded())
    assert not lit.allclose(pixels)
    factors = lit.mean((1, 2, 3)) / pixels.mean((1, 2, 3))
    assert ((factors > 0.49) & (factors < 1.51)).all()


def test_cutmix_counts_what_it_takes() -> None:
    pixels = torch.arange(8.0).view(8, 1, 1, 1).expand(8, 3, 32, 32)
    for seed in range(40):
        mixed = cutmix(pixels, seeded(seed))
        for i in range(8):
            if mixed.other[i] != i:
                own = (mixed.pixels[i] == i).double().mean().item()
                assert own == mixed.share
    assert sorted(mixed.other.tolist()) == list(range(8))
    assert pixels[0].eq(0).all()


def test_the_same_seed_draws_the_same() -> None:
    pixels = torch.rand(4, 3, 8, 8)
    first, again, other = (random_crop(pixels, 0.5, 10.0, seeded(seed)) for seed in (1, 1, 2))
    assert first.equal(again)
    assert not first.equal(other)
