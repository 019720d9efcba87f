"""Indicators and the scorecard: evidence set by a person, reviewed by another, beside what people say."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from analysis.pdr125 import proposal
from server import scorecard
from server.channel_facts import indicator_line
from server.desk import Desk, done, frame
from server.display import day, number, text_of
from server.hr.overview import total_line
from server.pages import Shell, show
from server.reading import labels_of
from server.security import account_of, checked_form
from server.texts import say
from surveys.lifecycle.context import today
from surveys.public import actions, evidence, waves
from surveys.public.evidence import EvidenceRefused, EvidenceState
from surveys.public.waves import State
from surveys.stores import Engines

UPLOAD_LIMIT = evidence.FILE_LIMIT + 100_000


@dataclass(frozen=True, slots=True)
class IndicatorsPage:
    """All indicators of the size band."""

    template: ClassVar[str] = "indicators.html"
    shell: Shell
    desk: Desk
    title: str
    base: str
    lines: tuple[scorecard.IndicatorLine, ...]


@dataclass(frozen=True, slots=True)
class DocumentLine:
    id: str
    title: str
    day: str
    address: str


@dataclass(frozen=True, slots=True)
class IndicatorPage:
    """One indicator: evidence left, people right, the word between them above."""

    template: ClassVar[str] = "indicator.html"
    shell: Shell
    desk: Desk
    title: str
    base: str
    line: scorecard.IndicatorLine
    explanation: str
    measure: str
    set_line: str
    figure: str
    source: str
    note: str
    valid: str
    quantitative: bool
    documents: tuple[DocumentLine, ...]
    proposal: tuple[str, ...]
    states: tuple[tuple[str, str], ...]
    can_edit: bool
    perception: scorecard.Perception | None
    perception_word: str
    item_texts: tuple[str, ...]
    wave_line: str
    actions: tuple[str, ...]
    channel: str


@dataclass(frozen=True, slots=True)
class ScoreRow:
    name: str
    weight: str
    earned: str
    lost: str
    open: str
    people: str


@dataclass(frozen=True, slots=True)
class ScorecardPage:
    """Points earned, lost and not yet assessed, by area."""

    template: ClassVar[str] = "scorecard.html"
    shell: Shell
    desk: Desk
    title: str
    total: str
    verdict: str
    rows: tuple[ScoreRow, ...]
    edition: str


async def list_page(request: Request[Any, Any, Any], base: str) -> Response[str]:
    shell, desk = await frame(request)
    lines = await scorecard.indicator_lines(shell.language)
    return show(IndicatorsPage(shell, desk, say(shell.language, "hr.indicators.heading"), base, lines))


async def one_page(
    request: Request[Any, Any, Any], indicator: str, base: str, *, can_edit: bool, error: str = ""
) -> Response[str]:
    """The page of one indicator, for HR and, without forms, for the auditor."""
    known = {i.id: i for i in scorecard.indicators()}
    if indicator not in known:
        raise NotFoundException
    shell, desk = await frame(request, error=error)
    language = shell.language
    line = next(x for x in await scorecard.indicator_lines(language) if x.id == indicator)
    state = await evidence.of(indicator)
    found = await scorecard.latest()
    seen = scorecard.perception_of(found[1], indicator, language) if found else None
    texts: tuple[str, ...] = ()
    if seen and found:
        labels = labels_of(found[0])
        texts = tuple(text_of(labels.items[item], language) for item in seen.items if item in labels.items)
    page = IndicatorPage(
        shell, desk, f"{indicator} {line.text}", base, line, say(language, f"alignment.why.{line.alignment_key}"),
        say(language, "hr.indicator.quantitative" if known[indicator].kind == "quantitative" else "hr.indicator.qualitative"),
        say(language, "evidence.set", who=state.set_by, day=day(state.set_on, language)) if state.set_by else "",
        state.figure, state.source, state.note, str(state.valid_until or ""), known[indicator].kind == "quantitative",
        tuple(
            DocumentLine(d.id, d.title, day(d.day, language), d.link or f"{base}/{indicator}/documents/{d.id}")
            for d in state.documents
        ),
        await _proposal(indicator, state, language),
        tuple((key, say(language, f"evidence.state.{key}")) for key in evidence.STATES), can_edit, seen,
        say(language, f"perception.{seen.state}") if seen else "", texts,
        say(language, "hr.indicator.from_wave", wave=seen.wave) if seen else "",
        tuple(
            say(language, "results.action_done" if a.done else "results.action", text=a.text, owner=a.owner, due=day(a.due, language))
            for a in await actions.everything()
            if a.indicator == indicator
        ),
        await indicator_line(indicator, language),
    )  # fmt: skip
    return show(page, status=422 if error else 200)


async def _proposal(indicator: str, state: EvidenceState, language: str) -> tuple[str, ...]:
    """What the platform proposes: 1.6 from a released wave, with what its pack still lacks; 1.2 from a procedure alone."""
    if indicator == "1.2":
        made = proposal.propose_channel(procedure_documents=len(state.documents))
        return (say(language, "proposal.channel" if made else "proposal.no_channel"),)
    if indicator != "1.6":
        return ()
    own = [wave for wave in await waves.in_state(State.RELEASED) if wave.origin == "ascolto" and wave.closed]
    if not own:
        return (say(language, "proposal.none"),)
    newest = max(own, key=lambda wave: (wave.closed or date.min, wave.id))
    done_actions = [a for a in await actions.everything() if a.wave == newest.id]
    closed = newest.closed or date.min
    survey = proposal.propose_survey(
        closed_on=closed.toordinal(), today=today().toordinal(), origin=newest.origin,
        invited=newest.invited, received=await _received(newest.id),
        has_analysis=True, has_feedback=True, has_actions=bool(done_actions),
    )  # fmt: skip
    if survey is None:
        return (say(language, "proposal.old"),)
    lines = [say(language, "proposal.survey", wave=newest.id, day=day(closed, language))]
    lines += [say(language, f"proposal.lacks.{lack}") for lack in survey.lacks]
    if survey.weak:
        lines.append(say(language, "proposal.weak"))
    return tuple(lines)


async def _received(wave: str) -> int:
    from surveys.public.releases import document

    found = await document(wave)
    return int(found["participation"]["received"]) if found else 0


async def scorecard_page(request: Request[Any, Any, Any]) -> Response[str]:
    """The scorecard, for HR and the auditor."""
    shell, desk = await frame(request)
    language = shell.language
    card = await scorecard.scores()
    found = await scorecard.latest()
    areas = found[1]["views"][0].get("areas", {}) if found else {}
    rows = tuple(
        ScoreRow(
            f"{area.number} {say(language, f'results.area.{area.number}')}", f"{area.weight_percent} %",
            number(area.earned, language), number(area.lost, language), number(area.not_assessed, language),
            str(areas.get(str(area.number), {}).get("index", "")),
        )
        for area in card.areas
    )  # fmt: skip
    verdict = say(
        language,
        "points.verdict_open"
        if card.not_assessed
        else "points.verdict_pass"
        if card.reaches_threshold
        else "points.verdict_fail",
    )
    edition = scorecard.catalogue().edition
    return show(
        ScorecardPage(
            shell, desk, say(language, "hr.scorecard.heading"), await total_line(language), verdict, rows, edition
        )
    )


@get("/indicators")
async def indicators(request: Request[Any, Any, Any]) -> Response[str]:
    """List all indicators."""
    return await list_page(request, "/hr/indicators")


@get("/indicators/{indicator:str}")
async def indicator_page(request: Request[Any, Any, Any], indicator: FromPath[str]) -> Response[str]:
    """Show one indicator."""
    return await one_page(request, indicator, "/hr/indicators", can_edit=True)


async def _again(request: Request[Any, Any, Any], indicator: str, reason: str) -> Response[str]:
    language = (await frame(request))[0].language
    return await one_page(
        request, indicator, "/hr/indicators", can_edit=True, error=say(language, f"evidence.refused.{reason}")
    )


@post("/indicators/{indicator:str}")
async def set_state(
    request: Request[Any, Any, Any], indicator: FromPath[str], engines: NamedDependency[Engines]
) -> Response[str] | Redirect:
    """Set the state of an indicator; a review by a second account is then needed."""
    data = await checked_form(request)
    before = await evidence.of(indicator)
    try:
        valid = date.fromisoformat(data["valid"]) if data.get("valid") else None
        record = replace(
            before, state=data.get("state", ""), figure=data.get("figure", "")[:100], source=data.get("source", "")[:200],
            note=data.get("note", "")[:1000], valid_until=valid, set_by=account_of(request).name, set_on=today(),
        )  # fmt: skip
        await evidence.set_state(engines["public"], record)
    except EvidenceRefused as problem:
        return await _again(request, indicator, str(problem))
    except ValueError:
        return await _again(request, indicator, "day")
    return done(f"/hr/indicators/{indicator}", "evidence_set")


@post("/indicators/{indicator:str}/review")
async def review(
    request: Request[Any, Any, Any], indicator: FromPath[str], engines: NamedDependency[Engines]
) -> Response[str] | Redirect:
    """Confirm what another account found."""
    await checked_form(request)
    try:
        await evidence.review(engines["public"], indicator, account_of(request).name, today())
    except EvidenceRefused as problem:
        return await _again(request, indicator, str(problem))
    return done(f"/hr/indicators/{indicator}", "evidence_reviewed")


@post("/indicators/{indicator:str}/documents", request_max_body_size=UPLOAD_LIMIT)
async def add_document(
    request: Request[Any, Any, Any], indicator: FromPath[str], engines: NamedDependency[Engines]
) -> Response[str] | Redirect:
    """Add a dated document: a link or a file."""
    data = await checked_form(request)
    upload = (await request.form()).get("file")
    content, name = b"", ""
    if isinstance(upload, UploadFile) and upload.filename:
        content, name = await upload.read(), upload.filename[-100:]
    try:
        when = date.fromisoformat(data.get("day", ""))
        await evidence.add_document(
            engines["public"], indicator, data.get("title", "")[:200], when, link=data.get("link", "")[:500].strip(),
            file_name=name, content=content,
        )  # fmt: skip
    except EvidenceRefused as problem:
        return await _again(request, indicator, str(problem))
    except ValueError:
        return await _again(request, indicator, "day")
    return done(f"/hr/indicators/{indicator}", "document_added")


@post("/indicators/{indicator:str}/documents/{document:str}/remove")
async def remove_document(
    request: Request[Any, Any, Any],
    indicator: FromPath[str],
    document: FromPath[str],
    engines: NamedDependency[Engines],
) -> Redirect:
    """Remove a document."""
    await checked_form(request)
    await evidence.remove_document(engines["public"], document)
    return done(f"/hr/indicators/{indicator}", "document_removed")


async def give_file(document: str) -> Response[bytes]:
    found = await evidence.file_of(document)
    if found is None:
        raise NotFoundException
    name = "".join(c if c.isalnum() or c in "._-" else "_" for c in found[0]) or "document"
    headers = {"Content-Disposition": f'attachment; filename="{name.encode("ascii", "ignore").decode() or "document"}"'}
    return Response(found[1], media_type="application/octet-stream", headers=headers)


@get("/indicators/{indicator:str}/documents/{document:str}")
async def document_file(indicator: FromPath[str], document: FromPath[str]) -> Response[bytes]:
    """Give a kept file, always as a download."""
    return await give_file(document)


@get("/scorecard")
async def card(request: Request[Any, Any, Any]) -> Response[str]:
    """Show the scorecard."""
    return await scorecard_page(request)


HANDLERS = (indicators, indicator_page, set_state, review, add_document, remove_document, document_file, card)
