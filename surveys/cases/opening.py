"""Opening a case of version 2, the same for reporter, handler, recovery and the offline command: backwards, then forwards. Pure.

Backwards: the newest wrap that names my own recipient gives an epoch's private half, and links lead down to the first.
Forwards: the letters are read from the first and folded. What the server says beside that is not believed.
"""

from collections.abc import Callable, Mapping, Sequence

from surveys.cases import changing, wraps
from surveys.cases import fold as folding
from surveys.cases.folded import Fold, wrote
from surveys.cases.letters import NONE, RECOVERY, REPORTER
from surveys.cases.noting import read_notes
from surveys.cases.sealed_case import OpenedCase, Party, SealedCase, SealedLetter, keys_of, read_row, rows_of
from surveys.cases.sealing import CannotOpen, recipient_of_identity
from surveys.cases.wraps import EpochKey, Wrap
from surveys.public.rings import Chain


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
            read_notes(case, party, opened, opened.fold)
        except CannotOpen as problem:
            opened.notes_problem = str(problem)
    return opened


def _thread(case: SealedCase, party: Party, house: str, chain: Chain | None, opened: OpenedCase) -> None:
    rows = rows_of(case, "thread")
    if not rows and party.name == REPORTER:
        return
    keys, wrap, failed = keys_of(case, party, "thread")
    opened.keys["thread"] = keys
    if not keys:
        raise CannotOpen(failed or "wrap_not_mine")
    for row in rows:
        try:
            letter = read_row(row, keys)
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
    """Rows of an epoch that I cannot open may be void: two say later, under an epoch of mine, that they cannot either."""
    if opened.problem != "epoch_broken" or opened.fold is None or row.number != opened.fold.count + 1:
        return False
    fold = opened.fold
    claims: dict[str, set[str]] = {}
    for later in rows[row.number :]:
        if later.epoch not in keys or later.epoch >= row.epoch:
            continue
        try:
            letter = read_row(later, keys)
        except CannotOpen:
            return False
        change = letter["terms"].get("change", "")
        back = fold.undo.get(change)
        if letter["kind"] == "fails" and back is not None and wrote(back, letter) and changing.may_claim(back, fold, letter["from"]):
            claims.setdefault(change, set()).add(letter["from"])
            opened.claimed.add(letter["from"])
        by_two = back is not None and len(claims.get(change, ())) > 1 and changing.loses_nobody(back, fold)
        if by_two or (letter["kind"] == "broken" and change == fold.act):
            fold.count += 1  # an unreadable row keeps its place
            fold.void.add(row.number)
            opened.problem = ""
            opened.claimed.clear()
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
    for row in rows_of(case, "diary"):
        letter = read_row(row, {1: identity})
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
