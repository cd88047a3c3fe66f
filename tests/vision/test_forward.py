"""The forward pass as steps, and the figures taken from them, on numbers worked out by hand."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch

from app.vision.contributions import conv_contributions, fc_contributions, strongest_cell
from app.vision.forward import forward_steps
from app.vision.predict import top
from app.vision.statistics import statistics
from models.graph import INPUT, Concat, Layer, Network, Step, conv
from tests.support.networks import embedded


@pytest.fixture(scope="module")
def mini() -> Network:
    return embedded()


def test_a_batch_gives_what_each_picture_gives_alone(mini: Network) -> None:
    pictures = torch.randn(3, 3, 64, 64)
    together = [output.tensor for output in forward_steps(mini, pictures)]
    for i, picture in enumerate(pictures):
        for all_of_them, alone in zip(together, forward_steps(mini, picture[None]), strict=True):
            torch.testing.assert_close(all_of_them[i], alone.tensor[0], rtol=1e-4, atol=1e-5)


def test_steps_end_where_asked(mini: Network) -> None:
    names = [o.step.name for o in forward_steps(mini, torch.zeros(1, 3, 64, 64), until="relu2")]
    assert names == ["conv1", "relu1", "pool1", "conv2", "relu2"]


def test_nothing_is_held_between_steps(mini: Network) -> None:
    steps = forward_steps(mini, torch.zeros(1, 3, 64, 64))
    first = next(steps)
    assert not torch.is_inference_mode_enabled()
    gone = weakref.ref(first.tensor)
    del first
    next(steps), next(steps), next(steps)
    gc.collect()
    assert gone() is None
    steps.close()  # type: ignore[attr-defined]


def test_a_pass_left_midway_holds_no_map_and_no_mode(mini: Network) -> None:
    steps = forward_steps(mini, torch.zeros(1, 3, 64, 64))
    maps = [weakref.ref(next(steps).tensor) for _ in range(4)]
    steps.close()  # type: ignore[attr-defined]
    gc.collect()
    assert [map() for map in maps] == [None] * 4
    assert not torch.is_inference_mode_enabled()
    assert torch.zeros(1, requires_grad=True).exp().requires_grad


def test_the_logits_of_the_steps_are_those_of_the_network(mini: Network) -> None:
    x = torch.randn(2, 3, 64, 64)
    found = {output.step.name: output.tensor for output in forward_steps(mini, x)}
    assert torch.equal(found["fc7"], mini(x).detach())
    torch.testing.assert_close(found["softmax"], mini(x).detach().softmax(1))


def test_a_map_that_two_steps_read_is_kept_for_both() -> None:
    both = Layer(Step("both", "concat", ("a", "b")), Concat())
    again = Layer(Step("again", "concat", ("both", "a")), Concat())
    layers = [conv("a", (3, 2), 1), conv("b", (3, 2), 1, inputs=(INPUT,)), both, again]
    network = Network(2, [(1, layers)])
    x = torch.randn(1, 3, 2, 2)
    found = {output.step.name: output.tensor for output in forward_steps(network, x)}
    assert torch.equal(found["both"], torch.cat([found["a"], found["b"]], 1))
    assert torch.equal(found["again"], torch.cat([found["both"], found["a"]], 1))


def test_time_is_told_for_each_step(mini: Network) -> None:
    assert all(output.seconds > 0 for output in forward_steps(mini, torch.zeros(1, 3, 64, 64)))


def test_figures_of_a_map_by_hand() -> None:
    batch = torch.tensor([[[[0.0, -2.0], [4.0, 0.0]], [[1.0, 1.0], [1.0, 3.0]]]])
    (figures,) = statistics(batch)
    assert (figures.min, figures.max, figures.mean, figures.zeros) == (-2.0, 4.0, 1.0, 0.25)
    assert figures.peaks.tolist() == [4.0, 3.0]
    assert figures.lows.tolist() == [-2.0, 1.0]
    assert figures.limits.tolist() == [4.0, 3.0]
    assert figures.limit == 4.0


def test_equal_channels_keep_their_order() -> None:
    (figures,) = statistics(torch.tensor([[1.0, 5.0, 5.0, -7.0, 5.0, 2.0]]))
    assert figures.strongest() == [1, 2, 4, 5, 0, 3]
    assert figures.strongest(2) == [1, 2]
    assert figures.strongest(4) == [1, 2, 4, 5]
    assert figures.limit == 7.0


def test_a_stage_has_one_order_of_strength(mini: Network) -> None:
    picture = torch.randn(1, 3, 64, 64)
    order = {
        o.step.name: statistics(o.tensor)[0].strongest(5) for o in forward_steps(mini, picture)
    }
    for stage in (1, 2, 5):
        assert order[f"conv{stage}"] == order[f"relu{stage}"] == order[f"pool{stage}"]


def test_probabilities_by_hand() -> None:
    # exp(0), exp(ln 2), exp(ln 5): shares 1/8, 2/8, 5/8.
    logits = torch.tensor([1.0, 2.0, 5.0]).log()
    ranked = top(logits, 2)
    assert [one.index for one in ranked] == [2, 1]
    assert [one.probability for one in ranked] == pytest.approx([0.625, 0.25])
    assert ranked[0].logit == pytest.approx(1.6094379)


def test_a_cell_is_the_sum_of_its_terms_by_hand() -> None:
    network = Network(3, [(1, [conv("conv", (2, 1), 3, 1, 1)])])
    module = network.module("conv")
    assert isinstance(module, torch.nn.Conv2d)
    with torch.no_grad():
        module.weight.fill_(1)
        module.weight[0, 1].fill_(-2)
        assert module.bias is not None
        module.bias.fill_(0.5)
    inputs = torch.tensor(
        [[[1.0, 2, 3], [4, 5, 6], [7, 8, 9]], [[1.0, 0, 0], [0, 0, 0], [0, 0, 0]]]
    )
    output = module(inputs[None])[0].detach()
    corner = conv_contributions(network.step("conv"), module, inputs, output, 0, (0, 0))
    assert corner.terms.tolist() == [12.0, -2.0]  # 1+2+4+5 under the window, the rest is padding
    assert (corner.bias, corner.value) == (0.5, 10.5)
    strongest = conv_contributions(network.step("conv"), module, inputs, output, 0)
    assert (strongest.y, strongest.x, strongest.value) == (1, 1, 43.5)  # 45 - 2 + 0.5


def test_the_strongest_cell_is_the_first_in_reading_order() -> None:
    assert strongest_cell(torch.tensor([[0.0, 3.0], [3.0, 1.0]])) == (0, 1)


def test_terms_re_add_to_the_value_everywhere(mini: Network) -> None:
    picture = torch.randn(1, 3, 64, 64)
    outputs = {INPUT: picture[0]}
    for output in forward_steps(mini, picture):
        outputs[output.step.name] = output.tensor[0]
    for step in mini.steps:
        module, result = mini.module(step.name), outputs.get(step.name)
        assert result is not None
        inputs = outputs[step.inputs[0]]
        if isinstance(module, torch.nn.Conv2d):
            last = (result.shape[1] - 1, result.shape[2] - 1)
            made = [
                conv_contributions(step, module, inputs, result, channel, cell)
                for channel in (0, 17)
                for cell in (None, (0, 0), last)
            ]
        elif isinstance(module, torch.nn.Linear):
            groups = 192 if step.name == "fc6" else len(inputs)
            made = [fc_contributions(module, inputs, result, unit, groups) for unit in (0, 99)]
        else:
            continue
        for one in made:
            magnitude = one.terms.abs().sum().item() + abs(one.bias)
            assert abs(one.bias + one.terms.sum().item() - one.value) <= 1e-5 * magnitude
