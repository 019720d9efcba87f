"""One life of reports by one seed, the same each time: for many lives and for planted faults."""

import random
from collections.abc import Callable
from typing import Any

from tests.simulation.case_life import CaseLife

INVARIANTS = (
    CaseLife.no_row_is_without_its_case,
    CaseLife.whoever_left_the_list_has_no_key_of_any_case,
    CaseLife.a_year_counts_each_report_once,
    CaseLife.the_log_tells_each_act_once,
    CaseLife.nothing_is_left_half_done,
)
LOOK = 5
"""After so many steps everybody reads everything: dear, and what is lost stays lost."""
READERS = ("anna", "carla")
type Draw = Callable[[random.Random], dict[str, Any]]


def _death(dice: random.Random) -> int | None:
    return dice.choice((None, dice.randrange(3), dice.randrange(3), dice.randrange(8)))


def _one(dice: random.Random) -> dict[str, Any]:
    return {"place": dice.randrange(12), "seed": dice.randrange(2**20)}


def _mortal(dice: random.Random) -> dict[str, Any]:
    return _one(dice) | {"death": _death(dice)}


RULES: tuple[tuple[str, int, Draw], ...] = (
    (
        "files_a_report",
        3,
        lambda d: {
            "out": d.choice(((), ("bruno",), ("carla",))),
            "diary": d.random() < 0.5,
            "twice": d.random() < 0.5,
            "seed": d.randrange(2**20),
            "death": _death(d),
        },
    ),
    (
        "writes",
        4,
        lambda d: (
            _mortal(d) | {"who": d.choice(("reporter", "reporter", "anna", "bruno", "carla")), "file": d.random() < 0.5}
        ),
    ),
    ("three_write_at_once", 2, _one),
    ("notes", 2, lambda d: _mortal(d) | {"who": d.choice(READERS)}),
    ("gives_an_outcome", 3, lambda d: _mortal(d) | {"who": d.choice(READERS)}),
    ("finds_how_it_stands", 4, lambda d: {"place": d.randrange(12), "who": d.choice(READERS)}),
    ("holds", 3, lambda d: _mortal(d) | {"who": d.choice(READERS), "wanted": d.random() < 0.6}),
    ("makes_new_keys", 2, lambda d: _mortal(d) | {"who": d.choice(READERS)}),
    ("ends_a_diary", 5, lambda d: _mortal(d) | {"send": d.random() < 0.8, "throw": d.random() < 0.8}),
    ("writes_on_in_a_diary", 2, _mortal),
    (
        "a_list_of_readers_is_published",
        1,
        lambda d: {"without": d.choice(("", "bruno")), "seed": 0, "death": _death(d)},
    ),
    (
        "a_day_comes",
        3,
        lambda d: _mortal(d) | {"days": d.choice((0, 0, 1, 1, 2, 40, 366, 1810)), "busy": d.random() < 0.5},
    ),
    ("the_store_is_stirred_while_somebody_writes", 1, _one),
)


def _ended(life: CaseLife, dice: random.Random) -> None:
    """A report with a file and an outcome, that perhaps two found, and that perhaps two hold: what years later is gone, or is not."""
    life.writes(0, "reporter", True, 0, None)
    life.a_day_comes(40, 0, False, 0, None)
    life.gives_an_outcome(0, "anna", 0, None)
    if dice.random() < 0.7:
        life.finds_how_it_stands(0, "carla")
    for who in READERS if dice.random() < 0.4 else ():
        life.holds(0, who, True, 0, None)
    if dice.random() < 0.4:
        life.a_day_comes(0, 0, False, 0, None)


def _written_on(life: CaseLife, dice: random.Random) -> None:
    """A diary that was written on, and perhaps its last day."""
    life.a_day_comes(40, 0, False, 0, None)
    life.writes_on_in_a_diary(0, 0, None)
    if dice.random() < 0.4:
        life.a_day_comes(0, 0, False, 0, None)


def live(seed: int, steps: int = 20) -> int:
    """Live one life; gives how many cases were there at its end.

    Raises
    ------
    AssertionError
        With what was not as it must be.
    """
    dice, life = random.Random(seed), CaseLife()
    try:
        begins = dice.choice((_ended, _ended, _written_on, None))
        life.begun((), begins is _written_on)
        if begins:
            begins(life, dice)
        for number in range(1, steps + 1):
            name, _weight, draw = dice.choices(RULES, [weight for _, weight, _ in RULES])[0]
            getattr(life, name)(**draw(dice))
            for invariant in INVARIANTS:
                invariant(life)
            if number % LOOK == 0:
                life.each_reads_what_was_acknowledged_and_whoever_is_kept_out_nothing()
        return len(life.cases)
    finally:
        life.teardown()
