"""Kept scorecards name each other, and the log names them all: whatever is taken out of the store is missed."""

from dataclasses import replace
from datetime import date
from html import unescape

import msgspec
import pytest

from server.frame.texts import say
from server.papers.pack_evidence import scorecards_part
from server.papers.pack_part import About, Gap
from surveys import scorecards
from surveys.lifecycle.context import Site
from surveys.people import log
from surveys.people.tables import LogEntry
from surveys.public import scorecards as kept
from surveys.public.scorecards import Scorecard
from surveys.public.signing import installation_key, sign
from surveys.public.tables import KeptScorecard
from surveys.scorecards import Chain
from surveys.stores import StoreSettings
from tests.server.hr.offices import offices

YEARS = (2024, 2025, 2026)


def _in(site: Site, year: int) -> Site:
    return replace(site, day=date(year, 11, 30))


async def _three(site: Site) -> None:
    for year in YEARS:
        assert await scorecards.keep(_in(site, year)) == f"{year}-1"


async def _delete(name: str) -> None:
    await KeptScorecard.delete().where(KeptScorecard.id == name)


async def test_three_that_were_kept_are_chained_each_to_the_one_before_and_nothing_is_missed(site: Site) -> None:
    await _three(site)
    there = await kept.digests()
    cards = [await kept.read(f"{year}-1") for year in YEARS]
    assert [card.before for card in cards if card] == ["", *(f"{year}-1 {there[f'{year}-1']}" for year in YEARS[:2])]
    said = [(act.details["card"], act.details["sha256"]) for act in await log.read() if act.act == scorecards.KEPT]
    assert said == [(f"{year}-1", there[f"{year}-1"]) for year in YEARS]
    assert await scorecards.chain() == Chain()


@pytest.mark.parametrize("year", YEARS)
async def test_one_that_was_deleted_is_said_to_be_missing(site: Site, year: int) -> None:
    """Nobody noticed before: what was kept of a bad year taken out by one DELETE, the last one too."""
    await _three(site)
    await _delete(f"{year}-1")
    assert await scorecards.chain() == Chain(missing=(f"{year}-1",))


async def test_the_middle_one_is_missed_without_the_log_and_the_last_one_without_the_cards(site: Site) -> None:
    await _three(site)
    await _delete("2026-1")
    await _delete("2025-1")
    assert (await scorecards.chain()).missing == ("2026-1", "2025-1")
    await LogEntry.delete(force=True)
    assert await scorecards.chain() == Chain()
    await scorecards.keep(_in(site, 2025))
    await scorecards.keep(_in(site, 2026))
    await LogEntry.delete(force=True)
    await _delete("2025-1")
    assert await scorecards.chain() == Chain(missing=("2025-1",))


async def test_one_that_was_changed_is_another_than_was_kept(site: Site) -> None:
    await _three(site)
    card = await kept.read("2025-1")
    assert card
    await _put(site, msgspec.structs.replace(card, kept_by="Altra"))  # signed, as an older copy of this store is
    assert await scorecards.chain() == Chain(other=("2025-1",))
    await KeptScorecard.update({KeptScorecard.text: "{}"}).where(KeptScorecard.id == "2025-1")
    assert await scorecards.chain() == Chain(other=("2025-1",))


async def _put(site: Site, card: Scorecard) -> None:
    """A scorecard in the place of the one of its name, signed by this installation."""
    text = msgspec.json.encode(card, order="sorted").decode()
    signature = sign(installation_key(site.data), f"ascolto scorecard 1\n{text}".encode())
    await _delete(card.name)
    await KeptScorecard.insert(KeptScorecard(id=card.name, year=card.year, text=text, signature=signature))


async def test_a_name_is_not_given_again_after_its_scorecard_went(site: Site) -> None:
    """Would mislead: the deleted one's name on another, and nothing missing."""
    await _three(site)
    await _delete("2026-1")
    assert await scorecards.keep(_in(site, 2026)) == "2026-2"
    assert await scorecards.chain() == Chain(missing=("2026-1",))


async def test_those_of_the_version_before_open_and_are_said_to_be_unchained_until_one_names_them(site: Site) -> None:
    old = msgspec.structs.replace(await scorecards.as_of(date(2024, 11, 30), "hr"), name="2024-1")
    await _put(site, old)
    assert b'"before"' not in msgspec.json.encode(old) and await kept.read("2024-1") == old
    assert await scorecards.chain() == Chain(loose=("2024-1",))
    await scorecards.keep(_in(site, 2025))
    assert await scorecards.chain() == Chain()
    await _delete("2024-1")
    assert await scorecards.chain() == Chain(missing=("2024-1",))


async def test_one_that_was_cut_off_before_the_log_is_entered_by_the_next(
    site: Site,
) -> None:
    card = await scorecards.as_of(date(2025, 11, 30), "hr")
    await kept.keep(site.engines["public"], card, installation_key(site.data))
    assert await scorecards.chain() == Chain() and list(await kept.names()) == ["2025-1"]
    await scorecards.keep(_in(site, 2026))
    assert [act.details["card"] for act in await log.read()] == ["2025-1", "2026-1"]


@pytest.mark.parametrize("year", [2025, 2026])
async def test_page_and_pack_say_which_year_is_missing_and_which_is_not_chained(
    sqlite_settings: StoreSettings, year: int
) -> None:
    async with offices(sqlite_settings) as here:
        site = Site(here.engines, sqlite_settings.data, date(2024, 11, 30), "hr")
        old = msgspec.structs.replace(await scorecards.as_of(date(2023, 11, 30), "hr"), name="2023-1")
        await _put(site, old)
        await _put(site, msgspec.structs.replace(old, name="2023-2"))
        await _three(site)
        await _delete(f"{year}-1")
        for base, who in (("/hr", "direzione"), ("/audit", "verifica")):
            text = unescape((await here.get(f"{base}/scorecard?lang=it", who)).text)
            assert say("it", "hr.scorecard.missing", year=year, name=f"{year}-1") in text
            assert text.count(say("it", "hr.scorecard.loose")) == 1
        part = await scorecards_part(About(sqlite_settings.data, date(2026, 11, 30), "it"))
        assert part.broken == (Gap("scorecards", "missing", f"{year}-1"),)
        assert part.absent == (Gap("scorecards", "loose", "2023-1"),)
