"""The demonstration's concern channel: three invented handlers, a signed list, a recovery key. Its secrets are printed."""

import os
import secrets
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from surveys.answers import holders, plans
from surveys.answers.keys import HolderSecret, new_secret
from surveys.cases import handlers
from surveys.cases.bundles import HandlerKeys, make_bundle, new_kit, split
from surveys.cases.handlers import HandlerRecord
from surveys.cases.sealing import new_identity, public_of
from surveys.lifecycle import ready
from surveys.lifecycle.channel import open_channel, publish_ring
from surveys.lifecycle.context import Site
from surveys.lifecycle.planning import anchored, draw_secret
from surveys.people import accounts
from surveys.public import channel, rings, signing, statements
from surveys.public import house as house_file
from surveys.public.rings import RecoveryHolder, Wanted

PEOPLE = (
    ("ascolto1", "Marta Inventata", {"it": "persona di fiducia", "en": "contact person"}, False),
    ("ascolto2", "Paolo Esempio", {"it": "referente contro le molestie", "en": "contact against harassment"}, False),
    ("esterna", "Avv. Livia Finta", {"it": "consigliera esterna", "en": "outside counsellor"}, True),
)
HOLDERS_OF_THE_URN = {"hr": "direzione", "representative": "rappresentante", "recovery": "custode"}
"""The accounts that keep the words of a wave, by seat."""
HOLDERS = ("Organismo di vigilanza", "Rappresentante del personale", "Avvocata esterna")


async def make(site: Site) -> dict[str, Any]:
    """Make the house, add the handlers, sign the list, open the channel; gives what is printed."""
    known: dict[str, Any] = {"handlers": {}}
    seats = {seat: os.urandom(32) for seat in house_file.SEATS}
    record = await channel.save(site.engines["public"], await channel.load())
    install = signing.installation_key(site.data).public_key().public_bytes_raw().hex()
    anchor = house_file.draft(install, record.salt, {seat: public_of(seed) for seat, seed in seats.items()})
    house_file.keep(site.data, anchor)
    wanted = []
    for name, title, role, outside in PEOPLE:
        keys, printed = await enrol(site, name)
        known["handlers"][name] = printed
        stated = statements.state(anchor, name, title, (keys.recipient, keys.signer, keys.ed25519), site.day)
        await handlers.set_statement(name, statements.read_statement(stated, anchor.hash), stated)
        wanted.append(Wanted(stated, role, outside))
    made = {seat: new_identity() for seat in rings.RECOVERY_SEATS}
    recovery = [
        RecoveryHolder(seat, title, made[seat][1]) for seat, title in zip(rings.RECOVERY_SEATS, HOLDERS, strict=True)
    ]
    text = rings.draft(anchor, site.day, wanted, recovery)
    await publish_ring(site, text, [rings.sign(text, seats[seat]) for seat in ("legal", "staff")])
    record = await channel.load()
    heard = (site.day - timedelta(days=20)).isoformat()
    await channel.save(
        site.engines["public"], replace(record, hearing_day=heard, hearing_document="Verbale 3/2026 (inventato)")
    )
    await open_channel(site)
    known["seats"] = {seat: seed.hex() for seat, seed in seats.items()}
    known["house"] = {"words": " ".join(anchor.words), "printed": anchor.printed}
    known["recovery"] = {seat: identity for seat, (identity, _) in made.items()}
    return known


async def hold_ceremony(site: Site, wave: str, seats: Mapping[str, str]) -> dict[str, HolderSecret]:
    """The holders make their words, two seats sign the plan, the holders confirm it: as their own devices would."""
    anchor, _ = await anchored(site.data)
    words = {seat: draw_secret() for seat in HOLDERS_OF_THE_URN}
    keys = {seat: holders.holder_keys(secret, anchor.hash, wave, seat) for seat, secret in words.items()}
    for seat, account in HOLDERS_OF_THE_URN.items():
        stated = holders.state(keys[seat], anchor.hash, wave, seat, account, site.day)
        await ready.take_statement(replace(site, actor=account), wave, stated, seat)
    text = await ready.draft_plan(site, wave)
    signatures = [plans.sign(text, bytes.fromhex(seats[seat])) for seat in ("legal", "staff")]
    plan = await ready.publish_plan(replace(site, actor="administrator"), text, signatures)
    for seat, account in HOLDERS_OF_THE_URN.items():
        said = holders.confirm(keys[seat], plan.hash, seat, site.day)
        await ready.take_confirmation(replace(site, actor=account), wave, seat, said)
    return words


async def enrol(site: Site, name: str) -> tuple[HandlerKeys, dict[str, str]]:
    """Do for an invented handler what her browser would do."""
    passphrase = " ".join(new_secret(secrets.randbelow).split()[:6])
    keys = HandlerKeys(os.urandom(32), os.urandom(32))
    salt, kit = os.urandom(16), new_kit(os.urandom)
    login, wrap = split(passphrase, salt)
    await accounts.add(site.engines["people"], name, "handler", login)
    second = await with_codes(site, name)
    record = HandlerRecord(
        name,
        salt,
        make_bundle(keys, wrap, kit),
        keys.recipient,
        keys.signer,
        f"{name}@esempio.invalid",
        site.day,
        None,
        None,
    )
    await handlers.keep(site.engines["cases"], record)
    return keys, {"passphrase": passphrase, "second": second, "kit": kit}


async def with_codes(site: Site, name: str) -> str:
    """Give an invented account a second factor, as its app would; gives the secret as text."""
    secret, now = os.urandom(20), datetime.now(UTC)
    shown = code(secret, now - timedelta(seconds=accounts.STEP_SECONDS))
    if not await accounts.set_second(site.engines["people"], name, secret, shown, now):
        raise RuntimeError("the clock jumped while the demonstration was made")
    return b32encode(secret).decode()


def code(secret: bytes, now: datetime) -> str:
    """The six digits that an app shows at a moment."""
    return TOTP(secret, 6, SHA1(), accounts.STEP_SECONDS).generate(int(now.timestamp())).decode()
