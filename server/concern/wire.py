"""Letters on the wire: bodies read within bounds, answers that say little by their size, refusals alike for every code.

Nothing here can read a word of a letter.
"""

import json
from base64 import b64encode
from typing import Any

import msgspec
from litestar import Response

from server.concern.channel import OpenChannel
from server.concern.turns import Busy, Turns, length_of
from server.frame import faults
from server.frame.asked import AppRequest
from surveys.away import StoreAway
from surveys.cases import clocks
from surveys.cases.desk import CaseFile
from surveys.cases.incoming import CaseUnknown, OutOfStep, ReportRefused
from surveys.public.readers import ListsRefused

LIMIT = 8 * 1024 * 1024


FILL = 64 * 1024


_turns = Turns()


def answer(content: dict[str, Any], status: int = 200) -> Response[bytes]:
    """JSON, not kept anywhere."""
    return Response(json.dumps(content, ensure_ascii=False).encode(), status_code=status, media_type="application/json")


def filled(content: dict[str, Any]) -> Response[bytes]:
    """JSON filled up with spaces to a multiple of 64 KiB; the compressor leaves these addresses alone."""
    plain = json.dumps(content, ensure_ascii=False).encode()
    return Response(plain.ljust(-(-len(plain) // FILL) * FILL), media_type="application/json")


async def body_of[Wanted](request: AppRequest, wanted: type[Wanted]) -> Wanted:
    """Read a body of JSON.

    Raises
    ------
    ReportRefused
        If it is not what is wanted.
    Busy
        If there is no room for it now: nothing was read, and the page keeps the text.
    """
    length = length_of(request, LIMIT)
    try:
        async with _turns.lane(length).body(length):
            return msgspec.json.decode(await request.body(), type=wanted)
    except msgspec.MsgspecError as problem:
        raise ReportRefused("body") from problem


def refused(_: AppRequest, problem: Exception) -> Response[bytes]:
    """Say by a status what is wrong, alike for every code that opens nothing."""
    match problem:
        case CaseUnknown():
            return answer({"unknown": True}, 404)
        case Busy():
            return answer({"busy": True}, 503)
        case StoreAway():
            faults.note("wire", problem)
            return answer({"busy": True}, 503)
        case OutOfStep():
            return answer({"stale": True}, 409)
        case ListsRefused():
            faults.note("lists", problem)
            return answer({"lists": "ring_broken"}, 409)
        case _:
            return answer({"refused": True}, 400)


def file_content(file: CaseFile) -> dict[str, Any]:
    """A case file as JSON: ciphertext in base64. State, days and names are there for cases of version 1 and for lists; of
    version 2 a page reads them in the letters."""
    days = file.days
    return {
        "case": f"{file.case:016x}",
        "version": file.version,
        "state": days.state,
        "contested": file.contested,
        **{name: str(getattr(days, name) or "") for name in ("received", "acknowledged", "outcome")},
        "recovered": str(file.recovered or ""),
        "readers": list(file.readers),
        "epochs": [
            {
                "stream": e.stream,
                "number": e.number,
                "wrap": b64encode(e.wrap).decode(),
                "link": b64encode(e.link).decode(),
                "at": e.at,
                "confirmed": e.confirmed,
            }
            | ({"pairs": {pair: b64encode(sealed).decode() for pair, sealed in e.pairs.items()}} if e.pairs else {})
            for e in file.epochs
        ],
        "messages": [
            {"stream": m.stream, "number": m.number, "epoch": m.epoch, "sealed": b64encode(m.sealed).decode()}
            | ({"replacement": b64encode(m.replacement).decode()} if m.replacement else {})
            for m in file.messages
        ],
    }


def dates_of(channel: OpenChannel, file: CaseFile) -> dict[str, str]:
    """What comes next and by when, in ISO days."""
    days, found = file.days, {}
    if days.received is not None:
        found["acknowledge"] = str(clocks.acknowledge_by(days.received))
        found["outcome"] = str(clocks.outcome_by(days))
    if (late := clocks.overdue_since(days, channel.day)) is not None:
        found["late"] = str(late)
    if days.outcome is not None:
        years = clocks.years_kept(channel.record.retention_years, channel.record.kept_longer, days.outcome)
        found["second"] = str(clocks.add_months(days.outcome, clocks.OUTCOME_MONTHS))
        found["keep"] = str(clocks.keep_until(days.outcome, years))
    return found


PROBLEMS: dict[int | type[Exception], Any] = dict.fromkeys(
    (CaseUnknown, OutOfStep, ReportRefused, Busy, ListsRefused, StoreAway), refused
)
