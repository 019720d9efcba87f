"""`ascolto check`: prove on the installed machine that nothing of what staff send is written down."""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import SplitResult

from server.check import Finding, State, canary, database, failed, good, listed, machine, traces, unsure
from server.frame.terminal import LANGUAGE, Run, refuse, tell
from server.frame.texts import say
from server.settings import Settings, from_environment
from surveys.lifecycle.context import Site, today
from surveys.lifecycle.leftovers import leftovers
from surveys.public.signing import installation_key, public_text
from surveys.stores import STORES, bind

LOGS = Path("/var/log")
_WORDS = {State.GOOD: "good", State.FAILED: "failed", State.UNSURE: "unsure"}


async def check(given: argparse.Namespace) -> int:
    """Run every check and print a line for each."""
    n_failed = n_unsure = 0
    async for finding in _findings(from_environment(), given.url, [Path(log) for log in given.logs], given.wait):
        n_failed += finding.state is State.FAILED
        n_unsure += finding.state is State.UNSURE
        sentence = say(LANGUAGE, f"cli.check.{finding.key}.{_WORDS[finding.state]}", **finding.values)
        print(f"{finding.state} {sentence}", flush=True)
    if n_failed:
        return refuse("check.end.failed", n=n_failed)
    tell("check.end.unsure" if n_unsure else "check.end.good", n=n_unsure)
    return 0


async def _findings(settings: Settings, url: str, logs: list[Path], wait_seconds: float) -> AsyncIterator[Finding]:
    data, stores = settings.data, settings.stores
    if not data.is_dir():
        yield failed("data", path=data)
        return
    services = machine.services_of(data)
    https = all(service.https for service in services) if services else settings.https
    try:
        parts = canary.allowed(url, await database.public_address(stores))
    except canary.AddressRefused:
        yield failed("address", url=url)
    else:
        for finding in canary.judge_scheme(parts, service_says_https=https):
            yield finding
        for finding in await asyncio.to_thread(lambda: list(_fly(parts, data, logs, wait_seconds))):
            yield finding
    for finding in machine.judge(data, services):
        yield finding
    if settings.stores.database_url or all((data / f"{store}.sqlite").is_file() for store in STORES):
        yield await _left(settings)
    yield await asyncio.to_thread(machine.judge_mail, settings)
    for finding in await database.judge_versions(stores):
        yield finding
    judged = await (database.judge_postgres(stores) if stores.database_url else database.judge_sqlite(data))
    for finding in judged:
        yield finding


async def _left(settings: Settings) -> Finding:
    """Whether anything lies about of a step that was cut off, one that is being taken in this moment included. Makes no store."""
    try:
        found = await leftovers(Site(bind(settings.stores), settings.data, today(), "check"))
    except Exception as problem:  # no store yet, or one this account may not read
        return unsure("left", why=type(problem).__name__)
    return (
        failed("left", things=listed(sorted({f"{one.what} ({one.wave})" for one in found}))) if found else good("left")
    )


def _fly(url: SplitResult, data: Path, logs: list[Path], wait_seconds: float) -> Iterator[Finding]:
    """Send the canary, wait until logs are written, look for it everywhere, and judge the headers that came back."""
    mark, since = canary.new_mark(), time.time()
    try:
        replies = canary.send(url, mark)
    except canary.REFUSES as problem:
        yield failed("reached", url=url.geturl(), why=type(problem).__name__)
        return
    canary.send_to_port_80(url, mark)
    yield good("reached", n=len(replies))
    yield _same_installation(canary.public_key_at(url), data)
    time.sleep(wait_seconds)
    spelled = traces.spellings(mark)
    missing = [str(log) for log in logs if not traces.readable(log)]
    yield from (failed("logs", path=log) for log in missing)
    searched = logs if logs else [LOGS] if traces.readable(LOGS) else []
    found = traces.search([data, *(log for log in searched if str(log) not in missing)], spelled, since=since)
    yield failed("canary", paths=listed(found.found)) if found.found else good("canary", n=found.n_read)
    unread = found.unread + ([] if searched else [str(LOGS)])
    if unread:
        yield unsure("unread", paths=listed(unread), n=len(unread))
    match traces.journal_holds(spelled, since=since):
        case None:
            yield unsure("journal")
        case there:
            yield failed("journal") if there else good("journal")
    yield from canary.judge_headers(replies, https=url.scheme == "https")


def _same_installation(key: str, data: Path) -> Finding:
    """Whether the one that answered is the one whose data folder is looked at."""
    try:
        if not (data / "keys" / "installation.pem").is_file():
            return failed("same")
        return good("same") if key == public_text(installation_key(data)) else failed("same")
    except (OSError, ValueError):
        return unsure("same")


COMMANDS: dict[str, Run] = {"check": check}
