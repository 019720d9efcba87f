"""`ascolto wave verify`: what an honest installation gives out passes, and what is no document is said to be none."""

import argparse
import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from server.command.proving import wave_verify
from server.settings import Settings
from surveys.lifecycle import closing, printing, two_keys
from surveys.lifecycle.context import Site
from surveys.lifecycle.releasing import release_wave
from surveys.people import two_keys as acts
from surveys.public import releases
from surveys.stores import StoreSettings, stores
from tests.apps import create_app
from tests.conftest import DAY, WAVE, open_a_wave
from tests.surveys.test_releasing import fill


def _said(bulletin: Path, release: Path) -> int:
    return asyncio.run(wave_verify(argparse.Namespace(bulletin=str(bulletin), release=str(release), code="")))


async def _given_out(settings: StoreSettings, folder: Path) -> tuple[Path, Path]:
    """Bulletin and release of a wave of which the printer spoiled a batch of slips."""
    async with stores(settings) as engines:
        site = Site(engines, settings.data, DAY, "hr")
        opened = await open_a_wave(site, slips=40)
        await printing.print_slips(site, WAVE, 20)
        await two_keys.ask_void(site, WAVE, 2, 20)
        await two_keys.confirm(replace(site, actor="rsu"), (await acts.of_wave(WAVE))[0].id)
        await fill(site, opened, 40)
        late = replace(site, day=DAY + timedelta(days=15))
        await closing.end(late, WAVE)
        await closing.close(late, WAVE, unused_slips=0)
        await release_wave(late, WAVE, (opened.secrets["hr"], opened.secrets["recovery"]), lambda _: None)
        document = folder / "release.json"
        document.write_text(await releases.kept(WAVE) or "", "utf-8")
    app = create_app(Settings(settings))
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client,  # type: ignore[arg-type]  # Litestar is an ASGI application
    ):
        bulletin = folder / "bulletin.txt"
        bulletin.write_text((await client.get(f"/wave/{WAVE}/bulletin.txt")).text, "utf-8")
    return bulletin, document


def test_the_bulletin_of_a_wave_with_void_slips_passes_beside_its_release(
    sqlite_settings: StoreSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bulletin, document = asyncio.run(_given_out(sqlite_settings, tmp_path))
    assert "void_slips 20" in bulletin.read_text("utf-8")
    assert _said(bulletin, document) == 0, capsys.readouterr()
    bulletin.write_text(bulletin.read_text("utf-8").replace("drawn 40", "drawn 41"), "utf-8")
    assert _said(bulletin, document) == 1
    for other in ("[]", "null", '{"participation": 1}', "7"):
        document.write_text(json.dumps(json.loads(other)), "utf-8")
        assert _said(bulletin, document) == 1
