"""Template contexts of the attack page."""

from __future__ import annotations

from dataclasses import dataclass

from app.pictures.samples import Sample
from app.services.attacks.options import Method
from app.services.networks.catalogue import Model
from app.services.pictures.store import Stored
from app.web.attack.class_bars import ClassShareBar
from app.web.attack.methods import MethodWords
from app.web.attack.view import AttackView
from app.web.panels.panel import AttackPanel
from app.web.parts.contexts import helped


@dataclass(frozen=True, slots=True)
class SettingSlider:
    """A slider for a number."""

    name: str  # in the form
    title: str
    note: str  # what it means
    value: str
    most: str
    least: str = "0"
    step: str = "1"
    unit: str = ""  # after the value


@dataclass(frozen=True, slots=True)
class AttackForm:
    """The form of the attack page."""

    view: AttackView = helped("The view that the URL describes.")
    networks: tuple[Model, ...] = helped("Networks whose weights are available.")
    samples: tuple[Sample, ...] = helped("Built-in pictures.")
    recent: tuple[Stored, ...] = helped("This browser’s uploads.")
    stranger: bool = helped("Whether the picture is neither, but was named by a link.")
    hours: float = helped("After how many hours uploads are deleted.")
    megabytes: int = helped("The largest upload.")
    methods: dict[Method, MethodWords] = helped("The attacks by id.")
    method: MethodWords = helped("The selected method.")
    sliders: tuple[SettingSlider, ...] = helped("The slider of epsilon, if the method has one.")
    more: tuple[SettingSlider, ...] = helped("The slider of steps, if the method has them.")
    step_size: str = helped("The step size as text, empty for a quarter of epsilon.")
    classes: tuple[tuple[str, str], ...] = helped("What may be typed as target, and its full text.")
    problem: str = helped("Why the settings are invalid, in a sentence; else empty.")
    warnings: tuple[str, ...] = helped("Warnings before it runs.")


@dataclass(frozen=True, slots=True)
class AttackFrame:
    """One step of an attack."""

    step: int  # 0 is the clean picture
    url: str  # the page with this step on screen
    picture: str  # URL, 8 bits
    noise: str  # URL of the perturbation, amplified
    bars: tuple[ClassShareBar, ...]  # the five likeliest classes
    kind: str  # the predicted class: `was`, `goal` or `other`
    flips: bool  # whether the prediction changes here for the first time
    words: str
    told: str  # how large the perturbation is so far


@dataclass(frozen=True, slots=True)
class AttackSummary:
    """The result of an attack."""

    outcome: str  # `flipped`, `reached`, `held`, `missed`, `there` or `wrong`
    sentence: str
    further: str  # the page with a larger epsilon; "" if that would not help
    further_words: str
    control_sentence: str
    control_picture: str  # URL
    control_noise: str  # URL, amplified
    control_bars: tuple[ClassShareBar, ...]
    before: tuple[ClassShareBar, ...]  # the five likeliest classes
    after: tuple[ClassShareBar, ...]  # as many
    figures: tuple[tuple[str, str, str], ...]  # name, value and meaning
    notes: tuple[str, ...]
    files: tuple[tuple[str, str], ...]  # URL and text
    explorer: str  # URL, with the attacked picture
    panels: tuple[tuple[AttackPanel, str], ...]  # with their URLs


@dataclass(frozen=True, slots=True)
class AttackStage:
    """The stage: empty, while an attack runs, or with all its steps."""

    view: AttackView = helped("The view of the attack.")
    state: str = helped("`empty`, `running` or `done`.")
    title: str = helped("What the picture shows.")
    network: str = helped("The network’s name.")
    preview: str = helped("URL of the uploaded or built-in picture.")
    side: int = helped("Side of the network's input, pixels.")
    link_expires: str = helped("How long a link to this stays valid, in words.")
    expires: bool = helped("Whether it expires with an upload.")
    tries: tuple[tuple[str, str, str], ...] = helped("Suggestions: title, sentence, page.", ())
    events: str = helped("URL of the event stream of the steps, while it runs.", "")
    planned: int = helped("The maximal number of steps.", 0)
    amplified: str = helped("Amplification of the perturbation, in words.", "")
    legend: str = helped("What the perturbation's colours mean.", "")
    shots: tuple[AttackFrame, ...] = helped("The steps so far.", ())
    shown: AttackFrame | None = helped("The step on screen.", None)
    ending: AttackSummary | None = helped("The result.", None)


@dataclass(frozen=True, slots=True)
class AttackPage:
    """The whole page."""

    desk: AttackForm = helped("The form.")
    scene: AttackStage = helped("The stage.")
