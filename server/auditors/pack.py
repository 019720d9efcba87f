"""The auditor's seat: the pack to take away, indicators, scorecard, release certificates. Reads; changes nothing."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from server.certification.figures import year_page, years_page
from server.certification.indicators import give, give_file, list_page, one_page
from server.certification.register import register_page
from server.certification.register_entry import entry_page
from server.certification.register_files import give_register
from server.certification.years import kept_page, kept_text, scorecard_page
from server.concern.facts import for_auditor
from server.frame.asked import AppRequest
from server.frame.display import day, text_of
from server.frame.pages import Shell, show
from server.frame.security import DeskAccount
from server.frame.signed_in import Desk, frame
from server.frame.texts import say
from server.papers.giving import give_report
from server.papers.giving_packs import give_pack
from server.papers.pack import Contents
from server.papers.pack import contents as pack_contents
from server.papers.pack_part import About
from server.settings import Settings
from surveys.lifecycle.context import today
from surveys.public import register, releases
from surveys.public.signing import fingerprint
from surveys.public.waves import State, in_state
from surveys.stores import Engines


@dataclass(frozen=True, slots=True)
class CertificateLine:
    wave: str
    title: str
    closed: str
    participation: str
    groups: str
    answers: str
    key: str
    questionnaire: str
    plan: str
    installation: str


@dataclass(frozen=True, slots=True)
class PackPage:
    """The table of contents of the evidence pack."""

    template: ClassVar[str] = "pack.html"
    shell: Shell
    desk: Desk
    title: str
    certificates: tuple[CertificateLine, ...]
    contents: Contents


@get("/")
async def contents(request: AppRequest, settings: NamedDependency[Settings]) -> Response[str]:
    """Show what there is to read."""
    shell, desk = await frame(request)
    language = shell.language
    lines = []
    for wave in await in_state(State.RELEASED):
        document = await releases.ours(wave.id)
        if document is None:
            continue  # what is not ours is told among what is broken
        certificate, counts = document.certificate, document.participation
        lines.append(
            CertificateLine(
                wave.id,
                text_of(document.wave.title or wave.title, language),
                day(wave.closed, language),
                f"{counts['received']} / {counts['invited']}" if counts.get("invited") else str(counts["received"]),
                ", ".join(
                    f"{say(language, f'audit.family.{family}')}: {say(language, f'audit.verdict.{verdict}')}"
                    for family, verdict in certificate.families.items()
                ),
                say(language, f"audit.verdict.{certificate.answers.replace(' ', '_')}"),
                fingerprint(document.key),
                f"{document.questionnaire.id} {document.questionnaire.version} · {document.questionnaire.sha256[:16]}",
                (document.wave.plan or "")[:16],
                document.installation,
            )
        )
    inside = await pack_contents(About(settings.data, today(), language))
    return show(PackPage(shell, desk, say(language, "audit.heading"), tuple(lines), inside))


@get("/pack.zip")
async def pack_file(
    request: AppRequest, settings: NamedDependency[Settings], engines: NamedDependency[Engines]
) -> Response[Any]:
    """Give the pack."""
    return await give_pack(request, "zip", settings, engines)


@get("/pack.pdf")
async def pack_paper(
    request: AppRequest, settings: NamedDependency[Settings], engines: NamedDependency[Engines]
) -> Response[Any]:
    """Give the pack's paper alone."""
    return await give_pack(request, "pdf", settings, engines)


@get("/indicators")
async def indicators(request: AppRequest) -> Response[str]:
    """List all indicators."""
    return await list_page(request, "/audit/indicators")


@get("/indicators/{indicator:str}")
async def indicator(request: AppRequest, indicator: FromPath[str]) -> Response[str]:
    """Show one indicator, without forms."""
    return await one_page(request, indicator, "/audit/indicators", can_edit=False)


@get("/indicators/{indicator:str}/documents/{document:str}")
async def document_file(indicator: FromPath[str], document: FromPath[str]) -> Response[bytes]:
    """Give a document of the evidence."""
    return await give_file(document)


@get("/scorecard")
async def scorecard(request: AppRequest) -> Response[str]:
    """Show the scorecard."""
    return await scorecard_page(request, "/audit/scorecard", can_keep=False)


@get("/scorecard/{name:str}")
async def kept_scorecard(request: AppRequest, name: FromPath[str]) -> Response[str]:
    """Show a kept scorecard."""
    return await kept_page(request, name, "/audit/scorecard")


@get("/scorecard/{name:str}/signed.json")
async def signed_scorecard(name: FromPath[str]) -> Response[str]:
    """Give a kept scorecard as it was signed."""
    return await kept_text(name)


@get("/figures")
async def figures(request: AppRequest) -> Response[str]:
    """List the years that have figures by gender."""
    return await years_page(request, "/audit/figures", can_edit=False)


@get("/figures/{year:int}")
async def figures_of_year(request: AppRequest, year: FromPath[int]) -> Response[str]:
    """Show what the quantitative indicators make of a year, without forms."""
    return await year_page(request, year, "/audit/figures", can_edit=False)


@get("/register")
async def whole_register(request: AppRequest) -> Response[str]:
    """Show the register of the audits."""
    return await register_page(request, "/audit/register", can_edit=False)


@get("/register/{number:int}")
async def register_entry(request: AppRequest, number: FromPath[int]) -> Response[str]:
    """Show one line of the register, without forms."""
    return await entry_page(request, number, "/audit/register", can_edit=False)


@get("/register/{number:int}/documents/{document:str}")
async def register_document(number: FromPath[int], document: FromPath[str]) -> Response[bytes]:
    """Give a document of the register."""
    return give(await register.file_of(number, document))


@get("/register/file/{kind:str}")
async def register_file(kind: FromPath[str]) -> Response[bytes]:
    """Give the register as a file."""
    return await give_register(kind)


@get("/channel.json")
async def channel_facts(settings: NamedDependency[Settings]) -> Response[bytes]:
    """Export the channel's procedure, times kept and training; no content, no count."""
    content = json.dumps(await for_auditor(today(), settings.data), ensure_ascii=False, indent=1).encode()
    headers = {"Content-Disposition": 'attachment; filename="ascolto-channel.json"'}
    return Response(content, media_type="application/json", headers=headers)


@get("/results/{wave_id:str}/report.pdf")
async def report(
    request: AppRequest, wave_id: FromPath[str], settings: NamedDependency[Settings], engines: NamedDependency[Engines]
) -> Response[Any]:
    """Give the report that the board read."""
    return await give_report(request, wave_id, settings, engines)


ROUTERS = [
    Router(
        path="/audit",
        guards=[DeskAccount("auditor", "hr")],
        route_handlers=[
            contents,
            pack_file,
            pack_paper,
            indicators,
            indicator,
            document_file,
            scorecard,
            kept_scorecard,
            signed_scorecard,
            figures,
            figures_of_year,
            whole_register,
            register_entry,
            register_document,
            register_file,
            channel_facts,
            report,
        ],
    )
]
