"""The management's promise of a wave in words, the same for everyone: by when it answers, that it did, or that it did not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from server.frame.display import day, text_of
from server.frame.texts import NAMES, say
from surveys.languages import LANGUAGES
from surveys.public import promises
from surveys.public.promises import PromiseRecord


@dataclass(frozen=True, slots=True)
class PromiseWords:
    """What a page says of a promise; `state` is due, missed, kept or late, `late` marks one that was not kept by its day."""

    state: str
    due: str
    line: str
    late: bool
    answer: str
    by: str


def in_words(record: PromiseRecord, language: str, on: date) -> PromiseWords:
    """Say a promise as it stands on a day."""
    late = record.missed(on)
    key = ("late" if late else "kept") if record.answered_on else ("missed" if late else "due")
    line = say(
        language,
        f"promise.{key}",
        due=day(record.due, language),
        who=record.signed_by,
        day=day(record.answered_on, language) if record.answered_on else "",
    )
    if record.changed_on:
        line += " " + say(language, "promise.changed", day=day(record.changed_on, language), who=record.answered_by)
    answer = text_of(record.answer, language) if record.answer else ""
    return PromiseWords(key, day(record.due, language), line, late, answer, record.answered_by)


@dataclass(frozen=True, slots=True)
class AnswerField:
    """The answer in one language: the words in the field, and those that somebody else published while they were written."""

    code: str
    name: str
    words: str
    meanwhile: str


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """What the form of an answer holds; `seen` is the mark of what stood there when it was shown."""

    fields: tuple[AnswerField, ...]
    who: str
    seen: str


async def answer_form(wave: str, written: Mapping[str, str], *, changed: bool = False) -> AnswerForm:
    """The form of an answer; what was just typed comes first.

    Parameters
    ----------
    written : as it was sent; empty where nothing was yet
    changed : whether somebody else answered meanwhile: what she published then stands beside what was typed, and is seen from now on
    """
    given = await promises.of(wave)
    said, mark = (given.answer, given.mark) if given else ({}, promises.UNANSWERED)
    fields = []
    for code in LANGUAGES:
        now = said.get(code, "")
        typed = written.get(f"answer_{code}", now)
        fields.append(AnswerField(code, NAMES[code], typed, now if changed and now != typed.strip() else ""))
    who = written.get("by", given.answered_by or given.signed_by if given else "")
    return AnswerForm(tuple(fields), who, mark if changed else written.get("seen", mark))


async def promise_of(wave: str, language: str, on: date) -> PromiseWords | None:
    """The promise of a wave in words; None where nobody made one."""
    record = await promises.of(wave)
    return in_words(record, language, on) if record else None
