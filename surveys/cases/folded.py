"""What a thread's signed letters have said by now: who reads, which epoch is in use, the state and its days. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from surveys import signed
from surveys.cases.letters import NONE, REPORTER, Letter

Keys = Mapping[str, str]
"""A reader: id, recipient, signer."""


def case_of(signer: str, reader: str) -> str:
    """The number of a case (63 bits, 16 hex): the reporter's two public keys decide it."""
    return f"{int(signed.digest(signer + reader)[:16], 16) >> 1:016x}"


@dataclass(slots=True)
class Ask:
    """Something that needs two: what, by whom, the hash of what exactly; `allowed` by the reporter."""

    by: str
    what: str
    payload: str
    allowed: bool = False


@dataclass(frozen=True, slots=True)
class Redaction:
    """What stands in a letter's place, by two."""

    content: str
    act: int
    by: str


@dataclass(slots=True)
class Claims:
    """Who says of a change of keys that they do not open for her, and who made it."""

    maker: str
    by: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Fold:
    """All that a thread says by now."""

    house: str
    case: str
    start: str = NONE
    head: str = NONE
    count: int = 0
    epoch: int = 1
    highest: int = 1
    """The epoch in use, and the highest number that any epoch had: a void one's number is not used again."""
    to: str = ""
    act: str = NONE
    """The act that made the epoch in use."""
    reporter: dict[str, str] = field(default_factory=dict)
    """The reporter's signer and reader (recipient)."""
    readers: dict[str, Keys] = field(default_factory=dict)
    recovery: list[Keys] = field(default_factory=list)
    out: list[Keys] = field(default_factory=list)
    ring: tuple[int, str] = (0, NONE)
    asks: dict[str, Ask] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    """Asks that somebody acted on: each is good for one act."""
    left: set[str] = field(default_factory=set)
    wished: set[str] = field(default_factory=set)
    redacted: dict[int, Redaction] = field(default_factory=dict)
    notes: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Each notes epoch that a change made (it has the change's number): its recipient, and the change's hash."""
    heads: list[str] = field(default_factory=list)
    latest: str = ""
    """The latest day that any letter so far says."""
    received: str = ""
    acknowledged: str = ""
    outcome: str = ""
    state: str = ""
    contested: bool = False
    void: set[int] = field(default_factory=set)
    void_epochs: set[int] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)
    undo: dict[str, "Fold"] = field(default_factory=dict)
    """What stood before each change, by its hash: where keys that fail go back to."""
    claims: dict[str, Claims] = field(default_factory=dict)

    def last_of(self, author: str, letters: Sequence[Letter]) -> tuple[str, int]:
        """The day of an author's last letter and how many she wrote: "your last: 12 November, 3 in all"."""
        mine = [letter["day"] for letter in letters if letter["from"] == author]
        return (mine[-1] if mine else "", len(mine))


def wrote(fold: Fold, letter: Letter) -> bool:
    """Whether a letter is signed by the key of whoever it says wrote it."""
    author = letter["from"]
    key = fold.reporter["signer"] if author == REPORTER else fold.readers.get(author, {}).get("signer")
    return bool(letter.head.key == key)


def day_of(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
