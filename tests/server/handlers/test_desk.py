"""What a handler's desk is given: her own keys and inbox, the nearest deadline first, and no word of what is not hers."""

from dataclasses import replace
from datetime import timedelta

from surveys.stores import StoreSettings
from tests.server.handlers.desks import NOBODY, STRANGERS, case_of, desks
from tests.surveys.cases import people
from tests.surveys.cases.memory import ALL


async def test_each_finds_her_own_keys_and_the_cases_that_she_reads(store_settings: StoreSettings) -> None:
    async with desks(store_settings) as served:
        both, shut = await served.report(), await served.report(out=("bruno",))
        found = {name: (await served.ask(name, "/desk.json", method="GET")).json() for name in ALL[:3]}
        cases = {name: {line["case"] for line in file["inbox"]} for name, file in found.items()}
        one, two = f"{both.case:016x}", f"{shut.case:016x}"
        assert cases == {"anna": {one, two}, "bruno": {one}, "carla": {one, two}}
        assert [(file["name"], file["on_list"], file["unreadable"]) for file in found.values()] == [
            (name, True, []) for name in ALL[:3]
        ]


async def test_the_nearest_deadline_stands_first(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        now = await served.report("oggi")
        before = replace(served.site, day=served.site.day - timedelta(days=5))
        earlier = await people.report(before, served.team, "cinque giorni fa")
        inbox = (await served.ask("anna", "/desk.json", method="GET")).json()["inbox"]
        assert [line["case"] for line in inbox] == [f"{earlier.case:016x}", f"{now.case:016x}"]
        by = [line["duties"][0]["by"] for line in inbox]
        assert by == sorted(by) and by[0] == (served.site.day + timedelta(days=2)).isoformat()


async def test_nobody_else_sees_a_desk_or_a_case(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        written = await served.report()
        for path in ("", "/desk.json", case_of(written)):
            answered = {who: (await served.ask(who, path, method="GET")).status_code for who in ("", *STRANGERS)}
            assert answered == {"": 303} | dict.fromkeys(STRANGERS, 403), path


async def test_a_case_that_is_none_and_one_that_is_not_hers_look_alike(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        shut, before = await served.report(out=("bruno",)), await served.stored()
        found = [await served.ask("bruno", path, method="GET") for path in (f"/case/{NOBODY}", case_of(shut))]
        assert [(one.status_code, one.content) for one in found] == [(404, b'{"unknown": true}')] * 2
        assert await served.stored() == before


async def test_what_is_no_case_number_is_refused(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        for number in ("x", "-1", "0" * 15, "F" * 16, "0" * 17, "%00", "١" * 16):
            answered = await served.ask("anna", f"/case/{number}", method="GET")
            assert answered.status_code in (400, 404), number


async def test_a_look_is_one_line_of_the_log_that_names_no_case(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        written, before = await served.report(), await served.stored()
        await served.file("anna", written)
        after = await served.stored()
        assert {name for name in before if before[name] != after[name]} == {"DeskLine"}
