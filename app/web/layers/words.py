"""Published findings about the layers, and a trap question for each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublishedFinding:
    """A published finding: what, by whom, in which network, and its source."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class TrapQuestion:
    """A misleading question, and its answer from the literature."""

    ask: str
    answer: str
    source: str


_ZF = "Zeiler and Fergus 2013, arXiv 1311.2901, section 4: another network, much like AlexNet"
_DISSECTION = (
    "Bau and others 2017, arXiv 1704.05796 (Network Dissection): CaffeNet, another AlexNet"
)
_GALE = "Gale and others 2020, arXiv 2007.01062: AlexNet"

FINDINGS: dict[int, PublishedFinding] = {
    1: PublishedFinding(
        "A small shift of the picture changes layer 1 a lot, but the top layer little: it changes "
        "almost in proportion. While a network learns, layer 1 is settled after a few epochs.",
        _ZF,
    ),
    2: PublishedFinding(
        "Layer 2 responds to corners, and to edges that meet a colour. Nothing there is a thing "
        "yet: the same corner can belong to a window or to a book.",
        _ZF,
    ),
    3: PublishedFinding(
        "Layer 3 groups similar textures: one map responds to mesh patterns, another to text, "
        "though the pictures differ in every other way.",
        _ZF,
    ),
    4: PublishedFinding(
        "Layer 4 differs more from picture to picture and is nearer to classes: one map "
        "responds to dogs’ faces, another to birds’ legs. It settles only after 40 to 50 epochs.",
        _ZF,
    ),
    5: PublishedFinding(
        "Of 256 units of layer 5, 97 match something people have a word for: 21 things, 23 "
        "textures, 8 parts, 4 scenes, 4 colours, 1 material. With random weights 9 do.",
        _DISSECTION,
    ),
}

QUESTIONS: dict[int, TrapQuestion] = {
    1: TrapQuestion(
        "A map of layer 1 responds most to vertical stripes. Does it respond to horizontal ones?",
        "Hardly: most kernels there look like one edge in one direction, and a stripe at a right "
        "angle to it adds up to nearly zero. Others do not care, because they look for a colour.",
        _ZF,
    ),
    2: TrapQuestion(
        "Take all colour out of the picture. Do the maps of layer 2 go dark?",
        "Those that look for a corner do not. But layer 2 joins edges with colours, so many lose "
        "part of what they had, and a few lose all of it.",
        _ZF,
    ),
    3: TrapQuestion(
        "One map prefers a single class to all others. Have we found that class’s detector?",
        "No. Units of AlexNet that prefer one class strongly still make poor detectors of it: "
        "they miss most of its pictures and respond to others. So here it says “responds most to”.",
        _GALE,
    ),
    4: TrapQuestion(
        "Turn the picture upside down. Are the same maps of layer 4 the strongest?",
        "Not all of them. What the network says is stable when the picture is moved or enlarged, "
        "but not when it is turned: it was not trained on dogs upside down.",
        _ZF,
    ),
    5: TrapQuestion(
        "The pictures that fired one map of layer 5 most had no object in common. What was it?",
        "The grass in the background. The map did not care about the things in front at all, and "
        "nobody would have guessed it from a list of the things.",
        _ZF,
    ),
}
