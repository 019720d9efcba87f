"""Answers to open questions after a release: sealed, proposed, published or withheld; no day, no order, no attribute.

What one person proposes and what two let out is signed by the installation: whoever writes the store invents neither.
"""

import secrets
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from surveys import signed
from surveys.cells import octets
from surveys.engines import StoreEngine
from surveys.public import releases
from surveys.public.signing import is_signed, sign
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
    signature: str

    @property
    def is_ours(self) -> bool:
        """Whether this installation signed it as it stands: who proposed which wording, or what two people let out."""
        return is_signed(releases.own_key(), _said(self), self.signature)


def _said(record: CommentRecord) -> bytes:
    """What is signed of a comment: its place, and the proposal with its author or the text."""
    what = [b64encode(record.proposal).decode(), record.proposed_by] if record.state == PROPOSED else [record.text]
    return (
        b"ascolto comment v1\n"
        + signed.canonical([record.state, record.wave, record.item, str(record.id), *what]).encode()
    )


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
            octets(row["sealed"]),
            octets(row["proposal"]),
            row["proposed_by"],
            row["text"],
            row["signature"] or "",
        )
        for row in rows
    ]


async def propose(
    engine: StoreEngine, key: Ed25519PrivateKey, comment: CommentRecord, proposal: bytes, by: str
) -> bool:
    """Put a wording forward; whatever was proposed before is replaced. False if it was decided meanwhile.

    Parameters
    ----------
    engine : of the public store
    key : of the installation
    comment : one that waits
    proposal : sealed to the team
    by : the account that proposes it
    """
    after = replace(comment, state=PROPOSED, proposal=proposal, proposed_by=by)
    values: dict[Any, Any] = {Comment.state: PROPOSED, Comment.proposal: proposal, Comment.proposed_by: by}
    async with engine.transaction():
        changed = (
            await Comment.update(values | {Comment.signature: sign(key, _said(after))})
            .where((Comment.id == comment.id) & Comment.state.is_in([SEALED, PROPOSED]))
            .returning(Comment.id)
        )
    return len(changed) == 1


async def decide(
    engine: StoreEngine, key: Ed25519PrivateKey, comment: CommentRecord, text: str, *, publish: bool
) -> bool:
    """Publish or withhold for good; False if somebody proposed anew meanwhile. The sealed texts are removed.

    Parameters
    ----------
    engine : of the public store
    key : of the installation
    comment : as it was when its wording was agreed to
    text : the wording
    publish : or withhold it
    """
    state = PUBLISHED if publish else WITHHELD
    after = replace(comment, state=state, text=text if publish else "", proposed_by="")
    async with engine.transaction():
        changed = (
            await Comment.update(
                {
                    Comment.state: state,
                    Comment.text: after.text,
                    Comment.signature: sign(key, _said(after)),
                    Comment.sealed: b"",
                    Comment.proposal: b"",
                    Comment.proposed_by: "",
                }
            )
            .where(
                (Comment.id == comment.id)
                & (Comment.state == PROPOSED)
                & (Comment.proposed_by == comment.proposed_by)
                & (Comment.signature == comment.signature)
            )
            .returning(Comment.id)
        )
    return len(changed) == 1


async def published(wave: str) -> dict[str, list[str]]:
    """The comments that two people let out, by question: what this installation signed, and nothing else."""
    found: dict[str, list[str]] = {}
    for record in await of_wave(wave):
        if record.state == PUBLISHED and record.is_ours:
            found.setdefault(record.item, []).append(record.text)
    return found


async def sign_at_update(engine: StoreEngine, key: Ed25519PrivateKey) -> None:
    """Sign what was proposed or let out before comments were signed. What was changed until then nothing can tell."""
    waves = {str(row["wave"]) for row in await Comment.select(Comment.wave)}
    for record in [one for wave in sorted(waves) for one in await of_wave(wave)]:
        if record.state in (PROPOSED, PUBLISHED) and not record.signature:
            await Comment.update({Comment.signature: sign(key, _said(record))}).where(Comment.id == record.id)
