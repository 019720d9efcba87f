"""An invented channel in the stores: a house, handlers with keys, signed rings; people who act on cases as their devices do."""

import base64
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import msgspec

from surveys.cases import acts, codes, desk, handlers, intake, standing
from surveys.cases.acts import Change, Reporter
from surveys.cases.bundles import HandlerKeys
from surveys.cases.codes import CodeKeys, Secret
from surveys.cases.desk import CaseFile
from surveys.cases.handlers import HandlerRecord
from surveys.cases.incoming import Reply, Report, proof_of
from surveys.cases.keeper import REPORTER, Keeper, keeper_at
from surveys.cases.opening import handler, open_case
from surveys.cases.sealed_case import OpenedCase, Party, SealedCase, SealedEpochRow, SealedLetter
from surveys.cases.writing import Writing, append_letter
from surveys.lifecycle.channel import open_channel, publish_ring
from surveys.lifecycle.context import Site
from surveys.public import channel, organisation, readers
from surveys.public import house as house_file
from surveys.public.rings import Ring
from tests.surveys.cases import desk_side
from tests.surveys.cases.memory import ALL, INSIDE, OUTSIDE, World

SALT = bytes(range(16))
Team = World


def new_keys() -> HandlerKeys:
    return HandlerKeys(os.urandom(32), os.urandom(32))


async def opened(site: Site, about: organisation.OrganisationRecord, team: World | None = None) -> World:
    """A team in the stores, and the channel open."""
    made = team or World(os.urandom, day=site.day)
    await organisation.save(site.engines["public"], about)
    house_file.keep(site.data, made.anchor)
    for name, keys in made.keys.items():
        record = HandlerRecord(
            name,
            os.urandom(16),
            "{}",
            keys.recipient,
            keys.signer,
            f"{name}@prova.invalid",
            site.day,
            None,
            None,
            made.statement(name, site.day),
        )
        await handlers.keep(site.engines["cases"], record)
    await publish_ring(site, made.ring.text, made.ring.signatures)
    record_of = await channel.load()
    await channel.save(
        site.engines["public"],
        replace(record_of, salt=SALT.hex(), hearing_day=site.day.isoformat(), hearing_document="verbale"),
    )
    await open_channel(site)
    return made


async def next_ring(site: Site, made: World, names: Collection[str]) -> tuple[Ring, int]:
    """Sign and publish the next ring."""
    ring = made.ring_of(names, site.day)
    return await publish_ring(site, ring.text, ring.signatures)


@dataclass
class Written:
    """A report that was sent, with its code."""

    secret: Secret
    keys: CodeKeys
    case: int

    @property
    def me(self) -> Reporter:
        return Reporter(self.keys)


def made_report(
    made: World, keys: CodeKeys, text: str, out: Collection[str], site: Site, *, diary: bool = False
) -> dict[str, Any]:
    me, on = Reporter(keys), site.day
    if diary:
        return acts.diary(me, made.anchor.hash, {"text": text}, on, os.urandom)
    return acts.report(me, made.ring, made.anchor.hash, out, {"text": text}, on, os.urandom)


async def report(
    site: Site, made: World, text: str = "parole", out: Sequence[str] = (), *, diary: bool = False
) -> Written:
    """Send a report, or keep a diary."""
    secret = codes.new_code(os.urandom)
    keys = codes.derive(secret, SALT)
    content = msgspec.convert(made_report(made, keys, text, out, site, diary=diary), Report)
    accounts = [reader.id for reader in made.ring.readers]
    case = await intake.receive(site.engines["cases"], keeper_of(site), content, accounts, site.day)
    return Written(secret, keys, case)


def keeper_of(site: Site) -> Keeper:
    return keeper_at(site.data)


async def seat(site: Site, made: World) -> desk.Desk:
    """The desk on the house's day."""
    return await desk.open_desk(site.engines["cases"], keeper_of(site), await readers.load(site.data), site.day)


def sealed_of(file: CaseFile, pair: str = "") -> SealedCase:
    """A case file as its reader's device takes it."""
    epochs = [
        SealedEpochRow(e.stream, e.number, e.pairs.get(pair, b"") if pair else e.wrap, e.link, e.at)
        for e in file.epochs
    ]
    rows = [SealedLetter(m.stream, m.number, m.epoch, m.sealed) for m in file.messages]
    return SealedCase(f"{file.case:016x}", epochs, rows)


async def file_of(site: Site, made: World, written: Written, name: str) -> CaseFile:
    at_desk = await seat(site, made)
    if name != REPORTER:
        return await desk.case_file(at_desk, written.case, name)
    row = await intake.find(proof_of(written.keys.locator.hex(), written.keys.auth.hex()))
    return await desk.case_file(at_desk, written.case, REPORTER, row)


async def open_of(site: Site, made: World, written: Written, name: str) -> OpenedCase:
    """Open a case as somebody's device does."""
    file = await file_of(site, made, written, name)
    party: Party = written.me.party if name == REPORTER else handler(name, made.keys[name].identity)
    return open_case(sealed_of(file), party, made.anchor.hash, made.chain)


async def texts(site: Site, made: World, written: Written, name: str) -> list[str]:
    found = await open_of(site, made, written, name)
    return [letter.content["text"] for letter in found.thread if letter.content is not None]


async def say(
    site: Site,
    made: World,
    written: Written,
    name: str,
    text: str,
    move: str = "",
    kind: str = "",
    terms: Mapping[str, Any] | None = None,
    **content: Any,
) -> str:
    """Write as a handler's or the reporter's device does; gives the letter's hash."""
    found = await open_of(site, made, written, name)
    assert found.fold is not None and not found.problem, found.problem
    author = written.me.author if name == REPORTER else made.author(name)
    letter = acts.letter(
        found.fold,
        made.ring,
        author,
        kind or move or "message",
        {"text": text, **content},
        site.day,
        os.urandom,
        terms,
    )
    if name == REPORTER:
        reply = msgspec.convert(written.me.proofs | letter | {"uploads": [], "contest": kind == "contest"}, Reply)
        await intake.add(site.engines["cases"], keeper_of(site), reply, [r.id for r in made.ring.readers], site.day)
    else:
        await append_letter(
            await seat(site, made), written.case, name, msgspec.convert(letter | {"move": move}, Writing)
        )
    after = (await open_of(site, made, written, REPORTER)).fold
    return after.heads[-1] if after else ""


async def new_epoch(
    site: Site, made: World, written: Written, name: str, readers_: Sequence[Mapping[str, str]], asked: str = ""
) -> None:
    """Put a case under new keys, as a handler's device does."""
    found = await open_of(site, made, written, name)
    assert found.fold is not None
    sent = acts.change(
        found, made.ring, made.author(name), Change(readers_, found.fold.recovery, asked), site.day, os.urandom
    )
    await append_letter(
        await seat(site, made),
        written.case,
        name,
        msgspec.convert(sent["letter"] | {"epochs": sent["epochs"]}, Writing),
    )


async def wanted(site: Site, made: World, written: Written, name: str) -> list[dict[str, str]]:
    fold = (await open_of(site, made, written, name)).fold
    assert fold is not None
    return desk_side.wanted_readers(fold, made.chain)


def later(site: Site, days: int) -> Site:
    return replace(site, day=site.day + timedelta(days=days))


async def sees(site: Site, made: Team, name: str) -> list[int]:
    return [line.case for line in await desk.inbox(await seat(site, made), name)]


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


async def contest(site: Site, made: Team, written: Written) -> None:
    await say(site, made, written, REPORTER, "no", kind="contest")


__all__ = ["ALL", "INSIDE", "OUTSIDE", "SALT", "Team", "World", "base64"]


async def stands(site: Site, made: Team, written: Written, name: str, **other: str) -> None:
    """A reader's device opens a case and says how it stands by its letters; or a dishonest one says something else."""
    fold = (await open_of(site, made, written, name)).fold
    assert fold is not None
    said = {
        "state": fold.state,
        "received": fold.received,
        "acknowledged": fold.acknowledged,
        "outcome": fold.outcome,
    } | other
    await standing.say_stand(await seat(site, made), written.case, name, standing.Stand(**said, letters=fold.count))
