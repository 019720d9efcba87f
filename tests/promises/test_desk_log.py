"""Somebody cuts the handlers' log, or writes it anew with its chain: whoever kept its head finds out."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from server.demonstration import channel
from server.settings import Settings
from surveys.cases import log
from surveys.cases.keeper import keeper_at
from surveys.cases.tables import DeskLine
from surveys.lifecycle import heads
from surveys.lifecycle.context import Site, today
from surveys.lifecycle.heads import HeadRefused
from surveys.people import accounts
from surveys.people import log as act_log
from surveys.stores import StoreSettings, stores
from tests.apps import create_app
from tests.conftest import open_a_wave
from tests.promises.test_log import _said, _verify
from tests.signing_in import next_code, session_of

LINES = 12


async def _fill(site: Site) -> None:
    """What handlers did, most of it yesterday."""
    for number in range(LINES):
        day = site.day - timedelta(days=number < LINES - 2)
        await log.record(site.engines["cases"], keeper_at(site.data), day, "anna", f"act_{number}")


async def _kept(site: Site) -> tuple[str, str]:
    """The heads as the page gives them: now, and when the day began."""
    now, yesterday = (head for _, head in heads.of_desk(await log.read(keeper_at(site.data)), site.day))
    assert now is not None and yesterday is not None
    return heads.line_of(site.data, now), heads.line_of(site.data, yesterday)


async def test_five_lines_cut_from_the_tail_are_noticed_by_whoever_kept_the_head(site: Site) -> None:
    """Done by an attacker: what is left of the chain verifies by itself, also after the next act."""
    await _fill(site)
    now, yesterday = await _kept(site)
    assert [await _said(site, text) for text in (now, yesterday)] == ["part, line 12", "part, line 10"]
    await DeskLine.delete().where(DeskLine.number > LINES - 5)
    assert [line.intact for line in await log.read(keeper_at(site.data))] == [True] * (LINES - 5)
    assert [await _said(site, text) for text in (now, yesterday)] == ["cut", "cut"]
    for _ in range(5):
        await log.record(site.engines["cases"], keeper_at(site.data), site.day, "anna", "signed_in")
    assert [await _said(site, text) for text in (now, yesterday)] == ["rewritten", "rewritten"]


async def test_a_short_head_of_the_handlers_log_is_found_and_after_the_cut_is_not(site: Site) -> None:
    await _fill(site)
    await act_log.record(site.engines["people"], site.day, "hr", "signed in")
    head = heads.of_desk(await log.read(keeper_at(site.data)), site.day)[0][1]
    assert head is not None
    assert await _said(site, head.short) == await _said(site, head.digest.upper()) == "part, line 12"
    await DeskLine.delete().where(DeskLine.number > LINES - 5)
    assert await _said(site, head.short) == "rewritten"


async def test_a_head_of_one_log_is_none_of_the_other(site: Site) -> None:
    await _fill(site)
    now, _ = await _kept(site)
    assert await _said(site, now.replace("ascolto-desk-log ", "ascolto-log ")) == "unsigned"
    assert await _said(site, now.replace("desk-log 12 ", "desk-log 11 ")) == "unsigned"
    with pytest.raises(HeadRefused, match="none"):
        await heads.hold_against(site.data, now.replace("desk-log", "other-log"))


@pytest.fixture
async def kept(tmp_path: Path) -> tuple[Path, Path]:
    """A data folder with both logs, and a file with the head of the handlers' log."""
    settings = StoreSettings(tmp_path / "data")
    async with stores(settings) as engines:
        site = Site(engines, settings.data, today(), "administrator")
        await act_log.record(engines["people"], today(), "hr", "signed in")
        await _fill(site)
        file = tmp_path / "kept.txt"
        file.write_text((await _kept(site))[0] + "\n", "utf-8")
    return settings.data, file


async def test_the_command_passes_on_its_own_and_says_in_words_that_lines_are_missing(kept: tuple[Path, Path]) -> None:
    data, file = kept
    status, said = _verify(data, "--head", str(file))
    assert (status, "line 12" in said, "handlers' log is whole: 12" in said) == (0, True, True)
    async with stores(StoreSettings(data)):
        await DeskLine.delete().where(DeskLine.number > LINES - 5)
    assert _verify(data)[0] == 0
    status, said = _verify(data, "--head", str(file))
    assert status == 1 and "shorter than when this head was kept" in said and "Traceback" not in said
    async with stores(StoreSettings(data)):
        await DeskLine.delete().where(DeskLine.number == 3)
    status, said = _verify(data)
    assert status == 1 and "handlers' log was changed: line 4" in said


@pytest.mark.opened
async def test_the_representative_sees_and_keeps_the_head_of_the_handlers_log(
    site: Site, store_settings: StoreSettings
) -> None:
    await open_a_wave(site)
    here = replace(site, day=today())
    await _fill(here)
    await accounts.add(site.engines["people"], "rsu", "representative", "una-password-lunga")
    secret = await channel.with_codes(here, "rsu")
    app = create_app(Settings(store_settings))
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # Litestar is an ASGI application
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=transport, base_url="http://test", headers={"Origin": "http://test"}) as client,
    ):
        entered = await client.post(
            "/account/in", data={"name": "rsu", "password": "una-password-lunga", "second": next_code(secret)}
        )
        session = {"Cookie": f"ascolto={session_of(entered)}"}
        client.cookies.clear()
        page = (await client.get("/keys/desk-log?lang=en", headers=session)).text
        file = await client.get("/keys/desk-log/head.txt", headers=session)
        stranger = await client.get("/keys/desk-log/head.txt")
    async with stores(store_settings):
        now, yesterday = await _kept(here)
        assert file.text == now + "\n" and "desk-log" in file.headers["content-disposition"]
        assert now in page.replace("&#43;", "+") and yesterday in page.replace("&#43;", "+") and "Keep this" in page
        assert await _said(here, file.text) == f"part, line {len(await log.read(keeper_at(site.data)))}"
    assert stranger.status_code != 200 and "ascolto-desk-log" not in stranger.text
