"""Lines between maps: shares worked out by hand, on a run without an engine."""

from __future__ import annotations

import pytest
import torch

from app.services.engine.engine import StepResult
from app.services.networks.catalogue import Model
from app.services.networks.weight_files import WeightEntry
from app.services.runs.lines import Line, contributions, lines, source_of
from app.services.runs.run import Run
from app.vision.forward import forward_steps
from app.vision.geometry import geometry
from app.vision.statistics import statistics
from models.graph import Network, conv, fc, flatten, relu
from models.weights import TABLE

# conv1 doubles the red, green and blue maps; conv2 weighs them 3, -9, 0.5 (bias 1), and all zero.
MIX = torch.tensor([[3.0, -9.0, 0.5], [0.0, 0.0, 0.0]])


@pytest.fixture
def run() -> Run:
    layers = [conv("conv1", (3, 3), 1), relu("relu1"), conv("conv2", (3, 2), 1), flatten()]
    network = Network(2, [(1, layers), (None, [fc("fc", (8, 2))])]).eval().requires_grad_(False)
    state = network.state_dict()
    state["conv1.weight"].copy_(2 * torch.eye(3)[:, :, None, None])
    state["conv1.bias"].zero_()
    state["conv2.weight"].copy_(MIX[:, :, None, None])
    state["conv2.bias"].copy_(torch.tensor([1.0, 0.0]))
    state["fc.weight"].copy_(torch.tensor([[1.0, 1, 1, 1, 0, 0, 0, 0], [0.0, 0, 0, 0, 1, 1, 1, 1]]))
    state["fc.bias"].copy_(torch.tensor([-4.0, 0.0]))
    made = Run(
        Model(WeightEntry(TABLE[0], None, "ready", True), network, geometry(network), (), 0), "none"
    )
    picture = torch.zeros(3, 2, 2)
    picture[:, 1, 0] = torch.tensor([1.0, 0.5, 4.0])  # everything else is dark
    for output in forward_steps(network, picture[None]):
        (figures,) = statistics(output.tensor)
        made.append(StepResult(output.step, output.tensor[0], figures, 0.0, 1))
    made.prepare(None, network)  # type: ignore[arg-type]
    return made


def drawn(run: Run, name: str, shown: int, each: int = 3) -> list[Line]:
    return lines(run, next(r for r in run.records if r.step.name == name), shown, each)


def test_shares_are_signed_parts_of_all_magnitudes(run: Run) -> None:
    # At (1, 0) relu1 is 2, 1, 8: terms 6, -9, 4 and the bias 1 make 2 of magnitudes 20.
    first = drawn(run, "conv2", 3)[:3]
    assert [(one.source, one.target) for one in first] == [(1, 0), (0, 0), (2, 0)]
    assert [one.share for one in first] == pytest.approx([-9 / 20, 6 / 20, 4 / 20])


def test_the_weightiest_come_first_and_only_as_many_as_wanted(run: Run) -> None:
    # All of target 1's are zero: among equals the strongest source, relu1's map 2, comes first.
    assert [(one.source, one.target) for one in drawn(run, "conv2", 3, each=1)] == [(1, 0), (2, 1)]


def test_only_shown_maps_have_lines(run: Run) -> None:
    # relu1's strongest two are 2 (8) and 0 (2); conv2's strongest is 0.
    assert {(one.source, one.target) for one in drawn(run, "conv2", 2, each=9)} == {
        (0, 0), (2, 0), (0, 1), (2, 1),
    }  # fmt: skip
    assert {(one.source, one.target) for one in drawn(run, "conv2", 1)} == {(2, 0)}


def test_a_cell_that_adds_nothing_up_has_shares_of_zero(run: Run) -> None:
    assert [one.share for one in drawn(run, "conv2", 3) if one.target == 1] == [0.0, 0.0, 0.0]


def test_a_fully_connected_unit_reads_maps_not_numbers(run: Run) -> None:
    # conv2's map 0 is 2 at one cell and the bias 1 at three: 5 - 4 = 1 of magnitudes 9.
    assert source_of(run, "fc") == "conv2"
    made = contributions(run, run.records[-1], 0)
    assert made is not None
    assert (made.terms.tolist(), made.bias, made.value) == ([5.0, 0.0], -4.0, 1.0)
    strongest, other = drawn(run, "fc", 2)[:2]
    assert (strongest.source, strongest.target) == (0, 0)
    assert strongest.share == pytest.approx(5 / 9)
    assert other == Line(1, 0, 0.0)


def test_steps_that_add_nothing_up_and_the_first_have_no_lines(run: Run) -> None:
    assert source_of(run, "conv1") is None
    assert [drawn(run, name, 3) for name in ("conv1", "relu1", "flatten")] == [[], [], []]
    assert contributions(run, run.records[1], 0) is None
