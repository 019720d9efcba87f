"""A sealed report comes in: kept once, read by those who got a key, refused whole where it is none; and a channel that is closed."""

import json
from dataclasses import replace
from typing import Any

import pytest

from surveys.cases import line
from surveys.public import channel
from surveys.stores import StoreSettings
from tests.server.handlers.desks import desks
from tests.server.reporters.phones import REFUSED, Phone, is_by_this_method_alone
from tests.surveys.cases.people import Written


async def test_a_report_is_read_by_its_handlers_and_by_no_one_it_shuts_out(store_settings: StoreSettings) -> None:
    async with desks(store_settings) as served:
        phone = Phone(served)
        await phone.reports("che cosa è successo", out=("bruno",))
        written = Written(phone.secret, phone.keys, int(phone.me.case, 16))
        assert await served.texts("anna", written) == await phone.texts() == ["che cosa è successo"]
        assert (await served.ask("bruno", f"/case/{phone.me.case}", method="GET")).status_code == 404


async def test_sent_twice_it_is_there_once_and_another_under_its_code_is_refused(
    sqlite_settings: StoreSettings,
) -> None:
    async with desks(sqlite_settings) as served:
        phone = Phone(served)
        first, other = phone.report("uno"), phone.report("due")
        found = [await phone.send("/sealed", one) for one in (first, first, other)]
        assert found == [(200, {"received": True}), (200, {"received": True}), REFUSED]
        assert await phone.texts() == ["uno"]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff\xfe", b'{"case": "\\ud800"}', b"[" * 100_000, b"null"])
async def test_what_is_no_report_is_refused(sqlite_settings: StoreSettings, body: bytes) -> None:
    async with desks(sqlite_settings) as served:
        before = await served.stored()
        assert await Phone(served).send("/sealed", body=body) == REFUSED and await served.stored() == before


@pytest.mark.parametrize(
    "other",
    [
        {"case": "x"},
        {"case": "\u0661" * 16},
        {"locator": "00"},
        {"auth": "Z" * 64},
        {"letters": []},
        {"letters": ["x"]},
        {"letters": ["QUJD", "QUJD"]},
        {"epochs": []},
        {"uploads": ["x"]},
        {"uploads": ["00" * 16]},
        {"signer": "x"},
    ],
)
async def test_a_report_with_one_thing_wrong_is_refused_whole(
    sqlite_settings: StoreSettings, other: dict[str, Any]
) -> None:
    async with desks(sqlite_settings) as served:
        phone, before = Phone(served), await served.stored()
        assert await phone.send("/sealed", phone.report("x") | other) == REFUSED
        assert await served.stored() == before


async def test_where_very_many_come_a_little_work_is_asked_and_then_it_is_taken(
    sqlite_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desks(sqlite_settings) as served:
        phone = Phone(served)
        monkeypatch.setattr(line.Line, "bits", lambda _: 8)
        made = phone.report("x")
        wrong = next(str(n) for n in range(9999) if not line.is_enough(made["case"], str(n), 8))
        for work in ("", wrong, "x" * 5000):
            assert await phone.send("/sealed", made | {"work": work}) == (429, {"bits": 8})
        enough = next(str(n) for n in range(99999) if line.is_enough(made["case"], str(n), 8))
        assert await phone.send("/sealed", made | {"work": enough}) == (200, {"received": True})


async def test_a_work_of_half_a_sign_is_refused_in_words(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        phone = Phone(served)
        body = json.dumps(phone.report("x") | {"work": "\ud800"}).encode()
        assert await phone.send("/sealed", body=body) == REFUSED


async def test_by_no_other_method_is_anything_kept(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        await is_by_this_method_alone(served, "/sealed")


async def test_a_channel_that_is_not_open_takes_nothing(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        phone, before = Phone(served), await served.stored()
        record = await channel.load()
        assert record.is_open
        await channel.save(served.site.engines["public"], replace(record, opened=""))
        for path in ("/sealed", "/thread", "/reply", "/diary/delete"):
            assert (await phone.send(path, phone.report("x")))[0] == 404, path
        assert await served.stored() == before
