"""Holders who act in the same moment, and two clicks on one button: nothing of one is lost by the other."""

import asyncio
from datetime import timedelta

from surveys.answers import holders, plans
from surveys.answers.keys import SEATS
from surveys.lifecycle import opening, ready
from surveys.lifecycle.context import Site, read_wave_key, wave_key_digest
from surveys.lifecycle.planning import Wish, plan
from surveys.people import roster
from surveys.public import organisation, waves
from surveys.public.waves import State, WrongState
from tests.conftest import DAY, ORGANISATION, WAVE, small_cooperative
from tests.urn import WORDS, anchor, get_ready, keys_of


async def _planned(site: Site) -> None:
    await organisation.save(site.engines["public"], ORGANISATION)
    await roster.replace(site.engines["people"], *small_cooperative(40), DAY - timedelta(days=30))
    await anchor(site)
    await plan(site, Wish(WAVE, {"it": "Autunno"}, DAY, DAY + timedelta(days=14)))


async def test_three_holders_who_send_their_words_in_one_moment_all_stand_in_the_wave(site: Site) -> None:
    """Done from outside: all three read that it was kept, and one statement was there."""
    await _planned(site)
    made = await anchor(site)
    mine = {seat: keys_of(WORDS[seat], made.anchor.hash, WAVE, seat) for seat in SEATS}
    stated = [holders.state(mine[seat], made.anchor.hash, WAVE, seat, seat, DAY) for seat in SEATS]
    await asyncio.gather(*(ready.take_statement(site, WAVE, text) for text in stated))
    assert set((await waves.get(WAVE)).statements()) == set(SEATS)
    text = await ready.draft_plan(site, WAVE)
    signed = await ready.publish_plan(site, text, [plans.sign(text, made.seats[seat]) for seat in ("legal", "staff")])
    words = {seat: holders.confirm(mine[seat], signed.hash, seat, DAY) for seat in SEATS}
    await asyncio.gather(*(ready.take_confirmation(site, WAVE, seat, word) for seat, word in words.items()))
    record = await waves.get(WAVE)
    assert (set(record.confirmations), record.state) == (set(SEATS), State.READY)


async def test_of_two_openings_at_once_one_opens_and_its_key_is_the_one_on_disk(site: Site) -> None:
    """Done from outside: the file held the other one's key, and the reserve sheet did not fit the wave."""
    await _planned(site)
    await get_ready(site, WAVE)
    ended = await asyncio.gather(*(opening.open_wave(site, WAVE) for _ in range(4)), return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in ended) == 1
    assert all(isinstance(one, WrongState) for one in ended if isinstance(one, BaseException))
    record = await waves.get(WAVE)
    assert record.seal_key == wave_key_digest(read_wave_key(site.data, WAVE))
