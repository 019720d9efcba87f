"""The guarantee team's words are drawn here and shown once: only who repeats them has the seat; holders draw theirs themselves."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from server.demonstration import channel
from surveys.answers.keys import holder_key, read_secret
from surveys.lifecycle.context import Site, today
from surveys.lifecycle.planning import GUARANTEE, Wish, plan
from surveys.people import accounts, roster
from surveys.public import organisation, waves
from surveys.public.tables import Wave
from surveys.stores import StoreSettings
from tests import urn
from tests.conftest import ORGANISATION, WAVE, small_cooperative
from tests.server.hr.offices import PASSWORD, Offices
from tests.server.keyholders.seats import SEATED, is_theirs_alone, planned, seats
from tests.signing_in import next_code

PATH = f"/keys/{WAVE}/guarantee"


async def with_comments(site: Site) -> None:
    """A planned wave with comments, which the guarantee team reads."""
    await organisation.save(site.engines["public"], ORGANISATION)
    await roster.replace(site.engines["people"], *small_cooperative(), site.day - timedelta(days=30))
    await urn.anchor(site)
    await plan(site, Wish(WAVE, {"it": "Autunno"}, site.day, site.day + timedelta(days=14), comments=True))


async def _drawn(here: Offices, who: str = "garante") -> tuple[str, str]:
    """The words that a page shows, and what it keeps of them to compare."""
    page = await here.post(f"{PATH}/secret", who)
    assert page.status_code == 200 and page.headers["cache-control"].startswith("no-store")
    return _read(page.text)


def _read(page: str) -> tuple[str, str]:
    words = [unescape(word) for word in re.findall(r"<li[^>]*>\s*([a-zà-ù]+)\s*</li>", page)]
    mark = re.search(r'name="expected" value="(\w+)"', page)
    assert len(words) == 8 and mark is not None
    return " ".join(words), mark[1]


async def _key() -> str:
    return str((await waves.get(WAVE)).holders.get(GUARANTEE, {}).get("key", ""))


async def test_whoever_repeats_the_words_has_the_seat_and_only_the_public_half_is_kept(
    store_settings: StoreSettings,
) -> None:
    """Could leak: the words in a table, a file or the log; they open every comment."""
    async with seats(store_settings, with_comments) as here:
        words, mark = await _drawn(here)
        answered = await here.post(PATH, "garante", secret=words, expected=mark)
        assert (answered.status_code, answered.headers["location"]) == (303, "/keys?done=secret_kept")
        assert await _key() == holder_key(read_secret(words), WAVE, GUARANTEE).public_key.encode().hex()
        rows = repr(await Wave.select(*Wave.all_columns()))
        files = [file.read_bytes() for file in store_settings.data.rglob("*") if file.is_file()]
        longest = max(words.split(), key=len)
        assert words not in rows and longest not in rows and not any(words.encode() in file for file in files)


async def test_words_that_differ_are_told_and_new_ones_are_drawn(sqlite_settings: StoreSettings) -> None:
    async with seats(sqlite_settings, with_comments) as here:
        words, mark = await _drawn(here)
        other, other_mark = await _drawn(here)
        assert words != other
        for secret, expected in (
            (other, mark),
            (words, other_mark),
            ("", mark),
            ("x" * 9000, mark),
            (words, ""),
            (words, "è"),
        ):
            page = await here.post(PATH, "garante", secret=secret, expected=expected)
            again, _ = _read(page.text)
            assert page.status_code == 422 and again not in (words, other) and await _key() == ""


async def test_a_seat_that_is_taken_stays_taken(sqlite_settings: StoreSettings) -> None:
    async with seats(sqlite_settings, with_comments) as here:
        words, mark = await _drawn(here)
        await here.post(PATH, "garante", secret=words, expected=mark)
        kept = await _key()
        other, other_mark = await _drawn(here)
        again = await here.post(PATH, "garante", secret=other, expected=other_mark)
        assert again.headers["location"] == "/keys?done=seat_taken" and await _key() == kept != ""


async def test_the_mark_of_one_session_is_none_in_another(sqlite_settings: StoreSettings) -> None:
    async with seats(sqlite_settings, with_comments) as here:
        words, mark = await _drawn(here)
        secret = await channel.with_codes(Site(here.engines, sqlite_settings.data, today(), "test"), await _other(here))
        entered = await accounts.sign_in(
            here.engines["people"], "garante2", PASSWORD, datetime.now(UTC), second=next_code(secret)
        )
        here.sessions["garante2"] = entered[0]
        page = await here.post(PATH, "garante2", secret=words, expected=mark)
        assert page.status_code == 422 and await _key() == ""


async def _other(here: Offices) -> str:
    await accounts.add(here.engines["people"], "garante2", "guarantee", PASSWORD)
    return "garante2"


async def test_nobody_else_makes_the_teams_words(sqlite_settings: StoreSettings) -> None:
    async with seats(sqlite_settings, with_comments) as here:
        words, mark = await _drawn(here)
        for who in SEATED.values():
            assert (await here.post(f"{PATH}/secret", who)).status_code == 404
            assert (await here.post(PATH, who, secret=words, expected=mark)).status_code == 404
        for path, data in ((f"{PATH}/secret", {}), (PATH, {"secret": words, "expected": mark})):
            roles = {
                "guarantee",
                "hr",
                "representative",
                "recovery",
            }  # who has another seat is told that there is nothing
            await is_theirs_alone(here, path, roles, "garante", **data)
        assert await _key() == ""


@pytest.mark.parametrize("seat", SEATED)
async def test_a_holder_draws_her_words_on_her_own_device_and_none_come_from_here(
    sqlite_settings: StoreSettings, seat: str
) -> None:
    """Could leak: words of the urn that the server made, and so knew."""
    async with seats(sqlite_settings, planned) as here:
        page = await here.post(f"/keys/{WAVE}/{seat}/secret", SEATED[seat])
        assert page.status_code == 200 and "holder" in page.text and "<li" not in page.text.split('id="words"')[-1]
        assert (await here.post(f"/keys/{WAVE}/{seat}", SEATED[seat], secret="x")).status_code == 404


async def test_of_no_wave_no_words_are_drawn(sqlite_settings: StoreSettings) -> None:
    async with seats(sqlite_settings, planned) as here:
        assert (await here.post("/keys/nessuna/guarantee/secret", "garante")).status_code == 404
        assert (await here.post(f"/keys/{WAVE}/altro/secret", "garante")).status_code == 404
