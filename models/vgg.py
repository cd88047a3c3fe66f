"""VGG as in torchvision (Simonyan and Zisserman 2014, arXiv 1409.1556), no dropout.

Networks of 11, 13, 16 and 19 layers with weights, each also with batch norm after every
convolution (Ioffe and Szegedy 2015, arXiv 1502.03167). A stage is a block up to its pool.
"""

from models.graph import Layer, Network, conv, fc, flatten, maxpool, norm, relu, softmax
from models.registry import architecture

WIDTHS = (64, 128, 256, 512, 512)
TIMM = {"pre_logits.fc1": "fc6", "pre_logits.fc2": "fc7", "head.fc": "fc8"}
"""timm's names of the classifier, whose matrices it stores as kernels of their maps' size."""

CONVS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


def _blocks(convs: tuple[int, ...], norms: bool) -> list[tuple[int, list[Layer]]]:
    blocks: list[tuple[int, list[Layer]]] = []
    before = 3
    for number, (count, width) in enumerate(zip(convs, WIDTHS, strict=True), start=1):
        layers = []
        for i in range(1, count + 1):
            layers += [conv(f"conv{number}_{i}", (before, width), 3, 1, 1)]
            layers += [norm(f"norm{number}_{i}", width)] if norms else []
            layers += [relu(f"relu{number}_{i}")]
            before = width
        blocks.append((number, [*layers, maxpool(f"pool{number}", 2, 2)]))
    return blocks


def _keys(convs: tuple[int, ...], norms: bool) -> dict[str, str]:
    """Keys `features.<index>` of convolutions and norms; ReLUs and pools have an index too."""
    keys, place = {}, 0
    for number, count in enumerate(convs, start=1):
        for i in range(1, count + 1):
            keys[f"features.{place}"] = f"conv{number}_{i}"
            if norms:
                keys[f"features.{place + 1}"] = f"norm{number}_{i}"
            place += 3 if norms else 2
        place += 1
    return keys | {"classifier.0": "fc6", "classifier.3": "fc7", "classifier.6": "fc8"}


def vgg(depth: int, norms: bool) -> Network:
    """Build the network with `depth` weighted layers."""
    head = [flatten(), fc("fc6", (25088, 4096)), relu("relu6"), fc("fc7", (4096, 4096))]
    head += [relu("relu7"), fc("fc8", (4096, 1000)), softmax()]
    return Network(224, [*_blocks(CONVS[depth], norms), (None, head)])


def _register(depth: int, norms: bool) -> None:
    name = f"vgg{depth}_bn" if norms else f"vgg{depth}"
    architecture(name, _keys(CONVS[depth], norms), TIMM)(lambda: vgg(depth, norms))


for _depth in CONVS:
    _register(_depth, norms=False)
    _register(_depth, norms=True)
