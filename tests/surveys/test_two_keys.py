"""What needs two keys: a second code for somebody, a higher minimum group size, the recovery sheet, destroyed words."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from surveys import blind
from surveys.answers.tables import Slip
from surveys.lifecycle import accepting, clock, closing, frozen, issuing, two_keys
from surveys.lifecycle.context import Site, read_wave_key
from surveys.lifecycle.issuing import LinkRefused
from surveys.lifecycle.planning import PlanRefused, confirm_destroyed, restore_key
from surveys.lifecycle.printing import TooManySlips, print_slips
from surveys.people import links, log, roster
from surveys.people import two_keys as acts
from surveys.people.links import Invitation
from surveys.people.sending import Claims
from surveys.people.tables import Outbox, Panel, Person, TwoKeyAct
from surveys.public import releases, waves
from surveys.public.waves import State, WrongState
from tests.conftest import DAY, WAVE, end_and_close, open_a_wave
from tests.surveys.test_links import _open, _token


def _as(site: Site, actor: str, **changes: Any) -> Site:
    return replace(site, actor=actor, **changes)


async def _person(channel: str) -> int:
    row = await Panel.select(Panel.person).where((Panel.wave == WAVE) & (Panel.channel == channel)).first()
    assert row is not None
    return int(row["person"])


async def _drawn(site: Site, channel: str, person: int) -> list[Invitation]:
    return await links.draw(
        site.engines["people"], await links.members_of(WAVE, channel, only_missing=True, only=person)
    )


async def _asked(site: Site, person: int) -> int:
    before = {act.id for act in await acts.of_wave(WAVE)}
    await two_keys.ask_second_code(_as(site, "hr"), WAVE, person)
    return next(act.id for act in await acts.of_wave(WAVE) if act.id not in before)


async def _confirmed(site: Site, person: int) -> None:
    await two_keys.confirm(_as(site, "rsu"), await _asked(site, person))


async def test_a_second_code_needs_two_people_and_gives_one_more_token(site: Site) -> None:
    record = await _open(site)
    person = await _person("sms")
    [first] = await _drawn(site, "sms", person)
    await _token(site, record, first.link)
    act = await _asked(site, person)
    with pytest.raises(PlanRefused, match="second_key"):
        await two_keys.confirm(_as(site, "hr"), act)
    assert await two_keys.hand_over(site, WAVE, "sms") == []
    await two_keys.confirm(_as(site, "rsu"), act)
    with pytest.raises(PlanRefused, match="second_key"):
        await two_keys.confirm(_as(site, "rsu"), act)
    with pytest.raises(LinkRefused, match="unknown"):
        await issuing.issue(site, first.link, blind.blind(blind.PublicKey.from_der(record.token_key), b"x" * 64)[0])
    [second] = await two_keys.hand_over(site, WAVE, "sms")
    assert (second.name, await two_keys.hand_over(site, WAVE, "sms")) == (first.name, [])
    state = await links.find(second.link)
    assert state is not None and (state.issued, state.before) == (None, DAY)
    await _token(site, record, second.link)
    assert await links.issued(WAVE) == 2


async def test_one_person_prints_a_slip_for_each_and_more_only_with_a_second_key(site: Site) -> None:
    """Could pass: one who prints ten more codes than there are people votes ten times."""
    wave = await open_a_wave(site, people=60, slips=60)
    with pytest.raises(TooManySlips):
        await print_slips(site, WAVE, 1)
    with pytest.raises(PlanRefused, match="spare"):
        await two_keys.ask_spare_slips(_as(site, "hr"), WAVE, 7)
    await two_keys.ask_spare_slips(_as(site, "hr"), WAVE, 4)
    with pytest.raises(TooManySlips):
        await print_slips(site, WAVE, 1)
    [asked] = await acts.of_wave(WAVE)
    with pytest.raises(PlanRefused, match="second_key"):
        await two_keys.confirm(_as(site, "hr"), asked.id)
    await two_keys.confirm(_as(site, "rsu"), asked.id)
    assert len(await print_slips(site, WAVE, 4)) == 4
    with pytest.raises(TooManySlips):
        await print_slips(site, WAVE, 1)
    await two_keys.ask_spare_slips(_as(site, "hr"), WAVE, 2)
    await two_keys.ask_spare_slips(_as(site, "direzione2"), WAVE, 2)
    two = [act.id for act in await acts.of_wave(WAVE) if act.state == acts.ASKED]
    await two_keys.confirm(_as(site, "rsu"), two[0])
    with pytest.raises(PlanRefused, match="spare"):  # both fitted when they were asked for
        await two_keys.confirm(_as(site, "rsu"), two[1])
    assert wave.record.invited == 60
    await end_and_close(site, unused=64)
    published = await releases.bulletin(WAVE)
    assert published is not None and published[0]["spare_slips"] == 6


async def test_of_slips_printed_at_the_same_moment_each_is_counted(site: Site) -> None:
    await open_a_wave(site, people=60, slips=1)
    made = await asyncio.gather(*[print_slips(site, WAVE, 10) for _ in range(8)], return_exceptions=True)
    printed = [len(codes) for codes in made if isinstance(codes, list)]
    assert printed == [10] * 5 and all(isinstance(one, TooManySlips) for one in made if not isinstance(one, list))
    assert (await waves.get(WAVE)).slips == 51


async def test_a_second_code_by_mail_leaves_at_once_and_other_messages_stay(site: Site) -> None:
    await _open(site)
    await issuing.invite_by_mail(site, WAVE, "invitation", only_missing=True)
    person = await _person("email")
    await _confirmed(site, person)
    row = await Panel.select(Panel.id).where(Panel.person == person).first()
    waiting = [message.member for message in await Claims().due(100, 0)]
    assert row is not None and (len(waiting), waiting.count(row["id"])) == (21, 2)


async def test_nobody_learns_whether_a_first_code_was_taken_and_no_name_stays(site: Site) -> None:
    """Could leak: one person has a token, the other none; acts, log and panel of both look alike, but for the day."""
    record = await _open(site)
    taken, untouched = (
        int(row["person"]) for row in await Panel.select(Panel.person).where(Panel.channel == "email").limit(2)
    )
    for invitation in await _drawn(site, "email", taken):
        await _token(site, record, invitation.link)
    for person in (taken, untouched):
        await _confirmed(site, person)
    one, other = await TwoKeyAct.select()
    assert {**one, "id": 0} == {**other, "id": 0} and one["person"] == 0
    said = [(act.act, dict(act.details)) for act in await log.read()][-4:]
    assert said[:2] == said[2:] == [("second asked", {"wave": WAVE}), ("second allowed", {"wave": WAVE})]


async def test_second_codes_are_three_or_one_in_a_hundred_and_are_published(site: Site) -> None:
    record = await _open(site)
    assert two_keys.cap(record) == 3 and two_keys.cap(replace(record, invited=5000)) == 50
    people = [int(row["person"]) for row in await Panel.select(Panel.person).where(Panel.channel == "email").limit(5)]
    waiting = [await _asked(site, person) for person in people]
    outcomes = await asyncio.gather(
        *(two_keys.confirm(_as(site, "rsu"), act) for act in waiting), return_exceptions=True
    )
    assert sum(outcome is None for outcome in outcomes) == 3
    assert all(isinstance(outcome, PlanRefused) for outcome in outcomes if outcome is not None)
    with pytest.raises(PlanRefused, match="second_cap"):
        await two_keys.ask_second_code(_as(site, "hr"), WAVE, await _person("sms"))
    late = replace(site, day=DAY + timedelta(days=15))
    await closing.end(late, WAVE)
    await closing.close(late, WAVE, unused_slips=0)
    bulletin = await releases.bulletin(WAVE)
    assert bulletin is not None and bulletin[0]["second_codes"] == 3
    assert {row["person"] for row in await TwoKeyAct.select(TwoKeyAct.person)} == {0}


@pytest.mark.parametrize(("day", "allowed"), [(12, True), (13, False), (14, False)])
async def test_no_second_code_in_the_last_two_days(site: Site, day: int, allowed: bool) -> None:
    """The wave ends with day 14, so 48 hours before are the beginning of day 13."""
    await _open(site)
    person, then = await _person("email"), replace(site, day=DAY + timedelta(days=day))
    if allowed:
        await _confirmed(then, person)
        return
    with pytest.raises(PlanRefused, match="second_late"):
        await two_keys.ask_second_code(_as(then, "hr"), WAVE, person)
    early = await _asked(site, person)
    with pytest.raises(PlanRefused, match="second_late"):
        await two_keys.confirm(_as(then, "rsu"), early)
    assert await Outbox.count() == 0


async def test_what_is_asked_twice_in_one_moment_is_asked_once(site: Site) -> None:
    """Done from outside: two taps on one button, and the representative found the question twice; each yes gave spare slips."""
    await _open(site)
    hr, person = _as(site, "hr"), await _person("sms")
    forms: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = (
        partial(two_keys.ask_second_code, hr, WAVE, person),
        partial(two_keys.ask_higher_k, hr, WAVE, "items", 7),
        partial(two_keys.ask_spare_slips, hr, WAVE, 2),
        partial(two_keys.ask_end, hr, WAVE),
    )
    for form in forms:
        answered = await asyncio.gather(*(form() for _ in range(4)), return_exceptions=True)
        assert [type(one) for one in answered].count(PlanRefused) == 3
    assert sorted(act.act for act in await acts.of_wave(WAVE)) == sorted(
        [acts.SECOND_CODE, acts.RAISE, acts.SPARE, acts.END]
    )
    lines = ["second asked", "raise asked", "spare asked", "end asked"]
    assert [entry.act for entry in await log.read() if entry.act in lines] == lines


async def test_what_is_refused_changes_nothing(site: Site) -> None:
    await _open(site)
    person = await _person("email")
    before = await Panel.select().order_by(Panel.id)
    act = await _asked(site, person)
    with pytest.raises(PlanRefused, match="second_waits"):
        await two_keys.ask_second_code(_as(site, "hr"), WAVE, person)
    await two_keys.refuse(_as(site, "rsu"), act)
    with pytest.raises(PlanRefused, match="second_key"):
        await two_keys.confirm(_as(site, "rsu"), act)
    with pytest.raises(PlanRefused, match="second_who"):
        await two_keys.ask_second_code(_as(site, "hr"), WAVE, 987654321)
    assert await Panel.select().order_by(Panel.id) == before


@pytest.mark.opened
async def test_a_smallest_group_is_raised_by_two_and_never_lowered(site: Site) -> None:
    opened = await open_a_wave(site)
    for family, k in (("items", 5), ("items", 4), ("items", 51), ("experience", 19), ("nothing", 9)):
        with pytest.raises(PlanRefused, match="raise"):
            await two_keys.ask_higher_k(_as(site, "hr"), WAVE, family, k)
    await two_keys.ask_higher_k(_as(site, "hr"), WAVE, "items", 8)
    await two_keys.ask_higher_k(_as(site, "hr"), WAVE, "items", 7)
    by_k = {act.k: act.id for act in await acts.of_wave(WAVE)}
    with pytest.raises(PlanRefused, match="second_key"):
        await two_keys.confirm(_as(site, "hr"), by_k[8])
    assert (await waves.get(WAVE)).rules == opened.record.rules
    await two_keys.confirm(_as(site, "rsu"), by_k[8])
    with pytest.raises(PlanRefused, match="raise"):
        await two_keys.confirm(_as(site, "rsu"), by_k[7])  # asked before, but it would lower it now
    assert (await waves.get(WAVE)).rules["k"] == {"items": 8, "comments": 10, "experience": 20}
    await end_and_close(site, unused=60)
    with pytest.raises(WrongState):
        await two_keys.ask_higher_k(_as(site, "hr"), WAVE, "items", 9)


@pytest.mark.opened
async def test_of_raises_that_are_confirmed_at_once_none_undoes_another(site: Site) -> None:
    """Done by an attacker: asked for 25 and 24, both confirmed, and 24 was what stayed."""
    await open_a_wave(site)
    for family, k in (("items", 25), ("items", 24), ("items", 23), ("comments", 12), ("experience", 22)):
        await two_keys.ask_higher_k(_as(site, "hr"), WAVE, family, k)
    waiting = [act.id for act in await acts.of_wave(WAVE)]
    await asyncio.gather(*(two_keys.confirm(_as(site, "rsu"), act) for act in waiting), return_exceptions=True)
    for act in waiting:  # those that were refused, as another was before them
        with contextlib.suppress(PlanRefused):
            await two_keys.confirm(_as(site, "rsu"), act)
    assert (await waves.get(WAVE)).rules["k"] == {"items": 25, "comments": 12, "experience": 22}


@pytest.mark.opened
async def test_the_recovery_sheet_puts_the_wave_key_back_and_no_other_text_does(site: Site) -> None:
    await open_a_wave(site)
    text = read_wave_key(site.data, WAVE).hex()
    with pytest.raises(PlanRefused, match="sheet_there"):
        await restore_key(site, WAVE, text)
    site.wave_key_file(WAVE).unlink()
    for wrong in ("", "{}", text[:-1], text[::-1], "zz" * 32, "0" * 64):
        with pytest.raises(PlanRefused, match="sheet"):
            await restore_key(site, WAVE, wrong)
    assert not site.wave_key_file(WAVE).exists()
    await restore_key(site, WAVE, f"{text[:40].upper()}\n {text[40:]} \n")
    assert read_wave_key(site.data, WAVE).hex() == text


@pytest.mark.opened
async def test_a_holder_says_once_and_only_after_the_release_that_her_words_are_destroyed(site: Site) -> None:
    await open_a_wave(site)
    with pytest.raises(WrongState):
        await confirm_destroyed(site, WAVE, "hr")
    await waves.change(site.engines["public"], WAVE, waves.State.OPEN, state=waves.State.RELEASED)
    await confirm_destroyed(_as(site, "hr"), WAVE, "hr")
    with pytest.raises(PlanRefused):
        await confirm_destroyed(_as(site, "hr"), WAVE, "hr")
    assert (await log.read())[-1].details == {"wave": WAVE, "seat": "hr"}


@pytest.mark.opened
async def test_namesakes_are_told_apart_by_their_unit(site: Site) -> None:
    await open_a_wave(site)
    rows = await Person.select(Person.id, Person.unit).where(Person.unit.is_in(["po.nido", "fi.cura"])).limit(40)
    one = next(row for row in rows if row["unit"] == "po.nido")
    two = next(row for row in rows if row["unit"] == "fi.cura")
    await Person.update({Person.name: "Anna Prova"}).where(Person.id.is_in([one["id"], two["id"]]))
    assert len(await roster.numbers_of("Anna Prova")) == 2
    assert await roster.numbers_of("Anna Prova, Nido") == await roster.numbers_of("Anna Prova, po.nido") == [one["id"]]
    assert await roster.numbers_of("Anna Prova, Lavanderia") == []


async def test_an_act_that_somebody_wrote_into_the_store_is_no_second_key(site: Site) -> None:
    """Done from outside: one INSERT, and HR printed 300 slips more; the log said "slips printed" alone."""
    record = (await open_a_wave(site)).record
    act = TwoKeyAct(id=77, wave=record.id, act=acts.SPARE, state=acts.HANDED, k=6, asked_by="ada", settled_by="bea")
    await TwoKeyAct.insert(act)
    with pytest.raises(TooManySlips) as problem:
        await print_slips(site, record.id, 1)
    assert problem.value.left == 0
    await log.record(site.engines["people"], site.day, "bea", "spare allowed", wave=record.id, slips="2")
    assert len(await print_slips(site, record.id, 2)) == 2


async def test_second_tokens_that_rows_of_the_panel_alone_allow_are_published(site: Site) -> None:
    """Done from outside: 33 people had a second token by one UPDATE, and the document said that there were none."""
    await _open(site)
    await Panel.update({Panel.before: DAY}).where(Panel.channel == "email")
    people = await Panel.count().where(Panel.channel == "email")
    late = replace(site, day=DAY + timedelta(days=15))
    await closing.end(late, WAVE)
    await closing.close(late, WAVE, unused_slips=0)
    bulletin = await releases.bulletin(WAVE)
    assert bulletin is not None and bulletin[0]["second_codes"] == people > 3


async def test_a_wave_ends_before_its_last_day_only_if_two_agree(site: Site) -> None:
    """Could pass: one who sees that few have answered, or who has, ends the survey alone."""
    await open_a_wave(site)
    after = replace(site, day=DAY + timedelta(days=15))
    assert two_keys.is_early(replace(site, day=DAY + timedelta(days=14)), await waves.get(WAVE))
    assert not two_keys.is_early(after, await waves.get(WAVE))
    clock.look(site.data, DAY)
    clock.look(site.data, after.day)  # a jump of two weeks: nobody ends a survey alone by it
    assert two_keys.is_early(after, await waves.get(WAVE))
    await two_keys.ask_end(_as(site, "hr"), WAVE)
    with pytest.raises(PlanRefused, match="end_asked"):
        await two_keys.ask_end(_as(site, "hr"), WAVE)
    [asked] = await acts.of_wave(WAVE)
    with pytest.raises(PlanRefused, match="second_key"):
        await two_keys.confirm(_as(site, "hr"), asked.id)
    assert (await waves.get(WAVE)).state == State.OPEN
    await two_keys.confirm(_as(site, "rsu"), asked.id)
    assert (await waves.get(WAVE)).state == State.ENDED
    assert [act.state for act in await acts.of_wave(WAVE)] == [acts.HANDED]
    assert [act.actor for act in await log.read() if act.act == "wave ended"] == ["rsu"]


async def test_a_wave_that_has_ended_is_open_again_with_a_later_last_day_until_it_is_closed(site: Site) -> None:
    """Done from outside: a clock that was wrong for an hour ended a survey for good."""
    await open_a_wave(site)
    await closing.end(replace(site, day=DAY + timedelta(days=300)), WAVE)
    with pytest.raises(PlanRefused, match="extension"):  # a day that is over
        await closing.extend(replace(site, day=DAY + timedelta(days=20)), WAVE, DAY + timedelta(days=19))
    later = await closing.extend(site, WAVE, DAY + timedelta(days=16))
    assert (later.state, later.ends) == (State.OPEN, DAY + timedelta(days=16))
    accepting.begin(site.data)
    assert await accepting.to_answer(WAVE) is not None and await Slip.count() == 60
    late = replace(site, day=DAY + timedelta(days=17))
    await closing.end(late, WAVE)
    await closing.close(late, WAVE, unused_slips=60)
    with pytest.raises(waves.WrongState):
        await closing.extend(site, WAVE, DAY + timedelta(days=18))


@pytest.mark.parametrize("act", ["spare", "second", "raise"])
async def test_an_act_that_dies_before_its_line_in_the_log_did_not_happen(
    site: Site, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Done from outside: the slips to spare were used up, and nobody could print or ask for them again."""
    await _open(site)
    person = await _person("email")
    await {
        "spare": lambda: two_keys.ask_spare_slips(_as(site, "hr"), WAVE, 2),
        "second": lambda: two_keys.ask_second_code(_as(site, "hr"), WAVE, person),
        "raise": lambda: two_keys.ask_higher_k(_as(site, "hr"), WAVE, "items", 7),
    }[act]()
    [asked] = await acts.of_wave(WAVE)
    panel, outbox = await Panel.select(), await Outbox.select()

    async def dies(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as dying, pytest.raises(SystemExit):
        dying.setattr(log, "record", dies)
        await two_keys.confirm(_as(site, "rsu"), asked.id)
    assert (await acts.of_wave(WAVE)) == [asked] and (await Panel.select(), await Outbox.select()) == (panel, outbox)
    await two_keys.confirm(_as(site, "rsu"), asked.id)
    assert [one.state for one in await acts.of_wave(WAVE)] == [acts.HANDED]
    assert [told.act for told in await log.read()][-1] in ("spare allowed", "second allowed", "raised")
    await frozen.check(site.data, await waves.get(WAVE))
