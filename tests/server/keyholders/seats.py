"""Seats of the served application: who keeps a wave's words, signed in; a wave at each step of its ceremony; and others who try."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from surveys.answers import plans
from surveys.lifecycle import ready
from surveys.lifecycle.context import Site, today
from surveys.lifecycle.planning import Wish, plan
from surveys.people import accounts, roster
from surveys.public import organisation, waves
from surveys.stores import StoreSettings, stores
from tests import urn
from tests.conftest import ORGANISATION, WAVE, small_cooperative
from tests.server.hr.offices import Offices, offices

PEOPLE = {
    "direzione": "hr",
    "rappresentante": "representative",
    "custode": "recovery",
    "garante": "guarantee",
    "verifica": "auditor",
}
SEATED = {"hr": "direzione", "representative": "rappresentante", "recovery": "custode"}


@asynccontextmanager
async def seats(settings: StoreSettings, *steps: Callable[[Site], Any]) -> AsyncIterator[Offices]:
    """Serve these stores, in which these steps were taken, to everybody who has a seat and to the auditor, who has none."""
    async with stores(settings) as engines:
        for step in steps:
            await step(Site(engines, settings.data, today(), "hr"))
    async with offices(settings, PEOPLE) as here:
        yield here


async def planned(site: Site) -> None:
    """A wave that is planned, in a house that is made; nobody has made her words."""
    await organisation.save(site.engines["public"], ORGANISATION)
    await roster.replace(site.engines["people"], *small_cooperative(), site.day - timedelta(days=30))
    await urn.anchor(site)
    await plan(site, Wish(WAVE, {"it": "Autunno"}, site.day, site.day + timedelta(days=14)))


async def stated(site: Site) -> None:
    await urn.make_words(site, WAVE)


async def signed(site: Site) -> None:
    """Two seats have signed the plan; no holder has confirmed it."""
    text = await ready.draft_plan(site, WAVE)
    made = urn.team()
    await ready.publish_plan(site, text, [plans.sign(text, made.seats[seat]) for seat in ("legal", "staff")])


def is_over(days: int = 15) -> Callable[[Site], Site]:
    return lambda site: replace(site, day=site.day + timedelta(days=days))


async def is_theirs_alone(here: Offices, path: str, roles: Collection[str], who: str, **data: str) -> None:
    """Assert that nobody without such a seat comes through, nobody without the form token of her own session, and by no other
    method; and that the wave is as it was."""
    before = await waves.get(WAVE)
    others = [name for name, role in PEOPLE.items() if role not in roles]
    assert others and [(await here.post(path, name, **data)).status_code for name in others] == [403] * len(others)
    session = {"cookie": f"ascolto={here.sessions[who]}"}
    foreign = accounts.form_token(here.sessions["verifica"])
    for sent in (data, data | {"form": ""}, data | {"form": foreign}):
        assert (await here.client.post(path, data=sent, headers=session)).status_code == 403
    stranger = await here.client.post(path, data=data, headers={"sec-fetch-site": "same-origin"})
    assert stranger.status_code in (303, 403)
    for method in ("PUT", "PATCH", "DELETE"):
        assert (await here.client.request(method, path, headers=session)).status_code == 405
    assert await waves.get(WAVE) == before
