"""Batch norm comes and goes without changing what the network computes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from app.training.trainable import Trainable, fold
from models import registry
from models.graph import Network


def mini() -> Network:
    return registry.find("mini").build(widths=(4, 8, 8, 8, 8), hidden=16, classes=3)


def lived_in() -> Trainable:
    """A network whose batch norms have statistics and parameters of their own."""
    torch.manual_seed(0)
    trained = Trainable(mini(), 0.3)
    for module in trained.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    return trained.eval()


def test_norms_stand_after_all_but_the_last() -> None:
    names = list(lived_in().layers)
    assert [name for name in names if name.endswith("-norm")] == [
        f"{name}-norm" for name in ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6")
    ]
    assert [name for name in names if name.endswith("-dropout")] == ["fc6-dropout", "fc7-dropout"]
    assert names.index("conv2-norm") == names.index("conv2") + 1


def test_folded_is_the_same_function() -> None:
    trained = lived_in()
    plain = mini()
    plain.load_state_dict(fold(trained))
    pictures = torch.randn(5, 3, 64, 64)
    with torch.no_grad():
        before, after = trained(pictures), plain.eval()(pictures)
    assert after.allclose(before, rtol=1e-5, atol=1e-5)
    assert before.std() > 0.01


def test_a_graph_is_refused() -> None:
    from models.graph import concat, conv, relu

    layers = [conv("a", (3, 2), 1), relu("b"), concat("c", ("a", "b"))]
    with pytest.raises(ValueError, match="c is no link of a plain chain"):
        Trainable(Network(8, [(1, layers)]), 0.0)
