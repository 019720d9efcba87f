"""A code asks for its thread: sealed, alike in size, and the same nothing for every code that opens none."""

import pytest

from server.concern.wire import FILL
from surveys.stores import StoreSettings
from tests.server.handlers.desks import case_of, desks
from tests.server.reporters.phones import REFUSED, UNKNOWN, Phone, is_by_this_method_alone
from tests.surveys.cases.people import Written


async def test_her_code_reads_what_she_wrote_and_what_was_answered(store_settings: StoreSettings) -> None:
    async with desks(store_settings) as served:
        phone = Phone(served)
        await phone.reports("aiuto")
        written = Written(phone.secret, phone.keys, int(phone.me.case, 16))
        made = await served.letter("anna", written, "la ascoltiamo", "acknowledge")
        await served.ask("anna", case_of(written, "/write"), made)
        assert await phone.texts() == ["aiuto", "la ascoltiamo"]
        status, file = await phone.send("/thread", phone.me.proofs)
        day = served.site.day.isoformat()
        assert (status, file["state"], file["acknowledged"]) == (200, "acknowledged", day)
        assert set(file["names"]) == {"anna", "bruno", "carla", "esterna"}


async def test_looking_writes_nothing_however_often(sqlite_settings: StoreSettings) -> None:
    """Could leak: a row that says when she looked, or how often."""
    async with desks(sqlite_settings) as served:
        phone = Phone(served)
        await phone.reports()
        before = await served.stored()
        first = await phone.send("/thread", phone.me.proofs)
        assert await phone.send("/thread", phone.me.proofs) == first and await served.stored() == before


async def test_unknown_and_wrong_codes_and_those_of_others_look_alike(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        phone, other = Phone(served), Phone(served)
        await phone.reports()
        right, strange = phone.me.proofs, other.me.proofs
        for wrong in (
            strange,
            right | {"auth": strange["auth"]},
            right | {"locator": strange["locator"]},
            {"locator": "0" * 64, "auth": "0" * 64},
        ):
            assert await phone.send("/thread", wrong) == UNKNOWN


async def test_answers_are_filled_up_so_that_their_size_says_little(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        sizes = []
        for text in ("x", "x" * 2000):
            phone = Phone(served)
            await phone.reports(text)
            answered = await served.client.post("/concern/thread", json=phone.me.proofs)
            sizes.append(len(answered.content))
            assert "content-encoding" not in answered.headers and answered.headers["cache-control"].startswith(
                "no-store"
            )
        assert sizes[0] == sizes[1] and sizes[0] % FILL == 0


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"locator": "\\ud800", "auth": ""}', bytes(range(128, 192)), b'{"locator": 1, "auth": 2}']
)
async def test_what_is_no_proof_is_refused(sqlite_settings: StoreSettings, body: bytes) -> None:
    async with desks(sqlite_settings) as served:
        assert await Phone(served).send("/thread", body=body) == REFUSED


@pytest.mark.parametrize("locator", ["", "00", "g" * 64, "A" * 64, "\u0660" * 64, "0" * 65])
async def test_a_proof_in_another_writing_is_none(sqlite_settings: StoreSettings, locator: str) -> None:
    async with desks(sqlite_settings) as served:
        assert await Phone(served).send("/thread", {"locator": locator, "auth": "0" * 64}) == REFUSED


async def test_by_no_other_method_is_a_thread_given(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        await is_by_this_method_alone(served, "/thread")
        assert (await served.client.get("/concern/thread")).status_code == 405
