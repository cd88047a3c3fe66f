"""The attacked 8 bits in another network: compared by wnid, told carefully."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from app.errors import BadRequest
from app.pictures.preprocess import fit
from app.pictures.samples import sample
from app.pictures.single_transformations import to_image
from app.services.attacks.transfer import other_networks, predict_transfer, verdict
from app.services.engine.engine import LocalEngine
from app.services.networks.catalogue import Catalogue, Model
from app.services.networks.state_dict import to_state_dict
from app.services.networks.weight_files import WeightFiles
from app.services.runs.batch_inference import logits_of
from app.services.runs.pairs import PicturePair
from app.services.runs.run import preprocess
from models import registry
from tests.support.networks import embedded, put_partial

CPU = torch.device("cpu")
ESPRESSO, CAT, BUS = "n07920052", "n02123045", "n04146614"


@pytest.mark.parametrize(
    ("known", "clean", "attacked", "expected"),
    [
        ({CAT, BUS}, BUS, CAT, "absent"),  # it has no espresso
        ({ESPRESSO, CAT}, CAT, ESPRESSO, "elsewhere"),  # wrong, or other, from the start
        ({ESPRESSO, CAT}, ESPRESSO, ESPRESSO, "held"),
        ({ESPRESSO, CAT}, ESPRESSO, CAT, "same"),
        ({ESPRESSO, BUS}, ESPRESSO, BUS, "other"),
    ],
)
def test_verdicts_by_wnid(known: set[str], clean: str, attacked: str, expected: str) -> None:
    """The attack took the first network from espresso to cat."""
    assert verdict(ESPRESSO, CAT, known, clean, attacked) == expected


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    """mini, a copy of it of one's own, a part of it, a seeded SqueezeNet."""
    state = embedded().state_dict()
    save_file(state, tmp_path / "mini-copy.safetensors")
    put_partial(tmp_path)
    whole = to_state_dict("squeezenet1_1", registry.seeded("squeezenet1_1"))
    save_file(whole, tmp_path / "squeezenet1_1-seeded.safetensors")
    return Catalogue(CPU, 10**9, WeightFiles([tmp_path]))


def pair_of(model: Model, target: int | None = None) -> PicturePair:
    """Espresso, and in the place of an attacked picture another one: the bus."""
    clean, other = sample("coffee"), sample("school-bus")
    assert clean and other
    before, after = (fit(one.open(), preprocess(model)).pixels for one in (clean, other))
    return PicturePair(model, embedded(), "coffee", "school-bus", before, after, target, 0)


def test_who_can_be_asked_and_who_cannot(catalogue: Catalogue) -> None:
    ready, left = other_networks(catalogue, "mini")
    assert [one.id for one in ready] == ["own-mini-copy", "own-squeezenet1_1-seeded"]
    reasons = {one.model.id: one.partial for one in left}
    assert reasons["own-mini-part"] is True
    assert reasons["alexnet"] is reasons["squeezenet1_0"] is False
    assert "mini" not in reasons


async def test_a_copy_of_the_same_network_is_fooled_into_the_same(
    catalogue: Catalogue, engine: LocalEngine
) -> None:
    model = catalogue.model("mini")
    bus = next(one.index for one in model.labels if one.wnid == BUS)
    photo = sample("coffee")
    assert photo
    pair = pair_of(model, target=bus)
    found = await predict_transfer(engine, catalogue, pair, photo.open(), "own-mini-copy")
    assert found.verdict == "same" and found.target is True
    assert (found.clean.first.wnid, found.attacked.first.wnid) == (ESPRESSO, BUS)
    assert found.made_here


async def test_the_other_network_gets_the_8_bits_through_its_own_preprocessing(
    catalogue: Catalogue, engine: LocalEngine
) -> None:
    pair, photo = pair_of(catalogue.model("mini")), sample("coffee")
    assert photo
    id = "own-squeezenet1_1-seeded"
    found = await predict_transfer(engine, catalogue, pair, photo.open(), id)
    model, network = catalogue.model(id), await catalogue.network(id)
    for answer, image in (
        (found.photo, photo.open()),
        (found.clean, to_image(pair.clean)),
        (found.attacked, to_image(pair.attacked)),
    ):
        pixels = fit(image, preprocess(model)).pixels
        assert pixels.shape == (3, 224, 224)
        (logits,) = await logits_of(engine, model, network, [pixels])
        assert answer.ranked[0].index == int(logits.argmax())
    assert found.verdict == "elsewhere"  # random weights do not know an espresso
    assert found.target is None


async def test_a_class_that_the_other_network_does_not_have(
    catalogue: Catalogue, engine: LocalEngine
) -> None:
    """From the network of 1,000 classes to the one of 100."""
    big = catalogue.model("own-squeezenet1_1-seeded")
    network = await catalogue.network(big.id)
    coffee = sample("coffee")
    assert coffee
    pixels = fit(coffee.open(), preprocess(big)).pixels
    pair = PicturePair(big, network, "coffee", "coffee", pixels, pixels, 0, 0)
    hundred = {one.wnid for one in catalogue.model("mini").labels}
    (logits,) = await logits_of(engine, big, network, [pixels])
    first = big.labels[int(logits.argmax())]
    found = await predict_transfer(engine, catalogue, pair, coffee.open(), "mini")
    assert (found.verdict == "absent") == (first.wnid not in hundred)
    # Its target is the tench, which mini never learned.
    assert big.labels[0].wnid not in hundred and found.target is None


async def test_a_network_without_classes_is_refused(
    catalogue: Catalogue, engine: LocalEngine
) -> None:
    pair, coffee = pair_of(catalogue.model("mini")), sample("coffee")
    assert coffee
    with pytest.raises(BadRequest, match="no classifier"):
        await predict_transfer(engine, catalogue, pair, coffee.open(), "own-mini-part")
