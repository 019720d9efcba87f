"""An administrator rewrites the log of acts and computes its chain anew: whoever kept a head finds out."""

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from server.demonstration import channel
from server.settings import Settings
from surveys.lifecycle import heads
from surveys.lifecycle.context import Site, today
from surveys.lifecycle.heads import HeadRefused
from surveys.people import accounts, log
from surveys.people.log import Head
from surveys.people.tables import LogEntry
from surveys.stores import StoreSettings, stores
from tests.apps import create_app
from tests.conftest import DAY, WAVE, open_a_wave
from tests.journeys.conftest import environment
from tests.signing_in import next_code, session_of

ACTS = (
    ("hr", "wave planned"),
    ("representative", "secret made"),
    ("hr", "results exported"),
    ("administrator", "account reset"),
    ("hr", "signed in"),
)


async def _filled(site: Site) -> tuple[Head, Head]:
    """Three acts of yesterday and two of today; gives both heads."""
    people = site.engines["people"]
    for number, (actor, act) in enumerate(ACTS):
        await log.record(
            people, site.day - timedelta(days=number < 3), actor, act, wave="prova", seat="hr", kind="csv", name="rsu"
        )
    yesterday, now = await log.head(before=site.day), await log.head()
    assert yesterday is not None and now is not None and (yesterday.number, now.number) == (3, 5)
    return yesterday, now


async def _rewrite(site: Site, *, without: int = 0) -> None:
    """Change the third act (or leave one out), and compute the whole chain anew: it verifies by itself."""
    acts = [act for act in await log.read() if act.number != without]
    await LogEntry.delete(force=True)
    for act in acts:
        actor = "representative" if act.number == 3 and not without else act.actor
        await log.record(site.engines["people"], act.day, actor, act.act, **act.details)
    assert [act.intact for act in await log.read()] == [True] * len(acts)


async def _said(site: Site, text: str) -> str:
    try:
        return f"part, line {(await heads.hold_against(site.data, text)).number}"
    except HeadRefused as problem:
        return str(problem)


async def test_a_log_that_was_rewritten_with_its_chain_is_found_by_every_head_that_was_kept(site: Site) -> None:
    yesterday, now = await _filled(site)
    kept = [heads.line_of(site.data, yesterday), heads.line_of(site.data, now), yesterday.short, now.digest.upper()]
    assert [await _said(site, text) for text in kept] == [
        "part, line 3",
        "part, line 5",
        "part, line 3",
        "part, line 5",
    ]
    await log.record(site.engines["people"], site.day, "hr", "signed in")
    assert await _said(site, "\n".join(kept[:2])) == "part, line 5"
    await _rewrite(site)
    assert [await _said(site, text) for text in kept] == ["rewritten"] * 4


async def test_lines_that_were_taken_out_are_found(site: Site) -> None:
    _, now = await _filled(site)
    kept = heads.line_of(site.data, now)
    await _rewrite(site, without=5)
    assert await _said(site, kept) == "cut"
    await log.record(site.engines["people"], site.day, "hr", "signed in", other="yes")
    assert await _said(site, kept) == "rewritten"


async def test_a_head_that_somebody_made_up_or_changed_is_not_signed(sqlite_site: Site, tmp_path: Path) -> None:
    yesterday, _ = await _filled(sqlite_site)
    line = heads.line_of(sqlite_site.data, yesterday)
    elsewhere = heads.line_of(tmp_path / "another", yesterday)
    changed = line.replace(f" {yesterday.day.isoformat()} ", " 2026-02-31 ")
    moved = line.replace("ascolto-log 3 ", "ascolto-log 2 ")
    texts = (elsewhere, moved, changed, "", "x", "0" * 31, "ü" * 40, "0" * 65, line[:-1])
    expected = ["unsigned", "unsigned", "none", "none", "none", "none", "none", "none", "none"]
    assert [await _said(sqlite_site, text) for text in texts] == expected


async def test_a_damaged_line_beside_a_good_one_is_not_called_good(sqlite_site: Site) -> None:
    """Could pass: of two kept lines the one that a rewritten log no longer has was passed over, and the command said "part of this log"."""
    yesterday, now = await _filled(sqlite_site)
    good, other = (heads.line_of(sqlite_site.data, head) for head in (yesterday, now))
    damaged = (other[:-1], other.replace("ascolto-log", "ascolto-loq"), other.replace(" 5 ", " cinque "), other[20:])
    texts = [text for line in damaged for text in (f"{good}\n{line}\n", f"{line}\n{good}\n")]
    assert [await _said(sqlite_site, text) for text in texts] == ["torn"] * 8
    for around in (f"Testa del registro, 2 novembre:\n{good}\n", f"> {good}\n> {other}\n", f"{good} {other}"):
        assert (await _said(sqlite_site, around)).startswith("part")


@pytest.fixture
async def kept(tmp_path: Path) -> tuple[Path, Path]:
    """A data folder whose log was rewritten, and a file with the head of the day before."""
    settings = StoreSettings(tmp_path / "data")
    async with stores(settings) as engines:
        site = Site(engines, settings.data, today(), "administrator")
        yesterday, _ = await _filled(site)
        file = tmp_path / "kept.txt"
        file.write_text(heads.line_of(settings.data, yesterday) + "\n", "utf-8")
    return settings.data, file


def _verify(data: Path, *arguments: str) -> tuple[int, str]:
    ran = subprocess.run(
        [sys.executable, "-m", "server.command.cli", "log", "verify", *arguments],
        env=environment(data),
        text=True,
        capture_output=True,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


async def test_the_command_passes_on_its_own_and_refuses_in_words_with_yesterday_s_head(
    kept: tuple[Path, Path],
) -> None:
    data, file = kept
    status, said = _verify(data, "--head", str(file))
    assert (status, "part of this log: line 3" in said) == (0, True)
    async with stores(StoreSettings(data)) as engines:
        await _rewrite(Site(engines, data, today(), "administrator"))
    assert _verify(data)[0] == 0
    status, said = _verify(data, "--head", str(file))
    assert status == 1 and "Somebody rewrote the log" in said and "Traceback" not in said
    assert _verify(data, "--head", file.read_text("utf-8"))[0] == 1
    status, said = _verify(data, "--head", "nothing")
    assert status == 1 and "no head of a log" in said


@pytest.mark.opened
async def test_the_representative_and_staff_see_the_heads_that_are_to_be_kept(
    site: Site, store_settings: StoreSettings
) -> None:
    """Staff see that of whole days: the page does not change when somebody works at a desk."""
    await open_a_wave(site)
    here = replace(site, day=today())
    people = site.engines["people"]
    await accounts.add(people, "rsu", "representative", "una-password-lunga")
    secret = await channel.with_codes(here, "rsu")
    yesterday = await log.head(before=today())
    assert yesterday is not None and DAY < today()
    app = create_app(Settings(store_settings))
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # Litestar is an ASGI application
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=transport, base_url="http://test", headers={"Origin": "http://test"}) as client,
    ):
        before = (await client.get(f"/wave/{WAVE}?lang=en")).text
        entered = await client.post(
            "/account/in", data={"name": "rsu", "password": "una-password-lunga", "second": next_code(secret)}
        )
        session = {"Cookie": f"ascolto={session_of(entered)}"}
        client.cookies.clear()
        after = (await client.get(f"/wave/{WAVE}?lang=en")).text
        desk = (await client.get("/keys?lang=en", headers=session)).text
        file = (await client.get("/keys/log/head.txt", headers=session)).text
    async with stores(store_settings):
        now = await log.head()
        assert now is not None and now.number == yesterday.number + 1
        assert before == after and yesterday.short in after and now.short not in after
        assert yesterday.short in desk and now.short in desk and "Keep this" in desk
        assert file.startswith(f"ascolto-log {now.number} ") and await heads.hold_against(site.data, file) == now
