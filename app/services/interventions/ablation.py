"""Channels of a run's step switched off: what the network answers then, and which it misses."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from app.errors import BadRequest, NoClassifier, UnknownStep
from app.services.engine.batching import activation_bytes
from app.services.engine.engine import Engine
from app.services.interventions.cache import InterventionCache, once, together
from app.services.networks.catalogue import Model
from app.services.runs.arithmetic import checked_channel
from app.services.runs.run import Record, Run
from app.vision.ablation import Ablation, Costs, ranked
from app.vision.cover import StepChange
from app.vision.partial_forward import steps_after
from models.graph import Step

By = Literal["logits", "probabilities"]

_LIST = re.compile(r"\d{1,5}(,\d{1,5})*")
MOST_NAMED = 512
"""Channels that may be named one by one."""

AT_ONCE = 2_000_000
"""Bytes of a network's maps up to which a ranking is made without being asked for: `mini`'s."""


@dataclass(frozen=True, slots=True)
class ChannelSwitch:
    """Which channels are off: those named, or with `only` all others. None named is `all` of them.

    Told as a text: `3,17`, `all`, and "" for none.
    """

    channels: tuple[int, ...] = ()
    only: bool = False
    all: bool = False

    @property
    def idle(self) -> bool:
        """Whether everything is on."""
        return not self.channels and not self.all

    def off(self, count: int) -> tuple[int, ...]:
        """The channels of a step with `count` that are off."""
        if self.all:
            return tuple(range(count))
        named = set(self.channels)
        return tuple(c for c in range(count) if (c in named) != self.only) if named else ()


@dataclass(frozen=True, slots=True)
class AblationRanking:
    """What switching off each channel alone costs a class: [C] each, as far as it is known.

    Those from `done` on are not computed yet.
    """

    logits: Tensor
    probabilities: Tensor
    done: int

    @property
    def finished(self) -> bool:
        """Whether all channels were tried."""
        return self.done == len(self.logits)

    def order(self, by: By) -> list[int]:
        """Channels that were tried, the one that costs most first."""
        known = Costs(range(self.done), self.logits[: self.done], self.probabilities[: self.done])
        return ranked([known], by)


def applies(model: Model, step: Step) -> bool:
    """Whether channels of a step can be switched off and something follows."""
    last = model.outline.logits or model.outline.steps[-1].name
    return step.kind not in ("softmax", "flatten") and last in steps_after(model.outline, step.name)


def checked_step(run: Run, record: Record) -> Record:
    """A step that something follows. Raises `UnknownStep`."""
    if not applies(run.model, record.step):
        raise UnknownStep(
            f"After {record.step.name} there is nothing that could change: choose an earlier step."
        )
    return record


def read(record: Record, off: str, only: str) -> ChannelSwitch:
    """What a request names. Raises `BadRequest`, `UnknownStep`."""
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


def looked_at(run: Run) -> str:
    """Where the effect is looked for: the scores, or the last step of a partial network."""
    return run.model.outline.logits or run.model.outline.steps[-1].name


async def switched(
    engine: Engine, owner: str, run: Run, record: Record, switches: Sequence[ChannelSwitch]
) -> list[StepChange]:
    """The scores, or the last maps, before and after each of the switches. Raises `Busy`."""
    await run.finish()
    name = looked_at(run)
    before = run.tensor(name)
    off = [switch.off(len(record.statistics.peaks)) for switch in switches]

    def work() -> list[Tensor]:
        ablation = _ablation(run, record)
        return [ablation.off(one, [name])[name].cpu() if one else before for one in off]

    return [StepChange(name, before, after) for after in await once(engine, owner, work)]


def kept_ranking(
    cuts: InterventionCache, run: Run, record: Record, index: int
) -> AblationRanking | None:
    """A ranking that was finished lately."""
    found = cuts.rankings.get((run.key, (record.step.name, index)))
    return found if found and found.finished else None


async def rank(
    engine: Engine, cuts: InterventionCache, owner: str, run: Run, record: Record, index: int
) -> AsyncIterator[int | AblationRanking]:
    """Its places in the queue, then the ranking as it grows, from where it was stopped before.

    Raises `Busy`, `NoClassifier`.
    """
    require_classes(run.model)
    count, key = len(record.statistics.peaks), (run.key, (record.step.name, index))
    known = cuts.rankings.get(key)
    if known is None or known.finished:
        known = AblationRanking(torch.zeros(count), torch.zeros(count), 0)
    done = known.done
    logits, probabilities = known.logits.clone(), known.probabilities.clone()

    def work() -> Iterator[Costs]:
        yield from _ablation(run, record).costs(index, together(run.network), done)

    async with aclosing(engine.stream(owner, work)) as items:  # type: ignore[type-var]
        async for item in items:
            if isinstance(item, int):
                yield item
                continue
            some = slice(item.channels.start, item.channels.stop)
            logits[some], probabilities[some] = item.logits.cpu(), item.probabilities.cpu()
            found = AblationRanking(logits.clone(), probabilities.clone(), item.channels.stop)
            cuts.rankings.put(key, found, 8 * count + 500)
            yield found


def require_classes(model: Model) -> None:
    """Raises `NoClassifier` where there is no class to cost anything."""
    if not model.labels:
        raise NoClassifier(
            f"{model.row.title} ends at {model.outline.steps[-1].name}: without a classifier "
            "it has no class to rank channels for."
        )


def at_once(model: Model) -> bool:
    """Whether ranking takes so little that nobody need ask for it."""
    return activation_bytes(model.outline) <= AT_ONCE


def _ablation(run: Run, record: Record) -> Ablation:
    device = next(run.network.parameters()).device
    return Ablation(run.network, run.normalised.to(device), record.step.name, run.output)
