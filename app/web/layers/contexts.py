"""Template contexts of the layer walk."""

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

    number: int  # 1-5
    title: str
    url: str  # the same network and picture; "" if there is none
    shown: bool


@dataclass(frozen=True, slots=True)
class MapEvidence:
    """One map of the layer: on the picture, synthesised, in other pictures."""

    channel: int
    url: str  # the explorer with it
    peak: float  # its highest value on this picture
    map: str  # URL
    synthesised: str  # URL; "" if there is none
    crops: tuple[CropView, ...]  # its strongest


@dataclass(frozen=True, slots=True)
class ReceptiveFieldView:
    """The receptive field of one cell of a layer, drawn on the picture."""

    layer: int  # 1-5
    box: Box  # input pixels
    here: bool  # whether it belongs to the layer on screen


@dataclass(frozen=True, slots=True)
class ShareBar:
    """One measured share."""

    title: str  # the preference of these maps
    share: float | None  # of all maps, 0..1; None if it cannot be measured
    words: str  # how many of how many


@dataclass(frozen=True, slots=True)
class TriedPicture:
    """One picture of the trap question, run through this network."""

    title: str  # how it was changed
    image: str  # URL of the network's input; "" for a number alone
    cover: str  # the part covered with grey, as an SVG path on the input
    value: float  # the activation
    share: float  # of the largest, 0..1


@dataclass(frozen=True, slots=True)
class QuestionTrial:
    """The trap question, tested on the selected network."""

    text: str  # the result
    tries: tuple[TriedPicture, ...] = ()
    url: str = ""  # the explorer with the map; "" if it is about many
    link: str = ""  # text of that link


@dataclass(frozen=True, slots=True)
class WalkChoice:
    """Another network to choose."""

    title: str
    url: str  # the same layer in it
    shown: bool


@dataclass(frozen=True, slots=True)
class Walk:
    """One screen of the walk."""

    number: int = helped("The layer, 1-5.")
    model: Model = helped("The network.")
    step: str = helped("The layer's last step, whose maps are shown.")
    words: Words = helped("What it responds to, in two sentences.")
    finding: PublishedFinding = helped("What was published about it.")
    question: TrapQuestion = helped("A question with a trap, and its answer.")
    trial: QuestionTrial | None = helped("The tested question; None while it is being measured.")
    dots: tuple[WalkDot, ...] = helped("The five steps.")
    previous: str = helped("The layer before, empty at the first.")
    next: str = helped("The layer after, empty at the last.")
    photo: PhotoOverlay = helped("The picture.")
    title: str = helped("Title of the picture.")
    fields: tuple[ReceptiveFieldView, ...] = helped("The receptive field of a cell of each layer.")
    scene: str = helped("The picture and the layer's receptive field around it, as a viewBox.")
    sees: str = helped("The size of the receptive field, in words.")
    columns: tuple[MapEvidence, ...] = helped("The strongest maps on this picture.")
    dreamt: str = helped("A sentence about the synthesised pictures.")
    grow: str = helped("URL to synthesise missing ones, empty if all are available.")
    crops_of: str = helped("Of which pictures the crops are the strongest.")
    bars: tuple[ShareBar, ...] = helped("The measured shares; empty while they are being measured.")
    how: tuple[str, ...] = helped("How they were measured.")
    progress: SurveyProgress | None = helped("Progress of the survey, None if finished.")
    again: str = helped("URL of this page.")
    explore: str = helped("The layer's step in the explorer.")
    csv: str = helped("URL of the measured shares as a table.")
    png: str = helped("URL of the shares as a picture.")
    choices: tuple[WalkChoice, ...] = helped("The available networks.")
    samples: tuple[tuple[Sample, str], ...] = helped("Built-in pictures and this page with each.")
    recent: tuple[tuple[Stored, str], ...] = helped("The user's uploads and this page with each.")
    link_expires: str = helped("How long a link to this view stays valid, in words.")
