"""The Fourier and decorrelated colour parameterisation of pictures for feature visualisation.

Coefficients are divided by their frequency, so that a step of gradient ascent changes large shapes
before fine noise; decorrelated colours can be changed independently of each other.
Source: Olah, Mordvintsev, Schubert 2017, "Feature Visualization", and the code published with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

DEVIATION = 0.01
COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.0, -0.05), (0.27, -0.09, 0.03))
"""Square root of the covariance of ImageNet's pixel colours: one row each for R, G, B."""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Maps coefficients [N,3,S,S//2+1,2], real and imaginary parts, to pictures [N,3,S,S]."""

    size: int
    scale: Tensor
    colours: Tensor

    @classmethod
    def of(cls, size: int, device: torch.device | str = "cpu") -> Spectrum:
        """The spectrum of pictures of `size` x `size` pixels.

        Coefficients of frequency f (in 1 / pixel) are scaled by 1 / max(f, 1 / size); the colours'
        matrix is divided by its largest column norm.
        """
        down = torch.fft.fftfreq(size, device=device)[:, None]
        frequency = (down**2 + torch.fft.rfftfreq(size, device=device) ** 2).sqrt()
        colours = torch.tensor(COLOURS, device=device)
        largest = torch.linalg.vector_norm(colours, dim=0).max()
        # The formula's quarter is folded into the scale.
        scale = 1 / frequency.clamp_min(1 / size) / 4
        return cls(size, scale, colours / largest)

    def start(self, count: int, seed: int) -> Tensor:
        """Initial coefficients ~ N(0, 0.01), nearly grey pictures; the same for each of `count`.

        A picture then depends on its seed only, not on the other pictures of its batch.
        """
        generator = torch.Generator().manual_seed(seed)
        numbers = torch.randn(3, *self.scale.shape, 2, generator=generator).mul_(DEVIATION)
        return numbers.to(self.scale.device).expand(count, -1, -1, -1, -1).contiguous()

    def picture(self, numbers: Tensor) -> Tensor:
        """Pictures in 0..1: sigmoid(colours x inverse FFT(numbers x scale) / 4), [N,3,S,S].

        The inverse FFT is orthonormal.
        """
        waves = torch.view_as_complex(numbers) * self.scale
        plain = torch.fft.irfft2(waves, s=(self.size, self.size), norm="ortho")
        # A 1x1 convolution would take several times as long for many pictures.
        return torch.matmul(self.colours, plain.flatten(2)).view_as(plain).sigmoid()
