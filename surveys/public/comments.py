"""Answers to open questions after a release: sealed, proposed, published or withheld; no day, no order, no attribute."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from surveys.engines import StoreEngine
from surveys.public.tables import Comment

SEALED, PROPOSED, PUBLISHED, WITHHELD = "sealed", "proposed", "published", "withheld"


@dataclass(frozen=True, slots=True)
class CommentRecord:
    """One comment. `sealed` is as it was written, `proposal` as somebody would publish it; both for the team's key."""

    id: int
    wave: str
    item: str
    state: str
    sealed: bytes = field(repr=False)
    proposal: bytes = field(repr=False)
    proposed_by: str
    text: str


async def keep(engine: StoreEngine, wave: str, sealed: Mapping[str, Sequence[bytes]]) -> None:
    """Keep sealed comments under random numbers; inside the transaction of the release."""
    rows = [
        Comment(id=secrets.randbits(62), wave=wave, item=item, state=SEALED, sealed=envelope)
        for item, envelopes in sealed.items()
        for envelope in envelopes
    ]
    rows.sort(key=lambda row: row.id)
    async with engine.transaction():
        for start in range(0, len(rows), 50):
            await Comment.insert(*rows[start : start + 50])


async def of_wave(wave: str) -> list[CommentRecord]:
    """All comments of a wave, in the order of their random numbers."""
    rows = await Comment.select().where(Comment.wave == wave).order_by(Comment.id)
    return [
        CommentRecord(
            int(row["id"]),
            row["wave"],
            row["item"],
            row["state"],
            bytes(row["sealed"] or b""),
            bytes(row["proposal"] or b""),
            row["proposed_by"],
            row["text"],
        )
        for row in rows
    ]


async def propose(engine: StoreEngine, comment: int, proposal: bytes, by: str) -> None:
    """Put a wording forward; whatever was proposed before is replaced."""
    async with engine.transaction():
        await Comment.update({Comment.state: PROPOSED, Comment.proposal: proposal, Comment.proposed_by: by}).where(
            (Comment.id == comment) & Comment.state.is_in([SEALED, PROPOSED])
        )


async def decide(engine: StoreEngine, comment: int, proposed_by: str, text: str, *, publish: bool) -> bool:
    """Publish or withhold for good; False if somebody proposed anew meanwhile. The sealed texts are removed."""
    async with engine.transaction():
        changed = (
            await Comment.update(
                {
                    Comment.state: PUBLISHED if publish else WITHHELD,
                    Comment.text: text if publish else "",
                    Comment.sealed: b"",
                    Comment.proposal: b"",
                    Comment.proposed_by: "",
                }
            )
            .where((Comment.id == comment) & (Comment.state == PROPOSED) & (Comment.proposed_by == proposed_by))
            .returning(Comment.id)
        )
    return len(changed) == 1


async def published(wave: str) -> dict[str, list[str]]:
    """The comments that two people let out, by question."""
    found: dict[str, list[str]] = {}
    for record in await of_wave(wave):
        if record.state == PUBLISHED:
            found.setdefault(record.item, []).append(record.text)
    return found
