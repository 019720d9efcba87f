"""New keys of a case: a colleague's device opens them and says who reads; only then the old ones go for whoever left."""

import pytest

from surveys.cases import acts
from surveys.cases.letters import REPORTER
from surveys.stores import StoreSettings
from tests.server.handlers.desks import NOBODY, Desks, case_of, desks, is_hers_alone
from tests.surveys.cases import desk_side
from tests.surveys.cases.memory import ALL
from tests.surveys.cases.people import Written

STAY = [REPORTER, *ALL, *(f"recovery+{pair}" for pair in ("ab", "ac", "bc"))]


async def _changed(served: Desks, written: Written, who: str = "anna") -> int:
    """Put the case under new keys for everybody on the list; gives the epoch's number."""
    opened = await served.opened(who, written)
    assert opened.fold is not None
    readers = desk_side.wanted_readers(opened.fold, served.team.chain)
    made = acts.change(
        opened,
        served.team.ring,
        served.team.author(who),
        acts.Change(readers, opened.fold.recovery),
        served.site.day,
        served.team.dice,
    )
    sent = made["letter"] | {"epochs": made["epochs"]}
    assert (await served.ask(who, case_of(written, "/write"), sent)).json() == {"kept": True}
    return int(made["epochs"][0]["number"])


async def _seen(served: Desks, who: str, written: Written, number: int, stay: list[str] = STAY) -> int:
    return (await served.ask(who, case_of(written, "/seen"), {"number": number, "readers": stay})).status_code


async def _confirmed(served: Desks, written: Written, number: int) -> set[bool]:
    file = await served.file("carla", written)
    return {one["confirmed"] for one in file["epochs"] if one["number"] == number}


async def test_a_second_reader_confirms_new_keys_and_everybody_reads_on(store_settings: StoreSettings) -> None:
    async with desks(store_settings) as served:
        written = await served.report()
        number = await _changed(served, written)
        assert await _confirmed(served, written, number) == {False}
        assert await _seen(served, "bruno", written, number) == 200
        assert await _confirmed(served, written, number) == {True}
        assert {name: await served.texts(name, written) for name in ALL[:3]} == {
            name: ["parole", ""] for name in ALL[:3]
        }
        assert await served.told() == [("anna", "changed_keys")]


async def test_said_twice_it_is_as_said_once(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        written = await served.report()
        number = await _changed(served, written)
        assert [await _seen(served, who, written, number) for who in ("bruno", "bruno", "carla")] == [200] * 3
        assert await _confirmed(served, written, number) == {True}
        assert await served.texts("anna", written) == ["parole", ""]


async def test_whoever_made_the_keys_or_does_not_say_that_she_reads_confirms_nothing(
    sqlite_settings: StoreSettings,
) -> None:
    """Done by a colleague: keys of his own making, the old ones gone for everybody before anyone has looked."""
    async with desks(sqlite_settings) as served:
        written = await served.report()
        number = await _changed(served, written)
        before = await served.stored()
        assert await _seen(served, "anna", written, number) == 409
        assert await _seen(served, "bruno", written, number, [one for one in STAY if one != "bruno"]) == 409
        assert await _confirmed(served, written, number) == {False}
        after = await served.stored()
        assert {name for name in before if before[name] != after[name]} == {"DeskLine"}  # that carla looked


async def test_where_one_who_stays_was_left_out_the_old_keys_stay(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        written = await served.report()
        number = await _changed(served, written)
        assert await _seen(served, "bruno", written, number, [*STAY, "dora"]) == 200
        assert await _confirmed(served, written, number) == {False}


async def test_nobody_but_a_handler_of_this_session_confirms_keys(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        written = await served.report()
        number = await _changed(served, written, "carla")
        await is_hers_alone(served, case_of(written, "/seen"), {"number": number, "readers": STAY})


@pytest.mark.parametrize("number", [1, 9, -1])
async def test_keys_that_are_none_confirm_nothing(sqlite_settings: StoreSettings, number: int) -> None:
    async with desks(sqlite_settings) as served:
        written = await served.report()
        before = await served.stored()
        assert await _seen(served, "bruno", written, number) == 200 and await served.stored() == before


async def test_of_a_case_that_is_none_or_not_hers_nothing_is_confirmed(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        shut = await served.report(out=("bruno",))
        said = {"number": 1, "readers": STAY}
        found = [await served.ask("bruno", path, said) for path in (f"/case/{NOBODY}/seen", case_of(shut, "/seen"))]
        assert [one.status_code for one in found] == [404, 404]
