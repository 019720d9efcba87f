"""Somebody takes the disk: every byte of data folder, database files, logs and temporary files, in every phase of a wave.

What he looks for: personal links, tokens and what they were made of, answers in clear. Each search
also looks for something that is there, so that a search that finds nothing can find something.
"""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from piccolo.table import Table

from server.mail import invitations
from server.settings import Settings
from surveys import blind
from surveys.answers import filling
from surveys.answers.filling import Receipt
from surveys.answers.urn import Urn
from surveys.answers.wave import stir
from surveys.engines import PooledSQLite, SafePostgres
from surveys.lifecycle import closing, issuing
from surveys.lifecycle.context import Site
from surveys.lifecycle.releasing import release_wave
from surveys.people import links
from surveys.public.waves import WaveRecord
from surveys.questionnaire import AnswerSheet
from surveys.slips import Digest, row_key, spent_digest
from tests import postgres
from tests.conftest import DAY, WAVE, open_a_wave
from tests.postgres import LOG, free_port
from tests.rights import right
from tests.surveys.test_links import SECRETS
from tests.surveys.test_links import _open as open_with_links
from tests.urn import sealed, spent

SHEET = AnswerSheet({"CUL1": ("4",)}).to_bytes()
WAL = "pg_wal"
"""PostgreSQL keeps its log until it comes round: ciphertext whose key is destroyed, and blinded values, which tell nothing."""


@pytest.fixture(scope="module")
def postgres_server() -> Iterator[str]:
    """A server of this file's own: what other tests left in a shared one's log need not be searched, again and again."""
    with postgres.server(short_log=True) as address:
        yield address


@dataclass(slots=True)
class Known:
    """What only a phone or a mailbox ever held."""

    links: list[bytes] = field(default_factory=list)
    tokens: list[bytes] = field(default_factory=list)
    blinded: list[bytes] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    envelopes: list[bytes] = field(default_factory=list)


async def _files(site: Site) -> list[Path]:
    """All files of the data folder, and on PostgreSQL of the server: tables, write-ahead log, temporary files.

    Only the tables of other tests' databases on the same server are left out: they hold other houses.
    """
    engine = site.engines["answers"]
    files = [path for path in site.data.rglob("*") if path.is_file()]
    if isinstance(engine, PooledSQLite):
        return files
    ours = "SELECT oid::text FROM pg_database WHERE datname = current_database()"
    own = {(await opened._run_in_new_connection(ours))[0]["oid"] for _, opened in site.engines.items()}
    for store in ("answers", "people"):
        await site.engines[store]._run_in_new_connection("CHECKPOINT")
    server = Path((await engine._run_in_new_connection("SHOW data_directory"))[0]["data_directory"])
    others = {folder for folder in (server / "base").iterdir() if folder.name.isdigit()} - {
        server / "base" / oid for oid in own
    }
    return files + [path for path in server.rglob("*") if path.is_file() and path.parent not in others]


async def _found(site: Site, needles: list[bytes], *, but: str = "") -> set[int]:
    """Which of the needles lie anywhere but in one folder, also as text of their bytes, also cut by the end of a page."""
    cut = [(i, piece) for i, needle in enumerate(needles) for piece in {needle[:64], needle[-64:]}]
    search = _Search([(i, form) for i, piece in cut for form in (piece, piece.hex().encode())])
    for path in await _files(site):
        try:
            content = path.read_bytes() if path.parent.name != but else b""
        except FileNotFoundError:
            continue  # a busy server makes and removes files of its own
        search.look(content)
    return search.places


class _Search:
    """Hundreds of texts in one pass: places where two pairs of bytes begin any of them, then the texts that begin so."""

    def __init__(self, texts: list[tuple[int, bytes]]) -> None:
        self.places: set[int] = set()
        self._first, self._second = np.zeros(2**16, bool), np.zeros(2**16, bool)
        self._by_start: dict[bytes, list[tuple[int, bytes]]] = {}
        for i, text in texts:
            self._first[text[0] | text[1] << 8] = self._second[text[2] | text[3] << 8] = True
            self._by_start.setdefault(text[:4], []).append((i, text))

    def look(self, content: bytes) -> None:
        if len(content) < 4:
            return
        letters = np.frombuffer(content, np.uint8).astype(np.uint16)
        pairs = letters[:-1] | letters[1:] << 8
        for place in np.flatnonzero(self._first[pairs[:-2]] & self._second[pairs[2:]]).tolist():
            found = self._by_start.get(content[place : place + 4], ())
            self.places |= {i for i, text in found if content.startswith(text, place)}


@asynccontextmanager
async def _busy_server(site: Site) -> AsyncIterator[None]:
    """What PostgreSQL does by itself at any hour: samples of every column are taken, and a backup looks at an older state."""
    if isinstance(site.engines["people"], PooledSQLite):
        yield
        return
    async with AsyncExitStack() as backups:
        for _, engine in site.engines.items():
            assert isinstance(engine, SafePostgres)
            await engine._run_in_new_connection("ANALYZE")
            backup = await engine.get_new_connection()
            backups.push_async_callback(backup.close)
            await backup.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            await backup.execute("SELECT txid_current(), count(*) FROM migration")
        yield


async def _answered(site: Site, record: WaveRecord, known: Known) -> None:
    public, urn = blind.PublicKey.from_der(record.token_key), Urn(site.engines["answers"])
    urn.start()
    drawn = await links.draw(site.engines["people"], await links.members_of(WAVE, "email", only_missing=False))
    for invitation in drawn:
        prepared = blind.prepare(random.Random(invitation.link).randbytes(32))
        z, inverse = blind.blind(public, prepared)
        signed = await issuing.issue(site, invitation.link, z)
        signature, proof = blind.finalize(public, prepared, signed, inverse), blind.token_digest(prepared)
        row, envelope = spent_digest(Digest(proof)), sealed(site, record, SHEET, proof)
        assert await urn.put(right(WAVE, row, token=True), b"a" * 16, envelope) == Receipt.RECEIVED
        known.links.append(invitation.link.encode())
        known.tokens += [prepared[32:], signature, inverse, z, proof]
        known.blinded.append(signed)
        known.digests.append(row)
        known.envelopes.append(envelope[200:400])
    await urn.stop()


class Mailbox:
    """A mail server's handler that keeps the links it sees and looks at the disk while the messages are under way."""

    def __init__(self, site: Site, known: Known) -> None:
        self.site, self.known = site, known

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # the library's name
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self.known.links += re.findall(rb"#l=3?D?([\w-]{22})", content)
        return "250 OK"


async def _mailed(site: Site, known: Known) -> None:
    """Everyone is invited through a real mail server."""
    await issuing.invite_by_mail(site, WAVE, "invitation", only_missing=True)
    server = Controller(Mailbox(site, known), hostname="127.0.0.1", port=free_port())
    server.start()
    settings: Any = Settings(stores=None, smtp=f"smtp://127.0.0.1:{server.port}", mail_from="a@prova.invalid")  # type: ignore[arg-type]  # sending needs no store
    try:
        assert await invitations.send_due(settings, site) == len(known.links) == 20
    finally:
        server.stop()


async def test_nothing_on_the_disk_tells_a_link_a_token_or_an_answer_in_any_phase(site: Site) -> None:
    record, known = await open_with_links(site, people=40), Known()
    await _mailed(site, known)
    await _answered(site, record, known)
    secret = [*known.links, *known.tokens, SHEET]
    assert await _found(site, [*secret, *known.digests]) == set(range(len(secret), len(secret) + 20))
    await stir(site.engines["answers"])
    assert await _found(site, secret) == set()

    late = replace(site, day=DAY + timedelta(days=15))
    async with _busy_server(site):
        assert await _found(site, known.blinded, but=WAL) == set(range(20))
        await closing.end(late, WAVE)
        await closing.close(late, WAVE, unused_slips=0)
        assert await _found(late, known.envelopes) == set(range(20))
        assert await _found(late, secret) == set()
        assert await _found(late, known.blinded, but=WAL) == set()
    async with _busy_server(site):
        await release_wave(late, WAVE, (SECRETS["hr"], SECRETS["recovery"]), lambda _: None)
        assert await _found(late, secret) == set()
        gone = [*known.blinded, *known.envelopes]
        assert await _found(late, [*gone, record.token_key], but=WAL) == {len(gone)}


async def _vacuum_full(self: SafePostgres, *tables: type[Table]) -> None:
    for table in tables:
        await self._run_in_new_connection(f'VACUUM FULL "{table._meta.tablename}"')


@pytest.mark.parametrize("weakness", ["statistics", "vacuum full"])
async def test_a_server_that_samples_or_keeps_rows_for_a_backup_would_tell(
    weakness: str, postgres_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Could leak: ANALYZE with its defaults keeps values of wiped columns, VACUUM FULL the rows a backup may still see."""
    people = postgres_site.engines["people"]
    record, known = await open_with_links(postgres_site, people=40), Known()
    await _mailed(postgres_site, known)
    await _answered(postgres_site, record, known)
    if weakness == "statistics":
        await people._run_in_new_connection("ALTER TABLE panel ALTER COLUMN signed SET STATISTICS -1")
    else:
        monkeypatch.setattr(SafePostgres, "rewrite", _vacuum_full)
    late = replace(postgres_site, day=DAY + timedelta(days=15))
    async with _busy_server(postgres_site):
        await closing.end(late, WAVE)
        await closing.close(late, WAVE, unused_slips=0)
        assert await _found(late, known.blinded, but=WAL) == set(range(20))


@pytest.mark.opened
@pytest.mark.parametrize("weakened", [False, True])
async def test_when_two_processes_race_for_one_code_the_log_of_postgresql_does_not_say_which_and_when(
    weakened: bool, postgres_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    if weakened:
        monkeypatch.setattr(filling, "_SPEND", filling._SPEND.replace("ON CONFLICT DO NOTHING", ""))
    wave = await open_a_wave(postgres_site)
    urns = [Urn(postgres_site.engines["answers"]) for _ in range(2)]
    for urn in urns:
        urn.start()
    for code in wave.codes:
        envelope = sealed(postgres_site, wave.record, SHEET)
        got = await asyncio.gather(
            *(urn.put(right(WAVE, spent(code)), bytes([i]) * 16, envelope) for i, urn in enumerate(urns)),
            return_exceptions=weakened,  # the weakened copy may lose the race twice
        )
        assert weakened or set(got) == {Receipt.RECEIVED, Receipt.USED}
    for urn in urns:
        await urn.stop()
    server = await postgres_site.engines["answers"]._run_in_new_connection("SHOW data_directory")
    log = (Path(server[0]["data_directory"]).parent / LOG).read_text()
    assert "database system is ready" in log
    assert any(f"({row_key(spent(code))})" in log for code in wave.codes) is weakened
