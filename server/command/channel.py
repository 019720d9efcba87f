"""Commands of the concern channel that need the stores: its gate, its handlers, its keyring, the use of the recovery key."""

import argparse
import base64
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

from server.command.site import opened_site
from server.concern.channel import list_content
from server.concern.wire import file_content
from server.frame.terminal import LANGUAGE, Run, refuse, tell
from server.frame.texts import say
from surveys import signed
from surveys.cases import desk, handlers, log, pieces
from surveys.cases.keeper import RECOVERY, keeper_at
from surveys.lifecycle import channel as life
from surveys.lifecycle.channel import ChannelNotReady, DayToCome
from surveys.lifecycle.context import Site
from surveys.lifecycle.steps import StepUnderWay
from surveys.people import accounts, passwords
from surveys.people.accounts import AccountRefused
from surveys.public import channel, readers, rings, signing
from surveys.public import house as house_file
from surveys.public.house import HouseFile, HouseRefused
from surveys.public.rings import RecoveryHolder, Wanted
from surveys.public.statements import RingRefused


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        refuse("bad_day", text=text)
        return None


async def status(_: argparse.Namespace) -> int:
    """Say whether the channel is open, what is missing, and the fingerprint in use."""
    async with opened_site() as site:
        record, lists, missing = await channel.load(), await readers.load(site.data), await life.gaps(site)
    if record.is_open:
        tell("channel_open", day=record.opened)
    for gap in missing:
        tell("channel_gap", gap=say(LANGUAGE, f"cli.gap_{gap}"))
    if lists.house is not None:
        tell("house_made", words=" ".join(lists.house.words), printed=lists.house.printed)
    if lists.chain is not None:
        tell("keyring_now", number=lists.chain.newest.number, until=lists.chain.newest.until.isoformat())
    return 0


async def hearing(given: argparse.Namespace) -> int:
    """Write down when the unions were heard, and in which document."""
    if (day := _day(given.day)) is None:
        return 1
    async with opened_site() as site:
        record = await channel.load()
        try:
            await life.set_rules(site, replace(record, hearing_day=day.isoformat(), hearing_document=given.document))
        except DayToCome:
            return refuse("day_to_come", day=day.isoformat())
    tell("channel_heard", day=day.isoformat())
    return 0


async def open_channel(_: argparse.Namespace) -> int:
    """Open the channel, or say what stands before it."""
    async with opened_site() as site:
        try:
            record = await life.open_channel(site)
        except ChannelNotReady as problem:
            for gap in problem.gaps:
                refuse("channel_gap", gap=say(LANGUAGE, f"cli.gap_{gap}"))
            return 1
    tell("channel_open", day=record.opened)
    return 0


async def _note(site: Site, name: str, act: str) -> None:
    """What the administrator did for a handler's sign-in is in the log that the representative reads."""
    await log.record(site.engines["cases"], keeper_at(site.data), site.day, name, act)


async def invite(given: argparse.Namespace) -> int:
    """Add a handler's account with a word that works once."""
    word = passwords.drawn()
    async with opened_site() as site:
        try:
            await accounts.add(site.engines["people"], given.name, "handler", word)
        except AccountRefused as problem:
            return refuse(f"account_{problem}", name=given.name, roles=", ".join(accounts.ROLES), minimum=12)
        await _note(site, given.name, "given_first_word")
    tell("handler_invited", name=given.name, word=word)
    return 0


async def renew(given: argparse.Namespace) -> int:
    """After a loss of keys: forget the old ones and give a new word. Old cases open again when a colleague shares them."""
    async with opened_site() as site:
        known = {account.name for account in await accounts.everyone() if account.role == "handler"}
        if given.name not in known:
            return refuse("account_unknown", name=given.name)
        word = passwords.drawn()
        await accounts.remove(site.engines["people"], given.name)
        await accounts.add(site.engines["people"], given.name, "handler", word)
        await handlers.forget(given.name)
        await _note(site, given.name, "given_first_word")
    tell("handler_invited", name=given.name, word=word)
    return 0


async def entry_word(given: argparse.Namespace) -> int:
    """For a forgotten passphrase: a word that signs in once more. Her keys stay sealed; the printed kit opens them."""
    word = passwords.drawn()
    async with opened_site() as site:
        known = {account.name for account in await accounts.everyone() if account.role == "handler"}
        if given.name not in known or await handlers.load(given.name) is None:
            return refuse("handler_no_keys", name=given.name)
        await accounts.reset(site.engines["people"], given.name, word)
        await _note(site, given.name, "given_word")
    tell("handler_word", name=given.name, word=word)
    return 0


async def training(given: argparse.Namespace) -> int:
    """Record the day of a handler's training."""
    if (day := _day(given.day)) is None:
        return 1
    async with opened_site() as site:
        if await handlers.load(given.name) is None:
            return refuse("handler_no_keys", name=given.name)
        try:
            await life.note_training(site, given.name, day)
        except DayToCome:
            return refuse("day_to_come", day=day.isoformat())
    tell("handler_trained", name=given.name, day=day.isoformat())
    return 0


async def house_make(given: argparse.Namespace) -> int:
    """Make the house file once: the anchor that posters, kits and phones hold everything against."""
    async with opened_site() as site:
        record = await channel.save(site.engines["public"], await channel.load())
        install = signing.installation_key(site.data).public_key().public_bytes_raw().hex()
        try:
            made = house_file.draft(install, record.salt, {seat: getattr(given, seat) for seat in house_file.SEATS})
            house_file.keep(site.data, made)
        except HouseRefused as problem:
            return refuse("cannot", problem=problem)
    tell("house_made", words=" ".join(made.words), printed=made.printed)
    return 0


async def house_show(_: argparse.Namespace) -> int:
    """Say the twelve words of the house."""
    async with opened_site() as site:
        made = house_file.load(site.data)
    if made is None:
        return refuse("house_none")
    tell("house_made", words=" ".join(made.words), printed=made.printed)
    return 0


async def draft(given: argparse.Namespace) -> int:
    """Write the next ring to a file that two of three seats sign, each on a machine of their own."""
    async with opened_site() as site:
        anchor, lists = house_file.load(site.data), await readers.load(site.data)
        if anchor is None:
            return refuse("house_none")
        before = lists.chain.newest if lists.chain else None
        try:
            wanted = [await _wanted(text) for text in given.reader]
            holders = [RecoveryHolder(*text.split(":", 2)) for text in given.holder] or list(
                before.recovery if before else ()
            )
            signers = dict(text.split(":", 1) for text in given.signer)
            adopts = lists.keyrings[-1].fingerprint if lists.keyrings and not before else rings.NONE
            text = rings.draft(
                anchor,
                site.day,
                wanted,
                holders,
                before=before,
                until=_until(given.until),
                adopts=adopts,
                signers=({**(before.signers if before else anchor.keys), **signers}) if signers else None,
            )
        except (RingRefused, TypeError, LookupError, ValueError) as problem:
            return refuse("cannot", problem=problem)
    _write_draft(given.output, "ring", text, anchor)
    tell("keyring_drafted", file=given.output, fingerprint=signed.digest(text))
    return 0


async def still(given: argparse.Namespace) -> int:
    """Write what lengthens the ring in use, to be signed by two seats."""
    async with opened_site() as site:
        anchor, lists = house_file.load(site.data), await readers.load(site.data)
        if anchor is None or lists.chain is None:
            return refuse("house_none")
        try:
            text = rings.draft_still(anchor, lists.chain.newest, site.day, _until(given.until))
        except (RingRefused, ValueError) as problem:
            return refuse("cannot", problem=problem)
    _write_draft(given.output, "still", text, anchor)
    tell("keyring_drafted", file=given.output, fingerprint=signed.digest(text))
    return 0


def _until(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _write_draft(path: str, purpose: str, text: str, anchor: HouseFile) -> None:
    content = {"purpose": purpose, "text": text, "signatures": [], "house": anchor.text}
    Path(path).write_text(json.dumps(content, ensure_ascii=False), "utf-8")


async def _wanted(text: str) -> Wanted:
    """``account:role`` or ``account:role:outside``; her keys come from her own signed statement."""
    name, role, *outside = text.split(":")
    record = await handlers.load(name)
    if record is None:
        raise LookupError(say(LANGUAGE, "cli.handler_no_keys", name=name))
    if not record.statement:
        raise LookupError(say(LANGUAGE, "cli.handler_no_statement", name=name))
    return Wanted(record.statement, {"it": role}, outside == ["outside"])


async def publish(given: argparse.Namespace) -> int:
    """Put a ring, or a still, in use that two seats have signed."""
    try:
        content = json.loads(Path(given.file).read_text("utf-8"))
        text, signatures = (
            str(content["text"]),
            [{"key": str(s["key"]), "sig": str(s["sig"])} for s in content["signatures"]],
        )
        purpose = str(content["purpose"])
    except (OSError, ValueError, KeyError, TypeError):
        return refuse("not_a_keyring", file=given.file)
    count = 0
    async with opened_site() as site:
        try:
            if purpose == "still":
                ring = await life.publish_still(site, text, signatures)
            else:
                ring, count = await life.publish_ring(site, text, signatures)
        except StepUnderWay:
            return refuse("keyring_under_way")
        except RingRefused as problem:
            return refuse("cannot", problem=problem)
    tell("keyring_published", number=ring.number, until=ring.until.isoformat())
    if count:
        tell("keyring_rekey")
    return 0


async def recovery_export(given: argparse.Namespace) -> int:
    """Write out every case that has a recovery wrap; the log that the representative reads says that it was done."""
    folder = Path(given.output)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with opened_site() as site:
        lists = await readers.load(site.data)
        seat = await desk.open_desk(site.engines["cases"], keeper_at(site.data), lists, site.day)
        files, odd = await desk.for_recovery(seat)
        for file in files:
            kept = {
                upload: base64.b64encode(await pieces.attachment(file.case, upload)).decode() for upload in file.uploads
            }
            content = {"v": 2, "lists": list_content(lists), "file": file_content(file), "files": kept}
            (folder / f"case-{file.case:016x}.json").write_text(json.dumps(content), "utf-8")
        await log.record(site.engines["cases"], seat.keeper, site.day, RECOVERY, "recovery")
    tell("recovery_exported", folder=folder)
    for case in odd:
        tell("recovery_unreadable", case=f"{case:016x}")
    return 1 if odd else 0


COMMANDS: dict[str, Run] = {
    "channel status": status,
    "channel hearing": hearing,
    "channel open": open_channel,
    "handler invite": invite,
    "handler renew": renew,
    "handler word": entry_word,
    "handler training": training,
    "house make": house_make,
    "house show": house_show,
    "keyring draft": draft,
    "keyring still": still,
    "keyring publish": publish,
    "recovery export": recovery_export,
}
