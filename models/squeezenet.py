"""SqueezeNet as in torchvision (Iandola et al. 2016, arXiv 1602.07360), no dropout.

A fire module squeezes its maps with 1x1 kernels, expands them again with 1x1 and 3x3 kernels in
parallel, and concatenates both. Stages 1-4 end at the pools; stage 5 is conv10, a map for each
class, whose mean is the class's logit.
"""

from models.graph import (
    Layer,
    Network,
    avgpool,
    concat,
    conv,
    flatten,
    maxpool,
    relu,
    softmax,
)  # fmt: skip
from models.registry import architecture

# Numbers of squeezed and expanded maps of fire2 to fire9.
FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
Split = tuple[tuple[int, ...], ...]
VERSION_1_0: Split = ((2, 3, 4), (5, 6, 7, 8), (9,))
VERSION_1_1: Split = ((2, 3), (4, 5), (6, 7, 8, 9))


def _fire(number: int, maps: int, before: str) -> list[Layer]:
    squeezed, expanded = FIRES[number - 2]
    name = f"fire{number}"
    squeeze = f"{name}.squeeze_relu"
    layers = [conv(f"{name}.squeeze", (maps, squeezed), 1, inputs=(before,)), relu(squeeze)]
    for side, kernel in (("expand1x1", 1), ("expand3x3", 3)):
        step, sizes = f"{name}.{side}", (squeezed, expanded)
        layers.append(conv(step, sizes, kernel, 1, kernel // 2, inputs=(squeeze,)))
        layers.append(relu(f"{step}_relu"))
    ends = (f"{name}.expand1x1_relu", f"{name}.expand3x3_relu")
    return [*layers, concat(f"{name}.concat", ends)]


def _stages(first: int, split: Split) -> list[tuple[int, list[Layer]]]:
    """Fire modules between pools; a pool has the number of the layer before it."""
    stages, maps, before = [], first, "pool1"
    for stage, numbers in enumerate(split, start=2):
        layers: list[Layer] = []
        for number in numbers:
            layers += _fire(number, maps, before)
            maps, before = 2 * FIRES[number - 2][1], f"fire{number}.concat"
        if numbers is not split[-1]:
            before = f"pool{numbers[-1]}"
            layers.append(maxpool(before, 3, 2, ceil_mode=True))
        stages.append((stage, layers))
    return stages


def squeezenet(first: Layer, maps: int, split: Split) -> Network:
    """Build the network that begins with the convolution `first` to `maps` maps."""
    end = [conv("conv10", (512, 1000), 1), relu("relu10")]
    head = [avgpool("avgpool"), flatten(), softmax()]
    start = [first, relu("relu1"), maxpool("pool1", 3, 2, ceil_mode=True)]
    return Network(224, [(1, start), *_stages(maps, split), (5, end), (None, head)])


def _keys(split: Split) -> dict[str, str]:
    """Keys `features.<index>`: conv1, its ReLU and pool take three, each later pool one."""
    keys, place = {"features.0": "conv1", "classifier.1": "conv10"}, 3
    for numbers in split:
        for number in numbers:
            for part in ("squeeze", "expand1x1", "expand3x3"):
                keys[f"features.{place}.{part}"] = f"fire{number}.{part}"
            place += 1
        place += 1
    return keys


@architecture("squeezenet1_0", _keys(VERSION_1_0))
def squeezenet1_0() -> Network:
    """The first version: 96 kernels of 7x7, pools late."""
    return squeezenet(conv("conv1", (3, 96), 7, 2), 96, VERSION_1_0)


@architecture("squeezenet1_1", _keys(VERSION_1_1))
def squeezenet1_1() -> Network:
    """The same accuracy with 2.4 times less arithmetic: 64 kernels of 3x3, pools earlier."""
    return squeezenet(conv("conv1", (3, 64), 3, 2), 64, VERSION_1_1)
