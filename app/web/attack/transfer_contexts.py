"""What the templates of “Does it transfer?” are given."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from app.services.catalogue import Model
from app.services.pairs import Pair
from app.services.sheets import DRAWING
from app.services.transfer import Answer, Left, Transferred, Verdict
from app.web.attack.frame import PairView
from app.web.contexts import helped
from app.web.panes.networks import megabytes
from models.classes import Label


@dataclass(frozen=True, slots=True)
class Asked:
    """A network that can be asked."""

    id: str = helped("The id of the network.")
    title: str = helped("What it is called.")
    url: str = helped("What it says, on a page of its own.")


@dataclass(frozen=True, slots=True)
class NotAsked:
    """A network that cannot be asked."""

    title: str = helped("What it is called.")
    reason: str = helped("Why, in a sentence.")
    command: str = helped("What brings its weights; empty where nothing does.")


@dataclass(frozen=True, slots=True)
class TransferPanel:
    """The whole panel."""

    title: str = helped("What the attacked network is called.")
    clean: Answer = helped("What it says to the clean picture.")
    attacked: Answer = helped("What it says to the attacked one.")
    side: int = helped("Pixels of a side of its input.")
    asked: tuple[Asked, ...] = helped("The networks that can be asked.")
    left: tuple[NotAsked, ...] = helped("Those that cannot.")
    csv: str = helped("URL of the table.")


@dataclass(frozen=True, slots=True)
class Column:
    """One picture as the other network gets it, and what it says."""

    id: str = helped("`photo`, `clean` or `attacked`.")
    title: str = helped("Which picture it is.")
    picture: str = helped("URL of what the network gets.")
    label: str = helped("Its likeliest class.")
    share: float = helped("The probability of that.")


@dataclass(frozen=True, slots=True)
class Told:
    """One network's answers."""

    id: str = helped("The id of the network.")
    title: str = helped("What it is called.")
    side: int = helped("Pixels of a side of its input.")
    columns: tuple[Column, ...] = helped("Photo, clean and attacked picture.")
    verdict: Verdict = helped("What became of the attack, in one word.")
    sentence: str = helped("The same, told carefully.")


def asked(view: PairView, model: Model) -> Asked:
    """A network that can be asked."""
    url = f"/attack/transfer/{quote(model.id)}?{view.query()}"
    return Asked(model.id, model.row.title, url)


def left(one: Left) -> NotAsked:
    """A network that cannot be asked, and why."""
    row = one.model.row
    if one.partial:
        reason = f"Its file ends at {one.model.entry.last}: without a classifier it names nothing."
        return NotAsked(row.title, reason, "")
    reason = f"Its weights are not on this computer ({megabytes(row.bytes)})."
    return NotAsked(row.title, reason, f"python -m app weights get {row.id}")


def answered(view: PairView, pair: Pair, mine: tuple[Answer, Answer], found: Transferred) -> Told:
    """One network's answers."""
    side = pair.clean.shape[1]
    query = f"{view.query(other=found.model.id)}&v={DRAWING}"
    titles = {
        "photo": ("The photo itself", found.photo),
        "clean": (f"Clean, at {side}×{side}", found.clean),
        "attacked": (f"Attacked, at {side}×{side}", found.attacked),
    }
    return Told(
        found.model.id,
        found.model.row.title,
        found.model.row.crop,
        tuple(
            Column(
                id,
                title,
                f"/attack/transfer.png?{query}&which={id}",
                answer.first.label,
                answer.ranked[0].probability,
            )
            for id, (title, answer) in titles.items()
        ),
        found.verdict,
        _sentence(pair, mine, found),
    )


def _sentence(pair: Pair, mine: tuple[Answer, Answer], found: Transferred) -> str:
    before, after = (one.first for one in mine)
    if before.wnid == after.wnid:
        return (
            f"The attack did not fool {pair.model.row.title} itself, so there is little to carry "
            f"over. {_changed(found)}"
        )
    text = _verdict(pair.model.row.title, found, before, after)
    return f"{text} {_target(found)}".strip()


def _verdict(mine: str, found: Transferred, before: Label, after: Label) -> str:
    clean, attacked = found.clean.first.label, found.attacked.first.label
    lacks = "" if found.made_here else f" It has no class “{after.label}” to be fooled into."
    match found.verdict:
        case "absent":
            return (
                f"It has no class “{before.label}” among its {len(found.model.labels)}, so it "
                f"cannot be right, and fooled means little. {_changed(found)}"
            )
        case "elsewhere":
            return (
                f"It says “{clean}” to the clean picture already, not “{before.label}”: whether "
                f"the attack would have fooled it cannot be said. {_changed(found)}"
            )
        case "held":
            return f"Not fooled: “{before.label}” both times.{lacks}"
        case "same":
            return f"Fooled as well, and into the same: “{attacked}”, as {mine}."
        case _:
            return f"Fooled as well, but into “{attacked}” and not “{after.label}”.{lacks}"


def _changed(found: Transferred) -> str:
    clean, attacked = found.clean.first, found.attacked.first
    if clean.wnid == attacked.wnid:
        return "Its answer does not change."
    return f"Its answer changes, from “{clean.label}” to “{attacked.label}”."


def _target(found: Transferred) -> str:
    if found.target is None:
        return ""
    return "The attack’s target is reached here, too." if found.target else "The target is not."
