"""Accounts: who may sign in, and the check of what a person brings to a door."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from surveys.engines import StoreEngine
from surveys.people import attempts, passwords, sessions
from surveys.people.passwords import DoorBusy
from surveys.people.second import STEP_SECONDS, code_is, forget_second, has_second, set_second
from surveys.people.sessions import (
    SESSION_LENGTH,
    SessionToken,
    SignedIn,
    form_token,
    form_token_is,
    sign_out,
    signed_in,
)
from surveys.people.tables import Account, SecondFactor

__all__ = (
    "SESSION_LENGTH",
    "STEP_SECONDS",
    "AccountRefused",
    "DoorBusy",
    "SessionToken",
    "SignInRefused",
    "SignedIn",
    "add",
    "everyone",
    "forget_second",
    "form_token",
    "form_token_is",
    "has_second",
    "remove",
    "reset",
    "set_second",
    "sign_in",
    "sign_out",
    "signed_in",
)

ROLES = ("hr", "representative", "recovery", "guarantee", "auditor", "handler", "administrator")
NAME_LIMIT = 60
PASSWORD_MINIMUM = 12
type Door = Literal["desk", "handlers", "setup"]
_ROME = ZoneInfo("Europe/Rome")


class AccountRefused(Exception):
    """An account cannot be made or changed as asked; the first argument is the reason's key."""


class SignInRefused(Exception):
    """Name, password or code are wrong, or the account waits after failures: which of these, nobody is told.

    `account` and `failures_today` are for the log of acts; the account is empty if nobody has the name.
    """

    def __init__(self, account: str = "", failures_today: int = 0) -> None:
        super().__init__("wrong")
        self.account = account
        self.failures_today = failures_today


class Entered(NamedTuple):
    """What a sign-in gives: the token of a new session, who it is, and the token by which this browser is known later."""

    token: SessionToken
    account: SignedIn
    device: str


async def add(engine: StoreEngine, name: str, role: str, password: str) -> None:
    """Add an account.

    Raises
    ------
    AccountRefused
        With ``name``, ``taken``, ``role`` or ``password`` as its reason.
    """
    if not name or len(name) > NAME_LIMIT or not name.replace(".", "").replace("-", "").replace("_", "").isalnum():
        raise AccountRefused("name")
    if role not in ROLES:
        raise AccountRefused("role")
    if len(password) < PASSWORD_MINIMUM:
        raise AccountRefused("password")
    if await Account.exists().where(Account.name == name):
        raise AccountRefused("taken")
    await Account.insert(Account(name=name, role=role, password=await passwords.kept(password)))


async def reset(engine: StoreEngine, name: str, password: str) -> None:
    """Give an account a new password; what failed before, its sessions and its known browsers are forgotten."""
    if len(password) < PASSWORD_MINIMUM:
        raise AccountRefused("password")
    kept = await passwords.kept(password)
    async with engine.transaction():
        if not await Account.exists().where(Account.name == name):
            raise AccountRefused("unknown")
        await Account.update({Account.password: kept}).where(Account.name == name)
        await sessions.end_all(name)
        await attempts.forget(name)


async def everyone() -> list[SignedIn]:
    rows = await Account.select(Account.name, Account.role).order_by(Account.name)
    return [SignedIn(row["name"], row["role"]) for row in rows]


async def sign_in(
    engine: StoreEngine,
    name: str,
    password: str,
    now: datetime,
    *,
    second: str = "",
    door: Door = "desk",
    devices: Sequence[str] = (),
) -> Entered:
    """Check a password, and the one-time code of an account that has one; open a session whose token never existed.

    Handlers have doors of their own, where the passphrase itself stays in the browser: ``setup`` until they have a second
    factor, ``handlers`` from then on. Every refusal is the same work, whether the name exists or not: one argon2id, two
    locks that count, one count of the day.

    Raises
    ------
    SignInRefused
        If anything is wrong, or the account waits and neither a right code nor a known browser (`devices`) comes with it, nor,
        before it has codes, a password that was drawn.
    DoorBusy
        If too many passwords are being worked; nothing was counted then.
    """
    name = (
        name if name.isprintable() and len(name) <= NAME_LIMIT else ""
    )  # what no name can be is a name that nobody has
    row = await Account.select().where(Account.name == name).first()
    account, enrolled = name if row else "", await has_second(name)
    device = await attempts.known_device(engine, account, devices)
    with passwords.place(known=bool(device)):
        longest = attempts.LONGEST_WAIT if enrolled else attempts.LONGEST_BEFORE_CODES
        waits = not device and await attempts.claim(engine, attempts.password_of(account), now, longest)
        right = await passwords.is_right(row["password"] if row else passwords.NOBODY, password)
    right = right and row is not None and _is_of(door, row["role"], enrolled=enrolled)
    codes = attempts.codes_of(account if right else "")
    codes_wait = not device and await attempts.claim(engine, codes, now)
    passed = right and not codes_wait and enrolled and await code_is(engine, name, second, now)
    unguessable = door == "setup" or passwords.was_drawn(password)  # 96 bits and more
    admitted = passed if enrolled else right and (unguessable or not waits)
    if row is None or not admitted:
        raise SignInRefused(account, await attempts.failed_today(engine, account, _day(now)))
    async with engine.transaction():
        same = (Account.name == name) & (Account.password == row["password"])
        if not await Account.update({Account.password: row["password"]}).where(same).returning(Account.name):
            raise SignInRefused(
                account, 0
            )  # the password was changed while this one was worked: held, so that it cannot be until the end
        if not waits:  # else whoever makes it wait would get five new guesses whenever she signs in
            await attempts.clear(attempts.password_of(name))
        await attempts.clear(codes)
        known = await attempts.know(name, device, _day(now))
        token = await sessions.begin(name, now, _day(now), coded=enrolled)
    return Entered(token, SignedIn(name, row["role"], enrolled), known)


def _is_of(door: Door, role: str, *, enrolled: bool) -> bool:
    match door:
        case "desk":
            return role != "handler"
        case "handlers":
            return role == "handler" and enrolled
        case "setup":
            return role == "handler" and not enrolled


def _day(now: datetime) -> date:
    return now.astimezone(_ROME).date()


async def enrol(engine: StoreEngine, name: str, secret: bytes, given: str, now: datetime) -> str | None:
    """Set the second factor of somebody who is signed in; gives the token of a new session, or None if the code is wrong."""
    if not await set_second(engine, name, secret, given, now):
        return None
    async with engine.transaction():
        token = await sessions.begin(name, now, _day(now), coded=True)
    return token


async def confirm(
    engine: StoreEngine, token: str, account: SignedIn, password: str | None, second: str, now: datetime
) -> bool:
    """Ask somebody who is signed in once more for her password and a code; too many wrong answers end the session.

    No password means that the caller holds another proof of her, and the code alone is checked here.

    Raises
    ------
    DoorBusy
        If too many passwords are being worked.
    """
    if not await sessions.one_more_try(token):
        return False
    row = await Account.select().where(Account.name == account.name).first()
    with passwords.place(known=True):
        right = row is not None and (password is None or await passwords.is_right(row["password"], password))
    if not right or not await code_is(engine, account.name, second, now):
        return False
    await sessions.tried_well(token)
    return True


async def remove(engine: StoreEngine, name: str) -> None:
    """Remove an account, its sessions, its second factor and its known browsers."""
    async with engine.transaction():
        await sessions.end_all(name)
        await SecondFactor.delete().where(SecondFactor.account == name)
        await attempts.forget(name)
        await Account.delete().where(Account.name == name)
