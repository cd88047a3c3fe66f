"""The same network, laid out otherwise in memory."""

import pytest
import torch

from app.vision.memory_layout import channels_last
from app.vision.partial_forward import partial_forward
from app.vision.synthesis import Synthesis, SynthesisRecipe
from app.vision.synthesis_goals import SynthesisGoal
from models import registry
from models.graph import INPUT, Network


@pytest.fixture(scope="module", params=["mini", "squeezenet1_1"])
def network(request: pytest.FixtureRequest) -> Network:
    return registry.seeded(request.param).eval()


def test_it_computes_the_same_with_kernels_of_its_own(network: Network) -> None:
    last = [step.name for step in network.steps if step.kind == "conv"][-1]
    before = {name: value.stride() for name, value in network.state_dict().items()}
    made = channels_last(network, last)
    picture = torch.rand(2, 3, network.input_size, network.input_size)
    ours, plain = (partial_forward(one, {INPUT: picture}, [last])[last] for one in (made, network))
    assert torch.allclose(ours, plain, rtol=1e-4, atol=1e-5 * float(plain.detach().abs().max()))
    first = made.module(made.steps[0].name).weight
    assert isinstance(first, torch.Tensor)
    assert first.is_contiguous(memory_format=torch.channels_last) and not first.is_contiguous()
    assert {name: value.stride() for name, value in network.state_dict().items()} == before
    assert first.data_ptr() not in {value.data_ptr() for value in network.parameters()}


def test_what_is_no_kernel_is_shared(network: Network) -> None:
    made = channels_last(network, network.logits)
    shared = [step.name for step in made.steps if step.kind != "conv"]
    assert shared
    assert all(made.module(name) is network.module(name) for name in shared)


def test_before_the_first_step_there_is_nothing_to_lay_out(network: Network) -> None:
    assert channels_last(network, INPUT) is network


def test_a_synthesised_picture_comes_out_as_from_the_network_itself(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = next(step.name for step in network.steps if step.stage == 2 and step.kind == "conv")
    stats = ((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))

    def grown() -> torch.Tensor:
        synthesis = Synthesis(network, step, [SynthesisGoal(1)], *stats, SynthesisRecipe(32, 4))
        for _ in range(4):
            synthesis.advance()
        return synthesis.pictures()

    ours = grown()
    monkeypatch.setattr("app.vision.synthesis_goals.channels_last", lambda network, until: network)
    assert torch.allclose(ours, grown(), atol=2e-3)
