"""Plans: the closed catalogue of views of a wave, and which atoms each view is made of (PRIVACY 2.1)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.demographics import Category, Dimension
from analysis.responses import Opaque, RawResponses

if TYPE_CHECKING:
    from scipy.sparse import csr_array

ROOT = "all"
WEIGHT_GENDER, WEIGHT_TOP_UNIT, WEIGHT_UNIT, WEIGHT_ONE_WAY, WEIGHT_OTHER = 40, 30, 20, 3, 1
"""What hiding a view costs: the whole organisation by gender most, then territories, other units, one-way crosses."""


@dataclass(frozen=True, slots=True)
class View:
    """A planned view: of each named dimension any of the named categories ("" is "gave none"); the root has none."""

    id: str
    filter: tuple[tuple[str, tuple[str, ...]], ...]
    weight: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The views of a wave, root first."""

    dimensions: tuple[Dimension, ...]
    views: tuple[View, ...]

    def __post_init__(self) -> None:
        if not self.views or self.views[0].filter:
            raise ValueError("the first view is the whole organisation")
        if len({view.id for view in self.views}) != len(self.views):
            raise ValueError("two views have the same id")
        known = {dimension.id for dimension in self.dimensions}
        if any(name not in known for view in self.views for name, _ in view.filter):
            raise ValueError("a view filters by a dimension that the plan does not have")

    def to_json(self) -> dict[str, Any]:
        return {
            "dimensions": [asdict(dimension) for dimension in self.dimensions],
            "views": [
                {"id": v.id, "filter": {name: list(codes) for name, codes in v.filter}, "weight": v.weight}
                for v in self.views
            ],
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Plan":
        dimensions = tuple(
            Dimension(d["id"], tuple(Category(**c) for c in d["categories"])) for d in plain["dimensions"]
        )
        views = tuple(
            View(v["id"], tuple((name, tuple(codes)) for name, codes in v["filter"].items()), v["weight"])
            for v in plain["views"]
        )
        return cls(dimensions, views)


OTHERS = "others"
"""Everyone who is not in "women": shown instead of "men" when the residual is too small (PRIVACY 2.5)."""


def _gender_codes(gender: Sequence[Category]) -> Iterator[tuple[str, tuple[str, ...]]]:
    codes = [category.code for category in gender]
    for code in codes:
        if code != "self":  # described in another way: counted in every total, never a group of its own
            yield code, (code,)
    if "f" in codes:
        yield OTHERS, (*(code for code in codes if code != "f"), "")


def default_plan(units: Sequence[Category], gender: Sequence[Category], age: Sequence[Category]) -> Plan:
    """Unit totals at every level given; gender and age for all and per top-level unit; gender by age for all.

    Empty sequences leave a dimension out: what no view uses is not asked.

    Parameters
    ----------
    units : those that get a total; one without a parent is a territory, and is crossed with gender and age
    gender : ``self`` counts in totals and is no view; where there is ``f``, "all others" are a view too
    age : bands
    """
    dimensions = [
        Dimension(name, tuple(found)) for name, found in (("unit", units), ("gender", gender), ("age", age)) if found
    ]
    views = [View(ROOT, (), 1)]
    genders = list(_gender_codes(gender))
    views += [
        View(f"unit:{unit.code}", (("unit", (unit.code,)),), WEIGHT_TOP_UNIT if unit.parent is None else WEIGHT_UNIT)
        for unit in units
    ]
    views += [View(f"gender:{name}", (("gender", codes),), WEIGHT_GENDER) for name, codes in genders]
    views += [View(f"age:{band.code}", (("age", (band.code,)),), WEIGHT_UNIT) for band in age]
    for top in units:
        if top.parent is None:
            inside = ("unit", (top.code,))
            views += [
                View(f"unit:{top.code}+gender:{n}", (inside, ("gender", codes)), WEIGHT_ONE_WAY) for n, codes in genders
            ]
            views += [View(f"unit:{top.code}+age:{b.code}", (inside, ("age", (b.code,))), WEIGHT_ONE_WAY) for b in age]
    views += [
        View(f"gender:{name}+age:{band.code}", (("gender", codes), ("age", (band.code,))), WEIGHT_OTHER)
        for (name, codes), band in product(genders, age)
    ]
    return Plan(tuple(dimensions), tuple(views))


type Matrix = NDArray[np.bool_]


class RawIncidence(Opaque):
    """Which atoms make up which view: `sparse` is views x atoms, `n` people per atom, `atom_of` each one's atom.

    `part_of` is the top-level unit of each atom, counted from 0; -1 for who gave none.
    """

    __slots__ = ("_dense", "_people", "atom_of", "n", "part_of", "sparse")

    def __init__(
        self, sparse: "csr_array", n: NDArray[np.int64], atom_of: NDArray[np.int64], part_of: NDArray[np.int64]
    ) -> None:
        self.sparse, self.n, self.atom_of, self.part_of = sparse, n, atom_of, part_of
        self._dense: Matrix | None = None
        self._people: dict[int, NDArray[np.int64]] = {}

    @property
    def matrix(self) -> Matrix:
        """The same written out: for organisations of some hundred people."""
        if self._dense is None:
            self._dense = self.sparse.toarray().astype(np.bool_)
        return self._dense

    def sizes(self) -> NDArray[np.int64]:
        """Respondents of each view."""
        found: NDArray[np.int64] = self.sparse.astype(np.int64) @ self.n
        return found

    def people(self, view: int) -> NDArray[np.int64]:
        """The respondents in a view, by their places in rising order."""
        if view not in self._people:
            self._people[view] = np.flatnonzero(self.matrix[view][self.atom_of])
        return self._people[view]


def incidence(plan: Plan, raw: RawResponses) -> RawIncidence:
    """Find the non-empty atoms: the combinations of all attributes that the plan's views use."""
    from scipy.sparse import csr_array  # the web process knows plans and never loads scipy

    names = [dimension.id for dimension in plan.dimensions]
    columns = [raw.group(name) for name in names]
    keys = list(zip(*columns, strict=True)) if columns else [()] * len(raw)
    atoms = sorted(set(keys))
    place = {atom: i for i, atom in enumerate(atoms)}
    atom_of = np.array([place[key] for key in keys], dtype=np.int64)
    n = np.bincount(atom_of, minlength=len(atoms)).astype(np.int64)
    rows, columns_of = _members(plan, names, atoms)
    ones = np.ones(len(rows), dtype=np.int8)
    sparse = csr_array((ones, (rows, columns_of)), shape=(len(plan.views), len(atoms)))
    return RawIncidence(sparse, n, atom_of, _parts(plan, names, atoms))


def _members(plan: Plan, names: list[str], atoms: list[tuple[str, ...]]) -> tuple[list[int], list[int]]:
    """Pairs of a view and an atom inside it. Each atom looks up the views that its categories belong to."""
    by_name = {dimension.id: dimension for dimension in plan.dimensions}
    views: dict[tuple[tuple[str, tuple[str, ...]], ...], list[int]] = {}
    holding: dict[tuple[str, str], list[tuple[str, tuple[str, ...]]]] = {}
    for row, view in enumerate(plan.views):
        views.setdefault(tuple(sorted(view.filter)), []).append(row)
    for name, codes in {part for view in plan.views for part in view.filter}:
        for code in by_name[name].inside(codes):
            holding.setdefault((name, code), []).append((name, codes))
    rows, columns = [], []
    for column, atom in enumerate(atoms):
        choices = [[None, *holding.get((name, code), ())] for name, code in zip(names, atom, strict=True)]
        for chosen in product(*choices):
            for row in views.get(tuple(sorted(part for part in chosen if part)), ()):
                rows.append(row)
                columns.append(column)
    return rows, columns


def _parts(plan: Plan, names: list[str], atoms: list[tuple[str, ...]]) -> NDArray[np.int64]:
    """The top-level unit of each atom."""
    parents = {c.code: c.parent for d in plan.dimensions if d.id == "unit" for c in d.categories}
    tops = {code: i for i, code in enumerate(code for code, parent in parents.items() if parent is None)}
    found = []
    for atom in atoms:
        code: str | None = dict(zip(names, atom, strict=True)).get("unit")
        while code is not None and parents.get(code) is not None:
            code = parents[code]
        found.append(tops.get(code or "", -1))
    return np.array(found, dtype=np.int64)


def candidates(plan: Plan, found: RawIncidence, k: int) -> NDArray[np.bool_]:
    """Which views may be shown at all, by counts: not empty, no double of an earlier view, the gender residual rule.

    Parameters
    ----------
    plan : in its order the first of two views of the same atoms stays
    found : the respondents as atoms of this plan
    k : the least number of people, for the residual rule

    Returns
    -------
    One answer a view, in the order of the plan.
    """
    allowed = found.sizes() > 0
    seen: set[bytes] = set()
    residual = _residual_rule(plan, found, k)
    indptr, indices = found.sparse.indptr, np.asarray(found.sparse.indices)
    for row, view in enumerate(plan.views):
        genders = [codes for name, codes in view.filter if name == "gender"]
        is_others = any("" in codes for codes in genders)
        if genders and ((residual and not is_others and genders[0] != ("f",)) or (not residual and is_others)):
            allowed[row] = False
            continue
        key = indices[indptr[row] : indptr[row + 1]].tobytes()
        if key in seen:
            allowed[row] = False
        seen.add(key)
    return allowed


def _residual_rule(plan: Plan, found: RawIncidence, k: int) -> bool:
    """Say whether everyone who is neither in "women" nor in "men" is 1 to k-1 people."""
    rows = {view.id: row for row, view in enumerate(plan.views)}
    if "gender:f" not in rows or "gender:m" not in rows:
        return False
    sizes = found.sizes()
    return 0 < int(sizes[0] - sizes[rows["gender:f"]] - sizes[rows["gender:m"]]) < k
