"""Matches the parameters of a weights file (state dict) with a network, complete or partial."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from torch import Tensor

from app.errors import WeightsRefused
from app.services.networks.weight_contents import not_finite
from models import registry
from models.graph import Network, Step
from models.registry import Architecture

Shape = tuple[int, ...]


def own_names(architecture: Architecture, keys: Iterable[str], source: str) -> dict[str, str]:
    """The network's own name for each key of a file. Raises `WeightsRefused` for duplicates."""
    names = {key: _own_name(key, architecture) for key in keys}
    if len(set(names.values())) < len(names):
        raise WeightsRefused(f"{source} holds a parameter twice, under two names.")
    return names


def check(architecture: str, shapes: Mapping[str, Shape], source: str) -> str | None:
    """Check the shapes in a file; return the last step of a partial network, None if complete.

    `shapes` are by the file's keys. A network without the end of its classifier is partial. Raises
    `WeightsRefused` naming every missing or unknown key, or the shape that differs.
    """
    known = registry.find(architecture)
    names = own_names(known, shapes, source)
    own = {names[key]: shape for key, shape in shapes.items()}
    network = registry.empty(architecture)
    expected = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    if extra := sorted(own.keys() - expected.keys()):
        raise WeightsRefused(f"{source} has {_some(extra)}, unknown to {architecture}.")
    for key, shape in expected.items():
        if key in own and _as_stored(own[key], shape) != shape:
            raise WeightsRefused(f"{source}: {key} has the shape {own[key]}, not {shape}.")
    missing = sorted(expected.keys() - own.keys())
    return _last(network, known, missing, source) if missing else None


def fit(architecture: str, state: Mapping[str, Tensor], source: str) -> Network:
    """Build a network with the parameters of `state`, under published keys or step names.

    Float32, on the CPU; partial if `check` says so. Raises `WeightsRefused` as `check` does, and
    for a number that is not finite as float32.
    """
    last = check(architecture, {key: tuple(value.shape) for key, value in state.items()}, source)
    names = own_names(registry.find(architecture), state, source)
    own = {names[key]: value for key, value in state.items()}
    network = registry.empty(architecture)
    network = network.upto(last) if last else network
    expected = network.state_dict()
    for key, value in expected.items():
        if own[key].is_floating_point() != value.is_floating_point():
            raise WeightsRefused(f"{source}: {key} cannot be numbers of the kind {own[key].dtype}.")
    fitted = {key: _full(own[key]).reshape(value.shape) for key, value in expected.items()}
    for key, value in fitted.items():
        # A sum is not finite where a number is not, and four times as fast as a look at each.
        if value.is_floating_point() and not value.sum().isfinite() and not value.isfinite().all():
            raise WeightsRefused(not_finite(source, key.replace("__", ".")))
    network.load_state_dict(fitted, assign=True)
    return network.eval()


def to_state_dict(architecture: str, network: Network, published: bool = True) -> dict[str, Tensor]:
    """A network's state dict, under the published keys or under the step names."""
    back = {step: prefix for prefix, step in registry.find(architecture).keys.items()}
    state = {}
    for step in network.steps:
        prefix = back.get(step.name, step.name) if published else step.name
        for name, value in network.module(step.name).state_dict().items():
            state[f"{prefix}.{name}"] = value.contiguous()
    return state


def _own_name(key: str, architecture: Architecture) -> str:
    prefix, _, parameter = key.rpartition(".")
    step = architecture.keys.get(prefix) or architecture.second.get(prefix) or prefix
    return f"{step.replace('.', '__')}.{parameter}"


def _as_stored(found: Shape, wanted: Shape) -> Shape:
    """A matrix may be stored as a convolution over the whole map: the same numbers in order."""
    same = len(wanted) == 2 and len(found) == 4 and found[0] == wanted[0]
    return wanted if same and math.prod(found[1:]) == wanted[1] else found


def _last(network: Network, known: Architecture, missing: list[str], source: str) -> str:
    """The last step before the missing parameters. Raises `WeightsRefused` if not at the end."""
    weighted = [step for step in network.steps if _parameters(network, step)]
    lacking = {key.rpartition(".")[0] for key in missing}
    present = [step for step in weighted if step.slug not in lacking]
    absent = weighted[len(present) :]
    complete = all(set(_parameters(network, step)) <= set(missing) for step in absent)
    if (
        weighted[: len(present)] != present
        or not complete
        or not all(_classifies(s, known) for s in absent)
    ):
        raise WeightsRefused(f"{source} lacks {_some(missing)} for {known.name}.")
    return present[-1].name


def _parameters(network: Network, step: Step) -> list[str]:
    return [f"{step.slug}.{name}" for name in network.module(step.name).state_dict()]


def _classifies(step: Step, known: Architecture) -> bool:
    """True if a step belongs to the part that publishers call the classifier."""
    prefixes = [prefix for prefix, name in known.keys.items() if name == step.name]
    return step.stage is None or any(prefix.startswith("classifier") for prefix in prefixes)


def _some(keys: list[str]) -> str:
    more = f" and {len(keys) - 4} more" if len(keys) > 4 else ""
    return ", ".join(keys[:4]) + more


def _full(value: Tensor) -> Tensor:
    """Convert other floats to float32, 16-bit ones exactly; integer buffers do not change."""
    return value.float() if value.is_floating_point() else value
