"""One line of the register as HR and the auditor read it: what was found, its documents, who wrote what when; for HR its forms."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

from litestar import Response
from litestar.exceptions import NotFoundException

from server.certification.indicators import DocumentLine, HistoryLine
from server.certification.register import clause_name, kind_names, line_of, register_page, unreadable
from server.frame.asked import AppRequest
from server.frame.display import day
from server.frame.pages import Shell, show
from server.frame.signed_in import NOTHING_REFUSED, Desk, Refused, frame
from server.frame.texts import say
from server.results.findings import indicator_text
from surveys import certification
from surveys.lifecycle.context import today
from surveys.public import register, register_log
from surveys.public.register import Record, Unreadable
from surveys.public.register_entry import MOST, Entry, Fault
from surveys.public.register_log import Act

FIELDS = ("kind", "clause", "indicator", "title", "evidence", "owner", "due", "closed_on", "outcome", "team")


@dataclass(frozen=True, slots=True)
class Choices:
    """What the form of a line offers, and what stands in it."""

    kinds: tuple[tuple[str, str], ...]
    clauses: tuple[tuple[str, str], ...]
    indicators: tuple[tuple[str, str], ...]
    values: Mapping[str, str]
    most: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class NewEntryPage:
    """The form of a new line; after a refusal with what was typed."""

    template: ClassVar[str] = "register_new.html"
    shell: Shell
    desk: Desk
    title: str
    base: str
    form: Choices
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One line with its documents and its history."""

    template: ClassVar[str] = "register_entry.html"
    shell: Shell
    desk: Desk
    title: str
    base: str
    can_edit: bool
    number: int
    kind: str
    kind_key: str
    clause: str
    indicator: str
    indicator_at: str
    evidence: str
    owner: str
    due: str
    state: str
    urgency: str
    outcome: str
    team: str
    dates: tuple[str, ...]
    documents: tuple[DocumentLine, ...]
    history: tuple[HistoryLine, ...]
    closed: bool
    seen: str
    form: Choices
    closing_day: str
    errors: tuple[str, ...]
    unreadable: tuple[str, ...]


def in_words(faults: tuple[Fault, ...], language: str, typed: Mapping[str, str]) -> tuple[str, ...]:
    """What is wrong with a form, a sentence a field."""

    def sentence(fault: Fault) -> str:
        if fault.reason != "long":
            return say(language, f"register.refused.{fault.reason}")
        name = say(language, f"register.field.{fault.field}").capitalize()
        length = len(typed.get(fault.field, ""))
        return say(language, "register.refused.long", field=name, most=MOST[fault.field], n=length)

    return tuple(sentence(one) for one in faults)


def texts_of(entry: Entry) -> dict[str, str]:
    """A line as its form holds it."""
    return {name: str(value or "") for name, value in asdict(entry).items()}


async def _choices(language: str, values: Mapping[str, str]) -> Choices:
    offered = certification.catalogue().indicators(await certification.band())
    chosen = certification.named(values.get("indicator", ""))
    indicators = (*offered, *([chosen] if chosen and chosen not in offered else []))
    clauses = certification.catalogue().clauses
    return Choices(
        kind_names(language),
        tuple((one.number, _clause_line(one.number, language)) for one in clauses),
        (
            ("", say(language, "register.no_indicator")),
            *((one.id, f"{one.id} {indicator_text(one, language)}") for one in indicators),
        ),
        {name: values.get(name, "") for name in FIELDS},
        MOST,
    )


def _clause_line(number: str, language: str) -> str:
    """A clause with its short name, and whether its number has to be compared with the practice."""
    found = next((one for one in certification.catalogue().clauses if one.number == number), None)
    if found is None:
        return number
    key = "clause_line" if found.verified else "clause_from_memory"
    return say(language, f"register.{key}", number=number, name=clause_name(number, language))


async def new_page(
    request: AppRequest, base: str, values: Mapping[str, str], errors: tuple[str, ...] = ()
) -> Response[str]:
    """The form of a new line."""
    shell, desk = await frame(request)
    form = await _choices(shell.language, values)
    title = say(shell.language, "register.new_heading")
    return show(NewEntryPage(shell, desk, title, base, form, errors), status=422 if errors else 200)


async def entry_page(
    request: AppRequest,
    number: int,
    base: str,
    *,
    can_edit: bool,
    errors: tuple[str, ...] = (),
    refused: Refused = NOTHING_REFUSED,
) -> Response[str]:
    """One line, for HR and, without forms, for the auditor; a number of no line is not found.

    Parameters
    ----------
    errors, refused
        Of a form that was refused, ``change``, ``close`` or ``document``: why, and what was typed.
    """
    records, odd = await register.look()
    if str(number) in odd.lines:
        return await register_page(request, base, can_edit=can_edit)
    record = records.get(number)
    if record is None:
        raise NotFoundException
    acts, odd_acts = await register_log.look(entry=number)
    shell, desk = await frame(request, refused=refused)
    language, entry = shell.language, record.entry
    typed = refused.fields if refused.form in ("change", "close") else {}
    line = line_of(record, base, language, today())
    indicator = certification.named(entry.indicator)
    page = EntryPage(
        shell,
        desk,
        entry.title,
        base,
        can_edit,
        number,
        line.kind,
        entry.kind,
        _clause_line(entry.clause, language),
        f"{indicator.id} {indicator_text(indicator, language)}" if indicator else "",
        f"{base.replace('/register', '/indicators')}/{entry.indicator}?lang={language}",
        entry.evidence,
        entry.owner,
        day(entry.due, language),
        line.state,
        line.urgency,
        entry.outcome,
        entry.team,
        _dates(record, language),
        tuple(
            DocumentLine(d.id, d.title, day(d.day, language), d.link or f"{base}/{number}/documents/{d.id}")
            for d in record.documents
        ),
        _history(acts, language),
        entry.closed_on is not None,
        record.mark,
        await _choices(language, texts_of(entry) | dict(typed)),
        typed.get("closed_on", "") or str(entry.closed_on or today()),
        errors,
        unreadable(Unreadable((), tuple(name for name in odd.documents if name == str(number))), odd_acts, language),
    )
    return show(page, status=422 if errors else 200)


def _dates(record: Record, language: str) -> tuple[str, ...]:
    lines = [say(language, "register.written", day=day(record.set_on, language))]
    if record.changed_on:
        lines.append(say(language, "register.changed", day=day(record.changed_on, language)))
    return tuple(lines)


def _history(acts: list[Act], language: str) -> tuple[HistoryLine, ...]:
    """What was done to a line, the newest first; of a change, which fields it was of."""
    lines = []
    for act, before in zip(acts, (*acts[1:], None), strict=False):
        changed = [name for name in FIELDS if before and before.state[name] != act.state[name]]
        fields = ", ".join(say(language, f"register.field.{name}") for name in changed)
        words = say(language, f"register.act.{act.act}", who=act.who, fields=fields)
        if register_log.FROM_FILE in act.state:
            words += f" ({say(language, 'register.from_file')})"
        papers = ", ".join(paper["title"] for paper in act.state["documents"])
        after = [f"{act.state[name]}" for name in ("title", "owner") if act.state[name]]
        due = day(act.state["due"], language)
        lines.append(HistoryLine(day(act.day, language), words, " · ".join(filter(None, [*after, due, papers]))))
    return tuple(lines)
