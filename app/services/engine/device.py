"""Where networks run: CUDA, MPS or the CPU, chosen once at start, exact either way."""

from __future__ import annotations

import platform

import torch

from app.errors import BadRequest


def choose(wanted: str = "auto") -> torch.device:
    """The device for `wanted` (`auto`, `cuda`, `mps`, `cpu`).

    Raises `BadRequest` where it is not one of these or not there.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    there["cpu"] = True
    if wanted == "auto":
        wanted = next(name for name, is_there in there.items() if is_there)
    if wanted not in there:
        raise BadRequest(f"The device must be auto, cuda, mps or cpu, not {wanted!r}.")
    if not there[wanted]:
        raise BadRequest(f"This computer has no {wanted.upper()} device that torch can use.")
    _be_exact()
    return torch.device(wanted)


def title(device: torch.device) -> str:
    """The device in words, for the badge on the page: `GPU · NVIDIA H200`, `CPU · 2 threads`."""
    if device.type == "cuda":
        return f"GPU · {torch.cuda.get_device_name(device)}"
    if device.type == "mps":
        return f"GPU · Apple {platform.machine()}"
    return f"CPU · {torch.get_num_threads()} threads"


def _be_exact() -> None:
    """Full float32 everywhere: TF32 keeps ten bits of mantissa, and shown sums would not add."""
    torch.set_float32_matmul_precision("highest")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
