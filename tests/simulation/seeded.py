"""One life by one seed, the same each time: for many lives and for planted faults, where what is drawn must reach each state often."""

import random
from collections.abc import Callable
from typing import Any

from surveys.public.waves import State
from tests.simulation.life import Life

OVER = (State.CLOSED, State.TOO_FEW, State.CANCELLED)
INVARIANTS = (
    Life.nothing_is_left_half_done,
    Life.every_answer_lies_there_once,
    Life.slips_are_counted_with_their_codes,
    Life.the_log_tells_each_step_once,
)


def _death(dice: random.Random) -> int | None:
    return dice.choice((None, dice.randrange(4), dice.randrange(22)))


type Draw = Callable[[random.Random], dict[str, Any]]
RULES: tuple[tuple[str, int, Draw], ...] = (
    ("prints", 3, lambda d: {"count": d.randint(1, 30), "death": _death(d)}),
    ("two_print", 2, lambda d: {"counts": (d.randint(1, 40), d.randint(1, 40))}),
    ("hands_over", 2, lambda d: {"number": d.randint(1, 2), "death": _death(d)}),
    ("asks_for_void", 2, lambda d: {"number": d.randint(1, 2)}),
    ("asks_for_the_end", 1, lambda _: {}),
    ("confirms", 4, lambda d: {"death": _death(d), "twice": d.random() < 0.3}),
    ("confirms_what_she_asked_for_herself", 1, lambda _: {}),
    ("answers", 4, lambda d: {"place": d.randrange(10**6), "again": d.random() < 0.3}),
    ("answers_while_one_confirms", 2, lambda _: {}),
    ("extends", 2, lambda d: {"more": d.randint(1, 30), "death": _death(d)}),
    ("a_day_comes", 3, lambda d: {"days": d.choice((1, 1, 3, 7, 7, 400, -30)), "death": _death(d)}),
    (
        "closes",
        3,
        lambda d: {"unused": d.randint(0, 60), "right_number": d.random() < 0.5, "death": _death(d)},
    ),
    ("cancels", 1, lambda d: {"death": _death(d), "sure": d.randint(0, 3)}),
)
_SEEDED = {
    "confirms",
    "prints",
    "two_print",
    "hands_over",
    "answers_while_one_confirms",
    "extends",
    "a_day_comes",
    "closes",
}
_SEEDED |= {"cancels"}


def live(seed: int, steps: int = 30) -> State:
    """Live one life; gives the state in which it ended.

    Raises
    ------
    AssertionError
        With what was not as it must be.
    """
    dice, life = random.Random(seed), Life()
    try:
        life.opened(slips=dice.choice((0, 30)), sheets=dice.choice((0, 4, 14)), ended=dice.random() < 0.4)
        for _ in range(steps):
            name, _weight, draw = dice.choices(RULES, [weight for _, weight, _ in RULES])[0]
            given = draw(dice) | ({"seed": dice.randrange(2**20)} if name in _SEEDED else {})
            if name == "closes" and life.state != State.ENDED:
                continue
            if name == "answers_while_one_confirms" and not any(life.printed.values()):
                continue
            getattr(life, name)(**given)
            for invariant in INVARIANTS:
                invariant(life)
            if life.state in OVER and dice.random() < 0.5:
                break
        return life.state
    finally:
        life.teardown()
