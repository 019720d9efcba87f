"""Releasing: two secrets, one release, nothing in clear on disk, and a crash that loses nothing."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from surveys.answers import wave as urn_of
from surveys.answers.keys import SecretRefused
from surveys.answers.tables import Slip, Slot, Spent
from surveys.answers.urn import Urn
from surveys.lifecycle import closing
from surveys.lifecycle.context import House, plan_path, wave_key_path
from surveys.lifecycle.destroying import AlreadyReleasing, finish
from surveys.lifecycle.opening import NotReady, TooManySlips, open_wave, print_slips
from surveys.lifecycle.planning import PlanRefused, Wish, plan
from surveys.lifecycle.ready import is_second
from surveys.lifecycle.releasing import release_wave
from surveys.people import roster
from surveys.public import releases, waves
from surveys.public.waves import State, WrongState
from surveys.questionnaire import Questionnaire
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, WAVE, Opened, end_and_close, open_a_wave, small_cooperative
from tests.rights import right
from tests.urn import anchor, put_in

SHEET = {
    "CUL1": "2",
    "CUL2": "dont_know",
    "VOI1": "5",
    "SAF1": "1",
    "EXP1": "2",
    "gender": "f",
    "unit": "po.nido",
    "age": "40_49",
}
_CRASH = """
import asyncio, json, os, signal, sys
from datetime import date
from pathlib import Path
from surveys.lifecycle.context import House
from surveys.lifecycle.releasing import release_wave
from surveys.stores import StoreSettings, stores
data, step, first, second = sys.argv[1:]
def progress(now):
    if now == step:
        os.kill(os.getpid(), signal.SIGKILL)
async def main():
    async with stores(StoreSettings(Path(data))) as engines:
        await release_wave(House(engines, Path(data), date(2026, 11, 20), "hr"), "autunno-2026", (first, second), progress)
asyncio.run(main())
"""


def _quiet(_: str) -> None:
    return None


async def fill(house: House, wave: Opened, sheets: int) -> bytes:
    """Put sheets in the urn; gives the last sheet as packed, to look for on disk."""
    urn = Urn(house.engines["answers"])
    urn.start()
    questionnaire = Questionnaire.from_json(dict(wave.record.questionnaire))
    packed = b""
    for number, code in enumerate(wave.codes[:sheets]):
        form = {item: [value] for item, value in SHEET.items()} | {
            "CUL3": [str(1 + number % 5)],
            "unit": [("po.nido", "fi.cura")[number % 2]],
        }
        packed = questionnaire.read(form).to_bytes()
        row, envelope = put_in(house, wave.record, code, packed)
        await urn.put(right(WAVE, row), number.to_bytes(16), envelope)
    await urn.stop()
    return packed


def _holding(folder: Path, needle: bytes) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and needle in path.read_bytes()]


@pytest.mark.parametrize("name", ["x" * 3000, "", ".", "..", "a\0b", "../../etc/passwd", "a/b", "autunno-2026\n"])
def test_a_name_that_no_wave_can_have_is_no_file(tmp_path: Path, name: str) -> None:
    for find in (plan_path, wave_key_path, is_second):
        with pytest.raises(waves.NoSuchWave):
            find(tmp_path, name)


@pytest.mark.opened
async def test_a_release_leaves_no_response_in_clear_and_no_urn(house: House) -> None:
    wave = await open_a_wave(house)
    packed = await fill(house, wave, 40)
    assert _holding(house.data, packed) == []
    await end_and_close(house, unused=20)
    made = await release_wave(house, WAVE, (wave.secrets["hr"], wave.secrets["recovery"]), _quiet)
    assert made.to_json()["participation"]["received"] == 40
    assert _holding(house.data, packed) == []
    assert _holding(house.data, json.dumps(SHEET["unit"]).encode() + b',"VOI1"') == []
    assert not house.wave_key_file(WAVE).exists()
    assert [await table.count() for table in (Slot, Spent, Slip)] == [0, 0, 0]
    assert (await waves.get(WAVE)).state == State.RELEASED
    (house.data / "weakened").write_bytes(b"..." + packed)  # a store that wrote a sheet would be found
    assert _holding(house.data, packed) == ["weakened"]


@pytest.mark.opened
@pytest.mark.parametrize(
    "typed",
    [("hr", "hr"), ("hr", "wrong"), ("wrong", "recovery"), ("hr", "")],
    ids=["twice the same", "second wrong", "first wrong", "only one"],
)
async def test_without_two_secrets_of_two_holders_nothing_opens_and_it_can_be_repeated(
    sqlite_house: House, typed: tuple[str, str]
) -> None:
    wave = await open_a_wave(sqlite_house)
    await fill(sqlite_house, wave, 30)
    await end_and_close(sqlite_house)
    secrets = {**wave.secrets, "wrong": "abaco abbaglio abbinato abete abisso abolire abrasivo abrogato", "": ""}
    with pytest.raises(SecretRefused):
        await release_wave(sqlite_house, WAVE, (secrets[typed[0]], secrets[typed[1]]), _quiet)
    assert await urn_of.received(WAVE) == 30
    made = await release_wave(sqlite_house, WAVE, (wave.secrets["representative"], wave.secrets["hr"]), _quiet)
    assert made.to_json()["participation"]["received"] == 30


@pytest.mark.opened
async def test_two_releases_at_once_make_one(sqlite_house: House) -> None:
    wave = await open_a_wave(sqlite_house)
    await fill(sqlite_house, wave, 30)
    await end_and_close(sqlite_house)
    both = wave.secrets["hr"], wave.secrets["recovery"]
    ended = await asyncio.gather(
        *(release_wave(sqlite_house, WAVE, both, _quiet) for _ in range(2)), return_exceptions=True
    )
    assert sum(isinstance(result, AlreadyReleasing | WrongState) for result in ended) == 1
    assert await releases.document(WAVE) is not None


@pytest.mark.opened
@pytest.mark.parametrize("step", ["opening", "audit", "committing", "destroying"])
async def test_a_release_that_is_killed_is_repeated_without_loss(tmp_path: Path, step: str) -> None:
    data = tmp_path / "data"
    async with stores(StoreSettings(data)) as engines:
        house = House(engines, data, DAY, "hr")
        wave = await open_a_wave(house)
        await fill(house, wave, 30)
        await end_and_close(house)
    both = [wave.secrets["hr"], wave.secrets["recovery"]]
    killed = subprocess.run(
        [sys.executable, "-c", _CRASH, str(data), step, *both], env=dict(os.environ), check=False, capture_output=True
    )
    assert killed.returncode == -9, killed.stderr
    async with stores(StoreSettings(data)) as engines:
        house = House(engines, data, DAY, "hr")
        if step == "destroying":  # after the commit: only the destroying is left to do
            await finish(house)
        else:
            assert await urn_of.received(WAVE) == 30
            await release_wave(house, WAVE, (both[0], both[1]), _quiet)
        document = await releases.document(WAVE)
        assert document is not None
        assert document["participation"]["received"] == 30
        assert await Slot.count() == 0
        assert not house.wave_key_file(WAVE).exists()


@pytest.mark.opened
async def test_nine_answers_are_too_few_and_are_destroyed_unread(house: House) -> None:
    wave = await open_a_wave(house)
    await fill(house, wave, 9)
    closed = await end_and_close(house)
    assert closed.state == State.TOO_FEW
    assert await Slot.count() == 0
    with pytest.raises(WrongState):
        await release_wave(house, WAVE, (wave.secrets["hr"], wave.secrets["recovery"]), _quiet)


@pytest.mark.opened
async def test_a_cancelled_wave_leaves_nothing(house: House) -> None:
    wave = await open_a_wave(house)
    await fill(house, wave, 20)
    await closing.cancel(house, WAVE)
    assert [await table.count() for table in (Slot, Spent, Slip)] == [0, 0, 0]
    assert not house.wave_key_file(WAVE).exists()


async def test_opening_names_everything_that_is_missing(sqlite_house: House) -> None:
    await roster.replace(sqlite_house.engines["people"], *small_cooperative(), DAY)
    await anchor(sqlite_house)
    await plan(sqlite_house, Wish(WAVE, {"it": "A"}, DAY, DAY))
    with pytest.raises(NotReady) as refused:
        await open_wave(sqlite_house, WAVE)
    assert refused.value.missing == ("organisation", "holder.hr", "holder.representative", "holder.recovery")


async def test_no_more_slips_than_people_and_no_more_sheets_than_slips_drawn(sqlite_house: House) -> None:
    wave = await open_a_wave(sqlite_house, people=60, slips=60)
    with pytest.raises(TooManySlips) as refused:
        await print_slips(sqlite_house, WAVE, 1)
    assert refused.value.left == 0
    await fill(sqlite_house, wave, 20)
    with pytest.raises(PlanRefused, match="drawn"):
        await end_and_close(sqlite_house, unused=41)


@pytest.mark.opened
async def test_the_end_moves_later_only(sqlite_house: House) -> None:
    wave = await open_a_wave(sqlite_house)
    assert wave.record.ends is not None
    with pytest.raises(PlanRefused, match="extension"):
        await closing.extend(sqlite_house, WAVE, wave.record.ends)
    later = await closing.extend(sqlite_house, WAVE, wave.record.ends.replace(day=30))
    assert (later.ends, len(later.extensions)) == (wave.record.ends.replace(day=30), 1)
