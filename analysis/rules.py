"""The numbers of the promise: how many people stand behind whatever is shown, and how many sheets a release needs; and what is said
where it cannot be kept."""

from dataclasses import dataclass
from typing import Any

from analysis.steps import STEPS

MINIMUM = {"items": 5, "comments": 10, "experience": 20}
"""The least number of people of each family of figures; a wave's own rule may be higher, never lower."""
LEAST_SHEETS = 10
"""Under so many sheets nothing is released."""
LEAST_PAID = 10
"""Under so many women, or men, no pay of theirs is told to others than HR and the auditor (docs/pdr125.md, 7)."""

LOW_AWARENESS = 30
"""From so many percent of "don't know" on, a practice is called little known."""


class DisclosureError(Exception):
    """What would be published does not protect everyone, or could not be proven to: nothing is released."""


class TooFew(Exception):
    """Fewer than ten sheets: nothing is released."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The least number of people of each family; never below 5 items, 10 comments, 20 experiences."""

    k_items: int = 5
    k_comments: int = 10
    k_experience: int = 20

    def __post_init__(self) -> None:
        for family, least in MINIMUM.items():
            if getattr(self, f"k_{family}") < least:
                raise ValueError(f"the rule for {family} cannot go below {least}")

    def to_json(self) -> dict[str, Any]:
        return {"k": {family: getattr(self, f"k_{family}") for family in MINIMUM}, "steps": STEPS}
