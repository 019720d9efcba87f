"""Tokens that are none: refused alike, in the person's language, whether sent in the form or sealed."""

import base64
import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from litestar import Litestar

from server.frame.texts import say
from server.settings import Settings
from surveys import blind
from surveys.answers import pairs
from surveys.answers.plans import SignedPlan
from surveys.blind import token_digest
from surveys.lifecycle import accepting, closing, issuing
from surveys.lifecycle.context import Site
from surveys.public.waves import WaveRecord
from surveys.questionnaire import AnswerSheet
from surveys.stores import StoreSettings, stores
from tests.apps import create_app
from tests.conftest import DAY, WAVE
from tests.surveys.test_links import _open, _token
from tests.urn import plan_of

SHOWN = re.compile(r'name="CUL1"[^>]* checked')


@dataclass(frozen=True, slots=True)
class Ready:
    """A client of an installation with one open wave, and one good token."""

    app: Litestar
    client: httpx.AsyncClient
    record: WaveRecord
    plan: SignedPlan
    prepared: bytes
    signature: bytes


@asynccontextmanager
async def installation(sqlite_settings: StoreSettings) -> AsyncIterator[Ready]:
    async with stores(sqlite_settings) as engines:
        site = Site(engines, sqlite_settings.data, DAY, "hr")
        record = await _open(site)
        token = await _token(site, record, (await issuing.hand_over(site, WAVE, "sms"))[0].link)
    app = create_app(Settings(sqlite_settings))
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client,  # type: ignore[arg-type]  # Litestar is an ASGI application
    ):
        yield Ready(app, client, record, plan_of(site, WAVE), *token)


def _written(prepared: bytes, signature: bytes) -> str:
    return base64.urlsafe_b64encode(prepared + signature).rstrip(b"=").decode()


def _bad(ready: Ready, kind: str) -> str:
    prepared, signature = ready.prepared, ready.signature
    match kind:
        case "modified message":
            return _written(bytes([prepared[0] ^ 1]) + prepared[1:], signature)
        case "modified signature":
            return _written(prepared, signature[:-1] + bytes([signature[-1] ^ 1]))
        case "too short":
            return _written(prepared, signature)[:-4]
        case "too long":
            return _written(prepared, signature) + "AAAA"
        case "not randomised":  # the signature of a bare message, as another variant of the RFC would make it
            return _written(prepared[32:] * 2, signature)
        case _:
            key = blind.generate_key()
            other = blind.prepare(b"o" * 32)
            z, inverse = blind.blind(key.public, other)
            return _written(other, blind.finalize(key.public, other, blind.sign_blinded(key, z), inverse))


KINDS = ("modified message", "modified signature", "too short", "too long", "not randomised", "another wave's")


@pytest.mark.parametrize("language", ["it", "uk"])
async def test_every_bad_token_is_refused_with_the_same_words(sqlite_settings: StoreSettings, language: str) -> None:
    async with installation(sqlite_settings) as ready:
        said = set()
        for kind in KINDS:
            form = {"_code": _bad(ready, kind), "_lang": language, "_wave": WAVE, "_attempt": "a" * 32, "CUL1": "3"}
            answer = await ready.client.post("/answer", data=form)
            assert answer.status_code == 422, kind
            said.add(say(language, "link.page.broken") in answer.text)
            sheet = pairs.seal(AnswerSheet({}).to_bytes(), b"p" * 32, ready.plan.hash, ready.plan.points)
            sealed = base64.b64encode(sheet).decode()
            body = {"wave": WAVE, "code": form["_code"], "attempt": "a" * 32, "envelope": sealed}
            other = await ready.client.post(f"/answer/sealed?lang={language}", json=body)
            assert (other.status_code, other.json()) == (422, {"problem": say(language, "link.page.broken")})
        assert said == {True}


async def test_nobody_is_thanked_for_a_sheet_that_did_not_arrive(sqlite_settings: StoreSettings) -> None:
    """Done by an attacker: on a phone that others use, an older page went out with a mistyped code, and was thanked for."""
    async with installation(sqlite_settings) as ready:
        sent = {
            "_code": _written(ready.prepared, ready.signature),
            "_lang": "it",
            "_wave": WAVE,
            "_attempt": "a" * 32,
            "CUL1": "3",
        }
        assert (await ready.client.post("/answer", data=sent)).status_code == 303
        assert (
            await ready.client.post("/answer", data=sent | {"CUL1": "77"})
        ).status_code == 303  # hers, sent again: thanked, and nothing shown
        for code, problem in (("ABCD", "bad_code"), ("0000-0000-0000-0000", "unknown_code"), ("", "no_code")):
            again = await ready.client.post("/answer", data=sent | {"_code": code, "CUL1": "4"})
            assert again.status_code == 422 and say("it", f"staff.problem.{problem}") in html.unescape(again.text), code
            assert (
                not SHOWN.search(again.text) and "a" * 32 not in again.text
            )  # no answer of anybody, and a form of its own
            assert SHOWN.search(
                (
                    await ready.client.post("/answer", data=sent | {"_code": code, "CUL1": "4", "_attempt": "c" * 32})
                ).text
            )


async def test_a_sheet_that_was_sealed_before_the_end_is_received_after_it_and_not_after_the_closing(
    sqlite_settings: StoreSettings,
) -> None:
    """Done by an attacker: a form without a script was received, a sheet on its way from a phone with one was refused and thrown away."""
    async with installation(sqlite_settings) as ready:
        assert (await ready.client.get("/answer")).status_code == 200
        engines = ready.app.state.engines
        late = Site(engines, sqlite_settings.data, DAY + timedelta(days=15), "hr")
        await closing.end(late, WAVE)
        accepting.begin(
            sqlite_settings.data
        )  # another process, or this one after a restart: it has not seen the wave open
        assert (await ready.client.get("/answer")).status_code == 410
        sheet = pairs.seal(AnswerSheet({}).to_bytes(), token_digest(ready.prepared), ready.plan.hash, ready.plan.points)
        body = {
            "wave": WAVE,
            "code": _written(ready.prepared, ready.signature),
            "attempt": "a" * 32,
            "envelope": base64.b64encode(sheet).decode(),
        }
        assert (await ready.client.post("/answer/sealed", json=body)).json() == {"received": True}
        await closing.close(late, WAVE, unused_slips=0)
        after = await ready.client.post("/answer/sealed", json=body | {"attempt": "b" * 32})
        assert after.status_code in (409, 410, 422) and "problem" in after.json()


async def test_a_token_that_is_sent_again_with_another_form_is_told_that_it_was_used(
    sqlite_settings: StoreSettings,
) -> None:
    async with installation(sqlite_settings) as ready:
        form = {
            "_code": _written(ready.prepared, ready.signature),
            "_lang": "it",
            "_wave": WAVE,
            "_attempt": "a" * 32,
            "CUL1": "3",
        }
        assert (await ready.client.post("/answer", data=form)).status_code == 303
        assert (await ready.client.post("/answer", data=form)).status_code == 303  # the same form: the same thanks
        again = await ready.client.post("/answer", data=form | {"_attempt": "b" * 32})
        assert again.status_code == 409 and say("it", "staff.problem.used_code") in again.text


@pytest.mark.parametrize("address", ["/answer/link", "/answer/token", "/answer/sealed"])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"link": 3}', b"\xff" * 40, b'{"link":"x","z":"y","more":1}'])
async def test_nothing_that_anybody_sends_breaks_an_address(
    sqlite_settings: StoreSettings, address: str, body: bytes
) -> None:
    async with installation(sqlite_settings) as ready:
        answer = await ready.client.post(address, content=body)
        assert answer.status_code in (400, 404, 410, 422)
