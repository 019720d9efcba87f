"""Backups while people answer by link, for the test of a few and the measurement of many."""

import asyncio
import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from surveys.answers.urn import Urn
from surveys.backup.restoring import restore
from surveys.lifecycle.context import Site
from surveys.people import links
from surveys.questionnaire import Questionnaire, read_form
from surveys.stores import StoreSettings
from tests.conftest import WAVE
from tests.promises.test_order import Afternoon
from tests.surveys.backed_up import Keys, backed_up, rows
from tests.surveys.test_links import _open as open_with_links
from tests.surveys.test_releasing import SHEET

PHONES = 4


@dataclass(slots=True)
class Loaded:
    """What backups were found to hold, one after the other."""

    last: Path
    sizes: list[int] = field(default_factory=list)
    """Spent codes in each."""
    torn: int = 0
    missing: int = 0
    """Answers that were acknowledged before a backup began, and are not in it."""
    held_ms: list[float] = field(default_factory=list)


async def afternoon_of(site: Site, people: int) -> Afternoon:
    """An open wave with personal links for half of its people, who have still to come."""
    record = await open_with_links(site, people=people)
    coming = await links.draw(site.engines["people"], await links.members_of(WAVE, "email", only_missing=False))
    urn = Urn(site.engines["answers"])
    urn.start()
    form = {item: [value] for item, value in SHEET.items() if item != "EXP1"}
    sheet = read_form(Questionnaire.from_json(dict(record.questionnaire)), form).to_bytes()
    return Afternoon(site, record, random.Random(60).sample(coming, len(coming)), urn, sheet=sheet)


async def back_up(
    afternoon: Afternoon, settings: StoreSettings, keys: Keys, folder: Path, backups: int, between_seconds: float
) -> Loaded:
    """Back up again and again while four phones answer, each waiting so long between two answers; restore and look at each."""
    ended, found = asyncio.Event(), Loaded(folder / "again")

    async def answering() -> None:
        while afternoon.coming and not ended.is_set():
            await afternoon.come(1)
            await asyncio.sleep(between_seconds)

    phones = [asyncio.create_task(answering()) for _ in range(PHONES)]
    for number in range(backups):
        while len(afternoon.attempts) < 5 * number and afternoon.coming:
            await asyncio.sleep(0.001)
        acknowledged = set(afternoon.attempts)
        made = await asyncio.to_thread(backed_up, settings, folder / "kept", keys)
        shutil.rmtree(found.last, ignore_errors=True)
        await asyncio.to_thread(restore, made.file, keys.file, found.last)
        made.file.unlink()
        _look(found, acknowledged)
        found.held_ms.append(made.held_seconds * 1000)
    ended.set()
    await asyncio.gather(*phones)
    await afternoon.urn.stop()
    return found


def _look(found: Loaded, acknowledged: set[bytes]) -> None:
    """A code is spent after it was issued, with the slot that takes its sheet: in one moment never otherwise."""
    whole = all(
        rows(found.last, store, "PRAGMA integrity_check") == [("ok",)]
        and rows(found.last, store, "PRAGMA foreign_key_check") == []
        for store in ("public", "people", "answers", "cases")
    )
    spent = {attempt for (attempt,) in rows(found.last, "answers", "SELECT attempt FROM spent")}
    taken = rows(found.last, "answers", "SELECT count(*) FROM slot WHERE taken")[0][0]
    issued = rows(found.last, "people", "SELECT count(*) FROM panel WHERE issued IS NOT NULL AND length(signed) > 0")
    found.torn += not (whole and taken == len(spent) <= issued[0][0])
    found.missing += len(acknowledged - spent)
    found.sizes.append(len(spent))
