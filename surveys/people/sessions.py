"""Signed-in browsers: tokens kept as digests only, ended after eight hours, or half an hour without a request, on the next five minutes.

A row alone is no session: it carries a mark under a key of the folder of keys, so that whoever writes the store signs nobody in.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NewType

from surveys.odd import StoreOdd, reading
from surveys.people.second import has_second
from surveys.people.tables import Account, Session

SessionToken = NewType("SessionToken", str)

SESSION_LENGTH = timedelta(hours=8)
IDLE = timedelta(minutes=30)
_key = secrets.token_bytes(32)
_STEP = timedelta(minutes=5)
"""Ends of sessions stand on steps of so many minutes: a page is no write, and no row tells when a page was asked for."""
CONFIRMATIONS = 5
"""So many wrong passwords may come in a row when one is asked for again inside a session."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in; `enrolled` says whether the account has a second factor."""

    name: str
    role: str
    enrolled: bool = True


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One signed-in browser as its owner sees it: a reference, and the day on which it began."""

    reference: str
    day: date | None
    here: bool


def bind(key: bytes) -> None:
    """Mark sessions with this key from now on, the same in every process of the installation; until then with one of this process."""
    global _key
    _key = key


def _on_step(end: datetime) -> datetime:
    """The next step: at most five minutes later."""
    return end + timedelta(seconds=-end.timestamp() % _STEP.total_seconds())


def _mark(digest: str, account: str, role: str, coded: bool, expires: datetime) -> str:
    end = expires.astimezone(UTC).isoformat()
    return hmac.digest(_key, f"session {digest} {int(coded)} {end} {role} {account}".encode(), "sha256").hex()


async def begin(account: str, now: datetime, day: date, *, coded: bool) -> SessionToken:
    """Open a session whose token never existed; the caller holds the transaction. `coded`: a one-time code was shown for it."""
    token = SessionToken(secrets.token_urlsafe(32))
    digest, expires = _digest(token), _on_step(now + SESSION_LENGTH)
    found = await Account.select(Account.role).where(Account.name == account).first()
    await Session.delete().where((Session.expires < now) | (Session.idle < now))
    await Session.insert(
        Session(
            digest=digest,
            account=account,
            expires=expires,
            idle=_on_step(now + IDLE),
            day=day,
            coded=coded,
            mark=_mark(digest, account, found["role"] if found else "", coded, expires),
        )
    )
    return token


async def signed_in(token: str, now: datetime) -> SignedIn | None:
    """Say whose session this is, if it is one and has not ended; it then stays open for another half hour.

    One that began without a code is none from the moment on in which its account has codes: also one that began in that very moment.
    A row that no page wrote is none either.
    """
    try:
        with reading("session"):
            return await _signed_in(token, now)
    except StoreOdd:
        return None


async def _signed_in(token: str, now: datetime) -> SignedIn | None:
    row = await Session.select().where(Session.digest == _digest(token)).first()
    if row is None or row["expires"].astimezone(UTC) <= now:
        return None
    idle = row["idle"].astimezone(UTC) if row["idle"] else None  # a session of the version before has none yet
    if idle and idle <= now:
        return None
    account = await Account.select(Account.name, Account.role).where(Account.name == row["account"]).first()
    if account is None:
        return None
    mark = _mark(row["digest"], account["name"], account["role"], bool(row["coded"]), row["expires"])
    if not hmac.compare_digest(row["mark"], mark):  # somebody wrote the row, or gave the account another role since
        return None
    enrolled = await has_second(account["name"])
    if enrolled and not row["coded"]:
        return None
    if idle is None or idle < _on_step(now + IDLE):
        await Session.update({Session.idle: _on_step(now + IDLE)}).where(Session.digest == _digest(token))
    return SignedIn(account["name"], account["role"], enrolled)


async def sign_out(token: str) -> None:
    await Session.delete().where(Session.digest == _digest(token))


async def of_account(account: str, token: str, now: datetime) -> list[OpenSession]:
    """The open sessions of an account, this one first, then by day."""
    rows = await Session.select().where((Session.account == account) & (Session.expires > now))
    here = _digest(token)
    with reading("session"):
        found = [
            OpenSession(row["digest"][:16], row["day"], row["digest"] == here)
            for row in rows
            if row["idle"] is None or row["idle"].astimezone(UTC) > now
        ]
    return sorted(found, key=lambda one: (not one.here, -(one.day or date.min).toordinal(), one.reference))


async def end_one(account: str, reference: str) -> None:
    """End one session of an account by its reference; another account's cannot be named."""
    if len(reference) == 16 and set(reference) <= set("0123456789abcdef"):
        await Session.delete().where((Session.account == account) & Session.digest.like(f"{reference}%"))


async def end_all(account: str) -> None:
    await Session.delete().where(Session.account == account)


async def one_more_try(token: str) -> bool:
    """Count a password that is asked for again inside a session before it is looked at; the sixth in a row ends the session."""
    rows = await (
        Session.update({Session.failures: Session.failures + 1})
        .where(Session.digest == _digest(token))
        .returning(Session.failures)
    )
    if rows and int(rows[0]["failures"]) <= CONFIRMATIONS:
        return True
    await sign_out(token)
    return False


async def tried_well(token: str) -> None:
    await Session.update({Session.failures: 0}).where(Session.digest == _digest(token))


def form_token(token: str) -> str:
    """The proof that a form came from a page of this session; derived, so nothing more is stored."""
    return hashlib.sha256(b"ascolto form " + token.encode()).hexdigest()


def form_token_is(token: str, given: str) -> bool:
    return secrets.compare_digest(form_token(token).encode(), given.encode())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
