"""Commands of the concern channel that need the stores: its gate, its handlers, its keyring, the use of the recovery key."""

import argparse
import base64
import json
import secrets
from dataclasses import replace
from datetime import date
from pathlib import Path

from server.cli import LANGUAGE, Run, refuse, tell
from server.commands.house import opened_house
from server.reporters.channel import keyring_content
from server.reporters.sealed import file_content
from server.texts import say
from surveys.cases import desk, handlers, log, pieces
from surveys.cases.keeper import RECOVERY, keeper_at
from surveys.lifecycle import channel as life
from surveys.lifecycle.channel import ChannelNotReady
from surveys.people import accounts
from surveys.people.accounts import AccountRefused
from surveys.public import channel, keyring
from surveys.public.keyring import KeyringRefused, Reader, Signer


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        refuse("bad_day", text=text)
        return None


async def status(_: argparse.Namespace) -> int:
    """Say whether the channel is open, what is missing, and the fingerprint in use."""
    async with opened_house() as house:
        record, ring, missing = await channel.load(), await keyring.current(), await life.gaps(house)
    if record.is_open:
        tell("channel_open", day=record.opened)
    for gap in missing:
        tell("channel_gap", gap=say(LANGUAGE, f"cli.gap_{gap}"))
    if ring is not None:
        tell("keyring_now", number=ring.number, fingerprint=ring.fingerprint)
    return 0


async def hearing(given: argparse.Namespace) -> int:
    """Write down when the unions were heard, and in which document."""
    if (day := _day(given.day)) is None:
        return 1
    async with opened_house() as house:
        record = await channel.load()
        await channel.save(
            house.engines["public"], replace(record, hearing_day=day.isoformat(), hearing_document=given.document)
        )
    tell("channel_heard", day=day.isoformat())
    return 0


async def open_channel(_: argparse.Namespace) -> int:
    """Open the channel, or say what stands before it."""
    async with opened_house() as house:
        try:
            record = await life.open_channel(house)
        except ChannelNotReady as problem:
            for gap in problem.gaps:
                refuse("channel_gap", gap=say(LANGUAGE, f"cli.gap_{gap}"))
            return 1
    tell("channel_open", day=record.opened)
    return 0


async def invite(given: argparse.Namespace) -> int:
    """Add a handler's account with a word that works once."""
    word = "-".join(secrets.token_hex(3) for _ in range(4))
    async with opened_house() as house:
        try:
            await accounts.add(house.engines["people"], given.name, "handler", word)
        except AccountRefused as problem:
            return refuse(f"account_{problem}", name=given.name, roles=", ".join(accounts.ROLES), minimum=12)
    tell("handler_invited", name=given.name, word=word)
    return 0


async def renew(given: argparse.Namespace) -> int:
    """After a loss of keys: forget the old ones and give a new word. Old cases open again when a colleague shares them."""
    async with opened_house() as house:
        known = {account.name for account in await accounts.everyone() if account.role == "handler"}
        if given.name not in known:
            return refuse("account_unknown", name=given.name)
        word = "-".join(secrets.token_hex(3) for _ in range(4))
        await accounts.remove(house.engines["people"], given.name)
        await accounts.add(house.engines["people"], given.name, "handler", word)
        await handlers.forget(given.name)
    tell("handler_invited", name=given.name, word=word)
    return 0


async def entry_word(given: argparse.Namespace) -> int:
    """For a forgotten passphrase: a word that signs in once more. Her keys stay sealed; the printed kit opens them."""
    word = "-".join(secrets.token_hex(3) for _ in range(4))
    async with opened_house() as house:
        known = {account.name for account in await accounts.everyone() if account.role == "handler"}
        if given.name not in known or await handlers.load(given.name) is None:
            return refuse("handler_no_keys", name=given.name)
        await accounts.reset(house.engines["people"], given.name, word)
    tell("handler_word", name=given.name, word=word)
    return 0


async def training(given: argparse.Namespace) -> int:
    """Record the day of a handler's training."""
    if (day := _day(given.day)) is None:
        return 1
    async with opened_house():
        if await handlers.load(given.name) is None:
            return refuse("handler_no_keys", name=given.name)
        await handlers.set_training(given.name, day)
    tell("handler_trained", name=given.name, day=day.isoformat())
    return 0


async def draft(given: argparse.Namespace) -> int:
    """Write the next keyring to a file that two people sign, each on a machine of their own."""
    async with opened_house() as house:
        before = await keyring.current()
        try:
            signers = [Signer(*text.split(":", 2)) for text in given.signer] or list(before.signers if before else ())
            readers = [await _reader(text) for text in given.reader]
            recovery = given.recovery or (before.recovery if before else "")
            holders = given.holder or list(before.recovery_holders if before else ())
            text = keyring.draft(house.day, signers, readers, recovery, holders, before)
        except (KeyringRefused, TypeError, LookupError) as problem:
            return refuse("cannot", problem=problem)
    Path(given.output).write_text(json.dumps({"text": text, "signatures": []}, ensure_ascii=False), "utf-8")
    tell("keyring_drafted", file=given.output, fingerprint=keyring.fingerprint_of(text))
    return 0


async def _reader(text: str) -> Reader:
    """``account:name:role`` or ``account:name:role:outside``."""
    name, title, role, *outside = text.split(":")
    record = await handlers.load(name)
    if record is None:
        raise LookupError(say(LANGUAGE, "cli.handler_no_keys", name=name))
    return Reader(name, title, {"it": role}, outside == ["outside"], record.recipient, record.signer)


async def publish(given: argparse.Namespace) -> int:
    """Put a keyring in use that both have signed."""
    try:
        content = json.loads(Path(given.file).read_text("utf-8"))
        text, signatures = str(content["text"]), [str(signature) for signature in content["signatures"]]
    except (OSError, ValueError, KeyError, TypeError):
        return refuse("not_a_keyring", file=given.file)
    async with opened_house() as house:
        try:
            ring, count = await life.publish_keyring(house, text, signatures)
        except KeyringRefused as problem:
            return refuse("cannot", problem=problem)
    tell("keyring_published", number=ring.number, fingerprint=ring.fingerprint)
    if count:
        tell("keyring_rekey")
    return 0


async def recovery_export(given: argparse.Namespace) -> int:
    """Write out every case that has a recovery wrap; each of them says so to its reporter from now on."""
    folder = Path(given.output)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with opened_house() as house:
        rings = await keyring.versions()
        seat = await desk.open_desk(house.engines["cases"], keeper_at(house.data), rings, house.day)
        found = await desk.for_recovery(seat)
        for file in found:
            pieces = {
                upload: base64.b64encode(await pieces.attachment(file.case, upload)).decode() for upload in file.uploads
            }
            content = {"v": 1, "keyrings": keyring_content(rings), "file": file_content(file), "files": pieces}
            (folder / f"case-{file.case:016x}.json").write_text(json.dumps(content), "utf-8")
        await log.record(house.engines["cases"], seat.keeper, house.day, RECOVERY, "recovery")
    tell("recovery_exported", folder=folder)
    return 0


COMMANDS: dict[str, Run] = {
    "channel status": status,
    "channel hearing": hearing,
    "channel open": open_channel,
    "handler invite": invite,
    "handler renew": renew,
    "handler word": entry_word,
    "handler training": training,
    "keyring draft": draft,
    "keyring publish": publish,
    "recovery export": recovery_export,
}
