"""Somebody who writes the databases has a wave released again and again, with other moves or other groups each time.

Done from outside: two triggers put a released wave back and kept each document; of 25 documents 16 answers of known people were
sure, and with two headcounts set to 0 in between two documents differed by a single person.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as sqlite3

from surveys.answers.plans import PlanOther
from surveys.lifecycle import accepting, drawing, frozen, two_keys
from surveys.lifecycle.context import Site, draw_path, frozen_path
from surveys.lifecycle.drawing import DrawnBefore
from surveys.lifecycle.releasing import ReleaseLost, release_wave
from surveys.people import log
from surveys.people import two_keys as acts
from surveys.public import releases, waves
from surveys.public.waves import State
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, WAVE, Opened, end_and_close, open_a_wave
from tests.surveys.test_releasing import fill

STEAL = """
CREATE TABLE stolen(document TEXT);
CREATE TRIGGER steal AFTER UPDATE OF state ON wave WHEN NEW.state = 'released' BEGIN
  INSERT INTO stolen SELECT document FROM release_document WHERE wave = NEW.id;
  DELETE FROM release_document WHERE wave = NEW.id;
  UPDATE wave SET state = 'closed', released = NULL WHERE id = NEW.id;
END;
"""
HUSH = """
CREATE TRIGGER hush BEFORE INSERT ON log_entry WHEN NEW.act = 'wave released' BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END;
"""


def _write(data: Path, store: str, text: str) -> None:
    there = sqlite3.connect(data / f"{store}.sqlite")
    there.executescript(text)
    there.close()


def _stolen(data: Path) -> list[str]:
    there = sqlite3.connect(data / "public.sqlite")
    found = [row[0] for row in there.execute("SELECT document FROM stolen")]
    there.close()
    return found


async def _closed(site: Site, sheets: int = 40) -> Opened:
    wave = await open_a_wave(site)
    await fill(site, wave, sheets)
    assert (await end_and_close(site)).state == State.CLOSED
    return wave


async def _release(site: Site, wave: Opened) -> str:
    made = await release_wave(site, WAVE, (wave.secrets["hr"], wave.secrets["recovery"]), lambda _: None)
    return made.text


@pytest.mark.opened
async def test_whoever_puts_a_released_wave_back_gets_the_same_figures_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with stores(StoreSettings(data)) as engines:
        site = Site(engines, data, DAY, "hr")
        wave = await _closed(site)
        _write(data, "public", STEAL)
        _write(data, "people", HUSH)
        for _ in range(3):
            with pytest.raises(ReleaseLost):
                await _release(site, wave)
        kept = _stolen(data)
        _write(data, "public", "DROP TRIGGER steal;")
        _write(data, "people", "DROP TRIGGER hush;")
        await _release(site, wave)
        assert len(kept) == 3
        assert {json.dumps(json.loads(text)["views"]) for text in kept} == {
            json.dumps((await releases.document(WAVE) or {})["views"])
        }
        assert [act.act for act in await log.read()].count("release begun") == 4  # and everybody may know of it
        assert not draw_path(data, WAVE).exists()


@pytest.mark.opened
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE headcount SET people = 0 WHERE view = 'unit:po'",
        "UPDATE headcount SET people = people + 1 WHERE view = 'gender:f'",
        "DELETE FROM headcount",
        "bands",
    ],
)
async def test_other_headcounts_than_those_of_the_opening_release_nothing(sqlite_site: Site, change: str) -> None:
    """Could mislead: a headcount under its respondents hides a group, and the plan that everybody kept fits all the same."""
    wave = await _closed(sqlite_site)
    if change == "bands":
        bands = dict.fromkeys((await waves.get(WAVE)).headcount_bands, "0-4")
        await waves.change(sqlite_site.engines["public"], WAVE, State.CLOSED, headcount_bands=bands)
    else:
        _write(sqlite_site.data, "people", change)
    with pytest.raises(PlanOther, match="headcounts"):
        await _release(sqlite_site, wave)
    assert not draw_path(sqlite_site.data, WAVE).exists()


@pytest.mark.opened
@pytest.mark.parametrize("state", [State.OPEN, State.CLOSED])
async def test_least_sizes_that_no_two_keys_raised_take_no_answer_and_release_nothing(
    sqlite_site: Site, state: State
) -> None:
    """Could mislead: with a least size of 50 for items one group of 33 was shown, and no act said why."""
    wave = await (_closed(sqlite_site) if state == State.CLOSED else open_a_wave(sqlite_site))
    rules = dict((await waves.get(WAVE)).rules)
    raised = {**rules, "k": {**rules["k"], "items": 50}}
    await waves.change(sqlite_site.engines["public"], WAVE, state, rules=raised)
    if state == State.OPEN:  # a process that begins now
        accepting.begin(sqlite_site.data)
        with pytest.raises(PlanOther, match="least sizes"):
            await accepting.to_answer(WAVE)
    else:
        with pytest.raises(PlanOther, match="least sizes"):
            await _release(sqlite_site, wave)


@pytest.mark.opened
@pytest.mark.parametrize("lose", [Path.unlink, lambda path: path.write_text("{}"), lambda path: path.write_text("[")])
async def test_without_what_was_frozen_nothing_goes(sqlite_site: Site, lose: Callable[[Path], object]) -> None:
    wave = await _closed(sqlite_site)
    lose(frozen_path(sqlite_site.data, WAVE))
    with pytest.raises(PlanOther):
        await _release(sqlite_site, wave)


@pytest.mark.opened
async def test_a_raise_that_the_log_knows_is_not_taken_back_by_older_copies_of_file_and_row(sqlite_site: Site) -> None:
    """Done from outside: with one file and one column from before, a wave whose groups two had raised to 9 printed groups of 5."""
    wave = await _closed(sqlite_site)
    people, now = sqlite_site.engines["people"], (await waves.get(WAVE)).rules["k"]
    for of in (
        {"wave": "other", "family": "items", "k": "9"},
        {"wave": WAVE, "family": "items", "k": str(now["items"])},
    ):
        await log.record(people, sqlite_site.day, "rappresentante", "raised", **of)
        await frozen.check_raises(await waves.get(WAVE))
    await log.record(people, sqlite_site.day, "rappresentante", "raised", wave=WAVE, family="items", k="9")
    with pytest.raises(PlanOther, match="least sizes"):
        await _release(sqlite_site, wave)


def test_nothing_is_drawn_a_second_time_for_something_else(tmp_path: Path) -> None:
    of = {"sheets": ["a", "b"], "k": {"items": 5}}
    first = drawing.begin(tmp_path, WAVE, of)
    drawn = [first(1000) for _ in range(50)]
    again = drawing.begin(tmp_path, WAVE, dict(reversed(of.items())))
    assert [again(1000) for _ in range(50)] == drawn and len(set(drawn)) > 30
    for other in ({**of, "sheets": ["a"]}, {**of, "k": {"items": 6}}, {}):
        with pytest.raises(DrawnBefore):
            drawing.begin(tmp_path, WAVE, other)
    drawing.destroy(tmp_path, WAVE)
    assert [drawing.begin(tmp_path, WAVE, of)(1000) for _ in range(50)] != drawn


def test_a_seed_gives_every_number_as_often_as_the_others(tmp_path: Path) -> None:
    below = drawing.begin(tmp_path, WAVE, {})
    for end in (1, 2, 3, 255, 256, 257):
        found = [below(end) for _ in range(200 * end)]
        assert set(found) == set(range(end))
        expected = 200.0
        chi = sum((found.count(value) - expected) ** 2 / expected for value in range(end))
        assert chi < end + 6 * (2 * end) ** 0.5


@pytest.mark.opened
async def test_a_raise_that_was_cut_off_stops_nothing_and_one_that_was_done_is_not_put_back(
    sqlite_site: Site,
) -> None:
    await open_a_wave(sqlite_site)
    before = await waves.get(WAVE)
    now = before.rules["k"]
    raised = {**now, "items": 9}
    for wanted in ({**now, "items": 8}, {**now, "groups": 12}, raised):  # killed here, the wave goes on as it was
        frozen.about_to_raise(sqlite_site.data, WAVE, now, wanted)
        await frozen.check(sqlite_site.data, before)
    with pytest.raises(PlanOther):  # least sizes that somebody wrote into the row meanwhile
        frozen.about_to_raise(sqlite_site.data, WAVE, {**now, "items": 7}, raised)
    rules = {**before.rules, "k": raised}
    after = await waves.change(sqlite_site.engines["public"], WAVE, State.OPEN, rules=rules)
    await frozen.check(sqlite_site.data, after)
    frozen.raised(sqlite_site.data, WAVE)
    await frozen.check(sqlite_site.data, after)
    with pytest.raises(PlanOther):
        await frozen.check(sqlite_site.data, before)


@pytest.mark.opened
async def test_two_keys_that_raised_a_least_size_are_not_undone_by_putting_the_row_back(sqlite_site: Site) -> None:
    await open_a_wave(sqlite_site)
    before = await waves.get(WAVE)
    await two_keys.ask_higher_k(sqlite_site, WAVE, "items", 8)
    act = (await acts.of_wave(WAVE))[0]
    await two_keys.confirm(replace(sqlite_site, actor="rsu"), act.id)
    await frozen.check(sqlite_site.data, await waves.get(WAVE))
    with pytest.raises(PlanOther, match="least sizes"):
        await frozen.check(sqlite_site.data, before)


@pytest.mark.opened
async def test_only_the_first_start_of_a_version_freezes_what_it_finds(sqlite_site: Site) -> None:
    """Could mislead: whoever changes a headcount, or removes the file, and waits for the next start."""
    await open_a_wave(sqlite_site)
    await frozen.keep_at_update(sqlite_site.data)
    path = frozen_path(sqlite_site.data, WAVE)
    first = path.read_bytes()
    _write(sqlite_site.data, "people", "UPDATE headcount SET people = 0")
    await frozen.keep_at_update(sqlite_site.data)
    assert path.read_bytes() == first
    path.unlink()
    await frozen.keep_at_update(sqlite_site.data)
    assert not path.exists()


@pytest.mark.opened
async def test_at_the_first_start_a_wave_that_has_its_file_keeps_it(sqlite_site: Site) -> None:
    await open_a_wave(sqlite_site)
    first = frozen_path(sqlite_site.data, WAVE).read_bytes()
    _write(sqlite_site.data, "people", "UPDATE headcount SET people = 0")
    frozen.update_path(sqlite_site.data).unlink(missing_ok=True)
    await frozen.keep_at_update(sqlite_site.data)
    assert frozen_path(sqlite_site.data, WAVE).read_bytes() == first
