"""What the organisation will do: one table of all actions, each beside what it answers and what became of it; written, said anew, done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from server.frame.asked import AppRequest
from server.frame.display import day
from server.frame.pages import Shell, show
from server.frame.security import checked_form
from server.frame.signed_in import NOTHING_REFUSED, Desk, Refused, desk_language, done, frame
from server.frame.texts import say
from server.results.effects import Effect, effects
from surveys import certification
from surveys.legible import legible
from surveys.lifecycle.context import today
from surveys.public import actions
from surveys.public.actions import ActionRecord, ActionRefused
from surveys.public.waves import is_released
from surveys.stores import Engines

FIRST_REMINDER = timedelta(days=7)
"""So long before an action is due its calendar entry reminds."""


@dataclass(frozen=True, slots=True)
class ActionLine:
    """One action as the table shows it and its form says it anew."""

    id: str
    mark: str
    text: str
    owner: str
    due: str
    due_iso: str
    state: str
    state_key: str
    effect: Effect


@dataclass(frozen=True, slots=True)
class ActionsPage:
    """All actions: the open ones by the day they are due, then what was done."""

    template: ClassVar[str] = "actions.html"
    shell: Shell
    desk: Desk
    title: str
    summary: str
    lines: tuple[ActionLine, ...]
    unreadable: tuple[str, ...]
    about: Mapping[str, str]
    """What a new action answers, where one that was refused came from another page."""
    back: str


ADD = "add"
"""The form of a new action; that of one which is there is called by its key."""
ABOUT = {"wave": 40, "indicator": 8, "area": 1, "unit": 120}
"""What an action may answer, and how long its name is at most."""


def _state(record: ActionRecord, language: str) -> tuple[str, str]:
    if record.done:
        return say(language, "actions.done", day=day(record.done_on, language)), "done"
    late = record.is_late(today())
    return say(language, "actions.late" if late else "actions.open"), "late" if late else "open"


async def _page(request: AppRequest, error: str = "", refused: Refused = NOTHING_REFUSED) -> Response[str]:
    shell, desk = await frame(request, error=error, refused=refused)
    language, (found, odd) = shell.language, await actions.look()
    answered = await effects(found, language)
    lines = []
    for record in sorted(found, key=lambda one: (one.done, one.due, one.id)):
        words, key = _state(record, language)
        lines.append(
            ActionLine(
                record.id,
                record.mark,
                record.text,
                record.owner,
                day(record.due, language),
                record.due.isoformat(),
                words,
                key,
                answered[record.id],
            )
        )
    waiting, late = sum(not one.done for one in found), sum(one.is_late(today()) for one in found)
    summary = say(language, "actions.summary", open=waiting, late=late, done=len(found) - waiting)
    about = _about(refused.fields) if refused.form == ADD else {}
    title, back = say(language, "desk.nav.actions"), _back(refused.fields)
    page = ActionsPage(shell, desk, title, summary, tuple(lines), unreadable(odd, language), about, back)
    return show(page, status=422 if error else 200)


def unreadable(odd: tuple[str, ...], language: str) -> tuple[str, ...]:
    """What lies among the actions and cannot be read, a sentence each; nothing where all can be."""
    return tuple(say(language, "actions.unreadable", n=name) for name in odd)


def _about(data: Mapping[str, str]) -> dict[str, str]:
    return {name: data.get(name, "")[:most] for name, most in ABOUT.items()}


def _back(data: Mapping[str, str]) -> str:
    back = data.get("back", "")
    return back if back.startswith("/hr/") else "/hr/actions"


def _said(data: dict[str, str]) -> tuple[str, str, date | None]:
    """Text, owner and day of a form, without signs that show nothing or turn a line round."""
    text, owner = legible(data.get("text", "")[:500], lines=True), legible(data.get("owner", "")[:100])
    try:
        due = date.fromisoformat(data.get("due", ""))
    except ValueError:
        due = None
    return text, owner, due


@get("/actions")
async def all_actions(request: AppRequest) -> Response[str]:
    """Show all actions."""
    return await _page(request)


@post("/actions")
async def add_action(request: AppRequest, engines: NamedDependency[Engines]) -> Response[str] | Redirect:
    """Write an action down, or show its form again with what is wrong."""
    data = await checked_form(request)
    (text, owner, due), about = _said(data), _about(data)
    wave, indicator = about["wave"], about["indicator"]
    if (wave and not await is_released(wave)) or (indicator and not certification.is_known(indicator)):
        raise NotFoundException
    try:
        await actions.add_once(engines["public"], text, owner, due, today(), **about)
    except ActionRefused:
        return await _page(request, say(desk_language(request), "actions.refused.incomplete"), Refused(ADD, data))
    return done(_back(data), "action_added")


@post("/actions/{action:str}")
async def change_action(
    request: AppRequest, action: FromPath[str], engines: NamedDependency[Engines]
) -> Response[str] | Redirect:
    """Say an action anew."""
    data = await checked_form(request)
    text, owner, due = _said(data)
    try:
        await actions.change(engines["public"], action, data.get("seen", ""), text, owner, due, today())
    except ActionRefused as problem:
        return await _refused(request, problem, Refused(action, data))
    return done(_back(data), "action_changed")


@post("/actions/{action:str}/remove")
async def remove_action(
    request: AppRequest, action: FromPath[str], engines: NamedDependency[Engines]
) -> Response[str] | Redirect:
    """Take an action away."""
    data = await checked_form(request)
    try:
        await actions.remove(engines["public"], action, data.get("seen", ""))
    except ActionRefused as problem:
        return await _refused(request, problem)
    return done(_back(data), "action_removed")


async def _refused(request: AppRequest, problem: ActionRefused, refused: Refused = NOTHING_REFUSED) -> Response[str]:
    return await _page(request, say(desk_language(request), f"actions.refused.{problem}"), refused)


@post("/actions/{action:str}/{step:str}")
async def finish_action(
    request: AppRequest, action: FromPath[str], step: FromPath[str], engines: NamedDependency[Engines]
) -> Response[str] | Redirect:
    """Mark an action as done, or as open again."""
    data = await checked_form(request)
    if step not in ("done", "open"):
        raise NotFoundException
    try:
        await actions.finish(engines["public"], action, data.get("seen", ""), today(), done=step == "done")
    except ActionRefused as problem:
        if str(problem) == "gone":
            raise NotFoundException from problem
        return await _refused(request, problem)
    return done(_back(data), "action_finished" if step == "done" else "action_opened")


@get("/actions/{action:str}/reminder.ics")
async def reminder(request: AppRequest, action: FromPath[str]) -> Response[str]:
    """Give a calendar entry (RFC 5545) of the day on which an action is due, with an alarm a week before."""
    record = next((one for one in await actions.everything() if one.id == action), None)
    if record is None:
        raise NotFoundException
    language = (await frame(request))[0].language
    words = say(language, "actions.reminder", text=record.text, owner=record.owner)
    headers = {"Content-Disposition": f'attachment; filename="ascolto-{record.due}.ics"'}
    return Response(calendar_entry(record, words), media_type="text/calendar", headers=headers)


def calendar_entry(record: ActionRecord, words: str) -> str:
    """One all-day event; the text escaped and folded at 75 octets as RFC 5545 (3.1, 3.3.11) asks."""
    escaped = words.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Ascolto//IT",
        "BEGIN:VEVENT",
        f"UID:{record.id}@ascolto",
        f"DTSTAMP:{(record.changed_on or record.set_on):%Y%m%d}T000000Z",
        f"DTSTART;VALUE=DATE:{record.due:%Y%m%d}",
        f"DTEND;VALUE=DATE:{record.due + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{escaped}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{escaped}",
        f"TRIGGER:-P{FIRST_REMINDER.days}D",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _folded(line: str) -> str:
    """A line of at most 75 octets, the rest on lines that begin with a space; no letter is cut in two."""
    parts, part = [], ""
    for letter in line:
        if len((part + letter).encode()) > 74:
            parts.append(part)
            part = ""
        part += letter
    return "\r\n ".join([*parts, part])


HANDLERS = (all_actions, reminder, add_action, change_action, remove_action, finish_action)
