"""What counts for the certification: the size band, expiry, the wave that speaks, what may be proposed, the word between the two records."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.published import Document
from analysis.published import read as read_document
from surveys import certification
from surveys.lifecycle.context import Site
from surveys.lifecycle.releasing import signed
from surveys.people import roster
from surveys.public import actions, evidence, evidence_state, promises, releases, waves
from surveys.public.evidence_state import EvidenceState
from surveys.public.waves import State, WaveRecord
from surveys.questionnaire.shipped import FULL, PULSE
from tests.conftest import DAY, small_cooperative

CLOSED = date(2026, 3, 1)
DOCUMENT: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "release-steps-1.json").read_text("utf-8")
)
SEEN = "1.1"
"""The indicator that this document has a perception of: supportive, 65."""


async def _people(site: Site, number: int) -> None:
    await roster.replace(site.engines["people"], *small_cooperative(number), DAY)


async def _released(site: Site, name: str, closed: date, form: str = FULL, **more: Any) -> None:
    record = WaveRecord(
        name,
        {"it": name},
        State.RELEASED,
        starts=closed,
        ends=closed,
        closed=closed,
        released=closed,
        invited=100,
        questionnaire={"id": form},
        **more,
    )
    await waves.add(site.engines["public"], record)
    document = DOCUMENT | {
        "wave": DOCUMENT["wave"] | {"id": name},
        "questionnaire": DOCUMENT["questionnaire"] | {"id": form},
    }
    async with site.engines["public"].transaction():
        await releases.keep(name, signed(site, document), "")


@pytest.mark.parametrize(("people", "band"), [(1, 1), (9, 1), (10, 2), (49, 2), (50, 3), (249, 3), (250, 4), (430, 4)])
async def test_the_size_band_follows_the_heads_on_the_staff_list(sqlite_site: Site, people: int, band: int) -> None:
    """The bands of UNI/PdR 125:2022: up to 9, 49, 249, and above."""
    await _people(sqlite_site, people)
    assert await certification.band() == band
    assert {one.indicator.id for one in (await certification.ground(DAY)).standings()} == {
        i.id for i in certification.catalogue().indicators(band)
    }


async def test_without_a_staff_list_the_band_is_the_one_that_asks_most(sqlite_site: Site) -> None:
    assert await certification.band() == 4 and len((await certification.ground(DAY)).standings()) == 31


async def test_points_of_a_band_are_of_its_own_indicators(sqlite_site: Site) -> None:
    """A record of an indicator that small organisations are not asked for earns them nothing, and counts once they grow."""
    large = next(i for i in certification.catalogue().indicators(4) if 2 not in i.bands)
    engine = sqlite_site.engines["public"]
    await evidence.add_document(engine, large.id, "Piano", DAY, DAY, who="a", link="https://example.org")
    await evidence.set_state(engine, EvidenceState(large.id, "met", set_by="a", set_on=DAY))
    await evidence.review(engine, large.id, "b", (await evidence.of(large.id)).mark, DAY)
    for people, earns in ((40, False), (260, True)):
        await _people(sqlite_site, people)
        assert ((await certification.scores(DAY)).earned > 0) is earns


@pytest.mark.parametrize(
    ("last", "counts"), [(None, True), (DAY, True), (DAY - timedelta(days=1), False), (DAY + timedelta(days=1), True)]
)
def test_evidence_counts_up_to_its_last_day(last: date | None, counts: bool) -> None:
    papers = (evidence_state.DocumentRecord("1", "Piano", CLOSED, "https://example.org", "", ""),)
    state = EvidenceState("1.1", "met", set_by="a", reviewed_by="b", valid_until=last, documents=papers)
    assert certification.record_of(state, DAY).assessed_state == ("met" if counts else "not_assessed")


async def test_the_wave_that_speaks_is_of_our_own_and_closed_last(sqlite_site: Site) -> None:
    assert await certification.newest_wave() is None
    await _released(sqlite_site, "old", CLOSED)
    await _released(sqlite_site, "new", CLOSED + timedelta(days=1))
    await _released(sqlite_site, "imported", CLOSED + timedelta(days=9), origin="imported")
    await waves.add(
        sqlite_site.engines["public"],
        WaveRecord("later", {"it": "x"}, State.CLOSED, closed=CLOSED + timedelta(days=20)),
    )
    found = await certification.newest_wave()
    assert found is not None and (found[0].id, found[1].wave.id) == ("new", "new")


async def test_of_a_day_gone_by_only_what_was_released_then_speaks(sqlite_site: Site) -> None:
    """Could mislead: a scorecard of last year that shows how people lived it this year."""
    await _released(sqlite_site, "old", CLOSED)
    await _released(sqlite_site, "new", CLOSED + timedelta(days=30))
    for days, name in ((0, "old"), (29, "old"), (30, "new"), (400, "new")):
        day = CLOSED + timedelta(days=days)
        found = await certification.newest_wave(day)
        assert found is not None and found[0].id == name
        seen = (await certification.ground(day)).standing(SEEN)
        assert seen is not None and seen.perception is not None and seen.perception.wave == name
    assert await certification.newest_wave(CLOSED - timedelta(days=1)) is None


async def test_a_pulse_or_a_wave_of_one_territory_moves_nothing(sqlite_site: Site) -> None:
    """Could mislead: a pulse of one unit took the place of the whole cooperative's wave, in the scorecard and in 1.6."""
    await _released(sqlite_site, "whole", CLOSED)
    before = (await certification.ground(DAY)).standings(), await certification.offer("1.6", CLOSED)
    await _released(sqlite_site, "pulse", CLOSED + timedelta(days=20), PULSE)
    await _released(sqlite_site, "prato", CLOSED + timedelta(days=30), panel={"unit": "po"})
    assert ((await certification.ground(DAY)).standings(), await certification.offer("1.6", CLOSED)) == before
    found = await certification.newest_wave()
    assert found is not None and found[0].id == "whole"
    await _released(sqlite_site, "again", CLOSED + timedelta(days=40), panel={"unit": ""})
    found = await certification.newest_wave()
    assert found is not None and found[0].id == "again"


async def test_a_survey_is_proposed_for_a_year_from_its_closing_and_lacks_what_was_not_done(
    sqlite_site: Site,
) -> None:
    assert (await certification.offer("1.6", DAY)) == certification.Offer(None)
    await _released(sqlite_site, "new", CLOSED)
    for days, there in ((0, True), (365, True), (366, False), (-1, False)):
        offer = await certification.offer("1.6", CLOSED + timedelta(days=days))
        assert offer is not None and offer.wave is not None and ((offer.made is not None) is there), days
    offer = await certification.offer("1.6", CLOSED)
    assert offer is not None and offer.made is not None and offer.made.lacks == ("analysis", "feedback", "actions")
    await actions.add(
        "old", "1.6", "Riunione", "Anna", CLOSED, CLOSED
    )  # after another wave: it says nothing of this one
    assert (await certification.offer("1.6", CLOSED)) == offer
    await actions.add("new", "1.6", "Riunione", "Anna", CLOSED, CLOSED)
    offer = await certification.offer("1.6", CLOSED)
    assert offer is not None and offer.made is not None and offer.made.lacks == ("analysis", "feedback")
    await waves.first_read("new", CLOSED + timedelta(days=3))
    offer = await certification.offer("1.6", CLOSED)
    assert offer is not None and offer.made is not None and offer.made.lacks == ("feedback",)
    await promises.answer(
        sqlite_site.engines["public"], "new", {"it": "Grazie a chi ha risposto."}, "Rosa", CLOSED, promises.UNANSWERED
    )
    offer = await certification.offer("1.6", CLOSED)
    assert offer is not None and offer.made is not None and offer.made.complete
    await waves.first_read("new", CLOSED + timedelta(days=9))
    assert (await waves.get("new")).read_on == CLOSED + timedelta(days=3)


async def test_a_channel_is_proposed_by_a_procedure_and_not_by_this_program(sqlite_site: Site) -> None:
    assert await certification.offer("1.2", DAY) == certification.Offer(None)
    await evidence.add_document(
        sqlite_site.engines["public"], "1.2", "Procedura", DAY, DAY, who="a", link="https://example.org"
    )
    offer = await certification.offer("1.2", DAY)
    assert offer is not None and offer.made is not None and offer.made.indicator == "1.2"
    assert await certification.offer("1.1", DAY) is None  # of others the program knows nothing


async def test_evidence_and_perception_stand_beside_each_other_and_what_has_run_out_stands_as_not_assessed(
    sqlite_site: Site,
) -> None:
    await _released(sqlite_site, "new", CLOSED)
    engine = sqlite_site.engines["public"]
    await evidence.add_document(engine, SEEN, "Piano", DAY, DAY, who="a", link="https://example.org")
    await evidence.set_state(engine, EvidenceState(SEEN, "not_met", set_by="a", set_on=DAY, valid_until=DAY))
    await evidence.review(engine, SEEN, "b", (await evidence.of(SEEN)).mark, DAY)
    today, tomorrow = (
        (await certification.ground(DAY)).standing(SEEN),
        (await certification.ground(DAY + timedelta(days=1))).standing(SEEN),
    )
    assert today is not None and today.perception is not None and today.perception.value is not None
    assert (today.perception.value, today.gap, today.alignment) == (65.0, 65.0, "evidence_gap")
    assert tomorrow is not None and (tomorrow.evidence.state, tomorrow.counted.assessed_state, tomorrow.gap) == (
        "not_met",
        "not_assessed",
        0.0,
    )
    assert (today.expired, tomorrow.expired) == (False, True)
    same = replace(tomorrow, counted=today.counted, alignment=today.alignment, gap=today.gap, expired=False)
    assert same == today
    assert (await certification.ground(DAY)).standing("9.9") is None


def _document(**other: Any) -> Document:
    record = DOCUMENT["perception"][SEEN] | other
    return read_document(DOCUMENT | {"perception": DOCUMENT["perception"] | {SEEN: record}})


def test_a_perception_is_read_as_it_was_published() -> None:
    said = DOCUMENT["perception"][SEEN]
    seen = certification.perception_of(_document(), SEEN)
    assert seen is not None
    assert (seen.state, seen.index, seen.dont_know, seen.low_awareness) == (
        said["state"],
        said["index"],
        said["dont_know"],
        said["awareness_low"],
    )
    assert (list(seen.interval or ()), list(seen.items), seen.single) == (
        said["ci"],
        said["items"],
        said["single_item"],
    )
    assert seen.wave == DOCUMENT["wave"]["id"] and seen.value == 65
    assert certification.perception_of(_document(), "9.9") is None


@pytest.mark.parametrize(("low", "word"), [(True, "awareness_gap"), (False, "alignment_gap")])
def test_what_people_do_not_know_of_stands_beside_evidence_as_such(low: bool, word: str) -> None:
    papers = (evidence_state.DocumentRecord("1", "Piano", CLOSED, "https://example.org", "", ""),)
    state = EvidenceState(SEEN, "met", set_by="a", set_on=DAY, reviewed_by="b", reviewed_on=DAY, documents=papers)
    indicator = next(one for one in certification.catalogue().indicators(4) if one.id == SEEN)
    document = _document(awareness_low=low, state="critical")
    assert certification._standing(indicator, state, document, DAY).alignment == word


def test_what_the_practice_does_not_know_is_no_indicator() -> None:
    assert certification.is_known(SEEN) and not certification.is_known("9.9") and not certification.is_known("")
