"""The one way out of the answers: raw responses, plan and rules in; a protected release out, or nothing."""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis import experiences, figures
from analysis.audit import answers, structure
from analysis.audit.structure_wide import audit_wide_structure
from analysis.comparison import Known
from analysis.contrast import compared
from analysis.document import SCHEMA, Release, canonical
from analysis.moves import Below, Law, Moves
from analysis.protect.suppression import SolverLimit, repair, solve
from analysis.protect.territories import solve_in_parts
from analysis.responses import RawResponses
from analysis.rules import LEAST_SHEETS, DisclosureError, Rules, TooFew
from analysis.scoring import Instrument
from analysis.statistic import RawStatistic, statistics_of
from analysis.steps import COARSER, ROWS, Rows, participation_figure, size_band
from analysis.views import Plan, RawIncidence, candidates, incidence

EXACT_ATOMS = 600
"""Up to so many combinations of attributes the choice of views is solved to its optimum in one piece."""
DRAWS = 3
"""How often a document is drawn on each rung of the ladder before the next, coarser one is taken."""
LADDER: tuple[tuple[Rows, bool], ...] = ((ROWS, False), (COARSER, False), (ROWS, True))
"""The step tables in order, and whether only the whole organisation is shown; published with every release (PRIVACY 2.10)."""
PARALLEL = 2
"""Statistics looked at side by side; the solver works outside the interpreter's lock."""

type Progress = Callable[[str], None]
type Shown = Any
"""A boolean array over views."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a document says besides numbers from answers. Days are ISO text; `headcounts` is None where unknown."""

    installation: str
    origin: str
    wave: Mapping[str, Any]
    questionnaire: Mapping[str, str]
    participation: Mapping[str, int]
    headcounts: Mapping[str, int] | None = field(default=None, repr=False)


def release(
    raw: RawResponses,
    plan: Plan,
    instrument: Instrument,
    rules: Rules,
    facts: Facts,
    *,
    progress: Progress | None = None,
    below: Below = secrets.randbelow,
) -> Release:
    """Choose what to show, compute it with a small secret move of each figure, audit it, and make the document.

    Parameters
    ----------
    raw : the sheets of a wave, ten or more
    plan : its views as they were fixed before it opened
    instrument : its questions without their words
    rules : the least number of people of each family
    facts : what is printed beside; a view with more respondents than its headcount is not shown
    progress : told a word at each step
    below : where the moves come from; of a wave, the seed that is drawn once (`surveys.lifecycle.drawing`)

    Raises
    ------
    TooFew
        Under ten sheets.
    DisclosureError
        If the solver reached its limits, the auditor found an exposed atom, or no rung of the ladder passes.
    """
    say = progress or (lambda _: None)
    if len(raw) < LEAST_SHEETS:
        raise TooFew
    say("views")
    found = incidence(plan, raw)
    k = rules.k_items
    allowed = candidates(plan, found, k) & _within_headcount(plan, found, facts)
    weights = np.array([view.weight for view in plan.views], dtype=np.int64)
    say("suppression")
    try:
        base = _base(found, weights, k, allowed, say)
        statistics = statistics_of(raw, instrument)
        alike = {(_atoms_of(s, found).tobytes(), s.root_only): s for s in statistics}  # answered by the same people
        with ThreadPoolExecutor(PARALLEL) as workers:  # each by itself: the order does not matter
            patterns = dict(
                zip(alike, workers.map(lambda s: _shown_of(s, found, weights, k, base), alike.values()), strict=True)
            )
        shown = {s.key: patterns[_atoms_of(s, found).tobytes(), s.root_only] for s in statistics}
    except SolverLimit as problem:
        raise DisclosureError("the choice of views could not be proven") from problem
    say("audit")
    _audit(found, base, statistics, shown, k)
    say("answers")
    population = facts.participation.get("invited") or None
    views, rung = _audited(plan, found, base, statistics, shown, population, below)
    say("statistics")
    table = LADDER[rung][0]
    views[0]["special"] = figures.special_shares(raw, instrument)
    _add_participation(views, found, facts, k)
    visible = np.array([view["shown"] for view in views])
    experience = experiences.experience(raw, instrument, plan, found, visible, rules.k_experience, Moves(below))
    quality = figures.quality(raw, instrument)
    perception = figures.perception(instrument, statistics, views, population, table)
    frozen = _plan(plan, facts)
    steps = {f"{s.family}/{s.id}": s.steps for s in statistics}
    document = {
        "schema": SCHEMA,
        "installation": facts.installation,
        "origin": facts.origin,
        "wave": dict(facts.wave),
        "questionnaire": dict(facts.questionnaire),
        "rules": rules.to_json() | {"rung": rung},
        "plan": frozen,
        "participation": dict(facts.participation),
        "views": views,
        "differences": compared(
            views,
            perception,
            quality,
            Known.of(views[0], facts.participation, quality, frozen["headcounts"], steps=steps, rows=table),
        ),
        "perception": perception,
        "experience": experience,
        "quality": quality,
        "comments": "none",
        "certificate": {
            "auditor": structure.VERSION,
            "families": {"items": "pass", "experience": "pass" if experience else "none"},
            "answers": "pass",
            "pattern_sha256": _pattern_digest(plan, visible, {key: rows & visible for key, rows in shown.items()}),
        },
    }
    return Release.from_json(document)


def base_pattern(plan: Plan, found: RawIncidence, k: int, allowed: Shown) -> Shown:
    """The views that would be shown of these people, by counts alone.

    Parameters
    ----------
    plan : its weights are what hiding a view costs
    found : these people as atoms of the plan
    k : the least number of people
    allowed : of each view, whether it may be shown at all (`candidates`)

    Raises
    ------
    SolverLimit
        If the choice could not be proven.
    ValueError
        If there are fewer than `k` people.
    """
    weights = np.array([view.weight for view in plan.views], dtype=np.int64)
    return _base(found, weights, k, allowed, lambda _: None)


def _base(found: RawIncidence, weights: Any, k: int, allowed: Shown, say: Progress) -> Shown:
    """The views to show by counts: the optimum where that is affordable, else of each territory and certified together."""
    if len(found.n) <= EXACT_ATOMS:
        return solve(found.matrix, found.n, weights, k, allowed=allowed, progress=say).shown
    return solve_in_parts(found.sparse, found.n, weights, k, found.part_of, allowed=allowed, progress=say).shown


def _passes(found: RawIncidence, counts: Any, shown: Shown, k: int) -> bool:
    """The independent auditor's verdict on a pattern and the respondents of each atom."""
    if len(found.n) <= EXACT_ATOMS:
        return structure.audit_structure(found.matrix, counts, shown, k).passed
    return audit_wide_structure(found.sparse, counts, shown, k).passed


def _audited(
    plan: Plan,
    found: RawIncidence,
    base: Shown,
    statistics: list[RawStatistic],
    shown: Mapping[str, Shown],
    population: int | None,
    below: Below,
) -> tuple[list[dict[str, Any]], int]:
    """The figures of every view, drawn until the answers audit passes them, and the rung of the ladder they stand on.

    A document that does not pass is drawn anew as a whole, and after so many times as a whole on the next rung: never does
    one view go that another has, so that what is missing says nothing of anybody's answers; nor is a step of it told.

    Raises
    ------
    DisclosureError
        If the last rung does not pass, or a figure cannot be followed back.
    """
    only_root = np.arange(len(plan.views)) == 0
    for rung, (rows, alone) in enumerate(LADDER):
        seen = base & only_root if alone else base
        for _ in range(DRAWS):
            views = _views(plan, found, seen, statistics, shown, population, Moves(below), rows)
            published = answers.Published(views, statistics, found, rows)
            try:
                if not answers.audit_answers(published):
                    return views, rung
            except answers.Unsound as problem:
                raise DisclosureError("a published figure could not be followed back to the answers") from problem
    raise DisclosureError("on which side somebody stands would follow from what is shown of everyone")


def _plan(plan: Plan, facts: Facts) -> dict[str, Any]:
    """The plan as it was frozen at opening, with HR's headcounts in bands."""
    heads = facts.headcounts or {}
    return plan.to_json() | {"headcounts": {v.id: size_band(heads[v.id]) for v in plan.views if v.id in heads}}


def _within_headcount(plan: Plan, found: RawIncidence, facts: Facts) -> Shown:
    """A view with more respondents than people is not shown: somebody cast spare votes or chose another unit."""
    if facts.headcounts is None:
        return np.ones(len(plan.views), dtype=np.bool_)
    sizes = found.sizes()
    fits = [
        row == 0 or _includes_unknown(view.filter) or sizes[row] <= facts.headcounts.get(view.id, 0)
        for row, view in enumerate(plan.views)
    ]
    return np.array(fits, dtype=np.bool_)


def _includes_unknown(filter_: tuple[tuple[str, tuple[str, ...]], ...]) -> bool:
    """Whether a view counts people who gave no category: HR has no headcount of those."""
    return any("" in codes for _, codes in filter_)


def _atoms_of(statistic: RawStatistic, found: RawIncidence) -> Any:
    """Respondents of each atom who enter a statistic."""
    valid = ~np.isnan(statistic.scores)
    return np.bincount(found.atom_of[valid], minlength=len(found.n)).astype(np.int64)


def _shown_of(statistic: RawStatistic, found: RawIncidence, weights: Any, k: int, base: Shown) -> Shown:
    """The views that show a statistic: the base pattern, adapted to who answered it."""
    counts = _atoms_of(statistic, found)
    if statistic.root_only:
        only = np.zeros_like(base)
        only[0] = base[0] and int(counts.sum()) >= k
        return only
    if (counts == found.n).all():
        return base
    return repair(found.matrix, counts, weights, k, base)[0]


def _audit(
    found: RawIncidence, base: Shown, statistics: list[RawStatistic], shown: Mapping[str, Shown], k: int
) -> None:
    """The gate: the independent auditor looks at the sizes and at every statistic."""
    if not _passes(found, found.n, base, k):
        raise DisclosureError("the auditor found an exposed group in the pattern")
    if any((shown[statistic.key] & ~base).any() for statistic in statistics):
        raise DisclosureError("a statistic is shown where its view is not")
    different = {(_atoms_of(s, found).tobytes(), shown[s.key].tobytes()): s for s in statistics}.values()
    with ThreadPoolExecutor(PARALLEL) as workers:
        verdicts = workers.map(lambda s: _passes(found, _atoms_of(s, found), shown[s.key], k), different)
        if not all(verdicts):
            raise DisclosureError("the auditor found an exposed group in a statistic")


def _views(
    plan: Plan,
    found: RawIncidence,
    base: Shown,
    statistics: list[RawStatistic],
    shown: Mapping[str, Shown],
    population: int | None,
    moves: Moves,
    rows: Rows,
) -> list[dict[str, Any]]:
    sizes = found.sizes()
    views = []
    for row, view in enumerate(plan.views):
        head: dict[str, Any] = {
            "id": view.id,
            "filter": {name: list(codes) for name, codes in view.filter},
            "shown": bool(base[row]),
        }
        if base[row]:
            head["n_band"] = size_band(int(sizes[row]))
            people = found.people(row)
            for statistic in statistics:
                if shown[statistic.key][row]:
                    draw = _draw(moves, statistic, people)
                    figure = figures.figure(statistic, people, draw, is_root=row == 0, population=population, rows=rows)
                    if figure:
                        head.setdefault(statistic.family, {})[statistic.id] = figure
        views.append(head)
    return views


def _draw(moves: Moves, statistic: RawStatistic, people: NDArray[np.int64]) -> figures.Draw:
    """The moves of a statistic in a view: those of another figure that is the same sum of the same people.

    So are an indicator and its only item, a scale and an area of the same items, and two views in which the same people
    answered. Each move of its own would be averaged out.
    """
    who = hashlib.sha256(people[~np.isnan(statistic.scores[people])].tobytes()).digest()
    key = tuple(sorted(item.id for item in statistic.members)), who

    def draw(law: Law, name: str) -> int:
        return moves.of(law, key, name)

    return draw


def _add_participation(views: list[dict[str, Any]], found: RawIncidence, facts: Facts, k: int) -> None:
    if facts.headcounts is None:
        return
    for view, size in zip(views[1:], found.sizes()[1:], strict=True):
        if view["shown"] and not any("" in codes for codes in view["filter"].values()):
            share = participation_figure(int(size), facts.headcounts.get(view["id"], 0), k)
            if share is not None:
                view["participation"] = share


def _pattern_digest(plan: Plan, base: Shown, shown: Mapping[str, Shown]) -> str:
    """The digest of which view shows which statistic: a re-run on the same data must give the same."""
    pattern = {
        "base": [view.id for view, is_shown in zip(plan.views, base, strict=True) if is_shown],
        **{key: [plan.views[row].id for row in np.flatnonzero(rows)] for key, rows in shown.items()},
    }
    return hashlib.sha256(canonical(pattern)).hexdigest()
