"""What HR prints of a release: the report to the board, and the poster that tells everyone what was heard."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from server.frame.asked import AppRequest
from server.papers.giving import give_poster, give_report
from server.settings import Settings
from surveys.stores import Engines


@get("/results/{wave_id:str}/report.pdf")
async def report(
    request: AppRequest, wave_id: FromPath[str], settings: NamedDependency[Settings], engines: NamedDependency[Engines]
) -> Response[Any]:
    """Give the board report."""
    return await give_report(request, wave_id, settings, engines)


@get("/results/{wave_id:str}/poster.pdf")
async def poster(
    request: AppRequest, wave_id: FromPath[str], settings: NamedDependency[Settings], engines: NamedDependency[Engines]
) -> Response[Any]:
    """Give the poster of everyone or, with ``group``, of one territory."""
    return await give_poster(request, wave_id, settings, engines)


HANDLERS = (report, poster)
