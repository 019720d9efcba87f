"""A limit: what a survey that was open loses when an older copy of the stores is put in place (docs/what-we-cannot-protect.md)."""

import shutil
from pathlib import Path

from surveys.answers import wave as urn_of
from surveys.answers.filling import Receipt
from surveys.answers.intake import receive
from surveys.answers.rights import Right
from surveys.answers.urn import Urn
from surveys.blind import encode_token
from surveys.lifecycle import accepting, issuing
from surveys.lifecycle.context import Site
from surveys.people import links
from surveys.public import waves
from surveys.questionnaire import AnswerSheet
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, WAVE
from tests.surveys.test_links import _open, _token


async def _sent(site: Site, token: str, form: int) -> Receipt:
    accepting.begin(site.data)
    wave = await accepting.to_answer(WAVE)
    assert wave is not None
    urn = Urn(site.engines["answers"])
    urn.start()
    receipt = await receive(urn, Right.verified(token, wave), AnswerSheet({"CUL1": ("1",)}), bytes([form]) * 16)
    await urn.stop()
    return receipt


async def test_whoever_took_a_code_since_the_backup_may_answer_twice(
    sqlite_settings: StoreSettings, tmp_path: Path
) -> None:
    async with stores(sqlite_settings) as engines:
        site = Site(engines, sqlite_settings.data, DAY, "hr")
        await _open(site)
        link = (await issuing.hand_over(site, WAVE, "sms"))[0].link
    shutil.copytree(sqlite_settings.data, tmp_path / "backup")
    async with stores(sqlite_settings) as engines:
        site = Site(engines, sqlite_settings.data, DAY, "hr")
        first = encode_token(*await _token(site, await waves.get(WAVE), link))
        assert await _sent(site, first, 1) == Receipt.RECEIVED
    shutil.rmtree(sqlite_settings.data)
    shutil.copytree(tmp_path / "backup", sqlite_settings.data)
    async with stores(sqlite_settings) as engines:
        site = Site(engines, sqlite_settings.data, DAY, "hr")
        assert await urn_of.received(WAVE) == 0  # what she sent is lost
        second = encode_token(*await _token(site, await waves.get(WAVE), link))
        assert [await _sent(site, first, 1), await _sent(site, second, 2)] == [Receipt.RECEIVED, Receipt.RECEIVED]
        assert (await links.issued(WAVE), await urn_of.received(WAVE)) == (1, 2)
