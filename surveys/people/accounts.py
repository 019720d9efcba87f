"""Accounts and their sessions: argon2id passwords, a lock after repeated failures, tokens kept as digests only."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NewType

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from surveys.engines import StoreEngine
from surveys.people.tables import Account, SecondFactor, Session

SessionToken = NewType("SessionToken", str)

ROLES = ("hr", "representative", "recovery", "guarantee", "auditor", "handler", "administrator")
PASSWORD_MINIMUM = 12
FAILURES_BEFORE_LOCK = 5
LOCK = timedelta(minutes=15)
SESSION_LENGTH = timedelta(hours=8)
STEP_SECONDS = 30

_hasher = PasswordHasher()  # argon2id, the library's current parameters
_UNKNOWN = _hasher.hash(secrets.token_hex(16))


class AccountRefused(Exception):
    """An account cannot be made or changed as asked; the first argument is the reason's key."""


class SignInRefused(Exception):
    """Name or password are wrong, or the account is locked. `locked` says which, after five failures only."""

    def __init__(self, *, locked: bool) -> None:
        super().__init__("locked" if locked else "wrong")
        self.locked = locked


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in."""

    name: str
    role: str


async def add(engine: StoreEngine, name: str, role: str, password: str) -> None:
    """Add an account.

    Raises
    ------
    AccountRefused
        With ``name``, ``taken``, ``role`` or ``password`` as its reason.
    """
    if not name or len(name) > 60 or not name.replace(".", "").replace("-", "").replace("_", "").isalnum():
        raise AccountRefused("name")
    if role not in ROLES:
        raise AccountRefused("role")
    if len(password) < PASSWORD_MINIMUM:
        raise AccountRefused("password")
    if await Account.exists().where(Account.name == name):
        raise AccountRefused("taken")
    await Account.insert(Account(name=name, role=role, password=_hasher.hash(password)))


async def reset(engine: StoreEngine, name: str, password: str) -> None:
    """Give an account a new password, unlock it and end its sessions."""
    if len(password) < PASSWORD_MINIMUM:
        raise AccountRefused("password")
    async with engine.transaction():
        if not await Account.exists().where(Account.name == name):
            raise AccountRefused("unknown")
        await Account.update(
            {Account.password: _hasher.hash(password), Account.failures: 0, Account.locked_until: None}
        ).where(Account.name == name)
        await Session.delete().where(Session.account == name)


async def everyone() -> list[SignedIn]:
    rows = await Account.select(Account.name, Account.role).order_by(Account.name)
    return [SignedIn(row["name"], row["role"]) for row in rows]


async def sign_in(
    engine: StoreEngine, name: str, password: str, now: datetime, *, second: str = "", handlers: bool = False
) -> tuple[SessionToken, SignedIn]:
    """Check a password, and the one-time code of an account that has one; open a session whose token never existed.

    Handlers sign in at a door of their own (`handlers`), where the passphrase itself stays in the browser.

    Raises
    ------
    SignInRefused
        After the same work whether the name exists or not.
    """
    row = await Account.select().where(Account.name == name).first()
    locked = bool(row and row["locked_until"] and row["locked_until"].astimezone(UTC) > now)
    right = _verify(row["password"] if row else _UNKNOWN, password)
    right = right and row is not None and (row["role"] == "handler") == handlers
    right = right and not locked and await _second_is(engine, name, second, now)
    if row is None or locked or not right:
        if row is not None and not locked:
            await _count_failure(name, int(row["failures"]) + 1, now)
        raise SignInRefused(locked=locked)
    token = SessionToken(secrets.token_urlsafe(32))
    async with engine.transaction():
        await Account.update({Account.failures: 0, Account.locked_until: None}).where(Account.name == name)
        await Session.delete().where(Session.expires < now)
        await Session.insert(Session(digest=_digest(token), account=name, expires=now + SESSION_LENGTH))
    return token, SignedIn(name, row["role"])


async def _second_is(engine: StoreEngine, name: str, given: str, now: datetime) -> bool:
    """Check a one-time code (RFC 6238, 30 seconds, one step of grace); each works once. No second factor, no question."""
    row = await SecondFactor.select().where(SecondFactor.account == name).first()
    if row is None:
        return True
    code = "".join(given.split())
    step = int(now.timestamp()) // STEP_SECONDS
    totp = TOTP(bytes(row["secret"]), 6, SHA1(), STEP_SECONDS, enforce_key_length=False)
    for counter in (step - 1, step, step + 1):
        expected = totp.generate(counter * STEP_SECONDS)
        if secrets.compare_digest(expected, code.encode()) and counter > row["last"]:
            async with engine.transaction():
                await SecondFactor.update({SecondFactor.last: counter}).where(SecondFactor.account == name)
            return True
    return False


async def set_second(engine: StoreEngine, name: str, secret: bytes, given: str, now: datetime) -> bool:
    """Set an account's second factor if the person shows a code of it; gives whether it was set."""
    async with engine.transaction():
        await SecondFactor.delete().where(SecondFactor.account == name)
        await SecondFactor.insert(SecondFactor(account=name, secret=secret))
    if await _second_is(engine, name, given, now):
        return True
    await SecondFactor.delete().where(SecondFactor.account == name)
    return False


async def forget_second(name: str) -> None:
    await SecondFactor.delete().where(SecondFactor.account == name)


async def has_second(name: str) -> bool:
    return bool(await SecondFactor.exists().where(SecondFactor.account == name))


async def remove(engine: StoreEngine, name: str) -> None:
    """Remove an account, its sessions and its second factor."""
    async with engine.transaction():
        await Session.delete().where(Session.account == name)
        await SecondFactor.delete().where(SecondFactor.account == name)
        await Account.delete().where(Account.name == name)


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


async def _count_failure(name: str, failures: int, now: datetime) -> None:
    lock = now + LOCK if failures >= FAILURES_BEFORE_LOCK else None
    await Account.update({Account.failures: 0 if lock else failures, Account.locked_until: lock}).where(
        Account.name == name
    )


async def signed_in(token: str, now: datetime) -> SignedIn | None:
    """Say whose session this is, if it is one and has not expired."""
    row = await Session.select().where(Session.digest == _digest(token)).first()
    if row is None or row["expires"].astimezone(UTC) <= now:
        return None
    account = await Account.select(Account.name, Account.role).where(Account.name == row["account"]).first()
    return SignedIn(account["name"], account["role"]) if account else None


async def sign_out(token: str) -> None:
    await Session.delete().where(Session.digest == _digest(token))


def form_token(token: str) -> str:
    """The proof that a form came from a page of this session; derived, so nothing more is stored."""
    return hashlib.sha256(b"ascolto form " + token.encode()).hexdigest()


def form_token_is(token: str, given: str) -> bool:
    return secrets.compare_digest(form_token(token).encode(), given.encode())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
