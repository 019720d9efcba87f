"""What a release document can show by itself: its shape, its steps, its bands, and that its parts fit together.

Whether k-protection holds cannot be repeated from here: that needs the counts, which no document has.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from analysis import published
from analysis.steps import (
    EXPERIENCE_EDGES,
    FORMER_ROWS,
    FORMER_STEPS,
    ROWS,
    SHARE_STEPS,
    SIZE_EDGES,
    STEPS,
    Rows,
    SizeRow,
    as_number,
    band_edges,
    is_coded,
    row_of,
    size_band,
    state_of,
)

SCHEMA = "ascolto-release/1"
FAMILIES = ("items", "scales", "areas", "indicators")
STATES = ("supportive", "mixed", "critical", "insufficient")
MINIMUM = {"items": 5, "comments": 10, "experience": 20}
TABLES = {FORMER_STEPS: FORMER_ROWS, STEPS: ROWS}
RUNGS = 3
PARTICIPATION = frozenset({*(str(tens) for tens in range(0, 90, 10)), ">=90"})
SPECIAL = frozenset({"dont_know", "prefer_not", "skipped"})

_KEYS = frozenset(
    {
        "schema",
        "installation",
        "origin",
        "wave",
        "questionnaire",
        "rules",
        "plan",
        "participation",
        "views",
        "differences",
        "perception",
        "experience",
        "quality",
        "comments",
        "certificate",
    }
)
_CERTIFICATE = frozenset({"auditor", "families", "answers", "pattern_sha256"})
_QUALITY = frozenset({"reliability", "nonresponse"})
_LATER = frozenset({"careless", "drivers"})
"""Parts of the quality that documents of before do not have."""
LEAST_PEOPLE = 200
"""Of fewer nothing is told of drivers and of careless sheets (PRIVACY 2.10)."""
_COUNTS = frozenset({"invited", "issued", "drawn", "received", "second_codes", "spare_slips", "unreadable"})
_SIGNED = frozenset({"key", "signature"})
_HIDDEN = frozenset({"id", "filter", "shown"})
_SHOWN = _HIDDEN | {"n_band", "participation"} | set(FAMILIES)
_FIGURE = frozenset({"index", "favourable", "distribution", "n_band"})
_DIFFERENCE = frozenset(
    {
        "view",
        "against",
        "family",
        "statistic",
        "value",
        "reference",
        "gap",
        "low",
        "high",
        "clear",
    }
)
_PERCEPTION = frozenset(
    {
        "items",
        "single_item",
        "state",
        "awareness_low",
        "index",
        "ci",
        "dont_know",
        "gender",
    }
)


def verify_document(document: Any) -> list[str]:
    """Check what can be checked from the document alone; the list of what is wrong, empty if nothing.

    Schema, with no part that a release does not have; views equal to the plan; hidden views empty; every figure on a
    step of its band or of a smaller one (fewer may have answered an item than are in the view); coded ends as the bands
    have them; limits whole and around their figure; states as their limits have them; parts no larger than the whole.
    """
    if not isinstance(document, dict):
        return ["the document is not an object"]
    if document.get("schema") != SCHEMA:
        return [f"the schema is not {SCHEMA}"]
    keys = set(document) - _SIGNED
    if keys != _KEYS:
        return [f"parts missing or unknown: {', '.join(sorted(keys ^ _KEYS))}"]
    try:
        found = [*_check_head(document), *_check_views(document)]
        return found or [
            *_check_sizes(document),
            *_check_differences(document),
            *_check_perception(document),
            *_check_experience(document),
            *_check_quality(document["quality"], document["views"][0]),
            *_check_types(document),
        ]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as problem:
        return [f"a part has another shape than the schema says ({type(problem).__name__}: {problem})"]


def _check_head(document: Mapping[str, Any]) -> Iterator[str]:
    if document["origin"] not in ("ascolto", "imported"):
        yield "origin is neither ascolto nor imported"
    k = document["rules"]["k"]
    if any(k[family] < least for family, least in MINIMUM.items()):
        yield "a rule is below its minimum"
    if document["rules"]["steps"] not in TABLES:
        yield "the step table is not known"
    moved = document["rules"]["steps"] == STEPS
    if set(document["rules"]) != {"k", "steps", *(["rung"] if moved else [])} or set(k) != set(MINIMUM):
        yield "the rules have parts missing or unknown"
    if moved and (type(rung := document["rules"].get("rung")) is not int or rung not in range(RUNGS)):
        yield "the rung of the step table does not exist"
    elif moved and rung == RUNGS - 1 and any(view["shown"] for view in document["views"][1:]):
        yield "the last rung shows the whole organisation alone"
    certificate = document["certificate"]
    if (
        set(certificate) != _CERTIFICATE
        or set(document["quality"]) - _LATER != _QUALITY
        or not set(document["participation"]) <= _COUNTS
    ):
        yield "certificate, quality or participation has parts missing or unknown"
    if certificate["answers"] not in ("pass", "rule only") or (moved and certificate["answers"] != "pass"):
        yield "the certificate says neither pass nor rule only for answers"
    if certificate["families"]["items"] != "pass" or any(
        v not in ("pass", "none") for v in certificate["families"].values()
    ):
        yield "the certificate has a family that did not pass"
    if not re.fullmatch(r"[0-9a-f]{64}", certificate["pattern_sha256"]):
        yield "the certificate has no digest of the pattern"
    if "plan" in document["wave"] and not re.fullmatch(r"[0-9a-f]{64}", str(document["wave"]["plan"])):
        yield "the hash of the signed plan is not of its form"
    if any(not isinstance(count, int) or count < 0 for count in document["participation"].values()):
        yield "a count of participation is not a whole number"
    bands = {size_band(edge) for edge in (0, *SIZE_EDGES)}
    if not set(document["plan"]["headcounts"].values()) <= bands:
        yield "a headcount is not in a band"


def _check_views(document: Mapping[str, Any]) -> Iterator[str]:
    planned = {view["id"]: view["filter"] for view in document["plan"]["views"]}
    views, rows = document["views"], TABLES.get(document["rules"]["steps"], ROWS)
    if [view["id"] for view in views] != list(planned):
        yield "the views are not those of the plan"
        return
    for place, view in enumerate(views):
        name = view["id"]
        if view["filter"] != planned[name]:
            yield f"view {name} has another filter than the plan"
        if view["shown"] is not True:
            if view["shown"] is not False or set(view) != _HIDDEN:
                yield f"view {name} is not shown and yet holds something"
            continue
        if unknown := set(view) - _SHOWN - ({"special"} if place == 0 else set()):
            yield f"view {name} has parts that no view has: {', '.join(sorted(unknown))}"
        low, high = band_edges(view["n_band"])
        if (
            low not in SIZE_EDGES
            or view["n_band"] != size_band(low)
            or (high and high < document["rules"]["k"]["items"])
        ):
            yield f"view {name} has no size band of a shown view"
            continue
        if "participation" in view and (place == 0 or view["participation"] not in PARTICIPATION):
            yield f"view {name} has a participation off its 10-point step"
        for family in FAMILIES:
            for statistic, figure in view.get(family, {}).items():
                yield from _check_figure(f"{name} {family} {statistic}", figure, low, rows, is_root=place == 0)
    if not views[0]["shown"] or views[0]["filter"]:
        yield "the whole organisation is not shown"
    for item, record in views[0].get("special", {}).items():
        if not set(record) <= SPECIAL or not all(_is_share(share) for share in record.values()):
            yield f"item {item} has a special share off its step"


def _check_figure(where: str, figure: Mapping[str, Any], least: int, table: Rows, *, is_root: bool) -> Iterator[str]:
    if "n_band" in figure:
        own = band_edges(figure["n_band"])[0]
        if own not in SIZE_EDGES or figure["n_band"] != size_band(own) or own >= least:
            yield f"{where}: its own size band is none of a smaller size than the view's"
            return
        least = own
    rows = [row for row in table if row.least <= least]
    if "index" not in figure or not set(figure) <= _FIGURE | ({"ci", "sd"} if is_root else set()):
        yield f"{where}: a figure has parts missing or unknown"
        return
    if not any(_on_step(figure["index"], row.index_step, row.index_end) for row in rows) and not any(
        row.share_step and _on_step(figure["index"], row.share_step, row.share_end)
        for row in rows  # of yes or no
    ):
        yield f"{where}: the index is not on a step of its size"
    if "favourable" in figure and not any(
        row.share_step and _on_step(figure["favourable"], row.share_step, row.share_end) for row in rows
    ):
        yield f"{where}: the share is not on a step of its size"
    if "distribution" in figure and not any(
        row.classes == len(figure["distribution"]) and _classes_on_step(figure, row) for row in rows
    ):
        yield f"{where}: the distribution is not on the steps of its size"
    if "sd" in figure and (is_coded(figure["index"]) or figure["sd"] < 10 or figure["sd"] % 5):
        yield f"{where}: a spread that no whole organisation shows"
    for name, limits in figure.get("ci", {}).items():
        if name not in ("index", "favourable") or not _around(figure[name], limits, rows[-1]):
            yield f"{where}: the limits are not whole numbers around the figure"


def _classes_on_step(figure: Mapping[str, Any], row: SizeRow) -> bool:
    classes = list(figure["distribution"])
    if row.classes == 3 and classes.pop() != figure.get("favourable"):  # the favourable class is the share itself
        return False
    return all(_on_step(share, row.class_step, row.share_end) for share in classes)


def _around(figure: Any, limits: Sequence[Any], row: SizeRow) -> bool:
    low, high = limits
    if not (isinstance(low, int) and isinstance(high, int) and 0 <= low <= high <= 100):
        return False
    value, half = as_number(figure), max(ROWS[0].index_step, row.share_step) / 2
    return low <= value + half and high >= value - half


def _is_share(share: Any) -> bool:
    return any(_on_step(share, step, step) for _, step in SHARE_STEPS)


def _on_step(figure: Any, step: float, end: float) -> bool:
    if isinstance(figure, str):
        return figure in (f"<={end:g}", f">={100 - end:g}")
    whole = isinstance(figure, int | float) and not isinstance(figure, bool)
    return whole and end <= figure <= 100 - end and abs(figure / step - round(figure / step)) < 1e-9


def _check_sizes(document: Mapping[str, Any]) -> Iterator[str]:
    """No part is larger than its whole, nor are parts together that do not overlap; nor has a part more figures."""
    views = {view["id"]: view for view in document["views"] if view["shown"]}
    root = document["views"][0]
    counts = document["participation"]
    if root["n_band"] != size_band(counts["received"] - counts["unreadable"]):
        yield "the whole organisation has another size than its participation says"
    for view in views.values():
        for family in FAMILIES:
            if extra := set(view.get(family, {})) - set(root.get(family, {})):
                names = ", ".join(sorted(extra))
                yield f"view {view['id']} has {family} that the whole organisation does not have: {names}"
    for whole, parts in _families(document):
        if whole not in views:
            continue
        most = band_edges(views[whole]["n_band"])[1]
        taken: set[str] = set()
        people = 0
        for part, inside in parts:
            if part in views and not taken & inside:
                taken |= inside
                people += band_edges(views[part]["n_band"])[0]
        if most is not None and people > most:
            yield f"the parts of view {whole} are larger than it"


def _families(document: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[str, set[str]]]]]:
    """Each planned view with the views that narrow it in one dimension: their ids and the categories they take."""
    trees = {d["id"]: {c["code"]: c.get("parent") for c in d["categories"]} for d in document["plan"]["dimensions"]}
    by_filter = {_key(view["filter"]): view["id"] for view in document["plan"]["views"]}
    found: dict[tuple[str, str], list[tuple[str, set[str]]]] = {}
    for view in document["plan"]["views"]:
        for dimension, codes in view["filter"].items():
            rest = {name: other for name, other in view["filter"].items() if name != dimension}
            wider = [rest]
            above = trees[dimension].get(codes[0]) if len(codes) == 1 else None
            while above:
                wider.append(rest | {dimension: [above]})
                above = trees[dimension].get(above)
            inside = _below(trees[dimension], codes)
            for filter_ in wider:
                if whole := by_filter.get(_key(filter_)):
                    found.setdefault((whole, dimension), []).append((view["id"], inside))
    for (whole, _), parts in found.items():
        yield whole, parts


def _key(filter_: Mapping[str, Sequence[str]]) -> frozenset[tuple[str, tuple[str, ...]]]:
    return frozenset((name, tuple(codes)) for name, codes in filter_.items())


def _below(tree: Mapping[str, str | None], codes: Sequence[str]) -> set[str]:
    inside = set(codes)
    for code, parent in tree.items():  # parents come before children
        if parent in inside:
            inside.add(code)
    return inside


def _check_differences(document: Mapping[str, Any]) -> Iterator[str]:
    views = {view["id"]: view for view in document["views"] if view["shown"]}
    for difference in document["differences"]:
        figures = [
            views.get(difference[side], {}).get(difference["family"], {}).get(difference["statistic"], {}).get("index")
            for side in ("view", "against")
        ]
        if set(difference) - {"delta"} != _DIFFERENCE or figures != [difference["value"], difference["reference"]]:
            yield f"a difference of {difference['view']} does not follow from what is shown"
        elif abs(difference["value"] - difference["reference"] - difference["gap"]) > 1e-9:
            yield f"a difference of {difference['view']} is not the one of its figures"


def _check_perception(document: Mapping[str, Any]) -> Iterator[str]:
    root = document["views"][0]
    shown = {view["id"] for view in document["views"] if view["shown"]}
    for indicator, record in document["perception"].items():
        if record["state"] not in STATES or not set(record) <= _PERCEPTION:
            yield f"indicator {indicator} has an unknown state or part"
        if ("index" in record) != (record["state"] != "insufficient") or ("ci" in record) != ("index" in record):
            yield f"indicator {indicator} has a figure without a state, or a state without a figure"
        elif "index" in record:
            published = root["indicators"][indicator]
            if record["index"] != published["index"] or record["ci"] != published["ci"]["index"]:
                yield f"indicator {indicator} differs from its figure for the whole organisation"
            if record["state"] != state_of(*record["ci"]):
                yield f"indicator {indicator} has another state than its limits"
        if "dont_know" in record and not _on_step(record["dont_know"], 5, 5):
            yield f"indicator {indicator} has a share off its 5-point step"
        genders = record.get("gender", {})
        if any(f"gender:{name}" not in shown or state not in STATES for name, state in genders.items()):
            yield f"indicator {indicator} has a state of a group that is not shown"


def _check_experience(document: Mapping[str, Any]) -> Iterator[str]:
    bands = {f"{low}-{high - 1}" for low, high in pairwise(EXPERIENCE_EDGES)} | {
        f"{edge}+" for edge in EXPERIENCE_EDGES[2:]
    }
    for item, record in document["experience"].items():
        if set(record) not in ({"band"}, {"band", "gender"}, {"share"}):
            yield f"experience {item} has parts missing or unknown"
            continue
        sides = record.get("gender", {})
        if sides and (len(sides) != 2 or "f" not in sides or not set(sides) <= {"f", "m", "others"}):
            yield f"experience {item} has a contrast that does not exist"
        for part in (record, *sides.values()):
            if "band" in part and part["band"] not in bands:
                yield f"experience {item} has a band that does not exist"
        if "share" in record and not _on_step(record["share"], 10, 10):
            yield f"experience {item} has a share off its 10-point step"


def _check_types(document: Mapping[str, Any]) -> Iterator[str]:
    """What readers would stumble over: a part of another type than theirs."""
    try:
        published.read(document)
    except msgspec.ValidationError as problem:
        yield f"a part has another type than the schema says ({problem})"


def _check_quality(quality: Mapping[str, Any], everyone: Mapping[str, Any]) -> Iterator[str]:
    for scale, record in quality["reliability"].items():
        low = band_edges(record["n_band"])[0]
        if (
            set(record) - {"alpha", "omega"} != {"n_band", "reading"} or row_of(low) is None
        ):  # the two were published once
            yield f"scale {scale} has a reliability of another shape"
    if not all(_is_share(share) for share in quality["nonresponse"].values()):
        yield "a share of what was left out is off its step"
    if "careless" in quality and not _is_share(quality["careless"]):
        yield "the share of sheets filled in without reading is off its step"
    if set(quality) & _LATER and band_edges(everyone.get("n_band") or "0-4")[0] < LEAST_PEOPLE:
        yield "drivers or careless sheets are told of fewer than 200 people"
    single = {scale for scale, record in quality["reliability"].items() if record["reading"] == "items"}
    for outcome, themes in quality.get("drivers", {}).items():
        if not set(themes) <= set(everyone.get("scales", {})) - single:
            yield f"what goes together with {outcome} is said of a theme that is not shown as one"
