"""Somebody takes the disk: every byte of data folder, database files, logs and temporary files, in every phase of a wave.

What he looks for: personal links, tokens and what they were made of, answers in clear, messages that were sent. Each search
also looks for something that is there, so that a search that finds nothing can find something.
"""

import random
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from surveys import blind
from surveys.answers.envelope import seal, seal_on_phone
from surveys.answers.urn import Receipt, Urn
from surveys.answers.wave import stir
from surveys.engines import PooledSQLite
from surveys.lifecycle import closing, issuing
from surveys.lifecycle.context import House
from surveys.lifecycle.releasing import release_wave
from surveys.people import links
from surveys.people.links import Invitation, Letter
from surveys.public.waves import WaveRecord
from surveys.questionnaire import AnswerSheet
from surveys.tokens import Digest
from tests.conftest import DAY, WAVE
from tests.surveys.test_links import SECRETS
from tests.surveys.test_links import _open as open_with_links

SHEET = AnswerSheet({"CUL1": ("4",)}).to_bytes()


@dataclass(slots=True)
class Known:
    """What only a phone or a mailbox ever held."""

    links: list[bytes] = field(default_factory=list)
    tokens: list[bytes] = field(default_factory=list)
    blinded: list[bytes] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    envelopes: list[bytes] = field(default_factory=list)


async def _folders(house: House) -> list[Path]:
    """The data folder, and on PostgreSQL the server's own: tables, write-ahead log and temporary files."""
    engine = house.engines["answers"]
    if isinstance(engine, PooledSQLite):
        return [house.data]
    for store in ("answers", "people"):
        await house.engines[store]._run_in_new_connection("CHECKPOINT")
    rows = await engine._run_in_new_connection("SHOW data_directory")
    return [house.data, Path(rows[0]["data_directory"]) / "base"]


async def _found(house: House, needles: list[bytes]) -> set[int]:
    """Which of the needles lie anywhere, also as text of their bytes."""
    places = set()
    for folder in await _folders(house):
        for path in folder.rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            places |= {i for i, needle in enumerate(needles) if needle in content or needle.hex().encode() in content}
    return places


async def _answered(house: House, record: WaveRecord, known: Known) -> None:
    public, urn = blind.PublicKey.from_der(record.token_key), Urn(house.engines["answers"])
    urn.start()
    drawn = await links.draw(house.engines["people"], WAVE, "email", only_missing=False)
    for place, invitation in enumerate(drawn):
        prepared = blind.prepare(random.Random(invitation.link).randbytes(32))
        z, inverse = blind.blind(public, prepared)
        signed = await issuing.issue(house, invitation.link, z)
        signature, digest = blind.finalize(public, prepared, signed, inverse), blind.token_digest(prepared)
        envelope = seal_on_phone(SHEET, record.phone_key) if place % 2 else seal(SHEET, record.seal_key)
        assert await urn.put(WAVE, Digest(digest), b"a" * 16, envelope, token=True) == Receipt.RECEIVED
        known.links.append(invitation.link.encode())
        known.tokens += [prepared[32:], signature, inverse, z]
        known.blinded.append(signed)
        known.digests.append(digest)
        known.envelopes.append(envelope[200:400])
    await urn.stop()


async def _mailed(house: House, known: Known) -> None:
    """Messages wait with a link in clear, then leave."""

    def write(invitation: Invitation) -> Letter:
        known.links.append(invitation.link.encode())
        return Letter(invitation.contact, "Indagine", f"Il tuo link: {invitation.link}")

    people = house.engines["people"]
    await issuing.invite_by_mail(house, WAVE, "reminder", write, only_missing=True)
    assert await _found(house, known.links[-3:]) != set()  # could leak: while they wait they are there
    for row, _ in await links.waiting(100):
        await links.delivered(people, row, house.day)
    await links.leave_no_trace(people)


async def test_nothing_on_the_disk_tells_a_link_a_token_or_an_answer_in_any_phase(house: House) -> None:
    record, known = await open_with_links(house, people=40), Known()
    await _mailed(house, known)
    await _answered(house, record, known)
    secret = [*known.links, *known.tokens, SHEET]
    assert await _found(house, [*secret, *known.digests]) == set(range(len(secret), len(secret) + 20))
    await stir(house.engines["answers"])
    assert await _found(house, secret) == set()

    late = replace(house, day=DAY + timedelta(days=15))
    await closing.end(late, WAVE)
    await closing.close(late, WAVE, unused_slips=0)
    assert await _found(late, known.envelopes) == set(range(20))
    assert await _found(late, [*secret, *known.blinded]) == set()

    await release_wave(late, WAVE, (SECRETS["hr"], SECRETS["recovery"]), lambda _: None)
    gone = [*secret, *known.blinded, *known.envelopes]
    assert await _found(late, gone) == set()
    assert await _found(late, [*gone, record.token_key]) == {len(gone)}

