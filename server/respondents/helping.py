"""Help: whom to call. Its numbers outside stand on the page whatever the stores hold."""

from dataclasses import dataclass
from typing import ClassVar

from litestar import Response, get

from server.frame import faults
from server.frame.asked import AppRequest
from server.frame.display import day, text_of
from server.frame.pages import Shell, language_of, shell, show, staff_shell
from server.frame.texts import say
from surveys.odd import StoreOdd
from surveys.public.organisation import OrganisationRecord, load


@dataclass(frozen=True, slots=True)
class ContactCard:
    name: str
    what: str
    reach: str
    hours: str
    languages: str
    cost: str
    tells: str
    checked: str


@dataclass(frozen=True, slots=True)
class HelpPage:
    """Whom to call, now and later."""

    template: ClassVar[str] = "help.html"
    shell: Shell
    title: str
    referente: str
    channel: str
    checked: str
    contacts: tuple[ContactCard, ...]


async def _whose(request: AppRequest) -> tuple[Shell, OrganisationRecord]:
    """The page's frame, and the organisation with its people; none of them where its row is none that a page wrote."""
    try:
        frame = await staff_shell(request)
        return frame, await load() or OrganisationRecord(frame.organisation)
    except StoreOdd as problem:
        faults.note("store", problem)
        frame = shell(None, language_of(request))
        return frame, OrganisationRecord(frame.organisation)


@get("/help")
async def help_page(request: AppRequest) -> Response[str]:
    """Show the numbers and people to call."""
    frame, organisation = await _whose(request)
    language = frame.language
    contacts = tuple(
        ContactCard(
            contact.name,
            text_of(contact.what, language),
            contact.reach,
            contact.hours,
            contact.languages,
            contact.cost,
            say(language, "staff.help.tells" if contact.tells_employer else "staff.help.tells_not"),
            day(contact.checked_on, language),
        )
        for contact in organisation.contacts
    )
    page = HelpPage(
        frame,
        say(language, "staff.help.title"),
        organisation.referente,
        organisation.canale,
        day(organisation.help_checked_on, language),
        contacts,
    )
    return show(page)
