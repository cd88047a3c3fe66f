"""VGG as torchvision lays it out (Simonyan and Zisserman 2014, arXiv 1409.1556), no dropout."""

from models.graph import Layer, Network, conv, fc, flatten, maxpool, relu, softmax
from models.registry import architecture

WIDTHS = (64, 128, 256, 512, 512)
CONVS = {16: (2, 2, 3, 3, 3)}


def _blocks(convs: tuple[int, ...]) -> list[tuple[int, list[Layer]]]:
    blocks: list[tuple[int, list[Layer]]] = []
    before = 3
    for number, (count, width) in enumerate(zip(convs, WIDTHS, strict=True), start=1):
        layers = []
        for i in range(1, count + 1):
            layers += [conv(f"conv{number}_{i}", (before, width), 3, 1, 1)]
            layers += [relu(f"relu{number}_{i}")]
            before = width
        blocks.append((number, [*layers, maxpool(f"pool{number}", 2, 2)]))
    return blocks


def _keys(convs: tuple[int, ...]) -> dict[str, str]:
    """`features.<place>` of each convolution; a ReLU follows each, a pool each block."""
    keys, place = {}, 0
    for number, count in enumerate(convs, start=1):
        for i in range(1, count + 1):
            keys[f"features.{place}"] = f"conv{number}_{i}"
            place += 2
        place += 1
    return keys | {"classifier.0": "fc6", "classifier.3": "fc7", "classifier.6": "fc8"}


def vgg(depth: int) -> Network:
    """The network of `depth` layers with weights."""
    head = [flatten(), fc("fc6", (25088, 4096)), relu("relu6"), fc("fc7", (4096, 4096))]
    head += [relu("relu7"), fc("fc8", (4096, 1000)), softmax()]
    return Network(224, [*_blocks(CONVS[depth]), (None, head)])


@architecture("vgg16", _keys(CONVS[16]))
def vgg16() -> Network:
    """Thirteen convolutions in five blocks, three fully connected layers."""
    return vgg(16)
