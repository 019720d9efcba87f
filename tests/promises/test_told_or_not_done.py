"""What a handler does and the line that tells it are one: where the log cannot be written, nothing was done.

Found by reading: each act was kept first and told afterwards, so a process that died in between left acts that no log tells.
"""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from surveys.cases import acts, log
from surveys.cases.keeper import keeper_at
from surveys.cases.tables import Case, Epoch, Handler, Message, Wrap
from surveys.stores import StoreSettings
from tests import postgres
from tests.promises.test_hostile_store import Stage, served

type Asked = tuple[str, dict[str, Any]]
"""An address below `/cases/`, and what is posted there."""


async def _kept() -> list[str]:
    """All that the store of cases holds but the log."""
    return [
        repr(await table.select().order_by(table._meta.primary_key)) for table in (Case, Epoch, Wrap, Message, Handler)
    ]


async def _letter(stage: Stage, kind: str, text: str) -> dict[str, Any]:
    assert stage.lists.chain is not None
    fold = stage.opened((await stage.asked())["handler"].json(), "handler").fold
    assert fold is not None
    return acts.letter(fold, stage.lists.chain.newest, stage.author, kind, {"text": text}, stage.site.day, os.urandom)


async def _writes(stage: Stage) -> Asked:
    return f"case/{stage.number}/write", {"move": "outcome", "uploads": [], **await _letter(stage, "outcome", "esito")}


async def _holds(stage: Stage) -> Asked:
    return f"case/{stage.number}/hold", {"wanted": True}


async def _leaves(stage: Stage) -> Asked:
    return f"case/{stage.number}/out", {}


async def _takes_words_out(stage: Stage) -> Asked:
    return f"case/{stage.number}/redact", {"number": 1, "sealed": (await _letter(stage, "message", ""))["sealed"]}


async def _goes_away(stage: Stage) -> Asked:
    return "absence", {"begins": stage.site.day.isoformat(), "ends": ""}


async def _says_how_it_stands(stage: Stage) -> Asked:
    day = stage.site.day.isoformat()
    days = {"received": day, "acknowledged": day, "outcome": day}
    return f"case/{stage.number}/stands", {"state": "outcome", **days}


ACTS: dict[str, tuple[Callable[[Stage], Awaitable[Asked]], str]] = {
    "how it stands": (_says_how_it_stands, "said_stand"),
    "a letter": (_writes, "moved_outcome"),
    "a hold": (_holds, "asked_hold"),
    "words taken out": (_takes_words_out, "redacted"),
    "an absence": (_goes_away, "set_absence"),
    "leaving": (_leaves, "stepped_out"),
}


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_what_cannot_be_told_is_not_done_and_what_can_is_told_once(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str
) -> None:
    databases = None
    if engine == "postgres":
        databases = postgres.fresh_databases(request.getfixturevalue("postgres_server"), "told")
    async with served(StoreSettings(tmp_path / "data", databases)) as stage:
        store, keeper = stage.site.engines["cases"], keeper_at(stage.site.data)
        for what, (act, line) in ACTS.items():
            where, given = await act(stage)
            before, told = await _kept(), len(await log.read(keeper))

            async def post(where: str = where, given: dict[str, Any] = given) -> httpx.Response:
                return await stage.client.post(f"/cases/{where}", json=given, headers=stage.session)

            await store._run_in_new_connection("ALTER TABLE desk_line RENAME TO desk_line_away")
            refused = await post()
            await store._run_in_new_connection("ALTER TABLE desk_line_away RENAME TO desk_line")
            assert refused.status_code >= 500 and await _kept() == before, what
            assert (await post()).status_code == 200 and await _kept() != before, what
            assert [entry.act for entry in (await log.read(keeper))[told:]] == [line], what
