"""Tokens spent: verified, the sheet sealed and committed durably; in one bare process on both engines, then over HTTP."""

import asyncio
import os
import random
import secrets
import time
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from surveys.answers.filling import Receipt
from surveys.answers.pairs import layered, seal
from surveys.answers.urn import Urn
from surveys.blind import PublicKey, encode_token, prepare, token_digest, verify
from surveys.lifecycle.context import Site, read_wave_key, today
from surveys.lifecycle.issuing import key_file
from surveys.public.waves import get
from surveys.questionnaire import AnswerSheet, shipped
from surveys.slips import Digest, spent_digest
from surveys.stores import StoreSettings, stores
from tests.benchmarks.answers import _body, _run
from tests.benchmarks.installation import WAVE, _open, opened, served
from tests.postgres import fresh_databases, server
from tests.rights import right
from tests.urn import plan_of

TOKENS = 3000
AT_ONCE, WARM = 64, 100


def _tokens(site: Site, count: int) -> list[tuple[bytes, bytes]]:
    """Finished tokens of the wave, signed directly: what a phone holds after unblinding is the same signature."""
    key = load_pem_private_key(key_file(site, WAVE).read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA384()), salt_length=48)
    made = [prepare(secrets.token_bytes(32)) for _ in range(count)]
    return [(prepared, key.sign(prepared, scheme, hashes.SHA384())) for prepared in made]


async def _spend(site: Site) -> tuple[float, int]:
    """Tokens a second, and how many were received."""
    record = await get(WAVE)
    plan, wave_key = plan_of(site, WAVE), read_wave_key(site.data, WAVE)
    public, tokens = PublicKey.from_der(record.token_key), _tokens(site, TOKENS)
    items = [item.id for item in shipped("full", [], []).items() if item.type == "likert"]
    sheets = [AnswerSheet({name: (random.choice("12345"),) for name in items}).to_bytes() for _ in range(50)]
    urn, place, receipts = Urn(site.engines["answers"]), [0], []
    urn.start()

    async def one() -> None:
        while place[0] < TOKENS:
            number = place[0]
            place[0] += 1
            prepared, signature = tokens[number]
            assert verify(public, prepared, signature)
            proof = token_digest(prepared)
            envelope = layered(seal(sheets[number % 50], proof, plan.hash, plan.points), wave_key)
            digest = spent_digest(Digest(proof))
            receipts.append(await urn.put(right(WAVE, digest, token=True), os.urandom(16), envelope))

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    seconds = time.perf_counter() - began
    await urn.stop()
    return TOKENS / seconds, sum(receipt == Receipt.RECEIVED for receipt in receipts)


async def _bare(settings: StoreSettings) -> tuple[float, int]:
    async with stores(settings) as engines:
        return await _spend(Site(engines, settings.data, today(), "bench"))


async def _on_postgres(folder: Path) -> tuple[float, int]:
    with server() as address:
        settings = StoreSettings(folder, fresh_databases(address, "bench"))
        await _open(folder, TOKENS, settings)
        return await _bare(settings)


async def _over_http(folder: Path) -> tuple[float, int]:
    opened(folder, TOKENS)
    async with stores(StoreSettings(folder)) as engines:
        tokens = _tokens(Site(engines, folder, today(), "bench"), TOKENS)
    items = [
        (item.id, [c for c in item.codes if c.isdigit()])
        for item in shipped("full", [], []).items()
        if item.type == "likert"
    ]
    dice = random.Random(2)
    bodies = [_body(encode_token(*token), number, items, dice) for number, token in enumerate(tokens)]
    with served(folder) as (address, _):
        port = int(address.rpartition(":")[2])
        _, first, _ = await _run(port, bodies[:WARM])
        _, acknowledged, seconds = await _run(port, bodies[WARM:])
    return len(acknowledged) / seconds, len(first) + len(acknowledged)


async def measure(folder: Path) -> list[tuple[str, str, str]]:
    opened(folder / "sqlite", TOKENS)
    rows = []
    for name, figures in (
        ("one bare process, SQLite FULL", await _bare(StoreSettings(folder / "sqlite"))),
        ("one bare process, PostgreSQL without fsync", await _on_postgres(folder / "postgres")),
        ("over HTTP, 32 clients, 47 items, SQLite FULL", await _over_http(folder / "http")),
    ):
        rate, received = figures
        rows.append((f"tokens spent a second, {name}", f"{rate:,.0f}", ">= 1,500"))
        rows.append(("  received", f"{received:,}", f"{TOKENS:,}"))
    return rows
