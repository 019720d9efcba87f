"""A sheet that was being filled when its survey ended arrives until the closing, whichever process takes it and whenever it began."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from surveys.answers.tables import Spent
from surveys.lifecycle import closing
from surveys.lifecycle.context import Site
from surveys.public.waves import WrongState
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, WAVE, open_a_wave
from tests.journeys.conftest import start
from tests.postgres import free_port


@contextmanager
def _served(settings: StoreSettings, port: int) -> Iterator[str]:
    process: subprocess.Popen[bytes] = start(settings.data, port)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _send(address: str, code: str, number: int) -> int:
    form = {"_wave": WAVE, "_lang": "it", "_attempt": f"{number:032x}", "_phone": "", "_code": code, "CUL1": "1"}
    return httpx.post(f"{address}/answer", data=form).status_code


def _is_taken_further(address: str) -> None:
    """What a page that is open needs of the server before it sends: the plan to seal under, and its form in another language."""
    words = httpx.get(f"{address}/answer/words", params={"wave": WAVE}).json()
    assert words["wave"] == WAVE and "plan" in words
    form = {"_wave": WAVE, "_lang": "fr", "_attempt": "ab" * 16, "_phone": "", "_code": "", "CUL1": "1"}
    turned = httpx.post(f"{address}/answer/language", data=form)
    assert turned.status_code == 200 and re.search(r'name="CUL1"[^>]* checked', turned.text)


@pytest.mark.opened
async def test_two_processes_and_one_that_was_started_after_the_end_take_it_until_the_closing(
    store_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store_settings.database_url:
        monkeypatch.setenv("ASCOLTO_DATABASE_URL", store_settings.database_url)
    async with stores(store_settings) as engines:
        site = Site(engines, store_settings.data, DAY, "hr")
        codes = [str(code) for code in (await open_a_wave(site)).codes]
        late = replace(site, day=DAY + timedelta(days=15))
        ports = free_port(), free_port()
        with _served(store_settings, ports[0]) as one:
            httpx.get(f"{one}/answer")
            with suppress(WrongState):  # where its last day is over, the jobs of that process may be first
                await closing.end(late, WAVE)
            with _served(store_settings, ports[1]) as two:
                assert [_send(one, codes[0], 0), _send(two, codes[1], 1)] == [303, 303]
                _is_taken_further(two)
                assert httpx.get(f"{two}/answer").status_code == 410  # nobody begins one any more
        with _served(store_settings, ports[0]) as again:
            assert [_send(again, codes[2], 2), _send(again, codes[0], 0)] == [303, 303]
            _is_taken_further(again)
            assert await Spent.count() == 3
            await closing.close(late, WAVE, unused_slips=0)
            assert _send(again, codes[3], 3) == 410
        with _served(store_settings, ports[1]) as after:
            assert _send(after, codes[4], 4) == 410
