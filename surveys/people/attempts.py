"""What fails at the doors is counted before it is looked at, in the database: of many attempts at once none is free.

Two locks of an account count apart: its password, and the codes that come with a right password. A stranger who knows a
name can make the first wait, never the second; and the first lets pass whoever brings a right code or a known browser.
Before an account has codes it waits a minute at most: so many guesses are left to strangers that a day has minutes, and five.
Whoever goes on without a pause takes most of them: then a known browser passes, or a first password that was drawn.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from piccolo.columns import Column, Integer

from surveys.engines import StoreEngine
from surveys.people.tables import Attempts, Device

FREE = 5
"""So many failures cost no wait."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
LONGEST_BEFORE_CODES = timedelta(minutes=1)
FORGOTTEN = timedelta(days=1)
"""So long after the last wait the count begins anew."""
DEVICE_FAILURES = 10
"""So many wrong passwords in a row, and a browser is a stranger again."""
DEVICE_DAYS = 365
BANDS = (1, 10, 100, 1000)
"""Failures of a day at one account are written into the log when they reach one of these: a flood fills four lines."""


def wait_after(failures: int, longest: timedelta = LONGEST_WAIT) -> timedelta:
    """How long an account waits after so many failures: nothing, then half a minute, doubling up to a quarter of an hour."""
    if failures < FREE:
        return timedelta()
    return min(longest, FIRST_WAIT * (1 << min(failures - FREE, 10)))


def password_of(account: str) -> str:
    return f"password {account}"


def codes_of(account: str) -> str:
    return f"codes {account}"


async def claim(engine: StoreEngine, lock: str, now: datetime, longest: timedelta = LONGEST_WAIT) -> bool:
    """Count an attempt as failed before it is looked at; gives whether it comes while the lock waits."""
    async with engine.transaction():
        row = await _one_more(lock, Attempts.failures, Attempts.waits_until)
        waits = row["waits_until"] and row["waits_until"].astimezone(UTC)
        if waits and waits > now:
            return True
        failures = 1 if waits and waits + FORGOTTEN < now else int(row["failures"])
        wait = wait_after(failures, longest)
        await Attempts.update({Attempts.failures: failures, Attempts.waits_until: now + wait if wait else None}).where(
            Attempts.lock == lock
        )
    return False


async def _one_more(lock: str, counted: Integer, also: Column) -> dict[str, Any]:
    """Add one to a count of a lock; gives it with another column. The row stays locked until the transaction ends."""
    while True:
        await Attempts.insert(Attempts(lock=lock)).on_conflict(action="DO NOTHING")
        rows = await Attempts.update({counted: counted + 1}).where(Attempts.lock == lock).returning(counted, also)
        if rows:  # else it was there, and a change of the password forgot it in between
            return dict(rows[0])


async def clear(lock: str) -> None:
    """The lock was opened: what failed before is forgotten."""
    await Attempts.update({Attempts.failures: 0, Attempts.waits_until: None}).where(Attempts.lock == lock)


async def forget(account: str) -> None:
    """Forget all attempts and all known browsers of an account."""
    await Attempts.delete().where(Attempts.lock.is_in([password_of(account), codes_of(account)]))
    await Device.delete().where(Device.account == account)


async def failed_today(engine: StoreEngine, account: str, day: date) -> int:
    """Count a refusal by day, and say the how manieth it is; the empty name stands for all that nobody has."""
    lock = password_of(account)
    async with engine.transaction():
        row = await _one_more(lock, Attempts.failed_today, Attempts.day)
        if row["day"] == day:
            return int(row["failed_today"])
        await Attempts.update({Attempts.failed_today: 1, Attempts.day: day}).where(Attempts.lock == lock)
    return 1


def _digest(token: str, account: str) -> str:
    return hashlib.sha256(f"{token}\x1f{account}".encode()).hexdigest()


async def known_device(engine: StoreEngine, account: str, tokens: Sequence[str]) -> str:
    """The token of a browser that signed in to this account before, if it brings one; its attempt is counted on it alone."""
    if not tokens:
        return ""
    found = {_digest(token, account): token for token in tokens}
    async with engine.transaction():
        rows = await (
            Device.update({Device.failures: Device.failures + 1})
            .where(Device.digest.is_in(list(found)) & (Device.failures < DEVICE_FAILURES))
            .returning(Device.digest)
        )
    return found[rows[0]["digest"]] if rows else ""


async def know(account: str, token: str, day: date) -> str:
    """Remember the browser that just signed in; gives its token, a new one if it brought none that we know."""
    if token:
        await Device.update({Device.failures: 0, Device.day: day}).where(Device.digest == _digest(token, account))
        return token
    await Device.delete().where(Device.day < day - timedelta(days=DEVICE_DAYS))
    token = secrets.token_urlsafe(24)
    await Device.insert(Device(digest=_digest(token, account), account=account, day=day))
    return token
