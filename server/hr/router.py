"""HR's addresses, closed to everyone else."""

from litestar import Router

from server.frame.security import DeskAccount
from server.hr import (
    actions,
    channel,
    figures,
    groups,
    indicators,
    links,
    organisation,
    over_time,
    overview,
    people,
    people_files,
    people_import,
    people_one,
    preview,
    promises,
    questions,
    register,
    register_files,
    reports,
    results,
    scorecards,
    slips,
    two_keys,
    waves,
)

ROUTERS = [
    Router(
        path="/hr",
        guards=[DeskAccount("hr")],
        route_handlers=[
            overview.overview,
            *results.HANDLERS,
            *reports.HANDLERS,
            *groups.HANDLERS,
            *over_time.HANDLERS,
            *questions.HANDLERS,
            *actions.HANDLERS,
            *indicators.HANDLERS,
            *scorecards.HANDLERS,
            *promises.HANDLERS,
            *figures.HANDLERS,
            *register.HANDLERS,
            *register_files.HANDLERS,
            *waves.HANDLERS,
            *slips.HANDLERS,
            *organisation.HANDLERS,
            *people.HANDLERS,
            *people_import.HANDLERS,
            *people_one.HANDLERS,
            *people_files.HANDLERS,
            *channel.HANDLERS,
            *links.HANDLERS,
            *preview.HANDLERS,
            *two_keys.HANDLERS,
        ],
    )
]
