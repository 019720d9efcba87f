"""What is a handler's own: the statement of her keys, when she is away, her passphrase."""

from datetime import UTC, date, datetime

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency

from server.concern.wire import answer, body_of
from server.frame.asked import AppRequest
from server.frame.security import account_of
from server.handlers.seat import ours
from server.settings import Settings
from surveys.cases import handlers, incoming, log
from surveys.cases.keeper import keeper_at
from surveys.cases.sealing import CannotOpen, check
from surveys.lifecycle.context import today
from surveys.people import accounts
from surveys.people.accounts import DoorBusy
from surveys.public import house, statements
from surveys.stores import Engines


class Absence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From when to when a handler is away; both empty: she is back."""

    begins: str
    ends: str


class Stated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A handler's signed statement of her own keys."""

    statement: str


class Passphrase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new passphrase: the half that signs in, its salt, and the keys sealed anew.

    With it a one-time code, and either the half of the old passphrase that signs in (`old`), or for whoever opened her keys
    with the printed kit a signature made with them (`proof`).
    """

    login: str
    salt: str
    bundle: str
    second: str
    old: str = ""
    proof: str = ""


@post("/cases/statement", status_code=200)
async def statement(
    request: AppRequest, engines: NamedDependency[Engines], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """Take a handler's signed statement: her own keys, for the signers to read."""
    name, given = ours(request), await body_of(request, Stated)
    anchor = house.load(settings.data)
    try:
        if anchor is None:
            raise statements.RingRefused("no house")
        stated = statements.read_statement(given.statement, anchor.hash)
        async with log.telling(engines["cases"], keeper_at(settings.data), today(), name, "stated_keys"):
            await handlers.set_statement(name, stated, given.statement)
    except (statements.RingRefused, handlers.HandlerRefused):
        return answer({"problem": "statement"}, 400)
    return answer({"kept": True})


@post("/cases/absence", status_code=200)
async def absence(
    request: AppRequest, engines: NamedDependency[Engines], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """Say when she is away; after seven days the substitute steps in."""
    name, given = ours(request), await body_of(request, Absence)
    try:
        begins = date.fromisoformat(given.begins) if given.begins else None
        if begins and begins < today() and ((me := await handlers.load(name)) is None or begins != me.away_from):
            begins = today()  # nobody lets the substitute in by days that she was there
        ends = date.fromisoformat(given.ends) if given.ends else None
        async with log.telling(engines["cases"], keeper_at(settings.data), today(), name, "set_absence"):
            await handlers.set_absence(name, begins, ends)
    except (ValueError, handlers.HandlerRefused):
        return answer({"problem": "dates"}, 400)
    return answer({"kept": True})


@post("/cases/passphrase", status_code=200)
async def passphrase(
    request: AppRequest, engines: NamedDependency[Engines], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """Take a new passphrase from whoever shows the old one or the printed kit, and a code; every session of hers ends."""
    name, given = ours(request), await body_of(request, Passphrase)
    salt = incoming.hexed(given.salt, 16, "salt")
    incoming.hexed(given.login, 32, "login")
    me, old = await handlers.load(name), incoming.hexed(given.old, 32, "old").hex() if given.old else None
    if me is None or (old is None and not _is_of_kit(request, given, me.signer)):
        return answer({"problem": "wrong"}, 403)
    people, account, now = engines["people"], account_of(request), datetime.now(UTC)
    try:
        if not await accounts.confirm(people, request.state.token, account, old, given.second[:12], now):
            return answer({"problem": "wrong"}, 403)
        await handlers.set_bundle(name, salt, given.bundle)
        await accounts.reset(people, name, given.login)
    except DoorBusy:
        return answer({"problem": "busy"}, 503)
    except handlers.HandlerRefused:
        return answer({"problem": "bundle"}, 400)
    await log.record(engines["cases"], keeper_at(settings.data), today(), name, "changed_passphrase")
    return answer({"kept": True})


def _is_of_kit(request: AppRequest, given: Passphrase, signer: str) -> bool:
    """Whether a handler's own key signed exactly this change in this session: whoever opened it with the kit can."""
    try:
        signed = check(given.proof, "passphrase")
    except CannotOpen:
        return False
    form = accounts.form_token(request.state.token)
    wanted = {"form": form, "login": given.login, "salt": given.salt, "bundle": given.bundle}
    return signed.key == signer and dict(signed.body) == wanted


HANDLERS = (statement, absence, passphrase)
