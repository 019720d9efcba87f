"""The thread of a code as a page without a script shows it: like a quiet exchange of letters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from server.concern.channel import OpenChannel, ReaderLine, holder_names, house_lines, reader_lines
from server.frame.display import day as in_words
from server.frame.pages import Shell
from server.frame.texts import say
from server.reporters import once
from server.reporters.page import Kept
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
    house: str
    code: str
    problem: str
    text: str
    kept: Kept
    writable: bool
    fails: str
    """``may`` or ``said`` where keys do not open for her."""
    once: str


def letters_page(frame: Shell, channel: OpenChannel, end: Mapping[str, Any]) -> LettersPage:
    """Make the page of an opened thread."""
    language, file = frame.language, end["file"]
    lost = end.get("lost", False)
    known = channel.readers.names if end["old"] else end.get("names", {})
    state = State(file["state"])
    contest = (
        [("contest", say(language, "concern.thread.kind_contest"))]
        if state == State.OUTCOME and not file["contested"]
        else []
    )
    letters = tuple(
        Letter(
            say(language, "concern.thread.you")
            if letter["from"] == REPORTER
            else known.get(letter["from"], letter["from"]),
            letter["from"] == REPORTER,
            _kind(language, letter),
            in_words(letter["day"], language),
            say(language, "concern.thread.taken_out", text=letter["text"]) if letter.get("taken") else letter["text"],
            tuple(letter["files"]),
            str(letter["number"])
            if letter["stream"] == "diary" and state == State.DIARY and not end["old"] and not lost
            else "",
        )
        for letter in end["letters"]
    )
    word = end.get("problem_word", "")
    wrong = end.get("problem") or (wrong_key(word) if word else "")
    return LettersPage(
        shell=frame,
        title=say(language, "concern.thread.title"),
        state=say(language, "concern.thread.state_lost") if lost else state_sentence(language, file),
        letters=letters,
        notes=tuple(_notes(language, file, known, end)),
        kinds=(*((kind, say(language, f"concern.thread.kind_{kind}")) for kind in REPLIES), *contest),
        diary=state == State.DIARY and not lost,
        readers=reader_lines(channel.ring, language),
        holders=holder_names(channel.ring),
        fingerprint=house_lines(channel.readers)[1],
        house=house_lines(channel.readers)[0],
        code=end["code"],
        problem=in_words_of(language, wrong, photo=end.get("photo", False)) if wrong else "",
        text=end.get("text", ""),
        kept=Kept(tuple((name, tuple(given)) for name, given in end.get("kept", {}).items())),
        writable=not word,
        fails=end.get("fails", ""),
        once=once.pages.number(),
    )


def in_words_of(language: str, problem: str, *, photo: bool) -> str:
    """What stands in the way; no browser keeps a photo in a form that comes back, and none goes without a word."""
    return f"{say(language, problem)} {say(language, 'concern.write.files_again')}" if photo else say(language, problem)


def _kind(language: str, letter: Mapping[str, Any]) -> str:
    kind = say(language, f"concern.kind.{letter['kind']}")
    return f"{kind} · {say(language, 'concern.thread.void')}" if letter.get("void") else kind


WRONG = {
    "house_other": "house",
    "ring_old": "list",
    "ring_broken": "list",
    "ring_overdue": "list",
    "epoch_broken": "key",
    "wrap_not_mine": "key",
    "key_other": "key",
    "gain_refused": "readers",
    "expel_refused": "readers",
    "out_returns": "readers",
    "reader_foreign": "readers",
    "redaction_alone": "words",
    "shorter": "shorter",
    "fork": "shorter",
    "gone": "shorter",
}
"""Which sentence says what a refused letter means; every other word: something was changed."""


def wrong_key(word: str) -> str:
    """The key of the sentence for a protocol's word."""
    return f"concern.wrong.{WRONG.get(word, 'changed')}"


def state_sentence(language: str, file: Mapping[str, Any]) -> str:
    """Where the case stands, what comes next and by when."""
    dates = file["dates"]
    by = {"received": "acknowledge", "acknowledged": "outcome", "contested": "second"}.get(file["state"], "")
    day = {"received": "received", "acknowledged": "acknowledged"}.get(file["state"], "outcome")
    return say(
        language,
        f"concern.thread.state_{file['state']}",
        day=in_words(file[day], language),
        by=in_words(dates.get(by, ""), language),
    )


def _notes(language: str, file: Mapping[str, Any], known: Mapping[str, str], end: Mapping[str, Any]) -> list[str]:
    notes = [say(language, key) for key in end["notes"]]
    if file["state"] != State.DIARY:
        names = [known.get(name, name) for name in file["readers"] if name != RECOVERY]
        notes.append(
            say(
                language,
                "concern.thread.readers_said" if end["old"] else "concern.thread.readers",
                names=", ".join(names),
            )
        )
    if RECOVERY in file["readers"]:
        notes.append(say(language, "concern.thread.recovery_on"))
    if "mine" in end:
        notes.append(
            say(language, "concern.thread.mine", day=in_words(end["mine"]["day"], language), n=end["mine"]["count"])
        )
        notes.append(say(language, "concern.thread.head", words=" ".join(end["head"])))
    if "late" in file["dates"]:
        notes.append(say(language, "concern.thread.late", day=in_words(file["dates"]["late"], language)))
    if "keep" in file["dates"]:
        notes.append(say(language, "concern.thread.keep", day=in_words(file["dates"]["keep"], language)))
    return notes
