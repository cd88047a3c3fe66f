"""What the templates of an attack are given."""

from __future__ import annotations

from dataclasses import dataclass

from app.pictures.samples import Sample
from app.services.attacks.options import Method
from app.services.networks.catalogue import Model
from app.services.pictures.store import Stored
from app.web.attack.methods import MethodWords
from app.web.attack.panels import AttackPanel
from app.web.attack.view import AttackView
from app.web.parts.contexts import helped


@dataclass(frozen=True, slots=True)
class SettingSlider:
    """A number to be set by hand."""

    name: str = helped("Its name in the form.")
    title: str = helped("What it is called.")
    note: str = helped("What it means.")
    value: str = helped("Where it stands.")
    most: str = helped("Its right end; the left one is 0 or 1.")
    least: str = helped("Its left end.", "0")
    step: str = helped("What it moves by.", "1")
    unit: str = helped("What follows the value.", "")


@dataclass(frozen=True, slots=True)
class AttackForm:
    """The form: everything that can be chosen."""

    view: AttackView = helped("What the link says.")
    networks: tuple[Model, ...] = helped("Networks whose weights are here.")
    samples: tuple[Sample, ...] = helped("Built-in pictures.")
    recent: tuple[Stored, ...] = helped("This browser’s uploads.")
    stranger: bool = helped("Whether the picture is neither, but came by a link.")
    hours: float = helped("After how many hours uploads are deleted.")
    megabytes: int = helped("The largest upload.")
    methods: dict[Method, MethodWords] = helped("The attacks by id.")
    method: MethodWords = helped("The chosen one.")
    sliders: tuple[SettingSlider, ...] = helped("Epsilon, where the method has one.")
    more: tuple[SettingSlider, ...] = helped("Steps, where the method has them.")
    step_size: str = helped("The size of a step as it is written, empty for a quarter of epsilon.")
    classes: tuple[tuple[str, str], ...] = helped("What may be written as target, and its words.")
    problem: str = helped("What does not fit, in a sentence; else empty.")
    warnings: tuple[str, ...] = helped("What there is to say before it runs.")


@dataclass(frozen=True, slots=True)
class ClassShareBar:
    """One class and what the network gives it."""

    index: int = helped("The class.")
    label: str = helped("Its name.")
    logit: float = helped("Its score.")
    probability: float = helped("Its probability, 0..1.")
    kind: str = helped("`was` what it said at first, `goal` the target, `other`.")


@dataclass(frozen=True, slots=True)
class AttackFrame:
    """One step of an attack."""

    step: int = helped("Its number; 0 is the picture as it was.")
    url: str = helped("The page with this step on screen.")
    picture: str = helped("URL of its 8-bit picture.")
    noise: str = helped("URL of what changed, amplified.")
    bars: tuple[ClassShareBar, ...] = helped("The five likeliest classes.")
    kind: str = helped("Whether the first class is `was`, `goal` or `other`.")
    flips: bool = helped("Whether the answer changes here for the first time.")
    words: str = helped("The step in a sentence.")
    told: str = helped("How large the change is by now.")


@dataclass(frozen=True, slots=True)
class AttackSummary:
    """What came of it."""

    outcome: str = helped("`flipped`, `reached`, `held`, `missed`, `there` or `wrong`.")
    sentence: str = helped("The result in one sentence.")
    further: str = helped("The page with a larger epsilon, where that may help; else empty.")
    further_words: str = helped("What that link says.")
    control_sentence: str = helped("What random noise of the same size did, and what that means.")
    control_picture: str = helped("URL of the control’s picture.")
    control_noise: str = helped("URL of its noise, amplified.")
    control_bars: tuple[ClassShareBar, ...] = helped("The control’s five likeliest classes.")
    before: tuple[ClassShareBar, ...] = helped("Five classes before.")
    after: tuple[ClassShareBar, ...] = helped("Five classes after.")
    figures: tuple[tuple[str, str, str], ...] = helped("Name, value and meaning of each measure.")
    notes: tuple[str, ...] = helped("What else there is to say.")
    files: tuple[tuple[str, str], ...] = helped("URL and words of each file to take away.")
    explorer: str = helped("The explorer with the attacked picture.")
    panels: tuple[tuple[AttackPanel, str], ...] = helped("Panels, each with where it answers.")


@dataclass(frozen=True, slots=True)
class AttackStage:
    """The stage: empty, while it runs, or with everything."""

    view: AttackView = helped("The attack.")
    state: str = helped("`empty`, `running` or `done`.")
    title: str = helped("What the picture shows.")
    network: str = helped("The network’s name.")
    preview: str = helped("URL of the picture as it was brought.")
    side: int = helped("Pixels a side of what the network sees.")
    link_expires: str = helped("How long a link to this holds, in words.")
    expires: bool = helped("Whether it ends with an upload.")
    tries: tuple[tuple[str, str, str], ...] = helped("What to try: title, sentence, page.", ())
    events: str = helped("URL of the stream that brings the steps, while it runs.", "")
    planned: int = helped("How many steps it may have.", 0)
    amplified: str = helped("By how much the noise is amplified, in words.", "")
    legend: str = helped("What the noise’s colours mean.", "")
    shots: tuple[AttackFrame, ...] = helped("The steps so far.", ())
    shown: AttackFrame | None = helped("The one on screen.", None)
    ending: AttackSummary | None = helped("What came of it.", None)


@dataclass(frozen=True, slots=True)
class AttackPage:
    """The whole page."""

    desk: AttackForm = helped("The form.")
    scene: AttackStage = helped("The stage.")
