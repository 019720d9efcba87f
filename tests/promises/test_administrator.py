"""The administrator as an attacker: files, logs and rows of both engines, during and after a wave (PRIVACY 1 B, 3.7).

Sixty people take a token and answer, in one order, by a fixed seed. Each attack first succeeds on a copy that was weakened
on purpose, or before the stir; then it is tried on what we ship.
"""

import random
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest

from surveys import blind
from surveys.answers import filling
from surveys.answers import wave as urn_of
from surveys.answers.envelope import ENVELOPE_BYTES
from surveys.answers.filling import Receipt
from surveys.answers.tables import Slip, Slot, Spent
from surveys.answers.urn import Urn
from surveys.engines import PooledSQLite
from surveys.lifecycle import issuing
from surveys.lifecycle.context import Site
from surveys.people import links
from surveys.people.tables import LogEntry, Outbox, Panel, Person
from surveys.public.tables import Bulletin, Wave
from surveys.slips import Digest, row_key
from tests.conftest import WAVE, open_a_wave
from tests.rights import right
from tests.surveys.test_links import _open as open_with_links
from tests.urn import proof_of, sealed, spent, spent_by

PEOPLE = 60
STIRS = 12  # a stir is by real dice: one alone has |r| of 0.3 once in fifty, their mean never by chance


@dataclass(frozen=True, slots=True)
class Sent:
    """What one person sent, in order of receipt."""

    digest: bytes
    envelope: bytes


def _slope(positions: list[int]) -> float:
    """r of the order of receipt with a position; 0 where all positions are alike."""
    if len(set(positions)) < 2:
        return 0.0
    return float(np.corrcoef(range(len(positions)), positions)[0, 1])


def _correlation(positions: list[int]) -> float:
    return abs(_slope(positions))


async def _answered(site: Site, monkeypatch: pytest.MonkeyPatch, *, shuffled: bool = True) -> list[Sent]:
    """Sixty sheets by slip, one after the other, with slots and codes of a fixed seed."""
    dice = random.Random(2026)
    monkeypatch.setattr(filling, "_random", dice)
    monkeypatch.setattr(secrets, "token_bytes", dice.randbytes)
    wave = await open_a_wave(site, people=PEOPLE)
    codes = dice.sample(sorted(wave.codes), PEOPLE)  # they come shuffled by dice of their own
    urn = Urn(site.engines["answers"])
    urn.start()
    sent = []
    for code in codes:
        digest, envelope = (
            Digest(urn_digest(code)),
            sealed(site, wave.record, dice.randbytes(200), proof_of(code)),
        )
        assert await urn.put(right(WAVE, digest), dice.randbytes(16), envelope) == Receipt.RECEIVED
        sent.append(Sent(bytes(digest), envelope))
    await urn.stop()
    return sent


def urn_digest(code: str) -> bytes:
    return bytes(spent(code))


def _offsets(file: Path, needles: list[bytes]) -> list[int]:
    content = file.read_bytes()
    found = [content.find(needle) for needle in needles]
    assert min(found) >= 0  # each is there: the attack could work
    return found


async def _in_spent(engine: PooledSQLite, file: Path, digests: list[bytes]) -> list[int]:
    """Where each code lies in the table of spent ones: the list of slips in the same file has every code, too."""
    query = "SELECT page_size, rootpage FROM pragma_page_size, sqlite_master WHERE name = 'spent'"
    [(page, root)] = [
        (int(row["page_size"]), int(row["rootpage"])) for row in await engine._run_in_new_connection(query)
    ]
    content = file.read_bytes()[page * (root - 1) : page * root]  # sixty are one page: its root
    found = [content.find(digest) for digest in digests]
    assert min(found) >= 0
    return found


async def _rows(site: Site, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await site.engines["answers"]._run_in_new_connection(query)
    return found


async def test_on_sqlite_no_position_in_the_file_tells_the_order_of_receipt(
    sqlite_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = await _answered(sqlite_site, monkeypatch)
    engine = sqlite_site.engines["answers"]
    assert isinstance(engine, PooledSQLite)
    await engine.truncate_wal()
    file = sqlite_site.data / "answers.sqlite"
    digests = [s.digest for s in sent]
    assert await _in_spent(engine, file, digests) == sorted(
        await _in_spent(engine, file, digests), reverse=True
    )  # until the stir
    slopes = []
    for _ in range(STIRS):
        await urn_of.stir(engine)
        assert _correlation(_offsets(file, [s.envelope[:48] for s in sent])) < 0.3
        slopes.append(_slope(await _in_spent(engine, file, digests)))
    assert abs(sum(slopes) / STIRS) < 0.3 and len(set(slopes)) > 1
    rows = {bytes(row["digest"]): int(row["id"]) for row in await Spent.select()}
    assert rows == {digest: row_key(Digest(digest)) for digest in digests}  # a key is the code's own: nothing of a time
    rowids = {
        bytes(row["digest"]): int(row["number"])
        for row in await _rows(sqlite_site, "SELECT rowid AS number, digest FROM spent")
    }
    assert rowids == rows  # no serial number hides behind the key
    log = file.with_name("answers.sqlite-wal")
    assert not log.exists() or log.stat().st_size == 0


async def test_the_write_ahead_log_holds_the_order_until_it_is_emptied(
    sqlite_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Could leak, and does in this weakened copy: a log that is never emptied pairs codes and envelopes in order."""

    async def keep(_: object) -> bool:
        return True

    monkeypatch.setattr(PooledSQLite, "truncate_wal", keep)
    sent = await _answered(sqlite_site, monkeypatch)
    log = sqlite_site.data / "answers.sqlite-wal"
    content = log.read_bytes()
    last = [content.rfind(s.envelope[:48]) for s in sent]
    assert sum(place >= 0 for place in last) > PEOPLE / 2
    assert _correlation([place for place in last if place >= 0]) > 0.99


def test_a_table_without_row_numbers_lays_envelopes_down_in_order(tmp_path: Path) -> None:
    """A weakened copy: random keys, WITHOUT ROWID, large blobs. Overflow pages come one after the other."""
    dice = random.Random(7)
    sent = [dice.randbytes(ENVELOPE_BYTES) for _ in range(PEOPLE)]
    with sqlite3.connect(tmp_path / "weak.sqlite") as weak:
        weak.execute("CREATE TABLE sheet (digest BLOB PRIMARY KEY, sheet BLOB) WITHOUT ROWID")
        for envelope in sent:
            weak.execute("INSERT INTO sheet VALUES (?, ?)", (dice.randbytes(32), envelope))
    assert _correlation(_offsets(tmp_path / "weak.sqlite", [envelope[-64:] for envelope in sent])) > 0.99


def _place(row: dict[str, Any]) -> int:
    block, item = str(row["ctid"]).strip("()").split(",")
    return int(block) * 10_000 + int(item)


async def _postgres_positions(site: Site, sent: list[Sent]) -> dict[str, float]:
    """|r| with the transaction numbers and physical places of spent codes and of slots."""
    spent = await _rows(site, "SELECT xmin::text::bigint AS xmin, ctid::text AS ctid, digest FROM spent")
    slots = await _rows(site, "SELECT xmin::text::bigint AS xmin, ctid::text AS ctid, sheet FROM slot WHERE taken")
    of_code = {bytes(row["digest"]): row for row in spent}
    of_sheet = {bytes(row["sheet"]): row for row in slots}
    return {
        "spent xmin": _correlation([int(of_code[s.digest]["xmin"]) for s in sent]),
        "spent ctid": _correlation([_place(of_code[s.digest]) for s in sent]),
        "slot xmin": _correlation([int(of_sheet[s.envelope]["xmin"]) for s in sent]),
        "slot ctid": _correlation([_place(of_sheet[s.envelope]) for s in sent]),
    }


async def test_on_postgresql_rows_tell_the_order_before_the_stir_and_not_after(
    postgres_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = await _answered(postgres_site, monkeypatch)
    before = await _postgres_positions(postgres_site, sent)
    assert min(before["spent xmin"], before["slot xmin"]) > 0.99  # it could leak; places inside a part: test_order
    stirred = []
    for _ in range(5):  # the server's own dice are not seeded: the median of five
        await urn_of.stir(postgres_site.engines["answers"])
        stirred.append(await _postgres_positions(postgres_site, sent))
    assert {name: median(each[name] for each in stirred) < 0.3 for name in before} == dict.fromkeys(before, True)


async def test_ranks_of_issue_and_of_spending_join_people_with_codes_before_the_stir_and_not_after(
    postgres_site: Site,
) -> None:
    """PRIVACY 3.7: on one PostgreSQL server the two stores' transaction numbers joined 400 of 400 people to digests."""
    record = await open_with_links(postgres_site, people=PEOPLE)
    public = blind.PublicKey.from_der(record.token_key)
    urn = Urn(postgres_site.engines["answers"])
    urn.start()
    truth: dict[int, bytes] = {}
    for invitation in await links.draw(
        postgres_site.engines["people"], await links.members_of(WAVE, "email", only_missing=False)
    ):
        prepared = blind.prepare(random.Random(invitation.link).randbytes(32))
        z, inverse = blind.blind(public, prepared)
        entry = await links.find(invitation.link)
        assert entry is not None
        blind.finalize(public, prepared, await issuing.issue(postgres_site, invitation.link, z), inverse)
        proof = blind.token_digest(prepared)
        truth[entry.row] = spent_by(proof)
        await urn.put(
            right(WAVE, Digest(truth[entry.row]), token=True),
            b"a" * 16,
            sealed(postgres_site, record, b"sheet", proof),
        )
    await urn.stop()

    async def joined() -> int:
        people = await postgres_site.engines["people"]._run_in_new_connection(
            "SELECT id, xmin::text::bigint AS xmin FROM panel WHERE issued IS NOT NULL ORDER BY xmin::text::bigint"
        )
        codes = await _rows(postgres_site, "SELECT digest FROM spent ORDER BY xmin::text::bigint, ctid")
        return sum(truth[int(p["id"])] == bytes(c["digest"]) for p, c in zip(people, codes, strict=True))

    assert await joined() == len(truth) == 30
    await urn_of.stir(postgres_site.engines["answers"])
    assert await joined() <= 5  # one on average by chance; six or more once in 1,700


async def test_no_row_of_any_store_holds_a_link_a_token_or_what_joins_them(site: Site) -> None:
    record = await open_with_links(site, people=40)
    public = blind.PublicKey.from_der(record.token_key)
    urn = Urn(site.engines["answers"])
    urn.start()
    hidden: list[bytes] = []
    codes: set[bytes] = set()
    for invitation in await links.draw(
        site.engines["people"], await links.members_of(WAVE, "email", only_missing=False)
    ):
        prepared = blind.prepare(random.Random(invitation.link).randbytes(32))
        z, inverse = blind.blind(public, prepared)
        signature = blind.finalize(public, prepared, await issuing.issue(site, invitation.link, z), inverse)
        digest = blind.token_digest(prepared)
        codes.add(digest)
        await urn.put(
            right(WAVE, spent_by(digest), token=True), b"a" * 16, sealed(site, record, b"un foglio chiaro", digest)
        )
        hidden += [
            digest,
            invitation.link.encode(),
            prepared,
            prepared[32:],
            signature,
            inverse,
            z,
            b"un foglio chiaro",
        ]
    await urn.stop()
    people = [await table.select() for table in (Person, Panel, Outbox, LogEntry)]
    answers = [await table.select() for table in (Slot, Spent, Slip)]
    everything = b"\x00".join(
        bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
        for rows in (*people, *answers, await Wave.select(), await Bulletin.select())
        for row in rows
        for value in row.values()
    )
    assert not any(secret in everything for secret in hidden)
    in_people = b"".join(bytes(v) for rows in people for row in rows for v in row.values() if isinstance(v, bytes))
    assert not any(digest in in_people for digest in codes)
    if (site.data / "answers.sqlite").exists():
        for path in site.data.rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            assert not any(secret in content for secret in hidden), path.name


async def test_no_column_of_the_answers_store_could_hold_a_time_an_order_or_a_person(site: Site) -> None:
    await open_a_wave(site, people=40)
    columns = {table._meta.tablename: {c._meta.name for c in table._meta.columns} for table in (Slot, Spent, Slip)}
    assert columns == {
        "slot": {"id", "wave", "taken", "sheet"},
        "spent": {"id", "wave", "digest", "attempt"},
        "slip": {"id", "wave", "digest"},
    }
    if not isinstance(site.engines["answers"], PooledSQLite):
        return
    sequences = await _rows(site, "SELECT name FROM sqlite_master WHERE name = 'sqlite_sequence'")
    assert (
        sequences == []
        or await _rows(site, "SELECT * FROM sqlite_sequence WHERE name IN ('slot','spent','slip')") == []
    )


@pytest.mark.parametrize("column", ["timestamp", "serial"])
def test_a_store_with_times_or_numbers_gives_the_order_away(tmp_path: Path, column: str) -> None:
    """A weakened copy, as most form tools keep it: the attack that finds nothing here finds everything there."""
    kinds = {"timestamp": "at REAL DEFAULT ((julianday('now')))", "serial": "at INTEGER PRIMARY KEY AUTOINCREMENT"}
    dice = random.Random(3)
    sent = [dice.randbytes(32) for _ in range(PEOPLE)]
    with sqlite3.connect(tmp_path / "weak.sqlite") as weak:
        weak.execute(f"CREATE TABLE sheet ({kinds[column]}, digest BLOB)")
        for place, digest in enumerate(sent):
            weak.execute("INSERT INTO sheet (digest) VALUES (?)", (digest,))
            if column == "timestamp":
                weak.execute("UPDATE sheet SET at = at + ? WHERE digest = ?", (place / 86400, digest))
        found = [digest for (digest,) in weak.execute("SELECT digest FROM sheet ORDER BY at")]
    assert found == sent
