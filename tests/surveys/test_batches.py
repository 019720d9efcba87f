"""Slips in batches: printed again until they are handed over, made void by two, counted with their codes."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from surveys.answers import batches
from surveys.answers import wave as urn_of
from surveys.answers.envelope import ENVELOPE_BYTES
from surveys.answers.filling import Receipt
from surveys.answers.tables import Slip, SlipBatch
from surveys.answers.urn import Urn
from surveys.lifecycle import closing, printing, two_keys
from surveys.lifecycle.context import Site, seed_paths
from surveys.lifecycle.planning import PlanRefused
from surveys.people import log
from surveys.people import two_keys as acts
from surveys.public import releases, waves
from surveys.public.waves import State
from surveys.slips import row_key, spent_digest
from tests.conftest import DAY, WAVE, open_a_wave
from tests.rights import right
from tests.urn import proof_of, put_in, spent


def _as(site: Site, actor: str) -> Site:
    return replace(site, actor=actor)


async def _void(site: Site, number: int, spoiled: int) -> None:
    await two_keys.ask_void(_as(site, "hr"), WAVE, number, spoiled)
    [asked] = [act for act in await acts.of_wave(WAVE) if act.state == acts.ASKED]
    await two_keys.confirm(_as(site, "rsu"), asked.id)


async def _used(site: Site, code: str) -> None:
    urn = Urn(site.engines["answers"])
    urn.start()
    row, envelope = put_in(site, await waves.get(WAVE), code, b"{}")
    await urn.put(right(WAVE, row), b"a" * 16, envelope)
    await urn.stop()


async def test_a_batch_is_printed_again_with_the_same_codes_until_it_is_handed_over(site: Site) -> None:
    """Could be lost: the paper jams, and sixty codes are counted that nobody has."""
    made = (await open_a_wave(site)).codes
    again = await printing.again(site, WAVE, 1)
    assert sorted(again) == sorted(made) and again != made
    await printing.hand_over(site, WAVE, 1)
    for late in (printing.again(site, WAVE, 1), printing.hand_over(site, WAVE, 1), two_keys.ask_void(site, WAVE, 1, 1)):
        with pytest.raises(PlanRefused, match="batch"):
            await late
    assert seed_paths(site.data, WAVE) == []


async def test_no_store_and_no_log_tells_the_codes_of_a_batch_and_no_code_its_batch(site: Site) -> None:
    await open_a_wave(site, slips=6)
    await printing.print_slips(site, WAVE, 4)
    seeds = [path.read_bytes() for path in seed_paths(site.data, WAVE)]
    assert [batch.slips for batch in await batches.of_wave(WAVE)] == [6, 4] and len({*seeds}) == 2
    codes = [code for seed, n in zip(seeds, (6, 4), strict=True) for code in batches.codes_of(seed, n)]
    rows = await Slip.select()
    assert {row["id"] for row in rows} == {row_key(spent_digest(proof_of(code))) for code in codes}
    assert {*rows[0]} == {"id", "wave", "digest"}  # and no number of a batch
    kept = b"".join(path.read_bytes() for path in site.data.glob("*.sqlite*"))
    assert not any(secret in kept for secret in [*seeds, *(code.encode() for code in codes)])


async def test_what_two_make_void_no_longer_answers_may_be_printed_again_and_is_published(site: Site) -> None:
    codes = (await open_a_wave(site)).codes
    await _used(site, codes[0])
    with pytest.raises(printing.TooManySlips):
        await printing.print_slips(site, WAVE, 1)
    await two_keys.ask_void(_as(site, "hr"), WAVE, 1, 59)
    [asked] = await acts.of_wave(WAVE)
    with pytest.raises(PlanRefused, match="second_key"):
        await two_keys.confirm(_as(site, "hr"), asked.id)
    with pytest.raises(PlanRefused, match="batch"):  # asked already
        await two_keys.ask_void(_as(site, "hr"), WAVE, 1, 59)
    await two_keys.confirm(_as(site, "rsu"), asked.id)
    [batch] = await batches.of_wave(WAVE)
    assert (batch.state, batch.slips, batch.voided, (await waves.get(WAVE)).slips) == ("void", 60, 59, 1)
    assert await Slip.count() == 0 and (await acts.of_wave(WAVE))[0].state == acts.HANDED
    more = await printing.print_slips(site, WAVE, 59)
    assert not {*more} & {*codes}
    await _used(site, more[0])
    late = replace(site, day=DAY + timedelta(days=15))
    await closing.end(late, WAVE)
    await closing.close(late, WAVE, unused_slips=58)
    published = await releases.bulletin(WAVE)
    assert published is not None
    assert {name: published[0][name] for name in ("drawn", "received", "void_slips")} == {
        "drawn": 2,
        "received": 2,
        "void_slips": 59,
    }
    assert {spent(codes[0]).hex(), spent(more[0]).hex()} == {*published[1]}
    told = [act for act in await log.read() if act.act == "slips void"]
    assert [(act.actor, act.details["slips"]) for act in told] == [("rsu", "59")]


async def test_each_slip_of_a_batch_made_void_while_sheets_arrive_is_used_or_void(site: Site) -> None:
    codes, record = (await open_a_wave(site)).codes, await waves.get(WAVE)
    urn = Urn(site.engines["answers"])
    urn.start()

    async def send(n: int) -> Receipt:
        row, envelope = put_in(site, record, codes[n], b"{}")
        await asyncio.sleep(n / 200)
        return await urn.put(right(WAVE, row), n.to_bytes(16), envelope)

    receipts, _ = await asyncio.gather(asyncio.gather(*map(send, range(40))), _void(site, 1, 20))
    received, [batch] = await urn_of.received(WAVE), await batches.of_wave(WAVE)
    late = [await urn.put(right(WAVE, spent(code)), b"l" * 16, b"s" * ENVELOPE_BYTES) for code in codes[50:52]]
    assert late == [Receipt.UNKNOWN] * 2
    await urn.stop()
    assert receipts.count(Receipt.RECEIVED) == received and {*receipts} == {Receipt.RECEIVED, Receipt.UNKNOWN}
    assert (batch.voided, (await waves.get(WAVE)).slips) == (20, 40)


async def test_a_wave_that_printed_before_there_were_batches_goes_on_counting(site: Site) -> None:
    await open_a_wave(site, slips=20)
    await SlipBatch.delete(force=True)  # as the version before left it
    await printing.print_slips(site, WAVE, 5)
    assert [(batch.number, batch.slips, batch.state) for batch in await batches.of_wave(WAVE)] == [
        (0, 20, "handed"),
        (1, 5, "printed"),
    ]
    assert (await waves.get(WAVE)).slips == 25
    await _void(site, 1, 5)
    assert (await waves.get(WAVE)).slips == 20 and await Slip.count() == 20


async def test_the_end_of_a_wave_leaves_nothing_to_print_from(site: Site) -> None:
    await open_a_wave(site)
    assert len(seed_paths(site.data, WAVE)) == 1
    await closing.cancel(site, WAVE)
    assert seed_paths(site.data, WAVE) == [] and not await SlipBatch.exists()
    assert (await waves.get(WAVE)).state == State.CANCELLED
