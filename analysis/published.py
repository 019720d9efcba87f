"""A release document as types: its readers ask these, and never a key of its JSON. `docs/release-document.schema.json` is made of them.

Whether a document may be believed is not said here: `verify` looks at what a stranger hands in. What it passes has these types.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from analysis.demographics import Dimension
from analysis.steps import STEPS, Figure

type Filter = Mapping[str, Sequence[str]]
"""Of each named dimension any of the named categories ("" is "gave none"); the whole organisation has none."""
type Kind = Literal["everyone", "territory", "service", "team", "gender", "age", "other", "cross"]
"""What a view is of: everyone, a unit by how deep it stands, one other demographic (of imported waves any), or a crossing."""
UNITS: tuple[Kind, ...] = ("territory", "service", "team")
"""A unit without one above it is a territory, the next a service, what is below a team."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of a document. What is not shown of it is not there."""


class Limits(_Part, frozen=True):
    """Limits of an index, or of a favourable share, in [0, 100]: whole numbers, rounded outward."""

    index: tuple[int, int] | None = None
    favourable: tuple[int, int] | None = None


class Statistic(_Part, frozen=True):
    """The figures of one statistic in one view: a multiple of a step, or a coded end.

    index, favourable : in [0, 100]; `distribution` of a question in three or five classes, `sd` of everyone alone.
    n_band : of those who entered it, where that is a smaller band than the view's.
    """

    index: Figure
    favourable: Figure | None = None
    distribution: tuple[Figure, ...] = ()
    sd: float | None = None
    ci: Limits = Limits()
    n_band: str = ""


class Special(_Part, frozen=True):
    """Shares in [0, 100] of those who do not know, prefer not to say, or left a question out."""

    dont_know: Figure | None = None
    prefer_not: Figure | None = None
    skipped: Figure | None = None


class View(_Part, frozen=True):
    """One planned view. Of one that is not shown there is nothing but its name; `special` is of everyone alone."""

    id: str
    filter: dict[str, tuple[str, ...]]
    shown: bool
    n_band: str = ""
    participation: Figure | None = None
    areas: dict[str, Statistic] = {}
    scales: dict[str, Statistic] = {}
    items: dict[str, Statistic] = {}
    indicators: dict[str, Statistic] = {}
    special: dict[str, Special] = {}

    def family(self, name: str) -> Mapping[str, Statistic]:
        """The statistics of ``areas``, ``scales``, ``items`` or ``indicators``, by their ids."""
        found: dict[str, Statistic] = getattr(self, name)
        return found


class Difference(_Part, frozen=True):
    """A view's index beside another's, in points of 0-100. `clear` only after correction for how many were compared.

    delta : Cliff's, in [-1, 1], of women against the contrast; documents of before have none.
    """

    view: str
    against: str
    family: str
    statistic: str
    value: float
    reference: float
    gap: float
    low: float
    high: float
    clear: bool
    delta: float | None = None


class Perception(_Part, frozen=True):
    """How people live one indicator: state, and where enough answered index and limits in [0, 100]."""

    items: tuple[str, ...]
    state: str
    single_item: bool = False
    awareness_low: bool = False
    index: Figure | None = None
    ci: tuple[int, int] | None = None
    dont_know: Figure | None = None
    gender: dict[str, str] = {}


class Side(_Part, frozen=True):
    """The band of one side of a contrast."""

    band: str


class Experience(_Part, frozen=True):
    """How many something happened to, in a band; of follow-up questions a share in [0, 100]."""

    band: str | None = None
    share: Figure | None = None
    gender: dict[str, Side] = {}


class Reliability(_Part, frozen=True):
    """How well a scale holds together, in a word; the two numbers were published once."""

    n_band: str
    reading: str
    alpha: float | None = None
    omega: float | None = None


class Quality(_Part, frozen=True):
    """Of everyone alone: the scales, the share of what was left out, and of sheets that look filled in without reading.

    drivers : by outcome and theme ``more``, ``linked`` or ``less``: how much they go together; from 200 people on.
    """

    reliability: dict[str, Reliability]
    nonresponse: dict[str, Figure]
    careless: Figure | None = None
    drivers: dict[str, dict[str, Literal["more", "linked", "less"]]] = {}


class Wave(_Part, frozen=True):
    """Which wave it was: days in ISO 8601, `plan` the hash of the plan that its holders signed."""

    id: str
    title: dict[str, str] = {}
    opened: str | None = None
    closed: str | None = None
    plan: str | None = None


class Questionnaire(_Part, frozen=True):
    """Which questionnaire was asked, by its digest."""

    sha256: str
    id: str = ""
    version: str | int = ""


class Rules(_Part, frozen=True):
    """The smallest groups, the table of steps, and the rung of it that was needed."""

    k: dict[str, int]
    steps: str
    rung: int | None = None


class PlannedView(_Part, frozen=True):
    """A view as it was planned; `weight` is what hiding it costs."""

    id: str
    filter: dict[str, tuple[str, ...]]
    weight: int


class Plan(_Part, frozen=True):
    """The plan as it was frozen at opening, and how many people each view has, in bands."""

    dimensions: tuple[Dimension, ...]
    views: tuple[PlannedView, ...]
    headcounts: dict[str, str]


class Certificate(_Part, frozen=True):
    """What the attackers of this project found no way through."""

    auditor: str
    families: dict[str, str]
    answers: str
    pattern_sha256: str


class Document(_Part, frozen=True):
    """A release. `views` begin with everyone; `key` and `signature` are there once it is signed."""

    schema: str
    installation: str
    origin: str
    wave: Wave
    questionnaire: Questionnaire
    rules: Rules
    plan: Plan
    participation: dict[str, int]
    views: tuple[View, ...]
    differences: tuple[Difference, ...]
    perception: dict[str, Perception]
    experience: dict[str, Experience]
    quality: Quality
    comments: str
    certificate: Certificate
    key: str = ""
    signature: str = ""

    @property
    def everyone(self) -> View:
        """The whole organisation."""
        return self.views[0]

    @property
    def single_scales(self) -> tuple[str, ...]:
        """The scales whose items do not go together: their questions are read one by one."""
        held = self.quality.reliability
        return tuple(one for one in self.everyone.scales if one in held and held[one].reading == "items")

    @property
    def scales(self) -> Mapping[str, Statistic]:
        """The scales of everyone that may be charted, coloured and ranked: all others."""
        return {name: found for name, found in self.everyone.scales.items() if name not in self.single_scales}

    @property
    def answers_verdict(self) -> str:
        """What was made sure of single answers: ``moved`` (docs/privacy.md), before that ``pass`` or ``rule_only``."""
        if self.certificate.answers != "pass":
            return "rule_only"
        return "moved" if self.rules.steps == STEPS else "pass"

    def kind_of(self, view: str) -> Kind:
        """What a view is of.

        Raises
        ------
        KeyError
            If there is no such view.
        """
        return kind_of({one.id: one.filter for one in self.plan.views}[view], self.plan.dimensions)


def kind_of(filter_: Filter, dimensions: Sequence[Dimension]) -> Kind:
    """What a view is of, by its filter and the tree of units."""
    if not filter_:
        return "everyone"
    if len(filter_) > 1:
        return "cross"
    name, codes = next(iter(filter_.items()))
    match name:
        case "unit":
            return UNITS[min(depth_of(codes[0], dimensions), len(UNITS)) - 1]
        case "gender" | "age":
            return name
        case _:
            return "other"


def depth_of(unit: str, dimensions: Sequence[Dimension]) -> int:
    """How deep a unit stands: 1 for one without another above it."""
    above = {one.code: one.parent for dimension in dimensions if dimension.id == "unit" for one in dimension.categories}
    depth, parent = 1, above.get(unit)
    while parent:
        depth, parent = depth + 1, above.get(parent)
    return depth


def read(document: Mapping[str, Any]) -> Document:
    """Take a document that was parsed from JSON.

    Raises
    ------
    msgspec.ValidationError
        Naming the part that has another type, is missing or is none of a release.
    """
    return msgspec.convert(document, Document)


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a release document."""
    return msgspec.json.schema(Document)
