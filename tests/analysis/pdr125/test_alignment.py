"""Source: STATISTICS section 3, the table and its worked example."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.pdr125.alignment import PERCEPTIONS, WORDS, align, gap
from analysis.pdr125.evidence import STATES

TABLE = """
met           aligned              watch         alignment_gap        awareness_gap
partly        finish_and_document  in_progress   priority             explain_while_finishing
not_met       evidence_gap         missing       missing_urgent       missing
not_assessed  assess_first         assess_first  assess_first_urgent  assess_first
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_the_words_are_those_of_the_table(row: list[str]) -> None:
    evidence, *words, unaware = row
    assert [align(evidence, seen) for seen in ("supportive", "mixed", "critical")] == words
    assert {align(evidence, seen, awareness_low=True) for seen in ("supportive", "mixed", "critical")} == {unaware}


@given(st.sampled_from(STATES), st.sampled_from([None, "insufficient"]), st.booleans())
def test_what_is_not_shown_is_not_assessable_and_never_low(
    evidence: str, perception: str | None, unaware: bool
) -> None:
    assert align(evidence, perception, awareness_low=unaware) == "not_assessable"


@given(st.sampled_from(STATES), st.sampled_from([None, *PERCEPTIONS]), st.booleans())
def test_every_pair_of_states_has_a_known_word(evidence: str, perception: str | None, unaware: bool) -> None:
    assert align(evidence, perception, awareness_low=unaware) in WORDS


def test_the_worked_example_of_indicator_3_6_is_an_alignment_gap_of_55_9() -> None:
    assert align("met", "critical") == "alignment_gap"
    assert gap("met", 44.1) == pytest.approx(55.9)


@given(st.sampled_from(STATES))
def test_a_perception_that_is_not_shown_makes_no_gap(evidence: str) -> None:
    assert gap(evidence, None) is None


@given(st.floats(0, 100))
def test_evidence_nobody_assessed_makes_no_gap_and_the_others_stay_in_bounds(index: float) -> None:
    assert gap("not_assessed", index) is None
    gaps = [gap(state, index) for state in ("met", "partly", "not_met")]
    assert all(found is not None and -100 <= found <= 100 for found in gaps)


def test_states_nobody_knows_are_refused() -> None:
    for attempt in (
        lambda: align("good", "mixed"),
        lambda: align("met", "low"),
        lambda: gap("met", 101.0),
        lambda: gap("?", 1),
    ):
        with pytest.raises(ValueError):
            attempt()
