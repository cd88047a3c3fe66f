"""What the templates of synthesised pictures are given."""

from __future__ import annotations

from dataclasses import dataclass

from app.web.contexts import Tile, helped


@dataclass(frozen=True, slots=True)
class Measured:
    """A number beside others of its kind, with a bar."""

    name: str = helped("What it was measured on.")
    value: float = helped("The number.")
    share: float = helped("Its magnitude as a part of the largest, 0..1.")


@dataclass(frozen=True, slots=True)
class Made:
    """A finished picture."""

    name: str = helped("What it is for.")
    url: str = helped("The picture.")
    size: int = helped("Pixels of a side.")
    download: str = helped("The same, to be saved.")
    sentence: str = helped("How it was made.")
    measure: str = helped("Which number was raised or lowered.")
    measured: tuple[Measured, ...] = helped("That number on this and on other pictures.")
    shipped: bool = helped("Whether it came with the weights.")
    small: bool = helped("Whether it is a tile of its step's sheet, kept small.")
    curve: str = helped("The number on the way, an SVG path on 300 by 100; empty where unknown.")
    problem: str = helped("Why it could not be kept, empty where it was.", "")


@dataclass(frozen=True, slots=True)
class Growing:
    """A picture on its way."""

    url: str = helped("The newest picture.")
    size: int = helped("Pixels of a side.")
    name: str = helped("What it is for.")
    step: int = helped("The step that was made last.")
    steps: int = helped("How many there are.")
    reached: int = helped("After which step the picture was taken.")
    objective: str = helped("The number for that picture.")
    curve: str = helped("The number on the way, an SVG path on 300 by 100.")
    left: str = helped("The time that is left, in words.")


@dataclass(frozen=True, slots=True)
class Form:
    """The settings of a picture to be made."""

    hidden: tuple[tuple[str, str], ...] = helped("What the page knows already.")
    steps: int = helped("Steps of gradient ascent.")
    most_steps: int = helped("The most that are made.")
    seed: int = helped("Of the noise it begins with.")
    most_seed: int = helped("The largest.")
    size: int = helped("Pixels of a side.")
    sizes: tuple[int, ...] = helped("Those to choose from; one where the network sets it.")
    away: bool = helped("Whether the number is to be lowered.")
    mixes: bool = helped("Whether another channel can be mixed in.")
    second: int | None = helped("The other channel.")
    share: int = helped("How much it counts, per cent.")
    most: int = helped("The largest number of a channel.")
    others: tuple[tuple[int, str], ...] = helped("The strongest channels, to choose from.")


@dataclass(frozen=True, slots=True)
class SynthesisPanel:
    """The panel of a unit or a step."""

    name: str = helped("What it is for, in words.")
    form: Form = helped("Its settings.")
    made: Made | None = helped("The picture, where it can be shown at once.")
    events: str = helped("The stream that makes it, empty where nothing grows.")
    stop: str = helped("What a press on Stop asks for.")
    stopped: bool = helped("Whether it is the answer to that.", False)


@dataclass(frozen=True, slots=True)
class Wall:
    """The pictures of all channels of a step, strongest first."""

    tiles: tuple[Tile, ...] = helped("One for each channel.")
    sheet: str = helped("URL of the sheet they are on.")
    width: int = helped("Width of the sheet, pixels.")
    height: int = helped("Height of the sheet, pixels.")
    step: str = helped("The step.")
    at: str = helped("The step at which they were measured.")
    sentence: str = helped("How they were made.")
    classes: bool = helped("Whether they stand for classes.")


@dataclass(frozen=True, slots=True)
class Bar:
    """A class that a channel prefers."""

    name: str = helped("Its label.")
    value: float = helped("The mean response to its pictures.")
    share: float = helped("Its part of the largest, 0..1.")


@dataclass(frozen=True, slots=True)
class Responds:
    """What a unit's pane tells at once about what it responds to."""

    url: str = helped("The synthesised picture, empty where none is made yet.")
    alt: str = helped("What it is, for screen readers.")
    made: str = helped("The same picture as a link to the page names it.")
    bars: tuple[Bar, ...] = helped("The classes it prefers.")
    at: str = helped("The step whose responses those are.")
    pictures: str = helped("Over which pictures they are means.")
