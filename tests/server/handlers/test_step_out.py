"""A handler in conflict leaves a case: it is gone for her at once, and never left without a reader."""

from surveys.stores import StoreSettings
from tests.server.handlers.desks import NOBODY, Desks, case_of, desks, is_hers_alone
from tests.surveys.cases.people import Written


async def _leave(served: Desks, who: str, written: Written) -> int:
    return (await served.ask(who, case_of(written, "/out"))).status_code


async def _listed(served: Desks, who: str) -> list[tuple[str, bool]]:
    inbox = (await served.ask(who, "/desk.json", method="GET")).json()["inbox"]
    return [(line["case"], line["rekey"]) for line in inbox]


async def test_the_case_is_gone_for_her_and_waits_for_new_keys_for_the_others(store_settings: StoreSettings) -> None:
    async with desks(store_settings) as served:
        written = await served.report()
        name = f"{written.case:016x}"
        assert await _listed(served, "anna") == [(name, False)]
        assert await _leave(served, "anna", written) == 200
        assert await _listed(served, "anna") == [] and await _listed(served, "bruno") == [(name, True)]
        gone = await served.ask("anna", case_of(written), method="GET")
        assert (gone.status_code, gone.json()) == (404, {"unknown": True})
        assert await served.told() == [("anna", "stepped_out")] and await served.texts("bruno", written) == ["parole"]


async def test_leaving_twice_is_a_case_that_she_does_not_have(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        written = await served.report()
        assert [await _leave(served, "anna", written) for _ in range(2)] == [200, 404]
        assert await served.told() == [("anna", "stepped_out")]


async def test_the_last_who_reads_a_case_stays(sqlite_settings: StoreSettings) -> None:
    """Could leak nothing, and lose everything: a report that nobody can open any more."""
    async with desks(sqlite_settings) as served:
        written = await served.report(out=("carla", "esterna"))
        assert await _leave(served, "anna", written) == 200
        last, before = await served.ask("bruno", case_of(written, "/out")), await served.told()
        assert (last.status_code, last.json()) == (409, {"refused": True})
        assert await served.texts("bruno", written) == ["parole"] and before == [("anna", "stepped_out")]


async def test_nobody_but_a_handler_of_this_session_leaves(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        await is_hers_alone(served, case_of(await served.report(), "/out"))


async def test_a_case_that_is_none_or_not_hers_is_not_left(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        shut = await served.report(out=("bruno",))
        found = [await served.ask("bruno", path) for path in (f"/case/{NOBODY}/out", case_of(shut, "/out"))]
        assert [one.status_code for one in found] == [404] * 2 and await served.told() == []
