"""The management's promise: signed before staff answer, unmoved after, missed by the calendar alone, and answered once."""

import asyncio
from datetime import timedelta

import pytest

from surveys.lifecycle.context import Site
from surveys.public import promises, waves
from surveys.public.promises import UNANSWERED, PromiseRefused
from surveys.public.waves import State, WaveRecord
from tests.conftest import DAY

SAID = "Ecco che cosa abbiamo capito."
ENDS = DAY + timedelta(days=19)
DUE = ENDS + timedelta(days=30)


async def _wave(site: Site, state: State) -> None:
    await waves.add(site.engines["public"], WaveRecord("w", {"it": "w"}, state, starts=DAY, ends=ENDS))


async def _sign(site: Site, due: object = DUE, who: str = "Rosa") -> None:
    await promises.sign(site.engines["public"], "w", due, who, DAY)  # type: ignore[arg-type]  # a day, or what is refused


@pytest.mark.parametrize("state", [State.PLANNED, State.READY])
async def test_before_the_opening_a_promise_may_be_signed_anew(site: Site, state: State) -> None:
    await _wave(site, state)
    await _sign(site)
    await _sign(site, DUE + timedelta(days=9), "Anna")
    found = await promises.of("w")
    assert found is not None and (found.due, found.signed_by) == (DUE + timedelta(days=9), "Anna")


@pytest.mark.parametrize("state", [State.OPEN, State.ENDED, State.CLOSED])
async def test_from_the_opening_on_a_promise_is_given_once_and_stays(site: Site, state: State) -> None:
    """Could mislead: a day moved on quietly, so that no promise is ever missed."""
    await _wave(site, state)
    await _sign(site)
    with pytest.raises(PromiseRefused, match="late"):
        await _sign(site, DUE + timedelta(days=60))
    found = await promises.of("w")
    assert found is not None and found.due == DUE


@pytest.mark.parametrize("state", [State.RELEASED, State.CANCELLED, State.TOO_FEW])
async def test_of_a_wave_that_is_over_nothing_is_promised(site: Site, state: State) -> None:
    await _wave(site, state)
    with pytest.raises(PromiseRefused, match="late"):
        await _sign(site)
    assert await promises.of("w") is None


@pytest.mark.parametrize(
    ("due", "who", "reason"),
    [
        (ENDS, "Rosa", "early"),
        (ENDS + timedelta(days=1), "Rosa", ""),
        (ENDS + timedelta(days=365), "Rosa", ""),
        (ENDS + timedelta(days=366), "Rosa", "far"),
        (DUE, "  ", "name"),
    ],
)
async def test_a_promise_needs_a_name_and_a_day_within_a_year_of_the_end(
    sqlite_site: Site, due: object, who: str, reason: str
) -> None:
    await _wave(sqlite_site, State.PLANNED)
    if reason:
        with pytest.raises(PromiseRefused, match=reason):
            await _sign(sqlite_site, due, who)
    else:
        await _sign(sqlite_site, due, who)
    assert (await promises.of("w") is None) is bool(reason)


async def test_it_is_missed_from_the_day_after_and_stays_so_when_the_answer_comes_late(site: Site) -> None:
    await _wave(site, State.PLANNED)
    await _sign(site)
    found = await promises.of("w")
    assert found is not None and not found.missed(DUE) and found.missed(DUE + timedelta(days=1))
    await waves.change(site.engines["public"], "w", State.PLANNED, state=State.RELEASED)
    await promises.answer(site.engines["public"], "w", {"it": SAID}, "Rosa", DUE + timedelta(days=3), UNANSWERED)
    found = await promises.of("w")
    assert found is not None and found.missed(DUE) and found.answered_on == DUE + timedelta(days=3)


async def test_an_answer_can_be_said_better_and_keeps_the_day_on_which_it_was_given(site: Site) -> None:
    await _wave(site, State.RELEASED)
    public = site.engines["public"]
    await promises.answer(public, "w", {"it": SAID, "ro": "  "}, "Rosa", DAY, UNANSWERED)
    seen = await promises.of("w")
    assert seen is not None
    await promises.answer(
        public, "w", {"it": f"{SAID} E anche il resto.", "ro": "Iată."}, "Anna", DAY + timedelta(days=5), seen.mark
    )
    found = await promises.of("w")
    assert found is not None and (found.answer, found.answered_by) == (
        {"it": f"{SAID} E anche il resto.", "ro": "Iată."},
        "Anna",
    )
    assert (found.answered_on, found.changed_on, found.due) == (DAY, DAY + timedelta(days=5), DAY) and not found.missed(
        DAY + timedelta(days=99)
    )


@pytest.mark.parametrize(
    ("state", "text", "who", "reason"),
    [
        (State.CLOSED, {"it": SAID}, "Rosa", "unreleased"),
        (State.RELEASED, {"en": "Here."}, "Rosa", "text"),
        (State.RELEASED, {"it": "x" * 3001}, "Rosa", "text"),
        (State.RELEASED, {"it": "x" * 19, "en": "x" * 100}, "Rosa", "text"),
        (State.RELEASED, {"it": SAID}, " ", "name"),
    ],
)
async def test_an_answer_needs_results_words_and_a_name(
    sqlite_site: Site, state: State, text: dict[str, str], who: str, reason: str
) -> None:
    await _wave(sqlite_site, state)
    with pytest.raises(PromiseRefused, match=reason):
        await promises.answer(sqlite_site.engines["public"], "w", text, who, DAY, UNANSWERED)
    assert await promises.of("w") is None


async def test_of_two_who_answer_at_once_the_second_is_told_and_the_first_stays(site: Site) -> None:
    """Could mislead: what the president published at nine is gone at five past, and nobody is told."""
    await _wave(site, State.RELEASED)
    public = site.engines["public"]
    told = await asyncio.gather(
        *(promises.answer(public, "w", {"it": f"{SAID} {who}."}, who, DAY, UNANSWERED) for who in ("Rosa", "Anna")),
        return_exceptions=True,
    )
    found = await promises.of("w")
    assert sorted(map(str, told)) == ["None", "changed"]
    assert found is not None and found.answer == {"it": f"{SAID} {found.answered_by}."}
    assert told[("Rosa", "Anna").index(found.answered_by)] is None and found.changed_on is None
    await promises.answer(public, "w", {"it": f"{SAID} Insieme."}, "Anna", DAY, found.mark)
    with pytest.raises(PromiseRefused, match="changed"):
        await promises.answer(public, "w", {"it": f"{SAID} Ancora."}, "Rosa", DAY, found.mark)


async def test_a_promise_that_was_signed_is_no_answer_that_somebody_overlooked(site: Site) -> None:
    await _wave(site, State.PLANNED)
    await _sign(site)
    found = await promises.of("w")
    assert found is not None and found.mark == UNANSWERED
