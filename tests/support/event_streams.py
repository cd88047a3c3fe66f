"""Reading server-sent events."""

from __future__ import annotations


def parse(text: str) -> list[dict[str, str]]:
    """Events of a stream, each with event, id and data."""
    events = []
    for block in text.strip().split("\n\n"):
        event: dict[str, str] = {}
        for line in block.splitlines():
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            event[name] = f"{event[name]}\n{value}" if name in event else value
        events.append(event)
    return [event for event in events if "" not in event]
