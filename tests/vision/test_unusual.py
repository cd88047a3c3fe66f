"""Scores and their places among references, by hand."""

from __future__ import annotations

from math import log, sqrt

import pytest
import torch

from app.vision.stages import stage_ends
from app.vision.unusual import (
    FLOOR,
    ScorePlace,
    energy,
    feature_norm,
    max_logit,
    mean_response,
    place,
    profile,
    profile_distance,
)
from models.registry import empty

NINE = torch.arange(1.0, 10.0)


def test_scores_by_hand() -> None:
    logits = torch.tensor([[0.0, 0.0], [3.0, 1.0]])
    assert energy(logits)[0].item() == pytest.approx(log(2))
    assert max_logit(logits).tolist() == [0, 3]
    maps = torch.tensor([[[[3.0, 0]], [[0, 4.0]]]])
    assert feature_norm(maps).tolist() == [5]
    assert mean_response(maps).tolist() == [[1.5, 2]]


@pytest.mark.parametrize(
    ("score", "low", "high", "both", "beaten_low", "beaten_high"),
    [
        (0.0, 0.1, 1.0, 0.2, 1.0, 0.0),  # below all
        (1.0, 0.2, 1.0, 0.4, 8 / 9, 0.0),  # a tie with the lowest counts as unusual as it
        (5.0, 0.6, 0.6, 1.0, 4 / 9, 4 / 9),
        (5.5, 0.6, 0.5, 1.0, 4 / 9, 5 / 9),
        (9.0, 1.0, 0.2, 0.4, 0.0, 8 / 9),
        (10.0, 1.0, 0.1, 0.2, 0.0, 1.0),  # above all
    ],
)
def test_p_values_by_hand_with_ties_and_ends(
    score: float, low: float, high: float, both: float, beaten_low: float, beaten_high: float
) -> None:
    found = place(score, NINE)
    assert found.count == 9
    assert found.p_value("low") == pytest.approx(low)
    assert found.p_value("high") == pytest.approx(high)
    assert found.p_value("both") == pytest.approx(both)
    assert found.beaten("low") == pytest.approx(beaten_low)
    assert found.beaten("high") == pytest.approx(beaten_high)


def test_ties_count_on_either_side() -> None:
    found = place(2.0, torch.tensor([1.0, 2, 2, 2, 3]))
    assert found == ScorePlace(1, 3, 1)
    assert found.p_value("low") == found.p_value("high") == pytest.approx(5 / 6)
    assert found.beaten("both") == 0


def test_one_of_the_references_themselves_has_a_fair_p_value() -> None:
    """Conformal: of exchangeable scores at most a share a has a p-value of at most a."""
    scores = torch.rand(200, generator=torch.Generator().manual_seed(0))
    values = []
    for i in range(len(scores)):
        rest = torch.cat([scores[:i], scores[i + 1 :]]).sort().values
        values.append(place(scores[i].item(), rest).p_value("low"))
    for share in (0.05, 0.2, 0.5):
        assert sum(one <= share + 1e-9 for one in values) / len(values) == pytest.approx(share)


def test_a_profile_is_mean_and_spread_with_a_floor() -> None:
    mean, spread = profile(torch.tensor([[0.0, 5.0], [2.0, 5.0]]))
    assert mean.tolist() == [1, 5]
    # Standard deviations 1 and 0, their mean 0.5, a tenth of which is added to both.
    assert spread.tolist() == pytest.approx([1 + FLOOR * 0.5, FLOOR * 0.5])


def test_the_distance_from_a_profile_by_hand() -> None:
    profiles = {"a": torch.tensor([[1.0, 0.0], [2.0, 1.0]]), "b": torch.tensor([[5.0], [1.0]])}
    responses = {"a": torch.tensor([[1.0, 0], [5, 3]]), "b": torch.tensor([[5.0], [8]])}
    # Second picture: a ((4/2)^2 + 3^2) / 2 = 6.5, b 3^2 = 9.
    found = profile_distance(responses, profiles)
    assert found.tolist() == pytest.approx([0, sqrt((6.5 + 9) / 2)])


def test_every_kind_of_network_has_five_stages_that_can_be_asked() -> None:
    for name in ("mini", "alexnet", "vgg11_bn", "squeezenet1_1"):
        assert sorted(stage_ends(empty(name).steps)) == [1, 2, 3, 4, 5]
