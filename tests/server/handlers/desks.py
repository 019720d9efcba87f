"""Desks of the served application: four handlers with keys, signed in, who send what their devices make; and others who try."""

from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import httpx

from server.demonstration import channel
from server.frame.security import COOKIE
from server.settings import Settings
from surveys.cases import acts, log
from surveys.cases.keeper import keeper_at
from surveys.cases.opening import handler, open_case
from surveys.cases.sealed_case import OpenedCase, SealedCase, SealedEpochRow, SealedLetter
from surveys.cases.tables import Case, DeskLine, Epoch, Handler, Message, Piece, Wrap
from surveys.lifecycle.context import Site, today
from surveys.people import accounts
from surveys.stores import StoreSettings, stores
from tests.apps import create_app
from tests.conftest import ORGANISATION
from tests.signing_in import next_code
from tests.surveys.cases import people
from tests.surveys.cases.memory import ALL
from tests.surveys.cases.people import Team, Written

STRANGERS = {"direzione": "hr", "rappresentante": "representative", "garante": "guarantee", "verifica": "auditor"}
TABLES = (Case, Epoch, Wrap, Message, Piece, Handler, DeskLine)
NOBODY = f"{7:016x}"
"""The number of a case that is none."""


@dataclass
class Desks:
    """The served application, who signed in, and the team as its devices know it."""

    client: httpx.AsyncClient
    sessions: dict[str, str]
    seconds: dict[str, str]
    site: Site
    team: Team

    async def ask(
        self,
        who: str,
        path: str,
        content: Any = None,
        *,
        method: str = "POST",
        form: str | None = None,
        body: bytes | None = None,
    ) -> httpx.Response:
        """Ask as the script of this person's page would; `form` is another form token than hers."""
        headers = {"sec-fetch-site": "same-origin"}
        if session := self.sessions.get(who):
            headers |= {"cookie": f"{COOKIE}={session}"}
            headers |= {"x-form": accounts.form_token(session) if form is None else form}
        sent: dict[str, Any] = {"content": body} if body is not None else {"json": content} if content else {}
        return await self.client.request(method, f"/cases{path}", headers=headers, **sent)

    async def report(self, text: str = "parole", *, out: tuple[str, ...] = ()) -> Written:
        return await people.report(self.site, self.team, text, out)

    async def file(self, who: str, written: Written) -> dict[str, Any]:
        """The case as the server gives it to a handler."""
        answered = await self.ask(who, case_of(written), method="GET")
        assert answered.status_code == 200, answered.text
        found: dict[str, Any] = answered.json()
        return found

    async def opened(self, who: str, written: Written) -> OpenedCase:
        """The case as her device opens it."""
        file = await self.file(who, written)
        epochs = [
            SealedEpochRow(e["stream"], e["number"], b64decode(e["wrap"]), b64decode(e["link"]), e["at"])
            for e in file["epochs"]
        ]
        rows = [SealedLetter(m["stream"], m["number"], m["epoch"], b64decode(m["sealed"])) for m in file["messages"]]
        party = handler(who, self.team.keys[who].identity)
        return open_case(SealedCase(file["case"], epochs, rows), party, self.team.anchor.hash, self.team.chain)

    async def texts(self, who: str, written: Written) -> list[str]:
        return [letter.content["text"] for letter in (await self.opened(who, written)).thread if letter.content]

    async def letter(
        self,
        who: str,
        written: Written,
        text: str,
        move: str = "",
        kind: str = "",
        terms: Mapping[str, Any] | None = None,
        **content: Any,
    ) -> dict[str, Any]:
        """A letter of hers as her device makes it, not yet sent."""
        fold = (await self.opened(who, written)).fold
        assert fold is not None
        made = acts.letter(
            fold,
            self.team.ring,
            self.team.author(who),
            kind or move or "message",
            {"text": text, **content},
            self.site.day,
            self.team.dice,
            terms,
        )
        return made | {"move": move}

    async def told(self) -> list[tuple[str, str]]:
        """What the handlers' log holds of handlers, but that they looked: who, and what."""
        lines = await log.read(keeper_at(self.site.data))
        return [(line.who, line.act) for line in lines if line.who in ALL and line.act != "opened_a_case"]

    async def stored(self) -> dict[str, str]:
        """A digest of every table of the cases: equal where nothing was written."""
        return {
            table.__name__: sha256(
                repr(await table.select(*table.all_columns()).order_by(table._meta.primary_key)).encode()
            ).hexdigest()
            for table in TABLES
        }


def case_of(written: Written, what: str = "") -> str:
    return f"/case/{written.case:016x}{what}"


@asynccontextmanager
async def desks(settings: StoreSettings) -> AsyncIterator[Desks]:
    """Serve these stores to four handlers and to four people who are none."""
    sessions: dict[str, str] = {}
    seconds: dict[str, str] = {}
    async with stores(settings) as engines:
        site = Site(engines, settings.data, today(), "administrator")
        team = await people.opened(site, ORGANISATION)
        for name, role in {**dict.fromkeys(ALL, "handler"), **STRANGERS}.items():
            await accounts.add(engines["people"], name, role, login_of(name))
            seconds[name] = await channel.with_codes(site, name)
            door: accounts.Door = "handlers" if role == "handler" else "desk"
            sessions[name] = (
                await accounts.sign_in(
                    engines["people"],
                    name,
                    login_of(name),
                    datetime.now(UTC),
                    second=next_code(seconds[name]),
                    door=door,
                )
            )[0]
    app = create_app(Settings(settings))
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # Litestar is an ASGI application
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield Desks(client, sessions, seconds, replace(site, engines=app.state.engines), team)


def login_of(name: str) -> str:
    """The half of a passphrase that signs in, as a device would send it: 32 bytes in hex."""
    return sha256(name.encode()).hexdigest()


async def is_hers_alone(
    desks: Desks, path: str, content: Any = None, *, method: str = "POST", who: str = "anna"
) -> None:
    """Assert that nobody else comes through: no session, another role, a foreign or no form token, another method; and that
    nothing was written, the handlers' log included."""
    before = await desks.stored()
    answered = {name: (await desks.ask(name, path, content, method=method)).status_code for name in ("", *STRANGERS)}
    assert answered == {"": 303} | dict.fromkeys(STRANGERS, 403)
    foreign = accounts.form_token(desks.sessions["bruno"])
    tokens = [
        (await desks.ask(who, path, content, method=method, form=form)).status_code for form in ("", "x", foreign)
    ]
    assert tokens == [403, 403, 403]
    others = {"GET", "POST", "PUT", "PATCH", "DELETE"} - {method}
    assert {(await desks.ask(who, path, content, method=other)).status_code for other in others} == {405}
    assert await desks.stored() == before
