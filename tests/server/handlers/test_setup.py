"""A handler makes her keys: by a word that works once, with a code of her app, and never over keys that are there."""

import json
import os
from base64 import b32encode
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from surveys.cases import handlers
from surveys.people import accounts
from surveys.people.tables import SecondFactor
from surveys.stores import StoreSettings
from tests.server.handlers.desks import Desks, desks, login_of
from tests.signing_in import next_code

WORD = "parola-per-una-volta-sola"


@dataclass
class Newcomer:
    """What the browser of a new handler sends."""

    served: Desks
    secret: str

    async def send(self, **other: Any) -> httpx.Response:
        keys = self.served.team.new_keys()
        given = {
            "name": "dora",
            "word": WORD,
            "login": login_of("dora"),
            "salt": os.urandom(16).hex(),
            "bundle": json.dumps({"pass": "x", "kit": "y"}),
            "recipient": keys.recipient,
            "signer": keys.signer,
            "secret": self.secret,
            "second": "",
            "contact": "dora@prova.invalid",
        }
        sent = given | ({} if "second" in other else {"second": next_code(self.secret)}) | other
        return await self.served.client.post("/cases/setup", json=sent, headers={"sec-fetch-site": "same-origin"})


async def _newcomer(served: Desks) -> Newcomer:
    await accounts.add(served.site.engines["people"], "dora", "handler", WORD)
    return Newcomer(served, b32encode(os.urandom(20)).decode())


async def test_her_keys_are_kept_and_the_passphrase_takes_the_words_place(store_settings: StoreSettings) -> None:
    async with desks(store_settings) as served:
        new = await _newcomer(served)
        assert (await new.send()).json() == {"made": True}
        record = await handlers.load("dora")
        assert record is not None and (record.contact, record.trained) == ("dora@prova.invalid", None)
        given = {"name": "dora", "login": login_of("dora"), "second": next_code(new.secret)}
        entered = await served.client.post("/cases/in", json=given, headers={"sec-fetch-site": "same-origin"})
        assert entered.json() == {"in": True}


async def test_the_word_works_once(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        new = await _newcomer(served)
        assert [(await new.send()).status_code, (await new.send()).status_code] == [200, 403]


async def test_whoever_has_keys_does_not_make_others_here(sqlite_settings: StoreSettings) -> None:
    """Done by an attacker: keys of his own in the place of a handler's, by a word of hers that was used up."""
    async with desks(sqlite_settings) as served:
        new, before = await _newcomer(served), await handlers.load("anna")
        shown = next_code(new.secret)
        for word in (login_of("anna"), WORD, ""):
            answered = await new.send(name="anna", word=word, second=shown)
            assert (answered.status_code, answered.json()) == (403, {"problem": "wrong"})
        assert await handlers.load("anna") == before


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        ({"word": "un'altra"}, "wrong"),
        ({"name": "nessuna"}, "wrong"),
        ({"name": "direzione"}, "wrong"),
        ({"second": "000000x"}, "second"),
        ({"second": ""}, "second"),
        ({"secret": "CORTO"}, "keys"),
        ({"salt": "zz"}, "keys"),
        ({"salt": "00"}, "keys"),
        ({"login": "corto"}, "keys"),
        ({"recipient": "age1x"}, "keys"),
        ({"signer": "x"}, "keys"),
        ({"bundle": ""}, "keys"),
        ({"bundle": "x" * 70_000}, "keys"),
    ],
)
async def test_what_is_wrong_is_named_and_she_can_try_again(
    sqlite_settings: StoreSettings, other: dict[str, str], problem: str
) -> None:
    async with desks(sqlite_settings) as served:
        new = await _newcomer(served)
        sent = {"second": "000000"} | other if problem == "keys" and "secret" in other else other
        answered = await new.send(**sent)
        assert (answered.status_code, answered.json()) == (403, {"problem": problem})
        assert await handlers.load("dora") is None
        assert not await SecondFactor.exists().where(SecondFactor.account == "dora")
        assert (await new.send()).json() == {"made": True}


async def test_a_contact_keeps_no_sign_that_cannot_be_seen(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        await (await _newcomer(served)).send(contact="dora@prova.invalid\r\nBcc: altri@prova.invalid" + "x" * 300)
        record = await handlers.load("dora")
        assert record is not None and record.contact.startswith("dora@prova.invalidBcc: altri@prova.invalidx")
        assert len(record.contact) == 200


async def test_another_site_sets_nobody_up(sqlite_settings: StoreSettings) -> None:
    async with desks(sqlite_settings) as served:
        await _newcomer(served)
        answered = await served.client.post("/cases/setup", json={}, headers={"sec-fetch-site": "cross-site"})
        assert (answered.status_code, answered.json()) == (403, {"problem": "foreign"})
        assert (await served.client.put("/cases/setup")).status_code == 405
