"""A diary that was never sent is thrown away by its code; what was sent stays, as the law keeps it."""

import pytest

from surveys.cases import acts
from surveys.stores import StoreSettings
from tests.server.handlers.desks import desks
from tests.server.reporters.phones import REFUSED, UNKNOWN, Phone, is_by_this_method_alone

DELETED = (200, {"deleted": True})


async def test_her_diary_is_read_by_her_code_alone_and_is_gone_when_she_throws_it_away(
    store_settings: StoreSettings,
) -> None:
    async with desks(store_settings) as served:
        empty = await served.stored()
        phone = Phone(served)
        await phone.reports("oggi", diary=True)
        assert await phone.texts() == ["oggi"]
        assert (await served.ask("anna", "/desk.json", method="GET")).json()["inbox"] == []
        assert (await served.ask("anna", f"/case/{phone.me.case}", method="GET")).status_code == 404
        assert await phone.send("/diary/delete", phone.me.proofs) == DELETED
        assert await phone.send("/thread", phone.me.proofs) == UNKNOWN
        left = await served.stored()
        assert {name: left[name] for name in ("Case", "Epoch", "Wrap", "Message")} == {
            name: empty[name] for name in ("Case", "Epoch", "Wrap", "Message")
        }


async def test_thrown_away_twice_it_is_unknown_the_second_time(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        phone = Phone(served)
        await phone.reports(diary=True)
        assert [await phone.send("/diary/delete", phone.me.proofs) for _ in range(2)] == [DELETED, UNKNOWN]


async def test_a_report_is_not_thrown_away(sqlite_settings: StoreSettings) -> None:
    """Could lose: a report, by whoever forces its code out of her."""
    async with desks(sqlite_settings) as served:
        phone = Phone(served)
        await phone.reports("aiuto")
        before = await served.stored()
        assert await phone.send("/diary/delete", phone.me.proofs) == UNKNOWN
        assert await served.stored() == before and await phone.texts() == ["aiuto"]


async def test_a_diary_that_became_a_report_stays(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        phone, team = Phone(served), served.team
        await phone.reports("lunedì", diary=True)
        opened = await phone.opened()
        epoch, sealed = acts.first_letter(
            phone.me,
            team.ring,
            team.anchor.hash,
            (),
            acts.from_diary(opened.diary),
            served.site.day,
            team.dice,
        )
        sent = phone.me.proofs | {
            "stream": "thread",
            "number": 1,
            "epoch": 1,
            "sealed": sealed,
            "uploads": [],
            "epochs": [epoch],
        }
        assert await phone.send("/reply", sent) == (200, {"received": True})
        assert await phone.send("/diary/delete", phone.me.proofs) == UNKNOWN
        assert len((await served.ask("anna", "/desk.json", method="GET")).json()["inbox"]) == 1


async def test_by_another_code_nothing_is_thrown_away(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        phone, other = Phone(served), Phone(served)
        await phone.reports("mio", diary=True)
        await other.reports("suo", diary=True)
        mixed = phone.me.proofs | {"auth": other.me.proofs["auth"]}
        assert await phone.send("/diary/delete", mixed) == UNKNOWN
        assert await phone.texts() == ["mio"]


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b'{"locator": "", "auth": ""}'])
async def test_what_is_no_proof_is_refused(sqlite_settings: StoreSettings, body: bytes) -> None:
    async with desks(sqlite_settings) as served:
        assert await Phone(served).send("/diary/delete", body=body) == REFUSED
        await is_by_this_method_alone(served, "/diary/delete")
