"""The register as a file to work in: XLSX with lists to choose from, or CSV; with its lines, or as an empty template."""

from collections.abc import Sequence

from litestar import Response
from litestar.exceptions import NotFoundException

from server.frame.texts import DESK_LANGUAGES, say
from surveys import certification
from surveys.importing.forms import MEDIA, as_csv, unarmed
from surveys.importing.register import Row, as_workbook, names_of, written_rows
from surveys.public import register
from surveys.public.register_entry import KINDS

NAME = "ascolto-registro"


def kind_names() -> dict[str, tuple[str, ...]]:
    """What each kind is called in the languages of the file."""
    return {kind: tuple(say(language, f"register.kinds.{kind}") for language in DESK_LANGUAGES) for kind in KINDS}


def readable_kinds() -> dict[str, str]:
    """Every name of a kind that a file may use."""
    return names_of(kind_names())


async def give_register(kind: str) -> Response[bytes]:
    """The register as it stands, in the order of the page."""
    records = register.in_order(await register.everything())
    return give_rows([(one.number, one.entry) for one in records], kind)


def give_rows(lines: Sequence[Row], kind: str) -> Response[bytes]:
    """These lines as a file; a kind of file that there is not is not found."""
    if kind not in MEDIA:
        raise NotFoundException
    names = {key: " / ".join(both) for key, both in kind_names().items()}
    rows, practice = written_rows(lines, names), certification.catalogue()
    if kind == "csv":
        content = as_csv(unarmed(rows))
    else:
        indicators = [one.id for area in practice.areas for one in area.indicators]
        content = as_workbook(rows, list(names.values()), [one.number for one in practice.clauses], indicators)
    headers = {"Content-Disposition": f'attachment; filename="{NAME}.{kind}"'}
    return Response(content, media_type=MEDIA[kind], headers=headers)
