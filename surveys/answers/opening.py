"""The one opening of the urn: envelopes to raw responses, in memory only."""

import secrets
from collections.abc import Iterable, Sequence

from analysis.responses import DONT_KNOW, PREFER_NOT, SKIPPED, RawResponses
from surveys.answers.keys import UrnKey
from surveys.answers.wave import open_envelopes
from surveys.questionnaire import AnswerSheet, Item, Questionnaire, SheetUnreadable

_SPECIAL = {"dont_know": DONT_KNOW, "prefer_not": PREFER_NOT}
_NO_GROUP = frozenset({"prefer_not", "dont_know", "several"})


type Comments = dict[str, list[str]]
"""The texts of each open question, apart from every other answer and in random order."""


async def open_responses(
    wave: str, questionnaire: Questionnaire, key: UrnKey
) -> tuple[RawResponses, Comments, int]:
    """Open every envelope of a wave; what does not open or parse is dropped and counted."""
    envelopes, unreadable = await open_envelopes(wave, key)
    sheets = []
    for content in envelopes:
        try:
            sheets.append(AnswerSheet.from_bytes(content, questionnaire))
        except SheetUnreadable:
            unreadable += 1
    return code(sheets, questionnaire), comments_of(sheets, questionnaire), unreadable


def comments_of(sheets: Sequence[AnswerSheet], questionnaire: Questionnaire) -> Comments:
    """Take the texts out of the sheets, each question by itself, and shuffle them."""
    dice = secrets.SystemRandom()
    found: Comments = {}
    for item in questionnaire.items():
        if item.type == "open":
            texts = [given[0] for sheet in sheets if (given := sheet.codes().get(item.id))]
            dice.shuffle(texts)
            found[item.id] = texts
    return found


def code(sheets: Sequence[AnswerSheet], questionnaire: Questionnaire) -> RawResponses:
    """Turn sheets into columns of codes and group attributes."""
    codes = [sheet.codes() for sheet in sheets]
    groups: dict[str, list[str]] = {}
    answers: dict[str, list[int]] = {}
    for section in questionnaire.sections:
        for item in section.items:
            given = [sheet.get(item.id, ()) for sheet in codes]
            if item.type == "open":
                continue
            if item.type == "demographic":
                groups[item.id] = [_group(chosen) for chosen in given]
            elif item.multiple:
                answers |= _options(item, given)
            else:
                answers[item.id] = [_code(chosen) for chosen in given]
    return RawResponses(len(codes), groups, answers)


def _group(chosen: Sequence[str]) -> str:
    return chosen[0] if chosen and chosen[0] not in _NO_GROUP else ""


def _code(chosen: Sequence[str]) -> int:
    if not chosen:
        return SKIPPED
    return _SPECIAL.get(chosen[0]) or int(chosen[0])


def _options(item: Item, given: Iterable[Sequence[str]]) -> dict[str, list[int]]:
    """One column of 0 and 1 for each option of a question with several answers."""
    chosen_by_all = list(given)
    columns = {}
    for choice in item.choices:
        if choice.code in _SPECIAL:
            continue
        columns[f"{item.id}.{choice.code}"] = [
            SKIPPED if not chosen else PREFER_NOT if "prefer_not" in chosen else int(choice.code in chosen)
            for chosen in chosen_by_all
        ]
    return columns
