"""The thread of a code as a page without a script shows it: like a quiet exchange of letters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from server.display import day as in_words
from server.pages import Shell
from server.reporters.channel import OpenChannel, ReaderLine, grouped_fingerprint, names, reader_lines
from server.reporters.page import Kept
from server.texts import say
from surveys.cases.clocks import State
from surveys.cases.keeper import RECOVERY, REPORTER

REPLIES = ("message", "meeting", "retaliation", "consent_yes", "consent_no")


@dataclass(frozen=True, slots=True)
class Letter:
    """One message: who, what kind, which day, the text, names of files; `pick` is set for parts of an unsent diary."""

    author: str
    mine: bool
    kind: str
    day: str
    text: str
    files: tuple[str, ...]
    pick: str


@dataclass(frozen=True, slots=True)
class LettersPage:
    """State and dates, the letters, and the form to write one more."""

    template: ClassVar[str] = "concern_letters.html"
    shell: Shell
    title: str
    state: str
    notes: tuple[str, ...]
    letters: tuple[Letter, ...]
    kinds: tuple[tuple[str, str], ...]
    diary: bool
    readers: tuple[ReaderLine, ...]
    holders: str
    fingerprint: str
    code: str
    problem: str
    text: str
    kept: Kept


def letters_page(frame: Shell, channel: OpenChannel, end: Mapping[str, Any]) -> LettersPage:
    """Make the page of an opened thread."""
    language, file = frame.language, end["file"]
    known = names(channel.keyring)
    state = State(file["state"])
    contest = [("contest", say(language, "concern.thread.kind_contest"))] if state == State.OUTCOME and not file["contested"] else []
    letters = tuple(
        Letter(
            say(language, "concern.thread.you") if letter["from"] == REPORTER else known.get(letter["from"], letter["from"]),
            letter["from"] == REPORTER, say(language, f"concern.kind.{letter['kind']}"), in_words(letter["day"], language),
            letter["text"], tuple(letter["files"]),
            str(letter["number"]) if letter["stream"] == "diary" and state == State.DIARY else "",
        )
        for letter in end["letters"]
    )  # fmt: skip
    return LettersPage(
        shell=frame, title=say(language, "concern.thread.title"), state=state_sentence(language, file), letters=letters,
        notes=tuple(_notes(language, file, known, changed=end["changed"])),
        kinds=(*((kind, say(language, f"concern.thread.kind_{kind}")) for kind in REPLIES), *contest),
        diary=state == State.DIARY, readers=reader_lines(channel.keyring, language),
        holders=", ".join(channel.keyring.recovery_holders) if channel.keyring.recovery else "",
        fingerprint=grouped_fingerprint(channel.keyring), code=end["code"],
        problem=say(language, end["problem"]) if end.get("problem") else "", text=end.get("text", ""), kept=Kept(),
    )  # fmt: skip


def state_sentence(language: str, file: Mapping[str, Any]) -> str:
    """Where the case stands, what comes next and by when."""
    dates = file["dates"]
    by = {"received": "acknowledge", "acknowledged": "outcome", "contested": "second"}.get(file["state"], "")
    day = {"received": "received", "acknowledged": "acknowledged"}.get(file["state"], "outcome")
    return say(
        language, f"concern.thread.state_{file['state']}",
        day=in_words(file[day], language), by=in_words(dates.get(by, ""), language),
    )  # fmt: skip


def _notes(language: str, file: Mapping[str, Any], known: Mapping[str, str], *, changed: bool) -> list[str]:
    readers = [known[name] for name in file["readers"] if name in known]
    notes = []
    if file["state"] != State.DIARY:
        notes.append(say(language, "concern.thread.readers", names=", ".join(readers)))
    if RECOVERY in file["readers"]:
        notes.append(say(language, "concern.thread.recovery_on"))
    if changed:
        notes.append(say(language, "concern.thread.readers_changed"))
    if "late" in file["dates"]:
        notes.append(say(language, "concern.thread.late", day=in_words(file["dates"]["late"], language)))
    if file["recovered"]:
        notes.append(say(language, "concern.thread.recovered", day=in_words(file["recovered"], language)))
    if "keep" in file["dates"]:
        notes.append(say(language, "concern.thread.keep", day=in_words(file["dates"]["keep"], language)))
    return notes
