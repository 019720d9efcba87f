"""Messages as they leave: each is claimed before it is handed over, so that of two who send one alone sends it.

A claim is a random number in the row, which goes as soon as what became of the message is known. It tells neither who sends
nor when. The claim of a sender that died is taken up by another process once that has seen it stand for a while. Then the
message may come twice, if the first died between the mail server's word and its own note; it is never lost.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import date

from piccolo.columns.combination import And

from surveys.engines import StoreEngine
from surveys.people.links import FAILED, SENT, WAITING
from surveys.people.tables import Outbox

TRIES = 5
CLAIM_SECONDS = 900
"""So long a claim must be seen to stand: longer than the slowest mail server takes with one message."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that is to leave: its row, its wave, whether it invites or reminds, and the panel row it is for.

    `claim` is what stands in its row: 0 where nobody sends it.
    """

    row: int
    wave: str
    kind: str
    member: int
    claim: int = 0


class Claims:
    """Claims that this process met, and since when: it keeps them in memory alone, as a time in a row would tell when."""

    def __init__(self) -> None:
        self._met: dict[tuple[int, int], float] = {}

    async def due(self, limit: int, now: float) -> list[Waiting]:
        """The next messages to send, in random order, as keys are random: what nobody claims, and what was left claimed.

        Parameters
        ----------
        limit : int
            At most so many, 1 or more.
        now : float
            Seconds of a clock that only goes forward.
        """
        unsent = Outbox.state == WAITING
        claimed = [_read(row) for row in await Outbox.select().where(unsent & (Outbox.claim != 0)).order_by(Outbox.id)]
        self._met = {(one.row, one.claim): self._met.get((one.row, one.claim), now) for one in claimed}
        left = [one for one in claimed if now - self._met[one.row, one.claim] >= CLAIM_SECONDS]
        rows = await (
            Outbox.select().where(unsent & (Outbox.claim == 0)).order_by(Outbox.tries).order_by(Outbox.id).limit(limit)
        )
        return [*left, *map(_read, rows)][:limit]


def _read(row: dict[str, object]) -> Waiting:
    number, member, claim = (int(str(row[name])) for name in ("id", "member", "claim"))
    return Waiting(number, str(row["wave"]), str(row["kind"]), member, claim)


async def claim(engine: StoreEngine, message: Waiting) -> Waiting | None:
    """Claim a message as it was read; None if somebody else did, or it waits no more."""
    mine = secrets.randbits(62) | 1
    as_read = (Outbox.id == message.row) & (Outbox.state == WAITING) & (Outbox.claim == message.claim)
    async with engine.transaction():
        changed = await Outbox.update({Outbox.claim: mine}).where(as_read).returning(Outbox.id)
    return replace(message, claim=mine) if len(changed) == 1 else None


async def is_anothers(message: Waiting) -> bool:
    """Whether somebody took up what this process had claimed: its link is not to end the other's."""
    return bool(await Outbox.exists().where((Outbox.id == message.row) & (Outbox.claim != message.claim)))


async def delivered(engine: StoreEngine, message: Waiting, day: date) -> None:
    """Note that the mail server took a claimed message; for whom it was is wiped."""
    async with engine.transaction():
        await Outbox.update({Outbox.state: SENT, Outbox.day: day, Outbox.member: 0, Outbox.claim: 0}).where(
            _still(message)
        )


async def not_delivered(engine: StoreEngine, message: Waiting, day: date, *, for_good: bool) -> None:
    """Count a failed try of a claimed message; after five, or when the address is refused for good, it has failed.

    For whom it was stays only where everybody got one (`surveys.people.undelivered`).
    """
    async with engine.transaction():
        before = await Outbox.select(Outbox.tries, Outbox.member, Outbox.named).where(_still(message)).first()
        tries = (int(before["tries"]) if before else 0) + 1
        if for_good or tries >= TRIES:
            member = int(before["member"]) if before and before["named"] else 0
            await Outbox.update(
                {Outbox.state: FAILED, Outbox.day: day, Outbox.tries: tries, Outbox.member: member, Outbox.claim: 0}
            ).where(_still(message))
        else:
            await Outbox.update({Outbox.tries: tries, Outbox.claim: 0}).where(_still(message))


def _still(message: Waiting) -> And:
    return (Outbox.id == message.row) & (Outbox.claim == message.claim)
