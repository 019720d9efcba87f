"""The one opening of the urn: envelopes to raw responses, in memory only."""

import secrets
from collections.abc import Iterable, Mapping, Sequence

from analysis.responses import DONT_KNOW, PREFER_NOT, SKIPPED, RawResponses
from surveys.answers.holders import HolderKeys
from surveys.answers.keys import UrnKey
from surveys.answers.pairs import Opened
from surveys.answers.plans import SignedPlan
from surveys.answers.wave import Contents, open_envelopes, open_sheets
from surveys.questionnaire import AnswerSheet, Item, Questionnaire, SheetUnreadable
from surveys.tokens import Digest, spent_digest

_SPECIAL = {"dont_know": DONT_KNOW, "prefer_not": PREFER_NOT}
_NO_GROUP = frozenset({"prefer_not", "dont_know", "several"})


type Comments = dict[str, list[str]]
"""The texts of each open question, apart from every other answer and in random order."""


class SheetsForged(Exception):
    """A sheet's proof belongs to no spent code, or to one that another sheet has: somebody wrote into the urn."""


class SheetsMissing(Exception):
    """More sheets are unreadable or missing than an accident explains."""

    def __init__(self, missing: int, spent: int) -> None:
        super().__init__(f"{missing} of {spent}")
        self.missing, self.spent = missing, spent


def most_missing(spent: int) -> int:
    """So many sheets may be unreadable or missing: three, or one in a hundred if that is more."""
    return max(3, spent // 100)


def open_all(
    there: Contents, questionnaire: Questionnaire, plan: SignedPlan, wave_key: bytes, keys: Mapping[str, HolderKeys]
) -> tuple[RawResponses, Comments, int]:
    """Open every sheet of a wave and hold it against the spent codes; also gives how many are unreadable or missing.

    Raises
    ------
    SheetsForged, SheetsMissing
        Nothing may be released.
    """
    opened, _ = open_sheets(there.sheets, plan, wave_key, keys)
    check_proofs(opened, there.spent)
    sheets = []
    for one in opened:
        try:
            sheets.append(AnswerSheet.from_bytes(one.sheet, questionnaire))
        except SheetUnreadable:
            continue
    missing = len(there.spent) - len(sheets)
    if missing > most_missing(len(there.spent)):
        raise SheetsMissing(missing, len(there.spent))
    return code(sheets, questionnaire), comments_of(sheets, questionnaire), missing


def check_proofs(opened: Sequence[Opened], spent: Sequence[str]) -> None:
    """Check that each sheet's proof is of a spent code, each once.

    Raises
    ------
    SheetsForged
    """
    left = set(spent)
    for sheet in opened:
        of = spent_digest(Digest(sheet.proof)).hex()
        if of not in left:
            raise SheetsForged
        left.remove(of)


def open_responses(there: Contents, questionnaire: Questionnaire, key: UrnKey) -> tuple[RawResponses, Comments, int]:
    """Version 1: open every envelope of a wave; what does not open or parse is dropped and counted."""
    envelopes, unreadable = open_envelopes(there.sheets, key)
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
