"""HR sends links or gives them as a file: to a wave that is open, by who is of HR, each time with links that replace the older."""

import re
from html import unescape

import pytest

from server.frame.texts import say
from surveys.lifecycle.context import Site
from surveys.people import log
from surveys.people.tables import Outbox
from surveys.public import waves
from surveys.public.waves import State
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, WAVE
from tests.server.hr.offices import Offices, offices
from tests.server.mail.inbox import open_for

PEOPLE = 32
AT = f"/hr/waves/{WAVE}/links"


async def _open(settings: StoreSettings, channel: str) -> None:
    async with stores(settings) as engines:
        await open_for(Site(engines, settings.data, DAY, "direzione"), channel, PEOPLE)


async def _waiting() -> list[int]:
    return sorted(int(row["member"]) for row in await Outbox.select(Outbox.member))


async def _links(here: Offices, what: str) -> set[str]:
    """The personal links of a file, each once."""
    answered = await here.post(f"{AT}/{what}", "direzione")
    assert answered.status_code == 200 and "attachment" in answered.headers["content-disposition"]
    assert answered.headers["cache-control"].startswith("no-store")
    found = re.findall(r"#l=([\w.-]+)", answered.text)
    assert len(found) == len(set(found)) == PEOPLE
    return set(found)


@pytest.mark.parametrize("message", ["invite", "remind", "remind_missing"])
async def test_everybody_of_the_channel_has_one_message_waiting(store_settings: StoreSettings, message: str) -> None:
    await _open(store_settings, "email")
    async with offices(store_settings) as here:
        sent = await here.post(f"{AT}/{message}", "direzione")
        assert (sent.status_code, sent.headers["location"]) == (303, f"/hr/waves/{WAVE}?done=links_sent")
        assert len(await _waiting()) == len(set(await _waiting())) == PEOPLE
        newest = (await log.read())[-1]
        kind, whom = {"invite": ("invitation", "missing"), "remind": ("reminder", "all")}.get(
            message, ("reminder", "missing")
        )
        assert (newest.actor, newest.act) == ("direzione", f"mail {kind}")
        assert dict(newest.details) == {"wave": WAVE, "whom": whom}


async def test_sent_twice_one_message_waits_for_each(sqlite_settings: StoreSettings) -> None:
    await _open(sqlite_settings, "email")
    async with offices(sqlite_settings) as here:
        await here.post(f"{AT}/invite", "direzione")
        first = await _waiting()
        await here.post(f"{AT}/invite", "risorse")
        assert await _waiting() == first


async def test_texts_given_twice_have_other_links_the_second_time(sqlite_settings: StoreSettings) -> None:
    """Could leak: a file of links that was left in a drawer opens a form of everybody's."""
    await _open(sqlite_settings, "sms")
    async with offices(sqlite_settings) as here:
        first, second = await _links(here, "sms"), await _links(here, "sms")
        assert not first & second
        newest = [line for line in await log.read() if line.act == "links made"]
        assert [dict(line.details) for line in newest] == [{"wave": WAVE, "channel": "sms", "n": str(PEOPLE)}] * 2


async def test_nobody_but_hr_sends_or_is_given_links(sqlite_settings: StoreSettings) -> None:
    await _open(sqlite_settings, "email")
    async with offices(sqlite_settings) as here:
        before = await log.read()
        for what in ("invite", "remind", "corrected", "letter", "sms"):
            for who in ("verifica", "rappresentante"):
                assert (await here.post(f"{AT}/{what}", who)).status_code == 403
            session = {"cookie": f"ascolto={here.sessions['direzione']}"}
            assert (await here.client.post(f"{AT}/{what}", headers=session)).status_code == 403
            assert (await here.client.get(f"{AT}/{what}", headers=session)).status_code == 405
        assert await _waiting() == [] and await log.read() == before


@pytest.mark.parametrize("state", [State.ENDED, State.CLOSED])
@pytest.mark.parametrize("what", ["invite", "remind", "corrected", "letter", "sms"])
async def test_when_a_wave_is_over_nothing_is_sent_and_it_says_so(
    sqlite_settings: StoreSettings, what: str, state: State
) -> None:
    await _open(sqlite_settings, "email")
    async with stores(sqlite_settings) as engines:
        await waves.change(engines["public"], WAVE, State.OPEN, state=state)
    async with offices(sqlite_settings) as here:
        answered = await here.post(f"{AT}/{what}", "direzione")
        assert answered.status_code == 303 and answered.headers["location"].endswith("done=links_not_open")
        page = await here.get(f"/hr/waves/{WAVE}?lang=it&done=links_not_open")
        assert say("it", "desk.notice.links_not_open") in unescape(page.text) and await _waiting() == []


async def test_what_is_no_way_and_what_is_no_wave_are_not_found(sqlite_settings: StoreSettings) -> None:
    await _open(sqlite_settings, "email")
    async with offices(sqlite_settings) as here:
        for path in (f"{AT}/pigeon", f"{AT}/INVITE", "/hr/waves/nessuna/links/invite", "/hr/waves/nessuna/links/sms"):
            assert (await here.post(path, "direzione")).status_code == 404, path
        assert await _waiting() == []
