"""Cases of version 1, as the version before this one wrote them: so that what an installation holds is tried, not imagined."""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any

from nacl.signing import SigningKey

from surveys.cases.codes import CodeKeys
from surveys.cases.composing import Entry
from surveys.cases.incoming import dummy_wrap, row_id
from surveys.cases.keeper import RECOVERY, REPORTER, Keeper
from surveys.cases.sealing import check, encrypt, new_identity, public_of, recipient_of, seal, sign
from surveys.cases.tables import Case, Epoch, Message, Wrap
from surveys.cases.thread import FIRST, Author, EpochKey, Place, check_message, write
from surveys.cases.thread import Trust as Trusted
from surveys.engines import StoreEngine
from surveys.public.keyring import PURPOSE, Keyring, Reader, Signer

WRAP_BYTES = 1024
SLOTS = 8


def case_number(keys: CodeKeys) -> int:
    return int.from_bytes(keys.number[:8], "big") >> 1


def make_wrap(key: EpochKey, author: Author, recipient: str) -> bytes:
    body = {
        "v": 1,
        "case": f"{key.case:016x}",
        "stream": key.stream,
        "number": key.number,
        "identity": key.identity,
        "reporter": key.reporter,
        "by": author.name,
    }
    return seal(sign(body, "wrap", author.seed), recipient, smallest=WRAP_BYTES)


async def keep(
    engine: StoreEngine,
    keeper: Keeper,
    keys: CodeKeys,
    entries: Sequence[Entry],
    day: date,
    ring: Keyring | None,
    out: Collection[str] = (),
) -> int:
    """Store a report (with a keyring) or a diary (without) as version 1 did: eight wraps, public halves in clear."""
    case, stream = case_number(keys), "thread" if ring else "diary"
    identity, recipient = new_identity()
    me = Author(REPORTER, keys.ed25519)
    key = EpochKey(case, stream, 1, identity, public_of(keys.ed25519))
    to: dict[str, str] = {REPORTER: recipient_of(keys.x25519)}
    if ring is not None:
        to |= {reader.id: reader.recipient for reader in ring.readers if reader.id not in out}
        to |= {RECOVERY: ring.recovery} if ring.recovery and RECOVERY not in out else {}
    made = [(keeper.reader(case, stream, name), make_wrap(key, me, recipient_)) for name, recipient_ in to.items()]
    while len(made) < SLOTS:
        blind, _ = dummy_wrap()
        made.append((blind, encrypt(os.urandom(WRAP_BYTES), new_identity()[1])))
    epoch = row_id(case, stream, "epoch", 1)
    async with engine.transaction():
        await Case.insert(Case(**_case_row(case, keys, day, ring is None)))
        await Epoch.insert(Epoch(id=epoch, case=case, stream=stream, number=1, recipient=recipient))
        await Wrap.insert(
            *(Wrap(id=int.from_bytes(os.urandom(8), "big") >> 1, epoch=epoch, reader=r, sealed=s) for r, s in made)
        )
        before = FIRST
        for number, entry in enumerate(entries, start=1):
            place = Place(case, stream, number, before)
            signed = write(place, me, entry.kind, day, ring.fingerprint if ring else "", entry.content)
            before = check_message(check(signed, "message"), place, Trusted(public_of(keys.ed25519), {})).hash
            sealed = seal(signed, recipient)
            await Message.insert(
                Message(
                    id=row_id(case, stream, "message", number),
                    case=case,
                    stream=stream,
                    number=number,
                    epoch=1,
                    sealed=sealed,
                )
            )
    return case


def _case_row(case: int, keys: CodeKeys, day: date, diary: bool) -> Mapping[str, Any]:
    return {
        "id": case,
        "version": 1,
        "locator": sha256(keys.locator).digest(),
        "auth": sha256(keys.auth).digest(),
        "reader": recipient_of(keys.x25519),
        "signer": public_of(keys.ed25519),
        "state": "diary" if diary else "received",
        "received": None if diary else day,
        "written": day if diary else None,
        "holds": "[]",
    }


def draft_keyring(
    day: date, signers: Sequence[Signer], readers: Sequence[Reader], recovery: str = "", before: Keyring | None = None
) -> str:
    content = {
        "v": 1,
        "number": before.number + 1 if before else 1,
        "before": before.fingerprint if before else "",
        "day": day.isoformat(),
        "signers": [{"seat": s.seat, "name": s.name, "key": s.key} for s in signers],
        "readers": [
            {
                "id": r.id,
                "name": r.name,
                "role": dict(r.role),
                "outside": r.outside,
                "recipient": r.recipient,
                "signer": r.signer,
            }
            for r in readers
        ],
        "recovery": recovery,
        "recovery_holders": ["a", "b", "c"] if recovery else [],
    }
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sign_keyring(text: str, seed: bytes) -> str:
    return SigningKey(seed).sign((PURPOSE + text).encode()).signature.hex()
