"""The published weights: torchvision's files for the 1,000 classes of ImageNet.

Exact bytes and the full SHA-256 where they are known; else the approximate size and the digits in
torchvision's file name. `vgg16`'s IMAGENET1K_FEATURES is not offered: its classifier is NaN.
"""

from __future__ import annotations

from models.row import IMAGENET_MEAN, IMAGENET_STD, Weights

OFFICIAL = "https://download.pytorch.org/models/"
SECOND = "https://huggingface.co/timm/{id}.tv_in1k/resolve/main/model.safetensors"

ALEXNET = (
    "The network that started it all: in 2012 AlexNet won the ImageNet contest so clearly that "
    "nearly everyone changed to convolutional networks. This is its one-GPU version of 2014, with "
    "61.1 million parameters; {top1} % of its first answers are right. Its five layers are the "
    "ones most research on “what does a layer see?” was done on."
)
VGG = (
    "Oxford's VGG of 2014 stacks {depth} layers of small 3×3 kernels: two of them see as far as "
    "one of 5×5, with fewer numbers and one more ReLU between. It has {millions} million "
    "parameters, most of them in its first fully connected layer{norms}; {top1} % of its first "
    "answers are right. Artists' style transfer and many measures of similarity still use its maps."
)
NORMS = ", and batch normalisation after every convolution, which makes it easier to train"
SQUEEZENET = (
    "SqueezeNet, of 2016, is as accurate as AlexNet with fifty times fewer parameters: "
    "{millions} million in a file of 5 MB, {top1} % of first answers right. “Fire” modules squeeze "
    "maps together and expand them again, and in place of fully connected layers it takes the mean "
    "of one map for each class."
)


def published(
    id: str,
    title: str,
    about: str,
    file: str,
    size: int,
    digest: str,
    top: tuple[float, float],
    licence: str = "BSD-3-Clause (torchvision)",
) -> Weights:
    """A row with the values that all torchvision networks share; `top` is top-1, top-5 in %."""
    return Weights(
        id=id,
        architecture=id,
        title=title,
        about=about.format(top1=f"{top[0]:.1f}"),
        file=file,
        bytes=size,
        sha256=digest,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        resize=256,
        crop=224,
        labels="imagenet1k",
        licence=licence,
        source="torchvision, IMAGENET1K_V1",
        url=OFFICIAL + file,
        second=SECOND.format(id=id) if id.startswith("vgg") else "",
        top1=top[0],
        top5=top[1],
    )


def _vgg(
    depth: int, norms: bool, millions: str, digest: str, size: int, top: tuple[float, float]
) -> Weights:
    id = f"vgg{depth}_bn" if norms else f"vgg{depth}"
    title = f"VGG-{depth} with batch norm" if norms else f"VGG-{depth}"
    words = {"depth": depth, "norms": NORMS if norms else "", "millions": millions}
    about = VGG.replace("{top1}", "{{top1}}").format(**words)
    return published(id, title, about, f"{id}-{digest[:8]}.pth", size, digest, top)


PUBLISHED: tuple[Weights, ...] = (
    published(
        "alexnet", "AlexNet", ALEXNET, "alexnet-owt-7be5be79.pth", 244_408_911,
        "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02", (56.522, 79.066),
    ),
    published(
        "squeezenet1_1", "SqueezeNet 1.1", SQUEEZENET.replace("{millions}", "1.24"),
        "squeezenet1_1-b8a52dc0.pth", 4_958_839,
        "b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b", (58.178, 80.624),
    ),
    published(
        "squeezenet1_0", "SqueezeNet 1.0", SQUEEZENET.replace("{millions}", "1.25"),
        "squeezenet1_0-b66bff10.pth", 5_000_000, "b66bff10", (58.092, 80.420),
    ),
    _vgg(11, False, "132.9", "8a719046", 531_400_000, (69.020, 88.628)),
    _vgg(11, True, "132.9", "6002323d", 531_500_000, (70.370, 89.810)),
    _vgg(13, False, "133.0", "19584684", 532_200_000, (69.928, 89.246)),
    _vgg(13, True, "133.1", "abd245e5", 532_300_000, (71.586, 90.374)),
    _vgg(16, False, "138.4", "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
         553_433_881, (71.592, 90.382)),
    _vgg(16, True, "138.4", "6c64b3138f2f4fcb3bcc4cafde11619c4f440eb1631787e93a682fd88305888a",
         553_507_836, (73.360, 91.516)),
    _vgg(19, False, "143.7", "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
         574_673_361, (72.376, 90.876)),
    _vgg(19, True, "143.7", "c79401a0cf3cb42714e4182f5868c7a6f4f4534f5df9e956e2bb2098de41cbb6",
         574_769_405, (74.218, 91.842)),
)  # fmt: skip
