"""Switching channels off: by hand, and against a whole pass with a channel set to zero."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from app.vision.ablation import Ablation, ranked
from models.graph import INPUT, Network, conv, fc, flatten, relu, softmax
from tests.support.networks import embedded
from tests.support.small_networks import chain, graph, untouched

X = torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(4))


def by_hand() -> Network:
    """Three channels copy the pixel's colours; class 0 gets 1 r + 2 g - 3 b, class 1 nothing."""
    layers = [conv("c", (3, 3), 1), relu("r"), flatten(), fc("f", (3, 2)), softmax()]
    network = Network(1, [(1, layers)])
    c, f = network.module("c"), network.module("f")
    assert isinstance(c, nn.Conv2d) and isinstance(f, nn.Linear)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        c.weight[:, :, 0, 0] = torch.eye(3)
        f.weight[0] = torch.tensor([1.0, 2.0, -3.0])
    return network.eval()


def test_what_channels_are_worth_by_hand() -> None:
    picture = torch.tensor([5.0, 1.0, 0.5]).view(3, 1, 1)
    ablation = Ablation(by_hand(), picture, "c")
    assert ablation.off([0], ["f"])["f"].tolist() == [0.5, 0]  # 2 - 1.5
    assert ablation.only([0], ["f"])["f"].tolist() == [5, 0]
    assert ablation.off([0, 1, 2], ["f"])["f"].tolist() == [0, 0]
    costs = list(ablation.costs(0, batch=2))
    assert [one.channels for one in costs] == [range(0, 2), range(2, 3)]
    assert torch.cat([one.logits for one in costs]).tolist() == [5, 2, -1.5]
    # The two classes' logits are 5.5 and 0; off: 0.5, 3.5, 7.
    shares = torch.tensor([5.5, 0.5, 3.5, 7.0]).sigmoid()
    probabilities = torch.cat([one.probabilities for one in costs])
    torch.testing.assert_close(probabilities, shares[0] - shares[1:])
    assert ranked(costs) == ranked(costs, "probabilities") == [0, 1, 2]


def brute(network: Network, step: str, off: list[int]) -> dict[str, torch.Tensor]:
    """Every step of a whole pass in which some channels of one are zero."""
    outputs = {INPUT: X[None]}
    for one in network.steps:
        made = network.module(one.name)(*(outputs[name] for name in one.inputs)).detach()
        if one.name == step:
            made[:, off] = 0
        outputs[one.name] = made
    return {name: made[0] for name, made in outputs.items()}


@pytest.mark.parametrize(
    ("make", "steps"),
    [
        (graph, ["conv1", "norm1", "pool1", "left", "right_relu", "both", "last", "flatten"]),
        (chain, ["conv1", "pool2", "fc1"]),
    ],
)
def test_a_whole_pass_agrees(make: type[Network], steps: list[str]) -> None:
    network = make()  # type: ignore[call-arg]
    end = network.logits
    for step in steps:
        ablation = Ablation(network, X, step)
        whole = brute(network, step, [])[end]
        drops = torch.cat([one.logits for one in ablation.costs(1, batch=3)])
        assert len(drops) == ablation.channels
        for channel in range(ablation.channels):
            expected = whole[1] - brute(network, step, [channel])[end][1]
            torch.testing.assert_close(drops[channel], expected, rtol=1e-4, atol=1e-5)
        rest = [c for c in range(ablation.channels) if c != 1]
        only = ablation.only([1], [end, "softmax"])
        expected_all = brute(network, step, rest)
        for name in only:
            torch.testing.assert_close(only[name], expected_all[name], rtol=1e-4, atol=1e-5)
    assert untouched(network)


def test_from_outputs_that_are_known_comes_the_same() -> None:
    network = graph()
    known = brute(network, "conv1", [])
    for step in ("conv1", "left", "right_relu", "last"):
        one = Ablation(network, X, step, known.__getitem__)
        other = Ablation(network, X, step)
        made, again = (it.off([1], [network.logits])[network.logits] for it in (one, other))
        torch.testing.assert_close(made, again)


def test_mini_agrees_with_a_whole_pass() -> None:
    network, x = embedded(), torch.randn(3, 64, 64)
    drops = torch.cat([one.logits for one in Ablation(network, x, "conv3").costs(7)])
    module = network.module("conv3")
    assert isinstance(module, nn.Conv2d) and module.bias is not None
    kept = {name: value.clone() for name, value in module.state_dict().items()}
    with torch.no_grad():
        whole = network(x[None])[0, 7]
        module.weight[11], module.bias[11] = 0, 0
        drop = whole - network(x[None])[0, 7]
        module.load_state_dict(kept)
    assert drops[11].item() == pytest.approx(drop.item(), abs=1e-4)


def test_what_makes_no_sense_is_refused() -> None:
    network = graph()
    with pytest.raises(KeyError):
        Ablation(network, X, "conv9")
    with pytest.raises(IndexError):
        Ablation(network, X, "left").off([99], ["flatten"])
    with pytest.raises(ValueError, match="classifier"):
        next(Ablation(network.upto("both"), X, "left").costs(0))
