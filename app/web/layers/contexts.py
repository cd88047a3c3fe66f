"""What the templates of the layer walk are given."""

from __future__ import annotations

from dataclasses import dataclass

from app.pictures.samples import Sample
from app.services.networks.catalogue import Model
from app.services.pictures.store import Stored
from app.services.surveys.survey import SurveyProgress
from app.vision.geometry import Box
from app.web.layers.words import PublishedFinding, TrapQuestion
from app.web.panels.crops.panel import CropView
from app.web.parts.contexts import helped
from app.web.parts.photo import PhotoOverlay
from app.web.parts.step_words import Words


@dataclass(frozen=True, slots=True)
class WalkDot:
    """One of the five steps of the walk."""

    number: int = helped("Its number, 1-5.")
    title: str = helped("What it is about.")
    url: str = helped("Its page, the same network and picture; empty where there is none.")
    shown: bool = helped("Whether it is on screen.")


@dataclass(frozen=True, slots=True)
class MapEvidence:
    """One map of the layer: on the picture, dreamt up, in other pictures."""

    channel: int = helped("Its number.")
    url: str = helped("The explorer with it.")
    peak: float = helped("Its highest value on this picture.")
    map: str = helped("URL of the map.")
    synthesised: str = helped("URL of its synthesised picture, empty where there is none.")
    crops: tuple[CropView, ...] = helped("Its strongest crops.")


@dataclass(frozen=True, slots=True)
class ReceptiveFieldView:
    """What one cell of a layer sees, drawn on the picture."""

    layer: int = helped("Its number, 1-5.")
    box: Box = helped("Where, in pixels of the input.")
    here: bool = helped("Whether it is of the layer on screen.")


@dataclass(frozen=True, slots=True)
class ShareBar:
    """One measured share."""

    title: str = helped("What these maps prefer.")
    share: float | None = helped("Their part of all, 0..1; None where it cannot be measured.")
    words: str = helped("How many of how many.")


@dataclass(frozen=True, slots=True)
class TriedPicture:
    """One picture of the trap question, tried on this network."""

    title: str = helped("What was done to it.")
    image: str = helped("URL of the network's input, empty for a number alone.")
    cover: str = helped("What is covered with grey, as an SVG path on the input.")
    value: float = helped("The response.")
    share: float = helped("Its part of the largest, 0..1.")


@dataclass(frozen=True, slots=True)
class QuestionTrial:
    """The question asked of the network at hand."""

    text: str = helped("What came out.")
    tries: tuple[TriedPicture, ...] = helped("The numbers behind it.", ())
    url: str = helped("The explorer with the map, empty where it is about many.", "")
    link: str = helped("What the link says.", "")


@dataclass(frozen=True, slots=True)
class WalkChoice:
    """A network to walk through instead."""

    title: str = helped("What it is called.")
    url: str = helped("The same layer of it.")
    shown: bool = helped("Whether it is on screen.")


@dataclass(frozen=True, slots=True)
class Walk:
    """One screen of the walk."""

    number: int = helped("The layer, 1-5.")
    model: Model = helped("The network.")
    step: str = helped("The layer's last step: its maps are looked at.")
    words: Words = helped("What it responds to, in two sentences.")
    finding: PublishedFinding = helped("What was published.")
    question: TrapQuestion = helped("A question with a trap, and its answer.")
    trial: QuestionTrial | None = helped("The question tried here; None while it is measured.")
    dots: tuple[WalkDot, ...] = helped("The five steps.")
    previous: str = helped("The layer before, empty at the first.")
    next: str = helped("The layer after, empty at the last.")
    photo: PhotoOverlay = helped("The picture.")
    title: str = helped("What the picture is called.")
    fields: tuple[ReceptiveFieldView, ...] = helped("What a cell of each layer sees.")
    scene: str = helped("The picture and what this layer's cell sees beyond it, as a viewBox.")
    sees: str = helped("How large that is, in words.")
    columns: tuple[MapEvidence, ...] = helped("The strongest maps on this picture.")
    dreamt: str = helped("A sentence about the synthesised pictures.")
    grow: str = helped("Where they can be made, empty where all are there.")
    crops_of: str = helped("Of which pictures the crops are the strongest.")
    bars: tuple[ShareBar, ...] = helped("The measured shares; none while they are measured.")
    how: tuple[str, ...] = helped("How they were measured.")
    progress: SurveyProgress | None = helped("How far the measuring is, while it goes on.")
    again: str = helped("This page.")
    explore: str = helped("The layer's step in the explorer.")
    csv: str = helped("URL of the measured shares as a table.")
    png: str = helped("URL of them as a picture.")
    choices: tuple[WalkChoice, ...] = helped("The networks that are here.")
    samples: tuple[tuple[Sample, str], ...] = helped("Built-in pictures and this page with each.")
    recent: tuple[tuple[Stored, str], ...] = helped("One's own pictures and this page with each.")
    link_expires: str = helped("How long a link to this view holds, in words.")
