"""A wave proposes 1.6 by having been run, analysed, given back and acted on; never by what people answered."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.pdr125.proposal import Proposal, propose_channel, propose_survey

TODAY = 739_578


def propose(**changes: Any) -> Proposal | None:
    wish: dict[str, Any] = {
        "closed_on": TODAY - 40,
        "today": TODAY,
        "origin": "ascolto",
        "invited": 412,
        "received": 246,
        "has_analysis": True,
        "has_feedback": True,
        "has_actions": True,
    }
    return propose_survey(**(wish | changes))


def proposal(**changes: Any) -> Proposal:
    found = propose(**changes)
    assert found is not None
    return found


def test_a_complete_pack_lacks_nothing_and_is_still_a_proposal() -> None:
    assert propose() == Proposal("1.6", (), False)
    assert proposal().complete


def test_the_pack_says_what_it_lacks() -> None:
    assert proposal(has_feedback=False, has_actions=False).lacks == ("feedback", "actions")
    assert not proposal(has_analysis=False).complete


@pytest.mark.parametrize(("age", "proposed"), [(0, True), (365, True), (366, False), (-1, False)])
def test_a_wave_counts_for_one_year_from_the_day_it_closed(age: int, proposed: bool) -> None:
    assert (propose(closed_on=TODAY - age) is not None) == proposed


def test_an_imported_wave_proposes_nothing() -> None:
    assert propose(origin="imported") is None


@pytest.mark.parametrize(("received", "weak"), [(29, True), (30, False), (100, False)])
def test_under_thirty_percent_the_pack_is_weak_but_proposed(received: int, weak: bool) -> None:
    assert proposal(invited=100, received=received).weak == weak


@pytest.mark.parametrize("invited", [None, 0])
def test_a_response_that_cannot_be_computed_is_weak(invited: int | None) -> None:
    assert proposal(invited=invited).weak


@given(st.integers(0, 5))
def test_the_channel_is_proposed_only_from_a_documented_procedure(documents: int) -> None:
    assert (propose_channel(procedure_documents=documents) is not None) == (documents > 0)


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError):
        propose(received=-1)
