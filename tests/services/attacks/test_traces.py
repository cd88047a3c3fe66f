"""Kept attacks: the bound, the rule which run a key keeps, stopping, forgetting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import Busy, NotFound
from app.services.attacks.attacks import Attack, Attacks
from app.services.attacks.job import AttackMoment
from app.services.attacks.options import AttackRequest
from app.services.attacks.traces import Outcome, Trace, Traces, key_of, store_result
from app.services.engine.engine import LocalEngine
from app.services.networks.catalogue import Catalogue
from app.services.pictures.store import Pictures
from tests.support.engines import CPU

PGD = AttackRequest("pgd", epsilon=4)


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    return Pictures(tmp_path)


@pytest.fixture
async def attacks(pictures: Pictures) -> AsyncIterator[Attacks]:
    engine = LocalEngine(CPU)
    yield Attacks(engine, Catalogue(CPU, 10**9), pictures)
    await engine.close()
    pictures.close()


async def ran(
    traces: Traces, attacks: Attacks, request: AttackRequest = PGD, image: str = "cat"
) -> tuple[Attack, list[int | AttackMoment | Outcome]]:
    attack = await attacks.prepare("mini", image, request)
    return attack, [item async for item in traces.run(attacks, attack, image, "somebody")]


async def test_a_run_is_kept_step_by_step_with_its_outcome(attacks: Attacks) -> None:
    traces = Traces()
    attack, items = await ran(traces, attacks)
    trace = traces.find(key_of(attack, "cat"))
    moments = [item for item in items if isinstance(item, AttackMoment)]
    assert trace.moments == moments and [one.step for one in moments] == list(range(11))
    assert trace.outcome is items[-1] and trace.complete
    assert traces.finished(trace.key) is trace
    assert trace.pixels(0).equal(attack.pixels)
    assert trace.pixels(10).equal(trace.outcome.ended.pixels)
    assert trace.control().equal(trace.outcome.ended.control.pixels)
    assert trace.flip() == next(
        m.step for m in moments if m.predictions[0].index != moments[0].predictions[0].index
    )


async def test_it_is_found_while_it_runs_and_is_not_finished(attacks: Attacks) -> None:
    traces = Traces()
    attack = await attacks.prepare("mini", "cat", PGD)
    async with aclosing(traces.run(attacks, attack, "cat", "a")) as running:
        assert await anext(running) == 0
        assert isinstance(await anext(running), AttackMoment)
        trace = traces.find(key_of(attack, "cat"))
        assert trace is traces.latest("a") and traces.finished(trace.key) is None
        with pytest.raises(NotFound, match="when the attack has ended"):
            trace.control()
        with pytest.raises(Busy):
            await anext(traces.run(attacks, attack, "cat", "a"))
        assert traces.latest("a") is trace
    with pytest.raises(NotFound, match="No attack of yours"):
        traces.latest("a")


async def test_stopping_gives_a_result_that_is_not_played_for_the_whole(attacks: Attacks) -> None:
    traces = Traces()
    assert not traces.stop("somebody")
    attack = await attacks.prepare("mini", "cat", replace(PGD, steps=200))
    items = []
    async with aclosing(traces.run(attacks, attack, "cat", "somebody")) as running:
        async for item in running:
            items.append(item)
            if isinstance(item, AttackMoment) and item.step == 1:
                assert traces.stop("somebody")
    outcome = items[-1]
    assert isinstance(outcome, Outcome) and outcome.stopped and len(items) < 150
    assert any("Stopped by hand at step" in note for note in outcome.notes)
    assert outcome.ended.control.linf == outcome.ended.linf
    key = key_of(attack, "cat")
    assert traces.finished(key) is None and not traces.find(key).complete


async def test_what_came_farthest_is_kept(attacks: Attacks) -> None:
    traces = Traces()
    attack, _ = await ran(traces, attacks)
    whole = traces.find(key_of(attack, "cat"))
    async with aclosing(traces.run(attacks, attack, "cat", "b")) as again:
        assert isinstance([await anext(again), await anext(again)][1], AttackMoment)
        assert traces.find(whole.key) is whole


async def test_the_oldest_goes_when_there_is_no_more_room(attacks: Attacks) -> None:
    attack, _ = await ran(Traces(), attacks)
    size = Trace("", attack.pixels, (), attack.options, [None] * 11).bytes  # type: ignore[list-item]
    traces = Traces(2 * size)
    keys = []
    for epsilon in (2, 3, 4):
        attack, _ = await ran(traces, attacks, replace(PGD, epsilon=epsilon))
        keys.append(key_of(attack, "cat"))
    with pytest.raises(NotFound, match="have been deleted"):
        traces.find(keys[0])
    assert [traces.finished(key) is not None for key in keys] == [False, True, True]


async def test_a_step_that_is_none_is_named_with_the_range(attacks: Attacks) -> None:
    traces = Traces()
    attack, _ = await ran(traces, attacks)
    for step in (-1, 11):
        with pytest.raises(NotFound, match=f"steps 0 to 10, not {step}"):
            traces.find(key_of(attack, "cat")).pixels(step)


async def test_a_key_is_that_of_picture_weights_and_every_option(attacks: Attacks) -> None:
    plain = await attacks.prepare("mini", "cat", PGD)
    keys = {key_of(plain, "cat"), key_of(plain, "coffee")}
    for other in (
        replace(PGD, epsilon=5), replace(PGD, steps=9), replace(PGD, step_size=0.5),
        replace(PGD, target=3), replace(PGD, true_label=3), replace(PGD, seed=1),
        replace(PGD, method="universal"),
    ):  # fmt: skip
        keys.add(key_of(await attacks.prepare("mini", "cat", other), "cat"))
    assert len(keys) == 9
    # Defaults written out are the same run.
    bare = await attacks.prepare("mini", "cat", AttackRequest("pgd"))
    spelled = replace(PGD, epsilon=4.0, steps=10, step_size=1.0, seed=0)
    assert key_of(bare, "cat") == key_of(plain, "cat")
    assert key_of(await attacks.prepare("mini", "cat", spelled), "cat") == key_of(plain, "cat")


async def test_forgetting_a_picture_drops_its_traces_alone(attacks: Attacks) -> None:
    traces = Traces()
    cat, _ = await ran(traces, attacks)
    coffee, _ = await ran(traces, attacks, image="coffee")
    traces.forget("cat")
    assert traces.finished(key_of(cat, "cat")) is None
    assert traces.finished(key_of(coffee, "coffee")) is not None


async def test_an_attacked_picture_that_was_deleted_comes_back_under_its_id(
    attacks: Attacks, pictures: Pictures
) -> None:
    traces = Traces()
    attack, _ = await ran(traces, attacks)
    trace = traces.find(key_of(attack, "cat"))
    assert trace.outcome is not None
    pictures.delete(trace.outcome.image, "somebody")
    await store_result(trace, pictures, "other", "again")
    assert pictures.find(trace.outcome.image, "other").name == "again"
    await store_result(trace, pictures, "third", "not needed")
    assert not pictures.recent("third")
