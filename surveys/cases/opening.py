"""Opening a case of version 2, the same for reporter, handler, recovery and the offline command: backwards, then forwards. Pure.

Backwards: the newest wrap that names my own recipient gives an epoch's private half, and links lead down to the first.
Forwards: the letters are read from the first and folded. What the server says beside that is not believed.
"""

from collections.abc import Callable, Sequence

from surveys.cases import changing, wraps
from surveys.cases import fold as folding
from surveys.cases.folded import Fold, wrote
from surveys.cases.letters import NONE, RECOVERY, REPORTER, Letter
from surveys.cases.noting import read_notes
from surveys.cases.sealed_case import Keys, OpenedCase, Party, SealedCase, SealedLetter, rows_of
from surveys.cases.sealing import CannotOpen
from surveys.public.rings import Chain


def handler(name: str, identity: str) -> Party:
    return Party(name, lambda sealed, stream, number: wraps.open_wrap(sealed, identity, name, stream, number))


def open_case(case: SealedCase, party: Party, house: str, chain: Chain | None) -> OpenedCase:
    """Open and check all streams of a case that this party reads.

    Parameters
    ----------
    case : as a server hands it out: not believed
    party : who opens, and what she opens with
    house : ρ of the installation that she believes, 64 hex
    chain : all rings of that house; without it no thread can be read

    Returns
    -------
    What could be read, and in `problem` why not more.

    Raises
    ------
    CannotOpen
        If nothing of it can be read: not one letter of the thread, where there is a thread and no diary. For a reporter
        also if an entry of her diary does not fit.
    """
    opened = OpenedCase()
    if party.name == REPORTER:
        _diary(case, party, house, opened)
    try:
        _thread(case, party, house, chain, opened)
    except CannotOpen as problem:
        if not opened.diary:
            raise
        opened.problem = str(problem)  # her own diary stays readable: only she has its key
    if opened.fold is not None and party.name not in (REPORTER, RECOVERY):
        try:
            read_notes(case, party, opened, opened.fold)
        except CannotOpen as problem:
            opened.notes_problem = str(problem)
    return opened


def _thread(case: SealedCase, party: Party, house: str, chain: Chain | None, opened: OpenedCase) -> None:
    rows = rows_of(case, "thread")
    if not rows and party.name == REPORTER:
        if not opened.diary or any(row.stream == "thread" for row in case.epochs):
            raise CannotOpen("shorter")  # a diary says that it is one: where a thread was begun, its letters are hidden
        return
    keys, right = Keys(case, party, "thread"), opened.keys.setdefault("thread", {})
    made = [row.number for row in case.epochs if row.stream == "thread" and row.number <= len(rows) + 1]
    opened.newest = max([1, *made])  # each epoch but the first is brought by a letter: no number is ahead of them
    if not keys:
        raise CannotOpen(keys.failed or "wrap_not_mine")
    for row in rows:
        fold = opened.fold
        try:
            letter, right[row.epoch] = keys.read(row, fold.to if fold is not None and row.epoch == fold.epoch else "")
            if fold is None:
                begun = folding.begin(letter, house, chain)
                _check_first(begun, case, party)
                opened.fold = begun
            else:
                folding.step(fold, letter, chain)
        except CannotOpen as problem:
            opened.problem = str(problem)
            if _goes_on(row, rows, keys, party, opened):
                continue
            break
        opened.thread.append(letter)
    if opened.fold is None:
        raise CannotOpen(opened.problem or "gone")
    _check_contents(opened)
    if not opened.problem:
        opened.problem = _check_keys(case, opened.fold, party, keys, right)


def _goes_on(row: SealedLetter, rows: Sequence[SealedLetter], keys: Keys, party: Party, opened: OpenedCase) -> bool:
    """Rows of an epoch that I cannot open may be void, in threads of before December 2026: a later `broken` under an epoch of mine
    says so, and somebody else wrote on after it. What two say now of keys that fail them is only told: `claimed`."""
    fold = opened.fold
    if opened.problem != "epoch_broken" or fold is None or row.number != fold.count + 1:
        return False
    for later in rows[row.number :]:
        if later.epoch not in keys or later.epoch >= row.epoch:
            continue
        try:
            letter, _ = keys.read(later)
        except CannotOpen:
            return False
        back = fold.undo.get(letter["terms"].get("change", ""))
        if back is None or not wrote(back, letter):
            continue
        if letter["kind"] == "fails" and changing.may_claim(back, fold, letter["from"]):
            opened.claimed.add(letter["from"])
        if (
            letter["kind"] == "broken"
            and letter["terms"]["change"] == fold.act
            and _taken_up(letter, later, rows, keys, party, back)
        ):
            fold.count += 1  # an unreadable row keeps its place
            fold.void.add(row.number)
            opened.problem = ""
            return True
    return False


def _taken_up(
    act: Letter, row: SealedLetter, rows: Sequence[SealedLetter], keys: Keys, party: Party, back: Fold
) -> bool:
    """Whether somebody other than its author and me wrote on after a `broken`: she could read what I cannot, and its days."""
    if row.number >= len(rows):
        return False
    try:
        following, _ = keys.read(rows[row.number])
    except CannotOpen:
        return False
    return (
        following["before"] == act.hash
        and following["from"] not in (act["from"], party.name)
        and wrote(back, following)
    )


def _check_first(fold: Fold, case: SealedCase, party: Party) -> None:
    if fold.case != case.case:
        raise CannotOpen("place")
    if party.name == REPORTER and fold.reporter != {"signer": party.signer, "reader": party.reader}:
        raise CannotOpen("letter_forged")


def _check_keys(case: SealedCase, fold: Fold, party: Party, keys: Keys, right: dict[int, str]) -> str:
    """Whether I hold the key in use, and no letter is hidden that made a newer one."""
    mine = keys.of(fold.epoch, fold.to)
    if mine is None:
        return "epoch_broken" if keys.failed or party.name in fold.readers or party.name == REPORTER else "gone"
    if party.name not in (REPORTER, RECOVERY) and party.name not in fold.readers:
        return "gone"
    right[fold.epoch] = mine
    for row in case.epochs:
        if row.stream == "thread" and row.number > fold.epoch and row.number not in fold.void_epochs:
            if row.at > fold.count or (not row.at and row.number > fold.highest):
                return "shorter"
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
    identity, keys = party.first.get("diary", ""), Keys(case, party, "diary")
    before, start = NONE, NONE
    for row in rows_of(case, "diary"):
        letter, _ = keys.read(row)
        body = letter.head.body
        place = (
            body["house"],
            body["case"],
            body["stream"],
            body["number"],
            body["before"],
            body["start"],
            body["epoch"],
        )
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


def head_words(key: bytes, fold: Fold, expand: Callable[[bytes, str], bytes], words: Sequence[str]) -> tuple[str, str]:
    """Two words for the state of a thread, by a key that only the code gives: nobody can search for a second state.

    Parameters
    ----------
    key : of the two words, 32 bytes (`CodeKeys.head`)
    fold : of the whole thread
    expand : HKDF-SHA256 of a key and a label, 32 bytes (`codes.expand`)
    words : the 2,048 words of the list
    """
    made = expand(key, f"ascolto concern v2 words\n{fold.start}\n{fold.head}\n{fold.ring[0]}")
    bits = int.from_bytes(made[:3], "big") >> 2
    return words[bits >> 11], words[bits & 2047]
