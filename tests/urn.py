"""The ceremony of a wave as its people hold it, each on her own device, and what a phone does with a sheet."""

import asyncio
import json
import random
from functools import lru_cache
from typing import Any

from surveys.answers import batches, holders, pairs, plans
from surveys.answers.holders import HolderKeys
from surveys.answers.keys import SEATS, HolderSecret, new_secret
from surveys.answers.plans import SignedPlan
from surveys.answers.urn import Urn
from surveys.engines import StoreEngine
from surveys.lifecycle import ready
from surveys.lifecycle.context import Site, plan_path, read_wave_key
from surveys.public import house as house_file
from surveys.public import ring_store
from surveys.public.waves import WaveRecord
from surveys.slips import Digest, SlipCode, digest, spent_digest
from tests.surveys.cases.memory import DAY as RING_DAY
from tests.surveys.cases.memory import World

_dice = random.Random(88)
WORDS = {seat: new_secret(_dice.randrange) for seat in SEATS}
"""The eight words of each seat, the same in every test: deriving keys takes a while."""


@lru_cache
def team() -> World:
    """One house with its seats, the same in every test."""
    return World(random.Random(125).randbytes)


@lru_cache(maxsize=64)
def keys_of(words: str, house: str, wave: str, seat: str) -> HolderKeys:
    return holders.holder_keys(HolderSecret(words), house, wave, seat)


async def anchor(site: Site) -> World:
    """Put house file and first ring in place, unless they are there."""
    made = team()
    if house_file.load(site.data) is None:
        house_file.keep(site.data, made.anchor)
        first = made.found[0]
        begun = max(site.day, RING_DAY)
        await ring_store.publish(site.engines["public"], made.anchor, first.text, first.signatures, begun)
    return made


async def make_words(site: Site, wave: str, words: dict[str, HolderSecret] = WORDS) -> dict[str, HolderSecret]:
    """Each holder's device makes her keys and her statement; only this reaches the server."""
    anchored = house_file.load(site.data)
    assert anchored is not None
    for seat in SEATS:
        mine = keys_of(words[seat], anchored.hash, wave, seat)
        await ready.take_statement(
            site, wave, holders.state(mine, anchored.hash, wave, seat, f"Custode {seat}", site.day)
        )
    return dict(words)


async def sign_and_confirm(site: Site, wave: str, made: World, words: dict[str, HolderSecret] = WORDS) -> SignedPlan:
    """Two seats sign the plan away from the server; then each holder confirms it on her device."""
    text = await ready.draft_plan(site, wave)
    plan = await ready.publish_plan(site, text, [plans.sign(text, made.seats[seat]) for seat in ("legal", "staff")])
    for seat in SEATS:
        mine = keys_of(words[seat], made.anchor.hash, wave, seat)
        await ready.take_confirmation(site, wave, seat, holders.confirm(mine, plan.hash, seat, site.day))
    return plan


async def get_ready(site: Site, wave: str) -> dict[str, HolderSecret]:
    """The whole ceremony of a planned wave; gives the holders' words by seat."""
    made = await anchor(site)
    words = await make_words(site, wave)
    await sign_and_confirm(site, wave, made)
    return words


def plan_of(site: Site, wave: str) -> SignedPlan:
    """The plan as a phone reads it."""
    anchored = house_file.load(site.data)
    assert anchored is not None
    return plans.read(json.loads(plan_path(site.data, wave).read_text("utf-8"))["plan"], anchored.hash)


def sealed(site: Site, record: WaveRecord, sheet: bytes, proof: bytes = b"p" * 32) -> bytes:
    """What ends in a slot: a sheet sealed to the holders, with the server's layer."""
    plan = plan_of(site, record.id)
    return pairs.layered(pairs.seal(sheet, proof, plan.hash, plan.points), read_wave_key(site.data, record.id))


def proof_of(code: str) -> Digest:
    return digest(SlipCode(code))


def spent(code: str) -> Digest:
    """What the rows hold of a slip."""
    return spent_digest(proof_of(code))


def spent_by(prepared_digest: bytes) -> Digest:
    """What the rows hold of a token."""
    return spent_digest(Digest(prepared_digest))


def put_in(site: Site, record: WaveRecord, code: str, sheet: bytes) -> tuple[Digest, bytes]:
    """A code's row and its envelope."""
    return spent(code), sealed(site, record, sheet, proof_of(code))


async def make_slips(engine: StoreEngine, wave: str, count: int, *, first_version: bool = False) -> list[SlipCode]:
    """Codes of a first batch, past every rule on how many there may be."""
    codes = batches.codes_of(_dice.randbytes(32), count)
    await batches.keep(engine, wave, 1, codes, RING_DAY, printed_before=0, first_version=first_version)
    return codes


def content(text: str) -> Any:
    return json.loads(json.loads(text)["body"])


async def settled(urn: Urn) -> None:
    """The queue has run dry, and the log of what came was emptied."""
    while urn._waiting or urn._wake.is_set() or urn._log_since is not None:
        await asyncio.sleep(0.01)
