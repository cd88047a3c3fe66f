"""How does a tensor become a NumPy file (.npy) that notebooks can read?"""

from io import BytesIO

import numpy as np
import torch
from torch import Tensor


def npy(tensor: Tensor) -> bytes:
    """Write a tensor of any shape as .npy version 1.0, little-endian float32, C order."""
    exact = tensor.detach().to("cpu", torch.float32).contiguous().numpy()
    file = BytesIO()
    np.lib.format.write_array(file, exact.astype("<f4", copy=False), version=(1, 0))
    return file.getvalue()
