"""What a questionnaire is: sections of items with their choices, in nine languages; frozen when a wave opens."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

type Texts = Mapping[str, str]

WORDS_A_MINUTE = 130
CHARACTERS_A_MINUTE = 260
"""Chinese has no spaces: its words are counted as two characters each."""
SECONDS_AN_ANSWER = 4
SPECIAL = ("prefer_not", "dont_know")
"""Answers of their own: never a value of the scale, never missing."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One possible answer. `group` is the heading under which a long list shows it."""

    code: str
    label: Texts
    group: Texts | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One item.

    `low` and `high` bound the scale, ``low <= value <= high``; both are 0 for a demographic or a multiple choice.
    `exclusive` codes of a multiple choice stand alone. `rare`: most people give the same extreme answer, so it is
    published for the whole organisation only.
    """

    id: str
    type: str
    text: Texts
    choices: tuple[Choice, ...]
    multiple: bool = False
    exclusive: tuple[str, ...] = ()
    low: int = 0
    high: int = 0
    reverse: bool = False
    construct: str = ""
    areas: tuple[int, ...] = ()
    indicators: tuple[str, ...] = ()
    sensitivity: str = "low"
    rare: bool = False
    pulse: bool = False
    note: Texts | None = None
    max_chars: int = 0
    """Of an open question: how long its text may be; 0 for every other item."""

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(choice.code for choice in self.choices)


@dataclass(frozen=True, slots=True)
class Section:
    """A page of items. `kind` is ``items``, ``experience``, ``comments`` or ``demographics``."""

    id: str
    kind: str
    title: Texts
    note: Texts | None
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """What an answer to one item may be: its codes with their place, and how many of them go together."""

    codes: Mapping[str, int]
    multiple: bool
    exclusive: frozenset[str]
    experience: bool
    max_chars: int


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """A questionnaire with all its texts; `reviewed` languages were checked by a native speaker."""

    id: str
    version: str
    title: Texts
    languages: tuple[str, ...]
    reviewed: tuple[str, ...]
    sections: tuple[Section, ...]
    messages: Mapping[str, Texts] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(init=False, repr=False, compare=False)
    """How to check the answer to each item; made once, for thousands of sheets are read."""

    def __post_init__(self) -> None:
        checks = {
            item.id: Check(
                {code: place for place, code in enumerate(item.codes)},
                item.multiple,
                frozenset(item.exclusive),
                section.kind == "experience",
                item.max_chars,
            )
            for section in self.sections
            for item in section.items
        }
        object.__setattr__(self, "checks", checks)
        ids = [item.id for item in self.items()]
        if len(set(ids)) != len(ids):
            raise ValueError("two items have the same id")
        for where, texts in self._texts():
            if missing := [language for language in self.languages if not texts.get(language)]:
                raise ValueError(f"{where} has no text in {', '.join(missing)}")

    def items(self) -> Iterator[Item]:
        for section in self.sections:
            yield from section.items

    def _texts(self) -> Iterator[tuple[str, Texts]]:
        yield "title", self.title
        yield from self.messages.items()
        for section in self.sections:
            yield section.id, section.title
            if section.note:
                yield f"{section.id} note", section.note
            for item in section.items:
                yield item.id, item.text
                for choice in item.choices:
                    yield f"{item.id}.{choice.code}", choice.label

    def minutes(self, language: str) -> int:
        """How long answering takes: reading at 130 words a minute and 4 seconds an answer, rounded up."""
        texts = [text.get(language, "") for where, text in self._texts() if "." not in where]
        if language.startswith("zh"):
            reading = sum(len(text) for text in texts) / CHARACTERS_A_MINUTE
        else:
            reading = sum(len(text.split()) for text in texts) / WORDS_A_MINUTE
        return math.ceil(reading + sum(1 for _ in self.items()) * SECONDS_AN_ANSWER / 60)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` gives an equal questionnaire back."""
        frozen = {f.name: getattr(self, f.name) for f in fields(self) if f.init}
        frozen["sections"] = [asdict(section) for section in self.sections]
        plain: dict[str, Any] = json.loads(json.dumps(frozen, ensure_ascii=False))
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Questionnaire":
        """Read what `to_json` gave.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is something else.
        """
        sections = tuple(
            Section(s["id"], s["kind"], s["title"], s["note"], tuple(_item(item) for item in s["items"]))
            for s in plain["sections"]
        )
        return cls(
            plain["id"],
            plain["version"],
            plain["title"],
            tuple(plain["languages"]),
            tuple(plain["reviewed"]),
            sections,
            plain["messages"],
        )

    def sha256(self) -> str:
        """The digest of the canonical JSON, as the release document quotes it."""
        text = json.dumps(self.to_json(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _item(plain: Mapping[str, Any]) -> Item:
    values = dict(plain)
    values["choices"] = tuple(Choice(**choice) for choice in plain["choices"])
    for name in ("exclusive", "areas", "indicators"):
        values[name] = tuple(plain[name])
    return Item(**values)
