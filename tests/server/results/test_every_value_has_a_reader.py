"""Whatever a release publishes is read by a page or an export: a value that nobody reads is a risk without a use."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

import msgspec

from analysis import published
from surveys.stores import StoreSettings
from tests.server.hr.offices import Offices
from tests.server.hr.readings import reading

PARTS = [
    part
    for part in vars(published).values()
    if isinstance(part, type) and issubclass(part, msgspec.Struct) and part is not published._Part
]
FOR_THE_CHECK_ALONE = {
    "Document.schema": "which shape the text has: read before there is a document",
    "PlannedView.weight": "part of the plan as it was frozen: `verify` holds it against the plan of the wave",
    "Certificate.pattern_sha256": "binds the document to its hidden pattern: `verify` alone",
    "Reliability.n_band": "of the word beside it; documents of before had numbers",
    "Reliability.alpha": "published once; documents since hold the word alone",
    "Reliability.omega": "published once; documents since hold the word alone",
}
"""What no page reads, and why it is there."""


class _Watched:
    """A field that notes being read by our code."""

    def __init__(self, field: Any, name: str, read: set[str]) -> None:
        self.field, self.name, self.read = field, name, read

    def __get__(self, part: Any, of: Any = None) -> Any:
        if part is None:
            return self
        if not sys._getframe(1).f_globals["__name__"].startswith(("analysis.verify", "tests.")):
            self.read.add(self.name)
        return self.field.__get__(part, of)


@contextmanager
def watched() -> Iterator[set[str]]:
    """Every field of every part of a document, and which of them were read."""
    read: set[str] = set()
    fields = [(part, name, part.__dict__[name]) for part in PARTS for name in part.__struct_fields__]
    for part, name, field in fields:
        setattr(part, name, _Watched(field, f"{part.__name__}.{name}", read))
    try:
        yield read
    finally:
        for part, name, field in fields:
            setattr(part, name, field)


async def _everything(desk: Offices) -> None:
    """Every page of HR, of staff and of the auditor that a release has, and its exports."""
    first = ["/hr", "/hr/indicators", "/hr/scorecard", "/hr/actions", "/audit", "/results/adesso", "/hr/results/adesso"]
    seen, waiting = set(first), list(first)
    while waiting:
        path = waiting.pop()
        who = "verifica" if path.startswith("/audit") else "direzione"
        answered = await desk.get(f"{path}?lang=it", who)
        assert answered.status_code == 200, path
        if path.startswith("/hr/results/adesso") and "text/html" in answered.headers["content-type"]:
            found = {
                link.partition("?")[0]
                for link in re.findall(r'href="(/hr/results/adesso[^"#]*)', unescape(answered.text))
            }
            waiting += sorted(found - seen)
            seen |= found
    for kind in ("csv", "xlsx"):
        assert f"/hr/results/adesso/release.{kind}" in seen


async def test_every_value_of_a_release_is_read_by_a_page_or_an_export(tmp_path: Any) -> None:
    async with reading(StoreSettings(tmp_path)) as desk:
        with watched() as read:
            await _everything(desk)
    everything = {f"{part.__name__}.{name}" for part in PARTS for name in part.__struct_fields__}
    assert sorted(everything - read) == sorted(FOR_THE_CHECK_ALONE)
