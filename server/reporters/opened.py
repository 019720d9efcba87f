"""A reporter's case as her code opens it, by the rules of its version."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from surveys.cases import composing
from surveys.cases.acts import Reporter
from surveys.cases.codes import CodeKeys
from surveys.cases.keeper import REPORTER
from surveys.cases.opening import open_case
from surveys.cases.sealed_case import OpenedCase, SealedCase, SealedEpochRow, SealedLetter
from surveys.cases.sealing import CannotOpen
from surveys.cases.thread import OpenedFirst, open_first_version
from surveys.public.rings import Chain


@dataclass(frozen=True, slots=True)
class Opened1:
    """An opened case of version 1."""

    file: dict[str, Any]
    case: OpenedFirst


@dataclass(frozen=True, slots=True)
class Opened2:
    """An opened case of version 2."""

    file: dict[str, Any]
    case: OpenedCase


def open_second(keys: CodeKeys, file: dict[str, Any], house: str, chain: Chain) -> Opened2:
    """Open a case of version 2 as the server gave it; what is wrong with it stands in what was opened."""
    epochs = [
        SealedEpochRow(
            e["stream"], e["number"], base64.b64decode(e["wrap"]), base64.b64decode(e["link"]), e.get("at", 0)
        )
        for e in file["epochs"]
    ]
    rows = [SealedLetter(m["stream"], m["number"], m["epoch"], base64.b64decode(m["sealed"])) for m in file["messages"]]
    opened = open_case(SealedCase(file["case"], epochs, rows), Reporter(keys).party, house, chain)
    return Opened2(file, opened)


def open_first(keys: CodeKeys, file: dict[str, Any], signers: dict[str, set[str]]) -> Opened1:
    """Open a case of version 1.

    Raises
    ------
    CannotOpen
        If it is not of this code.
    """
    if int(file["case"], 16) != keys.case:
        raise CannotOpen("place")
    epochs = [(e["stream"], e["number"], base64.b64decode(e["wrap"])) for e in file["epochs"]]
    rows = [(m["stream"], m["epoch"], base64.b64decode(m["sealed"])) for m in file["messages"]]
    identity, signer = composing.own_identity(keys), Reporter(keys).signer
    return Opened1(file, open_first_version(keys.case, epochs, rows, identity, signers, signer))


def is_last(opened: Opened1 | Opened2, stream: str, kind: str, content: Mapping[str, Any], day: date) -> bool:
    """Whether the reporter's last letter is just this, of this day: a form sent twice."""
    if isinstance(opened, Opened1):
        last = opened.case.streams.get(stream, [])[-1:]
        said = [(m.author, m.kind, m.day.isoformat(), m.content) for m in last]
    else:
        letters = (opened.case.diary if stream == "diary" else opened.case.thread)[-1:]
        said = [(one["from"], one["kind"], one["day"], one.content or {}) for one in letters]
    return said == [(REPORTER, kind, day.isoformat(), content)]
