"""Indicators as HR and the auditor read them: evidence beside what people say, and who wrote what when."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from litestar import Response
from litestar.exceptions import NotFoundException

from server.certification import figures, register, scorecard
from server.certification.perceived import Perceived, perceived
from server.certification.years import kept_years
from server.concern.facts import indicator_line
from server.frame.asked import AppRequest
from server.frame.display import day, number, text_of
from server.frame.pages import Shell, show
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from server.results.acts import Act, acts
from server.results.reading import figure_text, interval_text
from surveys import certification
from surveys.certification import Standing
from surveys.lifecycle.context import today
from surveys.public import evidence, evidence_log, evidence_state


@dataclass(frozen=True, slots=True)
class IndicatorsPage:
    """All indicators of the size band."""

    template: ClassVar[str] = "indicators.html"
    shell: Shell
    desk: Desk
    title: str
    base: str
    figures: str
    register: str
    lines: tuple[scorecard.IndicatorLine, ...]
    unreadable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DocumentLine:
    id: str
    title: str
    day: str
    address: str


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One act on the evidence, and what stood after it."""

    day: str
    words: str
    after: str


@dataclass(frozen=True, slots=True)
class YearColumn:
    """One year: points earned, and how people lived it."""

    name: str
    points: str
    index: str
    limits: str


@dataclass(frozen=True, slots=True)
class IndicatorPage:
    """One indicator: evidence left, people right, the word between them above."""

    template: ClassVar[str] = "indicator.html"
    shell: Shell
    desk: Desk
    title: str
    base: str
    line: scorecard.IndicatorLine
    worth: str
    """Its points of the total of 100."""
    explanation: str
    measure: str
    set_line: str
    figure: str
    source: str
    note: str
    valid: str
    ends: str
    expired: bool
    quantitative: bool
    documents: tuple[DocumentLine, ...]
    history: tuple[HistoryLine, ...]
    proposal: tuple[str, ...]
    computed: tuple[str, ...]
    computed_at: str
    """What the figures of the newest year propose, and the page that says how."""
    states: tuple[tuple[str, str], ...]
    can_edit: bool
    seen: str
    """What a review is of: the mark of what this page shows."""
    perception: Perceived | None
    years: tuple[YearColumn, ...]
    around: tuple[tuple[str, str], ...]
    """The indicators before and after this one, with their addresses."""
    actions: tuple[Act, ...]
    channel: str
    findings: tuple[register.Line, ...]
    """Open lines of the register that name this indicator."""
    unreadable: tuple[str, ...]
    typed: Mapping[str, str]
    """What was typed into a form that was refused, by field."""


async def _unreadable(odd: evidence_state.Unreadable, language: str, indicator: str = "") -> tuple[str, ...]:
    """What lies in the evidence, of one indicator or of all, and cannot be read, a sentence each; nothing where all can be."""
    acts = (await evidence_log.look(indicator))[1]
    found = (("unreadable_record", odd.records), ("unreadable_document", odd.documents), ("unreadable_act", acts))
    return tuple(
        say(language, f"evidence.{key}", n=name)
        for key, names in found
        for name in names
        if key == "unreadable_act" or indicator in ("", name)
    )


async def list_page(request: AppRequest, base: str) -> Response[str]:
    shell, desk = await frame(request)
    ground = await certification.ground(today())
    lines = scorecard.indicator_lines(ground, shell.language)
    title = say(shell.language, "hr.indicators.heading")
    odd = await _unreadable(ground.odd, shell.language)
    return show(IndicatorsPage(shell, desk, title, base, _figures_at(base), _register_at(base), lines, odd))


def _figures_at(base: str) -> str:
    """Where this audience reads the figures by gender."""
    return base.replace("/indicators", "/figures")


def _register_at(base: str) -> str:
    """Where this audience reads the register."""
    return base.replace("/indicators", "/register")


async def one_page(
    request: AppRequest,
    indicator: str,
    base: str,
    *,
    can_edit: bool,
    error: str = "",
    typed: Mapping[str, str] | None = None,
) -> Response[str]:
    """The page of one indicator, for HR and, without forms, for the auditor; a form that was refused keeps what was `typed`."""
    ground = await certification.ground(today())
    found = ground.standing(indicator)
    if found is None:
        raise NotFoundException
    shell, desk = await frame(request, error=error)
    language, state = shell.language, found.evidence
    line = scorecard.indicator_line(found, language)
    quantitative = found.indicator.kind == "quantitative"
    computed = await figures.proposed(indicator, language) if quantitative else None
    page = IndicatorPage(
        shell,
        desk,
        f"{indicator} {say(language, f'alignment.title.{line.alignment_key}')}",
        base,
        line,
        number(ground.weights()[indicator], language),
        say(language, f"alignment.why.{line.alignment_key}"),
        say(language, "hr.indicator.quantitative" if quantitative else "hr.indicator.qualitative"),
        say(language, "evidence.set", who=state.set_by, day=day(state.set_on, language)) if state.set_by else "",
        state.figure,
        state.source,
        state.note,
        str(state.valid_until or ""),
        _ends(found, language),
        found.expired,
        quantitative,
        tuple(
            DocumentLine(d.id, d.title, day(d.day, language), d.link or f"{base}/{indicator}/documents/{d.id}")
            for d in state.documents
        ),
        await _history(indicator, language),
        await _proposal(indicator, language),
        computed.lines if computed else (),
        f"{_figures_at(base)}/{computed.year}" if computed else "",
        tuple((key, say(language, f"evidence.state.{key}")) for key in evidence_log.STATES),
        can_edit,
        state.mark,
        await perceived(found, language, linked=can_edit),
        await _years(found, language),
        _around(indicator, ground.size, base, language),
        await acts(language, lambda one: one.indicator == indicator),
        await indicator_line(indicator, language),
        await register.open_of(indicator, _register_at(base), language),
        await _unreadable(ground.odd, language, indicator),
        typed or {},
    )
    return show(page, status=422 if error else 200)


def _ends(standing: Standing, language: str) -> str:
    """Up to when the record counts, and whose rule that is; "" where it has no end."""
    if standing.last is None or standing.evidence.state == "not_assessed":
        return ""
    ruled = standing.last != standing.evidence.valid_until
    key = ("ended" if standing.expired else "ends") + ("_by_rule" if ruled else "")
    days = standing.indicator.evidence_days or 0
    return say(language, f"evidence.{key}", day=day(standing.last, language), n=round(days / 365))


async def _history(indicator: str, language: str) -> tuple[HistoryLine, ...]:
    """What was done to the evidence, the newest first."""
    return tuple(
        HistoryLine(
            day(entry.day, language),
            say(language, f"evidence.act.{entry.act}", who=entry.who),
            say(
                language,
                "evidence.after",
                state=say(language, f"evidence.state.{entry.state['state']}"),
                documents=", ".join(paper["title"] for paper in entry.state["documents"]) or "–",
            ),
        )
        for entry in await evidence_log.history(indicator)
    )


async def _years(standing: Standing, language: str) -> tuple[YearColumn, ...]:
    """Points and perception in the years whose scorecard was kept, the oldest first; then as they are now."""
    columns = []
    for year, card in sorted((await kept_years()).items()):
        line = next((one for one in card.lines if one.id == standing.indicator.id), None)
        if line:
            seen = line.perception
            index = figure_text(seen.index if seen else None, language)
            limits = (
                interval_text((seen.low, seen.high), language)
                if seen and seen.low is not None and seen.high is not None
                else ""
            )
            columns.append(
                YearColumn(str(year), number(line.points if line.counted == "met" else 0, language), index, limits)
            )
    now, people = standing.counted.assessed_state == "met", standing.perception
    columns.append(
        YearColumn(
            say(language, "hr.indicator.now"),
            number(standing.indicator.points if now else 0, language),
            figure_text(people.index if people else None, language),
            interval_text(people.interval if people else None, language),
        )
    )
    return tuple(columns)


def _around(indicator: str, size: int, base: str, language: str) -> tuple[tuple[str, str], ...]:
    """The neighbours in the practice's order."""
    names = [one.id for one in certification.catalogue().indicators(size)]
    place = names.index(indicator)
    return tuple(
        (f"‹ {name}" if step < 0 else f"{name} ›", f"{base}/{name}?lang={language}")
        for step in (-1, 1)
        if 0 <= place + step < len(names) and (name := names[place + step])
    )


async def _proposal(indicator: str, language: str) -> tuple[str, ...]:
    """What the platform proposes: 1.6 from a released wave, with what its pack still lacks; 1.2 from a procedure alone."""
    offer = await certification.offer(indicator, today())
    if offer is None:
        return ()
    if indicator == certification.CHANNEL:
        return (say(language, "proposal.channel" if offer.made else "proposal.no_channel"),)
    if offer.wave is None or offer.made is None:
        return (say(language, "proposal.old" if offer.wave else "proposal.none"),)
    lines = [
        say(
            language,
            "proposal.survey",
            wave=text_of(offer.wave.title, language) or offer.wave.id,
            day=day(offer.wave.closed, language),
        )
    ]
    lines += [say(language, f"proposal.lacks.{lack}") for lack in offer.made.lacks]
    if offer.made.weak:
        lines.append(say(language, "proposal.weak"))
    return tuple(lines)


async def give_file(document: str) -> Response[bytes]:
    return give(await evidence.file_of(document))


def give(found: tuple[str, bytes] | None) -> Response[bytes]:
    """Give a kept file to save, never to show; what is none is not found."""
    if found is None:
        raise NotFoundException
    name = "".join(c if c.isalnum() or c in "._-" else "_" for c in found[0]) or "document"
    headers = {"Content-Disposition": f'attachment; filename="{name.encode("ascii", "ignore").decode() or "document"}"'}
    return Response(found[1], media_type="application/octet-stream", headers=headers)
