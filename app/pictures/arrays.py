"""How does a tensor become a NumPy file (.npy) that notebooks can read?"""

from collections.abc import Iterator
from io import BytesIO

import numpy as np
import torch
from torch import Tensor

PIECE = 1_000_000
"""Bytes of a piece of a large array."""


def npy(tensor: Tensor) -> bytes:
    """Write a tensor of any shape as .npy version 1.0, little-endian float32, C order."""
    return b"".join(npy_pieces(tensor)[1])


def npy_pieces(tensor: Tensor) -> tuple[int, Iterator[bytes]]:
    """The length of the same file, and its bytes piece by piece: the array is not copied."""
    exact = tensor.detach().to("cpu", torch.float32).contiguous().numpy()
    exact = exact.astype("<f4", copy=False)
    file = BytesIO()
    about = np.lib.format.header_data_from_array_1_0(exact)
    np.lib.format.write_array_header_1_0(file, about)
    head, body = file.getvalue(), exact.reshape(-1).view(np.uint8).data

    def pieces() -> Iterator[bytes]:
        yield head
        for at in range(0, len(body), PIECE):
            yield bytes(body[at : at + PIECE])

    return len(head) + len(body), pieces()
