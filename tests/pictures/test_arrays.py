from io import BytesIO

import numpy as np
import pytest
import torch

from app.pictures.arrays import npy


@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (2, 3, 4)])
def test_values_and_shape_come_back(shape: tuple[int, ...]) -> None:
    tensor = torch.randn(shape)
    array = np.load(BytesIO(npy(tensor)))
    assert array.dtype == np.dtype("<f4")
    assert array.shape == shape
    assert np.array_equal(array, tensor.numpy())


def test_the_header_is_version_1_little_endian_and_c_order() -> None:
    data = npy(torch.zeros(2, 3))
    assert data[:8] == b"\x93NUMPY\x01\x00"
    assert b"'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)" in data[:128]


@pytest.mark.parametrize("kind", ["transposed", "double", "half", "needs-gradient", "vector-like"])
def test_any_tensor_is_written_in_c_order_as_float32(kind: str) -> None:
    base = torch.arange(6.0).view(2, 3)
    tensor = {
        "transposed": base.T,
        "double": base.double(),
        "half": base.bfloat16(),
        "needs-gradient": base.clone().requires_grad_(),
        "vector-like": base.view(6, 1),
    }[kind]
    data = npy(tensor)
    assert b"'fortran_order': False" in data[:128]
    assert np.load(BytesIO(data)).tolist() == tensor.tolist()
