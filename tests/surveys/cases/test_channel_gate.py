"""The gate of the channel: it opens when unions were heard, a ring is signed, readers are trained and help numbers are fresh."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from surveys.cases import handlers
from surveys.cases.clocks import years_kept
from surveys.lifecycle.channel import ChannelNotReady, gaps, open_channel, set_rules
from surveys.lifecycle.context import Site
from surveys.public import channel, organisation
from surveys.public.channel import ChannelRecord
from tests.conftest import ORGANISATION
from tests.surveys.cases.people import opened


async def test_the_channel_opens_only_when_unions_were_heard_readers_trained_and_numbers_checked(
    sqlite_site: Site,
) -> None:
    site = sqlite_site
    assert set(await gaps(site)) == {"hearing_day", "hearing_document", "keyring", "trained", "help_checked"}
    made = await opened(site, ORGANISATION)
    assert await gaps(site) == () and (await channel.load()).opened == site.day.isoformat()
    record = await channel.load()
    await channel.save(site.engines["public"], replace(record, opened="", hearing_day=""))
    with pytest.raises(ChannelNotReady, match="hearing_day"):
        await open_channel(site)
    await channel.save(site.engines["public"], replace(record, opened=""))
    later = replace(site, day=date(site.day.year + 2, site.day.month, site.day.day) + timedelta(days=1))
    with pytest.raises(ChannelNotReady) as problem:
        await open_channel(later)
    assert problem.value.gaps == ("trained", "help_checked")
    await organisation.save(site.engines["public"], replace(ORGANISATION, help_checked_on=later.day.isoformat()))
    for name in made.keys:
        await handlers.set_training(name, later.day)
    assert (await open_channel(later)).is_open


async def test_a_hearing_that_was_kept_with_a_day_to_come_opens_nothing_before_that_day(sqlite_site: Site) -> None:
    """As versions before kept one: no form takes it any more."""
    await opened(sqlite_site, ORGANISATION)
    day = sqlite_site.day + timedelta(days=1)
    kept = replace(await channel.load(), opened="", hearing_day=day.isoformat())
    await channel.save(sqlite_site.engines["public"], kept)
    assert await gaps(sqlite_site) == ("hearing_day",)
    with pytest.raises(ChannelNotReady, match="hearing_day"):
        await open_channel(sqlite_site)
    assert (await open_channel(replace(sqlite_site, day=day))).is_open


async def test_the_salt_of_codes_never_changes(sqlite_site: Site) -> None:
    public = sqlite_site.engines["public"]
    first = await channel.save(public, ChannelRecord(""))
    assert len(bytes.fromhex(first.salt)) == 16
    assert (await channel.save(public, replace(first, salt="00" * 16, retention_years=2))).salt == first.salt


async def test_fewer_years_of_keeping_delete_no_case_that_ended_before(sqlite_site: Site) -> None:
    """Done from outside: the personnel office alone set one year, and within minutes all older cases were gone."""
    ended = sqlite_site.day
    for after, years in ((0, 5), (10, 1), (20, 3), (30, 2)):
        later = replace(sqlite_site, day=ended + timedelta(days=after))
        await set_rules(later, replace(await channel.load(), retention_years=years))
    record = await channel.load()

    def kept(days: int) -> int:
        return years_kept(record.retention_years, record.kept_longer, ended + timedelta(days=days))

    assert [kept(days) for days in (0, 10, 11, 20, 30, 31, 400)] == [5, 5, 3, 3, 3, 2, 2]
    await set_rules(replace(sqlite_site, day=ended + timedelta(days=40)), replace(record, retention_years=4))
    record = await channel.load()
    assert [kept(days) for days in (0, 11, 400)] == [5, 4, 4]
