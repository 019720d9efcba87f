"""Somebody reads the disk while a wave is open, to learn who took her token, and who sent, before whom (PRIVACY 3.8).

Rows are found by what only the attacker of this test knows: the digest of the form's attempt, the envelope, the
signature that a phone got. Every pair of sixty people and more is looked at, on both engines, in both stores.
"""

import hashlib
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest

from surveys import blind
from surveys.answers import wave as urn_of
from surveys.answers.filling import Receipt
from surveys.answers.tables import Spent
from surveys.answers.urn import Urn
from surveys.engines import PooledSQLite, SafePostgres, StoreEngine
from surveys.lifecycle import issuing
from surveys.lifecycle.context import Site
from surveys.people import links
from surveys.people.links import Invitation
from surveys.public.waves import WaveRecord
from surveys.stirring import StillInOrder
from surveys.stores import StoreSettings
from tests import postgres
from tests.conftest import WAVE, _on_postgres, _on_sqlite, _site
from tests.rights import right
from tests.surveys.test_links import _open as open_with_links
from tests.urn import sealed, settled, spent_by

PEOPLE = 60
MORE = 3
ROUNDS = 7
"""Moments of the open wave at which the disk is read; each has a stir of its own, and the median of them is judged."""
BOUND = 0.2
BLOCK = 10_000
"""A place on PostgreSQL is the part, the block and the row in it, as one number."""
PAGES = {
    True: {"spent place": 8192, "spent last place": 8192, "panel place": 4096, "panel last place": 4096},
    False: {"spent place": BLOCK, "panel place": BLOCK},
}
"""Where several rows lie on one page, on SQLite (True) and PostgreSQL, and how much of a place is a page."""
type Positions = dict[str, list[int]]


@dataclass(slots=True)
class Afternoon:
    """An open wave, who has still to come, and what everyone sent, in order of sending; one after the other."""

    site: Site
    record: WaveRecord
    coming: list[Invitation]
    urn: Urn
    attempts: list[bytes] = field(default_factory=list)
    envelopes: list[bytes] = field(default_factory=list)
    signed: list[bytes] = field(default_factory=list)
    sheet: bytes = b"un foglio"

    async def come(self, people: int) -> None:
        public = blind.PublicKey.from_der(self.record.token_key)
        for _ in range(people):
            invitation = self.coming.pop()
            prepared = blind.prepare(random.Random(invitation.link).randbytes(32))
            z, inverse = blind.blind(public, prepared)
            signed = await issuing.issue(self.site, invitation.link, z)
            blind.finalize(public, prepared, signed, inverse)
            proof = blind.token_digest(prepared)
            attempt, envelope = random.randbytes(16), sealed(self.site, self.record, self.sheet, proof)
            spent = spent_by(proof)
            assert await self.urn.put(right(WAVE, spent, token=True), attempt, envelope) == Receipt.RECEIVED
            self.attempts.append(hashlib.sha256(attempt).digest())
            self.envelopes.append(envelope)
            self.signed.append(signed)


async def _opened(site: Site) -> Afternoon:
    record = await open_with_links(site, people=2 * (PEOPLE + MORE * ROUNDS))
    coming = await links.draw(site.engines["people"], await links.members_of(WAVE, "email", only_missing=False))
    urn = Urn(site.engines["answers"])
    urn.start()
    return Afternoon(site, record, random.Random(60).sample(coming, len(coming)), urn)


def tau(order: list[int], places: list[int], page: int = 0) -> float:
    """|Kendall's tau| over all pairs, or over those that lie on one page of this size; ties count for nothing."""
    first, second = (np.sign(np.subtract.outer(list_, list_)) for list_ in (np.array(order), np.array(places)))
    numbers = np.array(places) // page if page else np.zeros(len(places))
    pairs = np.equal.outer(numbers, numbers)
    return abs(float((first * second)[pairs].sum() / (pairs.sum() - len(order))))


async def _rows(engine: StoreEngine, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await engine._run_in_new_connection(query)
    return found


def _lie(name: str, file: bytes, needles: list[bytes]) -> Positions:
    """Where each of the needles lies in a file: pages that were split may keep old copies, so first and last are taken."""
    places = {f"{name} place": bytes.index, f"{name} last place": bytes.rindex}
    return {place: [find(file, needle) for needle in needles] for place, find in places.items()}


async def _in_files(afternoon: Afternoon) -> Positions:
    data = afternoon.site.data
    answers, people = (data / "answers.sqlite").read_bytes(), (data / "people.sqlite").read_bytes()
    assert not any(path.stat().st_size for path in data.glob("answers.sqlite-wal"))
    assert not any(path.stat().st_size for path in data.glob("people.sqlite-wal"))
    slots = await _rows(afternoon.site.engines["answers"], "SELECT id, sheet FROM slot WHERE taken")
    of_sheet = {bytes(row["sheet"]): int(row["id"]) for row in slots}
    return {
        "slot number": [of_sheet[envelope] for envelope in afternoon.envelopes],
        **_lie("spent", answers, afternoon.attempts),
        **_lie("slot", answers, [envelope[:48] for envelope in afternoon.envelopes]),
        **_lie("panel", people, [signed[:48] for signed in afternoon.signed]),
    }


async def _on_server(afternoon: Afternoon) -> Positions:
    answers, people = (afternoon.site.engines[store] for store in ("answers", "people"))
    block, item = (f"split_part(btrim(ctid::text, '()'), ',', {n})::bigint" for n in (1, 2))
    marks = f"xmin::text::bigint AS xmin, (tableoid::bigint * {BLOCK} + {block}) * {BLOCK} + {item} AS place"
    spent = {bytes(r["attempt"]): r for r in await _rows(answers, f"SELECT {marks}, attempt FROM spent")}
    slots = {bytes(r["sheet"]): r for r in await _rows(answers, f"SELECT {marks}, id, sheet FROM slot WHERE taken")}
    panel = {
        bytes(r["signed"]): r
        for r in await _rows(people, f"SELECT {marks}, signed FROM panel WHERE issued IS NOT NULL")
    }
    found = {
        "spent": [spent[attempt] for attempt in afternoon.attempts],
        "slot": [slots[envelope] for envelope in afternoon.envelopes],
        "panel": [panel[signed] for signed in afternoon.signed],
    }
    positions = {
        f"{name} {mark}": [int(row[mark]) for row in rows] for name, rows in found.items() for mark in ("xmin", "place")
    }
    return positions | {"slot number": [int(row["id"]) for row in found["slot"]]}


async def _read(afternoon: Afternoon) -> Positions:
    await settled(afternoon.urn)
    return await (_in_files if isinstance(afternoon.site.engines["answers"], PooledSQLite) else _on_server)(afternoon)


def _found(positions: Positions) -> dict[str, float]:
    """What the attacker learns of the order of sending, and of who is whose, from all pairs."""
    order = list(range(len(next(iter(positions.values())))))
    learnt = {name: tau(order, places) for name, places in positions.items()}
    pages = PAGES["spent xmin" not in positions]
    learnt |= {f"{name} on a page": tau(order, positions[name], size) for name, size in pages.items()}
    for name, places in positions.items():
        if name.startswith("panel") and "spent xmin" in positions:
            spent = [other for key, other in positions.items() if key.startswith("spent")]
            learnt[f"{name} joined"] = max(tau(places, other) for other in spent)
    if "spent xmin" in positions:
        learnt["same transaction"] = float(np.mean(np.equal(positions["spent xmin"], positions["slot xmin"])))
    return learnt


async def _nothing(site: Site) -> None:
    """No stir; only the log goes into the files that are looked at, which a busy machine may not have done yet."""
    for store in ("answers", "people"):
        engine = site.engines[store]
        if isinstance(engine, PooledSQLite):
            await engine.truncate_wal()


async def _both(site: Site) -> None:
    await urn_of.stir(site.engines["answers"])
    await links.stir(site.engines["people"])


async def _learnt(site: Site, stir: Callable[[Site], Awaitable[None]]) -> dict[str, float]:
    afternoon, moments = await _opened(site), []
    await afternoon.come(PEOPLE - MORE)
    for _ in range(ROUNDS):
        await afternoon.come(MORE)
        await stir(site)
        if stir is _nothing and isinstance(site.engines["people"], PooledSQLite):
            await site.engines["people"].truncate_wal()
        moments.append(_found(await _read(afternoon)))
    await afternoon.urn.stop()
    return {name: median(moment[name] for moment in moments) for name in moments[0]}


def _stores(request: pytest.FixtureRequest, first: StoreSettings, folder: Path) -> Iterator[StoreSettings]:
    """Empty stores for one afternoon after the other, on the engine of the first."""
    yield first
    for name in ("second", "third"):
        if first.database_url:
            yield from _on_postgres(request.getfixturevalue("postgres_server"), folder / name, False)
        else:
            yield _on_sqlite(folder / name, False)


async def test_at_no_moment_after_a_stir_do_sixty_people_lie_in_the_order_in_which_they_came(
    request: pytest.FixtureRequest, store_settings: StoreSettings, tmp_path: Path
) -> None:
    """Parts are chosen by random keys and keep their rows through all stirs of an afternoon: of sixty people some afternoon in
    twenty has a correlation of 0.2 by chance. What tells the order tells it every afternoon: of three none is spared."""
    told: set[str] | None = None
    for settings in _stores(request, store_settings, tmp_path):
        async for site in _site(settings):
            learnt = await _learnt(site, _both)
        found = {name for name, value in learnt.items() if value >= BOUND}
        told = found if told is None else told & found
        if not told:
            break
    assert told == set()


async def test_before_a_stir_they_do(site: Site) -> None:
    """Could leak, and does for the minutes until the next stir: this attack finds what is there to be found."""
    learnt = await _learnt(site, _nothing)
    told = {name for name, value in learnt.items() if value > 0.8}
    assert told >= {"spent place on a page"}
    if isinstance(site.engines["answers"], SafePostgres):
        assert told >= {"panel place on a page", "spent xmin", "slot xmin", "panel xmin", "panel xmin joined"}
        assert learnt["same transaction"] == 1.0


@pytest.mark.opened
async def test_a_stir_that_waits_in_vain_leaves_no_line_in_the_log_of_postgresql(postgres_site: Site) -> None:
    """Done from outside: the log said with the millisecond in which part of the codes, or of the panel, somebody was writing."""
    engine = postgres_site.engines["answers"]
    assert isinstance(engine, SafePostgres)
    folder = Path((await engine._run_in_new_connection("SHOW data_directory"))[0]["data_directory"])
    log = folder.parent / postgres.LOG
    before, writer = len(log.read_bytes()), await engine.get_new_connection()
    await writer.execute("BEGIN; INSERT INTO spent (id, wave, digest, attempt) VALUES (1, 'w', '', '')")
    with pytest.raises(StillInOrder):
        await urn_of.stir(engine)
    await writer.execute("COMMIT")
    await writer.close()
    await urn_of.stir(engine)
    assert "lock" not in log.read_bytes()[before:].decode()
    assert await Spent.count() == 1


@pytest.fixture(params=[False, True], ids=["removed", "recycled"])
def logging_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[StoreSettings, bool]]:
    """Stores on a server of their own, and whether it uses old files of its write-ahead log again, as it does until it is told."""
    with postgres.server(recycles=request.param) as address:
        for settings in _on_postgres(address, tmp_path, False):
            yield settings, request.param


async def test_once_a_checkpoint_followed_a_stir_the_write_ahead_log_of_postgresql_joins_nobody_where_old_files_are_removed(
    logging_settings: tuple[StoreSettings, bool],
) -> None:
    """Done from outside: a search in `pg_wal` for three texts of each person, without a tool that reads it, joined people, codes and
    sheets for days where few answered. The server as it comes still does, so `ascolto check` asks for `wal_recycle = off`."""
    settings, recycles = logging_settings
    async for site in _site(settings):
        engine, afternoon = site.engines["answers"], await _opened(site)
        folder = Path((await _rows(engine, "SHOW data_directory"))[0]["data_directory"])
        found = []
        for _ in range(3):
            await afternoon.come(MORE)
            assert _joined(afternoon, folder)
            await _both(site)
            await _rows(engine, "CHECKPOINT")  # as one does by itself within five minutes
            found.append(
                _joined(afternoon, folder) + sum(text in b"".join(_logs(folder)) for text in _texts(afternoon))
            )
        await afternoon.urn.stop()
        assert any(found) == recycles, found


def _logs(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((folder / "pg_wal").iterdir()) if path.is_file()]


def _texts(afternoon: Afternoon) -> list[bytes]:
    """Of each person, code and sheet what only she can know."""
    return [
        *afternoon.attempts,
        *(sheet[100:140] for sheet in afternoon.envelopes),
        *(signed[:40] for signed in afternoon.signed),
    ]


def _joined(afternoon: Afternoon, folder: Path) -> int:
    """For how many codes the nearest person before is whose it is, and the nearest sheet after."""
    joined = 0
    for number, attempt in enumerate(afternoon.attempts):
        for log in _logs(folder):
            if (at := log.find(attempt)) < 0:
                continue
            sheets = [log.find(sheet[100:140], at) % len(log) for sheet in afternoon.envelopes]
            people = [log.rfind(signed[:40], 0, at) for signed in afternoon.signed]
            joined += sheets[number] == min(sheets) and people[number] == max(people) >= 0
            break
    return joined
