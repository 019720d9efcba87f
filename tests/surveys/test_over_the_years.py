"""Evidence over the years: every act is in its log, what the practice lets count ends by itself, and a kept scorecard says the same for ever."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.pdr125 import evidence as points
from surveys import certification, scorecards
from surveys.lifecycle.context import Site
from surveys.people import roster
from surveys.people.roster import PersonEntry, UnitEntry
from surveys.public import evidence, evidence_log
from surveys.public import scorecards as kept
from surveys.public.evidence_state import EvidenceState
from surveys.public.scorecards import ScorecardInvalid
from surveys.public.tables import EvidenceDocument, KeptScorecard
from tests.conftest import DAY

YEARLY, TWO_YEARLY, LASTING = "1.6", "1.5", "1.1"
"""The practice asks for the last year, for the last two, and for no time."""
PLAN = "https://example.org/piano.pdf"


async def _met(site: Site, indicator: str, paper: date, until: date | None = None) -> None:
    public = site.engines["public"]
    await evidence.add_document(public, indicator, "Piano", paper, DAY, who="anna", link=PLAN)
    await evidence.set_state(public, EvidenceState(indicator, "met", set_by="anna", set_on=DAY, valid_until=until))
    await evidence.review(public, indicator, "berta", (await evidence.of(indicator)).mark, DAY)


async def test_every_act_on_evidence_is_in_its_log_with_what_stood_after_it(site: Site) -> None:
    await _met(site, LASTING, DAY)
    public = site.engines["public"]
    first = (await evidence.of(LASTING)).documents[0].id
    await evidence.add_document(public, LASTING, "Verbale", DAY, DAY, who="carla", content=b"%PDF", file_name="v.pdf")
    await evidence.remove_document(public, LASTING, first, who="dora", today=DAY + timedelta(days=1))
    found = list(reversed(await evidence_log.history(LASTING)))
    assert [(one.number, one.act, one.who) for one in found] == [
        (1, "added", "anna"),
        (2, "set", "anna"),
        (3, "reviewed", "berta"),
        (4, "added", "carla"),
        (5, "removed", "dora"),
    ]
    assert [one.state["state"] for one in found] == ["not_assessed", "met", "met", "met", "met"]
    assert [one.state["reviewed_by"] for one in found] == ["", "", "berta", "", ""]
    assert [[paper["title"] for paper in one.state["documents"]] for one in found] == [
        ["Piano"],
        ["Piano"],
        ["Piano"],
        ["Piano", "Verbale"],
        ["Verbale"],
    ]
    assert found[3].state["documents"][1]["sha256"] == (await evidence.of(LASTING)).documents[0].sha256 != ""
    assert found[4].day == DAY + timedelta(days=1) and await evidence_log.history("1.2") == []


async def test_what_is_refused_is_not_in_the_log(site: Site) -> None:
    await _met(site, LASTING, DAY)
    public, before = site.engines["public"], await evidence_log.history()
    with pytest.raises(evidence.EvidenceRefused):
        await evidence.review(public, LASTING, "anna", (await evidence.of(LASTING)).mark, DAY)
    with pytest.raises(evidence.EvidenceRefused):
        await evidence.set_state(public, EvidenceState("1.2", "met", set_by="anna", set_on=DAY))
    with pytest.raises(evidence.EvidenceRefused):
        await evidence.add_document(public, LASTING, "", DAY, DAY, who="anna", link=PLAN)
    assert await evidence_log.history() == before


@pytest.mark.parametrize(
    "change",
    [
        {EvidenceDocument.title: "Un altro piano"},
        {EvidenceDocument.day: DAY - timedelta(days=1)},
        {EvidenceDocument.link: "https://example.org/altro.pdf"},
        {EvidenceDocument.sha256: "0" * 64},
    ],
)
async def test_a_document_that_was_changed_behind_its_review_voids_it(
    sqlite_site: Site, change: dict[Any, Any]
) -> None:
    """Could mislead: whoever writes the store puts another paper under somebody's signature."""
    await _met(sqlite_site, LASTING, DAY)
    assert (await certification.scores(DAY)).earned == 3
    await EvidenceDocument.update(change).where(EvidenceDocument.indicator == LASTING)
    assert (await evidence.of(LASTING)).reviewed_by == "" and (await certification.scores(DAY)).earned == 0


async def test_a_file_that_is_not_what_was_kept_is_not_given(sqlite_site: Site) -> None:
    public = sqlite_site.engines["public"]
    await evidence.add_document(public, LASTING, "Piano", DAY, DAY, who="anna", content=b"vero", file_name="p.pdf")
    paper = (await evidence.of(LASTING)).documents[0].id
    assert await evidence.file_of(paper) == ("p.pdf", b"vero")
    await EvidenceDocument.update({EvidenceDocument.content: b"falso"}).where(EvidenceDocument.id == paper)
    assert await evidence.file_of(paper) is None


@pytest.mark.parametrize(
    ("indicator", "days"), [(YEARLY, 365), (TWO_YEARLY, 730), ("1.7", 730), (LASTING, None), ("6.2", None)]
)
async def test_in_the_last_year_and_in_the_last_two_end_by_themselves(
    sqlite_site: Site, indicator: str, days: int | None
) -> None:
    """UNI/PdR 125, indicators 1.5, 1.6 and 1.7 as docs/pdr125.md names them: the day after, the points are gone."""
    await _met(sqlite_site, indicator, DAY)
    worth = (await certification.ground(DAY)).weights()[indicator]
    last = DAY + timedelta(days=days or 3650)
    for day, earned in ((DAY, worth), (last, worth), (last + timedelta(days=1), 0 if days else worth)):
        assert (await certification.scores(day)).earned == earned, day
    found = (await certification.ground(last + timedelta(days=1))).standing(indicator)
    assert found is not None and found.expired is (days is not None)
    assert found.last == (last if days else None)
    assert [one.last for one in (await certification.ground(DAY)).expiries()] == ([last] if days else [])


async def test_what_nobody_has_reviewed_is_not_said_to_end(sqlite_site: Site) -> None:
    """Could mislead: points that a record would lose, though it earns none."""
    await _met(sqlite_site, YEARLY, DAY)
    assert [one.indicator.id for one in (await certification.ground(DAY + timedelta(days=400))).expiries()] == [YEARLY]
    public = sqlite_site.engines["public"]
    await evidence.set_state(public, EvidenceState(YEARLY, "met", set_by="anna", set_on=DAY))
    assert (await certification.ground(DAY)).expiries() == ()


async def test_a_newer_document_lengthens_it_and_the_day_that_was_set_still_ends_it(sqlite_site: Site) -> None:
    await _met(sqlite_site, YEARLY, DAY - timedelta(days=300), until=DAY + timedelta(days=200))
    assert certification.last_day(await evidence.of(YEARLY)) == DAY + timedelta(days=65)
    await evidence.add_document(sqlite_site.engines["public"], YEARLY, "Nuova", DAY, DAY, who="anna", link=PLAN)
    assert certification.last_day(await evidence.of(YEARLY)) == DAY + timedelta(days=200)


days = st.integers(1, 3_000_000)


@given(st.lists(days, max_size=5), st.none() | st.integers(1, 1000), st.none() | days)
def test_a_record_ends_on_the_earlier_of_both_days(papers: list[int], counts: int | None, until: int | None) -> None:
    found = points.last_day([points.Document("x", day) for day in papers], counts, until)
    ends = ([max(papers) + counts] if papers and counts is not None else []) + ([] if until is None else [until])
    assert found == (sorted(ends)[0] if ends else None)


async def _staff(site: Site, people: int) -> None:
    persons = [PersonEntry(f"Prova {n}", "", "it", "po", "f", "u30", {}) for n in range(people)]
    await roster.replace(site.engines["people"], [UnitEntry("po", "Prato", "")], persons, DAY)


async def test_a_kept_scorecard_says_the_same_to_the_digit_whatever_becomes_of_evidence_and_staff(site: Site) -> None:
    await _staff(site, 260)
    await _met(site, LASTING, DAY, until=DAY + timedelta(days=10))
    await _met(site, "2.1", DAY)
    name = await scorecards.keep(site)
    first, text = await kept.read(name), await kept.signed_text(name)
    assert first is not None and (name, first.year, first.kept_by) == (f"{DAY.year}-1", DAY.year, site.actor)
    assert (first.total("earned"), first.band, first.threshold) == (Fraction(27, 4), 4, 60)
    line = next(one for one in first.lines if one.id == LASTING)
    assert (line.counted, line.set_by, line.reviewed_by, line.papers[0].title) == ("met", "anna", "berta", "Piano")

    paper = (await evidence.of(LASTING)).documents[0].id
    await evidence.remove_document(site.engines["public"], LASTING, paper, who="anna", today=DAY)
    await _staff(site, 20)
    assert (await certification.scores(DAY)).earned != 6.75
    assert (await kept.read(name), await kept.signed_text(name)) == (first, text)
    again = await scorecards.keep(site)
    assert again == f"{DAY.year}-2" and await kept.names() == [again, name]
    second = await kept.read(again)
    assert second is not None and second.band == 2 and second != first


@pytest.mark.parametrize("part", ["text", "signature", "year"])
async def test_a_kept_scorecard_that_was_changed_in_the_store_is_refused(sqlite_site: Site, part: str) -> None:
    """Could mislead an auditor: 6.75 points of last year made 66.75 by one UPDATE."""
    await _met(sqlite_site, LASTING, DAY)
    name = await scorecards.keep(sqlite_site)
    row = await KeptScorecard.select().where(KeptScorecard.id == name).first()
    assert row is not None
    if part == "text":
        await KeptScorecard.update({"text": row["text"].replace('"earned":"3"', '"earned":"63"')}).where(
            KeptScorecard.id == name
        )
    elif part == "signature":
        await KeptScorecard.update({"signature": "A" * 86 + "=="}).where(KeptScorecard.id == name)
    else:
        name = "1999-1"
        await KeptScorecard.update({"id": name, "year": 1999}).where(KeptScorecard.id == row["id"])
    with pytest.raises(ScorecardInvalid):
        await kept.read(name)


async def test_what_if_counts_on_a_copy_and_writes_nothing(sqlite_site: Site) -> None:
    await _met(sqlite_site, LASTING, DAY)
    before = await evidence.everything()
    supposed = (await certification.ground(DAY)).scores(frozenset({"1.6", "5.1"}))
    assert (supposed.earned, (await certification.scores(DAY)).earned) == (3 + 3 + 8, 3)
    assert await evidence.everything() == before
