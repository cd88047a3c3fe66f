"""What torchvision says of the published networks."""

from __future__ import annotations

PARAMETERS = {
    "alexnet": 61_100_840,
    "vgg11": 132_863_336,
    "vgg11_bn": 132_868_840,
    "vgg13": 133_047_848,
    "vgg13_bn": 133_053_736,
    "vgg16": 138_357_544,
    "vgg16_bn": 138_365_992,
    "vgg19": 143_667_240,
    "vgg19_bn": 143_678_248,
    "squeezenet1_0": 1_248_424,
    "squeezenet1_1": 1_235_496,
}

# In, squeezed, expanded by 1x1, expanded by 3x3; P for a pool; after conv1, its ReLU and pool.
SQUEEZENET = {
    "squeezenet1_0": (
        "96-16-64-64 128-16-64-64 128-32-128-128 P 256-32-128-128 256-48-192-192 384-48-192-192 "
        "384-64-256-256 P 512-64-256-256"
    ),
    "squeezenet1_1": (
        "64-16-64-64 128-16-64-64 P 128-32-128-128 256-32-128-128 P 256-48-192-192 384-48-192-192 "
        "384-64-256-256 512-64-256-256"
    ),
}
