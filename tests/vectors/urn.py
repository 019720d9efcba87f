"""Makes tests/vectors/urn.json: the urn of version 2 with fixed randomness. `python -m tests.vectors.urn` writes it anew."""

import json
import random
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from surveys.answers import holders, pairs, plans
from surveys.answers.keys import SEATS, new_secret
from surveys.public.rings import Ring
from tests.surveys.cases.memory import World

FILE = Path(__file__).with_name("urn.json")
DAY = date(2026, 11, 25)
WAVE = "autunno-2026"
FROZEN: dict[str, Any] = {
    "questionnaire": {"id": "completo", "sections": []},
    "groups": {"views": []},
    "rules": {"items": 5, "comments": 10, "experience": 20},
    "panel": {"unit": "", "people": 60, "channels": ["email"]},
}


def world(seed: int = 7) -> tuple[World, Ring]:
    made = World(random.Random(seed).randbytes, day=DAY)
    return made, made.ring


def made() -> dict[str, Any]:
    """The same every time."""
    dice = random.Random(2)
    there, ring = world()
    house = there.anchor.hash
    words = {seat: new_secret(dice.randrange) for seat in SEATS}
    keys = {seat: holders.holder_keys(words[seat], house, WAVE, seat) for seat in SEATS}
    stated = {seat: holders.state(keys[seat], house, WAVE, seat, f"Custode {seat}", DAY) for seat in SEATS}
    text = plans.draft(
        house, WAVE, ring.number, [stated[seat] for seat in SEATS], FROZEN, token=dice.randbytes(32).hex()
    )
    plan = plans.read(text, house)
    once = ec.derive_private_key(dice.getrandbits(250) + 1, ec.SECP256R1())
    sheet, proof, wave_key = b'{"CUL1":["2"]}', dice.randbytes(32), dice.randbytes(32)
    key, nonce = dice.randbytes(32), dice.randbytes(24)
    sealed = pairs.seal(sheet, proof, plan.hash, plan.points, once=once, key=key)
    numbers = once.private_numbers()
    x, y = (value.to_bytes(32).hex() for value in (numbers.public_numbers.x, numbers.public_numbers.y))
    return {
        "house": house,
        "wave": WAVE,
        "holders": [
            {
                "seat": seat,
                "words": words[seat],
                "point": keys[seat].point.hex(),
                "signer": keys[seat].signer,
                "scalar": keys[seat].private.private_numbers().private_value.to_bytes(32).hex(),
                "seed": keys[seat].seed.hex(),
                "name": f"Custode {seat}",
                "day": DAY.isoformat(),
                "statement": stated[seat],
                "six": list(holders.read_statement(stated[seat], house, WAVE).words),
                "confirm": holders.confirm(keys[seat], plan.hash, seat, DAY),
            }
            for seat in SEATS
        ],
        "plan": {
            "text": text,
            "hash": plan.hash,
            "printed": plan.printed,
            "words": list(plan.words),
            "ring": ring.number,
            "signers": dict(ring.signers),
            "signatures": [plans.sign(text, there.seats[seat]) for seat in ("legal", "staff")],
        },
        "envelope": {
            "sheet": sheet.hex(),
            "proof": proof.hex(),
            "key": key.hex(),
            "once": numbers.private_value.to_bytes(32).hex(),
            "x": x,
            "y": y,
            "sealed": sealed.hex(),
            "wave_key": wave_key.hex(),
            "nonce": nonce.hex(),
            "envelope": pairs.layered(sealed, wave_key, nonce=nonce).hex(),
        },
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(made(), indent=1) + "\n", "utf-8")
