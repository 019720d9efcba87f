"""A reporter's phone before the served channel: it makes a code and what is sealed by it, and asks as the page's script does."""

import json
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Any

import httpx

from surveys.cases import acts, codes
from surveys.cases.acts import Reporter
from surveys.cases.codes import CodeKeys, Secret
from surveys.cases.opening import open_case
from surveys.cases.sealed_case import OpenedCase, SealedCase, SealedEpochRow, SealedLetter
from tests.server.handlers.desks import Desks
from tests.surveys.cases.people import SALT, made_report

UNKNOWN = (404, {"unknown": True})
REFUSED = (400, {"refused": True})


@dataclass
class Phone:
    """One reporter with one code."""

    served: Desks
    secret: Secret = field(init=False)
    keys: CodeKeys = field(init=False)

    def __post_init__(self) -> None:
        self.secret = codes.new_code(self.served.team.dice)
        self.keys = codes.derive(self.secret, SALT)

    @property
    def me(self) -> Reporter:
        return Reporter(self.keys)

    async def send(
        self, path: str, content: Any = None, body: bytes | None = None, method: str = "POST"
    ) -> tuple[int, Any]:
        """Ask; gives the status, and the answer where it is JSON."""
        sent: dict[str, Any] = {"content": body} if body is not None else {"json": content}
        answered: httpx.Response = await self.served.client.request(method, f"/concern{path}", **sent)
        try:
            return answered.status_code, json.loads(answered.content)
        except ValueError:
            return answered.status_code, answered.content

    def report(self, text: str, out: tuple[str, ...] = (), *, diary: bool = False) -> dict[str, Any]:
        return made_report(self.served.team, self.keys, text, out, self.served.site, diary=diary)

    async def reports(self, text: str = "parole", out: tuple[str, ...] = (), *, diary: bool = False) -> None:
        assert await self.send("/sealed", self.report(text, out, diary=diary)) == (200, {"received": True})

    async def opened(self) -> OpenedCase:
        """The thread as her code opens it."""
        status, file = await self.send("/thread", self.me.proofs)
        assert status == 200
        epochs = [
            SealedEpochRow(e["stream"], e["number"], b64decode(e["wrap"]), b64decode(e["link"]), e["at"])
            for e in file["epochs"]
        ]
        rows = [SealedLetter(m["stream"], m["number"], m["epoch"], b64decode(m["sealed"])) for m in file["messages"]]
        team = self.served.team
        return open_case(SealedCase(file["case"], epochs, rows), self.me.party, team.anchor.hash, team.chain)

    async def texts(self) -> list[str]:
        opened = await self.opened()
        assert not opened.problem, opened.problem
        return [letter.content["text"] for letter in (*opened.thread, *opened.diary) if letter.content is not None]

    async def letter(self, text: str, kind: str = "message", **content: Any) -> dict[str, Any]:
        """One more letter as her page makes it, not yet sent."""
        fold, team = (await self.opened()).fold, self.served.team
        assert fold is not None
        made = acts.letter(
            fold, team.ring, self.me.author, kind, {"text": text, **content}, self.served.site.day, team.dice
        )
        return self.me.proofs | made | {"uploads": [], "contest": kind == "contest"}


async def is_by_this_method_alone(served: Desks, path: str, method: str = "POST") -> None:
    """Assert that no other method does anything."""
    before = await served.stored()
    others = {"POST", "PUT", "PATCH", "DELETE"} - {method}
    found = [(await served.client.request(other, f"/concern{path}")).status_code for other in others]
    assert found == [405] * len(others) and await served.stored() == before
