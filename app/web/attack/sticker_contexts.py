"""What the templates of the sticker panel are given."""

from __future__ import annotations

from dataclasses import dataclass

from app.services.shelf import Refused
from app.web.attack.contexts import Bar, Slider
from app.web.attack.panels import AttackPanel
from app.web.attack.sticker_view import StickerView
from app.web.contexts import helped


@dataclass(frozen=True, slots=True)
class StickerChoice:
    """One sticker that can be taken."""

    index: int = helped("Its class.")
    label: str = helped("The class’s name.")
    picture: str = helped("URL of the sticker, round on a clear ground.")
    checked: bool = helped("Whether it is the chosen one.")


@dataclass(frozen=True, slots=True)
class Look:
    """One pasted picture and the answer to it."""

    title: str = helped("What is on it.")
    picture: str = helped("URL of the 8-bit picture.")
    bars: tuple[Bar, ...] = helped("The likeliest five, the sticker’s class after them if need be.")
    sentence: str = helped("What came of it.")
    reached: bool = helped("Whether it is taken for the sticker’s class.")


@dataclass(frozen=True, slots=True)
class StickerSeen:
    """What changes with every move."""

    view: StickerView = helped("The network, picture, sticker and place.")
    own: Look = helped("With the sticker.")
    control: Look = helped("With a sticker of random colours.")
    clean: str = helped("What the network says to the bare picture.")
    area: float = helped("The share of the picture that the sticker touches, 0..1.")
    verdict: str = helped("All of it in a sentence, for screen readers.")
    fields: tuple[tuple[str, str], ...] = helped("What the form that keeps the picture sends.")


@dataclass(frozen=True, slots=True)
class StickerPanel:
    """The whole panel."""

    seen: StickerSeen | None = helped("The answer; None where there is no sticker.")
    network: str = helped("The network’s name.")
    model: str = helped("Its id.")
    image: str = helped("The picture’s id.")
    side: int = helped("Side of the network’s input, pixels.")
    choices: tuple[StickerChoice, ...] = helped("The stickers there are.")
    sliders: tuple[Slider, ...] = helped("Place, size, turn.")
    about: str = helped("How the chosen one was made and how often it works.")
    refused: tuple[Refused, ...] = helped("Files that were made from other weights.")


@dataclass(frozen=True, slots=True)
class Dot:
    """One place that was tried."""

    x: float = helped("Across, 0..100.")
    y: float = helped("Down, 0..100.")
    hit: bool = helped("Whether the picture was taken for the sticker’s class there.")


@dataclass(frozen=True, slots=True)
class StickerPlaces:
    """A hundred random places."""

    view: StickerView = helped("The network, picture, sticker and size.")
    label: str = helped("The sticker’s class.")
    count: int = helped("How many places.")
    hits: int = helped("At how many it worked.")
    random: int = helped("At how many a sticker of random colours was taken for that class.")
    moved: int = helped("At how many the random one changed the answer to anything.")
    clean: str = helped("What the network says to the bare picture.")
    others: tuple[tuple[str, int], ...] = helped("What else was seen with the sticker, how often.")
    area: float = helped("The share of the picture it covers, 0..1.")
    dots: tuple[Dot, ...] = helped("Where it lay.")
    picture: str = helped("URL of the bare picture as the network gets it.")
    again: str = helped("URL of another hundred.")


@dataclass(frozen=True, slots=True)
class StickerKept:
    """A pasted picture that is one of the person’s own now."""

    image: str = helped("Its id.")
    explorer: str = helped("The explorer with it.")
    attack: str = helped("The attack page with it.")
    panels: tuple[tuple[AttackPanel, str], ...] = helped("Panels that compare, each with its URL.")
    expires: str = helped("How long it stays, in words.")
