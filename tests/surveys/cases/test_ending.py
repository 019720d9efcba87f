"""How a case ends in its store, on both engines: what readers' desks say of it, and when a retention begins."""

import json
import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from surveys.cases import acts, desk, keeping, standing
from surveys.cases.incoming import CaseUnknown, ReportRefused
from surveys.cases.keeper import REPORTER, first_versions_path
from surveys.cases.tables import Case
from surveys.cases.writing import Writing, append_letter
from surveys.engines import SafePostgres
from surveys.lifecycle import pins
from surveys.lifecycle.context import Site
from tests.conftest import ORGANISATION
from tests.surveys.cases.people import OUTSIDE, Team, Written, keeper_of, open_of, opened, report, say, seat, stands

YEARS_LATER = 7


@pytest.fixture
async def made(site: Site) -> Team:
    return await opened(site, ORGANISATION)


async def row_of(written: Written) -> tuple[object, ...]:
    row = await Case.select().where(Case.id == written.case).first()
    assert row is not None
    return row["state"], row["acknowledged"], row["outcome"], row["ended"]


async def test_one_reader_alone_has_no_case_deleted_whatever_she_says_of_its_end(site: Site, made: Team) -> None:
    written, store = await report(site, made), site.engines["cases"]
    opened = await open_of(site, made, written, "bruno")
    assert opened.fold is not None
    letter = acts.letter(
        opened.fold, made.ring, made.author("bruno"), "message", {"text": "ciao"}, site.day, os.urandom
    )
    writing = msgspec.convert(
        {**letter, "move": "outcome"}, Writing
    )  # a message like any other, and a step that it does not make
    await append_letter(await seat(site, made), written.case, "bruno", writing)
    ended = {"state": "outcome", "acknowledged": site.day.isoformat(), "outcome": site.day.isoformat()}
    for _ in range(3):
        await stands(site, made, written, "bruno", **ended)
    assert await row_of(written) == ("outcome", site.day, site.day, False)
    much_later = site.day.replace(year=site.day.year + YEARS_LATER)
    assert (await keeping.sweep(store, keeper_of(site), much_later, lambda _: 5)).cases == 0
    await stands(site, made, written, "anna")  # her device reads the letters
    assert await row_of(written) == ("received", None, None, False)
    await stands(site, made, written, "bruno", **ended)
    assert (await keeping.sweep(store, keeper_of(site), much_later, lambda _: 5)).cases == 0


async def test_an_end_that_two_devices_found_in_the_letters_begins_the_retention(site: Site, made: Team) -> None:
    written, store = await report(site, made), site.engines["cases"]
    await say(site, made, written, "anna", "arrivato", "acknowledge")
    await say(site, made, written, "anna", "esito", "outcome")
    much_later = site.day.replace(year=site.day.year + YEARS_LATER)
    for name, ended in (("anna", False), ("anna", False), ("carla", True), ("bruno", True)):
        await stands(site, made, written, name)
        assert await row_of(written) == ("outcome", site.day, site.day, ended)
    await say(site, made, written, REPORTER, "no", kind="contest")
    assert (await keeping.sweep(store, keeper_of(site), site.day, lambda _: 5)).cases == 0
    assert (await keeping.sweep(store, keeper_of(site), much_later, lambda _: 5)).cases == 1


async def test_a_case_ended_before_two_had_to_look_is_looked_at_by_two(site: Site, made: Team) -> None:
    written, store = await report(site, made), site.engines["cases"]
    await say(site, made, written, "anna", "esito", "outcome")
    await Case.update({Case.ender: b"", Case.ended: False}).where(Case.id == written.case)
    much_later = site.day.replace(year=site.day.year + YEARS_LATER)
    for name, deleted in (("bruno", 0), ("bruno", 0), ("carla", 1)):
        await stands(site, made, written, name)
        assert (await keeping.sweep(store, keeper_of(site), much_later, lambda _: 5)).cases == deleted


async def test_an_outcome_of_years_ago_that_appears_today_begins_no_retention(site: Site, made: Team) -> None:
    """Done by an attacker: a case without an outcome for five years, one letter with an old day, one honest look, and it was deleted."""
    written, store = await report(site, made), site.engines["cases"]
    await say(site, made, written, "anna", "arrivato", "acknowledge")
    opened = await open_of(site, made, written, "bruno")
    assert opened.fold is not None
    late = replace(site, day=site.day.replace(year=site.day.year + 5) + timedelta(days=30))
    letter = acts.letter(
        opened.fold, made.ring, made.author("bruno"), "outcome", {"text": "fatto"}, site.day, os.urandom
    )
    await append_letter(
        await seat(late, made), written.case, "bruno", msgspec.convert({**letter, "move": "outcome"}, Writing)
    )
    for name in ("anna", "carla", "anna"):
        with pytest.raises(ReportRefused):
            await stands(late, made, written, name)
    assert (await row_of(written))[2:] == (late.day, False)
    assert (await keeping.sweep(store, keeper_of(site), late.day + timedelta(days=365 * 6), lambda _: 5)).cases == 0


async def test_one_reader_alone_lets_no_substitute_in_and_moves_no_day_of_receipt(site: Site, made: Team) -> None:
    written, on = await report(site, made), site.day.isoformat()
    early = (site.day - timedelta(days=300)).isoformat()
    for said in (
        {"state": "contested", "acknowledged": on, "outcome": on},
        {"state": "final", "acknowledged": on, "outcome": on},
        {"state": "received", "received": early},
    ):
        with pytest.raises(ReportRefused):
            await stands(site, made, written, "bruno", **{"acknowledged": "", "outcome": "", **said})
    assert await row_of(written) == ("received", None, None, False)
    with pytest.raises(CaseUnknown):
        await desk.case_file(await seat(site, made), written.case, OUTSIDE)


async def test_the_only_reader_of_a_case_says_its_end_alone(site: Site, made: Team) -> None:
    written, store = await report(site, made, out=["bruno", "carla", OUTSIDE]), site.engines["cases"]
    await say(site, made, written, "anna", "esito", "outcome")
    await stands(site, made, written, "anna")
    assert (
        await keeping.sweep(store, keeper_of(site), site.day.replace(year=site.day.year + YEARS_LATER), lambda _: 5)
    ).cases == 1


@pytest.mark.parametrize(
    "said",
    [
        {"state": "diary"},
        {"state": "x"},
        {"state": "outcome"},
        {"state": "received", "outcome": "2026-11-02"},
        {"state": "acknowledged"},
        {"state": "acknowledged", "acknowledged": "2026-11-01"},
        {"state": "acknowledged", "acknowledged": "2026-11-03"},
        {"state": "acknowledged", "acknowledged": "2.11.2026"},
        {"state": "final", "acknowledged": "2026-11-02", "outcome": "2020-01-01"},
        {"state": "received", "received": ""},
        {"state": "received", "received": "1999-12-31"},
        {"state": "received", "received": "2026-11-03"},
    ],
)
async def test_a_stand_that_cannot_be_is_refused_and_changes_nothing(
    site: Site, made: Team, said: dict[str, str]
) -> None:
    written = await report(site, made)
    before = await Case.select().where(Case.id == written.case).first()
    with pytest.raises(ReportRefused):
        await standing.say_stand(
            await seat(site, made),
            written.case,
            "anna",
            standing.Stand(**{"received": "2026-11-02", **said}, letters=0),
        )
    assert await Case.select().where(Case.id == written.case).first() == before


async def is_in(site: Site, made: Team, written: Written) -> bool:
    """Whether the outside substitute reads a case."""
    try:
        await desk.case_file(await seat(site, made), written.case, OUTSIDE)
    except CaseUnknown:
        return False
    return True


NEVER = {"state": "received", "acknowledged": "", "outcome": ""}


async def test_one_reader_alone_makes_no_case_late_where_two_found_it_in_time(site: Site, made: Team) -> None:
    """Done by an attacker: his desk said that a case was not acknowledged, and the outside substitute read it."""
    written = await report(site, made)
    await say(site, made, written, "anna", "arrivato", "acknowledge")
    later = replace(site, day=site.day + timedelta(days=30))
    for name in ("anna", "carla"):
        await stands(later, made, written, name)
    for _ in range(3):
        await stands(later, made, written, "bruno", **NEVER)
        assert not await is_in(later, made, written)


@pytest.mark.parametrize("move", ["acknowledge", "outcome"])
async def test_one_reader_alone_keeps_the_substitute_out_of_no_late_case(site: Site, made: Team, move: str) -> None:
    """Done by an attacker: a message like any other with a step that it does not make, and a late case was in time."""
    written = await report(site, made)
    late = replace(site, day=site.day + timedelta(days=8))
    assert await is_in(late, made, written)
    opened = await open_of(late, made, written, "bruno")
    assert opened.fold is not None
    letter = acts.letter(
        opened.fold, made.ring, made.author("bruno"), "message", {"text": "ciao"}, late.day, os.urandom
    )
    await append_letter(
        await seat(late, made), written.case, "bruno", msgspec.convert({**letter, "move": move}, Writing)
    )
    await stands(late, made, written, "anna")  # her desk reads the letters
    assert await is_in(late, made, written)
    said = {"acknowledged": late.day.isoformat(), "state": "acknowledged", "outcome": ""}
    await stands(late, made, written, "bruno", **said)
    await stands(late, made, written, "bruno", **said | {"acknowledged": f"{late.day:%Y%m%d}"})
    assert await is_in(late, made, written)
    await say(late, made, written, "anna", "arrivato", "acknowledge")  # never refused by what stands beside the case
    for name in ("anna", "carla"):
        await stands(late, made, written, name)
    assert not await is_in(late, made, written)


async def test_what_a_desk_found_before_newer_letters_came_does_not_count(site: Site, made: Team) -> None:
    written = await report(site, made)
    await stands(site, made, written, "bruno")
    await say(site, made, written, "anna", "arrivato", "acknowledge")
    later = replace(site, day=site.day + timedelta(days=8))
    assert not await is_in(later, made, written)


async def test_a_contest_and_a_final_word_are_kept_whatever_stands_beside_the_case(site: Site, made: Team) -> None:
    """Done by an attacker: his desk said that an outcome was none, and her contest was refused."""
    written = await report(site, made)
    await say(site, made, written, "anna", "esito", "outcome")
    await stands(site, made, written, "bruno", state="acknowledged", outcome="")
    await say(site, made, written, REPORTER, "no", kind="contest")
    assert await is_in(site, made, written)
    await say(site, made, written, OUTSIDE, "guardato", "final")
    opened = await open_of(site, made, written, "anna")
    assert opened.fold is not None and (opened.problem, opened.fold.state) == ("", "final")


async def test_no_reader_takes_away_what_other_desks_found(site: Site, made: Team) -> None:
    """Could be done: a stand of letters that are not there, or one more letter each time, and an honest desk's word was gone."""
    written = await report(site, made)
    late = replace(site, day=site.day + timedelta(days=8))
    await stands(late, made, written, "anna")  # nobody acknowledged it: late
    said = {
        "state": "acknowledged",
        "received": site.day.isoformat(),
        "acknowledged": late.day.isoformat(),
        "outcome": "",
    }
    seated = await seat(late, made)
    for letters in (999, 0, 1):
        await standing.say_stand(seated, written.case, "bruno", standing.Stand(**said, letters=letters))
        assert await is_in(late, made, written), letters
    for _ in range(2):
        await say(late, made, written, "bruno", "ancora una lettera")
        await stands(late, made, written, "bruno", **{name: day for name, day in said.items() if name != "received"})
        assert await is_in(late, made, written)


@pytest.mark.parametrize("way", ["move", "stand"])
async def test_a_late_case_stays_with_the_substitute_until_two_desks_found_it_in_time(
    site: Site, made: Team, way: str
) -> None:
    """Could be done: no honest desk had looked yet, and a false step put a late case in time."""
    written = await report(site, made)
    late = replace(site, day=site.day + timedelta(days=8))
    opened = await open_of(late, made, written, "bruno")
    assert opened.fold is not None
    if way == "move":
        letter = acts.letter(
            opened.fold, made.ring, made.author("bruno"), "message", {"text": "ciao"}, late.day, os.urandom
        )
        await append_letter(
            await seat(late, made), written.case, "bruno", msgspec.convert({**letter, "move": "acknowledge"}, Writing)
        )
    await stands(late, made, written, "bruno", state="acknowledged", acknowledged=late.day.isoformat())
    assert await is_in(late, made, written)
    await say(late, made, written, "anna", "arrivato", "acknowledge")
    await stands(late, made, written, "anna")
    assert await is_in(late, made, written)
    await stands(late, made, written, "carla")
    assert not await is_in(late, made, written)
    await say(late, made, written, REPORTER, "grazie")
    assert not await is_in(late, made, written)  # a newer letter does not make it late again


async def test_a_row_that_says_version_1_has_no_case_deleted_or_read_by_other_rules(site: Site, made: Team) -> None:
    """Only those of the update are of version 1, and what is said of an end by the row alone counts for them alone."""
    store, written, other = site.engines["cases"], await report(site, made), await report(site, made)
    long_ago: dict[Any, Any] = {
        Case.state: "outcome",
        Case.received: site.day,
        Case.acknowledged: site.day,
        Case.outcome: site.day,
    }
    await Case.update({Case.version: 1, **long_ago}, force=True)
    assert (await desk.case_file(await seat(site, made), written.case, "anna")).version == 2
    much_later = site.day.replace(year=site.day.year + YEARS_LATER)
    assert (await keeping.sweep(store, keeper_of(site), much_later, lambda _: 5)).cases == 0
    first_versions_path(site.data).write_text(json.dumps([keeper_of(site).mark(written.case)]), "utf-8")
    assert (await desk.case_file(await seat(site, made), written.case, "anna")).version == 1
    assert (await desk.case_file(await seat(site, made), other.case, "anna")).version == 2
    assert (await keeping.sweep(store, keeper_of(site), much_later, lambda _: 5)).cases == 1


@pytest.mark.parametrize("damaged", ["", "{}", "[1, null]", "null"])
def test_a_damaged_list_of_those_of_version_1_makes_none_of_it(site: Site, damaged: str) -> None:
    first_versions_path(site.data).parent.mkdir(parents=True, exist_ok=True)
    first_versions_path(site.data).write_text(damaged, "utf-8")
    assert keeper_of(site).version(7) == 2


async def test_which_cases_are_of_version_1_is_said_once(site: Site, made: Team) -> None:
    first, later = await report(site, made), await report(site, made)
    await Case.update({Case.version: 1}).where(Case.id == first.case)
    await pins.keep(site.data)
    await Case.update({Case.version: 1}, force=True)
    await pins.keep(site.data)
    assert [keeper_of(site).version(case) for case in (first.case, later.case)] == [1, 2]


async def test_who_opens_a_case_again_leaves_no_mark_on_its_row(site: Site, made: Team) -> None:
    """Done from outside on PostgreSQL: the row's transaction, beside the end of a session, told who had opened which case and when."""
    store, written = site.engines["cases"], await report(site, made)
    await stands(site, made, written, "anna")
    if not isinstance(store, SafePostgres):
        before = await Case.select()
        await stands(site, made, written, "anna")
        assert await Case.select() == before
        return
    asked = 'SELECT xmin::text AS made FROM "case"'
    before = await store._run_in_new_connection(asked)
    await stands(site, made, written, "anna")
    assert await store._run_in_new_connection(asked) == before
    await stands(site, made, written, "bruno")  # beside it one that has something to say
    assert await store._run_in_new_connection(asked) != before
