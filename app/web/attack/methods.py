"""The eight attack methods in words (FGSM, PGD, DeepFool, …), and the settings of each."""

from __future__ import annotations

from dataclasses import dataclass

from app.services.attacks.options import Method


@dataclass(frozen=True, slots=True)
class MethodWords:
    """Name of a method, what it does in a sentence, who found it, what can be set.

    `unit` follows epsilon's value, `what` says what epsilon is.
    """

    title: str
    sentence: str
    source: str
    uses: frozenset[str]
    unit: str = "of 255"
    what: str = "How far each pixel value may move"


_ALL = frozenset({"epsilon", "steps", "step_size", "target"})
_EPSILON = frozenset({"epsilon", "target"})

METHODS: dict[Method, MethodWords] = {
    "pgd": MethodWords(
        "PGD: many small steps",
        "Raises the network’s error in small steps, always within epsilon: the standard test.",
        "Madry et al. 2018, arXiv 1706.06083",
        _ALL,
    ),
    "fgsm": MethodWords(
        "FGSM: one step",
        "One single step: every pixel value moves by epsilon, up or down, whichever is worse.",
        "Goodfellow et al. 2015, arXiv 1412.6572",
        _EPSILON,
    ),
    "pgd_l2": MethodWords(
        "PGD by length (L2)",
        "Like PGD, but the change as a whole has a limit: a few pixels may move more than others.",
        "Madry et al. 2018, arXiv 1706.06083",
        _ALL,
        "L2",
        "How long the change may be, over all pixel values",
    ),
    "deepfool": MethodWords(
        "DeepFool: just enough",
        "Looks for the nearest border to another class and steps over it: how little is enough?",
        "Moosavi-Dezfooli et al. 2016, arXiv 1511.04599",
        frozenset({"steps", "target"}),
    ),
    "few_pixel": MethodWords(
        "Few pixels",
        "Changes only a handful of pixels, but those by any amount.",
        "after Su et al. 2019, arXiv 1710.08864",
        _EPSILON,
        "pixels",
        "How many pixels may change",
    ),
    "universal": MethodWords(
        "Universal noise",
        "One noise that is meant to work on any picture; here it is made for this one alone.",
        "Moosavi-Dezfooli et al. 2017, arXiv 1610.08401",
        _ALL,
    ),
    "sticker": MethodWords(
        "Sticker",
        "A round patch in one place that may look like anything: you could print it.",
        "Brown et al. 2017, arXiv 1712.09665",
        frozenset({"epsilon", "steps", "target"}),
        "% of the picture",
        "How much of the picture it covers",
    ),
    "noise": MethodWords(
        "Random noise",
        "Random ups and downs, made without the network: the others are compared with it.",
        "The control",
        frozenset({"epsilon"}),
    ),
}
