"""What the analysis needs to know of a questionnaire: items, scales, indicators; no wording."""

from analysis.scoring import Instrument, ItemSpec, ScaleSpec
from surveys.questionnaire import Item, Questionnaire
from surveys.questionnaire.shipped import OUTCOMES

_FAVOURABLE_FROM = 4
_SPECIAL = ("prefer_not", "dont_know")


def instrument_of(questionnaire: Questionnaire) -> Instrument:
    """Describe a shipped questionnaire to the analysis."""
    items = [item for section in questionnaire.sections for item in section.items]
    specs = [spec for item in items for spec in _specs(item)]
    constructs: dict[str, list[str]] = {}
    for item in items:
        if item.type == "likert" and item.construct:
            constructs.setdefault(item.construct, []).append(item.id)
    scales = tuple(
        ScaleSpec(construct, tuple(members), -(-2 * len(members) // 3))
        for construct, members in constructs.items()
        if len(members) >= 3
    )
    indicators = sorted({indicator for item in items if item.type == "likert" for indicator in item.indicators})
    return Instrument(tuple(specs), scales, tuple(indicators))


def _specs(item: Item) -> list[ItemSpec]:
    if item.type in ("demographic", "open"):
        return []
    if item.type == "likert":
        return [
            ItemSpec(
                id=item.id,
                low=1,
                high=5,
                reverse=item.reverse,
                construct=item.construct or None,
                areas=tuple(item.areas),
                indicators=tuple(item.indicators),
                family="items",
                rare=item.rare,
                outcome=item.id in OUTCOMES,
                of=None,
                favourable_from=_FAVOURABLE_FROM,
                dont_know="dont_know" in item.codes,
            )
        ]
    if item.multiple:
        return [
            _experience(f"{item.id}.{choice.code}", item, 1, item.id)
            for choice in item.choices
            if choice.code not in _SPECIAL
        ]
    return [_experience(item.id, item, max(int(c.code) for c in item.choices if c.code not in _SPECIAL), None)]


def _experience(name: str, item: Item, high: int, of: str | None) -> ItemSpec:
    return ItemSpec(
        id=name,
        low=0,
        high=high,
        reverse=False,
        construct=None,
        areas=tuple(item.areas),
        indicators=tuple(item.indicators),
        family="experience",
        rare=True,
        outcome=False,
        of=of,
        favourable_from=1,
    )
