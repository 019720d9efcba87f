"""Machines that serve one installation: processes of their own on one PostgreSQL, and a mail server on loopback."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from surveys.lifecycle import issuing
from surveys.lifecycle.context import Site, today
from surveys.people import links
from surveys.stores import StoreSettings, stores
from tests.conftest import WAVE
from tests.postgres import free_port
from tests.server.mail.inbox import Inbox, open_for

PEOPLE = 120
_SERVE = """
import sys
from server.command.cli import main
from server.processes import jobs
from surveys import one_folder
from surveys.people import sending
jobs.EVERY_SECONDS = one_folder.PATIENCE_SECONDS = 1
sending.CLAIM_SECONDS = 4
main(sys.argv[1:])
"""
"""The program as it is, but it looks each second for what is due, waits as long for another folder to go, and takes up what a dead
one left after four."""


class SlowInbox(Inbox):
    """A mail server that needs a moment for each message, as real ones do: who sends at once meets the other."""

    holds_at = 0
    """The number of the message that it takes without saying so, until this is another number."""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:  # the library's name
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # the library's name
        await asyncio.sleep(0.02)
        said = await super().handle_DATA(server, session, envelope)
        number = len(self.arrived)
        while number == self.holds_at:
            await asyncio.sleep(0.01)
        return said

    def addresses(self) -> Counter[str]:
        """How many messages came to each address."""
        return Counter(str(message_from_bytes(content, policy=default)["To"]) for content in self.arrived)

    def links(self) -> list[str]:
        """The links of all messages, in the order in which these came."""
        texts = [str(message_from_bytes(content, policy=default).get_content()) for content in self.arrived]
        return [re.findall(r"/answer#l=([\w-]{22})\.", text)[0] for text in texts]

    def newest(self) -> dict[str, str]:
        """By address the link that came last."""
        to = [str(message_from_bytes(content, policy=default)["To"]) for content in self.arrived]
        return dict(zip(to, self.links(), strict=True))


@contextmanager
def mail() -> Iterator[tuple[SlowInbox, str]]:
    inbox = SlowInbox()
    server = Controller(inbox, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        yield inbox, f"smtp://127.0.0.1:{server.port}"
    finally:
        server.stop()


async def put_out(settings: StoreSettings) -> None:
    """An open wave of people with an address each; their messages wait."""
    async with stores(settings) as engines:
        site = Site(engines, settings.data, today(), "hr")
        await open_for(site, "email", PEOPLE)
        await issuing.invite_by_mail(site, WAVE, "invitation", only_missing=True)


class Machine:
    """One process that serves a folder."""

    def __init__(
        self,
        data: Path,
        url: str,
        smtp: str = "",
        command: Sequence[str] = (),
        *,
        host: str = "127.0.0.1",
        within: Sequence[str] = (),
    ) -> None:
        """Begin to serve, or run a command; `within` is a program that runs it elsewhere, where it has the address `host`."""
        self.host, self.port, self._log = host, free_port(), data.with_name(f"{data.name}.{time.monotonic_ns()}.log")
        here = {
            **os.environ,
            "ASCOLTO_DATA": str(data),
            "ASCOLTO_DATABASE_URL": url,
            "ASCOLTO_SMTP": smtp,
            "LANG": "en_GB.UTF-8",
        }
        with self._log.open("wb") as said:
            self.process = subprocess.Popen(
                [
                    *within,
                    sys.executable,
                    "-c",
                    _SERVE,
                    *(command or ("serve", "--host", host, "--port", str(self.port))),
                ],
                env=here,
                stdout=said,
                stderr=said,
                stdin=subprocess.DEVNULL,
            )

    def said(self) -> str:
        return self._log.read_text("utf-8")

    def get(self, path: str) -> httpx.Response | None:
        """What it answers; None while it does not."""
        try:
            return httpx.get(f"http://{self.host}:{self.port}{path}", timeout=10)
        except httpx.TransportError:
            return None

    def read(self, path: str) -> dict[str, Any]:
        """The JSON that it answers."""
        answer = self.get(path)
        assert answer is not None, self.said()
        return dict(answer.json())

    def comes_up(self) -> None:
        until(lambda: self.process.poll() is not None or self.get("/health") is not None, self.said)
        assert self.process.poll() is None, self.said()

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(40)


def until(true: Callable[[], object], said: Callable[[], object] = lambda: "") -> None:
    """Wait until something is so; it has plenty of time."""
    for _ in range(1200):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError(said())


async def work(settings: StoreSettings, found: list[str]) -> list[bool]:
    """Of each of these links whether somebody may answer with it."""
    async with stores(settings):
        return [await links.find(link) is not None for link in found]


async def none_waits(settings: StoreSettings) -> None:
    """Wait until every message has left."""
    async with stores(settings):
        for _ in range(600):
            if await links.outbox_counts(WAVE) == {links.SENT: PEOPLE}:
                return
            await asyncio.sleep(0.1)
        assert await links.outbox_counts(WAVE) == {links.SENT: PEOPLE}
