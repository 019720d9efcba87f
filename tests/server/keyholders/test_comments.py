"""The guarantee team's desk: one comment at a time, two people for each, and words that stand in no page."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.frame.texts import say
from server.keyholders.carried import SITTING, carried, carry
from surveys.lifecycle.context import Site
from surveys.lifecycle.planning import GUARANTEE
from surveys.public import comments
from surveys.public.tables import Comment
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, WAVE
from tests.promises.test_comments import _released
from tests.server.hr.offices import Offices, offices

READERS = {"ada": "guarantee", "bea": "guarantee", "direzione": "hr"}
AT = f"/keys/{WAVE}/comments"


async def _words(settings: StoreSettings, texts: int = 12) -> str:
    async with stores(settings) as engines:
        return str((await _released(Site(engines, settings.data, DAY, "direzione"), texts))[GUARANTEE])


def _field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    return unescape(found[1]) if found else ""


def _comment(page: str) -> str:
    found = re.search(r"comments/(\d+)\?", page)
    return found[1] if found else ""


async def _open(desk: Offices, who: str, words: str) -> str:
    return (await desk.post(AT, who, secret=words)).text


async def test_comments_are_read_one_at_a_time_and_a_sitting_asks_for_the_words_once(
    sqlite_settings: StoreSettings,
) -> None:
    words = await _words(sqlite_settings)
    async with offices(sqlite_settings, READERS) as desk:
        page = await _open(desk, "ada", words)
        seen = []
        for _ in range(12):
            assert page.count("<blockquote") == 1 and "Da decidere: 12 su 12" in page
            seen.append(_comment(page))
            page = (await desk.post(AT, "ada", opened=_field(page, "opened"), at=_field(page, "at"))).text
        assert len(set(seen)) == 12 and _comment(page) == seen[0]


async def test_the_words_stand_in_no_page_and_what_stands_there_opens_nothing_elsewhere(
    sqlite_settings: StoreSettings,
) -> None:
    """Could leak: the team's words in the source of a page, a cache, or a saved copy; they open every comment for ever."""
    words = await _words(sqlite_settings)
    async with offices(sqlite_settings, READERS) as desk:
        page = await _open(desk, "ada", words)
        locked = _field(page, "opened")
        assert locked and not any(word in page for word in words.split() if len(word) > 6)
        for who, at, opened in (
            ("bea", AT, locked),
            ("ada", AT, locked[:-4] + "AAAA"),
            ("ada", AT, "x"),
            ("ada", AT, ""),
        ):
            refused = await desk.post(at, who, opened=opened)
            assert refused.status_code == 422 and "<blockquote" not in refused.text and 'id="secret"' in refused.text
        first = _comment(page)
        refused = await desk.post(f"{AT}/{first}", "bea", opened=locked, wording="una frase")
        assert refused.status_code == 422 and await comments.published(WAVE) == {}
        assert (await comments.of_wave(WAVE))[0].proposed_by == ""


async def test_two_people_let_a_comment_out_and_what_one_has_proposed_comes_first_to_the_other(
    sqlite_settings: StoreSettings,
) -> None:
    words = await _words(sqlite_settings)
    async with offices(sqlite_settings, READERS) as desk:
        page = await _open(desk, "ada", words)
        chosen = _field(page, "at")  # the second
        page = (await desk.post(AT, "ada", opened=_field(page, "opened"), at=chosen)).text
        assert _comment(page) == chosen
        data = {"opened": _field(page, "opened"), "at": _field(page, "at")}
        after = (await desk.post(f"{AT}/{chosen}", "ada", wording="una frase", **data)).text
        assert _comment(after) == data["at"] and "Di questi, 1 aspettano" in after
        assert await comments.published(WAVE) == {}
        twice = await desk.post(f"{AT}/{chosen}", "ada", wording="una frase", **data)
        assert twice.status_code == 200 and await comments.published(WAVE) == {}
        page = await _open(desk, "bea", words)
        assert _comment(page) == chosen and "ada propone queste parole" in page
        await desk.post(f"{AT}/{chosen}", "bea", wording="una frase", opened=_field(page, "opened"))
        assert await comments.published(WAVE) == {"OPN1": ["una frase"]}
        assert "Da decidere: 11 su 12" in await _open(desk, "bea", words)


async def test_a_wording_that_is_too_long_stays_on_its_comment_and_wrong_words_open_none(
    sqlite_settings: StoreSettings,
) -> None:
    words = await _words(sqlite_settings)
    async with offices(sqlite_settings, READERS) as desk:
        page = await _open(desk, "ada", words)
        here = _comment(page)
        long = await desk.post(f"{AT}/{here}", "ada", wording="x" * 1001, opened=_field(page, "opened"))
        assert long.status_code == 422 and _comment(long.text) == here and "al massimo 1000" in long.text
        for wrong in ("otto parole che non sono quelle del gruppo", "x" * 5000, "\u202e"):
            refused = await desk.post(AT, "ada", secret=wrong)
            assert refused.status_code == 422 and "<blockquote" not in refused.text
        assert (await desk.post(AT, "direzione", secret=words)).status_code == 403


@pytest.mark.parametrize(("of", "warned"), [(READERS, False), ({"ada": "guarantee", "direzione": "hr"}, True)])
async def test_the_planner_warns_where_fewer_than_two_could_let_a_comment_out(
    sqlite_settings: StoreSettings, of: dict[str, str], warned: bool
) -> None:
    async with offices(sqlite_settings, of) as desk:
        assert ("ne servono almeno due" in (await desk.get("/hr/waves/new?lang=it")).text) is warned


NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@given(st.text(max_size=60), st.text(max_size=40), st.text(max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_what_is_carried_opens_in_its_session_and_wave_alone(
    tmp_path_factory: pytest.TempPathFactory, words: str, token: str, other: str, wave: str, elsewhere: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "carried"
    try:
        locked = carry(folder, token, wave, words, NOW)
    except ValueError:
        return
    assert carried(folder, token, wave, locked, NOW + SITTING) == words
    assert carried(folder, token, wave, locked, NOW + SITTING + timedelta(seconds=1)) == ""
    if f"{other}\n{elsewhere}" != f"{token}\n{wave}":
        assert carried(folder, other, elsewhere, locked, NOW) == ""


async def test_one_envelope_that_cannot_be_opened_does_not_shut_the_desk(sqlite_settings: StoreSettings) -> None:
    """Found by attack: one row changed in the store, and no comment of the wave can be read any more."""
    words = await _words(sqlite_settings)
    async with offices(sqlite_settings, READERS) as desk:
        first = (await comments.of_wave(WAVE))[0]
        await Comment.update({Comment.sealed: b"x" * 4144}).where(Comment.id == first.id)
        assert (await desk.post(AT, "ada", secret=words)).status_code < 500


async def test_a_wording_that_two_people_let_out_hides_nothing_and_turns_no_line_round(
    sqlite_settings: StoreSettings,
) -> None:
    """Done from outside: signs that turn a line round, and an escape of terminals, stood on the page that staff read."""
    words = await _words(sqlite_settings)
    async with offices(sqlite_settings, READERS) as desk:
        for who in ("ada", "bea"):
            page = await _open(desk, who, words)
            fields = {"wording": "a\x1b[7m\u202eb\u2028c\u00a0d\r\ne", "opened": _field(page, "opened")}
            here = (await comments.of_wave(WAVE))[0].id
            assert (await desk.post(f"{AT}/{here}", who, **fields)).status_code == 200
        assert await comments.published(WAVE) == {"OPN1": ["a[7mb c d\ne"]}


@pytest.mark.parametrize("fields", [{"wording": "senza il nome"}, {"wording": "", "withhold": "1"}])
async def test_who_speaks_of_a_comment_that_was_decided_meanwhile_reads_that_nothing_was_taken(
    sqlite_settings: StoreSettings, fields: dict[str, str]
) -> None:
    """Done from outside: a third reader who withheld it, for she saw a name, was told nothing, and it stood there for staff."""
    words = await _words(sqlite_settings)
    async with offices(sqlite_settings, READERS | {"eva": "guarantee"}) as desk:
        late = await _open(desk, "eva", words)
        here = _comment(late)
        for who in ("ada", "bea"):
            page = await _open(desk, who, words)
            assert _comment(page) == here
            await desk.post(f"{AT}/{here}", who, wording="con il nome", opened=_field(page, "opened"))
        answered = await desk.post(f"{AT}/{here}?lang=it", "eva", **fields, opened=_field(late, "opened"))
        assert say("it", "desk.comments.decided") in unescape(answered.text)
        assert "Da decidere: 11 su 12" in answered.text and _comment(answered.text) != here
        assert await comments.published(WAVE) == {"OPN1": ["con il nome"]}


async def test_of_two_who_speak_of_a_comment_at_once_each_is_taken_or_told(store_settings: StoreSettings) -> None:
    words = await _words(store_settings)
    async with offices(store_settings, READERS) as desk:
        sitting = {who: _field(await _open(desk, who, words), "opened") for who in ("ada", "bea")}
        for record in await comments.of_wave(WAVE):
            at = f"{AT}/{record.id}?lang=it"
            await desk.post(at, "ada", wording="una frase", opened=sitting["ada"])
            agreed, other = await asyncio.gather(
                desk.post(at, "bea", wording="una frase", opened=sitting["bea"]),
                desk.post(at, "ada", wording="un'altra", opened=sitting["ada"]),
            )
            after = {one.id: one for one in await comments.of_wave(WAVE)}[record.id]
            told = say("it", "desk.comments.decided") in unescape(other.text)
            assert agreed.status_code == 200 and told is (after.state == comments.PUBLISHED)
            assert told or after.state == comments.PROPOSED
