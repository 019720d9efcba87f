"""Waves and cases of version 1 that were there when version 2 came: they end as they began, and are named outside the databases.

Each file is written once, at the first start of version 2, and never again: afterwards nobody can make a wave or a case of
version 1. What was changed in a row before that start nothing can tell.
"""

import json
from pathlib import Path
from typing import Any

from surveys import signed
from surveys.answers.plans import PlanOther, hash_of
from surveys.cases import desk
from surveys.cases.keeper import first_versions_path, keeper_at
from surveys.lifecycle.context import keep_file, keep_once
from surveys.public import waves
from surveys.public.waves import State, WaveRecord

UNDER_WAY = (State.OPEN, State.ENDED, State.CLOSED)


def path_of(data: Path) -> Path:
    return data / "keys" / "version-1.json"


async def keep(data: Path) -> None:
    """Pin every wave that is under way, and say which cases are of version 1, once in the life of an installation."""
    if not first_versions_path(data).exists():
        marks = [keeper_at(data).mark(case) for case in await desk.of_first_version()]
        keep_once(first_versions_path(data), signed.canonical(sorted(marks)).encode())
    path = path_of(data)
    if path.exists():
        return
    under_way = [
        record for record in await waves.in_state(*UNDER_WAY) if not record.signed_plan and record.origin == "ascolto"
    ]
    keep_file(path, signed.canonical({record.id: _pinned(record) for record in under_way}).encode())


def _pinned(record: WaveRecord) -> dict[str, Any]:
    return {
        "holders": {seat: holder["key"] for seat, holder in record.holders.items()},
        "rules": dict(record.rules["k"]),
        "frozen": hash_of([dict(record.questionnaire), dict(record.plan)]),
        "seal": record.seal_key.hex(),
        "phone": record.phone_key.hex(),
        "token": record.token_key.hex(),
    }


def check(data: Path, record: WaveRecord) -> None:
    """Check that a wave of version 1 still has the keys it had at the update; least sizes may be higher.

    Raises
    ------
    PlanOther
        If anything else was changed, or the wave was not under way then.
    """
    try:
        pinned = json.loads(path_of(data).read_text("utf-8"))[record.id]
    except (OSError, ValueError, KeyError):
        raise PlanOther("a wave of version 1 that was not under way at the update") from None
    there = _pinned(record)
    least, now = pinned.pop("rules"), there.pop("rules")
    if there != pinned or now.keys() != least.keys() or any(now[family] < k for family, k in least.items()):
        raise PlanOther("a wave of version 1 whose keys were changed since the update")
