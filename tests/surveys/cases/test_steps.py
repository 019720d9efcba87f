"""A case from received to final, and when the substitute comes in."""

import asyncio
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
from surveys.lifecycle.context import Site
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


async def test_a_case_moves_from_received_to_outcome_contest_and_final(site: Site, made: Team) -> None:
    written = await report(site, made)
    await say(later(site, 3), made, written, "anna", "arrivato", "acknowledge")
    await say(later(site, 40), made, written, "anna", "fatto, per questi motivi", "outcome")
    assert await sees(later(site, 40), made, OUTSIDE) == []
    await contest(later(site, 41), made, written)
    await contest(later(site, 41), made, written)  # kept as a letter; it moves nothing
    await say(later(site, 42), made, written, "anna", "chiudo io", "final")
    row = await Case.select().first()
    assert row is not None and row["state"] == "contested"
    assert await sees(later(site, 42), made, OUTSIDE) == [written.case]
    await say(later(site, 50), made, written, OUTSIDE, "secondo sguardo", "final")
    row = await Case.select().first()
    assert row is not None
    day = site.day
    assert (row["state"], row["received"], row["acknowledged"], row["outcome"]) == (
        State.FINAL,
        day,
        day + timedelta(days=3),
        day + timedelta(days=50),
    )
    assert await texts(site, made, written, OUTSIDE) == [
        "parole",
        "arrivato",
        "fatto, per questi motivi",
        "no",
        "no",
        "chiudo io",
        "secondo sguardo",
    ]


async def test_two_answers_at_once_do_not_take_one_place(site: Site, made: Team) -> None:
    written = await report(site, made)
    at_desk = await seat(site, made)
    sealed = b64(encrypt(b"x", new_identity()[1]))
    await append_letter(at_desk, written.case, "anna", Writing("thread", 2, sealed))
    with pytest.raises(OutOfStep):
        await append_letter(at_desk, written.case, "carla", Writing("thread", 2, sealed))
    assert await Message.count() == 2


async def test_the_substitute_comes_in_when_nobody_answers_in_time(site: Site, made: Team) -> None:
    written = await report(site, made)
    assert await sees(later(site, 7), made, OUTSIDE) == []
    assert await sees(later(site, 8), made, OUTSIDE) == [written.case]


async def test_the_substitute_comes_in_when_the_outcome_is_late(site: Site, made: Team) -> None:
    written = await report(site, made)
    await say(site, made, written, "anna", "arrivato", "acknowledge")
    assert await sees(replace(site, day=date(2027, 2, 2)), made, OUTSIDE) == []  # taken up on 2 November
    assert await sees(replace(site, day=date(2027, 2, 3)), made, OUTSIDE) == [written.case]


async def test_the_substitute_comes_in_when_handlers_are_away_for_more_than_seven_days(site: Site, made: Team) -> None:
    written = await report(site, made, out=["carla"])
    await handlers.set_absence("bruno", site.day - timedelta(days=3), None)
    assert await sees(later(site, 3), made, OUTSIDE) == []
    assert await sees(later(site, 4), made, OUTSIDE) == [written.case]
    await handlers.set_absence("bruno", None, None)
    assert await sees(later(site, 4), made, OUTSIDE) == []


async def test_with_fewer_than_two_inside_the_outside_substitute_reads_at_once(site: Site, made: Team) -> None:
    written = await report(site, made, out=["bruno", "carla"])
    assert await sees(site, made, OUTSIDE) == [written.case]


async def test_a_handler_in_conflict_steps_out_and_the_last_one_cannot(site: Site, made: Team) -> None:
    written = await report(site, made, out=["carla", OUTSIDE])
    await standing.step_out(await seat(site, made), written.case, "bruno")
    assert await sees(site, made, "bruno") == []
    assert await sees(site, made, "anna") == [written.case]
    with pytest.raises(NotAllowed):
        await standing.step_out(await seat(site, made), written.case, "anna")


async def test_of_two_who_step_out_in_one_moment_one_stays(site: Site, made: Team) -> None:
    written = await report(site, made, out=["carla", OUTSIDE])
    desk = await seat(site, made)
    ended = await asyncio.gather(
        *(standing.step_out(desk, written.case, name) for name in ("anna", "bruno")), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in ended) == ["NoneType", "NotAllowed"]
    assert [name for name in ("anna", "bruno") if await sees(site, made, name)] != []
