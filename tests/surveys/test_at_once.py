"""Holders and desks who act in the same moment, and two clicks on one button: nothing of one is lost by the other."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from surveys.answers import holders, plans
from surveys.answers.keys import SEATS
from surveys.lifecycle import opening, ready
from surveys.lifecycle import roster as listing
from surveys.lifecycle.context import Site, read_wave_key, wave_key_digest
from surveys.lifecycle.planning import Wish, plan
from surveys.people import lists, person, roster
from surveys.people.roster import UnitEntry
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


async def test_of_two_new_lists_that_are_confirmed_at_once_one_is_taken_and_the_other_hears_of_it(site: Site) -> None:
    """Done from outside: on PostgreSQL the second one met a fault of the database; two first lists could both have been taken."""
    people, now = site.engines["people"], datetime.now(UTC)
    units, persons = small_cooperative(40)
    for has_list in (False, True):
        drafts = []
        for who in ("anna", "bice"):
            unit = UnitEntry(who, who, "")
            added = [replace(one, name=f"{who} {one.name}", unit=who) for one in persons]
            given = ([*units, unit], [*persons, added[0]]) if has_list else ([unit], added)
            drafts.append((who, (await lists.keep_draft(people, who, *given, now)).id))
        took = await asyncio.gather(
            *(listing.confirm(replace(site, actor=who), draft, now) for who, draft in drafts), return_exceptions=True
        )
        assert sorted(type(one).__name__ for one in took) == ["Changes", "ListChanged"]
        [taken] = {who for (who, _), one in zip(drafts, took, strict=True) if not isinstance(one, BaseException)}
        others = {known.entry.name.split()[0] for known in await roster.everyone()} - {"Persona"}
        assert others == {taken} and await roster.count() == (41 if has_list else 40)
        await roster.replace(people, units, persons, DAY)


async def test_of_two_who_are_put_on_the_list_at_once_with_one_number_one_is(site: Site) -> None:
    """Read, then done: on PostgreSQL both were, and the next list could not say who is who."""
    people = site.engines["people"]
    units, persons = small_cooperative(12)
    await roster.replace(people, units, [replace(one, number=f"n{n}") for n, one in enumerate(persons)], DAY)
    new = [replace(persons[0], name=f"Nuova {n}", number="n99") for n in range(8)]
    await asyncio.gather(*(roster.count() for _ in new))  # every connection is there already
    took = await asyncio.gather(*(person.add(people, one, DAY) for one in new), return_exceptions=True)
    assert sorted(str(one) for one in took if isinstance(one, BaseException)) == ["number_twice"] * 7
    assert [known.entry.number for known in await roster.everyone()].count("n99") == 1
