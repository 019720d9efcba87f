"""A reporter's attachment in pieces: resumed where it broke off, claimed by a letter, given to its code alone."""

import os

import pytest

from surveys.cases import pieces, spool
from surveys.stores import StoreSettings
from tests.server.handlers.desks import desks
from tests.server.reporters.phones import REFUSED, UNKNOWN, Phone, is_by_this_method_alone

UPLOAD = "b2" * 16


async def test_pieces_in_any_order_become_the_file_of_her_report(store_settings: StoreSettings) -> None:
    async with desks(store_settings) as served:
        phone, first, second = Phone(served), os.urandom(pieces.PIECE_BYTES), os.urandom(9)
        assert await phone.send(f"/piece/{UPLOAD}/1", body=second, method="PUT") == (200, {"kept": 1})
        assert await phone.send(f"/piece/{UPLOAD}", method="GET", body=b"") == (200, {"kept": [1]})
        assert await phone.send(f"/piece/{UPLOAD}/0", body=first, method="PUT") == (200, {"kept": 2})
        made = phone.report("con un foglio") | {"uploads": [UPLOAD]}
        assert (await phone.send("/sealed", made))[0] == 200
        assert await phone.send("/file", phone.me.proofs | {"upload": UPLOAD}) == (200, first + second)


async def test_a_piece_sent_twice_is_kept_once_and_none_after_it_was_claimed(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        phone = Phone(served)
        for body in (b"prima", b"seconda"):
            assert await phone.send(f"/piece/{UPLOAD}/0", body=body, method="PUT") == (200, {"kept": 1})
        await phone.send("/sealed", phone.report("x") | {"uploads": [UPLOAD]})
        assert await phone.send(f"/piece/{UPLOAD}/1", body=b"dopo", method="PUT") == REFUSED
        assert await phone.send("/file", phone.me.proofs | {"upload": UPLOAD}) == (200, b"prima")


async def test_another_code_does_not_get_it_and_does_not_claim_it(sqlite_settings: StoreSettings) -> None:
    """Done by a stranger who knows the name of an upload: he takes it into a report of his own, or asks for it."""
    async with desks(sqlite_settings) as served:
        phone, other = Phone(served), Phone(served)
        await phone.send(f"/piece/{UPLOAD}/0", body=b"mio", method="PUT")
        await phone.send("/sealed", phone.report("x") | {"uploads": [UPLOAD]})
        await other.send("/sealed", other.report("y") | {"uploads": [UPLOAD]})
        assert await other.send("/file", other.me.proofs | {"upload": UPLOAD}) == UNKNOWN
        assert await phone.send("/file", phone.me.proofs | {"upload": UPLOAD}) == (200, b"mio")
        for upload in ("", "zz" * 16, "b2"):
            assert await phone.send("/file", phone.me.proofs | {"upload": upload}) == REFUSED
        assert await phone.send("/file", phone.me.proofs | {"upload": "c3" * 16}) == UNKNOWN


async def test_where_the_spool_is_full_it_is_said_and_words_still_come_in(
    sqlite_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise spool.SpoolFull

    async with desks(sqlite_settings) as served:
        monkeypatch.setattr(spool, "make_sure_of_room", full)
        phone = Phone(served)
        assert await phone.send(f"/piece/{UPLOAD}/0", body=b"x", method="PUT") == (507, {"full": True})
        await phone.reports("le parole")
        assert await phone.texts() == ["le parole"]


@pytest.mark.parametrize(
    ("where", "size", "status"),
    [
        (f"{UPLOAD}/0", 0, 400),
        (f"{UPLOAD}/0", pieces.PIECE_BYTES + 1, 413),
        (f"{UPLOAD}/999", 1, 400),
        (f"{UPLOAD}/-1", 1, 400),
        (f"{UPLOAD}/x", 1, 404),
        ("zz/0", 1, 400),
    ],
)
async def test_what_is_no_piece_is_refused(sqlite_settings: StoreSettings, where: str, size: int, status: int) -> None:
    async with desks(sqlite_settings) as served:
        before = await served.stored()
        found = await Phone(served).send(f"/piece/{where}", body=b"x" * size, method="PUT")
        assert found[0] == status and await served.stored() == before


async def test_by_no_other_method_is_a_piece_kept_or_a_file_given(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        await is_by_this_method_alone(served, f"/piece/{UPLOAD}/0", "PUT")
        await is_by_this_method_alone(served, "/file")
