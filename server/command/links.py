"""Commands for personal links: invite, remind, letters and texts to hand over, a change to a slip."""

import argparse
from pathlib import Path

from server.command.site import opened_site
from server.frame.terminal import Run, refuse, tell
from server.papers.letters import handed_over
from server.settings import from_environment
from surveys.answers.plans import PlanOther
from surveys.lifecycle import issuing
from surveys.people import roster
from surveys.public.waves import NoSuchWave, WrongState


async def _send(wave: str, what: str) -> int:
    async with opened_site() as site:
        try:
            count = await issuing.put_into_outbox(site, wave, what)
        except (WrongState, NoSuchWave, PlanOther) as problem:
            return refuse("cannot", problem=problem)
    tell("mails_waiting", n=count)
    return 0


async def wave_invite(given: argparse.Namespace) -> int:
    """Put invitations by mail into the outbox."""
    return await _send(given.wave, "invite")


async def wave_remind(given: argparse.Namespace) -> int:
    """Put reminders into the outbox: to all, or to those without a token."""
    return await _send(given.wave, "remind_missing" if given.missing else "remind")


async def wave_links(given: argparse.Namespace) -> int:
    """Write letters (PDF) or texts (CSV) with new links."""
    async with opened_site() as site:
        try:
            content, _ = await handed_over(from_environment(), site, given.wave, given.channel)
        except (WrongState, NoSuchWave, PlanOther) as problem:
            return refuse("cannot", problem=problem)
    Path(given.output).write_bytes(content)
    tell("links_done", file=given.output)
    return 0


async def wave_switch(given: argparse.Namespace) -> int:
    """Let one person draw a slip instead of her link."""
    async with opened_site() as site:
        people = await roster.numbers_of(given.name)
        if len(people) != 1:
            return refuse("switch_who", n=len(people))
        try:
            switched = await issuing.switch_to_slip(site, given.wave, people[0])
        except (WrongState, NoSuchWave) as problem:
            return refuse("cannot", problem=problem)
    if not switched:
        return refuse("switch_not")
    tell("switched")
    return 0


COMMANDS: dict[str, Run] = {
    "wave invite": wave_invite,
    "wave remind": wave_remind,
    "wave links": wave_links,
    "wave switch": wave_switch,
}
