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
from surveys.lifecycle import closing, opening
from surveys.lifecycle.context import Site
from surveys.lifecycle.planning import Wish, plan
from surveys.public.waves import WrongState
from surveys.stores import StoreSettings, stores
from tests import urn
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


@pytest.mark.opened
async def test_an_old_page_of_a_survey_that_is_over_shows_no_answer_in_the_form_of_the_next(
    sqlite_settings: StoreSettings,
) -> None:
    """Whoever goes back, weeks later, to a page that was sent: nothing knows any more that it arrived."""
    sent = {"_wave": WAVE, "_lang": "it", "_attempt": "cd" * 16, "_phone": "", "CUL1": "1"}
    async with stores(sqlite_settings) as engines:
        site = Site(engines, sqlite_settings.data, DAY, "hr")
        code = str((await open_a_wave(site)).codes[0])
        port = free_port()
        with _served(sqlite_settings, port) as address:
            page = httpx.post(f"{address}/answer", data=sent | {"_code": "wrong"})
            assert page.status_code == 422 and re.search(r'name="CUL1"[^>]* checked', page.text)
            assert httpx.post(f"{address}/answer", data=sent | {"_code": code}).status_code == 303
            await closing.cancel(site, WAVE)
            await plan(site, Wish("next", {"it": "Inverno"}, DAY, DAY + timedelta(days=14)))
            await urn.get_ready(site, "next")
            await opening.open_wave(site, "next")
            for typed in ("wrong", code):
                old = httpx.post(f"{address}/answer", data=sent | {"_code": typed})
                assert (old.status_code, 'value="next"' in old.text) == (422, True)
                assert not re.search(r'name="CUL1"[^>]* checked', old.text)
                assert code not in old.text
