"""The register by file: given as it stands or empty, looked at before it is taken in, taken in whole."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from server.certification.figures import MOST_TOLD, RefusedLine
from server.certification.register_entry import FIELDS
from server.certification.register_files import give_register, give_rows, readable_kinds
from server.frame.asked import AppRequest
from server.frame.pages import Shell, show
from server.frame.security import account_of, checked_form
from server.frame.signed_in import Desk, desk_language, done, frame
from server.frame.texts import say
from server.hr.uploads import FileRefused, read_sent
from server.settings import Settings
from surveys.importing.register import LIMIT_BYTES, Row
from surveys.lifecycle.context import today
from surveys.public import register
from surveys.public.register import Record, RegisterRefused
from surveys.public.register_entry import Entry
from surveys.public.register_intake import Plan, plan, take_in
from surveys.stores import Engines

BASE = "/hr/register"
UPLOAD_LIMIT = LIMIT_BYTES + 100_000


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would change: counts, and the first lines of each. `file` is its SHA-256: that and no other is taken in."""

    added: str
    changed: str
    same: str
    new_lines: tuple[str, ...]
    changed_lines: tuple[str, ...]
    does_something: bool
    file: str


@dataclass(frozen=True, slots=True)
class ImportPage:
    """The form of a file; then what it would change, and the form once more with a tick."""

    template: ClassVar[str] = "register_import.html"
    shell: Shell
    desk: Desk
    title: str
    base: str
    seen: str
    preview: Preview | None
    refused: tuple[RefusedLine, ...]
    refused_count: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that was read: its rows, and its SHA-256."""

    rows: tuple[Row, ...]
    file: str


async def _page(
    request: AppRequest, *, sent: Sent | None = None, error: str = "", cells: FileRefused | None = None
) -> Response[str]:
    shell, desk = await frame(request, error=error)
    language, records = shell.language, await register.everything()
    try:
        preview = _preview(plan(records, sent.rows), sent.file, language) if sent else None
    except RegisterRefused as problem:  # a line went while the file was read
        return await _page(request, error=say(language, f"register.refused.{problem}"))
    page = ImportPage(
        shell,
        desk,
        say(language, "register.import_heading"),
        BASE,
        register.mark_of(records),
        preview,
        tuple(
            RefusedLine(one.row, one.column, one.value, say(language, f"register.remedy.{one.remedy_key}"))
            for one in (cells.cells[:MOST_TOLD] if cells else ())
        ),
        cells.count if cells else 0,
    )
    return show(page, status=422 if error or cells else 200)


def _preview(made: Plan, file: str, language: str) -> Preview:
    changed = tuple(_changed_line(before, entry, language) for before, entry in made.changed[:MOST_TOLD])
    return Preview(
        say(language, "register.import_added", n=len(made.added)),
        say(language, "register.import_changed", n=len(made.changed)),
        say(language, "register.import_same", n=made.same),
        _cut(tuple(one.title for one in made.added[:MOST_TOLD]), len(made.added), language),
        _cut(changed, len(made.changed), language),
        bool(made.added or made.changed),
        file,
    )


def _cut(lines: tuple[str, ...], count: int, language: str) -> tuple[str, ...]:
    rest = count - len(lines)
    return (*lines, say(language, "register.import_more", n=rest)) if rest else lines


def _changed_line(before: Record, entry: Entry, language: str) -> str:
    fields = (name for name in FIELDS if getattr(before.entry, name) != getattr(entry, name))
    names = ", ".join(say(language, f"register.field.{name}") for name in fields)
    return say(language, "register.import_line_changed", n=before.number, title=before.entry.title, fields=names)


@get("/register/file/{kind:str}")
async def file(kind: FromPath[str]) -> Response[bytes]:
    """Give the register as a file, to work in and to import again."""
    return await give_register(kind)


@get("/register/template/{kind:str}")
async def template(kind: FromPath[str]) -> Response[bytes]:
    """Give the empty file."""
    return give_rows((), kind)


@get("/register/import")
async def import_form(request: AppRequest) -> Response[str]:
    """Show the form of a file."""
    return await _page(request)


async def _read(request: AppRequest, settings: Settings) -> Sent:
    sent = (await request.form()).get("file")
    numbers = list(await register.everything())
    answer = await read_sent(
        settings, sent, "register", kinds=readable_kinds(), numbers=numbers, day=today().isoformat()
    )
    assert isinstance(sent, UploadFile)
    await sent.seek(0)
    digest = hashlib.sha256(await sent.read()).hexdigest()
    return Sent(tuple((number, _entry(values)) for number, values in answer["rows"]), digest)


def _entry(values: Mapping[str, Any]) -> Entry:
    days = {name: date.fromisoformat(values[name]) if values[name] else None for name in ("due", "closed_on")}
    return Entry(**{**values, **days})


@post("/register/import", request_max_body_size=UPLOAD_LIMIT)
async def import_file(
    request: AppRequest, settings: NamedDependency[Settings], engines: NamedDependency[Engines]
) -> Response[str] | Redirect:
    """Show what a file would change; with the tick, and of the file that was shown, change it."""
    data, language = await checked_form(request), desk_language(request)
    try:
        sent = await _read(request, settings)
    except FileRefused as problem:
        error = say(language, problem.key, **problem.params) if problem.key else ""
        return await _page(request, error=error, cells=None if error else problem)
    if "shown" not in data:
        return await _page(request, sent=sent)
    if data["shown"] != sent.file or not data.get("yes"):
        key = "other_file" if data["shown"] != sent.file else "yes"
        return await _page(request, sent=sent, error=say(language, f"register.refused.{key}"))
    try:
        seen, who = data.get("seen", ""), account_of(request).name
        await take_in(engines["public"], sent.rows, seen, sent.file, who, today())
    except RegisterRefused:
        return await _page(request, sent=sent, error=say(language, "register.refused.register_changed"))
    return done(BASE, "register_imported")


HANDLERS = (file, template, import_form, import_file)
