"""Commands for a wave's keys: on a holder's own machine, on a signer's, and on the server that publishes what they signed."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from mnemonic import Mnemonic

from server.command.life import or_refused
from server.command.sealed import YES, asked, secret
from server.command.site import opened_site
from server.frame.terminal import LANGUAGE, Run, refuse, tell
from server.frame.texts import say
from surveys.answers import holders, plans
from surveys.answers.keys import SEATS, HolderSecret, SecretRefused, read_secret
from surveys.answers.plans import PlanOther, SignedPlan
from surveys.lifecycle import ready
from surveys.lifecycle.context import Site, today
from surveys.lifecycle.planning import GUARANTEE, anchored, draw_secret, take_seat
from surveys.public import house as house_file
from surveys.public import waves
from surveys.public.house import HouseFile, HouseRefused


def _shown_and_repeated() -> HolderSecret | None:
    """Show eight new words and have them typed again; an empty line of a pipe will do."""
    made = draw_secret()
    print(made)
    typed = input(say(LANGUAGE, "cli.secret_again")) if sys.stdin.isatty() else sys.stdin.readline()
    if not typed.strip() and not sys.stdin.isatty():
        return made
    try:
        return made if read_secret(typed) == made else None
    except SecretRefused:
        return None


async def wave_secret(given: argparse.Namespace) -> int:
    """Make a holder's words. With `--house` and `--output` no installation is needed: the statement goes into a file."""
    words = _shown_and_repeated()
    if words is None:
        return refuse("secret_differs")
    if given.seat == GUARANTEE:
        async with opened_site() as site:
            status = await or_refused(take_seat(site, given.wave, words))
    elif given.output:
        status = _statement_file(given, words)
    else:
        async with opened_site() as site:
            status = await or_refused(_take(site, given, words))
    if status == 0:
        print(say(LANGUAGE, "cli.secret_kept", seat=given.seat), file=sys.stderr)
    return status


async def _take(house: Any, given: argparse.Namespace, words: HolderSecret) -> None:
    anchor, _ = await anchored(house.data)
    await ready.take_statement(house, given.wave, _stated(anchor, given, words))


def _stated(anchor: HouseFile, given: argparse.Namespace, words: HolderSecret) -> str:
    keys = holders.holder_keys(words, anchor.hash, given.wave, given.seat)
    text = holders.state(keys, anchor.hash, given.wave, given.seat, given.name or given.seat, today())
    tell("holder_words", words=" ".join(holders.read_statement(text, anchor.hash, given.wave).words))
    return text


def _statement_file(given: argparse.Namespace, words: HolderSecret) -> int:
    try:
        anchor = house_file.read(Path(given.house).read_text("utf-8"))
    except (OSError, ValueError):
        return refuse("no_file", file=given.house)
    tell("house_words", words=" ".join(anchor.words))
    Path(given.output).write_text(_stated(anchor, given, words), "utf-8")
    return 0


async def wave_statement(given: argparse.Namespace) -> int:
    """Take a holder's statement that her own machine made."""
    try:
        text = Path(given.file).read_text("utf-8")
    except (OSError, ValueError):
        return refuse("no_file", file=given.file)
    async with opened_site() as site:
        return await or_refused(ready.take_statement(site, given.wave, text))


async def wave_draft(given: argparse.Namespace) -> int:
    """Write a wave's plan into a file, to be signed away from the server."""
    content: dict[str, Any] = {"purpose": "plan", "signatures": []}

    async def written(site: Site) -> None:
        content["text"] = await ready.draft_plan(site, given.wave)
        content["house"] = (await anchored(site.data))[0].text

    async with opened_site() as site:
        status = await or_refused(written(site))
    if status == 0:
        Path(given.output).write_text(json.dumps(content, ensure_ascii=False), "utf-8")
        tell("plan_drafted", file=given.output)
    return status


def _read(path: str) -> tuple[dict[str, Any], SignedPlan, HouseFile] | None:
    try:
        content = json.loads(Path(path).read_text("utf-8"))
        house = house_file.read(str(content["house"]))
        return content, plans.read(str(content["text"]), house.hash), house
    except (OSError, PlanOther, HouseRefused, ValueError, KeyError, TypeError):
        return None


def _show(plan: SignedPlan, house: HouseFile) -> None:
    tell("house_words", words=" ".join(house.words))
    tell("plan_words", wave=plan.wave, words=" ".join(plan.words), people=plan.panel["people"], k=plan.rules["items"])


async def wave_sign(given: argparse.Namespace) -> int:
    """Show what a plan says, ask for each holder's six words, and add one signature to its file. Needs no installation."""
    found = _read(given.file)
    if found is None:
        return refuse("not_a_signed_plan", file=given.file)
    content, plan, house = found
    _show(plan, house)
    for holder in plan.holders:
        seat = say(LANGUAGE, f"desk.seat.{holder.seat}")
        tell("plan_says", name=holder.name, seat=seat, words=" ".join(holder.words))
        if asked("keyring_sure").strip().lower() not in YES:
            return refuse("keyring_unsure", name=holder.name)
    try:
        seed = bytes(Mnemonic("italian").to_entropy(" ".join(secret("signer_words").lower().split())))
    except (ValueError, LookupError):
        return refuse("signer_wrong")
    mine = plans.sign(plan.text, seed)
    content["signatures"] = [*(one for one in content["signatures"] if one["key"] != mine["key"]), mine]
    Path(given.file).write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    tell("keyring_signed", n=len(content["signatures"]))
    return 0


async def wave_publish(given: argparse.Namespace) -> int:
    """Publish a plan that two seats signed; its holders must then confirm it."""
    found = _read(given.file)
    if found is None:
        return refuse("not_a_signed_plan", file=given.file)
    content, plan, _ = found
    async with opened_site() as site:
        status = await or_refused(ready.publish_plan(site, plan.text, content["signatures"]))
    if status == 0:
        tell("plan_published", words=" ".join(plan.words))
    return status


async def wave_confirm(given: argparse.Namespace) -> int:
    """A holder finds herself in the plan and signs it; `--output` writes a file on a machine without an installation."""
    found = _read(given.file)
    if found is None:
        return refuse("not_a_signed_plan", file=given.file)
    _, plan, house = found
    _show(plan, house)
    try:
        words = read_secret(secret("holder_words_typed"))
    except SecretRefused:
        return refuse("secret_differs")
    for seat in SEATS:
        keys = holders.holder_keys(words, house.hash, plan.wave, seat)
        if (keys.point, keys.signer) == (plan.holder(seat).point, plan.holder(seat).signer):
            break
    else:
        return refuse("plan_not_mine")
    text = holders.confirm(keys, plan.hash, seat, today())
    if given.output:
        Path(given.output).write_text(json.dumps({"wave": plan.wave, "seat": seat, "confirm": text}), "utf-8")
        return 0
    async with opened_site() as opened:
        status = await or_refused(ready.take_confirmation(opened, plan.wave, seat, text))
    if status == 0:
        tell("plan_confirmed", seat=seat)
    return status


async def wave_confirmed(given: argparse.Namespace) -> int:
    """Take a confirmation that a holder's own machine signed."""
    try:
        content = json.loads(Path(given.file).read_text("utf-8"))
        wave, seat, text = str(content["wave"]), str(content["seat"]), str(content["confirm"])
        if seat not in SEATS:
            raise ValueError(seat)
    except (OSError, ValueError, KeyError, TypeError):
        return refuse("no_file", file=given.file)
    async with opened_site() as site:
        status = await or_refused(ready.take_confirmation(site, wave, seat, text))
        left = (await waves.get(wave)).state if status == 0 else ""
    if status == 0:
        tell("plan_confirmed", seat=seat)
        if left == waves.State.READY:
            tell("plan_ready", wave=wave)
    return status


COMMANDS: dict[str, Run] = {
    "wave secret": wave_secret,
    "wave statement": wave_statement,
    "wave draft": wave_draft,
    "wave sign": wave_sign,
    "wave publish": wave_publish,
    "wave confirm": wave_confirm,
    "wave confirmed": wave_confirmed,
}
