"""One-time codes (RFC 6238, 30 seconds, one step of grace): each opens once, however many come at the same time."""

import secrets
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from surveys.engines import StoreEngine
from surveys.odd import reading
from surveys.people.tables import SecondFactor, Session

STEP_SECONDS = 30


async def code_is(engine: StoreEngine, name: str, given: str, now: datetime) -> bool:
    """Say whether a code is right and was not used before, and use it up. An account without a second factor has none."""
    row = await SecondFactor.select().where(SecondFactor.account == name).first()
    if row is None:
        return False
    with reading("second_factor"):
        counter = _counter(bytes(row["secret"]), given, now)
    if counter is None:
        return False
    async with engine.transaction():
        used = await (
            SecondFactor.update({SecondFactor.last: counter})
            .where((SecondFactor.account == name) & (SecondFactor.last < counter))
            .returning(SecondFactor.account)
        )
    return len(used) == 1


def _counter(secret: bytes, given: str, now: datetime) -> int | None:
    """The step that a code belongs to, if it is one of the three that count now."""
    code = "".join(given.split()).encode("ascii", "replace")
    step = int(now.timestamp()) // STEP_SECONDS
    totp = TOTP(secret, 6, SHA1(), STEP_SECONDS, enforce_key_length=False)
    steps = (step - 1, step, step + 1)
    right = [counter for counter in steps if secrets.compare_digest(totp.generate(counter * STEP_SECONDS), code)]
    return right[-1] if right else None


async def set_second(engine: StoreEngine, name: str, secret: bytes, given: str, now: datetime) -> bool:
    """Set the second factor of an account that has none, if the person shows a code of it; gives whether it was set.

    Every session ends: whoever opened one has never shown a code.
    """
    counter = _counter(secret, given, now)
    if counter is None:
        return False
    async with engine.transaction():
        factor = SecondFactor(account=name, secret=secret, last=counter)
        if not await SecondFactor.insert(factor).on_conflict(action="DO NOTHING").returning(SecondFactor.account):
            return False  # of two who set one at once the second is told so
        await Session.delete().where(Session.account == name)
    return True


async def forget_second(name: str) -> None:
    await SecondFactor.delete().where(SecondFactor.account == name)


async def has_second(name: str) -> bool:
    return bool(await SecondFactor.exists().where(SecondFactor.account == name))
