"""A step that somebody writes into the store is not taken, and two that come at once are taken one after the other."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from surveys.answers import wave as urn_of
from surveys.away import StoreAway
from surveys.engines import StoreEngine
from surveys.lifecycle import closing, resuming, steps, two_keys
from surveys.lifecycle.context import Site, destroy_seeds
from surveys.lifecycle.leftovers import leftovers
from surveys.lifecycle.steps import PlanRefused
from surveys.people import log
from surveys.people import steps as rows
from surveys.people import two_keys as acts
from surveys.people.tables import LogEntry, StepBegun
from surveys.public import waves
from surveys.public.waves import State
from tests.conftest import DAY, WAVE, open_a_wave


@pytest.mark.opened
@pytest.mark.parametrize("mark", ["", "0" * 64, "à"])
@pytest.mark.parametrize(("step", "details"), [("cancel", {}), ("end", {"act": "0"}), ("destroy", {})])
async def test_a_row_that_we_did_not_write_is_no_step_and_is_named(
    site: Site, step: str, details: dict[str, str], mark: str
) -> None:
    """Could pass: one INSERT, and the jobs destroy every sheet in the name of the personnel office."""
    await open_a_wave(site)
    forged = StepBegun(
        id=f"{WAVE}/{step}", wave=WAVE, step=step, day=DAY, actor="hr", details=json.dumps(details), mark=mark
    )
    await StepBegun.insert(forged)
    before = await log.read()
    await resuming.resume(site)
    assert (await waves.get(WAVE)).state == State.OPEN and await urn_of.is_there(WAVE) and await log.read() == before
    assert [str(one) for one in await leftovers(site)] == [f"step of {WAVE}"]


@pytest.mark.opened
async def test_a_step_whose_row_was_changed_is_not_taken(site: Site) -> None:
    await open_a_wave(site)
    await steps.begin(site, WAVE, "extend", ends=str(DAY + timedelta(days=20)))
    await StepBegun.update({StepBegun.details: json.dumps({"ends": str(DAY + timedelta(days=21))})}, force=True)
    assert await rows.begun() == []
    await resuming.resume(site)
    assert (await waves.get(WAVE)).extensions == ()


@pytest.mark.opened
@pytest.mark.parametrize("attack", ["said", "gone"])
async def test_who_writes_the_store_leaves_no_act_of_a_step_out_of_the_log(
    site: Site, attack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Could pass: the row said by itself that the log has the act, or was gone, and a survey was cancelled without a line."""
    await open_a_wave(site)
    withdraw = urn_of.withdraw_slips

    async def owner_writes(engine: StoreEngine, wave: str) -> None:
        if attack == "said":
            await StepBegun.update({StepBegun.said: True}, force=True)
        else:
            await StepBegun.delete(force=True)
        await withdraw(engine, wave)

    monkeypatch.setattr(urn_of, "withdraw_slips", owner_writes)
    await closing.cancel(site, WAVE)
    told = [act.act for act in await log.read()]
    assert told.count("wave cancelled") == told.count("urn destroyed") == 1


@pytest.mark.opened
async def test_a_step_that_is_taken_again_on_one_day_is_told_again_and_finished_once(site: Site) -> None:
    await open_a_wave(site)
    for days in (20, 21):
        await closing.extend(site, WAVE, DAY + timedelta(days=days))
    step = await steps.begin(site, WAVE, "extend", ends=str(DAY + timedelta(days=22)))
    await steps.say(site, step, "wave extended", wave=WAVE, ends=step.details["ends"])
    await resuming.resume(site)
    ends = [act.details["ends"] for act in await log.read() if act.act == "wave extended"]
    assert ends == [str(DAY + timedelta(days=days)) for days in (20, 21, 22)]


@pytest.mark.opened
async def test_a_step_s_row_that_is_put_back_after_its_act_was_told_is_not_taken_again(site: Site) -> None:
    """Done from outside: an extension's row, taken out while it was under way, set an earlier last day again, in the name of the
    office, under a mark that was good."""
    await open_a_wave(site)
    step = await steps.begin(site, WAVE, "extend", ends=str(DAY + timedelta(days=20)))
    kept = await StepBegun.select()
    await resuming.resume(site)
    assert step.name == "extend" and (await waves.get(WAVE)).ends == DAY + timedelta(days=20)
    await closing.extend(site, WAVE, DAY + timedelta(days=25))
    await StepBegun.insert(*(StepBegun(**row) for row in kept))
    before = await log.read()
    await resuming.resume(site)
    assert (await waves.get(WAVE)).ends == DAY + timedelta(days=25)
    assert await log.read() == before and await rows.waves_named() == []


@pytest.mark.opened
async def test_a_row_of_a_refused_closing_that_is_put_back_takes_nothing_from_an_open_survey(site: Site) -> None:
    """Could pass: taken out while its closing was refused, the row destroyed the keys of the open survey before anybody looked."""
    await open_a_wave(site)
    await steps.begin(site, WAVE, "close", unused="0")
    kept = {path.name: path.read_bytes() for path in (site.data / "keys").iterdir() if path.suffix != ".lock"}
    before = await log.read()
    await resuming.resume(site)
    assert {name: (site.data / "keys" / name).read_bytes() for name in kept} == kept
    assert (await waves.get(WAVE)).state == State.OPEN and await urn_of.takes_sheets(WAVE)
    assert await log.read() == before and await rows.waves_named() == []


@pytest.mark.opened
@pytest.mark.parametrize("details", ["", "[]", "null", "7", '{"ends": 3}', "{"])
async def test_an_odd_row_keeps_no_other_step_from_being_finished(sqlite_site: Site, details: str) -> None:
    await open_a_wave(sqlite_site)
    await StepBegun.insert(
        StepBegun(id="x/extend", wave="x", step="extend", day=None, actor="", details=details, mark="")
    )
    await steps.begin(sqlite_site, WAVE, "end", act="0")
    await resuming.resume(sqlite_site)
    assert (await waves.get(WAVE)).state == State.ENDED


@pytest.mark.opened
async def test_of_two_who_end_and_cancel_at_once_each_is_told_once_and_in_order(site: Site) -> None:
    await open_a_wave(site)
    took = await asyncio.gather(
        closing.end(replace(site, actor="a"), WAVE),
        closing.cancel(replace(site, actor="b"), WAVE),
        closing.cancel(replace(site, actor="c"), WAVE),
        return_exceptions=True,
    )
    refused = [one for one in took if isinstance(one, waves.WrongState)]
    assert len(refused) in (1, 2) and (await waves.get(WAVE)).state == State.CANCELLED
    acts = [act.act for act in await log.read()]
    assert acts.count("wave cancelled") == acts.count("urn destroyed") == 1
    assert acts.count("wave ended") == 2 - len(refused)


@pytest.mark.opened
async def test_a_void_whose_codes_did_not_come_along_in_a_restored_copy_holds_no_survey(site: Site) -> None:
    """Done from outside: the refused step stayed, and nothing could end, extend or cancel the survey any more."""
    await open_a_wave(site)
    await two_keys.ask_void(site, WAVE, 1, 3)
    [asked] = await acts.of_wave(WAVE)
    destroy_seeds(site.data, WAVE)  # no backup has them
    with pytest.raises(PlanRefused, match="batch"):
        await two_keys.confirm(replace(site, actor="rsu"), asked.id)
    await steps.begin(
        site, WAVE, "void", number="1", spoiled="3", act=str(asked.id)
    )  # as the version of this morning left it
    await resuming.resume(site)
    assert await rows.waves_named() == []
    assert (await closing.end(site, WAVE)).state == State.ENDED


@pytest.mark.opened
async def test_nobody_opens_a_survey_again_whose_closing_was_begun(site: Site) -> None:
    """Done from outside: it was open, and no code answered."""
    await open_a_wave(site)
    late = replace(site, day=DAY + timedelta(days=15))
    await closing.end(late, WAVE)
    await urn_of.withdraw_slips(site.engines["answers"], WAVE)  # a closing that was refused at its second count
    with pytest.raises(PlanRefused, match="extension_late"):
        await closing.extend(late, WAVE, DAY + timedelta(days=20))


@pytest.mark.opened
async def test_a_request_to_end_does_not_outlive_a_later_last_day(site: Site) -> None:
    await open_a_wave(site)
    await two_keys.ask_end(site, WAVE)
    [asked] = await acts.of_wave(WAVE)
    await closing.extend(site, WAVE, DAY + timedelta(days=20))
    with pytest.raises(PlanRefused, match="second_key"):
        await two_keys.confirm(replace(site, actor="rsu"), asked.id)
    assert (await waves.get(WAVE)).state == State.OPEN


@pytest.mark.opened
async def test_an_entry_of_the_log_that_nobody_of_us_wrote_is_read_and_breaks_the_chain(site: Site) -> None:
    await open_a_wave(site)
    await LogEntry.update({LogEntry.day: None, LogEntry.details: "[]"}).where(LogEntry.number == 2)
    told = await log.read()
    assert [act.intact for act in told[:3]] == [True, False, False] and told[1].details == {}


@pytest.mark.opened
async def test_a_server_that_ends_idle_sessions_takes_a_survey_s_steps_from_nobody(postgres_site: Site) -> None:
    """Done from outside: with `idle_session_timeout` two processes took the same step at once, and neither knew."""
    people = postgres_site.engines["people"]
    name = (await people._run_in_new_connection("SELECT current_database() AS name"))[0]["name"]
    await people._run_in_new_connection(f'ALTER DATABASE "{name}" SET idle_session_timeout = 200')
    async with steps.alone(postgres_site, WAVE):
        await asyncio.sleep(1)
        with pytest.raises(steps.StepUnderWay):
            async with steps.alone(postgres_site, WAVE, patience=0):
                pass


@pytest.mark.opened
async def test_whoever_lost_the_hold_on_a_survey_s_steps_goes_on_with_none(postgres_site: Site) -> None:
    """Done from outside: PostgreSQL was started anew in the middle of a step, whose process went on beside the one that took it up."""
    went_on = False

    async def step() -> None:
        nonlocal went_on
        async with steps.alone(postgres_site, WAVE):
            begun.set()
            await asyncio.sleep(5)
            went_on = True

    begun, people = asyncio.Event(), postgres_site.engines["people"]
    first = asyncio.create_task(step())
    await begun.wait()
    holders = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND pid <> pg_backend_pid()"
    await people._run_in_new_connection(
        f"{holders} AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    async with steps.alone(postgres_site, WAVE):
        pass
    with pytest.raises(StoreAway):
        await first
    assert not went_on
