"""Opening a case of version 2, the same for reporter, handler, recovery and the offline command: backwards, then forwards. Pure.

Backwards: the newest wrap that names my own recipient gives an epoch's private half, and links lead down to the first.
Forwards: the letters are read from the first and folded. What the server says beside that is not believed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from surveys.cases import fold as folding
from surveys.cases import wraps
from surveys.cases.fold import Fold
from surveys.cases.letters import NONE, RECOVERY, REPORTER, Letter, plain_of, read
from surveys.cases.sealing import CannotOpen, recipient_of_identity
from surveys.cases.wraps import EpochKey, Wrap
from surveys.public.rings import Chain


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


def handler(name: str, identity: str) -> Party:
    return Party(name, lambda sealed, stream, number: wraps.open_wrap(sealed, identity, name, stream, number))


def open_case(case: SealedCase, party: Party, house: str, chain: Chain | None) -> OpenedCase:
    """Open and check all streams of a case that this party reads.

    Raises
    ------
    CannotOpen
        If nothing of it can be read: not one letter of the thread, where there is a thread.
    """
    opened = OpenedCase()
    if party.name == REPORTER:
        _diary(case, party, house, opened)
    _thread(case, party, house, chain, opened)
    if opened.fold is not None and party.name not in (REPORTER, RECOVERY):
        try:
            _notes(case, party, opened, opened.fold)
        except CannotOpen as problem:
            opened.notes_problem = str(problem)
    return opened


def _rows(case: SealedCase, stream: str) -> list[SealedLetter]:
    rows = sorted((row for row in case.letters if row.stream == stream), key=lambda row: row.number)
    if [row.number for row in rows] != list(range(1, len(rows) + 1)):
        raise CannotOpen("place")
    return rows


def _keys(case: SealedCase, party: Party, stream: str) -> tuple[dict[int, str], Wrap | None, str]:
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


def _read_row(row: SealedLetter, keys: Mapping[int, str]) -> Letter:
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


def _thread(case: SealedCase, party: Party, house: str, chain: Chain | None, opened: OpenedCase) -> None:
    rows = _rows(case, "thread")
    if not rows and party.name == REPORTER:
        return
    keys, wrap, failed = _keys(case, party, "thread")
    opened.keys["thread"] = keys
    if not keys:
        raise CannotOpen(failed or "wrap_not_mine")
    for row in rows:
        try:
            letter = _read_row(row, keys)
            if opened.fold is None:
                begun = folding.begin(letter, house, chain)
                _check_first(begun, case, party)
                opened.fold = begun
            else:
                folding.step(opened.fold, letter, chain)
        except CannotOpen as problem:
            opened.problem = str(problem)
            if _goes_on(row, rows, keys, opened):
                continue
            break
        opened.thread.append(letter)
    if opened.fold is None:
        raise CannotOpen(opened.problem or "gone")
    _check_contents(opened)
    if not opened.problem:
        opened.problem = _check_wrap(opened.fold, party, wrap, failed, keys)


def _goes_on(row: SealedLetter, rows: Sequence[SealedLetter], keys: Mapping[int, str], opened: OpenedCase) -> bool:
    """Rows of an epoch that I cannot open may be void: a later `broken` under an epoch of mine says so."""
    if opened.problem != "epoch_broken" or opened.fold is None:
        return False
    fold = opened.fold
    for later in rows[row.number :]:
        if later.epoch not in keys or later.epoch >= row.epoch:
            continue
        try:
            letter = _read_row(later, keys)
        except CannotOpen:
            return False
        if letter["kind"] == "broken" and letter["terms"]["change"] == fold.act and row.number == fold.count + 1:
            fold.count += 1  # an unreadable row keeps its place
            fold.void.add(row.number)
            opened.problem = ""
            return True
    return False


def _check_first(fold: Fold, case: SealedCase, party: Party) -> None:
    if fold.case != case.case:
        raise CannotOpen("place")
    if party.name == REPORTER and fold.reporter != {"signer": party.signer, "reader": party.reader}:
        raise CannotOpen("letter_forged")


def _check_wrap(fold: Fold, party: Party, wrap: Wrap | None, failed: str, keys: Mapping[int, str]) -> str:
    """Whether my wrap is the one that the epoch's maker gave me, and opens the epoch in use."""
    if fold.epoch not in keys:
        return "epoch_broken" if failed or party.name in fold.readers or party.name == REPORTER else "gone"
    if party.name not in (REPORTER, RECOVERY) and party.name not in fold.readers:
        return "gone"
    if wrap is None:
        return "" if 1 in keys and fold.epoch == 1 and "thread" in party.first else "wrap_not_mine"
    epoch = wrap.epoch
    if epoch.number in fold.void_epochs:
        return ""
    if epoch.number != fold.epoch:
        return "shorter" if epoch.number > fold.epoch else "epoch_broken"
    if (epoch.start, epoch.act, wrap.by, wrap.key) != (fold.start, fold.act, fold.made_by, fold.made_key):
        return "letter_forged"
    return ""


def _check_contents(opened: OpenedCase) -> None:
    """A letter without its content stands only where two took it out, and with the content they named."""
    fold = opened.fold
    assert fold is not None
    for letter in opened.thread:
        done = fold.redacted.get(letter["number"])
        if done is not None and done.content != letter["content"]:
            opened.problem = opened.problem or "letter_forged"
        if letter.content is None and done is None:
            opened.problem = opened.problem or "redaction_alone"


def _diary(case: SealedCase, party: Party, house: str, opened: OpenedCase) -> None:
    """The reporter's own stream: one epoch that only her code derives."""
    identity = party.first.get("diary", "")
    before, start = NONE, NONE
    for row in _rows(case, "diary"):
        letter = _read_row(row, {1: identity})
        body = letter.head.body
        place = (body["house"], body["case"], body["stream"], body["number"], body["before"], body["start"], body["epoch"])
        if place != (house, case.case, "diary", row.number, before, start, 1) or letter.content is None:
            raise CannotOpen("place")
        if letter.head.key != party.signer or body["from"] != REPORTER or body["kind"] != "diary":
            raise CannotOpen("letter_forged")
        opened.diary.append(letter)
        before = letter.hash
        start = opened.diary[0].hash
    if opened.diary:
        opened.keys["diary"] = {1: identity}


def _notes(case: SealedCase, party: Party, opened: OpenedCase, fold: Fold) -> None:
    """What readers write among themselves: every change of the thread makes their next epoch, whether there are notes or not;
    before the first change, whoever writes the first note makes epoch 1."""
    rows, made = _rows(case, "notes"), fold.notes
    opened.notes_rows = len(rows)
    rows = [row for row in rows if row.epoch not in fold.void_epochs]
    if not rows and not made:
        return
    keys, wrap, failed = _keys(case, party, "notes")
    opened.keys["notes"], opened.notes_epoch = keys, max([1, *made])
    before, start, first_to = NONE, NONE, ""
    places = {letter.hash: place for place, letter in enumerate(opened.thread)}
    for row in rows:
        letter = _read_row(row, keys)
        body = letter.head.body
        if (body["house"], body["case"], body["stream"], body["number"]) != (fold.house, fold.case, "notes", row.number):
            raise CannotOpen("place")
        if (body["before"], body["start"]) != (before, start) or body["thread"] not in places:
            raise CannotOpen("place")
        if body["epoch"] != _in_force(made, places, places[body["thread"]]):
            raise CannotOpen("place")
        if body["epoch"] == 1:
            first_to = first_to or body["to"]
        if body["to"] != (first_to if body["epoch"] == 1 else made[body["epoch"]][0]):
            raise CannotOpen("place")
        _noted_by(letter, opened)
        opened.notes.append(letter)
        before = letter.hash
        start = opened.notes[0].hash
    opened.notes_to = made[opened.notes_epoch][0] if made else first_to
    if opened.notes_epoch not in keys or _left_behind(opened, places):
        raise CannotOpen(failed or "epoch_broken")
    _check_notes_wrap(opened, fold, wrap)


def _in_force(made: Mapping[int, tuple[str, str, str, str]], places: Mapping[str, int], place: int) -> int:
    """The notes epoch at a letter of the thread: that of the last change up to it. A note under an older one is nobody's who
    had seen that letter: it lets whoever was shut out read on."""
    return max([1, *(number for number, (_, act, _, _) in made.items() if places[act] <= place)])


def _left_behind(opened: OpenedCase, places: Mapping[str, int]) -> bool:
    """A change without a key for notes, as versions before wrote it where they saw none, came after a note: its author was
    not shown them, and whoever it shut out holds the key until the next change."""
    fold = opened.fold
    assert fold is not None
    if not opened.notes:
        return False
    since = max([places[opened.notes[0]["thread"]], *(places[act] for _, act, _, _ in fold.notes.values())])
    later = opened.thread[since + 1 :]
    return any(one["kind"] == "change" and not one["terms"]["notes"] and one["number"] not in fold.void for one in later)


def _check_notes_wrap(opened: OpenedCase, fold: Fold, wrap: Wrap | None) -> None:
    if wrap is None or wrap.epoch.start != fold.start:
        raise CannotOpen("letter_forged")
    number = wrap.epoch.number
    if number in fold.void_epochs:
        return
    maker: tuple[str, ...] = ()
    if number in fold.notes:
        _, act, by, key = fold.notes[number]
        maker = (by, key, act)
    elif number == 1 and opened.notes:
        maker = (opened.notes[0]["from"], opened.notes[0].head.key, fold.start)
    if (wrap.by, wrap.key, wrap.epoch.act) != maker:
        raise CannotOpen("letter_forged")


def _noted_by(letter: Letter, opened: OpenedCase) -> None:
    """The author of a note read the thread when she wrote it: some letter or list of the thread gave her that key."""
    author = letter["from"]
    keys = {
        one["signer"]
        for seen in opened.thread
        for one in seen["terms"].get("readers", ())
        if one["id"] == author
    }  # fmt: skip
    if letter.head.key not in keys:
        raise CannotOpen("author_unknown")
    if letter["kind"] not in ("note", "triage", "hold", "lift") or letter.content is None:
        raise CannotOpen("letter_forged")


def redacted_text(opened: OpenedCase, number: int) -> str | None:
    """The words that two put in a letter's place; None where nothing was taken out."""
    fold = opened.fold
    done = fold.redacted.get(number) if fold else None
    if done is None:
        return None
    act = next(letter for letter in opened.thread if letter["number"] == done.act)
    return str(act.content["text"]) if act.content is not None else ""


def next_epoch_key(fold: Fold, stream: str, number: int, identity: str, act: str) -> EpochKey:
    return EpochKey(fold.start, stream, number, identity, recipient_of_identity(identity), act)


def head_words(key: bytes, fold: Fold, expand: Callable[[bytes, str], bytes], words: Sequence[str]) -> tuple[str, str]:
    """Two words for the state of a thread, by a key that only the code gives: nobody can search for a second state."""
    made = expand(key, f"ascolto concern v2 words\n{fold.start}\n{fold.head}\n{fold.ring[0]}")
    bits = int.from_bytes(made[:3], "big") >> 2
    return words[bits >> 11], words[bits & 2047]
