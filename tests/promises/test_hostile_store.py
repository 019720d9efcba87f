"""Every column of the cases store in the hands of whoever writes it, on both engines, behind the real addresses.

One true case is there, with a change of keys and notes. Each column of each of its rows is set to what such a person might
try; then the reporter's code and a handler's desk ask for the case, and a handler writes on. Each time either all that was
written is read as it was, as far as it goes, or there is a refusal; never a fault, and never a line for the attacker's key.
"""

import base64
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import httpx
from piccolo.columns import JSON, BigInt, Boolean, Bytea, Column, Date, Integer
from piccolo.table import Table

from server.demonstration import channel
from server.settings import Settings
from surveys.cases import acts, codes, handlers
from surveys.cases.acts import Reporter
from surveys.cases.bundles import HandlerKeys, open_bundle, split
from surveys.cases.letters import Author
from surveys.cases.opening import handler, open_case
from surveys.cases.sealed_case import OpenedCase, SealedCase, SealedEpochRow, SealedLetter
from surveys.cases.sealing import CannotOpen, decrypt, new_identity
from surveys.cases.tables import Case, DeskLine, Epoch, Handler, Message, Piece, Wrap
from surveys.lifecycle.context import Site, today
from surveys.people import accounts
from surveys.public import organisation, readers
from surveys.public.readers import Readers
from surveys.stores import StoreSettings
from tests.apps import create_app
from tests.conftest import ORGANISATION
from tests.promises.test_hostile_cases import WORDS
from tests.signing_in import next_code

TABLES: tuple[type[Table], ...] = (Case, Epoch, Wrap, Message, Piece, Handler, DeskLine)
TEXTS = ("vero: la storia", "vero: arrivato", "vero: nota", "vero: risposta", "vero: dopo", "")
SPY, SPY_RECIPIENT = new_identity()


@dataclass
class Stage:
    """A served channel with one case, and what its people hold."""

    client: httpx.AsyncClient
    site: Site
    lists: Readers
    me: Reporter
    keys: HandlerKeys
    session: Mapping[str, str]
    representative: httpx.AsyncClient
    case: int = 0

    @property
    def number(self) -> str:
        return f"{self.case:016x}"

    @property
    def proofs(self) -> dict[str, str]:
        return {"locator": self.me.keys.locator.hex(), "auth": self.me.keys.auth.hex()}

    async def asked(self) -> dict[str, httpx.Response]:
        """What the reporter's code and the handler's desk get."""
        return {
            "reporter": await self.client.post("/concern/thread", json=self.proofs),
            "desk": await self.client.get("/cases/desk.json", headers=self.session),
            "handler": await self.client.get(f"/cases/case/{self.number}", headers=self.session),
            "log": await self.representative.get("/keys/desk-log"),
        }

    def opened(self, content: Mapping[str, Any], name: str) -> OpenedCase:
        epochs = [
            SealedEpochRow(e["stream"], e["number"], base64.b64decode(e["wrap"]), base64.b64decode(e["link"]), e["at"])
            for e in content["epochs"]
        ]
        rows = [
            SealedLetter(m["stream"], m["number"], m["epoch"], base64.b64decode(m["sealed"]))
            for m in content["messages"]
        ]
        party = self.me.party if name == "reporter" else handler("ascolto1", self.keys.identity)
        assert self.lists.house is not None
        return open_case(SealedCase(content["case"], epochs, rows), party, self.lists.house.hash, self.lists.chain)

    async def write(self, made: Mapping[str, Any]) -> int:
        sent = {"move": "", "uploads": [], **made}
        return (await self.client.post(f"/cases/case/{self.number}/write", json=sent, headers=self.session)).status_code

    @property
    def author(self) -> Author:
        return Author("ascolto1", self.keys.ed25519)


@asynccontextmanager
async def served(settings: StoreSettings) -> AsyncIterator[Stage]:
    app = create_app(Settings(settings))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]  # Litestar is an ASGI application
    there: dict[str, Any] = {"transport": transport, "base_url": "http://test", "headers": {"Origin": "http://test"}}
    async with app.lifespan(), httpx.AsyncClient(**there) as client, httpx.AsyncClient(**there) as other:
        site = Site(app.state.engines, settings.data, today(), "administrator")
        await organisation.save(site.engines["public"], replace(ORGANISATION, help_checked_on=site.day.isoformat()))
        known = (await channel.make(site))["handlers"]["ascolto1"]
        me = await handlers.load("ascolto1")
        assert me is not None
        login, wrap = split(known["passphrase"], me.salt)
        answered = await client.post(
            "/cases/in", json={"name": "ascolto1", "login": login, "second": next_code(known["second"])}
        )
        assert answered.status_code == 200, answered.text
        form = (await client.get("/cases/desk.json")).json()["form"]
        await accounts.add(site.engines["people"], "rsu", "representative", "una-password-lunga")
        second = next_code(await channel.with_codes(site, "rsu"))
        entered = await other.post(
            "/account/in", data={"name": "rsu", "password": "una-password-lunga", "second": second}
        )
        assert entered.status_code == 303
        lists = await readers.load(settings.data)
        assert lists.house is not None
        reporter = Reporter(codes.derive(codes.new_code(os.urandom), bytes.fromhex(lists.house.salt)))
        stage = Stage(client, site, lists, reporter, open_bundle(me.bundle, "pass", wrap), {"X-Form": form}, other)
        await tell(stage)
        yield stage


async def tell(stage: Stage) -> None:
    """The true case: a report, an answer, a note, new keys, a reply, a letter after it."""
    assert stage.lists.chain is not None and stage.lists.house is not None
    ring, on = stage.lists.chain.newest, stage.site.day
    sent = acts.report(stage.me, ring, stage.lists.house.hash, (), {"text": TEXTS[0]}, on, os.urandom)
    assert (await stage.client.post("/concern/sealed", json=sent)).status_code == 200
    stage.case = int(sent["case"], 16)

    async def now(name: str = "handler") -> OpenedCase:
        return stage.opened((await stage.asked())[name].json(), name)

    fold = (await now()).fold
    assert fold is not None
    assert (
        await stage.write(
            acts.letter(fold, ring, stage.author, "acknowledge", {"text": TEXTS[1]}, on, os.urandom)
            | {"move": "acknowledge"}
        )
        == 200
    )
    assert (
        await stage.write(acts.note(await now(), ring, stage.author, "note", {"text": TEXTS[2]}, on, os.urandom)) == 200
    )
    opened = await now()
    assert opened.fold is not None
    made = acts.change(
        opened,
        ring,
        stage.author,
        acts.Change(list(opened.fold.readers.values()), opened.fold.recovery),
        on,
        os.urandom,
    )
    assert await stage.write(made["letter"] | {"epochs": made["epochs"]}) == 200
    fold = (await now("reporter")).fold
    assert fold is not None
    reply = acts.letter(fold, ring, stage.me.author, "message", {"text": TEXTS[3]}, on, os.urandom)
    assert (
        await stage.client.post("/concern/reply", json={**stage.proofs, **reply, "uploads": [], "contest": False})
    ).status_code == 200
    assert (
        await stage.write(acts.note(await now(), ring, stage.author, "note", {"text": TEXTS[4]}, on, os.urandom)) == 200
    )


def hostile(column: Column, here: Any, other: Any) -> Iterator[Any]:
    """What somebody might write into a column, beside what stands there and in another row."""
    if isinstance(column, Boolean):
        yield not here
    elif isinstance(column, JSON):
        yield from ("[]", "{}", "null", '"x"', "[1,2]", '["a","b"]', "")
    elif isinstance(column, Bytea):
        before = bytes(here or b"")
        yield from (
            b"",
            before[:-1],
            bytes(len(before)),
            os.urandom(len(before) or 40),
            bytes(other or b""),
            before + before,
        )
    elif isinstance(column, Date):
        yield from (None, date(1, 1, 1), date(9999, 12, 31), date(2020, 2, 29))
    elif isinstance(column, BigInt | Integer):
        yield from (0, -1, 1, 7, 2**31 - 1, other)
    else:
        yield from (
            "",
            "x",
            "final",
            "diary",
            "notes",
            "thread",
            SPY_RECIPIENT[: getattr(column, "length", 0) or 80],
            other,
        )


def text_of(opened: OpenedCase) -> list[str]:
    return [one.content["text"] if one.content else "" for one in (*opened.diary, *opened.thread, *opened.notes)]


async def read(stage: Stage, label: str) -> dict[str, OpenedCase]:
    """All three ask; gives what the reporter and the handler could open."""
    found = {}
    for name, answered in (await stage.asked()).items():
        assert answered.status_code < 500, f"{label}: {name} {answered.status_code}"
        if answered.status_code != 200 or name in ("desk", "log"):
            continue
        content = answered.json()
        if content["version"] == 1:
            continue  # read by the rules of version 1: tests/journeys/test_version_one.py
        try:
            opened = stage.opened(content, name)
        except CannotOpen as refused:
            assert str(refused) in WORDS, label
            continue
        assert opened.problem in WORDS and opened.notes_problem in WORDS, label
        assert set(text_of(opened)) <= set(TEXTS), label
        found[name] = opened
    return found


def whole(found: Mapping[str, OpenedCase]) -> bool:
    return len(found) == 2 and all(opened.problem == opened.notes_problem == "" for opened in found.values())


async def nothing_for_the_spy() -> bool:
    for table, column in ((Message, Message.sealed), (Wrap, Wrap.sealed), (Epoch, Epoch.link)):
        for row in await table.select(column):
            try:
                decrypt(bytes(next(iter(row.values())) or b""), SPY)
            except CannotOpen:
                continue
            return False
    return True


async def test_no_column_of_the_store_makes_a_fault_a_false_line_or_a_key_for_whoever_writes_it(
    store_settings: StoreSettings,
) -> None:
    async with served(store_settings) as stage:
        assert whole(await read(stage, "as it was")) and {
            one.status_code for one in (await stage.asked()).values()
        } == {200}
        rows = {table: [dict(row) for row in await table.select()] for table in TABLES}
        tried, refused = 0, 0
        for table in TABLES:
            chosen = rows[table][:: max(1, len(rows[table]) - 1)][: 2 if table in (Epoch, Message) else 1]
            for row, column in ((row, column) for row in chosen for column in table._meta.columns):
                name = column._meta.name
                other = next((one[name] for one in rows[table] if one[name] != row[name]), row[name])
                for value in hostile(column, row[name], other):
                    label = f"{table._meta.tablename}.{name} = {value!r}"
                    try:
                        await table.update({column: value}).where(
                            table._meta.primary_key == row[table._meta.primary_key._meta.name]
                        )
                    except (
                        Exception
                    ) as problem:  # the database itself refuses it: two rows with one key, a number too long
                        assert type(problem).__module__.split(".")[0] in ("pysqlite3", "asyncpg"), label
                        continue
                    found = await read(stage, label)
                    tried, refused = tried + 1, refused + (not whole(found))
                    await write_on(stage, found.get("handler"), label)
                    touched: set[type[Table]] = {table, Message, DeskLine}
                    for one in touched:
                        await put_back(one, rows[one])
        assert whole(await read(stage, "as it was again"))
        assert tried > 300 and refused > 60, (tried, refused)


async def write_on(stage: Stage, opened: OpenedCase | None, label: str) -> None:
    """The handler goes on where her desk lets her: refused or taken, and never a line for the attacker."""
    if opened is None or opened.fold is None or opened.problem:
        return
    assert stage.lists.chain is not None
    letter = acts.letter(
        opened.fold, stage.lists.chain.newest, stage.author, "message", {"text": ""}, stage.site.day, os.urandom
    )
    assert await stage.write(letter) in (200, 400, 404, 409), label
    assert await nothing_for_the_spy(), label


async def put_back(table: type[Table], rows: list[dict[str, Any]]) -> None:
    await table.delete(force=True)
    if rows:
        await table.insert(*(table(**one) for one in rows))
