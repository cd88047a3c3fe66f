from io import BytesIO

import numpy as np
import torch
from PIL import Image

from app.pictures.filters import colour_filters, kernel_slices


def pixels_of(png: bytes) -> np.ndarray:
    with Image.open(BytesIO(png)) as image:
        return np.array(image)


def test_a_colour_kernel_by_hand() -> None:
    weight = torch.zeros(2, 3, 1, 2)
    weight[0, 0] = torch.tensor([0.5, -0.5])  # its red
    weight[0, 2] = torch.tensor([0.25, 0.0])  # its blue
    weight[1, 1] = torch.tensor([0.0, 1.0])  # the other's green
    drawn = colour_filters(weight, columns=2)
    # 128 + 127 * 0.25 / 0.5 = 191.5, rounded to even
    row = [[255, 128, 192], [1, 128, 128], [128, 128, 128], [128, 255, 128]]
    assert pixels_of(drawn.png).tolist() == [row]
    assert drawn.layout.position(1) == (2, 0)


def test_one_scale_for_the_layer_compares_kernels() -> None:
    weight = torch.tensor([1.0, 0.5]).view(2, 1, 1, 1).expand(2, 3, 1, 1)
    unit, layer = (pixels_of(colour_filters(weight, scale).png) for scale in ("unit", "layer"))
    assert unit[0, :, 0].tolist() == [255, 255]
    assert layer[0, :, 0].tolist() == [255, 192]  # 128 + 63.5, to even


def test_a_kernel_of_zeros_is_mid_grey() -> None:
    assert np.unique(pixels_of(colour_filters(torch.zeros(1, 3, 4, 4)).png)).tolist() == [128]


def test_filters_of_a_trainable_layer_can_be_drawn() -> None:
    layer = torch.nn.Conv2d(3, 5, 3)
    drawn = colour_filters(layer.weight)
    assert (drawn.layout.width, drawn.layout.height, drawn.layout.count) == (9, 6, 5)
    kernel_slices(layer.weight[0], [2, 0])
    assert layer.weight.grad_fn is None


def test_slices_follow_the_order_and_share_one_scale() -> None:
    weight = torch.tensor([1.0, -2.0, 4.0]).view(3, 1, 1)
    drawn = kernel_slices(weight, [2, 0, 1], columns=3)
    # 128 + 127 * (4, 1, -2) / 4 = 255, 159.75, 64.5
    assert pixels_of(drawn.png).tolist() == [[255, 160, 64]]


def test_a_given_peak_sets_the_scale_of_slices() -> None:
    drawn = kernel_slices(torch.ones(1, 1, 1), [0], peak=2.0)
    assert pixels_of(drawn.png).tolist() == [[192]]
