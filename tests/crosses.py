"""The hard case of protection: everything crossed with everything."""

from collections.abc import Sequence
from itertools import product

from analysis.demographics import Category, Dimension
from analysis.views import ROOT, Plan, View


def full_cross_plan(units: Sequence[Category], gender: Sequence[Category], age: Sequence[Category]) -> Plan:
    """Every unit by every gender by every age, with all margins: all weights 1."""
    dimensions = (Dimension("unit", tuple(units)), Dimension("gender", tuple(gender)), Dimension("age", tuple(age)))
    views = []
    choices: list[list[tuple[str, tuple[str, ...]] | None]] = [
        [None, *((d.id, (c.code,)) for c in d.categories)] for d in dimensions
    ]
    for chosen in product(*choices):
        filters = tuple(part for part in chosen if part)
        views.append(View("+".join(f"{name}:{codes[0]}" for name, codes in filters) or ROOT, filters, 1))
    return Plan(dimensions, tuple(views))
