"""Commands that set an installation up: organisation, accounts, files of people and of answers."""

import argparse
import csv
import getpass
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from server.frame.terminal import LANGUAGE, Run, harmless, refuse, tell, tell_refused, unreadable
from server.frame.texts import say
from server.settings import from_environment
from surveys.importing.people import read_people
from surveys.importing.sheets import FileUnreadable
from surveys.languages import LANGUAGES
from surveys.legible import legible
from surveys.lifecycle import clock, comments, destroying, frozen, pins, reviews, witness
from surveys.lifecycle import organisation as organisation_life
from surveys.lifecycle.context import Site, today
from surveys.people import accounts, log, passwords
from surveys.public import organisation
from surveys.public.organisation import OrganisationRecord
from surveys.stores import stores

ACTOR = "administrator"


@asynccontextmanager
async def opened_site() -> AsyncIterator[Site]:
    """The stores of this installation, for one command."""
    settings = from_environment()
    async with stores(settings.stores) as engines:
        await pins.keep(settings.data)
        site = Site(engines, settings.data, clock.day_of(settings.data, today()), ACTOR)
        await frozen.keep_at_update(settings.data)
        await witness.keep_at_update(site)
        await comments.keep_at_update(site)
        await reviews.keep_at_update(site)
        await destroying.keep_at_update(site)
        yield site


def _asked(given: str | None, key: str, before: str) -> str:
    """What was given as a flag, else what is typed at a terminal, else what was there before."""
    if given is not None:
        return legible(given)
    if not sys.stdin.isatty():
        return before
    label = say(LANGUAGE, f"hr.organisation.{key}")
    return legible(input(f"{label} [{before}]: ")) or before


async def init(given: argparse.Namespace) -> int:
    """Write down or change the organisation."""
    async with opened_site() as site:
        before = await organisation.load() or OrganisationRecord("")
        name = _asked(given.name, "name", before.name)
        if not name:
            return refuse("needs_name")
        checked = _asked(given.help_checked_on, "help_checked_on", before.help_checked_on)
        try:
            if checked:
                date.fromisoformat(checked)
        except ValueError:
            return refuse("bad_day", text=checked)
        languages = tuple(given.languages.split(",")) if given.languages else before.languages
        if unknown := [language for language in languages if language not in LANGUAGES]:
            return refuse("bad_language", languages=", ".join(unknown), known=", ".join(LANGUAGES))
        notice = replace(
            before.notice,
            **{
                part: _asked(getattr(given, part), part, getattr(before.notice, part))
                for part in ("controller", "purpose", "retention", "contact")
            },
        )
        record = replace(
            before,
            name=name,
            address=_asked(given.address, "address", before.address).rstrip("/"),
            languages=languages,
            referente=_asked(given.referente, "referente", before.referente),
            canale=_asked(given.canale, "canale", before.canale),
            help_checked_on=checked,
            notice=notice,
        )
        await organisation_life.keep(site, record)
    tell("init_done", name=name)
    if gaps := record.missing():
        tell("init_missing", missing="; ".join(say(LANGUAGE, f"hr.missing.{gap}") for gap in gaps))
    return 0


def _new_password() -> str | None:
    """A password from a terminal, twice, or the first line of standard input; where it is empty one is drawn and shown."""
    terminal = sys.stdin.isatty()
    first = getpass.getpass(say(LANGUAGE, "cli.password")) if terminal else sys.stdin.readline().rstrip("\n")
    if not first:
        first = passwords.drawn()
        tell("password_drawn", password=first)
    elif terminal and first != getpass.getpass(say(LANGUAGE, "cli.password_again")):
        return None
    return first


async def account_add(given: argparse.Namespace) -> int:
    """Add an account; its password is asked for, never an argument. Handlers are invited instead: nobody chooses theirs."""
    if given.role == "handler":
        return refuse("account_handler", name=given.name)
    password = _new_password()
    if password is None:
        return refuse("password_differs")
    async with opened_site() as site:
        try:
            await accounts.add(site.engines["people"], given.name, given.role, password)
        except accounts.AccountRefused as problem:
            return refuse(
                f"account_{problem}",
                name=given.name,
                roles=", ".join(accounts.ROLES),
                minimum=accounts.PASSWORD_MINIMUM,
            )
        await log.record(
            site.engines["people"], site.day, site.actor, "account added", name=given.name, role=given.role
        )
    tell("account_added", name=given.name, role=given.role)
    return 0


async def account_reset(given: argparse.Namespace) -> int:
    """Give an account a new password; with --second it also sets up its codes anew. Both are in the log."""
    password = _new_password()
    if password is None:
        return refuse("password_differs")
    async with opened_site() as site:
        if any(account.name == given.name and account.role == "handler" for account in await accounts.everyone()):
            return refuse("account_handler", name=given.name)
        try:
            await accounts.reset(site.engines["people"], given.name, password)
            if given.second:
                await accounts.forget_second(given.name)
        except accounts.AccountRefused as problem:
            return refuse(
                f"account_{problem}",
                name=given.name,
                roles=", ".join(accounts.ROLES),
                minimum=accounts.PASSWORD_MINIMUM,
            )
        act = "account reset with codes" if given.second else "account reset"
        await log.record(site.engines["people"], site.day, site.actor, act, name=given.name)
    tell("account_reset", name=given.name)
    return 0


async def account_list(_: argparse.Namespace) -> int:
    """List the accounts."""
    async with opened_site():
        for account in await accounts.everyone():
            print(f"{account.name}\t{account.role}")
    return 0


async def import_people(given: argparse.Namespace) -> int:
    """Import persons and units: all rows, or none unless --skip-bad is given."""
    from surveys.lifecycle.roster import ManyLeave, NotDecided, NumbersMissing
    from surveys.lifecycle.roster import import_people as take_in

    path = Path(given.file)
    try:
        found = read_people(path)
    except FileUnreadable as problem:
        return unreadable(problem)
    tell_refused(found.refused)
    if found.refused and not given.skip_bad:
        return refuse("import_refused", n=len({row.row for row in found.refused}))
    if found.refused:
        kept = path.with_name(f"{path.stem}.refused.csv")
        with kept.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("row", "column", "value", "remedy"))
            writer.writerows((row.row, row.column, row.value, row.remedy) for row in found.refused)
        tell("import_skipped", n=len({row.row for row in found.refused}), file=kept.name)
    async with opened_site() as site:
        try:
            await take_in(site, found, given.leaving)
        except ManyLeave as problem:
            return refuse("import_many_leave", n=len(problem.changes.left), before=problem.changes.before)
        except NotDecided as problem:
            print("\n".join(harmless(one.entry.name) for one in problem.changes.undecided), file=sys.stderr)
            return refuse("import_undecided", n=len(problem.changes.undecided))
        except NumbersMissing:
            return refuse("import_no_numbers")
    tell("import_done", people=len(found.persons), units=len(found.units))
    return 0


async def import_responses(given: argparse.Namespace) -> int:
    """Make a released wave of another tool's export, in memory."""
    from server.command.imported import import_file

    async with opened_site() as site:
        return await import_file(site, Path(given.file), Path(given.mapping), words=given.words)


async def import_draft(given: argparse.Namespace) -> int:
    """Write a first mapping for another tool's export; touches no store."""
    from server.command.imported import draft_mapping

    return draft_mapping(Path(given.file), given.wave, given.output)


COMMANDS: dict[str, Run] = {
    "init": init,
    "account add": account_add,
    "account reset": account_reset,
    "account list": account_list,
    "import people": import_people,
    "import responses": import_responses,
    "import draft": import_draft,
}
