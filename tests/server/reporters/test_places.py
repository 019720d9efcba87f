"""Workplaces that the check on the phone marks: small by the published bands, none before a wave, the same for everyone."""

from datetime import timedelta

from server.reporters.places import small_places
from surveys.lifecycle.context import Site
from tests.conftest import open_a_wave


async def test_only_units_of_fewer_than_twenty_are_marked(sqlite_site: Site) -> None:
    day = sqlite_site.day
    assert await small_places("it", day - timedelta(days=900)) == ()
    await open_a_wave(sqlite_site, people=61)
    found = await small_places("it", day)
    assert sorted(found) == sorted((name, "10-19") for name in ("Nido", "Nido", "Cura", "Cura"))
    assert await small_places("it", day) == found
