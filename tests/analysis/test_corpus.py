"""A tenth of the corpus through `release()`, read by the exact reader; `make bench` reads all of it."""

import pytest

from analysis.audit.answers import audit_answers
from analysis.views import incidence
from tests.analysis.corpus import KINDS, SETS, data_set, sides_proven
from tests.analysis.test_answers_audit import published, without_moves
from tests.analysis.waves import LIKERT, PLAN, dice, released

TENTH = [10 * place + 3 * place % 10 for place in range(SETS // 10)]
PROVEN_WITHOUT_MOVES = (12, 57, 84, 108, 110, 113, 121)
"""Sets (one bad service, skewed, with don't-knows) in which the same table proves sides where no figure moves."""


def test_a_tenth_of_the_corpus_has_every_kind_and_large_sets() -> None:
    assert {data_set(seed).kind for seed in TENTH} == set(KINDS)
    assert max(len(data_set(seed).raw) for seed in TENTH) > 200


@pytest.mark.parametrize("seed", TENTH)
def test_nobody_s_side_is_proven_by_what_is_released(seed: int) -> None:
    one = data_set(seed)
    document = released(one.raw, below=dice(seed))
    assert document["rules"]["rung"] == 0
    found = incidence(PLAN, one.raw)
    assert [sides_proven(document["views"], found, one.raw, item) for item in LIKERT] == [set()] * len(LIKERT)


@pytest.mark.parametrize("seed", PROVEN_WITHOUT_MOVES)
def test_where_no_figure_moves_the_reader_proves_sides_and_the_audit_finds_each(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Could leak: the same data, the same table, no move. What the reader proves the audit has to find."""
    without_moves(monkeypatch)
    one = data_set(seed)
    shown = published(one.raw)
    proven = {
        (item, atom)
        for item in LIKERT
        for atom in sides_proven(list(shown.views), shown.found, one.raw, item, moves=False)
    }
    assert proven
    assert proven <= {(finding.item, finding.atom) for finding in audit_answers(shown)}
