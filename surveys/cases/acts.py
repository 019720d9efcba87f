"""Writing letters and acts of version 2: for a reporter without a script, the offline command, the demonstration and tests.

Works on memory alone and gives what a server takes: ciphertext, blind places, proofs. The browser does the same in
``static/``. Random bytes come from the caller, so that frozen vectors can be made.
"""

import base64
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from surveys import signed
from surveys.cases import changing, letters, wraps
from surveys.cases.codes import CodeKeys
from surveys.cases.folded import Fold, case_of
from surveys.cases.letters import NONE, RECOVERY, REPORTER, Author, Place
from surveys.cases.sealed_case import OpenedCase, Party
from surveys.cases.sealing import CannotOpen, identity_text, public_of, recipient_of
from surveys.cases.wraps import EpochKey
from surveys.public.rings import Reader, Ring

Dice = Callable[[int], bytes]


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


@dataclass(frozen=True, slots=True)
class Reporter:
    """A reporter with what her code gives."""

    keys: CodeKeys

    @property
    def author(self) -> Author:
        return Author(REPORTER, self.keys.ed25519)

    @property
    def signer(self) -> str:
        return public_of(self.keys.ed25519)

    @property
    def reader(self) -> str:
        return recipient_of(self.keys.x25519)

    @property
    def case(self) -> str:
        return case_of(self.signer, self.reader)

    @property
    def party(self) -> Party:
        mine = identity_text(self.keys.x25519)
        first = {"thread": identity_text(self.keys.thread), "diary": identity_text(self.keys.diary)}
        return Party(
            REPORTER,
            lambda sealed, stream, number: wraps.open_wrap(sealed, mine, REPORTER, stream, number),
            first,
            self.signer,
            self.reader,
        )

    @property
    def proofs(self) -> dict[str, str]:
        return {"locator": self.keys.locator.hex(), "auth": self.keys.auth.hex()}


def keys_of(reader: Reader) -> dict[str, str]:
    """A reader as letters name her."""
    return {"id": reader.id, "recipient": reader.recipient, "signer": reader.signer}


def readers_left(ring: Ring, out: Collection[str]) -> list[Reader]:
    """Who gets a key: everybody on the ring but those whom the reporter keeps out."""
    return [reader for reader in ring.readers if reader.id not in out]


def first_letter(
    me: Reporter, ring: Ring, house: str, out: Collection[str], content: Mapping[str, Any], on: date, dice: Dice
) -> tuple[dict[str, Any], str]:
    """Make a thread: its first letter and the wraps of its epoch.

    Parameters
    ----------
    me : the reporter, by her code
    ring : the newest she has seen
    house : ρ, 64 hex
    out : ids of readers whom she keeps out; ``recovery`` keeps out the recovery key
    content : as of `letters.write`
    on : the day
    dice : gives so many random bytes

    Returns
    -------
    The epoch as the server takes it, and the sealed letter (base64).
    """
    identity = identity_text(me.keys.thread)
    to = recipient_of(me.keys.thread)
    kept = readers_left(ring, out)
    recovery = [] if RECOVERY in out else changing.recovery_of(ring)
    terms = {
        "signer": me.signer,
        "reader": me.reader,
        "readers": [keys_of(reader) for reader in kept],
        "out": [keys_of(reader) | {"name": reader.name} for reader in ring.readers if reader.id in out],
        "recovery": recovery,
    }
    place = Place(house, me.case, NONE, "thread", 1, NONE, 1, to, ring.number, ring.hash)
    plain, start = letters.write(place, me.author, "report", on.isoformat(), content, dice(32), terms)
    key = EpochKey(start, "thread", 1, identity, to, start)
    made = {reader.id: wraps.make(key, me.author, reader.id, reader.recipient) for reader in kept}
    made |= wraps.make_recovery(key, me.author, recovery)
    epoch = {
        "stream": "thread",
        "number": 1,
        "wraps": {name: _b64(sealed) for name, sealed in made.items()},
        "link": "",
    }
    return epoch, _b64(letters.seal(plain, to))


def report(
    me: Reporter, ring: Ring, house: str, out: Collection[str], content: Mapping[str, Any], on: date, dice: Dice
) -> dict[str, Any]:
    """A whole report as the intake takes it.

    Parameters
    ----------
    me, ring, house, out, content, on, dice : as of `first_letter`
    """
    epoch, letter = first_letter(me, ring, house, out, content, on, dice)
    return {**me.proofs, "case": me.case, "epochs": [epoch], "letters": [letter], "uploads": []}


def diary(
    me: Reporter, house: str, content: Mapping[str, Any], on: date, dice: Dice, opened: OpenedCase | None = None
) -> dict[str, Any]:
    """A new diary, or one more entry of it.

    Parameters
    ----------
    me, house, content, on, dice : as of `first_letter`
    opened : her case; where it has entries, the next one is written, else a new diary
    """
    there = opened.diary if opened else []
    to = recipient_of(me.keys.diary)
    start, before = (there[0].hash, there[-1].hash) if there else (NONE, NONE)
    place = Place(house, me.case, start, "diary", len(there) + 1, before, 1, to, 0, NONE)
    plain, _ = letters.write(place, me.author, "diary", on.isoformat(), content, dice(32))
    sealed = _b64(letters.seal(plain, to))
    if there:
        return {**me.proofs, "stream": "diary", "number": place.number, "epoch": 1, "sealed": sealed, "uploads": []}
    epoch = {"stream": "diary", "number": 1, "wraps": {}, "link": ""}
    return {**me.proofs, "case": me.case, "epochs": [epoch], "letters": [sealed], "uploads": []}


def from_diary(picked: Sequence[letters.Letter]) -> dict[str, Any]:
    """What a report says that was made of parts of a diary: each text under its day, files as they were."""
    contents = [(letter["day"], letter.content or {}) for letter in picked]
    parts = [{"day": on, "text": str(content.get("text", ""))} for on, content in contents]
    files = [file for _, content in contents for file in content.get("files", ())]
    text = "\n\n".join(f"{part['day']}\n{part['text']}" for part in parts)
    return {"text": text, "diary": parts} | ({"files": files} if files else {})


def place_after(fold: Fold, ring: Ring) -> Place:
    """Where the next letter of the thread stands."""
    number = max((ring.number, ring.hash), fold.ring)
    return Place(
        fold.house,
        fold.case,
        fold.start,
        "thread",
        fold.count + 1,
        fold.head,
        fold.epoch,
        fold.to,
        number[0],
        number[1],
    )


def letter(
    fold: Fold,
    ring: Ring,
    author: Author,
    kind: str,
    content: Mapping[str, Any],
    on: date,
    dice: Dice,
    terms: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One more letter of the thread as the server takes it: its number and its bytes.

    Parameters
    ----------
    fold : of the whole thread, read without a problem
    ring : the newest that the author has seen; where the thread names a newer one, that is named
    author : ``reporter`` or a reader by the fold, with her seed
    kind, content, terms : as of `letters.write`
    on : the day
    dice : gives so many random bytes
    """
    place = place_after(fold, ring)
    plain, _ = letters.write(place, author, kind, on.isoformat(), content, dice(32), terms)
    return {
        "stream": "thread",
        "number": place.number,
        "epoch": fold.epoch,
        "sealed": _b64(letters.seal(plain, fold.to)),
    }


def note(
    opened: OpenedCase, ring: Ring, author: Author, kind: str, content: Mapping[str, Any], on: date, dice: Dice
) -> dict[str, Any]:
    """One more note among readers; one before any change of keys brings the notes' own epoch.

    Parameters
    ----------
    opened : the case, its thread and notes read without a problem
    ring, on, dice : as of `letter`
    author : a reader by the fold, with her seed
    kind, content : as of `letters.write`; of the notes

    Returns
    -------
    The note as the server takes it, with the epoch that it brings, if it does.
    """
    fold = opened.fold
    assert fold is not None
    there, epoch = opened.notes, None
    to, number = opened.notes_to, opened.notes_epoch
    if not number:
        seed = dice(32)
        to, number = recipient_of(seed), 1
        key = EpochKey(fold.start, "notes", 1, identity_text(seed), to, fold.start)
        made = {name: _b64(wraps.make(key, author, name, one["recipient"])) for name, one in fold.readers.items()}
        epoch = {"stream": "notes", "number": 1, "wraps": made, "link": ""}
    start, before = (there[0].hash, there[-1].hash) if there else (NONE, NONE)
    place = replace(
        place_after(fold, ring),
        stream="notes",
        start=start,
        number=opened.notes_rows + 1,
        before=before,
        epoch=number,
        to=to,
        thread=fold.head,
    )
    plain, _ = letters.write(place, author, kind, on.isoformat(), content, dice(32))
    sent: dict[str, Any] = {
        "stream": "notes",
        "number": place.number,
        "epoch": number,
        "sealed": _b64(letters.seal(plain, to)),
    }
    return sent | {"epochs": [epoch] if epoch else []}


@dataclass(frozen=True, slots=True)
class Change:
    """Readers after a change, and the ask that lets it happen, if it needs one."""

    readers: Sequence[Mapping[str, str]]
    recovery: Sequence[Mapping[str, str]]
    asked: str = ""


def change(
    opened: OpenedCase, ring: Ring, author: Author, wanted: Change, on: date, dice: Dice, text: str = ""
) -> dict[str, Any]:
    """Put the case under new keys: a signed act under the old ones, wraps for those who read from now on, links back. Notes
    get theirs even where none are seen: they might be hidden just now.

    Parameters
    ----------
    opened : the case, its thread read without a problem; the private half of the epoch in use is there
    ring, on, dice : as of `letter`
    author : who makes the keys; a reader stays among `wanted`
    wanted : everybody who reads from now on, and the hash of the ask, where two are needed
    text : beside the act, for people

    Returns
    -------
    The letter and the two epochs, as the server takes them.
    """
    fold = opened.fold
    assert fold is not None
    seed, notes_seed = dice(32), dice(32)
    to, number = recipient_of(seed), max(fold.highest, opened.newest) + 1
    terms = {
        "epoch": number,
        "recipient": to,
        "notes": recipient_of(notes_seed),
        "readers": sorted((dict(one) for one in wanted.readers), key=lambda one: one["id"]),
        "recovery": [dict(one) for one in wanted.recovery],
        "asked": wanted.asked,
        "noted": _noted(opened, author),
    }
    place = place_after(fold, ring)
    plain, act = letters.write(place, author, "change", on.isoformat(), {"text": text}, dice(32), terms)
    key = EpochKey(fold.start, "thread", number, identity_text(seed), to, act)
    made = {one["id"]: wraps.make(key, author, one["id"], one["recipient"]) for one in wanted.readers}
    made[REPORTER] = wraps.make(key, author, REPORTER, fold.reporter["reader"])
    made |= wraps.make_recovery(key, author, wanted.recovery)
    link = wraps.make_link(fold.epoch, opened.keys["thread"][fold.epoch], to)
    epochs = [_epoch("thread", number, made, link), _notes_epoch(opened, fold, author, wanted, notes_seed, act)]
    sealed = _b64(letters.seal(plain, fold.to))
    letter = {
        "stream": "thread",
        "number": place.number,
        "epoch": fold.epoch,
        "sealed": sealed,
        "notes": opened.notes_rows,
    }
    return {"letter": letter, "epochs": epochs}


def _noted(opened: OpenedCase, author: Author) -> str:
    """The newest note that whoever changes keys sees: what comes under the keys before later, she did not see. Empty where she
    reads none."""
    if author.name == REPORTER or (opened.notes_problem and not opened.notes):
        return ""
    return opened.notes[-1].hash if opened.notes else NONE


def fails(opened: OpenedCase, ring: Ring, author: Author, rows: int, on: date, dice: Dice) -> dict[str, Any]:
    """Say of the newest change that its keys do not open for me: a letter under the keys before, after all others.

    Parameters
    ----------
    opened : the case as far as I can read it
    ring, on, dice : as of `letter`
    author : the reporter, or a reader before and after the change with the same keys
    rows : how many letters the thread has, with those that I cannot open

    Raises
    ------
    CannotOpen
        ``epoch_broken``: there was no change that I could go back behind, or I do not read before and after it.
    """
    fold = opened.fold
    back = fold.undo.get(fold.act) if fold is not None else None
    if (
        fold is None
        or back is None
        or back.epoch not in opened.keys["thread"]
        or not changing.may_claim(back, fold, author.name)
    ):
        raise CannotOpen("epoch_broken")
    place = replace(place_after(back, ring), number=rows + 1, before=fold.act)
    plain, _ = letters.write(place, author, "fails", on.isoformat(), {"text": ""}, dice(32), {"change": fold.act})
    return {
        "stream": "thread",
        "number": place.number,
        "epoch": back.epoch,
        "sealed": _b64(letters.seal(plain, back.to)),
    }


def _notes_epoch(
    opened: OpenedCase, fold: Fold, author: Author, wanted: Change, seed: bytes, act: str
) -> dict[str, Any]:
    number = max(fold.highest, opened.newest) + 1
    key = EpochKey(fold.start, "notes", number, identity_text(seed), recipient_of(seed), act)
    made = {one["id"]: wraps.make(key, author, one["id"], one["recipient"]) for one in wanted.readers}
    before = opened.keys.get("notes", {}).get(opened.notes_epoch)
    return _epoch("notes", number, made, wraps.make_link(opened.notes_epoch, before, key.recipient) if before else b"")


def _epoch(stream: str, number: int, made: Mapping[str, bytes], link: bytes) -> dict[str, Any]:
    return {
        "stream": stream,
        "number": number,
        "wraps": {name: _b64(sealed) for name, sealed in made.items()},
        "link": _b64(link),
    }


def hash_of(payload: str) -> str:
    return signed.digest(payload)
