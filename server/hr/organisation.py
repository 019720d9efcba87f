"""The organisation's own words: notice, contact person, channel, support contacts."""

from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from server.frame.asked import AppRequest
from server.frame.display import text_of
from server.frame.pages import Shell, show
from server.frame.security import checked_form
from server.frame.signed_in import Desk, done, frame
from server.frame.texts import say
from surveys.legible import legible
from surveys.lifecycle import organisation as life
from surveys.lifecycle.context import Site
from surveys.public.organisation import Notice, OrganisationChanged, OrganisationRecord, SupportContact, load, shown

SPARE_CONTACTS = 2
MOST_CONTACTS = 20


@dataclass(frozen=True, slots=True)
class FieldLine:
    name: str
    label: str
    hint: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class ContactLine:
    name: str
    what: str
    reach: str
    hours: str
    languages: str
    cost: str
    checked: str
    tells: bool


@dataclass(frozen=True, slots=True)
class OrganisationPage:
    """One form with everything a wave needs before it may open."""

    template: ClassVar[str] = "organisation.html"
    shell: Shell
    desk: Desk
    title: str
    missing: tuple[str, ...]
    fields: tuple[FieldLine, ...]
    contacts: tuple[ContactLine, ...]
    seen: str
    """The mark of what stands in the store: it comes back with the form."""
    changed: tuple[tuple[str, str], ...]
    """What somebody else wrote meanwhile, by label."""


def _fields(record: OrganisationRecord, language: str) -> tuple[FieldLine, ...]:
    values = {
        "name": ("text", record.name),
        "address": ("text", record.address),
        "referente": ("text", record.referente),
        "canale": ("text", record.canale),
        "help_checked_on": ("date", record.help_checked_on),
        "controller": ("long", record.notice.controller),
        "purpose": ("long", record.notice.purpose),
        "retention": ("long", record.notice.retention),
        "contact": ("long", record.notice.contact),
    }
    return tuple(
        FieldLine(
            name, say(language, f"hr.organisation.{name}"), say(language, f"hr.organisation.hint_{name}"), kind, value
        )
        for name, (kind, value) in values.items()
    )


async def _page(
    request: AppRequest,
    error: str = "",
    typed: OrganisationRecord | None = None,
    before: OrganisationRecord | None = None,
) -> Response[str]:
    """The form, with what was typed where it was not kept, and what somebody else kept since `before`."""
    shell, desk = await frame(request, error=error)
    language = shell.language
    stored = await load() or OrganisationRecord("")
    record = typed or stored
    contacts = [
        ContactLine(
            c.name, text_of(c.what, language), c.reach, c.hours, c.languages, c.cost, c.checked_on, c.tells_employer
        )
        for c in record.contacts
    ]
    contacts += [ContactLine("", "", "", "", "", "", "", False)] * SPARE_CONTACTS
    page = OrganisationPage(
        shell,
        desk,
        say(language, "hr.organisation.heading"),
        tuple(say(language, f"hr.missing.{gap}") for gap in stored.missing()),
        _fields(record, language),
        tuple(contacts),
        shown(stored),
        _differences(record, before, language) if before else (),
    )
    return show(page, status=422 if error else 200)


def _differences(typed: OrganisationRecord, now: OrganisationRecord, language: str) -> tuple[tuple[str, str], ...]:
    """Where what stands there is another than what was typed: the label, and what stands there."""
    pairs = zip(_fields(typed, language), _fields(now, language), strict=True)
    found = [(there.label, there.value or "–") for mine, there in pairs if mine.value != there.value]
    if typed.contacts != now.contacts:
        names = ", ".join(contact.name for contact in now.contacts) or "–"
        found.append((say(language, "hr.organisation.contacts"), names))
    return tuple(found)


@get("/organisation")
async def organisation(request: AppRequest) -> Response[str]:
    """Show the form."""
    return await _page(request)


@post("/organisation")
async def save_organisation(request: AppRequest, site: NamedDependency[Site]) -> Response[str] | Redirect:
    """Keep the form."""
    data = {name: value.strip() for name, value in (await checked_form(request)).items()}
    language = (await frame(request))[0].language
    record = _typed(data, await load() or OrganisationRecord(""), language)
    if not record.name:
        return await _page(request, say(language, "hr.organisation.needs_name"), record)
    if record.help_checked_on and not is_day(record.help_checked_on):
        return await _page(request, say(language, "hr.refused.form"), replace(record, help_checked_on=""))
    try:
        await life.keep(site, record, data.get("seen", ""))
    except OrganisationChanged as problem:
        return await _page(request, say(language, "hr.organisation.changed"), record, problem.now)
    return done("/hr/organisation", "saved")


def _typed(data: dict[str, str], before: OrganisationRecord, language: str) -> OrganisationRecord:
    return replace(
        before,
        name=legible(data.get("name", "")[:100]),
        address=legible(data.get("address", "")[:200]).rstrip("/"),
        referente=legible(data.get("referente", "")[:200]),
        canale=legible(data.get("canale", "")[:200]),
        help_checked_on=data.get("help_checked_on", ""),
        contacts=_contacts(data, before, language),
        notice=Notice(
            *(
                legible(data.get(part, "")[:1000], lines=True)
                for part in ("controller", "purpose", "retention", "contact")
            )
        ),
    )


def is_day(text: str) -> bool:
    """Say whether a text is an ISO day."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _contacts(data: dict[str, str], before: OrganisationRecord, language: str) -> tuple[SupportContact, ...]:
    """Read the contacts of the form; what they are for is kept in the languages that the form does not show."""
    found = []
    for place in range(1, MOST_CONTACTS + 1):
        name = legible(data.get(f"contact_name_{place}", "")[:100])
        if not name:
            continue
        old = before.contacts[place - 1].what if place <= len(before.contacts) else {}
        what = {**old, language: legible(data.get(f"contact_what_{place}", "")[:200])}
        found.append(
            SupportContact(
                name,
                what,
                legible(data.get(f"contact_reach_{place}", "")[:200]),
                legible(data.get(f"contact_hours_{place}", "")[:100]),
                f"contact_tells_{place}" in data,
                legible(data.get(f"contact_languages_{place}", "")[:100]),
                legible(data.get(f"contact_cost_{place}", "")[:60]),
                _day_or_nothing(data.get(f"contact_checked_{place}", "")),
            )
        )
    return tuple(found)


def _day_or_nothing(text: str) -> str:
    return text if is_day(text) else ""


HANDLERS = (organisation, save_organisation)
