"""A ranking of channels that is stopped, and taken up again."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from app.services.engine.engine import LocalEngine
from app.services.interventions.ablation import cached_ranking, rank
from app.services.interventions.cache import InterventionCache
from app.services.interventions.results import AblationRanking
from app.services.runs.run import Run, StepRecord
from app.services.runs.runs import Runs
from app.vision.ablation import Ablation

ESPRESSO = 97


async def ranked(
    engine: LocalEngine, cuts: InterventionCache, run: Run, record: StepRecord, stop: int
) -> list[AblationRanking]:
    """What is told until so many channels are done."""
    found: list[AblationRanking] = []
    async with aclosing(rank(engine, cuts, "me", run, record, ESPRESSO)) as items:
        async for item in items:
            if isinstance(item, AblationRanking):
                found.append(item)
                if item.done >= stop:
                    break
    return found


async def test_stopped_it_goes_on_and_ends_as_without_a_break(
    engine: LocalEngine, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    real = Ablation.costs

    def counted(self, index, batch=16, start=0):  # type: ignore[no-untyped-def]
        for some in real(self, index, batch, start):
            tried.extend(some.channels)
            yield some

    monkeypatch.setattr(Ablation, "costs", counted)
    cuts, other = InterventionCache(), InterventionCache()
    async with runs.listen("mini", "coffee") as run:
        await run.finish()
        record = await run.record("conv5")
        count = len(record.statistics.peaks)
        first = await ranked(engine, cuts, run, record, 32)
        assert 32 <= first[-1].done < count
        assert cached_ranking(cuts, run, record, ESPRESSO) is None
        computed = len(tried)
        second = await ranked(engine, cuts, run, record, count)
        assert second[0].done > first[-1].done
        # The engine may be a batch ahead of who listens: that one is computed twice at most.
        assert len(tried) - computed <= count - first[-1].done
        whole = await ranked(engine, other, run, record, count)
        kept = cached_ranking(cuts, run, record, ESPRESSO)
        assert kept is not None and kept.finished
        assert kept.logits.equal(whole[-1].logits)
        assert kept.probabilities.equal(whole[-1].probabilities)
