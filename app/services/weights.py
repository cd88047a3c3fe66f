"""From a weights file to a network: verified, mapped to step names, fitted key by key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from safetensors import SafetensorError
from safetensors.torch import load as read_safetensors
from torch import Tensor

from app.errors import WeightsMissing, WeightsRefused
from models import registry
from models.graph import Network
from models.weights import Weights


def load(row: Weights) -> Network:
    """The network of a table row with its weights, float32, on the CPU.

    Raises `WeightsMissing` where the file is not there, `WeightsRefused` where it is not the file
    of the table or does not fit.
    """
    if not row.path.is_file():
        raise WeightsMissing(f"The weights of {row.title} ({row.file}) are not on this computer.")
    data = row.path.read_bytes()
    if hashlib.sha256(data).hexdigest() != row.sha256:
        raise WeightsRefused(f"{row.file} is not the published file: its SHA-256 differs.")
    try:
        state = read_safetensors(data)
    except SafetensorError as error:
        raise WeightsRefused(f"{row.file} is not a safetensors file: {error}.") from error
    return fit(row.architecture, state, row.file)


def fit(architecture: str, state: Mapping[str, Tensor], source: str) -> Network:
    """A network with the parameters of `state`, keys in the published or in the steps' own names.

    Raises `WeightsRefused` naming every key that is missing or too many, or the shape that differs.
    """
    keys = registry.find(architecture).keys
    network = registry.empty(architecture)
    own = {_own_name(key, keys): value for key, value in state.items()}
    if len(own) < len(state):
        raise WeightsRefused(f"{source} holds a parameter twice, under two names.")
    expected = network.state_dict()
    if missing := sorted(expected.keys() - own.keys()):
        raise WeightsRefused(f"{source} lacks {', '.join(missing[:4])} for {architecture}.")
    if extra := sorted(own.keys() - expected.keys()):
        raise WeightsRefused(f"{source} has {', '.join(extra[:4])}, unknown to {architecture}.")
    for key, value in expected.items():
        found, shape = tuple(own[key].shape), tuple(value.shape)
        if found != shape:
            raise WeightsRefused(f"{source}: {key} has the shape {found}, not {shape}.")
        if own[key].is_floating_point() != value.is_floating_point():
            raise WeightsRefused(f"{source}: {key} cannot be numbers of the kind {own[key].dtype}.")
    network.load_state_dict({key: _full(own[key]) for key in expected}, assign=True)
    return network.eval()


def _own_name(key: str, keys: Mapping[str, str]) -> str:
    prefix, _, parameter = key.rpartition(".")
    step = keys.get(prefix, prefix)
    return f"{step.replace('.', '__')}.{parameter}"


def _full(value: Tensor) -> Tensor:
    """Float16 on disk becomes float32, exactly; integer buffers stay what they are."""
    return value.float() if value.is_floating_point() else value
