"""Lucid's recipe for synthesised pictures, stated plainly: one operation after the other.

Written down from its parts (`fft_image`, `to_valid_rgb`, `standard_transforms`) to compare with;
slow, and with an interpolation at each transform.
"""

from __future__ import annotations

import random

import torch
import torch.nn.functional as F
from torch import Tensor

from models.graph import INPUT, Network

MATRIX = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


def picture(spectrum: Tensor, size: int) -> Tensor:
    """[2,3,S,S//2+1] -> [1,3,S,S] in 0..1."""
    fy = torch.fft.fftfreq(size).view(-1, 1)
    fx = torch.fft.rfftfreq(size).view(1, -1)
    frequencies = torch.sqrt(fx * fx + fy * fy)
    # Lucid's inverse FFT divides by S x S, and its scale holds the root of that: orthonormal.
    scale = 1 / torch.maximum(frequencies, torch.tensor(1 / size)) * size
    waves = torch.complex(spectrum[0] * scale, spectrum[1] * scale)
    image = torch.fft.irfft2(waves, s=(size, size)) / 4
    matrix = MATRIX / MATRIX.norm(dim=0).max()
    return torch.sigmoid(torch.tensordot(matrix, image, 1))[None]


def crop(x: Tensor, by: int, lot: random.Random) -> Tensor:
    top, left = lot.randint(0, by), lot.randint(0, by)
    return x[:, :, top : x.shape[2] - by + top, left : x.shape[3] - by + left]


def turn(x: Tensor, degrees: float) -> Tensor:
    angle = torch.tensor(degrees).deg2rad()
    c, s = angle.cos().item(), angle.sin().item()
    grid = F.affine_grid(torch.tensor([[[c, -s, 0.0], [s, c, 0.0]]]), list(x.shape), False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def seen(x: Tensor, lot: random.Random) -> Tensor:
    x = crop(F.pad(x, [12] * 4, value=0.5), 8, lot)
    side = round(x.shape[-1] * lot.choice([1 + (i - 5) / 50 for i in range(11)]))
    x = F.interpolate(x, (side, side), mode="bilinear", align_corners=False)
    x = turn(x, lot.choice([*range(-10, 11), 0, 0, 0, 0, 0]))
    return crop(x, 4, lot)


def objective(network: Network, x: Tensor, step: str, channel: int) -> Tensor:
    """Spatial mean of the channel, for one picture in 0..1."""
    x = (x - MEAN) / STD
    outputs = {INPUT: x}
    for one in network.steps:
        outputs[one.name] = network.module(one.name)(*(outputs[name] for name in one.inputs))
        if one.name == step:
            break
    return outputs[step][0, channel].mean()


def grow(
    network: Network, step: str, channel: int, *, size: int = 128, steps: int = 512, seed: int = 0
) -> Tensor:
    """The finished picture, [1,3,S,S] in 0..1."""
    lot = random.Random(seed)
    noise = torch.Generator().manual_seed(seed)
    spectrum = torch.randn(2, 3, size, size // 2 + 1, generator=noise) * 0.01
    spectrum.requires_grad_()
    adam = torch.optim.Adam([spectrum], lr=0.05)
    for _ in range(steps):
        loss = -objective(network, seen(picture(spectrum, size), lot), step, channel)
        (spectrum.grad,) = torch.autograd.grad(loss, spectrum)
        adam.step()
    return picture(spectrum, size).detach()
