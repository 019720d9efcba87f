"""Indicators and the scorecard as HR and the auditor read them: evidence beside what people say."""

from dataclasses import dataclass
from typing import ClassVar

from litestar import Response
from litestar.exceptions import NotFoundException

from server.certification import figures, scorecard
from server.concern.facts import indicator_line
from server.frame.asked import AppRequest
from server.frame.display import day, number, text_of
from server.frame.pages import Shell, show
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from server.results.reading import figure_text, labels_of
from server.results.shown import released
from server.results.story import Dot, lone_dot
from surveys import certification
from surveys.certification import Standing
from surveys.lifecycle.context import today
from surveys.public import actions, evidence


@dataclass(frozen=True, slots=True)
class IndicatorsPage:
    """All indicators of the size band."""

    template: ClassVar[str] = "indicators.html"
    shell: Shell
    desk: Desk
    title: str
    base: str
    figures: str
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
    computed: tuple[str, ...]
    computed_at: str
    """What the figures of the newest year propose, and the page that says how."""
    states: tuple[tuple[str, str], ...]
    can_edit: bool
    seen: str
    """What a review is of: the mark of what this page shows."""
    perception: scorecard.PerceptionLine | None
    dot: Dot | None
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
    road: scorecard.Road
    total: str
    verdict: str
    rows: tuple[ScoreRow, ...]
    edition: str


async def list_page(request: AppRequest, base: str) -> Response[str]:
    shell, desk = await frame(request)
    lines = await scorecard.indicator_lines(shell.language)
    return show(
        IndicatorsPage(shell, desk, say(shell.language, "hr.indicators.heading"), base, _figures_at(base), lines)
    )


def _figures_at(base: str) -> str:
    """Where this audience reads the figures by gender."""
    return base.replace("/indicators", "/figures")


async def one_page(request: AppRequest, indicator: str, base: str, *, can_edit: bool, error: str = "") -> Response[str]:
    """The page of one indicator, for HR and, without forms, for the auditor."""
    found = await certification.standing(indicator, today())
    if found is None:
        raise NotFoundException
    shell, desk = await frame(request, error=error)
    language, state = shell.language, found.evidence
    line, seen = scorecard.indicator_line(found, language), scorecard.perception_line(found, language)
    quantitative = found.indicator.kind == "quantitative"
    computed = await figures.proposed(indicator, language) if quantitative else None
    page = IndicatorPage(
        shell,
        desk,
        f"{indicator} {line.text}",
        base,
        line,
        say(language, f"alignment.why.{line.alignment_key}"),
        say(language, "hr.indicator.quantitative" if quantitative else "hr.indicator.qualitative"),
        say(language, "evidence.set", who=state.set_by, day=day(state.set_on, language)) if state.set_by else "",
        state.figure,
        state.source,
        state.note,
        str(state.valid_until or ""),
        quantitative,
        tuple(
            DocumentLine(d.id, d.title, day(d.day, language), d.link or f"{base}/{indicator}/documents/{d.id}")
            for d in state.documents
        ),
        await _proposal(indicator, language),
        computed.lines if computed else (),
        f"{_figures_at(base)}/{computed.year}" if computed else "",
        tuple((key, say(language, f"evidence.state.{key}")) for key in evidence.STATES),
        can_edit,
        state.mark,
        seen,
        _dot(found, seen),
        say(language, f"perception.{seen.state}") if seen else "",
        await _item_texts(found, language),
        say(language, "hr.indicator.from_wave", wave=found.perception.wave) if found.perception else "",
        tuple(
            say(
                language,
                "results.action_done" if a.done else "results.action",
                text=a.text,
                owner=a.owner,
                due=day(a.due, language),
            )
            for a in await actions.everything()
            if a.indicator == indicator
        ),
        await indicator_line(indicator, language),
    )
    return show(page, status=422 if error else 200)


def _dot(standing: Standing, seen: scorecard.PerceptionLine | None) -> Dot | None:
    if seen is None or seen.value is None or standing.perception is None:
        return None
    return lone_dot(standing.indicator.id, seen.index, seen.interval, seen.value, standing.perception.interval)


async def _item_texts(standing: Standing, language: str) -> tuple[str, ...]:
    """The questions whose answers the perception stands on."""
    if standing.perception is None:
        return ()
    labels = labels_of((await released(standing.perception.wave))[0])
    return tuple(text_of(labels.items[item], language) for item in standing.perception.items if item in labels.items)


async def _proposal(indicator: str, language: str) -> tuple[str, ...]:
    """What the platform proposes: 1.6 from a released wave, with what its pack still lacks; 1.2 from a procedure alone."""
    offer = await certification.offer(indicator, today())
    if offer is None:
        return ()
    if indicator == certification.CHANNEL:
        return (say(language, "proposal.channel" if offer.made else "proposal.no_channel"),)
    if offer.wave is None or offer.made is None:
        return (say(language, "proposal.old" if offer.wave else "proposal.none"),)
    lines = [say(language, "proposal.survey", wave=offer.wave.id, day=day(offer.wave.closed, language))]
    lines += [say(language, f"proposal.lacks.{lack}") for lack in offer.made.lacks]
    if offer.made.weak:
        lines.append(say(language, "proposal.weak"))
    return tuple(lines)


async def scorecard_page(request: AppRequest) -> Response[str]:
    """The scorecard, for HR and the auditor."""
    shell, desk = await frame(request)
    language = shell.language
    card = await certification.scores(today())
    found = await certification.newest_wave()
    areas = found[1].everyone.areas if found else {}
    rows = tuple(
        ScoreRow(
            f"{area.number} {say(language, f'results.area.{area.number}')}",
            f"{area.weight_percent} %",
            number(area.earned, language),
            number(area.lost, language),
            number(area.not_assessed, language),
            figure_text(areas[str(area.number)].index if str(area.number) in areas else None, language),
        )
        for area in card.areas
    )
    key = {True: "verdict_pass", False: "verdict_fail", None: "verdict_open"}[card.reaches_threshold]
    verdict = say(language, f"points.{key}")
    edition = certification.catalogue().edition
    return show(
        ScorecardPage(
            shell,
            desk,
            say(language, "hr.scorecard.heading"),
            await scorecard.road(language, await certification.standings(today())),
            await scorecard.total_line(language),
            verdict,
            rows,
            edition,
        )
    )


async def give_file(document: str) -> Response[bytes]:
    found = await evidence.file_of(document)
    if found is None:
        raise NotFoundException
    name = "".join(c if c.isalnum() or c in "._-" else "_" for c in found[0]) or "document"
    headers = {"Content-Disposition": f'attachment; filename="{name.encode("ascii", "ignore").decode() or "document"}"'}
    return Response(found[1], media_type="application/octet-stream", headers=headers)
