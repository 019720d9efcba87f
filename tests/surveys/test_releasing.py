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
from surveys.lifecycle.context import Site, plan_path, wave_key_path
from surveys.lifecycle.destroying import AlreadyReleasing, finish
from surveys.lifecycle.opening import NotReady, open_wave
from surveys.lifecycle.planning import PlanRefused, Wish, plan
from surveys.lifecycle.printing import TooManySlips, print_slips
from surveys.lifecycle.ready import is_second
from surveys.lifecycle.releasing import release_wave
from surveys.people import roster
from surveys.public import releases, waves
from surveys.public.waves import State, WrongState
from surveys.questionnaire import Questionnaire, read_form
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
from surveys.lifecycle.context import Site
from surveys.lifecycle.releasing import release_wave
from surveys.stores import StoreSettings, stores
data, step, first, second = sys.argv[1:]
def progress(now):
    if now == step:
        os.kill(os.getpid(), signal.SIGKILL)
async def main():
    async with stores(StoreSettings(Path(data))) as engines:
        await release_wave(Site(engines, Path(data), date(2026, 11, 20), "hr"), "autunno-2026", (first, second), progress)
asyncio.run(main())
"""


def _quiet(_: str) -> None:
    return None


async def fill(site: Site, wave: Opened, sheets: int) -> bytes:
    """Put sheets in the urn; gives the last sheet as packed, to look for on disk."""
    urn = Urn(site.engines["answers"])
    urn.start()
    questionnaire = Questionnaire.from_json(dict(wave.record.questionnaire))
    packed = b""
    for number, code in enumerate(wave.codes[:sheets]):
        form = {item: [value] for item, value in SHEET.items()} | {
            "CUL3": [str(1 + number % 5)],
            "unit": [("po.nido", "fi.cura")[number % 2]],
        }
        packed = read_form(questionnaire, form).to_bytes()
        row, envelope = put_in(site, wave.record, code, packed)
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
async def test_a_release_leaves_no_response_in_clear_and_no_urn(site: Site) -> None:
    wave = await open_a_wave(site)
    packed = await fill(site, wave, 40)
    assert _holding(site.data, packed) == []
    await end_and_close(site, unused=20)
    made = await release_wave(site, WAVE, (wave.secrets["hr"], wave.secrets["recovery"]), _quiet)
    assert made.to_json()["participation"]["received"] == 40
    assert _holding(site.data, packed) == []
    assert _holding(site.data, json.dumps(SHEET["unit"]).encode() + b',"VOI1"') == []
    assert not site.wave_key_file(WAVE).exists()
    assert [await table.count() for table in (Slot, Spent, Slip)] == [0, 0, 0]
    assert (await waves.get(WAVE)).state == State.RELEASED
    (site.data / "weakened").write_bytes(b"..." + packed)  # a store that wrote a sheet would be found
    assert _holding(site.data, packed) == ["weakened"]


@pytest.mark.opened
@pytest.mark.parametrize(
    "typed",
    [("hr", "hr"), ("hr", "wrong"), ("wrong", "recovery"), ("hr", "")],
    ids=["twice the same", "second wrong", "first wrong", "only one"],
)
async def test_without_two_secrets_of_two_holders_nothing_opens_and_it_can_be_repeated(
    sqlite_site: Site, typed: tuple[str, str]
) -> None:
    wave = await open_a_wave(sqlite_site)
    await fill(sqlite_site, wave, 30)
    await end_and_close(sqlite_site)
    secrets = {**wave.secrets, "wrong": "abaco abbaglio abbinato abete abisso abolire abrasivo abrogato", "": ""}
    with pytest.raises(SecretRefused):
        await release_wave(sqlite_site, WAVE, (secrets[typed[0]], secrets[typed[1]]), _quiet)
    assert await urn_of.received(WAVE) == 30
    made = await release_wave(sqlite_site, WAVE, (wave.secrets["representative"], wave.secrets["hr"]), _quiet)
    assert made.to_json()["participation"]["received"] == 30


@pytest.mark.opened
async def test_two_releases_at_once_make_one(sqlite_site: Site) -> None:
    wave = await open_a_wave(sqlite_site)
    await fill(sqlite_site, wave, 30)
    await end_and_close(sqlite_site)
    both = wave.secrets["hr"], wave.secrets["recovery"]
    ended = await asyncio.gather(
        *(release_wave(sqlite_site, WAVE, both, _quiet) for _ in range(2)), return_exceptions=True
    )
    assert sum(isinstance(result, AlreadyReleasing | WrongState) for result in ended) == 1
    assert await releases.document(WAVE) is not None


@pytest.mark.opened
@pytest.mark.parametrize("step", ["opening", "audit", "committing", "destroying"])
async def test_a_release_that_is_killed_is_repeated_without_loss(tmp_path: Path, step: str) -> None:
    data = tmp_path / "data"
    async with stores(StoreSettings(data)) as engines:
        site = Site(engines, data, DAY, "hr")
        wave = await open_a_wave(site)
        await fill(site, wave, 30)
        await end_and_close(site)
    both = [wave.secrets["hr"], wave.secrets["recovery"]]
    killed = subprocess.run(
        [sys.executable, "-c", _CRASH, str(data), step, *both], env=dict(os.environ), check=False, capture_output=True
    )
    assert killed.returncode == -9, killed.stderr
    async with stores(StoreSettings(data)) as engines:
        site = Site(engines, data, DAY, "hr")
        if step == "destroying":  # after the commit: only the destroying is left to do
            await finish(site)
        else:
            assert await urn_of.received(WAVE) == 30
            await release_wave(site, WAVE, (both[0], both[1]), _quiet)
        document = await releases.document(WAVE)
        assert document is not None
        assert document["participation"]["received"] == 30
        assert await Slot.count() == 0
        assert not site.wave_key_file(WAVE).exists()


@pytest.mark.opened
async def test_nine_answers_are_too_few_and_are_destroyed_unread(site: Site) -> None:
    wave = await open_a_wave(site)
    await fill(site, wave, 9)
    closed = await end_and_close(site)
    assert closed.state == State.TOO_FEW
    assert await Slot.count() == 0
    with pytest.raises(WrongState):
        await release_wave(site, WAVE, (wave.secrets["hr"], wave.secrets["recovery"]), _quiet)


@pytest.mark.opened
async def test_a_cancelled_wave_leaves_nothing(site: Site) -> None:
    wave = await open_a_wave(site)
    await fill(site, wave, 20)
    await closing.cancel(site, WAVE)
    assert [await table.count() for table in (Slot, Spent, Slip)] == [0, 0, 0]
    assert not site.wave_key_file(WAVE).exists()


async def test_opening_names_everything_that_is_missing(sqlite_site: Site) -> None:
    await roster.replace(sqlite_site.engines["people"], *small_cooperative(), DAY)
    await anchor(sqlite_site)
    await plan(sqlite_site, Wish(WAVE, {"it": "A"}, DAY, DAY))
    with pytest.raises(NotReady) as refused:
        await open_wave(sqlite_site, WAVE)
    assert refused.value.missing == ("organisation", "holder.hr", "holder.representative", "holder.recovery")


async def test_no_more_slips_than_people_and_no_more_sheets_than_slips_drawn(sqlite_site: Site) -> None:
    wave = await open_a_wave(sqlite_site, people=60, slips=60)
    with pytest.raises(TooManySlips) as refused:
        await print_slips(sqlite_site, WAVE, 1)
    assert refused.value.left == 0
    await fill(sqlite_site, wave, 20)
    with pytest.raises(PlanRefused, match="drawn"):
        await end_and_close(sqlite_site, unused=41)


@pytest.mark.opened
async def test_the_end_moves_later_only(sqlite_site: Site) -> None:
    wave = await open_a_wave(sqlite_site)
    assert wave.record.ends is not None
    with pytest.raises(PlanRefused, match="extension"):
        await closing.extend(sqlite_site, WAVE, wave.record.ends)
    later = await closing.extend(sqlite_site, WAVE, wave.record.ends.replace(day=30))
    assert (later.ends, len(later.extensions)) == (wave.record.ends.replace(day=30), 1)
