"""A case from received to final, and when the substitute comes in."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from surveys.cases import handlers, standing
from surveys.cases.clocks import State
from surveys.cases.desk import NotAllowed
from surveys.cases.incoming import (
    OutOfStep,
)
from surveys.cases.sealing import encrypt, new_identity
from surveys.cases.tables import Case, Message
from surveys.cases.writing import Writing, append_letter
from surveys.lifecycle.context import House
from tests.surveys.cases.people import (
    OUTSIDE,
    Team,
    b64,
    contest,
    later,
    report,
    say,
    seat,
    sees,
    texts,
)


async def test_a_case_moves_from_received_to_outcome_contest_and_final(house: House, made: Team) -> None:
    written = await report(house, made)
    await say(later(house, 3), made, written, "anna", "arrivato", "acknowledge")
    await say(later(house, 40), made, written, "anna", "fatto, per questi motivi", "outcome")
    assert await sees(later(house, 40), made, OUTSIDE) == []
    await contest(later(house, 41), made, written)
    await contest(later(house, 41), made, written)  # kept as a letter; it moves nothing
    await say(later(house, 42), made, written, "anna", "chiudo io", "final")
    row = await Case.select().first()
    assert row is not None and row["state"] == "contested"
    assert await sees(later(house, 42), made, OUTSIDE) == [written.case]
    await say(later(house, 50), made, written, OUTSIDE, "secondo sguardo", "final")
    row = await Case.select().first()
    assert row is not None
    day = house.day
    assert (row["state"], row["received"], row["acknowledged"], row["outcome"]) == (
        State.FINAL,
        day,
        day + timedelta(days=3),
        day + timedelta(days=50),
    )
    assert await texts(house, made, written, OUTSIDE) == [
        "parole",
        "arrivato",
        "fatto, per questi motivi",
        "no",
        "no",
        "chiudo io",
        "secondo sguardo",
    ]


async def test_two_answers_at_once_do_not_take_one_place(house: House, made: Team) -> None:
    written = await report(house, made)
    at_desk = await seat(house, made)
    sealed = b64(encrypt(b"x", new_identity()[1]))
    await append_letter(at_desk, written.case, "anna", Writing("thread", 2, sealed))
    with pytest.raises(OutOfStep):
        await append_letter(at_desk, written.case, "carla", Writing("thread", 2, sealed))
    assert await Message.count() == 2


async def test_the_substitute_comes_in_when_nobody_answers_in_time(house: House, made: Team) -> None:
    written = await report(house, made)
    assert await sees(later(house, 7), made, OUTSIDE) == []
    assert await sees(later(house, 8), made, OUTSIDE) == [written.case]


async def test_the_substitute_comes_in_when_the_outcome_is_late(house: House, made: Team) -> None:
    written = await report(house, made)
    await say(house, made, written, "anna", "arrivato", "acknowledge")
    assert await sees(replace(house, day=date(2027, 2, 2)), made, OUTSIDE) == []  # taken up on 2 November
    assert await sees(replace(house, day=date(2027, 2, 3)), made, OUTSIDE) == [written.case]


async def test_the_substitute_comes_in_when_handlers_are_away_for_more_than_seven_days(
    house: House, made: Team
) -> None:
    written = await report(house, made, out=["carla"])
    await handlers.set_absence("bruno", house.day - timedelta(days=3), None)
    assert await sees(later(house, 3), made, OUTSIDE) == []
    assert await sees(later(house, 4), made, OUTSIDE) == [written.case]
    await handlers.set_absence("bruno", None, None)
    assert await sees(later(house, 4), made, OUTSIDE) == []


async def test_with_fewer_than_two_inside_the_outside_substitute_reads_at_once(house: House, made: Team) -> None:
    written = await report(house, made, out=["bruno", "carla"])
    assert await sees(house, made, OUTSIDE) == [written.case]


async def test_a_handler_in_conflict_steps_out_and_the_last_one_cannot(house: House, made: Team) -> None:
    written = await report(house, made, out=["carla", OUTSIDE])
    await standing.step_out(await seat(house, made), written.case, "bruno")
    assert await sees(house, made, "bruno") == []
    assert await sees(house, made, "anna") == [written.case]
    with pytest.raises(NotAllowed):
        await standing.step_out(await seat(house, made), written.case, "anna")
