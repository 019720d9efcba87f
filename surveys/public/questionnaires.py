"""The questionnaire of a wave, parsed once and kept."""

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from surveys.public.waves import WaveRecord
from surveys.questionnaire import Item, Questionnaire
from surveys.questionnaire.shipped import OUTCOMES


def _text(wave: WaveRecord) -> bytes:
    """The frozen questionnaire as one text: what is made of it is kept under that."""
    return msgspec.json.encode(wave.questionnaire, order="sorted")


@lru_cache(maxsize=8)
def _read_questionnaire(text: bytes) -> Questionnaire:
    return Questionnaire.from_json(msgspec.json.decode(text))


def questionnaire_of(wave: WaveRecord) -> Questionnaire:
    """The frozen questionnaire of a wave; parsed once for each text."""
    return _read_questionnaire(_text(wave))


@lru_cache(maxsize=8)
def _digest(text: bytes) -> str:
    return _read_questionnaire(text).sha256()


def digest_of(wave: WaveRecord) -> str:
    """The digest of a wave's questions, as its release signs it; made once for each text."""
    return _digest(_text(wave))


type Members = Mapping[str, Mapping[str, frozenset[str]]]
"""By family and statistic, the questions that make it up."""


def members_of(wave: WaveRecord) -> Members:
    """Which questions make up each area, theme and indicator of a wave that we asked; made once for each text."""
    return _members(_text(wave))


@lru_cache(maxsize=8)
def _members(text: bytes) -> Members:
    items = _likert(_read_questionnaire(text))
    found: dict[str, dict[str, set[str]]] = {"areas": {}, "scales": {}, "indicators": {}, "items": {}}
    for item in items.values():
        found["items"][item.id] = {item.id}
        if item.construct:
            found["scales"].setdefault(item.construct, set()).add(item.id)
        for area in () if item.id in OUTCOMES else item.areas:  # an outcome enters no area
            found["areas"].setdefault(str(area), set()).add(item.id)
        for indicator in item.indicators:
            found["indicators"].setdefault(indicator, set()).add(item.id)
    return {family: {name: frozenset(ids) for name, ids in of.items()} for family, of in found.items()}


def asked_alike(now: WaveRecord, before: WaveRecord) -> Mapping[str, frozenset[str]]:
    """By family, the statistics whose questions were the same in both waves: same set, same Italian words, same answers."""
    here, there = _likert(questionnaire_of(now)), _likert(questionnaire_of(before))
    same = {name for name in here if name in there and _asked(here[name]) == _asked(there[name])}
    mine, theirs = members_of(now), members_of(before)
    return {
        family: frozenset(name for name, ids in of.items() if ids <= same and theirs[family].get(name) == ids)
        for family, of in mine.items()
    }


def _likert(questionnaire: Questionnaire) -> dict[str, Item]:
    return {item.id: item for section in questionnaire.sections for item in section.items if item.type == "likert"}


def _asked(item: Item) -> tuple[object, ...]:
    return item.text.get("it", ""), item.codes, item.reverse
