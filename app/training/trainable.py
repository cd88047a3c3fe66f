"""A plain network with batch norm and dropout added for training, and folding them away again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn

from models.graph import INPUT, Network

PLAIN = {"conv", "relu", "maxpool", "flatten", "fc", "softmax"}


@dataclass(frozen=True, slots=True)
class TrainableLayer:
    """A conv or fc layer and the batch norm after it; the last layer has none."""

    module: nn.Conv2d | nn.Linear
    norm: nn.BatchNorm1d | nn.BatchNorm2d | None


class Trainable(nn.Module):
    """The layers of `network` with batch norm after every conv and fc except the last.

    Batch norm replaces the bias; dropout is added before each fc. Calling it returns logits,
    [N,3,S,S] -> [N,classes]. Raises `ValueError` if the network is no plain chain of steps.
    """

    def __init__(self, network: Network, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleDict()
        last = network.logits
        previous = INPUT
        for step in network.steps:
            if step.kind not in PLAIN or step.inputs != (previous,):
                raise ValueError(f"{step.name} is no link of a plain chain")
            previous = step.name
            if step.kind == "fc":
                self.layers[f"{step.name}-dropout"] = nn.Dropout(dropout)
            if step.kind != "softmax":
                self.layers[step.name] = network.module(step.name)
            if step.kind in ("conv", "fc") and step.name != last:
                self.layers[f"{step.name}-norm"] = _norm(self.layers[step.name])

    def links(self) -> Iterator[tuple[str, TrainableLayer]]:
        """Yield every step with parameters, with its name."""
        layers = dict(self.layers.items())
        for name, module in layers.items():
            if isinstance(module, nn.Conv2d | nn.Linear):
                norm = layers.get(f"{name}-norm")
                assert norm is None or isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
                yield name, TrainableLayer(module, norm)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch."""
        for layer in self.layers.values():
            x = layer(x)
        return x


def fold(trained: Trainable) -> dict[str, Tensor]:
    """Fold batch norm into the weights: float32 parameters under the steps' names.

    With batch norm y = g (Wx - m) / sqrt(v + e) + b, the folded weight is W g / sqrt(v + e) and the
    folded bias b - m g / sqrt(v + e).
    """
    folded: dict[str, Tensor] = {}
    for name, link in trained.links():
        weight, bias = _folded(link)
        folded[f"{name}.weight"] = weight.float().cpu().contiguous()
        folded[f"{name}.bias"] = bias.float().cpu().contiguous()
    return folded


def _norm(module: nn.Module) -> nn.BatchNorm1d | nn.BatchNorm2d:
    """A batch norm for the output of `module`, whose bias is removed."""
    assert isinstance(module, nn.Conv2d | nn.Linear)
    module.bias = None
    kind = nn.BatchNorm2d if isinstance(module, nn.Conv2d) else nn.BatchNorm1d
    return kind(len(module.weight))


def _folded(link: TrainableLayer) -> tuple[Tensor, Tensor]:
    weight = link.module.weight.detach().double()
    norm = link.norm
    if norm is None:
        assert link.module.bias is not None
        return weight, link.module.bias.detach().double()
    assert norm.running_mean is not None and norm.running_var is not None
    mean, var = norm.running_mean.double(), norm.running_var.double()
    scale = norm.weight.detach().double() / (var + norm.eps).sqrt()
    bias = norm.bias.detach().double() - mean * scale
    return weight * scale.view(-1, *[1] * (weight.ndim - 1)), bias
