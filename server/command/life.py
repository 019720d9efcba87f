"""Commands for a wave's life and for release documents."""

import argparse
import getpass
import json
import os
import sys
import time
from collections.abc import Awaitable
from datetime import date
from pathlib import Path

from analysis import published
from server.command.site import opened_site
from server.frame.terminal import LANGUAGE, Run, refuse, tell
from server.frame.texts import say, step_in_words
from surveys.answers.plans import PlanOther
from surveys.lifecycle import closing, opening, printing, two_keys
from surveys.lifecycle.planning import PlanRefused, Wish, plan, restore_key
from surveys.people.panel import PanelRefused
from surveys.public import releases, waves
from surveys.public.waves import NoSuchWave, WrongState


async def or_refused(step: Awaitable[object]) -> int:
    """Run one step and say in words what refused it."""
    try:
        await step
    except opening.NotReady as problem:
        return refuse("not_ready", missing="\n  - ".join(say(LANGUAGE, f"hr.missing.{gap}") for gap in problem.missing))
    except (PlanRefused, PanelRefused) as problem:
        print(say(LANGUAGE, f"hr.refused.{problem.reason}", **problem.figures), file=sys.stderr)
        return 1
    except WrongState as problem:
        return refuse(
            "wrong_state", wave=problem.wave, state=say(LANGUAGE, f"desk.state.{problem.state.value.replace(' ', '_')}")
        )
    except NoSuchWave as problem:
        return refuse("no_wave", wave=problem)
    except PlanOther:
        return refuse("plan_other")
    return 0


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


async def wave_restore(given: argparse.Namespace) -> int:
    """Put the wrapped key of a wave back from its recovery sheet."""
    try:
        text = Path(given.sheet).read_text("utf-8")
    except (OSError, ValueError):
        return refuse("no_file", file=given.sheet)
    async with opened_site() as site:
        status = await or_refused(restore_key(site, given.wave, text))
    if status == 0:
        tell("restored")
    return status


async def wave_plan(given: argparse.Namespace) -> int:
    """Plan a wave."""
    starts, ends = _day(given.starts), _day(given.ends)
    if starts is None or ends is None:
        return refuse("bad_day", text=given.ends if starts else given.starts)
    wish = Wish(
        given.wave,
        {"it": given.title, "en": given.title_en or given.title},
        starts,
        ends,
        given.form,
        given.unit,
        tuple(name for name in given.ask.split(",") if name),
        {"items": given.k},
        tuple(name for name in given.links.split(",") if name),
        given.comments,
    )
    async with opened_site() as site:
        status = await or_refused(plan(site, wish))
    if status == 0:
        tell("wave_planned", wave=given.wave)
    return status


async def wave_slips(given: argparse.Namespace) -> int:
    """Make slips and set them as a PDF."""
    from server.papers.facts import about_slips
    from server.papers.slips import slip_sheets

    if not os.access(
        Path(given.output).absolute().parent, os.W_OK
    ):  # before codes are made: none is burnt for a mistyped name
        return refuse("cannot", problem=given.output)
    async with opened_site() as site:
        try:
            codes = await printing.print_slips(site, given.wave, given.count)
        except printing.TooManySlips as problem:
            return refuse("too_many_slips", left=problem.left)
        except (WrongState, NoSuchWave, PlanOther) as problem:
            return refuse("cannot", problem=problem)
        pdf = slip_sheets(codes, await about_slips(site.data, given.wave))
    Path(given.output).write_bytes(pdf)
    tell("slips_done", n=len(codes), file=given.output)
    return 0


async def wave_extend(given: argparse.Namespace) -> int:
    """Move the end of a wave to a later day."""
    ends = _day(given.ends)
    if ends is None:
        return refuse("bad_day", text=given.ends)
    async with opened_site() as site:
        return await or_refused(closing.extend(site, given.wave, ends))


async def wave_open(given: argparse.Namespace) -> int:
    """Open a wave, or say what is missing."""
    async with opened_site() as site:
        status = await or_refused(opening.open_wave(site, given.wave))
    if status == 0:
        tell("wave_opened", wave=given.wave)
    return status


async def wave_end(given: argparse.Namespace) -> int:
    """End a wave; before its last day is over the representative must agree, and is asked."""
    async with opened_site() as site:
        try:
            early = two_keys.is_early(site, await waves.get(given.wave))
        except NoSuchWave as problem:
            return refuse("no_wave", wave=problem)
        status = await or_refused(two_keys.ask_end(site, given.wave) if early else closing.end(site, given.wave))
    if status == 0 and early:
        tell("end_asked")
    return status


async def wave_close(given: argparse.Namespace) -> int:
    """Close an ended wave."""
    async with opened_site() as site:
        return await or_refused(closing.close(site, given.wave, unused_slips=given.unused_slips))


async def wave_cancel(given: argparse.Namespace) -> int:
    """Cancel a wave; what arrived is destroyed unread."""
    async with opened_site() as site:
        return await or_refused(closing.cancel(site, given.wave))


def _two_secrets() -> tuple[str, str]:
    if sys.stdin.isatty():
        return getpass.getpass(say(LANGUAGE, "desk.release.first") + ": "), getpass.getpass(
            say(LANGUAGE, "desk.release.second") + ": "
        )
    return sys.stdin.readline(), sys.stdin.readline()


async def wave_release(given: argparse.Namespace) -> int:
    """Release a closed wave with two secrets, typed or on two lines of standard input."""
    from server.processes.following import failure_in_words
    from server.results.releasing import release_and_draw

    began = time.monotonic()

    def progress(step: str) -> None:
        print(step_in_words(LANGUAGE, step) or step, file=sys.stderr, flush=True)

    async with opened_site() as site:
        failed = await release_and_draw(site, given.wave, _two_secrets(), progress)
    if failed:
        print(failure_in_words(LANGUAGE, failed), file=sys.stderr)
        return 1
    tell("released", wave=given.wave, seconds=round(time.monotonic() - began, 1))
    return 0


async def wave_list(_: argparse.Namespace) -> int:
    """List the waves."""
    async with opened_site():
        for wave in await waves.everything():
            print(f"{wave.id}\t{wave.state}\t{wave.starts or ''}\t{wave.ends or ''}\t{wave.origin}")
    return 0


async def release_show(given: argparse.Namespace) -> int:
    """Print a release document as stored."""
    async with opened_site():
        document = await releases.document(given.wave)
    if document is None:
        return refuse("no_release", wave=given.wave)
    print(json.dumps(document, ensure_ascii=False, indent=1))
    return 0


async def release_verify(given: argparse.Namespace) -> int:
    """Check a document from its file alone, and say what cannot be checked."""
    from server.results.verifying import read_json, verify

    try:
        document = read_json(Path(given.file).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return refuse("not_a_document", file=given.file)
    try:
        frozen = dict(read_json(Path(given.plan).read_text("utf-8"))) if given.plan else None
        problems = verify(document, given.key, frozen) if isinstance(document, dict) else ["not a document"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return refuse("not_a_plan", file=given.plan)
    for problem in problems:
        print(f"✗ {problem}")
    if problems:
        return refuse("verify_failed", n=len(problems))
    tell("verified", key=document["key"])
    if frozen is not None:
        tell("verify_plan")
    read = published.read(document)
    tell("verify_limits", auditor=read.certificate.auditor)
    tell(f"verify_answers_{read.answers_verdict}")
    return 0


COMMANDS: dict[str, Run] = {
    "wave plan": wave_plan,
    "wave slips": wave_slips,
    "wave extend": wave_extend,
    "wave open": wave_open,
    "wave end": wave_end,
    "wave close": wave_close,
    "wave cancel": wave_cancel,
    "wave release": wave_release,
    "wave restore": wave_restore,
    "wave list": wave_list,
    "release show": release_show,
    "release verify": release_verify,
}
