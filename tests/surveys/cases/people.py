"""An invented channel for tests: handlers with keys, a signed keyring, a recovery key."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import msgspec

from surveys.cases import codes, composing, desk, handlers, intake
from surveys.cases.bundles import HandlerKeys
from surveys.cases.codes import CodeKeys, Secret
from surveys.cases.composing import Entry
from surveys.cases.handlers import HandlerRecord
from surveys.cases.incoming import Report
from surveys.cases.keeper import Keeper, keeper_at
from surveys.cases.recovery import Recovery, make_recovery
from surveys.cases.sealing import public_of
from surveys.lifecycle.channel import open_channel, publish_keyring
from surveys.lifecycle.context import House
from surveys.public import channel, keyring, organisation
from surveys.public.keyring import Keyring, Reader, Signer

SALT = bytes(range(16))
INSIDE = ("anna", "bruno", "carla")
OUTSIDE = "esterna"


@dataclass
class Team:
    """Handlers, signers and recovery of one invented channel."""

    keys: dict[str, HandlerKeys]
    signers: dict[str, bytes]
    recovery: Recovery
    keyrings: list[Keyring]

    @property
    def ring(self) -> Keyring:
        return self.keyrings[-1]

    def trusted(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for ring in self.keyrings:
            for reader in ring.readers:
                found.setdefault(reader.id, set()).add(reader.signer)
        return found

    def next_text(self, day: date, names: Sequence[str]) -> str:
        """The text of the next keyring with these readers."""
        readers = [
            Reader(name, name.title(), {"it": "persona di fiducia"}, name == OUTSIDE, self.keys[name].recipient, self.keys[name].signer)
            for name in names
        ]  # fmt: skip
        signers = [Signer(seat, seat, public_of(seed)) for seat, seed in self.signers.items()]
        before = self.keyrings[-1] if self.keyrings else None
        return keyring.draft(day, signers, readers, self.recovery.recipient, ("a", "b", "c"), before)

    def signatures(self, text: str) -> list[str]:
        return [keyring.sign(text, seed) for seed in self.signers.values()]


def new_keys() -> HandlerKeys:
    return HandlerKeys(os.urandom(32), os.urandom(32))


def team(day: date, names: Sequence[str] = (*INSIDE, OUTSIDE)) -> Team:
    """A team with a first signed keyring, in memory."""
    made = Team({n: new_keys() for n in names}, {s: os.urandom(32) for s in ("legal", "staff")}, make_recovery(), [])
    text = made.next_text(day, names)
    made.keyrings.append(keyring.verify(text, made.signatures(text)))
    return made


async def opened(house: House, about: organisation.OrganisationRecord) -> Team:
    """A team in the stores, and the channel open."""
    made = team(house.day)
    await organisation.save(house.engines["public"], about)
    for name, keys in made.keys.items():
        record = HandlerRecord(name, os.urandom(16), "{}", keys.recipient, keys.signer, f"{name}@prova.invalid", house.day, None, None)
        await handlers.keep(house.engines["cases"], record)
    await publish_keyring(house, made.ring.text, made.ring.signatures)
    record_of = await channel.load()
    await channel.save(
        house.engines["public"],
        replace(record_of, salt=SALT.hex(), hearing_day=house.day.isoformat(), hearing_document="verbale"),
    )
    await open_channel(house)
    return made


@dataclass
class Written:
    """A report that was sent, with its code."""

    secret: Secret
    keys: CodeKeys
    case: int


async def report(house: House, made: Team, text: str = "parole", out: Sequence[str] = (), *, diary: bool = False) -> Written:
    """Send a report, or keep a diary."""
    secret = codes.new_code(os.urandom)
    keys = codes.derive(secret, SALT)
    content = composing.compose(
        keys, [Entry("diary" if diary else "report", {"text": text})], house.day, None if diary else made.ring, made.ring.fingerprint, out
    )  # fmt: skip
    case = await intake.receive(
        house.engines["cases"], keeper_of(house), msgspec.convert(content, Report), None if diary else made.ring, house.day
    )
    return Written(secret, keys, case)


def keeper_of(house: House) -> Keeper:
    return keeper_at(house.data)


async def seat(house: House, made: Team) -> desk.Desk:
    """The desk on the house's day."""
    return await desk.open_desk(house.engines["cases"], keeper_of(house), made.keyrings, house.day)
