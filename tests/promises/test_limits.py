"""What we say we cannot protect from: each shown to be so, and no more than that."""

from fractions import Fraction
from pathlib import Path

import pytest

from analysis.moves import SUMS
from analysis.steps import FORMER_ROWS, index_figure, share_figure
from surveys.answers.envelope import EnvelopeUnreadable
from surveys.answers.pairs import open_sealed, without_layer
from surveys.answers.tables import Slot
from surveys.answers.urn import Urn
from surveys.lifecycle.context import Site, read_wave_key
from surveys.people import log
from surveys.people.tables import LogEntry
from tests.conftest import DAY, WAVE, open_a_wave
from tests.laws import probability
from tests.rights import right
from tests.urn import WORDS, keys_of, plan_of, put_in, team


def test_four_colleagues_who_tell_each_other_their_answers_can_nearly_know_the_fifth() -> None:
    """Five people, one published figure, four answers known: every fifth answer is possible, but not as likely as another.

    Four answered 1, 2, 1, 2 and the figure says that they are all low: the move that a fifth 5 would need is rare.
    """
    four, fifth = (1, 2, 1, 2), 1
    printed = index_figure(Fraction(25 * (sum(four) + fifth - 5), 5), 5, 4, 0)
    chance = {
        value: sum(
            probability(SUMS, move)
            for move in range(-SUMS.most, SUMS.most + 1)
            if index_figure(Fraction(25 * (sum(four) + value - 5), 5), 5, 4, move) == printed
        )
        for value in range(1, 6)
    }
    assert min(chance.values()) > 0
    assert chance[1] > 5 * chance[5]


def test_in_what_was_published_before_two_shares_prove_on_which_side_eight_people_stand() -> None:
    """Eighteen people print "<=20", ten of them 30: every way to count them leaves the other eight without a favourable answer."""

    def before(count: int, n: int) -> str:  # the ends on the exact value, then half up to steps of ten
        end = FORMER_ROWS[1].share_end
        return (
            "<="
            if 100 * count <= end * n
            else ">="
            if 100 * count >= (100 - end) * n
            else str((20 * count + n) // (2 * n) * 10)
        )

    printed = before(3, 18), before(3, 10)
    assert printed == ("<=", "30")
    others = {
        good - inside
        for inside in range(11)
        for good in range(inside, inside + 9)
        if (before(good, 18), before(inside, 10)) == printed
    }
    assert others == {0}


def test_two_published_shares_no_longer_prove_on_which_side_eight_people_stand() -> None:
    """It was so: of eighteen people at most three, of ten of them exactly three, so none of the other eight was favourable.

    Under twenty people no share is published, and from twenty on every figure moved: the others may be all or none.
    """
    assert share_figure(3, 18, 0) is None
    printed = share_figure(3, 30, 0), share_figure(3, 22, 0)
    others = {
        good - inside
        for inside in range(23)
        for good in range(inside, inside + 9)
        if any(share_figure(good, 30, move) == printed[0] for move in range(-3, 4))
        and any(share_figure(inside, 22, move) == printed[1] for move in range(-3, 4))
    }
    assert others >= {0, 1, 2, 3}


async def test_copies_taken_after_each_answer_show_which_envelope_is_whose_and_do_not_open_it(site: Site) -> None:
    """PRIVACY 1 B': the guess succeeds with a copy after every answer; the envelope stays shut without two holders."""
    wave = await open_a_wave(site, people=40)
    urn = Urn(site.engines["answers"])
    urn.start()
    before = {int(row["id"]): bytes(row["sheet"]) for row in await Slot.select()}
    row, envelope = put_in(site, wave.record, wave.codes[0], b"sheet")
    await urn.put(right(WAVE, row), b"a" * 16, envelope)
    after = {int(row["id"]): bytes(row["sheet"]) for row in await Slot.select()}
    await urn.stop()
    changed = [place for place in after if after[place] != before[place]]
    assert len(changed) == 1
    plan, one = plan_of(site, WAVE), keys_of(WORDS["hr"], team().anchor.hash, WAVE, "hr")
    stolen = without_layer(after[changed[0]], read_wave_key(site.data, WAVE))  # with the server's key, and one holder
    with pytest.raises(EnvelopeUnreadable):
        open_sealed(stolen, plan.hash, plan.points, {0: one.private, 1: one.private})


async def test_a_changed_entry_of_the_log_is_seen(site: Site) -> None:
    """Somebody with the database changes one word, or takes an entry out: the chain says from where on."""
    people = site.engines["people"]
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
