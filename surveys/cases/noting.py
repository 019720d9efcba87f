"""Notes among readers: which keys they stand under, who may have written them, and which came when those keys were left. Pure."""

from collections.abc import Mapping

from surveys.cases.folded import Fold
from surveys.cases.letters import NONE, Letter
from surveys.cases.sealed_case import OpenedCase, Party, SealedCase, keys_of, read_row, rows_of
from surveys.cases.sealing import CannotOpen
from surveys.cases.wraps import Wrap


def read_notes(case: SealedCase, party: Party, opened: OpenedCase, fold: Fold) -> None:
    """What readers write among themselves: every change of the thread makes their next epoch, whether there are notes or not;
    before the first change, whoever writes the first note makes epoch 1."""
    rows, made = rows_of(case, "notes"), fold.notes
    opened.notes_rows = len(rows)
    rows = [row for row in rows if row.epoch not in fold.void_epochs]
    if not rows and not made:
        return
    keys, wrap, failed = keys_of(case, party, "notes")
    opened.keys["notes"], opened.notes_epoch = keys, max([1, *made])
    before, start, first_to = NONE, NONE, ""
    places = {letter.hash: place for place, letter in enumerate(opened.thread)}
    for row in rows:
        letter = read_row(row, keys)
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
        if opened.notes and body["epoch"] < opened.notes[-1]["epoch"]:
            raise CannotOpen("place")
        _noted_by(letter, opened)
        opened.notes.append(letter)
        before = letter.hash
        start = opened.notes[0].hash
    opened.notes_to = made[opened.notes_epoch][0] if made else first_to
    opened.late_notes = _late(opened)
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


def _late(opened: OpenedCase) -> set[int]:
    """Notes under keys that a change left, of which that change does not say that they were there: whoever it shut out could
    have written them since.

    Raises
    ------
    CannotOpen
        ``shorter``: the last note that a change says was there is missing.
    """
    assert opened.fold is not None
    found: set[int] = set()
    there = {note.hash: place for place, note in enumerate(opened.notes)}
    for act in opened.thread:
        noted = act["terms"].get("noted", "")
        if act["kind"] != "change" or not noted or act["number"] in opened.fold.void:
            continue
        if noted != NONE and noted not in there:
            raise CannotOpen("shorter")
        later = opened.notes[there[noted] + 1 if noted != NONE else 0 :]
        found |= {int(note["number"]) for note in later if note["epoch"] < act["terms"]["epoch"]}
    return found


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
