"""Checks of an installed machine: what staff send leaves no trace, and what lies here is for the service alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """How a check ended, as it is printed."""

    GOOD = "✓"
    FAILED = "✗"
    UNSURE = "–"
    """Could not be looked at from here, or holds only in part: said, never passed over."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: the key of its sentences, how it ended, and what the sentence names."""

    key: str
    state: State
    values: Mapping[str, object] = field(default_factory=dict)


def good(key: str, /, **values: object) -> Finding:
    return Finding(key, State.GOOD, values)


def failed(key: str, /, **values: object) -> Finding:
    return Finding(key, State.FAILED, values)


def unsure(key: str, /, **values: object) -> Finding:
    return Finding(key, State.UNSURE, values)


def listed(things: list[str], at_most: int = 5) -> str:
    """The first few, and how many more there are."""
    more = len(things) - at_most
    return ", ".join(things[:at_most]) + (f" (+{more})" if more > 0 else "")
