"""Somebody who writes slots, spent codes and bulletin together, and has the wave key, after a wave was closed.

All that he writes fits together; what stood at the closing is remembered where he does not write (docs/protocol-urn.md).
"""

import json
import os
import stat
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from server.frame.texts import catalogue
from server.results import releasing
from surveys.answers.envelope import ENVELOPE_BYTES
from surveys.answers.plans import PlanOther
from surveys.answers.tables import Slot, Spent
from surveys.answers.urn import Urn
from surveys.answers.wave import marks_of, sheet_marks
from surveys.lifecycle import closing, heads, witness
from surveys.lifecycle.context import Site
from surveys.lifecycle.heads import HeadRefused
from surveys.lifecycle.planning import PlanRefused
from surveys.people import log
from surveys.people.tables import LogEntry, StepBegun
from surveys.public import releases, waves
from surveys.public.tables import Bulletin
from surveys.public.waves import State
from surveys.questionnaire import AnswerSheet
from surveys.slips import Digest, row_key, spent_digest
from tests.conftest import DAY, WAVE, Opened, end_and_close, open_a_wave
from tests.rights import right
from tests.urn import WORDS, put_in, sealed

SHEET = AnswerSheet({"CUL1": ("1",)}).to_bytes()
OTHER = AnswerSheet({"CUL1": ("5",)}).to_bytes()


@dataclass(frozen=True, slots=True)
class Watched:
    """A wave with twelve sheets, and what somebody noted who saw the first arrive: its slot and its spent code."""

    wave: Opened
    slot: int
    code: int


async def _put(site: Site, wave: Opened, places: range) -> None:
    urn = Urn(site.engines["answers"])
    urn.start()
    for place in places:
        row, envelope = put_in(site, wave.record, wave.codes[place], SHEET)
        await urn.put(right(WAVE, row), place.to_bytes(16), envelope)
    await urn.stop()


async def filled(site: Site) -> Watched:
    wave = await open_a_wave(site)
    await _put(site, wave, range(1))
    slot, code = await Slot.select(Slot.id).where(Slot.taken.eq(True)).first(), await Spent.select(Spent.id).first()
    assert slot is not None and code is not None
    await _put(site, wave, range(1, 12))
    return Watched(wave, int(slot["id"]), int(code["id"]))


async def _closed(site: Site) -> Watched:
    watched = await filled(site)
    assert (await end_and_close(site)).state == State.CLOSED
    return watched


async def outcome(site: Site, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the release says: the key of its refusal, or what it published."""

    async def no_charts(*_: object) -> None:
        return None

    monkeypatch.setattr(releasing, "draw", no_charts)
    late = replace(site, day=DAY + timedelta(days=16))
    failed = await releasing.release_and_draw(late, WAVE, (WORDS["hr"], WORDS["recovery"]), lambda _: None)
    document = await releases.document(WAVE)
    assert (document is None) == bool(failed)
    return failed if document is None else f"released, received {document['participation']['received']}"


# --- what he does ---


async def rewrite_the_bulletin() -> None:
    """List what the spent codes are now, and count them."""
    counts, _ = await releases.bulletin(WAVE) or ({}, [])
    digests = sorted(bytes(row["digest"]).hex() for row in await Spent.select(Spent.digest).where(Spent.wave == WAVE))
    await releases.keep_bulletin(WAVE, {**counts, "received": len(digests)}, digests)


async def _write(site: Site, watched: Watched, slot: int) -> None:
    """Put a sheet of his own into a slot, well sealed to the true holders, with a spent code that fits it."""
    proof = os.urandom(32)
    row = spent_digest(Digest(proof))
    await Slot.update({Slot.sheet: sealed(site, watched.wave.record, OTHER, proof), Slot.taken: True}).where(
        Slot.id == slot
    )
    await Spent.insert(Spent(id=row_key(row), wave=WAVE, digest=bytes(row), attempt=os.urandom(32)))


async def _replace_one(site: Site, watched: Watched) -> None:
    await Spent.delete().where(Spent.id == watched.code)
    await _write(site, watched, watched.slot)
    await rewrite_the_bulletin()


async def _replace_all(site: Site, watched: Watched) -> None:
    """Needs nobody who watched."""
    await Spent.delete().where(Spent.wave == WAVE)
    for row in await Slot.select(Slot.id).where(Slot.taken.eq(True)):
        await _write(site, watched, int(row["id"]))
    await rewrite_the_bulletin()


async def _add_one(site: Site, watched: Watched) -> None:
    free = await Slot.select(Slot.id).where(Slot.taken.eq(False)).first()
    assert free is not None
    await _write(site, watched, int(free["id"]))
    await rewrite_the_bulletin()


async def _delete_one(site: Site, watched: Watched) -> None:
    await Slot.update({Slot.sheet: os.urandom(ENVELOPE_BYTES), Slot.taken: False}).where(Slot.id == watched.slot)
    await Spent.delete().where(Spent.id == watched.code)
    await rewrite_the_bulletin()


async def _count_otherwise(site: Site, watched: Watched) -> None:
    """More slips drawn than were counted at the closing: room for codes that nobody drew."""
    counts, digests = await releases.bulletin(WAVE) or ({}, [])
    await releases.keep_bulletin(WAVE, {**counts, "drawn": counts["drawn"] - 1}, digests)


async def _noise_in_one(site: Site, watched: Watched) -> None:
    """One sheet spoilt: so few were an accident before, and released."""
    await Slot.update({Slot.sheet: os.urandom(ENVELOPE_BYTES)}).where(Slot.id == watched.slot)


ATTACKS: dict[str, Callable[[Site, Watched], Awaitable[None]]] = {
    "one sheet replaced": _replace_one,
    "all sheets replaced": _replace_all,
    "one sheet added": _add_one,
    "one sheet taken away": _delete_one,
    "other counts": _count_otherwise,
    "one sheet spoilt": _noise_in_one,
}


async def _rows() -> list[object]:
    slots = await Slot.select().order_by(Slot.id)
    return [slots, await Spent.select().order_by(Spent.id), await Bulletin.select()]


@pytest.mark.opened
@pytest.mark.parametrize("attack", ATTACKS)
async def test_what_is_written_after_the_closing_is_not_released(
    site: Site, attack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = await _closed(site)
    await ATTACKS[attack](site, watched)
    before = await _rows()
    assert await outcome(site, monkeypatch) == "closing_other"
    assert await _rows() == before and site.wave_key_file(WAVE).exists()
    assert (await waves.get(WAVE)).state == State.CLOSED


@pytest.mark.opened
async def test_a_sheet_put_back_is_released_and_neither_slots_nor_stirring_are_in_what_is_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = await _closed(site)
    right = await Slot.select().where(Slot.taken.eq(True)).order_by(Slot.id)
    await _noise_in_one(site, watched)
    assert await outcome(site, monkeypatch) == "closing_other"
    for row, other in zip(right, reversed(right), strict=True):  # the same sheets, in each other's slots
        await Slot.update({Slot.sheet: bytes(other["sheet"])}).where(Slot.id == row["id"])
    assert await outcome(site, monkeypatch) == "released, received 12"


@pytest.mark.opened
async def test_what_is_kept_says_how_many_and_neither_when_nor_in_which_order(site: Site) -> None:
    await _closed(site)
    path = witness.path_of(site.data, WAVE)
    kept = json.loads(path.read_text("utf-8"))
    counts = {"invited": 60, "issued": 0, "drawn": 60, "received": 12, "second_codes": 0, "spare_slips": 0}
    hashes = {name: kept.pop(name) for name in ("bulletin", "spent", "sheets")}
    assert kept == {"v": 1, "wave": WAVE, "kept": "closing", "counts": counts}
    assert {len(hash_) for hash_ in hashes.values()} == {64}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and not list(path.parent.glob("*.partial"))
    sheets = [bytes(row["sheet"]) for row in await Slot.select(Slot.sheet).where(Slot.taken.eq(True))]
    assert marks_of(sheets) == marks_of(reversed(sheets)) == await sheet_marks(WAVE) and len(set(sheets)) == 12
    entry = (await log.read())[-2]
    assert (entry.act, entry.details["mark"]) == ("closing kept", witness.mark_of(path.read_text("utf-8")))
    assert {name: entry.details[name] for name in ("issued", "drawn", "received")} == {
        "issued": "0",
        "drawn": "60",
        "received": "12",
    }


@pytest.mark.opened
async def test_what_is_opened_is_what_was_checked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody quick writes between the check and the opening."""
    watched, checked = await _closed(site), witness.check

    async def then_written(*given: Any) -> None:
        await checked(*given)
        await _add_one(site, watched)

    monkeypatch.setattr(witness, "check", then_written)
    assert await outcome(site, monkeypatch) == "released, received 12"


# --- file and log: each finds what was done to the other ---


async def _retell(site: Site, tell: Callable[[dict[str, str]], dict[str, str] | None]) -> None:
    """Write the log anew from its beginning, with another entry of the closing or none; its chain holds by itself."""
    acts = await log.read()
    await LogEntry.delete(force=True)
    for act in acts:
        details = tell(dict(act.details)) if act.act == "closing kept" else dict(act.details)
        if details is not None:
            await log.record(site.engines["people"], act.day, act.actor, act.act, **details)
    assert all(act.intact for act in await log.read())


async def _text_now() -> str:
    """What would have been kept if the urn had been as it is now."""
    return witness.text_of(
        WAVE,
        "closing",
        await releases.bulletin(WAVE),
        sorted(bytes(row["digest"]).hex() for row in await Spent.select(Spent.digest)),
        await sheet_marks(WAVE),
    )


@pytest.mark.opened
async def test_with_the_file_taken_away_nothing_is_released(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await _closed(site)
    witness.path_of(site.data, WAVE).unlink()
    assert await outcome(site, monkeypatch) == "closing_file"
    await witness.keep_at_update(site)  # a start makes no new one: the log knows of it
    assert await outcome(site, monkeypatch) == "closing_file"


@pytest.mark.opened
async def test_with_file_and_entry_taken_away_a_wave_is_not_taken_for_an_old_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await witness.keep_at_update(site)  # the first start of this version
    watched = await _closed(site)
    await _add_one(site, watched)
    witness.path_of(site.data, WAVE).unlink()
    await _retell(site, lambda _: None)
    await witness.keep_at_update(site)
    assert await outcome(site, monkeypatch) == "closing_file"


@pytest.mark.opened
@pytest.mark.parametrize("told", ["nothing", "another mark", "the mark of a changed urn"])
async def test_a_log_that_tells_otherwise_stops_the_release(
    site: Site, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = await _closed(site)
    if told == "nothing":
        await _retell(site, lambda _: None)
    elif told == "another mark":
        await _retell(site, lambda details: {**details, "mark": details["mark"][::-1]})
    else:
        await _add_one(site, watched)
        mark = witness.mark_of(await _text_now())
        await _retell(site, lambda details: {**details, "mark": mark})
    assert await outcome(site, monkeypatch) == ("closing_other" if "urn" in told else "closing_log")


@pytest.mark.opened
async def test_a_file_of_a_changed_urn_does_not_fit_the_log(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = await _closed(site)
    await _replace_all(site, watched)
    witness.path_of(site.data, WAVE).write_text(await _text_now(), "utf-8")
    assert await outcome(site, monkeypatch) == "closing_log"


@pytest.mark.opened
@pytest.mark.parametrize("line", ["its own", "a later one", "an earlier one"])
async def test_a_chain_that_is_broken_from_the_closing_on_stops_the_release(
    site: Site, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry rewritten in its place, with file and urn to match. What broke before the closing says nothing of it."""
    watched = await _closed(site)
    number = next(act.number for act in await log.read() if act.act == "closing kept")
    if line == "its own":
        await _replace_all(site, watched)
        text = await _text_now()
        witness.path_of(site.data, WAVE).write_text(text, "utf-8")
        details = {**(await log.read())[number - 1].details, "mark": witness.mark_of(text)}
        await LogEntry.update({LogEntry.details: json.dumps(details, sort_keys=True)}).where(LogEntry.number == number)
    else:
        there = number + 1 if "later" in line else number - 1
        await LogEntry.update({LogEntry.actor: "nobody"}).where(LogEntry.number == there)
    assert [act.intact for act in await log.read()][-1] is False
    assert await outcome(site, monkeypatch) == ("released, received 12" if "earlier" in line else "closing_log")


@pytest.mark.opened
async def test_who_writes_file_and_log_too_is_found_by_a_head_that_was_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit: with the folder of keys and the whole log rewritten it is released; not with a head on a paper."""
    watched = await _closed(site)
    head = await log.head()
    assert head is not None
    kept = heads.line_of(site.data, head)
    await _add_one(site, watched)
    text = await _text_now()
    witness.path_of(site.data, WAVE).write_text(text, "utf-8")
    await _retell(site, lambda details: {**details, "mark": witness.mark_of(text)})
    assert await outcome(site, monkeypatch) == "released, received 13"
    with pytest.raises(HeadRefused, match="rewritten"):
        await heads.hold_against(site.data, kept)


# --- a closing that is repeated ---


@pytest.mark.opened
async def test_a_wave_set_back_to_ended_is_not_closed_again_with_other_sheets(site: Site) -> None:
    watched = await _closed(site)
    kept = witness.path_of(site.data, WAVE).read_bytes()
    await _add_one(site, watched)
    bulletin = await Bulletin.select()
    await waves.change(site.engines["public"], WAVE, State.CLOSED, state=State.ENDED)
    with pytest.raises(PlanRefused, match="closing_begun"):
        await closing.close(site, WAVE, unused_slips=1)
    assert (await waves.get(WAVE)).state == State.ENDED
    assert (witness.path_of(site.data, WAVE).read_bytes(), await Bulletin.select()) == (kept, bulletin)


@pytest.mark.opened
@pytest.mark.parametrize("at", ["the log", "the bulletin", "the state"])
async def test_a_closing_that_is_cut_off_is_repeated_and_released(
    site: Site, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class CutOff(Exception):
        pass

    async def cut(*_: object, **__: object) -> None:
        raise CutOff

    await filled(site)
    where = {"the log": (log, "record"), "the bulletin": (releases, "keep_bulletin"), "the state": (waves, "change")}[
        at
    ]
    late = replace(site, day=DAY + timedelta(days=15))
    await closing.end(late, WAVE)
    with monkeypatch.context() as broken, pytest.raises(CutOff):
        broken.setattr(*where, cut)
        await closing.close(late, WAVE, unused_slips=5)
    await StepBegun.delete(force=True)  # the version before wrote down no step that was begun
    with pytest.raises(PlanRefused, match="closing_begun"):
        await closing.close(late, WAVE, unused_slips=6)
    await closing.close(replace(late, day=DAY + timedelta(days=16)), WAVE, unused_slips=5)
    assert [act.act for act in await log.read()].count("closing kept") == 1
    assert await outcome(site, monkeypatch) == "released, received 12"


@pytest.mark.opened
async def test_whoever_closes_again_with_another_number_finds_the_closing_that_was_cut_off_ended_as_it_was_begun(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    class CutOff(Exception):
        pass

    async def cut(*_: object, **__: object) -> None:
        raise CutOff

    await filled(site)
    late = replace(site, day=DAY + timedelta(days=15), actor="hr")
    await closing.end(late, WAVE)
    with monkeypatch.context() as broken, pytest.raises(CutOff):
        broken.setattr(releases, "keep_bulletin", cut)
        await closing.close(late, WAVE, unused_slips=5)
    with pytest.raises(waves.WrongState):
        await closing.close(replace(late, actor="anna", day=DAY + timedelta(days=16)), WAVE, unused_slips=6)
    record, told = await waves.get(WAVE), [act for act in await log.read() if act.act == "wave closed"]
    assert (record.state, record.drawn, record.closed) == (State.CLOSED, record.slips - 5, late.day)
    assert [(act.actor, act.day) for act in told] == [("hr", late.day)]


@pytest.mark.parametrize("language", ["it", "en"])
def test_each_refusal_is_said_in_words(language: str) -> None:
    keys = [
        "desk.failed.closing_file",
        "desk.failed.closing_log",
        "desk.failed.closing_other",
        "hr.refused.closing_begun",
        "desk.act.closing_kept",
        "desk.act.closing_kept_later",
    ]
    assert [key for key in keys if key not in catalogue(language)] == []


async def test_another_bulletin_than_that_of_the_closing_is_not_given_out(site: Site) -> None:
    """Done from outside: with one UPDATE of a released wave the page said of a foreign code that it was in the list."""
    await _closed(site)
    found = await releases.bulletin(WAVE)
    assert found is not None
    witness.check_bulletin(site.data, WAVE, found)
    counts, digests = found
    for other in ((counts, [*digests, "0" * 64]), (counts, digests[1:]), ({**counts, "drawn": 99}, digests)):
        with pytest.raises(PlanOther):
            witness.check_bulletin(site.data, WAVE, other)
    for damaged in ("", "{}", "[]", "null", '{"bulletin":[]}'):
        witness.path_of(site.data, WAVE).write_text(damaged, "utf-8")
        with pytest.raises(PlanOther):
            witness.check_bulletin(site.data, WAVE, found)
