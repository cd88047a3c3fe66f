"""Ablation: how does the prediction change when channels of a step are switched off?"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import torch
from torch import Tensor

from app.errors import BadRequest, NoClassifier, UnknownStep
from app.services.engine.batching import activation_bytes
from app.services.engine.engine import Engine
from app.services.interventions.cache import InterventionCache, batch_size, run_once
from app.services.interventions.results import AblationRanking
from app.services.networks.catalogue import Model
from app.services.runs.arithmetic import checked_channel
from app.services.runs.run import Run, StepRecord
from app.vision.ablation import Ablation, Costs
from app.vision.cover import StepChange
from app.vision.partial_forward import steps_after
from models.graph import Step

_LIST = re.compile(r"\d{1,5}(,\d{1,5})*")
MOST_NAMED = 512
"""Most channels that a request may list."""

AT_ONCE = 2_000_000
"""Bytes of activations up to which a ranking is computed without a click: those of `mini`."""


@dataclass(frozen=True, slots=True)
class ChannelSwitch:
    """Which channels are off: the listed ones, with `only` all others, with `all` every one.

    In a URL it is `3,17`, `all`, or "" for none.
    """

    channels: tuple[int, ...] = ()
    only: bool = False
    all: bool = False

    @property
    def idle(self) -> bool:
        """True if no channel is off."""
        return not self.channels and not self.all

    def off(self, count: int) -> tuple[int, ...]:
        """The numbers of the channels that are off, of a step with `count` channels."""
        if self.all:
            return tuple(range(count))
        named = set(self.channels)
        return tuple(c for c in range(count) if (c in named) != self.only) if named else ()


def applies(model: Model, step: Step) -> bool:
    """True if channels of a step can be switched off and a later step depends on them."""
    last = model.outline.logits or model.outline.steps[-1].name
    return step.kind not in ("softmax", "flatten") and last in steps_after(model.outline, step.name)


def checked_step(run: Run, record: StepRecord) -> StepRecord:
    """Return the record if its channels can be ablated. Raises `UnknownStep`."""
    if not applies(run.model, record.step):
        raise UnknownStep(
            f"After {record.step.name} there is nothing that could change: choose an earlier step."
        )
    return record


def parse_switch(record: StepRecord, off: str, only: str) -> ChannelSwitch:
    """Parse the channels in a query. Raises `BadRequest`, `UnknownStep`."""
    if off and only:
        raise BadRequest("Name the channels that are off, or those that alone are on; not both.")
    text = off or only
    if text == "all":
        return ChannelSwitch(all=True) if off else ChannelSwitch()
    if not text:
        return ChannelSwitch()
    if not _LIST.fullmatch(text):
        raise BadRequest("Channels are numbers with commas, 3,17,58, or the word all.")
    named = sorted({int(part) for part in text.split(",")})
    if len(named) > MOST_NAMED:
        raise BadRequest(f"At most {MOST_NAMED} channels can be named one by one; or all.")
    return ChannelSwitch(tuple(checked_channel(record, one) for one in named), bool(only))


def effect_step(run: Run) -> str:
    """The step where the effect is measured: the logits, or a partial network's last step."""
    return run.model.outline.logits or run.model.outline.steps[-1].name


async def ablate(
    engine: Engine, owner: str, run: Run, record: StepRecord, switches: Sequence[ChannelSwitch]
) -> list[StepChange]:
    """The logits, or the last feature maps, before and after each ablation. Raises `Busy`."""
    await run.finish()
    name = effect_step(run)
    before = run.tensor(name)
    off = [switch.off(len(record.statistics.peaks)) for switch in switches]

    def work() -> list[Tensor]:
        ablation = _ablation(run, record)
        return [ablation.off(one, [name])[name].cpu() if one else before for one in off]

    return [StepChange(name, before, after) for after in await run_once(engine, owner, work)]


def cached_ranking(
    cache: InterventionCache, run: Run, record: StepRecord, index: int
) -> AblationRanking | None:
    """The ranking, if it is finished and cached."""
    found = cache.rankings.get((run.key, (record.step.name, index)))
    return found if found and found.finished else None


async def rank(
    engine: Engine, cache: InterventionCache, owner: str, run: Run, record: StepRecord, index: int
) -> AsyncGenerator[int | AblationRanking]:
    """Yield the place in the queue, then the growing ranking, resumed where it was stopped.

    Raises `Busy`, `NoClassifier`.
    """
    require_classes(run.model)
    count, key = len(record.statistics.peaks), (run.key, (record.step.name, index))
    known = cache.rankings.get(key)
    if known is not None and known.finished:
        yield 0
        yield known
        return
    if known is None:
        known = AblationRanking(torch.zeros(count), torch.zeros(count), 0)
    done = known.done
    logits, probabilities = known.logits.clone(), known.probabilities.clone()

    def work() -> Iterator[Costs]:
        yield from _ablation(run, record).costs(index, batch_size(run.network), done)

    async with aclosing(engine.stream(owner, work)) as items:
        async for item in items:
            if isinstance(item, int):
                yield item
                continue
            some = slice(item.channels.start, item.channels.stop)
            logits[some], probabilities[some] = item.logits.cpu(), item.probabilities.cpu()
            found = AblationRanking(logits.clone(), probabilities.clone(), item.channels.stop)
            cache.rankings.put(key, found, 8 * count + 500)
            yield found


def require_classes(model: Model) -> None:
    """Raises `NoClassifier` for a network without classes."""
    if not model.labels:
        raise NoClassifier(
            f"{model.row.title} ends at {model.outline.steps[-1].name}: without a classifier "
            "it has no class to rank channels for."
        )


def is_cheap(model: Model) -> bool:
    """True if the ranking is cheap enough to compute without a click."""
    return activation_bytes(model.outline) <= AT_ONCE


def _ablation(run: Run, record: StepRecord) -> Ablation:
    device = next(run.network.parameters()).device
    return Ablation(run.network, run.normalised.to(device), record.step.name, run.output)
