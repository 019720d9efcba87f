"""A step that is killed between any two things that last is done, or not begun, after the next look of the jobs: never half.

`make bench` (part ``crashes``) walks all of them on both engines; here those of PostgreSQL, and of the dear ones, are some.
"""

from itertools import count
from pathlib import Path

import pytest

from tests.simulation.steps import STEPS
from tests.simulation.walking import walk

DEAR = {"release": 9, "open": 2, "close with too few": 2, "close": 2}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_is_killed_is_whole_or_not_begun_after_the_next_look(step: str, tmp_path: Path) -> None:
    deaths, faults = walk(step, tmp_path, None, count(0, DEAR.get(step, 1)))
    assert deaths >= 2 and not faults


@pytest.mark.parametrize("step", ["open", "void", "close", "cancel"])
def test_on_postgres_too(step: str, tmp_path: Path, postgres_server: str) -> None:
    deaths, faults = walk(step, tmp_path, postgres_server, count(2, 7))
    assert deaths and not faults
