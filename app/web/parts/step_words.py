"""Explanations of each kind of step: two sentences a 15-year-old understands, and the formula."""

from __future__ import annotations

from dataclasses import dataclass

from models.graph import Kind


@dataclass(frozen=True, slots=True)
class Words:
    """`text` is for everyone, `formula` for those who unfold it, `source` names who found it."""

    title: str
    text: str
    formula: str = ""
    source: str = ""


_ZEILER = "Zeiler and Fergus 2013, section 4, in a network much like AlexNet"

STAGES: dict[int | None, Words] = {
    1: Words(
        "Edges and colours",
        "The first layer slides small coloured patterns over the picture; a map lights up wherever "
        "the picture looks like its pattern. Most of these patterns respond most to an edge in one "
        "direction, or to one colour next to another.",
        source=_ZEILER,
    ),
    2: Words(
        "Corners and textures",
        "The second layer no longer looks at the picture: it looks at the maps of layer 1 and "
        "combines them. Its maps respond most to corners, curves, stripes and simple textures.",
        source=_ZEILER,
    ),
    3: Words(
        "Patterns",
        "Corners and stripes are put together into patterns, and each cell now sees a good part of "
        "the picture. Maps respond most to similar textures: a mesh, fur, spots, writing.",
        source=_ZEILER,
    ),
    4: Words(
        "Parts of things",
        "From here on, maps begin to care about what a thing is. They respond most to parts: a "
        "dog's face, a bird's legs, a wheel.",
        source=_ZEILER,
    ),
    5: Words(
        "Whole things",
        "The last of the five layers responds most to whole things in many poses. Sometimes a map "
        "cares about what lies around them instead: one famous map responded to the grass.",
        source=_ZEILER,
    ),
    None: Words(
        "The vote",
        "All numbers of the last maps are put in one long row, and every class adds them up with "
        "its own weights: its score. The highest wins; softmax turns scores into shares of 100 %.",
    ),
}

KINDS: dict[Kind, Words] = {
    "conv": Words(
        "Convolution",
        "A small window of weights, the kernel, slides over all maps of the step before. At each "
        "place it multiplies what it sees by its weights and adds everything up: one cell.",
        "y[o, i, j] = b[o] + Σ_c Σ_u Σ_v  w[o, c, u, v] · x[c, i·s + u − p, j·s + v − p]\n"
        "size of a map = ⌊(n + 2p − k) / s⌋ + 1      k kernel, s stride, p padding",
    ),
    "norm": Words(
        "Batch normalisation",
        "Each map is shifted and stretched so that, over many pictures, its values lie around zero "
        "with the same spread. It made deep networks much easier to train.",
        "y = γ · (x − μ) / √(σ² + ε) + β      μ, σ² from training",
    ),
    "relu": Words(
        "ReLU",
        "Everything below zero is cut away and becomes exactly zero; the rest stays as it is. "
        "Without this bend, five layers together could do no more than one.",
        "y = max(0, x)",
    ),
    "maxpool": Words(
        "Max pooling",
        "From every little window only the strongest value is kept, so the map shrinks. A pattern "
        "that moves by a pixel still gives nearly the same result.",
        "y[c, i, j] = max over u, v of x[c, i·s + u − p, j·s + v − p]",
    ),
    "avgpool": Words(
        "Average pooling",
        "Each map becomes one number, the mean of all its cells. It says how much of the picture "
        "the map responds to, not where.",
        "y[c] = (1 / HW) · Σ_i Σ_j x[c, i, j]",
    ),
    "concat": Words(
        "Concatenation",
        "The maps of two steps are put one after the other. Nothing is computed.",
        "y = (x₁, x₂)",
    ),
    "flatten": Words(
        "Flatten",
        "All cells of all maps are put in one long row, map after map. Nothing is computed, but "
        "from here on there is no left and right any more.",
        "y[(c·H + i)·W + j] = x[c, i, j]",
    ),
    "fc": Words(
        "Fully connected",
        "Each number of this step adds up all numbers of the step before, every one with its own "
        "weight. It is a vote in which every voter counts differently.",
        "y[o] = b[o] + Σ_i w[o, i] · x[i]",
    ),
    "softmax": Words(
        "Softmax",
        "The scores, also called logits, become shares of 100 %: a score that is a little larger "
        "gets a much larger share. The order stays the same.",
        "p[k] = exp(z[k]) / Σ_j exp(z[j])",
    ),
}
