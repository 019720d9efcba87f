"""How long one answer waits while a store of 200,000 slots is stirred, on SQLite and on PostgreSQL that flushes to disk."""

import asyncio
import random
import time
from pathlib import Path

from surveys.answers import wave as urn_of
from surveys.answers.envelope import ENVELOPE_BYTES
from surveys.answers.filling import Receipt
from surveys.answers.tables import Slot, Spent
from surveys.answers.urn import Urn
from surveys.engines import PooledSQLite, StoreEngine
from surveys.people import links
from surveys.people.tables import Panel
from surveys.slips import Digest, digest, row_key, spent_digest
from surveys.stores import StoreSettings, stores
from tests import postgres
from tests.rights import right
from tests.urn import make_slips

WAVE = "large"


async def _fill(answers: StoreEngine, people: StoreEngine, slots: int, spent: int) -> None:
    dice = random.Random(slots)
    await urn_of.fill_urn(answers, WAVE, slots)
    for start in range(0, spent, 200):
        digests = [dice.randbytes(32) for _ in range(start, min(start + 200, spent))]
        await Spent.insert(
            *(Spent(id=row_key(Digest(d)), wave=WAVE, digest=d, attempt=dice.randbytes(32)) for d in digests)
        )
        rows = [
            Panel(
                id=start + n + 1,
                wave=WAVE,
                person=dice.getrandbits(60),
                channel="email",
                link=dice.randbytes(32),
                asked=dice.randbytes(32),
                signed=dice.randbytes(384),
            )
            for n in range(len(digests))
        ]
        await Panel.insert(*rows)


async def _send(urn: Urn, codes: list[Digest], done: asyncio.Event, waits: list[float]) -> None:
    """One answer every 20 ms, each timed by itself, as long as the stir lasts."""
    sending = []

    async def one(code: Digest) -> None:
        began = time.perf_counter()
        assert await urn.put(right(WAVE, code), b"a" * 16, b"x" * ENVELOPE_BYTES) == Receipt.RECEIVED
        waits.append(time.perf_counter() - began)

    while not done.is_set():
        sending.append(asyncio.create_task(one(codes.pop())))
        await asyncio.sleep(0.02)
    await asyncio.gather(*sending)


async def _measure(settings: StoreSettings, slots: int) -> list[tuple[str, str, str]]:
    async with stores(settings) as engines:
        answers, people = engines["answers"], engines["people"]
        await _fill(answers, people, slots, slots // 2)
        codes = [spent_digest(digest(code)) for code in await make_slips(answers, WAVE, min(slots // 3, 20_000))]
        urn, waits, done = Urn(answers), list[float](), asyncio.Event()
        urn.start()
        sending = asyncio.create_task(_send(urn, codes, done, waits))
        began = time.perf_counter()
        await urn_of.stir(answers)
        of_answers = time.perf_counter() - began
        began = time.perf_counter()
        await links.stir(people)
        of_people = time.perf_counter() - began
        done.set()
        await sending
        await urn.stop()
        taken = await Slot.count().where(Slot.taken.eq(True))
        name = "SQLite" if isinstance(answers, PooledSQLite) else "PostgreSQL"
    return [
        (f"{name}: one stir of {slots:,} slots and half as many codes", f"{of_answers:.0f} s", ""),
        (f"{name}: one stir of the issues of half as many people", f"{of_people:.0f} s", ""),
        (
            f"{name}: longest wait of one of {len(waits):,} answers meanwhile",
            f"{max(waits) * 1000:.0f} ms",
            "< 1,000 ms",
        ),
        (f"{name}: answers lost or doubled meanwhile", str(abs(taken - len(waits))), "0"),
    ]


async def measure(folder: Path, slots: int = 200_000) -> list[tuple[str, str, str]]:
    found = await _measure(StoreSettings(folder / "files"), slots)
    with postgres.server(durable=True) as address:
        return found + await _measure(StoreSettings(folder / "pg", postgres.fresh_databases(address, "stirred")), slots)
