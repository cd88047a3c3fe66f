"""X or O by hand: Rohrer's numbers, the order of layers, the vote, what pixels miss, learning."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from app.vision.arithmetic.convolution import convolve
from app.vision.arithmetic.pooling import max_pool
from app.vision.tiny_network.board import CELLS, PRESETS, Letter, flip, generate_boards, ideal
from app.vision.tiny_network.examples import FITTING, TESTED, example_boards
from app.vision.tiny_network.learn import LIMIT, STEPS, learn
from app.vision.tiny_network.network import (
    CONVS,
    LAYERS,
    Match,
    divisor,
    features,
    forward,
    forward_batch,
    largest_cell,
    match_cell,
    names_of,
    parse,
    plan,
    to_text,
)
from app.vision.tiny_network.pixels import compare, correct_count
from app.vision.tiny_network.vote import VoteWeights, fit, vote

STACK = "conv,relu,pool,conv1,relu,pool"
EXAMPLES = example_boards()
DRAWN = {(one.letter, one.how): one.board() for one in PRESETS}

# The first map of "How convolutional neural networks work", there cut to two digits (0.77, 0.55).
FIRST = [
    [0.78, -0.11, 0.11, 0.33, 0.56, -0.11, 0.33],
    [-0.11, 1.00, -0.11, 0.33, -0.11, 0.11, -0.11],
    [0.11, -0.11, 1.00, -0.33, 0.11, -0.11, 0.56],
    [0.33, 0.33, -0.33, 0.56, -0.33, 0.33, 0.33],
    [0.56, -0.11, 0.11, -0.33, 1.00, -0.11, 0.11],
    [-0.11, 0.11, -0.11, 0.33, -0.11, 1.00, -0.11],
    [0.33, -0.11, 0.56, 0.33, 0.11, -0.11, 0.78],
]
POOLED = [
    [1.00, 0.33, 0.56, 0.33],
    [0.33, 1.00, 0.33, 0.56],
    [0.56, 0.33, 1.00, 0.11],
    [0.33, 0.56, 0.11, 0.78],
]


def maps(board: torch.Tensor, layers: str, match: Match = "mean") -> list[torch.Tensor]:
    return [made.values for made in forward(board, features(), parse(layers), match)]


def shown(board: torch.Tensor) -> list[str]:
    return ["".join("#" if value > 0 else "." for value in row) for row in board.tolist()]


def weights(layers: str = STACK, match: Match = "mean") -> VoteWeights:
    return fit(features(), parse(layers), match, EXAMPLES)


def verdict(board: torch.Tensor, made: VoteWeights, layers: str = STACK) -> str:
    return vote(maps(board, layers)[-1], made).verdict


def test_the_ideal_letters_are_the_ones_of_the_textbook() -> None:
    strokes = {(i, i) for i in range(1, 8)} | {(i, 8 - i) for i in range(1, 8)}
    drawn = {(y, x) for y, x in product(range(9), range(9)) if ideal("X")[y, x] > 0}
    assert drawn == strokes
    side = ".#.....#."
    bar = "..#####.."
    assert shown(ideal("O")) == ["." * 9, bar, *[side] * 5, bar, "." * 9]


def test_the_three_features_are_pieces_of_the_x() -> None:
    x, found = ideal("X"), features()
    for feature, (y, x0) in zip(found, ((1, 1), (3, 3), (1, 5)), strict=True):
        assert torch.equal(feature, x[y : y + 3, x0 : x0 + 3])
    assert names_of(found) == ("falling diagonal", "crossing", "rising diagonal")
    assert names_of(-found) == ("", "", "")


def test_the_first_map_is_the_published_one_with_ones_along_the_diagonal() -> None:
    first = maps(ideal("X"), "conv")[0]
    torch.testing.assert_close(first[0], torch.tensor(FIRST).double(), atol=0.0051, rtol=0)
    assert [first[0, i, i].item() for i in (1, 2, 4, 5)] == [1.0] * 4
    assert first[1, 3, 3].item() == 1.0
    assert torch.equal(first[2], first[0].flip(1))


def test_relu_and_pooling_are_the_published_ones() -> None:
    _, rectified, pooled = maps(ideal("X"), "conv,relu,pool")
    assert rectified[0, 0].tolist() == pytest.approx([7 / 9, 0, 1 / 9, 3 / 9, 5 / 9, 0, 3 / 9])
    # Seven rows become four: the last window is only partly filled.
    torch.testing.assert_close(pooled[0], torch.tensor(POOLED).double(), atol=0.0051, rtol=0)


def test_a_number_of_a_convolution_is_nine_products() -> None:
    made = next(iter(forward(ideal("X"), features(), parse("conv"), "mean")))
    cell = match_cell(made, features(), (0, 1, 1))
    assert cell.products.flatten().tolist() == [1] * 9
    assert cell.total / divisor("mean", 1) == made.values[0, 1, 1].item() == 1.0
    # The top left corner: the diagonal's two agree, its third cell and six more make 8 to 1.
    corner = match_cell(made, features(), (0, 0, 0))
    assert corner.products.flatten().tolist() == [-1, 1, 1, 1, 1, 1, 1, 1, 1]
    assert corner.total == 7


def test_a_second_convolution_reads_all_maps_and_re_adds() -> None:
    for match in ("mean", "sum"):
        outputs = list(forward(DRAWN["X", "noisy"], features(), parse(STACK), match))
        for place in ((0, 0, 0), (1, 2, 3), (2, 3, 3)):
            cell = match_cell(outputs[3], features(), place)
            assert cell.patch.shape == (3, 3, 3)
            made = cell.terms.sum().item() / divisor(match, 3)
            assert made == pytest.approx(outputs[3].values[place].item(), abs=1e-12)


def test_a_number_of_a_pooling_is_the_largest_of_its_window() -> None:
    outputs = list(forward(ideal("X"), features(), parse("conv,relu,pool"), "mean"))
    cell = largest_cell(outputs[2], (0, 0, 0))
    assert cell.patch.flatten().tolist() == pytest.approx([7 / 9, 0, 0, 1])
    assert cell.winner == (1, 1)
    alone = largest_cell(outputs[2], (0, 3, 3))
    assert alone.patch[0, 0].item() == pytest.approx(7 / 9)
    assert torch.isinf(alone.patch).sum() == 3


def test_mean_and_sum_differ_by_nine_and_vote_the_same() -> None:
    for board in (DRAWN["X", "shifted"], DRAWN["O", "thick"]):
        mean, total = maps(board, "conv")[0], maps(board, "conv", "sum")[0]
        torch.testing.assert_close(total, 9 * mean)
        scores = [
            vote(maps(board, STACK, match)[-1], weights(match=match)).x for match in ("mean", "sum")
        ]
        assert scores[0] == pytest.approx(scores[1], abs=1e-4)


orders = st.lists(st.sampled_from(("conv", "conv1", "relu", "pool")), max_size=LAYERS).filter(
    lambda words: sum(word.startswith("conv") for word in words) <= CONVS
)


@settings(max_examples=60, deadline=None)
@given(orders, st.sampled_from(("mean", "sum")), st.integers(0, 9))
def test_any_order_runs_with_the_sizes_said_or_says_why(
    words: list[str], match: Match, seed: int
) -> None:
    layers = parse(",".join(words))
    assert to_text(layers) == ",".join(words)
    board, outline = generate_boards(1, seed)[0][0], plan(layers)
    kernels = torch.randn(3, 3, 3, generator=torch.Generator().manual_seed(seed)).double()
    made = list(forward(board, kernels, layers, match))
    assert [tuple(one.values.shape) for one in made] == list(outline.sizes[1:])
    if outline.misfit:
        assert len(made) < len(layers)
        assert "the map has only" in outline.misfit
        with pytest.raises(ValueError, match="the map has only"):
            forward_batch(board[None], kernels, layers, match)
        return
    # The same arithmetic as everywhere else in the project.
    values = board[None]
    for layer in layers:
        if layer.kind == "relu":
            values = values.clamp_min(0)
        elif layer.kind == "pool":
            assert layer.window is not None
            values = max_pool(values, layer.window)
        else:
            assert layer.window is not None
            count = values.shape[0]
            sums = convolve(values, kernels[:, None].expand(-1, count, -1, -1), layer.window)
            values = sums / divisor(match, count)
    many = forward_batch(board.expand(60, 9, 9), kernels, layers, match)
    torch.testing.assert_close(many[59], values, atol=1e-9, rtol=1e-9)


def test_what_is_no_layer_or_too_much_is_said() -> None:
    for text, words in (
        ("conv,flatten", "There is no layer “flatten”"),
        ("conv2", "There is no layer “conv2”"),
        (",".join(["relu"] * 9), "9 layers are too many: from 0 to 8"),
        ("conv,conv,conv,conv", "4 convolutions are too many: from 0 to 3"),
    ):
        with pytest.raises(ValueError, match=words):
            parse(text)
    assert parse("") == ()


def test_a_window_that_does_not_fit_says_over_what_it_reaches() -> None:
    outline = plan(parse("pool,pool,pool,conv"))
    assert outline.sizes == ((1, 9, 9), (1, 5, 5), (1, 3, 3), (1, 2, 2))
    assert outline.misfit == "The window reaches over 3 rows, and the map has only 2."
    assert plan(parse("pool,pool,pool,conv1")).misfit == ""


def test_padding_gives_the_border_its_say() -> None:
    for word, corner, edge in (("conv", 1, 3), ("conv1", 4, 6)):
        window = parse(word)[0].window
        assert window is not None
        counts = window.coverage((9, 9))
        assert [int(counts[y, x]) for y, x in ((0, 0), (0, 4), (4, 4))] == [corner, edge, 9]


def test_the_vote_re_adds_and_its_scores_share_one() -> None:
    made = weights()
    assert made.weights.shape == (3, 2, 2)
    told = vote(maps(ideal("X"), STACK)[-1], made)
    assert told.products.shape == (3, 2, 2)
    by_hand = sum(
        float(n) * float(w)
        for n, w in zip(told.numbers.flatten(), made.weights.flatten(), strict=True)
    )
    assert told.x == pytest.approx(made.bias + by_hand)
    assert told.o == pytest.approx(1 - told.x)
    assert told.verdict == "X"
    assert torch.equal(weights().weights, made.weights)


def test_ridge_weights_are_where_the_gradient_is_zero() -> None:
    made, given = weights("conv,relu,pool"), EXAMPLES.fitting
    numbers = forward_batch(given.boards, features(), parse("conv,relu,pool"), "mean")
    flat = numbers.flatten(1)
    w = 2 * made.weights.flatten()
    error = flat @ w + (2 * made.bias - 1) - given.signs
    penalty = 0.01 * len(flat) * flat.var(0).mean() * w
    assert float((flat.T @ error + penalty).abs().max()) < 1e-3
    assert float(error.sum()) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("letter", ["X", "O"])
def test_the_network_holds_where_pixel_by_pixel_fails(letter: Letter) -> None:
    made = weights()
    for one in PRESETS:
        if one.letter == letter:
            assert verdict(one.board(), made) == letter, one.how
    assert compare(DRAWN[letter, ""]).verdict == letter
    assert compare(DRAWN[letter, "shifted"]).verdict != letter


def test_pixels_count_what_is_alike() -> None:
    assert (compare(ideal("X")).x, compare(ideal("X")).o) == (81, 48)
    assert (compare(ideal("O")).o, compare(ideal("O")).x) == (81, 48)
    # An odd number of cells tells them apart: no board is as much like one as like the other.
    assert int((ideal("X") != ideal("O")).sum()) == 33
    one_wrong = compare(flip(ideal("X"), [(0, 0)]))
    assert (one_wrong.x, one_wrong.o, one_wrong.verdict) == (80, 47, "X")
    boards, signs = EXAMPLES.unseen.boards, EXAMPLES.unseen.signs
    counted = sum(
        compare(board).verdict == ("X" if sign > 0 else "O")
        for board, sign in zip(boards, signs.tolist(), strict=True)
    )
    assert correct_count(boards, signs) == counted


def test_of_unseen_boards_the_network_gets_more_right_than_pixels() -> None:
    made, unseen = weights(), EXAMPLES.unseen
    assert (made.of, made.fitted) == (TESTED, FITTING)
    assert 0.83 * made.of <= made.right <= 0.93 * made.of
    assert made.pixels_right <= 0.65 * made.of
    by_hand = sum(
        verdict(board, made) == ("X" if sign > 0 else "O")
        for board, sign in zip(unseen.boards, unseen.signs.tolist(), strict=True)
    )
    assert by_hand == pytest.approx(made.right, abs=1)


def test_boards_drawn_without_a_check_flatter_the_network() -> None:
    made = weights()
    assert made.known == EXAMPLES.unchecked.count_in(EXAMPLES.fitting)
    assert made.unchecked_right >= made.right + 0.04 * made.of
    *_, last = learn(parse(STACK), "mean", EXAMPLES, seed=1)
    assert last.unchecked > last.accuracy


def test_generated_letters_are_as_many_of_each_and_come_back() -> None:
    boards, signs = generate_boards(100, 5)
    assert boards.shape == (100, 9, 9)
    assert set(boards.flatten().tolist()) == {-1.0, 1.0}
    assert float(signs.sum()) == 0
    assert torch.equal(boards, generate_boards(100, 5)[0])
    assert not torch.equal(boards, generate_boards(100, 6)[0])
    assert len({tuple(board.flatten().tolist()) for board in boards}) > 60


def test_a_thick_letter_keeps_the_thin_one_and_noise_turns_just_its_cells() -> None:
    for letter in ("X", "O"):
        thin, thick = DRAWN[letter, ""], DRAWN[letter, "thick"]
        assert bool((thick >= thin).all())
        assert thick.sum() > thin.sum()
        assert int((DRAWN[letter, "noisy"] != thin).sum()) == 3
        assert torch.equal(DRAWN[letter, "shifted"].sum(), thin.sum())
    assert CELLS == 81


@pytest.mark.parametrize("match", ["mean", "sum"])
def test_learning_reaches_what_was_not_learned_from(match: Match) -> None:
    first, *_, last = learn(parse(STACK), match, EXAMPLES, seed=1)
    assert (first.step, last.step) == (0, STEPS)
    assert first.accuracy < 0.8
    assert last.accuracy >= 0.95
    assert last.loss < 0.2 < first.loss
    assert not torch.equal(first.kernels, last.kernels)
    assert float(last.kernels.abs().max()) <= LIMIT
    # Rounded as the page has them, and with the vote fitted anew, they still tell X from O.
    rounded = (last.kernels * 100).round() / 100
    made = fit(rounded, parse(STACK), match, EXAMPLES)
    assert made.right >= 0.95 * made.of


def test_the_same_seed_learns_the_same_kernels() -> None:
    def after_two(seed: int) -> torch.Tensor:
        run = learn(parse("conv,relu,pool"), "mean", EXAMPLES, seed)
        return [next(run) for _ in range(2)][-1].kernels

    assert torch.equal(after_two(4), after_two(4))
    assert not torch.equal(after_two(4), after_two(5))


def test_learning_holds_nothing_between_two_reports() -> None:
    run = learn(parse("conv,relu,pool"), "mean", EXAMPLES)
    for _ in range(3):
        step = next(run)
        assert torch.is_grad_enabled()
        assert not step.kernels.requires_grad
    with torch.no_grad():
        assert next(run).step > step.step
        assert not torch.is_grad_enabled()


@pytest.mark.parametrize(
    ("layers", "words"),
    [("relu,pool", "no kernel to learn"), ("pool,pool,pool,conv", "the map has only 2")],
)
def test_what_cannot_be_learned_is_said_at_once(layers: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        learn(parse(layers), "mean", EXAMPLES)
