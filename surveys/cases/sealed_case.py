"""A sealed case as a server hands it out, what a party opens it with, and what could be read of it. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from surveys.cases import wraps
from surveys.cases.folded import Fold
from surveys.cases.letters import Letter, plain_of, read
from surveys.cases.sealing import CannotOpen, recipient_of_identity
from surveys.cases.wraps import Wrap


@dataclass(frozen=True, slots=True)
class SealedEpochRow:
    """An epoch as the store has it: my wrap, if a row carries my blind name, and the link to the one before."""

    stream: str
    number: int
    wrap: bytes
    link: bytes


@dataclass(frozen=True, slots=True)
class SealedLetter:
    """A letter as the store has it; its epoch is only where to try."""

    stream: str
    number: int
    epoch: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class SealedCase:
    """A case as a server hands it out."""

    case: str
    epochs: Sequence[SealedEpochRow]
    letters: Sequence[SealedLetter]


@dataclass(frozen=True, slots=True)
class Party:
    """Who opens: her name (or ``reporter``, ``recovery``) and how she opens a wrap that is hers.

    `first` is the private half of the thread's first epoch where she derives it herself; `case`, `signer` and `reader` are
    what a reporter's code says, and must be what the letters say.
    """

    name: str
    open_wrap: Callable[[bytes, str, int], Wrap]
    first: Mapping[str, str] = field(default_factory=dict)
    signer: str = ""
    reader: str = ""


@dataclass(slots=True)
class OpenedCase:
    """What could be read. `problem` is empty, or the word of what is wrong from the last shown letter on: then nothing is
    written on. `keys` are identities by stream and epoch."""

    fold: Fold | None = None
    thread: list[Letter] = field(default_factory=list)
    notes: list[Letter] = field(default_factory=list)
    diary: list[Letter] = field(default_factory=list)
    keys: dict[str, dict[int, str]] = field(default_factory=dict)
    problem: str = ""
    notes_problem: str = ""
    notes_to: str = ""
    notes_epoch: int = 0
    notes_rows: int = 0
    claimed: set[str] = field(default_factory=set)
    """Who says, of keys that I cannot open, that they do not open for her either."""
    late_notes: set[int] = field(default_factory=set)
    """Numbers of notes under keys that were left, which were not there when those keys were left."""


def rows_of(case: SealedCase, stream: str) -> list[SealedLetter]:
    rows = sorted((row for row in case.letters if row.stream == stream), key=lambda row: row.number)
    if [row.number for row in rows] != list(range(1, len(rows) + 1)):
        raise CannotOpen("place")
    return rows


def keys_of(case: SealedCase, party: Party, stream: str) -> tuple[dict[int, str], Wrap | None, str]:
    """Identities by epoch from the newest wrap that opens, down its links, and from older wraps where a link fails: whoever made
    the keys anew must not be able to cut others off from what they could read. The wrap; and what failed above it."""
    rows = {row.number: row for row in case.epochs if row.stream == stream}
    keys: dict[int, str] = {}
    problem, wrap = "", None
    if stream in party.first:
        keys[1] = party.first[stream]
    for number in sorted(rows, reverse=True):
        if number not in keys or (number == 1 and wrap is None):
            if not rows[number].wrap:
                continue
            try:
                found = party.open_wrap(rows[number].wrap, stream, number)
            except CannotOpen as failed:
                problem = problem or (str(failed) if wrap is None else "")
                continue
            wrap = wrap or found
            keys[number] = found.epoch.identity
        if number > 1:
            _down(rows[number], keys)
    return keys, wrap, problem


def _down(row: SealedEpochRow, keys: dict[int, str]) -> None:
    """Add the identity of the epoch before, where the link gives one; whether it is the right one, the letters say."""
    try:
        before, identity = wraps.open_link(row.link, keys[row.number])
    except CannotOpen:
        return
    if before < row.number:
        keys.setdefault(before, identity)


def read_row(row: SealedLetter, keys: Mapping[int, str]) -> Letter:
    identity = keys.get(row.epoch)
    if identity is None:
        raise CannotOpen("epoch_broken")
    try:
        plain = plain_of(row.sealed, identity)
    except CannotOpen as problem:
        raise CannotOpen("place") from problem
    letter = read(plain)
    if letter["epoch"] != row.epoch or letter["to"] != recipient_of_identity(identity):
        raise CannotOpen("place")
    return letter
