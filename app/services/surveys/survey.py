"""A survey of a network: its activations on built-in pictures, gratings and isolated objects.

Made once for a network and stored under the digest of its weights. It finds the crops of built-in
pictures that activate each channel most, and measures what the units of each layer prefer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from app.errors import DataUnusable
from app.pictures.preprocess import fit, normalise, unit
from app.pictures.samples import Sample, all_samples
from app.services.engine.batching import activation_bytes
from app.services.files import put, regular
from app.services.networks.catalogue import Model
from app.services.runs.peaks import Peaks, peak
from app.services.runs.run import preprocess
from app.vision.forward import forward_steps
from app.vision.selectivity import (
    ORIENTATIONS,
    PERIODS,
    PHASES,
    Tuning,
    blank,
    colour_index,
    grating,
    grey,
    has_colour,
    shared_channels,
    tuning,
)
from app.vision.stages import stage_ends
from app.vision.thing_and_surroundings import Part, ResponseParts, covered
from models.graph import Network, Step

FORMAT = 1
"""Version of the measurements: increase it when they change, so that old surveys are remade."""
BATCH_BYTES = 64_000_000
"""Memory for the activations of one batch of gratings."""
STRONGEST = 10
"""Number of strongest channels compared with those of the picture upside down."""

OF_COLOUR_ALONE = ("colour-wheel", "noise")
"""Built-in pictures without an object; the colour index ignores them."""

SCENES: dict[str, Part] = {
    "monarch": (0.06, 0.1, 0.95, 0.86),
    "lighthouse": (0.34, 0.04, 0.66, 0.84),
    "rocket": (0.43, 0.26, 0.58, 1.0),
    "candle": (0.34, 0.12, 0.66, 1.0),
    "school-bus": (0.04, 0.26, 0.99, 0.9),
}
"""Built-in pictures of one object before a background, and the box of the object."""


@dataclass(frozen=True, slots=True)
class SurveyProgress:
    """`done` of `total` passes of the network; `survey` has the crops once they are known."""

    done: int
    total: int
    survey: Survey | None = None


@dataclass(frozen=True, slots=True)
class LayerSurvey:
    """The measurements of a layer's last feature maps, C channels.

    `colour` [C] is the colour index, `curve` [C,O] and `period` [C] the tuning to gratings, `peak`
    [C] the highest activation on a built-in picture, `kept` [N] how many of each picture's ten
    strongest channels are still among the ten when it is upside down; `scenes` are by sample.
    """

    colour: Tensor
    curve: Tensor
    period: Tensor
    peak: Tensor
    kept: Tensor
    scenes: dict[str, ResponseParts]


_MEASURED = ("colour", "curve", "period", "peak", "kept")


@dataclass(frozen=True, slots=True)
class Survey:
    """A survey: `peaks` by the index of the sample in `pictures`; `layers` by their number.

    `weights` is the SHA-256 of the weights file; `layers` is empty until everything is measured.
    """

    model: str
    weights: str
    pictures: tuple[str, ...]
    peaks: dict[int, Peaks]
    layers: dict[int, LayerSurvey] = field(default_factory=dict)


def survey(model: Model, network: Network, weights: str) -> Iterator[SurveyProgress | Survey]:
    """Yield progress between passes, with the crops once they are known; finally the survey."""
    work = _Work(model, network)
    peaks: dict[int, Peaks] = {}
    for number, sample in enumerate(work.samples):
        peaks[number] = work.look(sample)
        yield SurveyProgress(number + 1, work.total)
    ids = tuple(sample.id for sample in work.samples)
    crops = Survey(model.id, weights, ids, peaks)
    yield SurveyProgress(len(ids), work.total, crops)
    for done in work.gratings():
        yield SurveyProgress(len(ids) + done, work.total, crops)
    for done in work.scenes():
        yield SurveyProgress(work.total - len(SCENES) + done, work.total, crops)
    yield Survey(model.id, weights, ids, peaks, work.layers())


class _Work:
    """The passes of a survey, and their measurements by layer."""

    def __init__(self, model: Model, network: Network) -> None:
        self.samples = all_samples()
        self._network, self._prep = network, preprocess(model)
        self._device = next(network.parameters()).device
        self._ends = stage_ends(network.steps)
        self._by_name = {name: layer for layer, name in self._ends.items()}
        self._side = model.outline.input_size
        self._batch = max(1, min(24, BATCH_BYTES // activation_bytes(network)))
        self._gratings = [
            (period, 180 * turn / ORIENTATIONS, phase / PHASES)
            for period in PERIODS
            for turn in range(ORIENTATIONS)
            for phase in range(PHASES)
        ]
        self.total = len(self.samples) + -(-len(self._gratings) // self._batch) + len(SCENES)
        # By layer, a row per picture: its peaks; the same cells without colour; upside down.
        self._peaks: dict[int, list[Tensor]] = {layer: [] for layer in self._ends}
        self._grey: dict[int, list[Tensor]] = {layer: [] for layer in self._ends}
        self._turned: dict[int, list[Tensor]] = {layer: [] for layer in self._ends}
        self._coloured: list[bool] = []
        self._tuning: dict[int, Tuning] = {}
        self._scenes: dict[int, dict[str, ResponseParts]] = {layer: {} for layer in self._ends}

    def look(self, sample: Sample) -> Peaks:
        """Run one built-in picture as it is, without colour, and upside down."""
        pixels = fit(sample.open(), self._prep).pixels
        self._coloured.append(has_colour(pixels) and sample.id not in OF_COLOUR_ALONE)
        values: dict[str, Tensor] = {}
        cells: dict[str, Tensor] = {}
        three = torch.stack([pixels, grey(pixels), pixels.flip(1)])
        for step, maps in self._through(three):
            found, places = peak(maps[0])
            if step.kind == "conv":
                values[step.name], cells[step.name] = found, places
            if layer := self._by_name.get(step.name):
                self._peaks[layer].append(found.clamp_min(0))
                grey_values = maps[1].flatten(1).cpu()[torch.arange(len(found)), places.long()]
                self._grey[layer].append(grey_values.clamp_min(0))
                self._turned[layer].append(maps[2].flatten(1).amax(1).cpu().clamp_min(0))
        return Peaks(values, cells)

    def gratings(self) -> Iterator[int]:
        """Run every grating, batch by batch; measured at the middle cell of each map."""
        found: dict[int, list[Tensor]] = {layer: [] for layer in self._ends}
        even = self._middle(blank(self._side)[None])
        for i, start in enumerate(range(0, len(self._gratings), self._batch), 1):
            some = self._gratings[start : start + self._batch]
            pixels = torch.stack([grating(self._side, *one) for one in some])
            for layer, values in self._middle(pixels).items():
                found[layer].append(values)
            yield i
        for layer, rows in found.items():
            all = torch.cat(rows).view(len(PERIODS), ORIENTATIONS, PHASES, -1)
            self._tuning[layer] = tuning(all, even[layer][0])

    def scenes(self) -> Iterator[int]:
        """Run every scene without its object, and the object without its background."""
        for i, (id, part) in enumerate(SCENES.items(), 1):
            number = next(n for n, sample in enumerate(self.samples) if sample.id == id)
            picture = unit(fit(self.samples[number].open(), self._prep).pixels)
            both = torch.stack([one.mul(255).round().byte() for one in covered(picture, part)])
            for step, maps in self._through(both):
                if layer := self._by_name.get(step.name):
                    around, thing = maps.flatten(2).amax(2).cpu().clamp_min(0)
                    whole = self._peaks[layer][number]
                    self._scenes[layer][id] = ResponseParts(whole, around, thing)
            yield i

    def layers(self) -> dict[int, LayerSurvey]:
        """All measurements, by layer."""
        return {layer: self._layer(layer) for layer in self._ends}

    def _layer(self, layer: int) -> LayerSurvey:
        peaks, without, turned = (
            torch.stack(rows[layer]) for rows in (self._peaks, self._grey, self._turned)
        )
        coloured = torch.tensor(self._coloured)
        return LayerSurvey(
            colour_index(peaks[coloured], without[coloured]),
            self._tuning[layer].curve,
            self._tuning[layer].period,
            peaks.amax(0),
            shared_channels(peaks, turned, STRONGEST),
            self._scenes[layer],
        )

    def _middle(self, pixels: Tensor) -> dict[int, Tensor]:
        """The middle cell of every last map of each layer, [N,C]: far from the padding."""
        return {
            self._by_name[step.name]: maps[:, :, maps.shape[2] // 2, maps.shape[3] // 2].cpu()
            for step, maps in self._through(pixels)
            if step.name in self._by_name
        }

    def _through(self, pixels: Tensor) -> Iterator[tuple[Step, Tensor]]:
        """The convolutions and last steps of all stages, for pictures uint8 [N,3,S,S]."""
        x = normalise(pixels.to(self._device), self._prep)
        last = self._ends[max(self._ends)]
        for output in forward_steps(self._network, x, until=last):
            if output.step.kind == "conv" or output.step.name in self._by_name:
                yield output.step, output.tensor


def write_survey(path: Path, made: Survey) -> None:
    """Write a survey to disk. Raises `NotWritten`."""
    tensors: dict[str, Tensor] = {}
    numbers = sorted(made.peaks)
    for step in made.peaks[numbers[0]].values if numbers else ():
        tensors[f"values/{step}"] = torch.stack([made.peaks[n].values[step] for n in numbers])
        tensors[f"cells/{step}"] = torch.stack([made.peaks[n].cells[step] for n in numbers])
    for n, layer in made.layers.items():
        for name in _MEASURED:
            tensors[f"layer/{n}/{name}"] = getattr(layer, name).contiguous()
        for id, one in layer.scenes.items():
            parts = torch.stack([one.whole, one.around, one.thing])
            tensors[f"layer/{n}/scene/{id}"] = parts
    about = {"format": FORMAT, "model": made.model, "weights": made.weights}
    text = json.dumps({**about, "pictures": made.pictures, "layers": list(made.layers)})
    put(path, save(tensors, {"survey": text}))


def read_survey(path: Path, weights: str) -> Survey:
    """Read the survey at `path`, made from the weights with that SHA-256.

    Raises `DataUnusable` for a file that is no survey, damaged, or of other weights or pictures.
    """
    try:
        regular(path)
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {})["survey"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if about["format"] != FORMAT or about["weights"] != weights:
            raise ValueError("it is of other weights, or was measured otherwise")
        if about["pictures"] != [sample.id for sample in all_samples()]:
            raise ValueError("it is of other pictures")
        return _survey(about["model"], weights, tuple(about["pictures"]), about["layers"], tensors)
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise DataUnusable(f"{path} is no survey that can be used ({error}).") from error


def _survey(
    model: str, weights: str, pictures: tuple[str, ...], layers: list[int], t: dict[str, Tensor]
) -> Survey:
    steps = [name.removeprefix("values/") for name in t if name.startswith("values/")]
    peaks = {
        n: Peaks({s: t[f"values/{s}"][n] for s in steps}, {s: t[f"cells/{s}"][n] for s in steps})
        for n in range(len(pictures))
    }
    return Survey(model, weights, pictures, peaks, {n: _layer(n, t) for n in layers})


def _layer(n: int, t: dict[str, Tensor]) -> LayerSurvey:
    colour, curve, period, peak, kept = (t[f"layer/{n}/{name}"] for name in _MEASURED)
    scenes = {id: ResponseParts(*t[f"layer/{n}/scene/{id}"]) for id in SCENES}
    return LayerSurvey(colour, curve, period, peak, kept, scenes)
