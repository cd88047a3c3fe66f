"""mini, our small AlexNet: five convolutions, three pools, 64x64 pictures, 100 classes."""

from models.graph import Network, conv, fc, flatten, maxpool, relu, softmax
from models.registry import architecture

WIDTHS = (64, 192, 288, 224, 192)
HIDDEN = 512
CLASSES = 100


@architecture("mini")
def mini(
    widths: tuple[int, int, int, int, int] = WIDTHS,
    hidden: int = HIDDEN,
    classes: int = CLASSES,
) -> Network:
    """Build the network: `widths` maps in conv1-5, `hidden` units in fc6."""
    a, b, c, d, e = widths
    return Network(
        64,
        [
            (1, [conv("conv1", (3, a), 7, 2, 3), relu("relu1"), maxpool("pool1", 3, 2, 1)]),
            (2, [conv("conv2", (a, b), 5, 1, 2), relu("relu2"), maxpool("pool2", 3, 2, 1)]),
            (3, [conv("conv3", (b, c), 3, 1, 1), relu("relu3")]),
            (4, [conv("conv4", (c, d), 3, 1, 1), relu("relu4")]),
            (5, [conv("conv5", (d, e), 3, 1, 1), relu("relu5"), maxpool("pool5", 3, 2, 1)]),
            (
                None,
                [
                    flatten(),
                    fc("fc6", (e * 16, hidden)),
                    relu("relu6"),
                    fc("fc7", (hidden, classes)),
                    softmax(),
                ],
            ),
        ],
    )
