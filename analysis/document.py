"""Release documents: frozen, canonical, checking themselves on construction, from storage too. Cannot be made from raw."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from analysis.publication import EXPERIENCE_EDGES, ROWS, SIZE_EDGES, band_edges, row_of, size_band

SCHEMA = "ascolto-release/1"
FAMILIES = ("items", "scales", "areas", "indicators")
STATES = ("supportive", "mixed", "critical", "insufficient")


class NotShown:
    """The value of what is not shown: never None, 0 or NaN; what it feeds is "not assessable"."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "not shown"

    def __bool__(self) -> bool:
        raise TypeError("not shown is neither true nor false: ask `is NOT_SHOWN`")


NOT_SHOWN: Final = NotShown()


class ReleaseInvalid(ValueError):
    """The document is not as a release is; holds every reason."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


def canonical(document: Mapping[str, Any]) -> bytes:
    """Sorted keys, no spaces, UTF-8, whole numbers without a point: the same document gives the same bytes."""
    return json.dumps(
        _plain(document), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


@dataclass(frozen=True, slots=True)
class Release:
    """A release as its canonical text; only a text that passes every check becomes one.

    Raises
    ------
    ReleaseInvalid
    """

    text: str

    def __post_init__(self) -> None:
        try:
            document = json.loads(self.text)
        except ValueError:
            raise ReleaseInvalid(["not JSON"]) from None
        if reasons := verify_document(document):
            raise ReleaseInvalid(reasons)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Release":
        return cls(canonical(document).decode())

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.text)
        return document

    def figure(self, view: str, family: str, statistic: str) -> float | str | NotShown:
        """The index of one statistic in one view, or `NOT_SHOWN`."""
        for found in self.to_json()["views"]:
            if found["id"] == view:
                index = found.get(family, {}).get(statistic, {}).get("index")
                return NOT_SHOWN if index is None else index
        return NOT_SHOWN


_KEYS = {
    "schema", "installation", "origin", "wave", "questionnaire", "rules", "plan", "participation", "views", "differences",
    "perception", "experience", "quality", "comments", "certificate",
}  # fmt: skip
_SIGNED = {"key", "signature"}


def verify_document(document: Any) -> list[str]:
    """Check what can be checked from the document alone; the list of what is wrong, empty if nothing.

    Schema; views equal to the plan; hidden views empty; every figure on a step of its band or of a smaller one; coded
    ends as the bands have them; parents no smaller than children. K-protection cannot be repeated without the counts.
    """
    if not isinstance(document, dict):
        return ["the document is not an object"]
    if document.get("schema") != SCHEMA:
        return [f"the schema is not {SCHEMA}"]
    keys = set(document) - _SIGNED
    if keys != _KEYS:
        return [f"parts missing or unknown: {', '.join(sorted(keys ^ _KEYS))}"]
    try:
        return [*_check_head(document), *_check_views(document), *_check_experience(document)]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as problem:
        return [f"a part has another shape than the schema says ({type(problem).__name__}: {problem})"]


def _check_head(document: Mapping[str, Any]) -> Iterator[str]:
    if document["origin"] not in ("ascolto", "imported"):
        yield "origin is neither ascolto nor imported"
    k = document["rules"]["k"]
    if k["items"] < 5 or k["comments"] < 10 or k["experience"] < 20:
        yield "a rule is below its minimum"
    if document["certificate"]["answers"] not in ("pass", "rule only"):
        yield "the certificate says neither pass nor rule only for answers"
    if any(verdict not in ("pass", "none") for verdict in document["certificate"]["families"].values()):
        yield "the certificate has a family that did not pass"
    for indicator, record in document["perception"].items():
        if record["state"] not in STATES:
            yield f"indicator {indicator} has an unknown state"


def _check_views(document: Mapping[str, Any]) -> Iterator[str]:
    planned = {view["id"]: view["filter"] for view in document["plan"]["views"]}
    views = document["views"]
    if [view["id"] for view in views] != list(planned):
        yield "the views are not those of the plan"
        return
    k = document["rules"]["k"]["items"]
    for view in views:
        if view["filter"] != planned[view["id"]]:
            yield f"view {view['id']} has another filter than the plan"
        if not view["shown"]:
            if set(view) != {"id", "filter", "shown"}:
                yield f"view {view['id']} is not shown and yet holds something"
            continue
        edges = band_edges(view["n_band"])
        if (
            view["n_band"] != size_band(edges[0])
            or edges[0] not in SIZE_EDGES
            or (edges[1] is not None and edges[1] < k)
        ):
            yield f"view {view['id']} has no size band of a shown view"
            continue
        for family in FAMILIES:
            for statistic, figure in view.get(family, {}).items():
                yield from _check_figure(f"{view['id']} {family} {statistic}", figure, edges[0])
        yield from _check_within(view, views[0])
    if not views[0]["shown"]:
        yield "the whole organisation is not shown"


def _check_within(view: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[str]:
    """A part is no larger than the whole, and has no statistic that the whole does not have."""
    if band_edges(view["n_band"])[0] > band_edges(root["n_band"])[0]:
        yield f"view {view['id']} is larger than the whole organisation"
    for family in FAMILIES:
        if extra := set(view.get(family, {})) - set(root.get(family, {})):
            yield f"view {view['id']} has {family} that the whole organisation does not have: {', '.join(sorted(extra))}"


def _check_figure(where: str, figure: Mapping[str, Any], least: int) -> Iterator[str]:
    own = row_of(least)
    if own is None:
        yield f"{where}: the view is too small to show anything"
        return
    rows = [row for row in ROWS if row.least <= own.least]
    if "index" in figure and not any(
        _on_step(figure["index"], row.index_step, row.low_end, row.high_end) for row in rows
    ):
        yield f"{where}: the index is not on a step of its size"
    if "favourable" in figure and not any(
        row.share_step and _on_step(figure["favourable"], row.share_step, row.low_end, row.high_end) for row in rows
    ):
        yield f"{where}: the share is not on a step of its size"
    if "distribution" in figure:
        allowed = [row for row in rows if row.classes == len(figure["distribution"])]
        if not all(
            any(
                _on_step(f, row.class_step, row.low_end, row.high_end) or f == figure.get("favourable")
                for row in allowed
            )
            for f in figure["distribution"]
        ):
            yield f"{where}: the distribution is not on the steps of its size"


def _on_step(figure: Any, step: float, low_end: int, high_end: int) -> bool:
    if isinstance(figure, str):
        return figure in (f"<={low_end}", f">={high_end}")
    return (
        isinstance(figure, int | float)
        and low_end <= figure <= high_end
        and abs(figure / step - round(figure / step)) < 1e-9
    )


def _check_experience(document: Mapping[str, Any]) -> Iterator[str]:
    bands = {f"{low}-{high - 1}" for low, high in pairwise(EXPERIENCE_EDGES)} | {f"{EXPERIENCE_EDGES[-1]}+"}
    for item, record in document["experience"].items():
        found = [record, *record.get("gender", {}).values()]
        for part in found:
            if "band" in part and part["band"] not in bands:
                yield f"experience {item} has a band that does not exist"
            if "share" in part and (not isinstance(part["share"], int) or part["share"] % 10):
                yield f"experience {item} has a share off its 10-point step"
