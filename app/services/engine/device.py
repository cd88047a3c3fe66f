"""The device networks run on (CUDA, MPS or CPU), chosen once at start, in full float32."""

from __future__ import annotations

import platform

import torch

from app.errors import BadRequest


def choose(name: str = "auto") -> torch.device:
    """Return the device called `name`: `auto`, `cuda`, `mps` or `cpu`.

    Raises `BadRequest` for another name and for a device that is not available.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    available["cpu"] = True
    if name == "auto":
        name = next(device for device, usable in available.items() if usable)
    if name not in available:
        raise BadRequest(f"The device must be auto, cuda, mps or cpu, not {name!r}.")
    if not available[name]:
        raise BadRequest(f"This computer has no {name.upper()} device that torch can use.")
    _disable_tf32()
    return torch.device(name)


def title(device: torch.device) -> str:
    """The device in words, for the badge on the page: `GPU · NVIDIA H200`, `CPU · 2 threads`."""
    if device.type == "cuda":
        return f"GPU · {torch.cuda.get_device_name(device)}"
    if device.type == "mps":
        return f"GPU · Apple {platform.machine()}"
    return f"CPU · {torch.get_num_threads()} threads"


def _disable_tf32() -> None:
    """Use full float32: TF32 has ten bits of mantissa, and the shown sums would not add up."""
    torch.set_float32_matmul_precision("highest")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
