"""The shipped questionnaire "Clima e parità", full and pulse, made from the item bank and the unit tree."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surveys.item_bank import bank, drafts, merged, section_texts
from surveys.languages import LANGUAGES, REVIEWED
from surveys.questionnaire.form import SPECIAL, Choice, Item, Questionnaire, Section, Texts

FULL, PULSE = "clima-parita", "clima-parita-pulse"
"""The ids of the two forms."""
OUTCOMES = ("OUT1", "OUT2")
"""What all else is held against: they count for an indicator, and enter no area."""
_BANK_ID = {"gender": "DEM_GENDER", "age": "DEM_AGE"}
_PREFIX = {"agree5": "agree_", "freq12m": "freq_"}
_RARE = frozenset[str]()
"""No Likert item of the bank is one that nearly all answer alike; experience items have rules of their own."""


@dataclass(frozen=True, slots=True)
class UnitNode:
    """A unit of the question "where do you work": `parent` is "" for a territory."""

    code: str
    name: str
    parent: str


def shipped(
    form: str, units: Sequence[UnitNode], demographics: Sequence[str], *, comments: bool = False
) -> Questionnaire:
    """Make the questionnaire.

    Parameters
    ----------
    form : ``full`` (47 items) or ``pulse`` (12, without the experience block)
    units : parents before children; the unit question lists them
    comments : whether the open questions are asked
    demographics : of ``unit``, ``gender``, ``age`` and the bank's ``DEM_…`` ids: only those that a planned view uses
    """
    pulse = form == "pulse"
    items = {item["id"]: item for item in bank()["items"]}
    sections = [*_constructs(items, pulse=pulse), _outcomes(items)]
    if not pulse:
        sections.append(_experience(items))
    if comments:
        sections.append(_comments(items))
    asked = tuple(_demographic(items, name, units) for name in demographics)
    if asked:
        texts = section_texts()
        sections.append(Section("DEM", "demographics", texts["demographics"], texts["demographics_note"], asked))
    messages = {
        key: merged(bank()["messages"][key], "messages", key)
        for key in ("intro", "experience_note", "experience_support")
    }
    name = PULSE if pulse else FULL
    title = {**bank()["title"], **drafts()["title"]}
    return Questionnaire(name, bank()["version"], title, LANGUAGES, REVIEWED, tuple(sections), messages)


def _constructs(items: Mapping[str, Any], *, pulse: bool) -> Iterator[Section]:
    for construct in bank()["constructs"]:
        chosen = [items[name] for name in construct["items"] if items[name]["pulse"] or not pulse]
        if chosen:
            title = merged(construct["name"], "constructs", construct["id"])
            yield Section(construct["id"], "items", title, None, tuple(_scaled(item) for item in chosen))


def _outcomes(items: Mapping[str, Any]) -> Section:
    chosen = tuple(_scaled(items[name]) for name in ("OUT1", "OUT2"))
    return Section("OUT", "items", section_texts()["outcomes"], None, chosen)


def _experience(items: Mapping[str, Any]) -> Section:
    chosen = [item for item in items.values() if item["type"] == "experience"]
    note = merged(bank()["messages"]["experience_note"], "messages", "experience_note")
    made = tuple(_scaled(item) if "scale" in item else _listed(item) for item in chosen)
    return Section("EXP", "experience", section_texts()["experience"], note, made)


def _comments(items: Mapping[str, Any]) -> Section:
    chosen = tuple(
        Item(
            id=item["id"],
            type="open",
            text=merged(item["text"], "items", item["id"]),
            choices=(),
            areas=tuple(item["areas"]),
            indicators=tuple(item["indicators"]),
            sensitivity=item["sensitivity"],
            max_chars=item["max_chars"],
        )
        for item in items.values()
        if item["type"] == "open"
    )
    note = merged(bank()["messages"]["open_note"], "messages", "open_note")
    return Section("OPN", "comments", section_texts()["comments"], note, chosen)


def _special(code: str) -> Choice:
    found = next(s for s in bank()["scales"]["agree5"]["special"] if s["code"] == code)
    return Choice(code, merged(found["label"], "labels", code))


def _scaled(item: Mapping[str, Any]) -> Item:
    """An item on a scale: its points, then "I don't know" where that may be true, then "I prefer not"."""
    scale = bank()["scales"][item["scale"]]
    points = scale["points"]
    choices = [
        Choice(str(p["value"]), merged(p["label"], "labels", f"{_PREFIX[item['scale']]}{p['value']}")) for p in points
    ]
    if item.get("allow_dont_know"):
        choices.append(_special("dont_know"))
    choices.append(_special("prefer_not"))
    return Item(
        id=item["id"],
        type=item["type"],
        text=merged(item["text"], "items", item["id"]),
        choices=tuple(choices),
        low=points[0]["value"],
        high=points[-1]["value"],
        reverse=bool(item.get("reverse")),
        construct=item.get("construct") or "",
        areas=tuple(item["areas"]),
        indicators=tuple(item["indicators"]),
        sensitivity=item["sensitivity"],
        rare=item["id"] in _RARE,
        pulse=item["pulse"],
    )


def _options(item: Mapping[str, Any]) -> Iterator[Choice]:
    for option in item["options"]:
        if option["code"] in SPECIAL:
            yield _special(option["code"])
        else:
            yield Choice(option["code"], merged(option["label"], "options", f"{item['id']}.{option['code']}"))


def _listed(item: Mapping[str, Any], name: str = "", note: Texts | None = None) -> Item:
    """An item with a list of options, one or several of which may be chosen."""
    choices = tuple(_options(item))
    if not any(choice.code == "prefer_not" for choice in choices):
        choices = (*choices, _special("prefer_not"))
    exclusive = {option["code"] for option in item["options"] if option.get("exclusive")} | {"prefer_not"}
    return Item(
        id=name or item["id"],
        type=item["type"],
        text=merged(item["text"], "items", item["id"]),
        choices=choices,
        multiple=item["answer"] == "multi",
        exclusive=tuple(sorted(exclusive)),
        areas=tuple(item["areas"]),
        indicators=tuple(item["indicators"]),
        sensitivity=item["sensitivity"],
        pulse=item["pulse"],
        note=note,
    )


def _demographic(items: Mapping[str, Any], name: str, units: Sequence[UnitNode]) -> Item:
    texts = section_texts()
    note = texts.get(f"why_{name}", texts["why_other"])
    if name != "unit":
        return _listed(items[_BANK_ID.get(name, name)], name, note)
    choices = (*_unit_choices(units), Choice("several", texts["unit_several"]), _special("prefer_not"))
    return Item(
        id="unit",
        type="demographic",
        text=texts["unit"],
        choices=choices,
        exclusive=("prefer_not", "several"),
        note=note,
    )


def _unit_choices(units: Sequence[UnitNode]) -> Iterator[Choice]:
    """Each territory as a heading, "only the territory" first, then its services."""
    same = section_texts()["unit_territory_only"]
    names = [unit.name for unit in units]
    for top in units:
        if top.parent:
            continue
        heading = dict.fromkeys(LANGUAGES, top.name)
        yield Choice(top.code, {language: same[language].format(name=top.name) for language in LANGUAGES}, heading)
        inside = {top.code}
        for unit in units:
            if unit.parent in inside:
                inside.add(unit.code)
                # two territories may both have a "nido": a short list is shown without its headings
                name = f"{unit.name} ({top.name})" if names.count(unit.name) > 1 else unit.name
                yield Choice(unit.code, dict.fromkeys(LANGUAGES, name), heading)
