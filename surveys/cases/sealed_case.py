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
    at: int = 0
    """Which letter brought it: a change of keys, or in notes the first note; 0 in rows of before December 2026."""


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

    `first` is the private half of the thread's first epoch where she derives it herself; `signer` and `reader` are what a
    reporter's code says, and must be what the letters say.
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
    newest: int = 1
    """The highest number of any epoch that letters could have brought, made by one or not: the next change takes a higher one."""
    claimed: set[str] = field(default_factory=set)
    """Who says, of keys that I cannot open, that they do not open for her either."""
    late_notes: dict[int, str] = field(default_factory=dict)
    """Numbers of notes under keys that were left, of which the change of keys does not say that they were there; and who made it."""
    missing_note: str = ""
    """Who made a change of keys that names a note which is not here: somebody hides notes, or it never was."""


def rows_of(case: SealedCase, stream: str) -> list[SealedLetter]:
    rows = sorted((row for row in case.letters if row.stream == stream), key=lambda row: row.number)
    if [row.number for row in rows] != list(range(1, len(rows) + 1)):
        raise CannotOpen("place")
    return rows


class Keys:
    """The private halves that a party has of a stream's epochs: from every wrap that opens, and down every link.

    Who made an epoch may have sealed something else to one reader, or linked to something else: which half is the right one
    the letters say, by the epoch's recipient. `failed` is the word of the newest wrap that did not open.
    """

    def __init__(self, case: SealedCase, party: Party, stream: str) -> None:
        self._found: dict[int, dict[str, str]] = {}
        self.failed = ""
        rows = {row.number: row for row in case.epochs if row.stream == stream}
        if stream in party.first:
            self._add(1, party.first[stream])
        opened = False
        for number in sorted(rows, reverse=True):
            if rows[number].wrap:
                try:
                    self._add(number, party.open_wrap(rows[number].wrap, stream, number).epoch.identity)
                    opened = True
                except CannotOpen as failed:
                    self.failed = self.failed or ("" if opened else str(failed))
            for identity in list(self._found.get(number, {}).values()):
                self._down(rows[number], identity)

    def _add(self, number: int, identity: str) -> None:
        self._found.setdefault(number, {}).setdefault(recipient_of_identity(identity), identity)

    def _down(self, row: SealedEpochRow, identity: str) -> None:
        try:
            before, older = wraps.open_link(row.link, identity)
        except CannotOpen:
            return
        if before < row.number:
            self._add(before, older)

    def __bool__(self) -> bool:
        return bool(self._found)

    def __contains__(self, epoch: object) -> bool:
        return epoch in self._found

    def of(self, epoch: int, to: str) -> str | None:
        """The private half of an epoch's recipient."""
        return self._found.get(epoch, {}).get(to)

    def read(self, row: SealedLetter, to: str = "") -> tuple[Letter, str]:
        """Open a letter with the half of its epoch's recipient, or of whatever recipient where that is not known yet; gives the
        half as well.

        Raises
        ------
        CannotOpen
            ``epoch_broken`` if there is no such half, ``place`` if none opens it, ``letter_forged``.
        """
        found = self._found.get(row.epoch, {})
        halves = {to: found[to]} if to in found else {} if to else found
        if not halves:
            raise CannotOpen("epoch_broken")
        for recipient, identity in halves.items():
            try:
                plain = plain_of(row.sealed, identity)
            except CannotOpen:
                continue
            letter = read(plain)
            if letter["epoch"] != row.epoch or letter["to"] != recipient:
                raise CannotOpen("place")
            return letter, identity
        raise CannotOpen("place")
