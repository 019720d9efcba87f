"""A legal hold: two handlers put it on, both must lift it, and each asking is one line of the log."""

import pytest

from surveys.stores import StoreSettings
from tests.server.handlers.desks import NOBODY, Desks, case_of, desks, is_hers_alone
from tests.surveys.cases.people import Written


async def _ask(served: Desks, who: str, written: Written, wanted: bool) -> tuple[bool, int, bool]:
    """Ask for a hold or take it back; gives whether the case is held, by how many asked for, and whether by her."""
    answered = await served.ask(who, case_of(written, "/hold"), {"wanted": wanted})
    assert answered.json() == {"kept": True}
    file = await served.file(who, written)
    return file["held"], file["holds"], file["my_hold"]


async def test_two_put_a_hold_on_and_both_lift_it(store_settings: StoreSettings) -> None:
    async with desks(store_settings) as served:
        written = await served.report()
        assert await _ask(served, "anna", written, True) == (False, 1, True)
        assert await _ask(served, "bruno", written, True) == (True, 2, True)
        assert await _ask(served, "anna", written, False) == (True, 1, False)
        assert await _ask(served, "bruno", written, False) == (False, 0, False)
        assert await served.told() == [
            ("anna", "asked_hold"),
            ("bruno", "asked_hold"),
            ("anna", "lifted_hold"),
            ("bruno", "lifted_hold"),
        ]


async def test_one_who_asks_twice_counts_once(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        written = await served.report()
        assert (
            await _ask(served, "anna", written, True) == await _ask(served, "anna", written, True) == (False, 1, True)
        )
        assert await _ask(served, "bruno", written, False) == (False, 1, False)


async def test_nobody_but_a_handler_of_this_session_asks_for_a_hold(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        await is_hers_alone(served, case_of(await served.report(), "/hold"), {"wanted": True})


async def test_a_case_that_is_none_and_one_that_is_not_hers_are_not_held(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        shut, before = await served.report(out=("bruno",)), await served.told()
        found = [
            await served.ask("bruno", path, {"wanted": True})
            for path in (f"/case/{NOBODY}/hold", case_of(shut, "/hold"))
        ]
        assert [(one.status_code, one.json()) for one in found] == [(404, {"unknown": True})] * 2
        assert await served.told() == before and (await served.file("anna", shut))["holds"] == 0


@pytest.mark.parametrize("body", [b"", b"{}", b'{"wanted": "yes"}', b'{"wanted": true, "by": "anna"}', b"\xff", b"[]"])
async def test_what_is_no_wish_is_refused(sqlite_settings: StoreSettings, body: bytes) -> None:
    async with desks(sqlite_settings) as served:
        written = await served.report()
        before = await served.stored()
        answered = await served.ask("anna", case_of(written, "/hold"), body=body)
        assert (answered.status_code, answered.json()) == (400, {"refused": True}) and await served.stored() == before
