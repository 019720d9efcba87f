"""Points are earned by documents and a second person; the sums are exact."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.pdr125.catalogue import load_catalogue
from analysis.pdr125.evidence import STATES, Document, EvidenceRecord, Scorecard, scorecard

CATALOGUE = load_catalogue()
IDS = [indicator.id for indicator in CATALOGUE.indicators(4)]
PAPER = (Document("Verbale del comitato", 739_000),)


def record(
    indicator: str,
    state: str = "met",
    documents: tuple[Document, ...] = PAPER,
    set_by: str = "hr",
    reviewed_by: str = "committee",
) -> EvidenceRecord:
    return EvidenceRecord(indicator, state, documents, set_by, reviewed_by)


states = st.dictionaries(st.sampled_from(IDS), st.sampled_from(STATES))


def card_of(found: dict[str, str]) -> Scorecard:
    return scorecard(CATALOGUE, {name: record(name, state) for name, state in found.items()})


def test_nothing_assessed_is_not_nothing_earned() -> None:
    card = scorecard(CATALOGUE, {})
    assert (card.earned, card.lost, card.not_assessed, card.reaches_threshold) == (0.0, 0.0, 100.0, None)


def test_everything_met_is_one_hundred() -> None:
    card = card_of(dict.fromkeys(IDS, "met"))
    assert (card.earned, card.not_assessed, card.reaches_threshold) == (100.0, 0.0, True)


def test_all_qualitative_indicators_met_are_53_and_do_not_reach_60() -> None:
    found = {i.id: "met" if i.kind == "qualitative" else "not_met" for i in CATALOGUE.indicators(4)}
    card = card_of(found)
    assert (card.earned, card.lost, card.reaches_threshold) == (53.0, 47.0, False)


def test_the_survey_and_the_channel_are_worth_four_and_a_half_points() -> None:
    assert card_of({"1.6": "met", "1.2": "met"}).earned == 4.5


def test_exactly_sixty_reaches_the_threshold() -> None:
    full = {"4.2", "4.4", "4.5", "4.6", "4.7", "5.1", "5.2", "5.3", "6.1", "6.2", "6.3", "6.4", "6.5"}
    card = card_of({name: "met" if name in full else "partly" for name in IDS})
    assert (card.earned, card.reaches_threshold) == (60.0, True)


def test_partly_earns_nothing() -> None:
    assert card_of({"1.1": "partly"}).areas[0].earned == 0
    assert card_of({"1.1": "partly"}).areas[0].lost == 20


@pytest.mark.parametrize(
    "incomplete",
    [
        record("1.1", documents=()),
        record("1.1", reviewed_by=""),
        record("1.1", reviewed_by="hr"),
        record("1.1", set_by=""),
        record("1.1", state="not_assessed"),
    ],
    ids=["no document", "no review", "reviewed by herself", "set by nobody", "not assessed"],
)
def test_a_record_without_document_or_second_person_is_not_assessed(incomplete: EvidenceRecord) -> None:
    assert incomplete.assessed_state == "not_assessed"
    area = scorecard(CATALOGUE, {"1.1": incomplete}).areas[0]
    assert (area.earned, area.lost, area.not_assessed) == (0, 0, 100)


def test_an_indicator_of_another_size_band_counts_for_nothing() -> None:
    assert scorecard(CATALOGUE, {"4.1": record("4.1")}).earned == 0.0


@given(states)
def test_earned_lost_and_open_points_always_add_up(found: dict[str, str]) -> None:
    card = card_of(found)
    assert card.earned + card.lost + card.not_assessed == pytest.approx(100)
    assert all(area.earned + area.lost + area.not_assessed == area.applicable for area in card.areas)
    assert (card.reaches_threshold is None) == (card.not_assessed > 0)


@given(states, st.sampled_from(IDS))
def test_meeting_one_more_indicator_never_lowers_the_total(found: dict[str, str], more: str) -> None:
    assert card_of(found | {more: "met"}).earned >= card_of(found).earned


@given(states)
def test_a_better_or_worse_perception_has_no_place_in_a_score(found: dict[str, str]) -> None:
    """STATISTICS 3 (a): the score is a function of evidence records, and these hold no answer."""
    fields = set(EvidenceRecord.__slots__)
    assert fields == {"indicator", "state", "documents", "set_by", "reviewed_by"}
    renamed = {n: replace(record(n, s), documents=(Document("Altro", 1), *PAPER)) for n, s in found.items()}
    assert scorecard(CATALOGUE, renamed) == card_of(found)


def test_a_state_nobody_knows_and_a_document_without_date_are_refused() -> None:
    with pytest.raises(ValueError):
        EvidenceRecord("1.1", "half")
    with pytest.raises(ValueError):
        Document("Piano", 0)
    with pytest.raises(ValueError):
        Document(" ", 739_000)
