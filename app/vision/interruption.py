"""Passes that can be stopped between two layers, because nobody waits for them any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from torch import nn

from models.graph import Network

_stopped: ContextVar[Callable[[], bool] | None] = ContextVar("stopped", default=None)


class Interrupted(Exception):
    """A pass was stopped between two layers."""


def watch(network: Network) -> Network:
    """Ask before every layer of a network whether its pass still has a listener."""
    for step in network.steps:
        network.module(step.name).register_forward_pre_hook(ask)
    return network


@contextmanager
def interruptible(stopped: Callable[[], bool]) -> Iterator[None]:
    """Context of this thread in which passes of watched networks raise `Interrupted`.

    They do so before the next layer once `stopped()` is true.
    """
    token = _stopped.set(stopped)
    try:
        yield
    finally:
        _stopped.reset(token)


def ask(module: nn.Module, inputs: Any) -> None:
    """Raise `Interrupted` where nobody waits for this pass; stands before every watched layer."""
    stopped = _stopped.get()
    if stopped is not None and stopped():
        raise Interrupted
