"""Forms of strangers in flight: large ones wait unread and are told so, words go before photos, the disk keeps room."""

import asyncio
import io
import os
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from PIL import Image

from server.concern import turns
from server.reporters import posted
from surveys.cases import codes, pieces, spool
from surveys.cases.incoming import ReportRefused
from surveys.cases.tables import Piece
from surveys.lifecycle.context import Site
from surveys.stores import StoreSettings, stores
from tests.journeys.channel import Channel, running, what_is_sent_without_a_script

MB = 1024 * 1024


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    with running(tmp_path) as made:
        yield made


async def test_bytes_in_flight_are_bounded_and_what_finds_no_room_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "UNREAD_SECONDS", 0.2)
    lane = turns.Turns().lane(9 * MB)
    async with lane.body(9 * MB), lane.body(9 * MB):
        with pytest.raises(turns.Busy):
            async with lane.body(9 * MB):
                raise AssertionError("a third of nine megabytes has no room in 24")
    async with lane.body(9 * MB):
        pass  # the room is given back


async def test_a_form_waits_for_its_turn_and_too_many_are_told() -> None:
    lane = turns.Lane(most_bytes=MB, running=1, waiting=1)
    done: list[str] = []

    async def one(name: str) -> None:
        try:
            async with lane.turn():
                await asyncio.sleep(0.1)
                done.append(name)
        except turns.Busy:
            done.append(f"{name} is told")

    await asyncio.gather(one("first"), one("second"), one("third"))
    assert sorted(done) == ["first", "second", "third is told"]


async def test_words_find_a_place_however_many_photos_wait_and_a_busy_page_loses_nothing(channel: Channel) -> None:
    """Forty photos of nine megabytes at once; then the form that was told to wait is sent again as it is, and arrives."""
    async with httpx.AsyncClient(base_url=channel.address, timeout=90) as client:

        async def send(fields: dict[str, str], photo: bytes = b"") -> httpx.Response:
            files: list[tuple[str, tuple[None, str] | tuple[str, bytes, str]]] = [
                *((name, (None, value)) for name, value in fields.items()),
                ("photo", ("a.jpg", photo, "image/jpeg")),
            ]
            return await client.post("/concern?lang=en", files=files)

        photo = b"\xff\xd8" + bytes(9 * MB)
        large = [await what_is_sent_without_a_script(client, "send", f"photo {n}") for n in range(40)]
        waiting = [asyncio.create_task(send(fields, photo)) for fields in large]
        await asyncio.sleep(0.5)
        words = await asyncio.wait_for(send(await what_is_sent_without_a_script(client, "send", "words alone")), 15)
        assert (words.status_code, "Received" in words.text) == (200, True)
        told = [await one for one in waiting]
        assert {answer.status_code for answer in told} <= {422, 503}  # a photo that is none is refused in words
        busy = [(fields, answer) for fields, answer in zip(large, told, strict=True) if answer.status_code == 503]
        assert busy and all(answer.headers["retry-after"] == "20" for _, answer in busy)
        again = await send(busy[0][0])
        assert (again.status_code, "Received" in again.text) == (200, True)


@pytest.mark.parametrize("kind", ["JPEG2000", "AVIF", "TIFF", "EPS"])
def test_a_kind_of_picture_that_no_phone_sends_is_not_drawn(kind: str) -> None:
    """Found from outside: 823 bytes of JPEG 2000 took fifteen seconds and a gigabyte; EPS is given to a program where there is one."""
    out = io.BytesIO()
    Image.new("RGB", (40, 30)).save(out, kind)
    with pytest.raises(posted.Again, match="files_refused"):
        posted.clean_photo(out.getvalue())


async def test_words_wait_for_no_small_photo_either(channel: Channel) -> None:
    """Done from outside: twelve forms of two kilobytes, each with a picture that is large once drawn, shut the page for two minutes."""
    out = io.BytesIO()
    Image.new("RGB", (7000, 7000)).save(out, "PNG")
    assert len(out.getvalue()) < turns.SMALL
    async with httpx.AsyncClient(base_url=channel.address, timeout=90) as client:

        async def send(photo: bytes) -> int:
            code = " ".join(codes.to_digits(codes.new_code(os.urandom)))
            fields = {"do": "reply", "code": code, "text": "parole"}
            files = {"photo": ("a.png" if photo else "", photo, "image/png")}
            return (await client.post("/concern?lang=en", data=fields, files=files)).status_code

        photos = [asyncio.create_task(send(out.getvalue())) for _ in range(14)]
        await asyncio.sleep(1)
        words = [await send(b"") for _ in range(3)]
        assert words == [422, 422, 422]  # a code that opens nothing: looked at, not sent away
        assert {await one for one in photos} == {422, 503}


@pytest.mark.parametrize("name", ["part" + "1" * 5000, "part²", "part٢", "part-2", "part0", "part"])
async def test_a_part_that_no_code_has_is_asked_for_again(channel: Channel, name: str) -> None:
    """Could be a 500: a number of five thousand digits, a figure that is no digit, one of another script."""
    async with httpx.AsyncClient(base_url=channel.address, timeout=30) as client:
        form = await what_is_sent_without_a_script(client, "send", "words")
        right = form.pop("part6")
        refused = await client.post("/concern?lang=en", data=form | {name: right})
        assert (refused.status_code, "Received" in refused.text) == (422, False)
        shown = dict(re.findall(r'name="(once|code|part6)" value="([^"]*)"', refused.text))
        taken = await client.post("/concern?lang=en", data=form | shown | {"part6": right})
        assert (taken.status_code, "Received" in taken.text) == (200, True)


async def test_the_spool_of_attachments_has_a_budget_and_a_reserve(tmp_path: Path) -> None:
    settings = StoreSettings(tmp_path / "data")
    async with stores(settings) as engines:
        site = Site(engines, settings.data, date(2026, 11, 23), "")
        one, budget = "ab" * 16, 3 * pieces.PIECE_BYTES
        for number in range(3):
            await spool.make_sure_of_room(site.data, one, budget=budget)
            await pieces.keep_piece(engines["cases"], one, number, b"x" * 100, site.day)
        with pytest.raises(spool.SpoolFull):
            await spool.make_sure_of_room(site.data, one, budget=budget)  # it does not make way for itself
        with pytest.raises(spool.SpoolFull):
            await spool.make_sure_of_room(site.data, one, 2**60)  # no disk has so much to spare
        await pieces.claim([one], 7)
        await spool.make_sure_of_room(site.data, one, budget=budget)


async def test_a_stranger_who_fills_the_spool_closes_it_for_nobody(tmp_path: Path) -> None:
    """Done from outside: 8,192 pieces of one byte, and for two days no photo could be sent, nor a report that had one."""
    settings, budget = StoreSettings(tmp_path / "data"), 40 * pieces.PIECE_BYTES
    async with stores(settings) as engines:
        site = Site(engines, settings.data, date(2026, 11, 23), "")
        claimed = "0c" * 16
        await pieces.keep_piece(engines["cases"], claimed, 0, b"x", site.day)
        await pieces.claim([claimed], 7)
        for number in range(100):
            name = f"{number:032x}"
            await spool.make_sure_of_room(site.data, name, budget=budget)
            await pieces.keep_piece(engines["cases"], name, 0, b"x", site.day)
        assert await Piece.count().where(Piece.case.is_null()) == 40
        hers = "ee" * 16
        for number in range(5):
            await spool.make_sure_of_room(site.data, hers, budget=budget)
            await pieces.keep_piece(engines["cases"], hers, number, b"foto", site.day)
        with pytest.raises(ReportRefused):  # one that made way: no letter is kept without it
            await pieces.claim([hers, "ff" * 16], 8)
        assert await pieces.pieces_kept(hers) == [0, 1, 2, 3, 4] and await pieces.pieces_kept(claimed) == [0]
        assert await Piece.count().where(Piece.case.is_null()) == 40
