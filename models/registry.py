"""The registry of architectures: name, builder, and parameter names in published files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from models.graph import Network


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network without weights.

    `keys` maps the prefix of a parameter's name in published state dicts to the step's name
    (`features.0` -> `conv1`); empty where the file already uses the steps' names. `second` maps the
    names of another publisher.
    """

    name: str
    build: Callable[..., Network]
    keys: Mapping[str, str] = field(default_factory=dict)
    second: Mapping[str, str] = field(default_factory=dict)


_architectures: dict[str, Architecture] = {}


def architecture(
    name: str, keys: Mapping[str, str] | None = None, second: Mapping[str, str] | None = None
) -> Callable[[Callable[..., Network]], Callable[..., Network]]:
    """Decorator that registers a builder as `name`. Raises `ValueError` for a duplicate name."""

    def register(build: Callable[..., Network]) -> Callable[..., Network]:
        if name in _architectures:
            raise ValueError(f"there is already an architecture named {name!r}")
        _architectures[name] = Architecture(name, build, dict(keys or {}), dict(second or {}))
        return build

    return register


def architectures() -> tuple[str, ...]:
    """Names of all architectures, sorted."""
    _load()
    return tuple(sorted(_architectures))


def find(name: str) -> Architecture:
    """The architecture of that name. Raises `KeyError` for an unknown name."""
    _load()
    return _architectures[name]


def empty(name: str) -> Network:
    """Build the network of that name without memory for its parameters (on the meta device).

    Otherwise VGG16 would draw 138 million random numbers that a weight file then replaces.
    """
    with torch.device("meta"):
        return find(name).build().eval()


def seeded(name: str, seed: int = 0, last: str | None = None) -> Network:
    """Build the network of that name with random weights, deterministic for a seed.

    He initialisation, so that activations keep their scale at any depth (arXiv 1502.01852). With
    `last` it ends at that step, with the same weights as the full network. Raises `KeyError`.
    """
    outline = empty(name)
    network = (outline.upto(last) if last else outline).to_empty(device="cpu")
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, value in network.state_dict().items():
            if value.ndim > 1:
                value.normal_(0, (2 / value[0].numel()) ** 0.5, generator=generator)
            else:
                value.fill_(1 if key.endswith((".weight", "running_var")) else 0)
    return network.eval()


def _load() -> None:
    """Import the definitions, which register themselves; one line a file."""
    from models import alexnet, mini, squeezenet, vgg  # noqa: F401
