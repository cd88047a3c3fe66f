"""Registry of the panels under an attack: each folded until it is opened, one line in the table.

A panel `{id}` is served at `/attack/{id}`. Links carry the query of a `PairView`; each panel reads
what it needs of it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AttackPanel:
    """The title of a panel and the question it answers."""

    id: str
    title: str
    sentence: str


PANELS: tuple[AttackPanel, ...] = (
    AttackPanel("where", "Where it happens", "At which step does a small change grow large?"),
    AttackPanel("sweep", "From no noise to much", "How large must a change be, attack or noise?"),
    AttackPanel("survive", "Does it survive?", "JPEG, blur, a photo: which breaks first?"),
    AttackPanel("transfer", "Does it transfer?", "The same pixels, shown to every other network."),
    AttackPanel("unusual", "Is it unusual?", "Does the network notice that something is odd?"),
    AttackPanel("sticker", "A sticker", "Can a thing next to it change the answer?"),
    AttackPanel("change", "Without any attack", "Turned, brighter, darker: does the answer stay?"),
)
