"""The answer page: the whole questionnaire in one form, as what its template needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from server.frame.display import text_of
from server.frame.pages import Shell, static_address
from server.frame.texts import say
from surveys.answers.rights import OpenWave
from surveys.questionnaire import InvalidAnswers, Item, Questionnaire, Section

type Form = Mapping[str, Sequence[str]]

LONG_LIST = 9
"""From this many choices on a question is a list that opens, not rows."""


@dataclass(frozen=True, slots=True)
class OptionLine:
    code: str
    label: str
    chosen: bool
    look: str


@dataclass(frozen=True, slots=True)
class ItemBlock:
    id: str
    text: str
    note: str
    multiple: bool
    written: str
    max_chars: int
    options: tuple[OptionLine, ...]
    groups: tuple[tuple[str, tuple[OptionLine, ...]], ...]


@dataclass(frozen=True, slots=True)
class SectionBlock:
    id: str
    number: int
    title: str
    note: str
    support: str
    opens: bool
    own: bool
    skip: bool
    before: str
    next: str
    after: str
    items: tuple[ItemBlock, ...]


@dataclass(frozen=True, slots=True)
class ProblemLine:
    section: str
    text: str


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """The form of one wave in one language, with whatever was answered so far."""

    template: ClassVar[str] = "answer.html"
    shell: Shell
    title: str
    heading: str
    intro: str
    wave: str
    attempt: str
    code: str
    code_is_wrong: bool
    skips_experience: bool
    sections: tuple[SectionBlock, ...]
    total: int
    items: int
    problems: tuple[ProblemLine, ...]
    script: str
    pairs: str
    """The script that seals every sheet on the phone; "" for a wave of version 1."""


def _option(item: Item, code: str, label: str, place: int, chosen: Sequence[str]) -> OptionLine:
    if code in ("prefer_not", "dont_know"):
        look = " q"
    elif item.type == "likert":
        look = f" face f{place + 1}"
    else:
        look = ""
    return OptionLine(code, label, code in chosen, look)


def _item(item: Item, language: str, form: Form) -> ItemBlock:
    chosen = form.get(item.id, ())
    options = tuple(
        _option(item, choice.code, text_of(choice.label, language), place, chosen)
        for place, choice in enumerate(item.choices)
    )
    groups: dict[str, list[OptionLine]] = {}
    if len(options) >= LONG_LIST and not item.multiple:
        for choice, option in zip(item.choices, options, strict=True):
            groups.setdefault(text_of(choice.group, language) if choice.group else "", []).append(option)
    if item.type == "demographic":
        note = text_of(item.note, language) if item.note else ""
    else:
        note = say(language, "staff.answer.several") if item.multiple else ""
    return ItemBlock(
        item.id,
        text_of(item.text, language),
        note,
        item.multiple,
        chosen[0] if item.max_chars and chosen else "",
        item.max_chars,
        options,
        tuple((name, tuple(lines)) for name, lines in groups.items()),
    )


def _sections(
    questionnaire: Questionnaire, messages: Mapping[str, str], language: str, form: Form
) -> list[SectionBlock]:
    """Lay the sections out one after the other; the experience section opens with a page of its own."""
    support = text_of(questionnaire.messages["experience_support"], language).format(**messages)
    names: list[tuple[str, Section, int, bool]] = []
    for number, section in enumerate(questionnaire.sections, start=1):
        if section.kind == "experience":
            names.append((f"s{number}", section, number, True))
            names.append((f"s{number}b", section, number, False))
        else:
            names.append((f"s{number}", section, number, False))
    blocks = []
    for place, (name, section, number, opens) in enumerate(names):
        before = names[place - 1][0] if place else "start"
        follow = names[place + 1][0] if place + 1 < len(names) else "send"
        after = names[place + 2][0] if place + 2 < len(names) else "send"
        experience = section.kind == "experience"
        note = text_of(section.note, language) if section.note and (opens or not experience) else ""
        items = () if opens else tuple(_item(item, language, form) for item in section.items)
        blocks.append(
            SectionBlock(
                name,
                number,
                text_of(section.title, language),
                note,
                support if experience else "",
                opens,
                section.kind in ("demographics", "comments"),
                experience and not opens,
                before,
                follow,
                after,
                items,
            )
        )
    return blocks


def answer_page(
    shell: Shell, wave: OpenWave, form: Form, attempt: str, problems: Sequence[tuple[str, str]] = ()
) -> AnswerPage:
    """Make the page; `form` holds what was answered, `problems` pairs an item id ("" for the code) with a sentence."""
    language, questionnaire = shell.language, wave.questionnaire
    sections = _sections(questionnaire, wave.messages, language, form)
    where = {item.id: block.id for block in sections for item in block.items}
    return AnswerPage(
        shell=shell,
        title=say(language, "staff.answer.title"),
        heading=text_of(questionnaire.title, language),
        intro=text_of(questionnaire.messages["intro"], language),
        wave=wave.id,
        attempt=attempt,
        code=(form.get("_code") or [""])[0],
        code_is_wrong=any(not item for item, _ in problems),
        skips_experience="_skip_experience" in form,
        sections=tuple(sections),
        total=len(questionnaire.sections),
        items=sum(len(section.items) for section in questionnaire.sections),
        problems=tuple(ProblemLine(where.get(item, "code"), text) for item, text in problems),
        script=static_address("answer.js"),
        pairs=static_address("pairs.js") if wave.seals_on_phone else "",
    )


def in_words(problem: InvalidAnswers, questionnaire: Questionnaire, language: str) -> list[tuple[str, str]]:
    """Say each problem of a sheet in the person's language."""
    items = {item.id: item for section in questionnaire.sections for item in section.items}
    keys = {"too_long": "too_long", "wrong_code": "wrong_answer", "too_many": "too_many", "exclusive": "exclusive"}
    lines = []
    for found in problem.problems:
        item = items.get(found.item_id)
        if item is None or found.code not in keys:
            lines.append(("", say(language, "staff.problem.unknown_item")))
        else:
            lines.append(
                (item.id, say(language, f"staff.problem.{keys[found.code]}", item=text_of(item.text, language)))
            )
    return list(dict.fromkeys(lines))
