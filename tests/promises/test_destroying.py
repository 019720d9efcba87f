"""What is said to be destroyed is: also where a release, a cancelling or a closing was cut off, or somebody reads in the store.

Done from outside: after a kill at "destroying the sheets" two keepers opened 64 sheets of a released wave; a cancelled wave kept
everything and took one more; a backup that was open left keys and sheets for good.
"""

from collections.abc import Awaitable, Callable

import pysqlite3.dbapi2 as sqlite
import pytest

from surveys.answers import wave as urn_of
from surveys.lifecycle import accepting, closing, destroying, drawing
from surveys.lifecycle.context import House, draw_path, keep_file, wave_key_path
from surveys.lifecycle.issuing import key_file
from surveys.lifecycle.releasing import release_wave
from surveys.people import links, log
from surveys.public import waves
from surveys.public.waves import State, WaveRecord
from tests.conftest import WAVE, Opened, end_and_close, open_a_wave
from tests.surveys.test_releasing import fill


async def _decided(house: House, state: State) -> None:
    """As a process leaves a wave that is killed right after the decision."""
    await waves.change(house.engines["public"], WAVE, *State, state=state)


async def _cancelled(house: House, _: Opened) -> None:
    await _decided(house, State.CANCELLED)


async def _too_few(house: House, _: Opened) -> None:
    await closing.end(house, WAVE)
    await _decided(house, State.TOO_FEW)


async def _released(house: House, wave: Opened) -> None:
    """The kill itself is in test_releasing; here the files stay that it leaves, one after the other."""
    await end_and_close(house)
    key = wave_key_path(house.data, WAVE).read_bytes()
    await release_wave(house, WAVE, (wave.secrets["hr"], wave.secrets["recovery"]), lambda _: None)
    keep_file(wave_key_path(house.data, WAVE), key)
    drawing.begin(house.data, WAVE, {})


def _files(house: House) -> list[bool]:
    files = (wave_key_path(house.data, WAVE), draw_path(house.data, WAVE), key_file(house, WAVE))
    return [file.exists() for file in files]


@pytest.mark.opened
@pytest.mark.parametrize("cut_off", [_cancelled, _too_few, _released])
async def test_what_was_decided_and_not_done_is_done_by_the_next_look_of_the_jobs(
    house: House, cut_off: Callable[[House, Opened], Awaitable[None]]
) -> None:
    wave = await open_a_wave(house)
    await fill(house, wave, 12)
    await cut_off(house, wave)
    assert any(_files(house)) and await urn_of.is_there(WAVE) is (cut_off is not _released)
    await destroying.finish_unless_busy(house)
    assert not any(_files(house)) and not await urn_of.is_there(WAVE) and not await links.are_there(WAVE)
    done = len(await log.read())
    await destroying.finish_unless_busy(house)
    assert len(await log.read()) == done  # and once


@pytest.mark.opened
async def test_links_that_a_closing_left_go_too(house: House) -> None:
    wave = await open_a_wave(house)
    await fill(house, wave, 12)
    await links.draw(house.engines["people"], (await links.members_of(WAVE, "slip", only_missing=False))[:3])
    await closing.end(house, WAVE)
    await _decided(house, State.CLOSED)
    await destroying.finish(house)
    assert not await links.are_there(WAVE) and not key_file(house, WAVE).exists()
    assert await urn_of.is_there(WAVE)  # what waits for its release stays


@pytest.mark.opened
async def test_a_cancelled_wave_takes_no_sheet_also_in_a_process_that_knew_it(house: House) -> None:
    await open_a_wave(house)
    accepting.begin(house.data)
    assert await accepting.to_answer(WAVE) is not None
    await _decided(house, State.CANCELLED)
    assert await accepting.to_send(WAVE) is None


@pytest.mark.opened
async def test_somebody_who_reads_in_the_store_keeps_no_key_alive(sqlite_house: House) -> None:
    wave = await open_a_wave(sqlite_house)
    await fill(sqlite_house, wave, 40)
    await end_and_close(sqlite_house)
    reader = sqlite.connect(sqlite_house.data / "answers.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM slot").fetchone()
    await release_wave(sqlite_house, WAVE, (wave.secrets["hr"], wave.secrets["recovery"]), lambda _: None)
    assert not any(_files(sqlite_house)) and not await urn_of.is_there(WAVE)
    reader.close()


@pytest.mark.opened
async def test_a_wave_that_says_it_is_released_without_our_document_keeps_its_keys(house: House) -> None:
    """Could lose: whoever writes the store, or an older copy of it that is put back, would have all sheets destroyed."""
    wave = await open_a_wave(house)
    await fill(house, wave, 12)
    await end_and_close(house)
    await _decided(house, State.RELEASED)
    await destroying.finish(house)
    assert wave_key_path(house.data, WAVE).exists() and await urn_of.is_there(WAVE)


@pytest.mark.opened
async def test_a_row_that_cannot_be_right_keeps_no_other_wave_waiting(house: House) -> None:
    """Could block: the jobs would stop at a name that no wave has, or reach for a file outside the folder of keys."""
    await open_a_wave(house)
    outside = house.data / "theirs.sign.pem"
    outside.write_text("not ours")
    await waves.add(house.engines["public"], WaveRecord("../theirs", {"it": "x"}, State.CANCELLED))
    await _decided(house, State.CANCELLED)
    with pytest.raises(waves.NoSuchWave):  # which the jobs note
        await destroying.finish(house)
    assert outside.read_text() == "not ours" and not await urn_of.is_there(WAVE)


async def test_a_wave_that_was_cancelled_before_it_opened_has_no_urn_to_be_destroyed(house: House) -> None:
    await waves.add(house.engines["public"], WaveRecord("bozza", {"it": "x"}, State.PLANNED))
    await closing.cancel(house, "bozza")
    assert [act.act for act in await log.read()] == ["wave cancelled"]
