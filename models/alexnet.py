"""AlexNet as in torchvision (Krizhevsky 2014, arXiv 1404.5997), without dropout.

Its adaptive average pool is the identity on 224x224 pictures and is not a step.
"""

from models.graph import Network, conv, fc, flatten, maxpool, relu, softmax
from models.registry import architecture

KEYS = {
    "features.0": "conv1",
    "features.3": "conv2",
    "features.6": "conv3",
    "features.8": "conv4",
    "features.10": "conv5",
    "classifier.1": "fc6",
    "classifier.4": "fc7",
    "classifier.6": "fc8",
}


@architecture("alexnet", KEYS)
def alexnet() -> Network:
    """Five convolutions, three overlapping pools, three fully connected layers."""
    return Network(
        224,
        [
            (1, [conv("conv1", (3, 64), 11, 4, 2), relu("relu1"), maxpool("pool1", 3, 2)]),
            (2, [conv("conv2", (64, 192), 5, 1, 2), relu("relu2"), maxpool("pool2", 3, 2)]),
            (3, [conv("conv3", (192, 384), 3, 1, 1), relu("relu3")]),
            (4, [conv("conv4", (384, 256), 3, 1, 1), relu("relu4")]),
            (5, [conv("conv5", (256, 256), 3, 1, 1), relu("relu5"), maxpool("pool5", 3, 2)]),
            (
                None,
                [
                    flatten(),
                    fc("fc6", (9216, 4096)),
                    relu("relu6"),
                    fc("fc7", (4096, 4096)),
                    relu("relu7"),
                    fc("fc8", (4096, 1000)),
                    softmax(),
                ],
            ),
        ],
    )
