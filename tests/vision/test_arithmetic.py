"""Every kind of cell by hand on toy networks, and sampled all over the real one."""

from __future__ import annotations

import random
from math import exp, log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from app.vision.arithmetic.chain import CellPlace, ChainStep, chain
from app.vision.arithmetic.explain import Cell, explain
from app.vision.arithmetic.pointwise import (
    CopyCell,
    NormCell,
    ReluCell,
    concat_cell,
    flatten_cell,
    norm_cell,
    relu_cell,
)
from app.vision.arithmetic.pooling import PoolCell
from app.vision.arithmetic.voting import share_cell, vote_cell
from app.vision.class_contributions import class_contributions
from app.vision.forward import forward_steps
from app.vision.shift import relative_change, shifted, unchanged_cells
from models import registry
from models.graph import (
    INPUT,
    Network,
    avgpool,
    concat,
    conv,
    fc,
    flatten,
    maxpool,
    norm,
    relu,
    softmax,
)
from tests.support.networks import embedded


def everything(network: Network, picture: Tensor) -> dict[str, Tensor]:
    """What every step made of a picture [3,S,S]."""
    found = {INPUT: picture}
    for output in forward_steps(network, picture[None]):
        found[output.step.name] = output.tensor[0]
    return found


def re_adds(cell: Cell) -> bool:
    """Whether the terms make the network's value to 1e-5 of their magnitudes."""
    if isinstance(cell, ReluCell):
        return cell.value == max(0.0, cell.given)
    if isinstance(cell, PoolCell):
        return bool(cell.value == cell.patch.max())
    if isinstance(cell, CopyCell):
        return True
    return abs(cell.total - cell.value) <= 1e-5 * cell.magnitude


def places(outputs: dict[str, Tensor], lot: random.Random, each: int) -> list[CellPlace]:
    """Cells of every step drawn at random."""
    found = []
    for name, tensor in outputs.items():
        if name == INPUT:
            continue
        for _ in range(each):
            cell = [lot.randrange(n) for n in tensor.shape[1:]]
            found.append(CellPlace(name, lot.randrange(len(tensor)), *cell))
    return found


@pytest.mark.parametrize("name", ["mini", "squeezenet1_1", "vgg11_bn"])
def test_sampled_cells_of_every_step_re_add(name: str) -> None:
    network = embedded() if name == "mini" else registry.seeded(name)
    side = network.input_size
    outputs = everything(network, torch.randn(3, side, side))
    each = 200 if name == "mini" else 6
    for place in places(outputs, random.Random(0), each):
        cell = explain(network, outputs.__getitem__, place.step, place.channel, (place.y, place.x))
        tensor = outputs[place.step][place.channel]
        value = tensor[place.y, place.x] if tensor.ndim else tensor
        assert cell.value == value.item(), place
        assert re_adds(cell), place


def test_a_copy_names_the_cell_it_copied() -> None:
    network = registry.seeded("squeezenet1_1")
    outputs = everything(network, torch.randn(3, network.input_size, network.input_size))
    for name in ("fire2.concat", "fire9.concat"):
        for channel in (0, len(outputs[name]) // 2, len(outputs[name]) - 1):
            cell = explain(network, outputs.__getitem__, name, channel, (3, 4))
            assert isinstance(cell, CopyCell)
            assert outputs[cell.source][cell.channel, cell.y, cell.x] == cell.value


def test_relu_by_hand() -> None:
    maps = torch.tensor([[[1.0, -2], [0, 3]], [[-1.0, -1], [-1, 4]]])
    cell = relu_cell(maps, 0, (0, 1))
    assert (cell.given, cell.value, cell.cut) == (-2.0, 0.0, 2.0)
    assert (cell.zeros, cell.count, cell.layer_zeros) == (2, 4, 5 / 8)
    kept_cell = relu_cell(maps, 1, (1, 1))
    assert (kept_cell.value, kept_cell.cut, kept_cell.zeros) == (4.0, 0.0, 3)
    row = relu_cell(torch.tensor([-1.0, 5]), 1, (0, 0))
    assert (row.value, row.zeros, row.count, row.layer_zeros) == (5.0, 0, 1, 0.5)


def test_batch_norm_by_hand() -> None:
    module = nn.BatchNorm2d(2, eps=1.0).eval()
    with torch.no_grad():
        assert module.running_mean is not None
        assert module.running_var is not None
        module.running_mean[1], module.running_var[1] = 5.0, 8.0
        module.weight[1], module.bias[1] = 6.0, -1.0
    cell = norm_cell(module, 7.0, 3.0, 1)
    assert isinstance(cell, NormCell)
    assert (cell.spread, cell.total) == (3.0, 3.0)  # 6 (7 - 5) / sqrt(8 + 1) - 1
    assert cell.magnitude == 6 / 3 * (7 + 5) + 1


def test_concat_and_flatten_by_hand() -> None:
    sources = (("a", 2), ("b", 3))
    assert concat_cell(sources, 1, (4, 5), 0.5) == CopyCell(0.5, "a", 1, 4, 5)
    assert concat_cell(sources, 2, (4, 5), 0.5) == CopyCell(0.5, "b", 0, 4, 5)
    with pytest.raises(ValueError, match="behind all sources"):
        concat_cell(sources, 5, (0, 0), 0.5)
    # 3 maps of 2 x 4: number 13 is map 1, row 1, column 1.
    assert flatten_cell("pool", torch.Size((3, 2, 4)), 13, 0.5) == CopyCell(0.5, "pool", 1, 1, 1)


def test_a_vote_by_hand() -> None:
    module = nn.Linear(4, 1)
    with torch.no_grad():
        module.weight[0] = torch.tensor([2.0, -1, 0, 3])
        module.bias[0] = 0.25
    cell = vote_cell(module, torch.tensor([1.0, 4, 9, 2]), 4.25, 0)
    assert cell.products.tolist() == [2.0, -4.0, 0.0, 6.0]
    assert (cell.total, cell.magnitude) == (4.25, 12.25)
    assert cell.strongest(3, 1) == [3, 0]  # a product of zero is neither for nor against
    assert cell.strongest(3, -1) == [1]


def test_a_share_by_hand() -> None:
    logits = torch.tensor([log(2.0), log(6.0), 0.0])
    cell = share_cell(logits, 2 / 9, 0)
    assert cell.peak == pytest.approx(log(6.0))
    assert cell.exponentials.tolist() == pytest.approx([1 / 3, 1, 1 / 6])
    assert cell.denominator == pytest.approx(1.5)
    assert cell.total == pytest.approx(2 / 9)
    huge = share_cell(torch.tensor([1000.0, 999.0]), 0.731, 0)
    assert huge.total == pytest.approx(1 / (1 + exp(-1)))


def toy() -> tuple[Network, dict[str, Tensor]]:
    """A network of one number a step, nearly: 2 pixels in, worked out by hand below."""
    network = Network(
        4,
        [
            (
                1,
                [
                    conv("conv1", (3, 1), 2, 2),
                    norm("norm1", 1),
                    relu("relu1"),
                    maxpool("pool1", 2, 2),
                ],
            ),
            (None, [flatten(), fc("fc2", (1, 2)), softmax()]),
        ],
    ).eval()
    first, last = network.module("conv1"), network.module("fc2")
    assert isinstance(first, nn.Conv2d)
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        first.weight.zero_()
        first.weight[0, 1, 0, 1] = 3.0
        first.weight[0, 2, 1, 0] = -1.0
        assert first.bias is not None
        first.bias.fill_(0.5)
        last.weight.copy_(torch.tensor([[2.0], [-1.0]]))
        last.bias.zero_()
    picture = torch.zeros(3, 4, 4)
    picture[1, 2, 1] = 2.0  # green, under the window of cell (1, 0)
    picture[2, 3, 0] = 1.0  # blue, under the same window
    return network, everything(network, picture)


def links(
    network: Network, outputs: dict[str, Tensor], start: CellPlace, *path: int
) -> list[ChainStep]:
    return list(chain(network, outputs.__getitem__, start, path))


def test_a_chain_by_hand() -> None:
    network, outputs = toy()
    made = links(network, outputs, CellPlace("softmax", 0))
    assert [one.place for one in made] == [
        CellPlace("softmax", 0),
        CellPlace("fc2", 0),
        CellPlace("flatten", 0),
        CellPlace("pool1", 0),
        CellPlace("relu1", 0, 1, 0),
        CellPlace("norm1", 0, 1, 0),
        CellPlace("conv1", 0, 1, 0),
    ]
    last = made[-1]
    assert last.value == 5.5  # 0.5 + 3 * 2 - 1 * 1
    assert [part.place for part in last.parts] == [CellPlace(INPUT, 1, 2, 1)]
    assert (last.parts[0].value, last.parts[0].weight, last.parts[0].term) == (2.0, 3.0, 6.0)
    assert last.parts[0].share == 6 / 7.5
    assert (last.bias, last.rest, last.others, last.chosen) == (0.5, -1.0, 11, None)
    assert made[1].parts[0].share == 1.0
    # A softmax's source is the logit; its result is no product with it.
    logit, made_of = made[1].value, made[0].parts[0]
    assert (made_of.value, made_of.weight, made_of.term) == (logit, None, made[0].value)
    assert logit != made[0].value


def test_a_probability_whose_logit_is_exactly_zero_has_a_source() -> None:
    network, outputs = toy()
    last = network.module("fc2")
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        last.bias[0] = -2.0 * outputs["flatten"].flatten()[0]
    made = links(network, everything(network, outputs[INPUT]), CellPlace("softmax", 0))
    assert made[1].value == 0.0
    (source,) = made[0].parts
    assert (source.value, source.weight, source.term) == (0.0, None, made[0].value)
    assert made[0].value > 0 and made[0].chosen == 0


def test_a_chain_ends_where_a_relu_cut_everything_away() -> None:
    network, outputs = toy()
    first = network.module("conv1")
    assert isinstance(first, nn.Conv2d)
    with torch.no_grad():
        first.weight.neg_()
        assert first.bias is not None
        first.bias.neg_()
    outputs = everything(network, outputs[INPUT])
    made = links(network, outputs, CellPlace("relu1", 0, 1, 0))
    assert [one.place.step for one in made] == ["relu1"]
    assert (made[0].value, made[0].parts, made[0].chosen) == (0.0, (), None)


@pytest.mark.parametrize("name", ["mini", "squeezenet1_1", "vgg11_bn"])
def test_every_link_re_adds_and_leads_to_the_next(name: str) -> None:
    network = embedded() if name == "mini" else registry.seeded(name)
    outputs = everything(network, torch.randn(3, network.input_size, network.input_size))
    for place in places(outputs, random.Random(1), 2):
        made = links(network, outputs, place)
        for link, after in zip(made, [*made[1:], None], strict=True):
            total = link.bias + sum(part.term for part in link.parts) + link.rest
            if link.kind not in ("relu", "softmax"):
                assert total == pytest.approx(link.value, rel=1e-4, abs=1e-4)
            for part in link.parts:
                product = link.value if part.weight is None else part.value * part.weight
                assert part.term == pytest.approx(product)
            shares = [abs(part.share) for part in link.parts]
            assert shares == sorted(shares, reverse=True)
            if after:
                assert link.chosen is not None
                assert after.place == link.parts[link.chosen].place
                assert after.value == pytest.approx(link.parts[link.chosen].value, rel=1e-6)


def test_a_path_chooses_what_to_follow() -> None:
    network = embedded()
    outputs = everything(network, torch.randn(3, 64, 64))
    strongest = int(outputs["conv3"].amax((1, 2)).argmax())
    cell = divmod(int(outputs["conv3"][strongest].argmax()), 8)
    start = CellPlace("conv3", strongest, *cell)
    plain, other = links(network, outputs, start), links(network, outputs, start, 2)
    assert other[1].place == plain[0].parts[2].place != plain[1].place
    with pytest.raises(IndexError, match="sources 0 to 3"):
        links(network, outputs, start, 4)


@pytest.mark.parametrize("name", ["mini", "squeezenet1_1"])
def test_a_score_is_what_the_last_maps_paid(name: str) -> None:
    network = embedded() if name == "mini" else registry.seeded(name)
    outputs = everything(network, torch.randn(3, network.input_size, network.input_size))
    for index in (0, 42, 99):
        made = class_contributions(network, outputs.__getitem__, index)
        assert made.value == outputs[network.logits][index].item()
        assert abs(made.bias + float(made.terms.sum()) - made.value) <= 1e-5 * made.magnitude
        assert made.terms.shape == outputs[made.step].shape
        assert made.map.sum().item() == pytest.approx(made.terms.sum().item())
    assert made.step == ("pool5" if name == "mini" else "relu10")


def test_what_was_paid_by_hand() -> None:
    network = Network(
        2,
        [
            (1, [conv("conv1", (3, 2), 1)]),
            (None, [flatten(), fc("fc2", (8, 2)), relu("relu2"), fc("fc3", (2, 1)), softmax()]),
        ],
    )
    one, two = network.module("fc2"), network.module("fc3")
    assert isinstance(one, nn.Linear)
    assert isinstance(two, nn.Linear)
    maps = torch.arange(8.0).reshape(2, 2, 2)
    with torch.no_grad():
        one.weight.copy_(torch.stack([torch.ones(8), -torch.ones(8)]))
        one.bias.copy_(torch.tensor([2.0, 3.0]))
        two.weight.copy_(torch.tensor([[10.0, 7.0]]))
        two.bias.fill_(4.0)
    # fc2 is 28 + 2 and -28 + 3; the ReLU cuts the second; fc3 is 10 * 30 + 4.
    outputs = {
        "conv1": maps,
        "flatten": maps.flatten(),
        "fc2": torch.tensor([30.0, -25.0]),
        "relu2": torch.tensor([30.0, 0.0]),
        "fc3": torch.tensor([304.0]),
    }
    made = class_contributions(network, outputs.__getitem__, 0)
    assert (made.step, made.value, made.bias) == ("conv1", 304.0, 24.0)
    assert torch.equal(made.terms, 10 * maps.double())


def test_a_network_without_a_classifier_has_no_score() -> None:
    with pytest.raises(ValueError, match="no scores"):
        class_contributions(embedded().upto("relu3"), dict[str, Tensor]().__getitem__, 0)


def test_average_pooling_adds_up_cell_by_cell() -> None:
    network = Network(
        2, [(5, [conv("a", (3, 1), 1), conv("b", (3, 2), 1, inputs=(INPUT,)),
                 concat("both", ("a", "b")), avgpool("mean")])]
    )  # fmt: skip
    outputs = everything(network, torch.randn(3, 2, 2))
    (first, second, third) = links(network, outputs, CellPlace("mean", 2))
    assert first.adds
    assert first.others + len(first.parts) == 4
    assert (second.place.step, third.place.step, third.place.channel) == ("both", "b", 1)


@given(st.integers(-3, 3), st.integers(-3, 3))
def test_a_shift_moves_every_pixel_and_repeats_the_edge(dx: int, dy: int) -> None:
    picture = torch.arange(75).reshape(3, 5, 5)
    moved = shifted(picture, dx, dy)
    for y in range(5):
        for x in range(5):
            from_y, from_x = min(4, max(0, y - dy)), min(4, max(0, x - dx))
            assert torch.equal(moved[:, y, x], picture[:, from_y, from_x])


def test_change_by_hand() -> None:
    before, after = torch.tensor([[3.0, 4.0]]), torch.tensor([[3.0, 3.0]])
    assert relative_change(before, after) == pytest.approx(1 / 5)
    assert relative_change(before * 0, after * 0) == 0.0
    assert relative_change(before * 0, after) == 1.0
    assert (
        unchanged_cells(before, after),
        unchanged_cells(before, before),
        unchanged_cells(before, after, 0.25),
    ) == (1, 2, 2)
