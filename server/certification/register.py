"""The register of the audit as HR and the auditor read it: one table, what is open first, and what of it is due."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar
from urllib.parse import urlencode

from litestar import Response

from server.frame.asked import AppRequest
from server.frame.display import day, short_day
from server.frame.pages import Shell, show
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from server.results.findings import indicator_text
from surveys import certification
from surveys.lifecycle.context import today
from surveys.public import register, register_log
from surveys.public.register import Record, Unreadable
from surveys.public.register_entry import AUDIT, FINDINGS, KINDS, REVIEW

STATES = ("open", "late", "closed", "all")
SOON = timedelta(days=30)
"""What is due within it is marked."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table. `urgency` is "late", "soon", "past" or nothing."""

    number: int
    address: str
    clause: str
    clause_name: str
    indicator: str
    title: str
    under: str
    documents: str
    kind_key: str
    kind: str
    owner: str
    due: str
    state: str
    urgency: str


@dataclass(frozen=True, slots=True)
class Tab:
    """One state with how many lines are in it under the other filters."""

    name: str
    count: int
    address: str
    here: bool


@dataclass(frozen=True, slots=True)
class RegisterPage:
    """The whole register, or the part of it that was asked for by state, kind and area."""

    template: ClassVar[str] = "register.html"
    shell: Shell
    desk: Desk
    title: str
    base: str
    can_edit: bool
    heading: str
    lead: tuple[str, ...]
    review_due: str
    audits: str
    tabs: tuple[Tab, ...]
    state: str
    kinds: tuple[tuple[str, str], ...]
    kind: str
    areas: tuple[tuple[str, str], ...]
    area: str
    lines: tuple[Line, ...]
    is_empty: bool
    removed: tuple[str, ...]
    unreadable: tuple[str, ...]


async def register_page(request: AppRequest, base: str, *, can_edit: bool) -> Response[str]:
    """The table, for HR and, without forms, for the auditor."""
    shell, desk = await frame(request)
    language, on = shell.language, today()
    records, odd = await register.look()
    removals, odd_acts = await register_log.look(act=register_log.REMOVED)
    kinds, areas = _kinds(language), _areas(language)
    state = _asked(request, "state", STATES) or "all"
    kind, area = (
        _asked(request, name, [key for key, _ in choices]) for name, choices in (("kind", kinds), ("area", areas))
    )
    chosen = [one for one in register.in_order(records) if _fits(one, kind, area)]
    shown = [one for one in chosen if _in_state(one, state, on)]
    query = {"kind": kind, "area": area, "lang": language}
    page = RegisterPage(
        shell,
        desk,
        say(language, "register.title"),
        base,
        can_edit,
        _heading(records.values(), language, on) if records else say(language, "register.title"),
        _lead(records, language, on),
        due_review(records, language, on),
        f"{base}?{urlencode({'kind': AUDIT, 'lang': language})}",
        tuple(
            Tab(
                say(language, f"register.tab.{name}"),
                sum(_in_state(one, name, on) for one in chosen),
                f"{base}?{urlencode({'state': name} | query)}",
                name == state,
            )
            for name in STATES
        ),
        state,
        kinds,
        kind,
        areas,
        area,
        tuple(line_of(one, base, language, on) for one in shown),
        not records,
        tuple(
            say(
                language,
                "register.removed_line",
                n=act.entry,
                title=act.state["title"],
                who=act.who,
                day=day(act.day, language),
            )
            for act in removals
        ),
        unreadable(odd, odd_acts, language),
    )
    return show(page)


def unreadable(odd: Unreadable, acts: tuple[str, ...], language: str) -> tuple[str, ...]:
    """What lies in the register and cannot be read, a sentence each; nothing where all can be."""
    found = (("unreadable_line", odd.lines), ("unreadable_document", odd.documents), ("unreadable_act", acts))
    return tuple(say(language, f"register.{key}", n=name) for key, names in found for name in names)


def _asked(request: AppRequest, name: str, known: Iterable[str]) -> str:
    """A filter of the address; nothing where it is none that is known."""
    value = request.query_params.get(name, "")
    return value if value in known else ""


def _kinds(language: str) -> tuple[tuple[str, str], ...]:
    return (("", say(language, "register.all")), *kind_names(language))


def kind_names(language: str) -> tuple[tuple[str, str], ...]:
    """Each kind and what it is called."""
    return tuple((kind, say(language, f"register.kinds.{kind}")) for kind in KINDS)


def _areas(language: str) -> tuple[tuple[str, str], ...]:
    numbers = (str(area.number) for area in certification.catalogue().areas)
    names = ((n, f"{n} {say(language, f'results.area.{n}')}") for n in numbers)
    return (("", say(language, "register.all")), *names)


def _fits(record: Record, kind: str, area: str) -> bool:
    entry = record.entry
    return kind in ("", entry.kind) and area in ("", entry.indicator.partition(".")[0])


def _in_state(record: Record, state: str, on: date) -> bool:
    entry = record.entry
    return {
        "open": entry.closed_on is None,
        "late": entry.is_late(on),
        "closed": entry.closed_on is not None,
        "all": True,
    }[state]


def _heading(records: Iterable[Record], language: str, on: date) -> str:
    entries = [one.entry for one in records]
    still, late = sum(one.closed_on is None for one in entries), sum(one.is_late(on) for one in entries)
    return say(
        language,
        "register.heading",
        n=len(entries),
        open=say(language, "register.open_count", n=still),
        late=say(language, "register.late_count", n=late) if late else say(language, "register.late_none"),
    )


def _lead(records: Mapping[int, Record], language: str, on: date) -> tuple[str, ...]:
    """The last internal audit, the last review by the management, and when the next one is planned."""
    lines = []
    if audit := register.last_held(records, AUDIT):
        held = day(audit.entry.closed_on, language)
        lines.append(say(language, "register.audit_last", day=held, team=audit.entry.team))
    if review := register.last_held(records, REVIEW):
        if not register.review_is_due(records, on):
            lines.append(say(language, "register.review_last", day=day(review.entry.closed_on, language)))
    elif records:
        lines.append(say(language, "register.review_first"))
    planned = [one.entry.due for one in records.values() if one.entry.kind == REVIEW and not one.entry.closed_on]
    if planned:
        lines.append(say(language, "register.review_next", day=day(min(filter(None, planned)), language)))
    return tuple(lines)


def due_review(records: Mapping[int, Record], language: str, on: date) -> str:
    """That the yearly review by the management is due; nothing while the last one is not older than a year."""
    last = register.last_held(records, REVIEW)
    if last is None or not register.review_is_due(records, on):
        return ""
    return say(language, "register.review_due", day=day(last.entry.closed_on, language))


def line_of(record: Record, base: str, language: str, on: date) -> Line:
    """One line as a row."""
    entry, papers = record.entry, len(record.documents)
    return Line(
        record.number,
        f"{base}/{record.number}?lang={language}",
        entry.clause,
        clause_name(entry.clause, language),
        entry.indicator,
        entry.title,
        entry.evidence.partition("\n")[0] or _about(record, language),
        say(language, "register.document_count", n=papers) if papers else "",
        entry.kind,
        say(language, f"register.kinds.{entry.kind}"),
        entry.owner,
        short_day(entry.due, language),
        state_of(record, language, on),
        _urgency(record, on),
    )


def _about(record: Record, language: str) -> str:
    indicator = certification.named(record.entry.indicator)
    return indicator_text(indicator, language) if indicator else clause_name(record.entry.clause, language)


def clause_name(number: str, language: str) -> str:
    """What the practice calls a clause, in short; nothing of one that is not in the catalogue."""
    found = next((one for one in certification.catalogue().clauses if one.number == number), None)
    return (found.name_it if language == "it" else found.name_en) if found else ""


def state_of(record: Record, language: str, on: date) -> str:
    """Whether a line is open, late or over, in words that fit its kind."""
    entry = record.entry
    group = "finding" if entry.kind in FINDINGS else entry.kind
    if entry.closed_on:
        return say(language, f"register.state.closed_{group}", day=short_day(entry.closed_on, language))
    return say(language, "register.state.late" if entry.is_late(on) else f"register.state.open_{group}")


def _urgency(record: Record, on: date) -> str:
    entry = record.entry
    if entry.closed_on:
        return "past"
    if entry.is_late(on):
        return "late"
    return "soon" if entry.due and entry.due - on <= SOON else ""


async def open_of(indicator: str, base: str, language: str) -> tuple[Line, ...]:
    """The open findings of an indicator."""
    records = register.in_order(await register.everything())
    return tuple(
        line_of(one, base, language, today())
        for one in records
        if one.entry.indicator == indicator and one.entry.kind in FINDINGS and one.entry.closed_on is None
    )


async def review_deadline(language: str) -> tuple[str, ...]:
    """What the overview says of the yearly review: that it is due, or nothing."""
    words = due_review(await register.everything(), language, today())
    return (words,) if words else ()
