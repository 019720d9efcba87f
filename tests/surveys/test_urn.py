"""The urn on both engines: both or neither, once, and in no order."""

import asyncio
import random
from collections.abc import Sequence

import numpy as np
import pysqlite3.dbapi2 as sqlite
import pytest

from surveys.answers import filling
from surveys.answers import urn as urn_module
from surveys.answers import wave as urn_of
from surveys.answers.envelope import ENVELOPE_BYTES, SheetTooLarge
from surveys.answers.filling import Receipt, UrnFull
from surveys.answers.tables import Slot, Spent
from surveys.answers.urn import TooManyWaiting, Urn
from surveys.away import StoreAway
from surveys.engines import PooledSQLite
from surveys.lifecycle import closing
from surveys.lifecycle.context import Site
from surveys.slips import SlipCode
from surveys.stirring import StillInOrder
from tests.conftest import WAVE, Opened, end_and_close, open_a_wave
from tests.rights import right
from tests.urn import put_in, sealed, settled, spent


async def _started(site: Site) -> Urn:
    urn = Urn(site.engines["answers"])
    urn.start()
    return urn


ENVELOPE = bytes(ENVELOPE_BYTES)


async def _put(urn: Urn, wave: Opened, code: SlipCode, attempt: bytes = b"a" * 16) -> Receipt:
    return await urn.put(right(WAVE, spent(code)), attempt, ENVELOPE)


@pytest.mark.opened
async def test_twenty_tasks_that_spend_one_code_leave_one_answer(site: Site) -> None:
    wave = await open_a_wave(site)
    urn = await _started(site)
    receipts = await asyncio.gather(*(_put(urn, wave, wave.codes[0], bytes([i]) * 16) for i in range(20)))
    await urn.stop()
    assert (receipts.count(Receipt.RECEIVED), receipts.count(Receipt.USED)) == (1, 19)
    assert await Slot.count().where(Slot.taken.eq(True)) == 1


@pytest.mark.opened
async def test_one_form_sent_ten_times_is_one_answer_and_ten_times_received(site: Site) -> None:
    wave = await open_a_wave(site)
    urn = await _started(site)
    receipts = [await _put(urn, wave, wave.codes[0]) for _ in range(10)]
    await urn.stop()
    assert receipts == [Receipt.RECEIVED] * 10
    assert await urn_of.received(WAVE) == 1


@pytest.mark.opened
async def test_a_code_that_never_was_and_a_code_after_closing_are_unknown(site: Site) -> None:
    wave = await open_a_wave(site)
    urn = await _started(site)
    assert await _put(urn, wave, SlipCode("0" * 16)) == Receipt.UNKNOWN
    for code in wave.codes[:12]:
        await _put(urn, wave, code)
    await end_and_close(site)
    assert await _put(urn, wave, wave.codes[20]) == Receipt.UNKNOWN
    await urn.stop()
    assert await urn_of.received(WAVE) == 12


@pytest.mark.opened
async def test_stopping_loses_nothing_that_waits(site: Site) -> None:
    wave = await open_a_wave(site)
    urn = await _started(site)
    sending = [asyncio.create_task(_put(urn, wave, code)) for code in wave.codes[:40]]
    await asyncio.sleep(0)
    await urn.stop()
    assert await asyncio.gather(*sending) == [Receipt.RECEIVED] * 40
    assert await Slot.count().where(Slot.taken.eq(True)) == 40


async def test_a_full_urn_refuses_one_sheet_and_keeps_the_others_of_its_batch(site: Site) -> None:
    wave = await open_a_wave(site, people=40)
    await Slot.delete().where(Slot.id > 5)
    urn = await _started(site)
    results = await asyncio.gather(*(_put(urn, wave, code) for code in wave.codes[:8]), return_exceptions=True)
    await urn.stop()
    assert sum(isinstance(result, UrnFull) for result in results) == 3
    assert [result for result in results if not isinstance(result, UrnFull)] == [Receipt.RECEIVED] * 5
    assert await Spent.count() == await Slot.count().where(Slot.taken.eq(True)) == 5


@pytest.mark.opened
async def test_so_many_sheets_wait_as_one_process_may_hold_and_none_more(
    sqlite_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(urn_module, "WAITING_LIMIT", 3)
    wave = await open_a_wave(sqlite_site)
    urn = Urn(sqlite_site.engines["answers"])
    waiting = [asyncio.create_task(_put(urn, wave, code)) for code in wave.codes[:3]]
    await asyncio.sleep(0)
    with pytest.raises(TooManyWaiting):
        await asyncio.wait_for(_put(urn, wave, wave.codes[3]), 5)  # nobody serves the urn yet
    urn.start()
    assert await asyncio.gather(*waiting) == [Receipt.RECEIVED] * 3
    assert await _put(urn, wave, wave.codes[3]) == Receipt.RECEIVED
    await urn.stop()


@pytest.mark.opened
async def test_whoever_waits_while_the_store_is_away_is_told_so_and_may_send_again(
    sqlite_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault is put in where the store is asked; the urn goes on with the next sheet."""
    wave, asked = await open_a_wave(sqlite_site), list[int]()

    async def away(engine: object, sheets: Sequence[filling.Sheet], free: filling.Free) -> list[Receipt]:
        asked.append(len(sheets))
        raise StoreAway("answers", "Gone")

    urn = Urn(sqlite_site.engines["answers"])
    with monkeypatch.context() as patch:
        patch.setattr(urn_module, "fill", away)
        sending = [asyncio.create_task(_put(urn, wave, code)) for code in wave.codes[:4]]
        await asyncio.sleep(0)
        urn.start()
        told = await asyncio.gather(*sending, return_exceptions=True)
    assert [(one.store, one.kind) for one in told if isinstance(one, StoreAway)] == [("answers", "Gone")] * 4
    assert len({id(one) for one in told}) == 4  # each has her own: a fault that is raised twice grows
    assert asked == [4]  # not once more for each
    assert await asyncio.gather(*(_put(urn, wave, code) for code in wave.codes[:4])) == [Receipt.RECEIVED] * 4
    await urn.stop()


@pytest.mark.opened
@pytest.mark.parametrize("drawn", [filling.CANDIDATES, 2])
async def test_two_processes_fill_one_urn_to_its_last_slot_and_refuse_nobody(
    drawn: int, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each knew the free slots by itself: what one had filled the other tried again, and refused the sheet."""
    monkeypatch.setattr(filling, "CANDIDATES", drawn)  # where few are left, few of those drawn are free
    wave = await open_a_wave(site)
    rows = await Slot.select(Slot.id).order_by(Slot.id)
    left = random.Random(2).sample([int(row["id"]) for row in rows], 48)
    await Slot.delete().where(Slot.id.not_in(left))
    monkeypatch.setattr(urn_module, "BATCH", 2)
    tried, plain = list[bool](), filling._check

    def check(filled: int, sheets: Sequence[filling.Sheet]) -> None:
        tried.append(filled == len(sheets))
        plain(filled, sheets)

    monkeypatch.setattr(filling, "_check", check)
    urns = [await _started(site) for _ in range(2)]
    receipts = await asyncio.gather(*(_put(urns[place % 2], wave, wave.codes[place]) for place in range(48)))
    assert receipts == [Receipt.RECEIVED] * 48
    with pytest.raises(UrnFull):
        await _put(urns[0], wave, wave.codes[48])
    for urn in urns:
        await urn.stop()
    assert await Slot.count().where(Slot.taken.eq(True)) == await Spent.count() == 48
    assert set(tried) == {True}  # nobody had to try twice


@pytest.mark.opened
@pytest.mark.parametrize(("longest", "times"), [(0.0, 20), (1000.0, 1)])
async def test_the_log_is_emptied_in_time_while_answers_come_and_as_soon_as_none_comes(
    longest: float, times: int, sqlite_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    wave = await open_a_wave(sqlite_site)
    emptied, plain = list[bool](), PooledSQLite.truncate_wal

    async def counted(engine: PooledSQLite) -> bool:
        emptied.append(await plain(engine))
        return emptied[-1]

    monkeypatch.setattr(PooledSQLite, "truncate_wal", counted)
    monkeypatch.setattr(urn_module, "LOG_SECONDS", longest)
    monkeypatch.setattr(urn_module, "BATCH", 1)
    urn = await _started(sqlite_site)
    await asyncio.gather(*(_put(urn, wave, code) for code in wave.codes[:20]))
    await settled(urn)
    assert (len(emptied), (sqlite_site.data / "answers.sqlite-wal").stat().st_size) == (times, 0)
    await urn.stop()


@pytest.mark.opened
async def test_every_envelope_has_one_size_and_another_is_refused(site: Site) -> None:
    wave = await open_a_wave(site)
    urn = await _started(site)
    with pytest.raises(ValueError, match="one size"):
        await urn.put(right(WAVE, spent(wave.codes[0])), b"a" * 16, b"short")
    with pytest.raises(SheetTooLarge):
        sealed(site, wave.record, b"x" * ENVELOPE_BYTES)
    await urn.stop()
    sizes = {len(bytes(row["sheet"])) for row in await Slot.select(Slot.sheet)}
    assert sizes == {ENVELOPE_BYTES}


async def _positions(site: Site, wave: Opened, urn: Urn, codes: list[SlipCode]) -> float:
    """Correlation of the order of receipt with the slot that was taken."""
    taken: list[int] = []
    for code in codes:
        await _put(urn, wave, code)
        now = {int(row["id"]) for row in await Slot.select(Slot.id).where(Slot.taken.eq(True))}
        taken += sorted(now - set(taken))
    return abs(float(np.corrcoef(range(len(taken)), taken)[0, 1]))


@pytest.mark.opened
@pytest.mark.parametrize("drawn", [filling.CANDIDATES, 8])
async def test_the_order_of_receipt_is_not_the_order_of_the_slots(
    drawn: int, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "CANDIDATES", drawn)  # an urn that is larger than what is drawn of it at once
    wave = await open_a_wave(site)
    codes = random.Random(1).sample(wave.codes, 60)
    urn = await _started(site)
    found = await _positions(site, wave, urn, codes)
    await urn.stop()
    await urn_of.stir(site.engines["answers"])
    assert found < 0.5  # 60 random places: beyond 0.5 once in 20,000


async def _one_after_the_other(urn: Urn, wave: Opened) -> list[Receipt]:
    return [await _put(urn, wave, code) for code in wave.codes[:60]]


@pytest.mark.opened
async def test_stirring_while_answers_arrive_loses_none(site: Site) -> None:
    wave = await open_a_wave(site)
    urn = await _started(site)
    sending = asyncio.create_task(_one_after_the_other(urn, wave))
    while not sending.done():
        await urn_of.stir(site.engines["answers"])
    assert await sending == [Receipt.RECEIVED] * 60
    await urn.stop()
    assert await Slot.count().where(Slot.taken.eq(True)) == await Spent.count() == 60


@pytest.mark.opened
async def test_a_weakened_urn_that_takes_slots_in_turn_gives_the_order_away(site: Site) -> None:
    wave = await open_a_wave(site)
    urn = await _started(site)
    rows = await Slot.select(Slot.id).order_by(Slot.id, ascending=False)
    urn._free[WAVE] = [int(row["id"]) for row in rows]  # the weakened copy: no shuffle
    assert await _positions(site, wave, urn, wave.codes[:60]) > 0.99
    await urn.stop()


@pytest.mark.opened
async def test_nothing_remains_of_an_urn_that_was_destroyed(sqlite_site: Site) -> None:
    wave = await open_a_wave(sqlite_site)
    urn = await _started(sqlite_site)
    code, kept = put_in(sqlite_site, wave.record, wave.codes[0], b"sheet")
    await urn.put(right(WAVE, code), b"a" * 16, kept)
    row = await Slot.select(Slot.sheet).where(Slot.taken.eq(True)).first()
    assert row is not None
    envelope = bytes(row["sheet"])
    await urn.stop()
    files = [path for path in sqlite_site.data.iterdir() if path.name.startswith("answers.sqlite")]
    assert any(envelope[:64] in path.read_bytes() for path in files)  # it could be found
    await urn_of.destroy(sqlite_site.engines["answers"], WAVE)
    assert not any(envelope[:64] in path.read_bytes() for path in files if path.exists())


@pytest.mark.opened
async def test_a_log_that_cannot_be_emptied_does_not_end_the_urn(
    sqlite_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full_disk() -> None:
        raise OSError("no space left")

    wave = await open_a_wave(sqlite_site)
    urn = await _started(sqlite_site)
    monkeypatch.setattr(type(sqlite_site.engines["answers"]), "truncate_wal", lambda _: full_disk())
    for code in wave.codes[:3]:
        assert await asyncio.wait_for(_put(urn, wave, code), 10) == Receipt.RECEIVED
        await asyncio.sleep(0.05)
    await urn.stop()


@pytest.mark.opened
async def test_whoever_reads_in_the_store_keeps_nobody_s_answer_waiting(sqlite_site: Site) -> None:
    """Done from outside: one open read, as of a backup, and every answer took 30 seconds while the log kept their order."""
    wave = await open_a_wave(sqlite_site)
    urn = await _started(sqlite_site)
    reader = sqlite.connect(sqlite_site.data / "answers.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM spent").fetchone()
    log = sqlite_site.data / "answers.sqlite-wal"
    for place in range(5):
        assert await asyncio.wait_for(_put(urn, wave, wave.codes[place]), 5) == Receipt.RECEIVED
        await asyncio.sleep(0.05)  # the queue runs dry: its log is to be emptied
    with pytest.raises(StillInOrder):  # and it is said that it was not
        await urn_of.stir(sqlite_site.engines["answers"])
    assert log.stat().st_size > 0
    reader.close()
    await urn_of.stir(sqlite_site.engines["answers"])
    assert log.stat().st_size == 0
    await urn.stop()


@pytest.mark.opened
async def test_a_cancelling_that_is_cut_off_anywhere_thanks_nobody_any_more(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that knows the survey asks its urn alone: between the word "cancelled" and the end of the urn it took sheets."""

    async def dies(*_: object) -> None:
        raise KeyboardInterrupt

    wave = await open_a_wave(site)
    urn = await _started(site)
    monkeypatch.setattr(closing, "destroy", dies)
    with pytest.raises(KeyboardInterrupt):
        await closing.cancel(site, WAVE)
    assert await _put(urn, wave, wave.codes[0]) == Receipt.UNKNOWN
    await urn.stop()
    assert await Spent.count() == 0
