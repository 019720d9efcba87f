"""The staff list as a file to work in and to import again."""

from dataclasses import fields

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server.frame.asked import AppRequest
from server.frame.signed_in import desk_language
from surveys.importing.forms import MEDIA, as_csv, unarmed
from surveys.importing.people import PersonRow, UnitRow
from surveys.importing.staff_list import people_workbook, written_people
from surveys.lifecycle.context import Site
from surveys.people import log, roster


@get("/people/file/{kind:str}")
async def people_file(request: AppRequest, kind: FromPath[str], site: NamedDependency[Site]) -> Response[bytes]:
    """Give the list in the columns in which it is imported; the log says so."""
    if kind not in MEDIA:
        raise NotFoundException
    units = [UnitRow(unit.code, unit.name, unit.parent or None) for unit in await roster.units()]
    rows = written_people([_row(known.entry) for known in await roster.everyone()], units, desk_language(request))
    content = as_csv(unarmed(rows)) if kind == "csv" else people_workbook(rows)
    await log.record(site.engines["people"], site.day, site.actor, "people exported", kind=kind)
    headers = {"Content-Disposition": f'attachment; filename="personale.{kind}"'}
    return Response(content, media_type=MEDIA[kind], headers=headers)


def _row(entry: roster.PersonEntry) -> PersonRow:
    return PersonRow(**{field.name: getattr(entry, field.name) for field in fields(PersonRow)})


HANDLERS = (people_file,)
