"""The demonstration's concern channel: three invented handlers, a signed list, a recovery key. Its secrets are printed."""

import os
import secrets
from base64 import b32encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from surveys.cases import handlers
from surveys.cases.bundles import HandlerKeys, make_bundle, new_kit, split
from surveys.cases.handlers import HandlerRecord
from surveys.cases.recovery import make_recovery
from surveys.cases.sealing import public_of
from surveys.lifecycle.channel import open_channel, publish_keyring
from surveys.lifecycle.context import House
from surveys.people import accounts
from surveys.public import channel, keyring
from surveys.public.keyring import Reader, Signer

PEOPLE = (
    ("ascolto1", "Marta Inventata", {"it": "persona di fiducia", "en": "contact person"}, False),
    ("ascolto2", "Paolo Esempio", {"it": "referente contro le molestie", "en": "contact against harassment"}, False),
    ("esterna", "Avv. Livia Finta", {"it": "consigliera esterna", "en": "outside counsellor"}, True),
)
HOLDERS = ("Organismo di vigilanza", "Rappresentante del personale", "Avvocata esterna")


async def make(house: House) -> dict[str, Any]:
    """Add the handlers, sign the list, open the channel; gives what is printed."""
    known: dict[str, Any] = {"handlers": {}}
    readers = []
    for name, title, role, outside in PEOPLE:
        keys, printed = await enrol(house, name)
        known["handlers"][name] = printed
        readers.append(Reader(name, title, role, outside, keys.recipient, keys.signer))
    seeds = {seat: os.urandom(32) for seat in ("legal", "staff")}
    signers = [
        Signer("legal", "Presidente (inventato)", public_of(seeds["legal"])),
        Signer("staff", "Rappresentante (inventata)", public_of(seeds["staff"])),
    ]
    recovery = make_recovery()
    text = keyring.draft(house.day, signers, readers, recovery.recipient, HOLDERS)
    await publish_keyring(house, text, [keyring.sign(text, seed) for seed in seeds.values()])
    record = await channel.load()
    heard = (house.day - timedelta(days=20)).isoformat()
    await channel.save(
        house.engines["public"], replace(record, hearing_day=heard, hearing_document="Verbale 3/2026 (inventato)")
    )
    await open_channel(house)
    known["signers"] = {seat: seed.hex() for seat, seed in seeds.items()}
    known["recovery"] = {"holders": recovery.holders, "files": recovery.files}
    return known


async def enrol(house: House, name: str) -> tuple[HandlerKeys, dict[str, str]]:
    """Do for an invented handler what her browser would do."""
    words = "-".join(secrets.choice(("lago", "pane", "vento", "luna", "mare", "neve", "fiore", "carta")) for _ in range(4))
    passphrase = f"{words}-{secrets.token_hex(2)}"
    keys = HandlerKeys(os.urandom(32), os.urandom(32))
    salt, kit, second = os.urandom(16), new_kit(os.urandom), os.urandom(20)
    login, wrap = split(passphrase, salt)
    people = house.engines["people"]
    await accounts.add(people, name, "handler", login)
    now = datetime.now(UTC)
    shown = TOTP(second, 6, SHA1(), accounts.STEP_SECONDS).generate(int(now.timestamp()) - accounts.STEP_SECONDS).decode()
    if not await accounts.set_second(people, name, second, shown, now):
        raise RuntimeError("the clock jumped while the demonstration was made")
    record = HandlerRecord(
        name, salt, make_bundle(keys, wrap, kit), keys.recipient, keys.signer, f"{name}@esempio.invalid",
        house.day, None, None
    )  # fmt: skip
    await handlers.keep(house.engines["cases"], record)
    return keys, {"passphrase": passphrase, "second": b32encode(second).decode(), "kit": kit}
