"""Somebody reads the disk of the cases store, to learn in which order reports came (PRIVACY 3.8).

He knows every byte that was sent: letters long enough for overflow pages, wraps, locators, pieces of attachments, entries of
indexes. Every pair is looked at, on both engines, after each of several stirs, with the store in one portion and in many.
"""

import asyncio
import base64
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import mean
from typing import Any

import asyncpg
import pytest
from piccolo.table import Table

from server.processes import jobs
from surveys import stirring
from surveys.cases import incoming, intake, keeping, pieces
from surveys.cases import log as desk_log
from surveys.cases.incoming import Reply, Report, SealedEpoch, proof_of
from surveys.cases.keeper import keeper_at
from surveys.cases.tables import Case, DeskLine, Epoch, Message, Piece, Wrap
from surveys.engines import PooledSQLite, SafePostgres, StoreEngine
from surveys.lifecycle.context import Site
from surveys.people import log
from tests.promises.test_order import BLOCK, tau
from tests.surveys.cases.people import keeper_of

OF_CASES: tuple[type[Table], ...] = (Case, Epoch, Wrap, Message, Piece)
AGE = b"age-encryption.org/v1\n"
READERS = ("anna", "bruno", "carla")
FEW, MANY = (14,) * 8, (60,) * 5
"""How many reports are there each time the disk is read, in a store that held others before."""
BOUND = {FEW: 0.36, MANY: 0.2}
"""What the mean of that many readings stays under by chance: among 14 reports one order in three has a tau of 0.2."""
type Places = dict[str, list[int]]


@dataclass(slots=True)
class Channel:
    """What reporters sent, in order of arrival: the n-th of each list came with the n-th report."""

    site: Site
    dice: random.Random
    letters: list[bytes] = field(default_factory=list)
    wraps: list[bytes] = field(default_factory=list)
    attached: list[bytes] = field(default_factory=list)
    rows: list[dict[str, int]] = field(default_factory=list)
    locators: list[bytes] = field(default_factory=list)

    @property
    def store(self) -> StoreEngine:
        return self.site.engines["cases"]

    def sealed(self, size: int) -> bytes:
        return AGE + self.dice.randbytes(size - len(AGE))

    async def come(self, reports: int) -> None:
        """Each report has an attachment, a letter of up to 40 kB and a second one, as its writer comes back at once."""
        for _ in range(reports):
            case, locator, auth, upload = (self.dice.randbytes(size).hex() for size in (8, 32, 32, 16))
            case = f"{int(case, 16) >> 1:016x}"
            piece, first, second = (self.sealed(self.dice.randrange(6000, 40_000)) for _ in range(3))
            wraps = {name: self.sealed(incoming.WRAP_SEALED) for name in READERS}
            await pieces.keep_piece(self.store, upload, 0, piece, self.site.day)
            epoch = SealedEpoch("thread", 1, {name: _b64(sealed) for name, sealed in wraps.items()})
            report = Report(case, locator, auth, [epoch], [_b64(first)], [upload])
            await intake.receive(self.store, keeper_of(self.site), report, READERS, self.site.day)
            reply = Reply(locator, auth, "thread", 2, _b64(second), [])
            await intake.add(self.store, keeper_of(self.site), reply, READERS, self.site.day)
            number = int(case, 16)
            self.letters.append(first)
            self.wraps.append(wraps["anna"])
            self.attached.append(piece)
            self.locators.append(proof_of(locator, auth).locator)
            self.rows.append(
                {
                    "case": number,
                    "letter": incoming.row_id(number, "thread", "message", 1),
                    "piece": incoming.row_id(upload, "piece", 0),
                    "epoch": incoming.row_id(number, "thread", "epoch", 1),
                }
            )


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _wide(number: int) -> bytes:
    return number.to_bytes(8, "big")


def _lies(file: bytes, candidates: Iterable[bytes], find: Callable[[bytes, bytes], int]) -> int:
    """Where some bytes of a sealed thing lie: of several, as each may be cut by the end of a page."""
    return next(place for candidate in candidates if (place := find(file, candidate)) >= 0)


async def _in_file(channel: Channel) -> Places:
    file = (channel.site.data / "cases.sqlite").read_bytes()
    assert not any(path.stat().st_size for path in channel.site.data.glob("cases.sqlite-wal"))
    parts: dict[str, list[Sequence[bytes]]] = {
        "letter's begin": [[sealed[22:54]] for sealed in channel.letters],
        "letter's overflow": [_slices(sealed, 5500) for sealed in channel.letters],
        "letter's end": [_slices(sealed, len(sealed) - 96) for sealed in channel.letters],
        "piece's begin": [[sealed[22:54]] for sealed in channel.attached],
        "piece's overflow": [_slices(sealed, 5500) for sealed in channel.attached],
        "wrap": [_slices(sealed, 100) for sealed in channel.wraps],
        "case": [[locator] for locator in channel.locators],
        "index of letters": [[_wide(row["case"]) + _wide(row["letter"])] for row in channel.rows],
        "index of pieces": [[_wide(row["case"]) + _wide(row["piece"])] for row in channel.rows],
        "index of epochs": [[_wide(row["case"]) + _wide(row["epoch"])] for row in channel.rows],
    }
    return {
        f"{name}, {which}": [_lies(file, candidates, find) for candidates in needles]
        for name, needles in parts.items()
        for which, find in (("first", bytes.find), ("last", bytes.rfind))
    }


def _slices(sealed: bytes, start: int) -> list[bytes]:
    return [sealed[at : at + 32] for at in (start, start + 32, start + 64)]


async def _rows(engine: StoreEngine, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await engine._run_in_new_connection(query)
    return found


_PLACE = ", ".join(
    f"split_part(btrim(ctid::text, '()'), ',', {n})::bigint AS {name}" for n, name in ((1, "block"), (2, "item"))
)
_MARKS = f"xmin::text::bigint AS xmin, tableoid::bigint AS part, {_PLACE}"


def _marked(name: str, rows: Sequence[dict[str, Any]]) -> Places:
    places = [(row["part"] * BLOCK + row["block"]) * BLOCK + row["item"] for row in rows]
    return {f"{name}, xmin": [int(row["xmin"]) for row in rows], f"{name}, place": places}


async def _on_server(channel: Channel) -> Places:
    """Rows by transaction and place, and of what is long the number and the place of its first toasted part."""
    found: Places = {}
    for name, table, key in (
        ("case", Case, "case"),
        ("letter", Message, "letter"),
        ("piece", Piece, "piece"),
        ("epoch", Epoch, "epoch"),
    ):
        rows = {
            int(row["id"]): row
            for row in await _rows(channel.store, f'SELECT {_MARKS}, id FROM "{table._meta.tablename}"')
        }
        found |= _marked(name, [rows[numbers[key]] for numbers in channel.rows])
    of_wrap = {bytes(row["sealed"]): row for row in await _rows(channel.store, f"SELECT {_MARKS}, sealed FROM wrap")}
    found |= _marked("wrap", [of_wrap[sealed] for sealed in channel.wraps])
    for name, table, contents in (("letter", Message, channel.letters), ("piece", Piece, channel.attached)):
        chunks = await _toasted(channel.store, table)
        rows_of = [chunks[sealed[:64]] for sealed in contents]
        found |= _marked(f"{name} toasted", rows_of) | {
            f"{name} toasted, number": [int(row["chunk_id"]) for row in rows_of]
        }
    return found


async def _toasted(engine: StoreEngine, table: Any) -> dict[bytes, dict[str, Any]]:
    chunks: dict[bytes, dict[str, Any]] = {}
    assert isinstance(engine, SafePostgres)  # it alone is asked
    for part in await engine.parts(table):
        of = f"SELECT reltoastrelid::regclass::text AS toast FROM pg_class WHERE oid = '{part}'::regclass"
        toast = (await _rows(engine, of))[0]["toast"]
        rows = await _rows(engine, f"SELECT {_MARKS}, chunk_id::bigint, chunk_data FROM {toast} WHERE chunk_seq = 0")
        chunks |= {bytes(row["chunk_data"])[:64]: row for row in rows}
    return chunks


def _found(places: Places, *, on_files: bool) -> dict[str, float]:
    order = list(range(len(next(iter(places.values())))))
    learnt = {name: tau(order, where) for name, where in places.items()}
    if on_files and len(order) > 20:  # of fewer a page holds too few pairs to tell
        learnt |= {
            f"{name} on a page": tau(order, where, 4096)
            for name, where in places.items()
            if name.startswith(("index", "case"))
        }
    return learnt


async def _learnt(site: Site, times: Sequence[int], stir: Callable[[StoreEngine], Awaitable[None]]) -> dict[str, float]:
    """What he learns each time, as a mean: some reports came before an earlier stir, some between the two."""
    learnt, dice = [], random.Random(sum(times))
    for reports in times:
        for table in OF_CASES:
            await table.delete(force=True)
        await keeping.wipe(site.engines["cases"])
        channel = Channel(site, dice)
        on_files = isinstance(channel.store, PooledSQLite)
        for part in (reports - reports // 3, reports // 3):
            await channel.come(part)
            await stir(channel.store)
        learnt.append(_found(await (_in_file if on_files else _on_server)(channel), on_files=on_files))
    return {name: mean(one[name] for one in learnt) for name in learnt[0]}


async def _nothing(engine: StoreEngine) -> None:
    """No stir; only the log goes into the file that is looked at."""
    if isinstance(engine, PooledSQLite):
        await engine.truncate_wal()


async def _told_after_stirs(site: Site, times: tuple[int, ...]) -> dict[str, float]:
    learnt = await _learnt(site, times, keeping.stir)
    return {name: round(value, 2) for name, value in learnt.items() if value >= BOUND[times]}


async def test_after_a_stir_sixty_reports_do_not_lie_in_the_order_in_which_they_came(site: Site) -> None:
    assert await _told_after_stirs(site, MANY) == {}


@pytest.mark.parametrize("times", [FEW, MANY], ids=["few", "many"])
async def test_nor_in_a_file_that_is_stirred_in_many_portions(
    times: tuple[int, ...], sqlite_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stirring, "PORTION_BYTES", 400_000)
    assert await _told_after_stirs(sqlite_site, times) == {}


async def test_indexes_are_in_no_order_even_where_each_row_is_taken_out_alone(
    sqlite_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is for entries of large rows: of a run of thirty among thousands, one lies on a page of an index."""
    monkeypatch.setattr(stirring, "PORTION_BYTES", 1)
    told = await _told_after_stirs(sqlite_site, MANY)
    assert "letter's overflow, first" in told and {name for name in told if name.startswith("index")} == set()


async def test_nor_do_fourteen_in_a_file(sqlite_site: Site) -> None:
    """Done by an attacker: he read the pages of fourteen letters as 0, 2, 1, 3, …, 13."""
    assert await _told_after_stirs(sqlite_site, FEW) == {}


@pytest.mark.parametrize("times", [FEW[:2], MANY[:2]], ids=["few", "many"])
async def test_before_a_stir_they_do(times: tuple[int, ...], site: Site) -> None:
    """Could leak, and does for the minutes until the next stir: this attack finds what is there to be found."""
    learnt = await _learnt(site, times, _nothing)
    told = {name for name, value in learnt.items() if value > 0.8}
    if isinstance(site.engines["cases"], PooledSQLite):
        assert told >= {
            "letter's overflow, first",
            "letter's overflow, last",
            "letter's end, first",
            "piece's overflow, first",
        }
    else:
        assert told >= {
            "case, xmin",
            "letter, xmin",
            "letter toasted, number",
            "piece, xmin",
            "wrap, xmin",
            "epoch, xmin",
        }


async def _everything() -> list[list[dict[str, Any]]]:
    return [sorted(await table.select(), key=lambda row: row["id"]) for table in OF_CASES]


async def test_after_a_stir_every_row_reads_as_before(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stirring, "PORTION_BYTES", 200_000)
    channel = Channel(site, random.Random(14))
    await channel.come(14)
    before, counted = await _everything(), await keeping.arrived()
    await keeping.stir(channel.store)
    assert [len(rows) for rows in before] == [14, 14, 140, 28, 14]
    assert (await _everything(), await keeping.arrived()) == (before, counted)


async def test_while_the_cases_are_stirred_reporters_and_handlers_wait_less_than_a_second(site: Site) -> None:
    """An attachment of 30 MB lies there; a report, an attachment and a reading go on beside the stir."""
    channel = Channel(site, random.Random(3))
    upload = "ab" * 16
    for number in range(120):
        await pieces.keep_piece(channel.store, upload, number, channel.sealed(300_000)[: pieces.PIECE_BYTES], site.day)
    stir, waits = asyncio.create_task(keeping.stir(channel.store)), []
    while not stir.done():
        for step in (channel.come(1), Piece.select(Piece.number), Message.select(Message.sealed)):
            began = time.monotonic()
            await step
            waits.append(time.monotonic() - began)
        await asyncio.sleep(0.02)
    await stir
    assert len(waits) >= 6 and max(waits) < 1
    assert (await Case.count(), await Piece.count()) == (len(channel.letters), 120 + len(channel.letters))


def test_a_portion_holds_few_bytes_where_rows_are_large_and_few_rows_where_they_are_small() -> None:
    for size in (1, pieces.PIECE_BYTES):
        keys = range(5000)
        bounds = [*stirring._bounds([(key, size) for key in keys]), keys.stop]
        runs = [high - low for low, high in pairwise(bounds)]
        assert max(runs) == min(stirring.ROWS, stirring.PORTION_BYTES // size) and bounds[0] <= max(runs)


async def test_a_backup_that_holds_the_cases_of_postgresql_holds_up_the_stir_and_no_report(
    postgres_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stirring, "TRIES", 1)
    channel = Channel(postgres_site, random.Random(5))
    assert isinstance(channel.store, SafePostgres)
    backup: asyncpg.Connection = await channel.store.get_new_connection()
    await backup.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    await backup.execute('LOCK TABLE "case", epoch, wrap, message, piece IN ACCESS SHARE MODE')
    stir, began = asyncio.create_task(keeping.stir(channel.store)), time.monotonic()
    await channel.come(1)
    assert time.monotonic() - began < 1
    with pytest.raises(stirring.StillInOrder):
        await stir
    await backup.close()
    await keeping.stir(channel.store)
    assert await Case.count() == 1


async def test_the_service_stirs_the_cases_whenever_anything_of_a_case_changed(site: Site) -> None:
    """A case that goes as another comes leaves every count as it was; an attachment that is claimed too."""
    channel = Channel(site, random.Random(8))
    seen = [await keeping.arrived()]
    await channel.come(2)
    seen.append(await keeping.arrived())
    row = await Case.select().where(Case.id == channel.rows[0]["case"]).first()
    assert row is not None
    await keeping.delete_case(channel.store, row, site.day)
    await channel.come(1)
    seen.append(await keeping.arrived())
    await pieces.keep_piece(channel.store, "cd" * 16, 0, channel.sealed(100), site.day)
    seen.append(await keeping.arrived())
    await pieces.claim(["cd" * 16], channel.rows[1]["case"])
    seen.append(await keeping.arrived())
    assert len(set(map(repr, seen))) == 5 and seen[-1] == await keeping.arrived()
    assert len(jobs._stirrers(site.engines)) == 5


async def test_no_table_of_the_cases_store_counts_what_comes_across_cases(site: Site) -> None:
    """Could leak: a number that grows with each row. The handlers' log has one, and no report writes a line of it."""
    channel = Channel(site, random.Random(60))
    await channel.come(40)
    for table in OF_CASES:
        assert min(int(row["id"]) for row in await table.select()) > 2**32, table
    assert tau(list(range(40)), [row["letter"] for row in channel.rows]) < 0.4
    assert await DeskLine.count() == 0


@pytest.mark.parametrize("store", ["people", "cases"])
async def test_no_transaction_number_tells_when_in_a_day_somebody_worked_at_a_desk(
    postgres_site: Site, store: str
) -> None:
    """Done from outside: a stir takes some hundred numbers each few minutes, so that the gaps between lines of one day told how long
    lay between them, and whether two acts, of a handler and of the office, came in the same minutes."""
    site = postgres_site
    engine, keeper = site.engines[store], keeper_at(site.data)
    for number in range(4):
        if store == "cases":
            await desk_log.record(engine, keeper, site.day, "anna", f"act_{number}")
        else:
            await log.record(engine, site.day, "hr", f"act_{number}")
        for name, other in site.engines.items():  # the minutes between
            if name != store:
                await other._run_in_new_connection("SELECT txid_current()")
    table = "desk_line" if store == "cases" else "log_entry"
    marks = f"SELECT count(DISTINCT xmin::text) AS n FROM {table}"
    assert (await engine._run_in_new_connection(marks))[0]["n"] == 4
    for stirrer in jobs._stirrers(site.engines):
        await stirrer.once()
    assert (await engine._run_in_new_connection(marks))[0]["n"] == 1
    acts = [line.act for line in await desk_log.read(keeper)] or [act.act for act in await log.read()]
    assert acts == [f"act_{number}" for number in range(4)]
    assert all(line.intact for line in await desk_log.read(keeper)) and all(act.intact for act in await log.read())
