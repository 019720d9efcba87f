"""Notes among readers: which keys they stand under, who may have written them, and which came when those keys were left. Pure."""

from collections.abc import Mapping

from surveys.cases.folded import Fold
from surveys.cases.letters import NONE, Letter
from surveys.cases.sealed_case import Keys, OpenedCase, Party, SealedCase, rows_of
from surveys.cases.sealing import CannotOpen


def read_notes(case: SealedCase, party: Party, opened: OpenedCase, fold: Fold) -> None:
    """What readers write among themselves: every change of the thread makes their next epoch, whether there are notes or not;
    before the first change, whoever writes the first note makes epoch 1.

    Parameters
    ----------
    case : as a server hands it out: not believed
    party : a handler, and what she opens with
    opened : its thread is read; gets the notes, their keys and what is to be said of them, in place
    fold : of that thread

    Raises
    ------
    CannotOpen
        With the word of the first fault; the notes before it stay in `opened`.
    """
    rows, made = rows_of(case, "notes"), fold.notes
    opened.notes_rows = len(rows)
    rows = [row for row in rows if row.epoch not in fold.void_epochs]
    if not rows and not made:
        return
    keys, right = Keys(case, party, "notes"), opened.keys.setdefault("notes", {})
    opened.notes_epoch = max([1, *made])
    before, start, first_to = NONE, NONE, ""
    places = {letter.hash: place for place, letter in enumerate(opened.thread)}
    for row in rows:
        letter, right[row.epoch] = keys.read(row, made[row.epoch][0] if row.epoch in made else first_to)
        body = letter.head.body
        if (body["house"], body["case"], body["stream"], body["number"]) != (
            fold.house,
            fold.case,
            "notes",
            row.number,
        ):
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
    _mark_late(opened)
    mine = keys.of(opened.notes_epoch, opened.notes_to) if opened.notes_to else None
    if mine is None or _left_behind(opened, places):
        raise CannotOpen(keys.failed or "epoch_broken")
    right[opened.notes_epoch] = mine


def _in_force(made: Mapping[int, tuple[str, str]], places: Mapping[str, int], place: int) -> int:
    """The notes epoch at a letter of the thread: that of the last change up to it. A note under an older one is nobody's who
    had seen that letter: it lets whoever was shut out read on."""
    return max([1, *(number for number, (_, act) in made.items() if places[act] <= place)])


def _left_behind(opened: OpenedCase, places: Mapping[str, int]) -> bool:
    """A change without a key for notes, as versions before wrote it where they saw none, came after a note: its author was
    not shown them, and whoever it shut out holds the key until the next change."""
    fold = opened.fold
    assert fold is not None
    if not opened.notes:
        return False
    since = max([places[opened.notes[0]["thread"]], *(places[act] for _, act in fold.notes.values())])
    later = opened.thread[since + 1 :]
    return any(
        one["kind"] == "change" and not one["terms"]["notes"] and one["number"] not in fold.void for one in later
    )


def _mark_late(opened: OpenedCase) -> None:
    """Mark notes under keys that a change left, of which that change does not say that they were there: whoever it shut out could
    have written them since. A change that names a note which is not here binds nobody, and is told."""
    assert opened.fold is not None
    there = {note.hash: place for place, note in enumerate(opened.notes)}
    for act in opened.thread:
        noted = act["terms"].get("noted", "")
        if act["kind"] != "change" or not noted or act["number"] in opened.fold.void:
            continue
        if noted != NONE and noted not in there:
            opened.missing_note = act["from"]
            continue
        later = opened.notes[there[noted] + 1 if noted != NONE else 0 :]
        found = {int(note["number"]): str(act["from"]) for note in later if note["epoch"] < act["terms"]["epoch"]}
        opened.late_notes = found | opened.late_notes  # the first change that did not see it


def _noted_by(letter: Letter, opened: OpenedCase) -> None:
    """The author of a note read the thread when she wrote it: some letter or list of the thread gave her that key."""
    author = letter["from"]
    keys = {one["signer"] for seen in opened.thread for one in seen["terms"].get("readers", ()) if one["id"] == author}
    if letter.head.key not in keys:
        raise CannotOpen("author_unknown")
    if letter["kind"] not in ("note", "triage", "hold", "lift") or letter.content is None:
        raise CannotOpen("letter_forged")
