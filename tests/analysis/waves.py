"""A small wave to release: the instrument, the plan and the facts that tests of the release share."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.demographics import Category
from analysis.moves import Below
from analysis.release import Facts, Progress, release
from analysis.responses import RawResponses
from analysis.rules import Rules
from analysis.scoring import Instrument, ItemSpec, ScaleSpec
from analysis.views import default_plan

UNITS = [Category("po", "Prato"), Category("fi", "Firenze"), Category("po.a", "A", "po"), Category("po.b", "B", "po")]
GENDER = [Category(code, code) for code in ("f", "m", "nb", "self")]
AGE = [Category("u30", "u30"), Category("50_59", "50_59")]
PLAN = default_plan(UNITS, GENDER, AGE)
LIKERT = ("A1", "A2", "A3")


def likert(name: str, *, outcome: bool = False) -> ItemSpec:
    """The last question of the scale does not offer "I do not know"."""
    return ItemSpec(name, 1, 5, False, "CUL", (1,), ("1.1",), "items", False, outcome, None, 4, name != "A3")


def experience(name: str, of: str | None = None) -> ItemSpec:
    return ItemSpec(name, 0, 1 if of else 2, False, None, (3,), ("3.6",), "experience", True, False, of, 1)


INSTRUMENT = Instrument(
    (
        *(likert(name) for name in LIKERT),
        experience("EXP1"),
        experience("EXP6.age", "EXP6"),
        experience("EXP7.manager", "EXP7"),
    ),
    (ScaleSpec("CUL", LIKERT, 2),),
    ("1.1",),
)


def facts(n: int, invited: int | None = None, headcounts: Mapping[str, int] | None = None) -> Facts:
    return Facts(
        "test",
        "ascolto",
        {"id": "w", "title": {"it": "W"}, "opened": "", "closed": ""},
        {"id": "q", "version": "1", "sha256": ""},
        {"invited": 2 * n if invited is None else invited, "issued": 0, "drawn": n, "received": n, "unreadable": 0},
        headcounts,
    )


def wave(n: int, *, genders: Sequence[str] | None = None, **answers: Sequence[int]) -> RawResponses:
    """People in turn over units and ages; every answer 3 unless given, nothing experienced unless given."""
    groups = {
        "unit": [("po.a", "po.b", "fi")[i % 3] for i in range(n)],
        "gender": list(genders) if genders else [("f", "f", "m")[i // 3 % 3] for i in range(n)],
        "age": [("u30", "50_59")[i % 2] for i in range(n)],
    }
    given = {name: [3] * n for name in LIKERT} | {"EXP1": [0] * n, "EXP6.age": [0] * n, "EXP7.manager": [-1] * n}
    return RawResponses(n, groups, given | {name.replace("_", "."): column for name, column in answers.items()})


def still(below: int) -> int:
    """A source of randomness with which no figure moves."""
    return below // 2


def dice(seed: int) -> Below:
    """A source of randomness that gives the same again."""
    found = np.random.default_rng(seed)
    return lambda below: int(found.integers(0, below))


def released(
    raw: RawResponses,
    invited: int | None = None,
    headcounts: Mapping[str, int] | None = None,
    below: Below = still,
    progress: Progress | None = None,
) -> dict[str, Any]:
    made = release(raw, PLAN, INSTRUMENT, Rules(), facts(len(raw), invited, headcounts), progress=progress, below=below)
    return made.to_json()
