"""What we say we cannot protect from: each shown to be so, and no more than that."""

from pathlib import Path

import pytest

from analysis.publication import index_figure, share_figure
from surveys.answers.envelope import EnvelopeUnreadable
from surveys.answers.pairs import open_sealed, without_layer
from surveys.answers.tables import Slot
from surveys.answers.urn import Urn
from surveys.lifecycle.context import House, read_wave_key
from surveys.people import log
from surveys.people.tables import LogEntry
from tests.conftest import DAY, WAVE, open_a_wave
from tests.urn import WORDS, keys_of, plan_of, put_in, team


def test_four_colleagues_who_tell_each_other_their_answers_work_out_the_fifth() -> None:
    """Five people, one published figure: with four answers known, of the five possible fifth answers fewer remain."""
    four, fifth = (1, 1, 2, 5), 5
    published = index_figure(25.0 * (sum(four) + fifth - 5) / 5, 5)
    open_ = [value for value in range(1, 6) if index_figure(25.0 * (sum(four) + value - 5) / 5, 5) == published]
    assert fifth in open_ and len(open_) < 5


def test_two_published_shares_prove_on_which_side_eight_people_stand() -> None:
    """Eighteen people print "<=20", ten of them 30: every way to count them leaves the other eight without a favourable answer."""
    printed = share_figure(100 * 3 / 18, 18), share_figure(100 * 3 / 10, 10)
    assert printed == ("<=20", 30)
    others = {
        good - inside
        for inside in range(11)
        for good in range(inside, inside + 9)
        if (share_figure(100 * good / 18, 18), share_figure(100 * inside / 10, 10)) == printed
    }
    assert others == {0}


async def test_copies_taken_after_each_answer_show_which_envelope_is_whose_and_do_not_open_it(house: House) -> None:
    """PRIVACY 1 B': the guess succeeds with a copy after every answer; the envelope stays shut without two holders."""
    wave = await open_a_wave(house, people=40)
    urn = Urn(house.engines["answers"])
    urn.start()
    before = {int(row["id"]): bytes(row["sheet"]) for row in await Slot.select()}
    row, envelope = put_in(house, wave.record, wave.codes[0], b"sheet")
    await urn.put(WAVE, row, b"a" * 16, envelope)
    after = {int(row["id"]): bytes(row["sheet"]) for row in await Slot.select()}
    await urn.stop()
    changed = [place for place in after if after[place] != before[place]]
    assert len(changed) == 1
    plan, one = plan_of(house, WAVE), keys_of(WORDS["hr"], team().anchor.hash, WAVE, "hr")
    stolen = without_layer(after[changed[0]], read_wave_key(house.data, WAVE))  # with the server's key, and one holder
    with pytest.raises(EnvelopeUnreadable):
        open_sealed(stolen, plan.hash, plan.points, {0: one.private, 1: one.private})


async def test_a_changed_entry_of_the_log_is_seen(house: House) -> None:
    """Somebody with the database changes one word, or takes an entry out: the chain says from where on."""
    people = house.engines["people"]
    for wave in ("uno", "due", "tre"):
        await log.record(people, DAY, "hr", "wave opened", wave=wave, invited="40")
    assert all(act.intact for act in await log.read())
    written_down = await log.last_digest()
    await LogEntry.update({LogEntry.actor: "nobody"}).where(LogEntry.number == 2)
    assert [act.intact for act in await log.read()] == [True, False, False]
    await LogEntry.update({LogEntry.actor: "hr"}).where(LogEntry.number == 2)
    await LogEntry.delete().where(LogEntry.number == 3)
    assert all(act.intact for act in await log.read())  # a cut end is seen by whoever wrote the last digest down
    assert await log.last_digest() != written_down


def test_the_limits_file_names_them_too() -> None:
    text = (Path(__file__).parents[2] / "docs" / "what-we-cannot-protect.md").read_text("utf-8")
    assert all(
        word in text
        for word in ("Two holders", "copies the database often", "colleagues", "spare slips", "A compromised phone")
    )
