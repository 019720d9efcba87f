"""A handler's sealed attachment comes in pieces: each is kept once, and none is written again when a letter has claimed it."""

import os

import pytest

from surveys.cases import pieces
from surveys.stores import StoreSettings
from tests.server.handlers.desks import NOBODY, Desks, case_of, desks, is_hers_alone

UPLOAD = "a1" * 16


async def _put(
    served: Desks, number: object, body: bytes, upload: str = UPLOAD, who: str = "anna"
) -> tuple[int, object]:
    answered = await served.ask(who, f"/piece/{upload}/{number}", method="PUT", body=body)
    return answered.status_code, answered.json() if answered.content else None


async def test_pieces_become_the_attachment_of_the_letter_that_names_them(store_settings: StoreSettings) -> None:
    async with desks(store_settings) as served:
        written, first, second = await served.report(), os.urandom(pieces.PIECE_BYTES), os.urandom(100)
        assert await _put(served, 1, second) == (200, {"kept": 1})
        assert await _put(served, 0, first) == (200, {"kept": 2})
        made = await served.letter("anna", written, "un foglio") | {"uploads": [UPLOAD]}
        assert (await served.ask("anna", case_of(written, "/write"), made)).status_code == 200
        kept = await served.ask("bruno", case_of(written, f"/file/{UPLOAD}"), method="GET")
        assert kept.content == first + second and (await served.file("carla", written))["uploads"] == [UPLOAD]


async def test_a_piece_sent_twice_is_kept_once_as_it_came_first(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        assert await _put(served, 0, b"prima") == await _put(served, 0, b"seconda") == (200, {"kept": 1})
        assert await pieces.pieces_kept(UPLOAD) == [0]
        written = await served.report()
        made = await served.letter("anna", written, "x") | {"uploads": [UPLOAD]}
        await served.ask("anna", case_of(written, "/write"), made)
        assert (await served.ask("anna", case_of(written, f"/file/{UPLOAD}"), method="GET")).content == b"prima"
        assert (await _put(served, 1, b"dopo"))[0] == 400


async def test_nobody_but_a_handler_of_this_session_sends_a_piece(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        await is_hers_alone(served, f"/piece/{UPLOAD}/0", method="PUT")


@pytest.mark.parametrize(
    ("upload", "number", "size", "status"),
    [
        (UPLOAD, 0, 0, 400),
        (UPLOAD, 0, pieces.PIECE_BYTES + 1, 413),
        (UPLOAD, pieces.FILE_LIMIT // pieces.PIECE_BYTES, 1, 400),
        (UPLOAD, -1, 1, 400),
        (UPLOAD, "x", 1, 404),
        (UPLOAD, 2**63, 1, 400),
        ("zz" * 16, 0, 1, 400),
        ("a1", 0, 1, 400),
    ],
)
async def test_what_is_no_piece_is_refused(
    sqlite_settings: StoreSettings, upload: str, number: object, size: int, status: int
) -> None:
    async with desks(sqlite_settings) as served:
        before = await served.stored()
        answered = await served.ask("anna", f"/piece/{upload}/{number}", method="PUT", body=b"x" * size)
        assert answered.status_code == status and await served.stored() == before


async def test_an_attachment_is_given_to_readers_of_its_case_alone(sqlite_settings: StoreSettings) -> None:
    """Done by a colleague: the attachment of a case that shut her out, by its name, through a case that she reads."""
    async with desks(sqlite_settings) as served:
        shut, hers = await served.report(out=("bruno",)), await served.report()
        await _put(served, 0, b"chiuso")
        made = await served.letter("anna", shut, "x") | {"uploads": [UPLOAD]}
        assert (await served.ask("anna", case_of(shut, "/write"), made)).status_code == 200
        paths = (case_of(shut, f"/file/{UPLOAD}"), case_of(hers, f"/file/{UPLOAD}"), f"/case/{NOBODY}/file/{UPLOAD}")
        found = [await served.ask("bruno", path, method="GET") for path in paths]
        assert [(one.status_code, one.json()) for one in found] == [(404, {"unknown": True})] * 3
        claims = await served.letter("bruno", hers, "mio?") | {"uploads": [UPLOAD]}
        assert (await served.ask("bruno", case_of(hers, "/write"), claims)).status_code == 200
        assert (await served.ask("bruno", paths[1], method="GET")).status_code == 404
