"""Synthesised pictures: they start as they should, rise, and leave the network alone."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from app.services.networks.loading import load
from app.services.networks.weight_files import WeightFiles
from app.vision.adam_ascent import Ascent
from app.vision.random_views import SeenView
from app.vision.spectrum import Spectrum
from app.vision.synthesis import Synthesis, SynthesisRecipe, synthesise
from app.vision.synthesis_goals import SynthesisGoal
from models.graph import Network
from tests.support import lucid
from tests.support.networks import embedded
from tests.support.small_networks import chain, graph, untouched

pytestmark = pytest.mark.usefixtures("one_thread")

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SMALL = SynthesisRecipe(size=16, steps=12)
REAL = Path(__file__).parents[3] / "shared" / "weights"


def made(
    network: Network, step: str, goals: list[SynthesisGoal], recipe: SynthesisRecipe = SMALL
) -> Synthesis:
    return Synthesis(network, step, goals, MEAN, STD, recipe)


def last(synthesis: Synthesis) -> torch.Tensor:
    *_, end = synthesise(synthesis)
    assert end.pictures is not None
    return end.pictures


def test_the_first_picture_is_nearly_grey() -> None:
    spectrum = Spectrum.of(128)
    first = spectrum.picture(spectrum.start(1, 0))
    assert 0.4995 < float(first.mean()) < 0.4997
    assert torch.allclose(first.flatten(2).std(2), torch.tensor(0.003), atol=5e-4)


def test_the_picture_of_a_spectrum_is_lucids() -> None:
    spectrum = Spectrum.of(32)
    numbers = 30 * spectrum.start(1, 3)
    theirs = lucid.picture(numbers[0].movedim(-1, 0), 32)
    torch.testing.assert_close(spectrum.picture(numbers), theirs, rtol=1e-4, atol=1e-5)


def test_a_view_is_pad_crop_scale_turn_crop() -> None:
    """Against one operation after the other, on a picture without fine detail."""
    picture = F.interpolate(torch.rand(1, 3, 5, 5), (64, 64), mode="bicubic", align_corners=False)
    for view in (SeenView(64, (4, 4), 1.0, 0.0, (8, 8)), SeenView(64, (1, 7), 1.1, -8.0, (3, 20))):
        padded = F.pad(picture, [12] * 4)
        top, left = view.first
        cropped = padded[:, :, top : top + 80, left : left + 80]
        side = round(80 * view.scale)
        scaled = F.interpolate(cropped, (side, side), mode="bilinear", align_corners=False)
        top, left = view.last
        turned = lucid.turn(scaled, view.turn)[:, :, top : top + 64, left : left + 64]
        assert (view.of(picture) - turned).abs().mean() < 0.01
    still = SeenView(64, (4, 4), 1.0, 0.0, (8, 8))
    torch.testing.assert_close(still.of(picture), picture)


def test_views_are_drawn_within_their_bounds() -> None:
    lot = torch.Generator().manual_seed(0)
    views = [SeenView.random(128, lot) for _ in range(400)]
    assert {v.first[0] for v in views} == set(range(9))
    assert min(v.scale for v in views) == 0.9 and max(v.scale for v in views) == pytest.approx(1.1)
    assert {v.turn for v in views} == set(range(-10, 11))
    assert all(0 <= offset <= round(144 * v.scale) - 128 for v in views for offset in v.last)


def test_ascent_is_adam() -> None:
    ours, theirs = torch.ones(5), torch.ones(5, requires_grad=True)
    ascent, adam = Ascent(ours, 0.05), torch.optim.Adam([theirs], lr=0.05, maximize=True)
    for i in range(20):
        theirs.grad = torch.randn(5, generator=torch.Generator().manual_seed(i))
        ascent.step(theirs.grad)
        adam.step()
    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("step", "goal"),
    [
        ("conv1", SynthesisGoal(2)), ("right", SynthesisGoal(1)),
        ("right_relu", SynthesisGoal(1)), ("both", SynthesisGoal(7)),
        ("flatten", SynthesisGoal(3)), ("right", SynthesisGoal()), ("right", SynthesisGoal(1, 4)),
        ("right", SynthesisGoal(1, away=True)),
    ],
)  # fmt: skip
def test_every_goal_rises_and_the_network_stays_as_it_was(step: str, goal: SynthesisGoal) -> None:
    network = graph()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    grown = list(synthesise(made(network, step, [goal])))
    assert [one.step for one in grown] == list(range(13))
    assert grown[-1].objectives[0] > grown[0].objectives[0]
    assert untouched(network)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_what_is_told_is_the_mean_of_the_channel_before_the_relu() -> None:
    network = graph()
    synthesis = made(network, "right_relu", [SynthesisGoal(1), SynthesisGoal(4, away=True)])
    pictures = last(synthesis)
    x = (pictures - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    maps = network.upto("right")(x).detach()
    assert synthesis.at == "right"
    told = synthesis.measure()
    assert told[0] == pytest.approx(maps[0, 1].mean().item(), rel=1e-4)
    assert told[1] == pytest.approx(-maps[1, 4].mean().item(), rel=1e-4)


def test_a_filter_on_the_pixels_is_asked_for_its_peaks() -> None:
    """The plain mean of an edge filter is nearly the same for any picture."""
    synthesis = made(graph(), "conv1", [SynthesisGoal(2)])
    pictures = last(synthesis)
    x = (pictures - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    response = graph().upto("conv1")(x)[0, 2].detach()
    expected = (response.clamp_min(0).square() + response / 10).mean().item()
    assert synthesis.measure()[0] == pytest.approx(expected, rel=1e-4)


def test_a_mix_lies_between_and_a_layer_is_its_mean_square() -> None:
    output = torch.tensor([[[1.0, 3.0]], [[4.0, 8.0]]])
    assert float(SynthesisGoal(0, 1, 0.25).value(output)) == 3.0
    assert float(SynthesisGoal().value(output)) == 22.5
    assert float(SynthesisGoal(1, away=True).value(output)) == -6.0


def test_a_seed_gives_one_picture_alone_or_in_a_batch() -> None:
    network = chain()
    alone = last(made(network, "conv2", [SynthesisGoal(3)]))
    assert torch.equal(alone, last(made(network, "conv2", [SynthesisGoal(3)])))
    together = last(made(network, "conv2", [SynthesisGoal(0), SynthesisGoal(3)]))
    torch.testing.assert_close(together[1:], alone, rtol=0, atol=1e-3)
    other = last(made(network, "conv2", [SynthesisGoal(3)], SynthesisRecipe(16, 12, seed=1)))
    assert not torch.allclose(other, alone, atol=1e-2)


def test_a_class_of_a_network_of_one_size_takes_any_picture() -> None:
    grown = list(synthesise(made(chain(), "fc2", [SynthesisGoal(1)], SynthesisRecipe(24, 12))))
    assert grown[-1].objectives[0] > grown[0].objectives[0]
    assert grown[-1].pictures is not None and grown[-1].pictures.shape == (1, 3, 24, 24)


def test_pictures_come_when_they_are_due() -> None:
    synthesis = made(graph(), "left", [SynthesisGoal(0)], SynthesisRecipe(16, 7, every=3))
    assert [one.step for one in synthesise(synthesis) if one.pictures is not None] == [0, 3, 6, 7]
    assert (
        len(
            [
                g
                for g in synthesise(made(graph(), "left", [SynthesisGoal(0)]))
                if g.pictures is not None
            ]
        )
        == 1
    )


def test_nothing_is_held_between_steps_and_a_caller_may_infer() -> None:
    network = graph()
    with torch.inference_mode():
        steps = synthesise(made(network, "left", [SynthesisGoal(0)]))
        first, second = islice(steps, 2)
        assert torch.is_inference_mode_enabled()
    assert not torch.is_inference_mode_enabled()
    assert second.objectives != (0.0,) and first.step == 0
    steps.close()  # type: ignore[attr-defined]
    assert untouched(network)


def test_nothing_beyond_the_step_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    network = graph()

    def never(*_: object) -> torch.Tensor:
        raise AssertionError("not needed")

    for name in ("right", "both", "last", "avgpool"):
        monkeypatch.setattr(network.module(name), "forward", never)
    last(made(network, "left", [SynthesisGoal(0)]))


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(KeyError):
        made(graph(), "conv9", [SynthesisGoal(0)])
    with pytest.raises(IndexError):
        made(graph(), "left", [SynthesisGoal(99)])
    with pytest.raises(ValueError, match="goals"):
        made(graph(), "left", [])
    with pytest.raises(ValueError, match="eval"):
        made(graph().train(), "left", [SynthesisGoal(0)])


def test_mini_reaches_what_lucids_recipe_reaches() -> None:
    network = embedded()
    ours = made(network, "conv4", [SynthesisGoal(7)], SynthesisRecipe(64, 48))
    pictures = last(ours)
    theirs = lucid.grow(network, "conv4", 7, size=64, steps=48)
    with torch.no_grad():
        reached, bar = (lucid.objective(network, x, "conv4", 7).item() for x in (pictures, theirs))
    assert reached > 0.9 * bar > 0


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real networks of shared/weights")
def test_the_real_alexnet_ends_at_conv5_and_responds() -> None:
    network = load(WeightFiles([REAL]).find("own-alexnet-conv1-5-imagenet"))
    assert network.partial
    ours = made(network, "conv5", [SynthesisGoal(3), SynthesisGoal(17)], SynthesisRecipe(96, 24))
    pictures = last(ours)
    assert min(ours.measure()) > 1
    assert pictures.flatten(1).std(1).min() > 0.02  # not grey
    assert network.upto("conv5")(torch.zeros(1, 3, 96, 96)).shape[1] == 256
