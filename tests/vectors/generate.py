"""Make the frozen vectors of the protocol with fixed randomness: ``python -m tests.vectors.generate``.

They are made once for a version of docs/protocol.md and committed; tests read them in Python and in the browser. A vector that
changes is a change of the protocol: it needs a new version, never a new file under the old name.
"""

import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

from surveys.cases import acts, age_file, codes, letters, wraps
from surveys.cases.bundles import HandlerKeys
from surveys.cases.letters import REPORTER
from surveys.cases.opening import head_words
from surveys.cases.sealing import identity_text
from surveys.public import rings, statements
from tests.journeys import both
from tests.surveys.cases import desk_side
from tests.surveys.cases.memory import DAY, OUTSIDE, Kept, World, older_changes, readers_but, report

PLACE = Path(__file__).parent / "cases-v2.json"


def make() -> dict[str, Any]:
    """A whole installation and one case of before December 2026: every structure as text and as bytes, and what they mean."""
    with older_changes():
        return _made()


def _made() -> dict[str, Any]:
    dice = random.Random("ascolto protocol 2").randbytes
    age_file.random_bytes = dice
    world = World(dice)
    kept = report(world, "È successo mercoledì, sul furgone. «Non dirlo a nessuno».")
    kept.write("anna", "acknowledge", "Arrivato. Siamo qui.")
    kept.note("carla", "Una nota.")
    after = readers_but(kept, "bruno")
    fold = kept.opened("anna").fold
    assert fold is not None
    payload = desk_side.ask_payload(fold, world.ring, after, "anna")
    ask = kept.write(
        "anna", "ask", "Bruno è di quel turno.", {"what": "change", "payload": acts.hash_of(payload)}, payload=payload
    )
    kept.change("carla", after, ask)
    kept.later(20)
    kept.write("carla", "outcome", "Abbiamo parlato con tutti e cambiato i turni.")
    kept.write(REPORTER, "contest", "Non basta.")
    still = rings.draft_still(world.anchor, world.ring, DAY + timedelta(days=90))
    code = kept.me.keys
    opened = kept.opened(REPORTER)
    assert opened.fold is not None
    return {
        "version": 2,
        "house": {
            "text": world.anchor.text,
            "hash": world.anchor.hash,
            "printed": world.anchor.printed,
            "words": " ".join(world.anchor.words),
        },
        "seats": {seat: seed.hex() for seat, seed in world.seats.items()},
        "handlers": {name: _keys(world, name, keys) for name, keys in world.keys.items()},
        "ring": {
            "text": world.ring.text,
            "hash": world.ring.hash,
            "signatures": [dict(s) for s in world.ring.signatures],
        },
        "still": {"text": still, "signatures": [rings.sign_still(still, world.seats[s]) for s in ("legal", "reserve")]},
        "code": _code(world, kept),
        "derived": {
            name: getattr(code, name).hex()
            for name in ("locator", "auth", "x25519", "ed25519", "thread", "diary", "head")
        }
        | {"signer": kept.me.signer, "reader": kept.me.reader, "case": kept.me.case},
        "letters": [
            letters.plain_of(row.sealed, opened.keys["thread"][row.epoch])
            for row in kept.rows
            if row.stream == "thread"
        ],
        "recovery": {seat: identity_text(seed) for seat, seed in world.holders.items()},
        "files": {
            name: both.file_of(kept.sealed(name))
            for name in (REPORTER, "anna", "bruno", "carla", OUTSIDE, *(wraps.pair_name(p) for p in wraps.PAIRS))
        },
        "opened": {name: both.told(kept.opened(name)) for name in (REPORTER, "anna", "carla", OUTSIDE)},
        "head_words": list(head_words(code.head, opened.fold, codes.expand, codes.word_list())),
    }


def _keys(world: World, name: str, keys: HandlerKeys) -> dict[str, str]:
    statement = world.statement(name)
    words = statements.read_statement(statement, world.anchor.hash).words
    return {
        "x25519": keys.x25519.hex(),
        "ed25519": keys.ed25519.hex(),
        "identity": keys.identity,
        "recipient": keys.recipient,
        "signer": keys.signer,
        "statement": statement,
        "words": " ".join(words),
    }


def _code(world: World, kept: Kept) -> dict[str, str]:
    secret = kept.secret
    return {
        "secret": secret.hex(),
        "words": " ".join(codes.to_words(secret)),
        "digits": " ".join(codes.to_digits(secret)),
        "salt": world.anchor.salt,
    }


if __name__ == "__main__":
    PLACE.write_text(json.dumps(make(), ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")
