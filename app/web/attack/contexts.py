"""Template contexts of the attack page."""

from __future__ import annotations

from dataclasses import dataclass

from app.pictures.samples import Sample
from app.services.attacks.options import Method
from app.services.networks.catalogue import Model
from app.services.pictures.store import Stored
from app.web.attack.methods import MethodWords
from app.web.attack.view import AttackView
from app.web.panels.panel import AttackPanel
from app.web.parts.contexts import helped


@dataclass(frozen=True, slots=True)
class SettingSlider:
    """A slider for a number."""

    name: str = helped("Its name in the form.")
    title: str = helped("Its label.")
    note: str = helped("What it means.")
    value: str = helped("Its current value.")
    most: str = helped("Its maximum; the minimum is 0 or 1.")
    least: str = helped("Its minimum.", "0")
    step: str = helped("Its step.", "1")
    unit: str = helped("The unit after the value.", "")


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
class ClassShareBar:
    """The bar of one class and its probability."""

    index: int = helped("Index of the class.")
    label: str = helped("Name of the class.")
    logit: float = helped("Its logit.")
    probability: float = helped("Its probability, 0..1.")
    kind: str = helped("`was` the first prediction, `goal` the target, `other`.")


@dataclass(frozen=True, slots=True)
class AttackFrame:
    """One step of an attack."""

    step: int = helped("Its number; 0 is the clean picture.")
    url: str = helped("The page with this step on screen.")
    picture: str = helped("URL of its 8-bit picture.")
    noise: str = helped("URL of the perturbation, amplified.")
    bars: tuple[ClassShareBar, ...] = helped("The five likeliest classes.")
    kind: str = helped("Whether the predicted class is `was`, `goal` or `other`.")
    flips: bool = helped("Whether the prediction changes here for the first time.")
    words: str = helped("The step in a sentence.")
    told: str = helped("How large the perturbation is so far.")


@dataclass(frozen=True, slots=True)
class AttackSummary:
    """The result of an attack."""

    outcome: str = helped("`flipped`, `reached`, `held`, `missed`, `there` or `wrong`.")
    sentence: str = helped("The result in one sentence.")
    further: str = helped("The page with a larger epsilon, if that may help; else empty.")
    further_words: str = helped("Text of that link.")
    control_sentence: str = helped("What random noise of the same size did, and what that means.")
    control_picture: str = helped("URL of the control’s picture.")
    control_noise: str = helped("URL of its perturbation, amplified.")
    control_bars: tuple[ClassShareBar, ...] = helped("The control’s five likeliest classes.")
    before: tuple[ClassShareBar, ...] = helped("The five likeliest classes before.")
    after: tuple[ClassShareBar, ...] = helped("The five likeliest classes after.")
    figures: tuple[tuple[str, str, str], ...] = helped("Name, value and meaning of each measure.")
    notes: tuple[str, ...] = helped("Further remarks.")
    files: tuple[tuple[str, str], ...] = helped("URL and text of each file for download.")
    explorer: str = helped("The explorer with the attacked picture.")
    panels: tuple[tuple[AttackPanel, str], ...] = helped("Panels and their URLs.")


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
