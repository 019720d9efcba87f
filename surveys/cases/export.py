"""A case outside the desk: the sealed file that a handler exports, opened and checked without browser, server or network. Pure."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from surveys.cases.composing import open_file
from surveys.cases.folded import Fold
from surveys.cases.keeper import FIRST_VERSION
from surveys.cases.letters import RECOVERY, Letter
from surveys.cases.opening import open_case, redacted_text
from surveys.cases.sealed_case import OpenedCase, Party, SealedCase, SealedEpochRow, SealedLetter
from surveys.cases.sealing import CannotOpen
from surveys.cases.thread import open_first_version
from surveys.public import house as house_file
from surveys.public import keyring, rings
from surveys.public.house import HouseFile, HouseRefused
from surveys.public.keyring import Keyring, KeyringRefused
from surveys.public.readers import vouched
from surveys.public.rings import Chain
from surveys.public.statements import RingRefused


@dataclass(frozen=True, slots=True)
class Line:
    """One letter as the command shows it."""

    stream: str
    number: int
    author: str
    kind: str
    day: str
    content: Mapping[str, Any]
    mark: str = ""
    """``void``: it counts no more; ``late``: a note that was not there when somebody (`left_by`) left its keys."""
    left_by: str = ""


@dataclass(frozen=True, slots=True)
class ReadCase:
    """All that a reader may read of a case: letters, attachments by name, and the word of what is wrong with it, if anything."""

    case: str
    version: int
    state: str
    lines: list[Line]
    files: Mapping[str, bytes]
    problem: str
    fold: Fold | None
    notes: list[tuple[int, str]] | None = None
    """Epochs and heads of the notes; None where they cannot be read to their end, or not by this reader."""
    closed: tuple[str, ...] = ()
    """Attachments that letters name and that are not here as they were sent."""


def read_export(text: str) -> dict[str, Any]:
    """Read an export.

    Raises
    ------
    CannotOpen
        If it is none.
    """
    try:
        content = json.loads(text)
        if not isinstance(content, dict) or content["v"] not in (1, 2):
            raise CannotOpen("not an export of ours")
        if not isinstance(content["file"], dict) or content["file"].get("version", 1) not in (1, 2):
            raise CannotOpen("not an export of ours")
        _ = content["file"]["epochs"], content["file"]["messages"]
    except (ValueError, KeyError, TypeError) as problem:
        raise CannotOpen("not an export of ours") from problem
    return content


def lists_of(content: Mapping[str, Any], printed: str) -> tuple[HouseFile | None, Chain | None, list[Keyring]]:
    """House, rings and keyrings inside; the house must be the one whose words were typed.

    Raises
    ------
    CannotOpen
    """
    try:
        given = (
            content["lists"]
            if content["v"] == 2
            else {"house": "", "rings": [], "still": None, "keyrings": content["keyrings"]}
        )
        old: list[Keyring] = []
        for version in given["keyrings"]:
            old.append(keyring.verify(version["text"], version["signatures"], old[-1] if old else None))
        if not given["house"]:
            return None, None, old
        house = house_file.read(given["house"])
        if house.printed != printed:
            raise CannotOpen("house_other")
        found = rings.chain([(one["text"], one["signatures"]) for one in given["rings"]], house)
        chain = Chain(found, None) if found else None
        vouched(chain, old)
        return house, chain, old
    except (KeyringRefused, RingRefused, HouseRefused, KeyError, TypeError) as problem:
        raise CannotOpen(f"the list of readers is not valid: {problem}") from problem


def open_export(content: Mapping[str, Any], printed: str, party: Callable[[], Party], identity: str = "") -> ReadCase:
    """Open an export; everything is checked.

    Parameters
    ----------
    printed : the house's printed half in hex, as typed from paper; needed for a case of version 2
    party : who opens a case of version 2
    identity : the age identity that opens a case of version 1

    Raises
    ------
    CannotOpen
        If nothing of it can be read.
    """
    file = content["file"]
    house, chain, old = lists_of(content, printed)
    if file.get("version", 1) == FIRST_VERSION:
        if not old:
            raise CannotOpen("a case of version 1 where there was no list of version 1")
        return _first(content, identity, old)
    if house is None or chain is None:
        raise CannotOpen("house_other")
    sealed, reader = _sealed(file), party()
    opened = open_case(sealed, reader, house.hash, chain)
    lines = [_line(opened, letter, "thread") for letter in opened.thread] + [
        _line(opened, letter, "notes") for letter in opened.notes
    ]
    state = opened.fold.state if opened.fold else ""
    problem = opened.problem or opened.notes_problem
    heads = (
        None if opened.notes_problem or reader.name == RECOVERY else [(one["epoch"], one.hash) for one in opened.notes]
    )
    files, closed = _files(content, lines)
    return ReadCase(sealed.case, 2, state, lines, files, problem, opened.fold, heads, closed)


def _sealed(file: Mapping[str, Any]) -> SealedCase:
    """The rows inside, each of its kind; a file that somebody else wrote is none of ours."""
    try:
        epochs = [
            SealedEpochRow(
                str(e["stream"]),
                int(e["number"]),
                base64.b64decode(e["wrap"]),
                base64.b64decode(e["link"]),
                int(e.get("at", 0)),
            )
            for e in file["epochs"]
        ]
        rows = [
            SealedLetter(str(m["stream"]), int(m["number"]), int(m["epoch"]), base64.b64decode(m["sealed"]))
            for m in file["messages"]
        ]
        return SealedCase(str(file["case"]), epochs, rows)
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise CannotOpen("not an export of ours") from problem


def _line(opened: OpenedCase, letter: Letter, stream: str) -> Line:
    content = dict(letter.content or {"text": ""})
    text = redacted_text(opened, letter["number"]) if stream == "thread" else None
    if text is not None:
        content = {"text": text}
    return Line(
        stream,
        letter["number"],
        letter["from"],
        letter["kind"],
        letter["day"],
        content,
        _mark(opened, stream, letter["number"]),
        opened.late_notes.get(letter["number"], ""),
    )


def _mark(opened: OpenedCase, stream: str, number: int) -> str:
    if stream == "thread" and opened.fold is not None and number in opened.fold.void:
        return "void"
    return "late" if stream == "notes" and number in opened.late_notes else ""


def _first(content: Mapping[str, Any], identity: str, old: list[Keyring]) -> ReadCase:
    file = content["file"]
    handlers: dict[str, set[str]] = {}
    for ring in old:
        for reader in ring.readers:
            handlers.setdefault(reader.id, set()).add(reader.signer)
    epochs = [(e["stream"], e["number"], base64.b64decode(e["wrap"])) for e in file["epochs"] if e["wrap"]]
    rows = [(m["stream"], m["epoch"], base64.b64decode(m["sealed"])) for m in file["messages"]]
    opened = open_first_version(int(file["case"], 16), epochs, rows, identity, handlers)
    lines = [
        Line(stream, m.number, m.author, m.kind, m.day.isoformat(), m.content)
        for stream, found in opened.streams.items()
        for m in found
    ]
    files, closed = _files(content, lines)
    return ReadCase(file["case"], 1, file["state"], lines, files, "", None, closed=closed)


def _files(content: Mapping[str, Any], lines: list[Line]) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Attachments by name, and the names of those that do not open: no letter goes with them."""
    found, closed = {}, []
    for line in lines:
        for entry in line.content.get("files", ()):
            name = f"{line.number}-{entry['upload'][:6]}-{_plain_name(str(entry['name']))}"
            try:
                sealed = base64.b64decode(content.get("files", {})[entry["upload"]])
                found[name] = open_file(sealed, entry)
            except (CannotOpen, KeyError, TypeError, ValueError):
                closed.append(name)
    return found, tuple(closed)


def _plain_name(name: str) -> str:
    """A file name that stays in its folder."""
    kept = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name)
    return kept.strip("._")[:80] or "file"
