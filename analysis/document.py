"""Release documents: frozen, canonical, checked on construction, from storage too. They cannot be made from raw."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from analysis.published import Document
from analysis.verify import FAMILIES, SCHEMA, STATES, verify_document

__all__ = [
    "FAMILIES",
    "NOT_SHOWN",
    "SCHEMA",
    "STATES",
    "NotShown",
    "Release",
    "ReleaseInvalid",
    "canonical",
    "verify_document",
]


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

    def read(self) -> Document:
        """The document as its readers take it."""
        return msgspec.json.decode(self.text, type=Document)

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.text)
        return document

    def figure(self, view: str, family: str, statistic: str) -> float | str | NotShown:
        """The index of one statistic in one view, or `NOT_SHOWN`.

        Parameters
        ----------
        view : its id in the plan; ``all`` is the whole organisation
        family : of `FAMILIES`
        statistic : the id of an item, a scale, an area or an indicator

        Returns
        -------
        A number on 0-100, a coded end like ``<=15``, or `NOT_SHOWN`, which also stands for a view or statistic that the
        document does not have.
        """
        for found in self.read().views:
            if found.id == view:
                shown = found.family(family).get(statistic)
                return NOT_SHOWN if shown is None else shown.index
        return NOT_SHOWN
