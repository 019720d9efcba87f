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
from surveys.slips import Digest, spent_digest

_SPECIAL = {"dont_know": DONT_KNOW, "prefer_not": PREFER_NOT}
_NO_GROUP = frozenset({"prefer_not", "dont_know", "several"})


type Comments = dict[str, list[str]]
"""The texts of each open question, apart from every other answer and in random order."""


class SheetsForged(Exception):
    """The spent codes are not those of the bulletin: somebody wrote into the store."""


class SheetsMissing(Exception):
    """More codes have no sheet that counts than may go unasked; `acceptable` says whether two keepers may release without them."""

    def __init__(self, missing: int, spent: int) -> None:
        super().__init__(f"{missing} of {spent}")
        self.missing, self.spent = missing, spent

    @property
    def acceptable(self) -> bool:
        return self.missing <= most_accepted(self.spent)


def most_missing(spent: int) -> int:
    """So many spent codes may be without a sheet that counts, and nobody is asked: three, or one in a hundred if that is more."""
    return max(3, spent // 100)


def most_accepted(spent: int) -> int:
    """So many may be where two keepers say that they release without them: ten, or one in ten if that is more."""
    return max(10, spent // 10)


def open_all(
    there: Contents,
    questionnaire: Questionnaire,
    plan: SignedPlan,
    wave_key: bytes,
    keys: Mapping[str, HolderKeys],
    without: int = 0,
) -> tuple[RawResponses, Comments, int]:
    """Open every sheet of a wave and hold it against the spent codes; also gives how many codes have no sheet that counts.

    A sheet without the proof of a spent code is set aside, as one that cannot be read is: one person can spoil her own sheet, and
    stops nobody else's.

    Parameters
    ----------
    there : Contents
        Sealed sheets, and the digests of spent codes in hex, which the caller held against bulletin and closing.
    questionnaire : Questionnaire
        The frozen one: a sheet that does not fit it does not count.
    plan : SignedPlan
        Checked: sheets open under its hash alone.
    wave_key : bytes
        32 bytes: the server's layer.
    keys : mapping
        Of exactly two holders, by seat.
    without : int
        So many missing sheets the two keepers have been told of and release without: exactly so many, and never more than
        `most_accepted`.

    Raises
    ------
    SheetsMissing
        Nothing may be released.
    ValueError
        If the keys are not of two seats, and there is a sheet to open.
    """
    opened, _ = open_sheets(there.sheets, plan, wave_key, keys)
    sheets = []
    for content in proven(opened, there.spent):
        try:
            sheets.append(AnswerSheet.from_bytes(content, questionnaire))
        except SheetUnreadable:
            continue
    missing = SheetsMissing(len(there.spent) - len(sheets), len(there.spent))
    if missing.missing > most_missing(missing.spent) and not (missing.acceptable and missing.missing == without):
        raise missing
    return code(sheets, questionnaire), comments_of(sheets, questionnaire), missing.missing


def proven(opened: Sequence[Opened], spent: Sequence[str]) -> list[bytes]:
    """The contents that come with the proof of a spent code: one for a code. Copies of a sheet are one; where two differ neither counts."""
    contents: dict[str, set[bytes]] = {digest: set() for digest in spent}
    for sheet in opened:
        if (found := contents.get(spent_digest(Digest(sheet.proof)).hex())) is not None:
            found.add(sheet.sheet)
    return [next(iter(found)) for found in contents.values() if len(found) == 1]


def open_responses(there: Contents, questionnaire: Questionnaire, key: UrnKey) -> tuple[RawResponses, Comments, int]:
    """Version 1: open every envelope of a wave; what does not open or parse is dropped and counted.

    Parameters
    ----------
    there : Contents
        Sealed sheets; the spent codes beside them are not read here.
    questionnaire : Questionnaire
        The frozen one: a sheet that does not fit it is dropped.
    key : UrnKey
        The urn's private keys, as `unwrap` gives them.

    Returns
    -------
    Responses, comments, and how many envelopes were dropped.
    """
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
