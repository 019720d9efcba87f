"""What pages behind a sign-in share: who is there, where they may go, one notice or one error."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from litestar.response import Redirect

from server.frame.asked import AppRequest
from server.frame.pages import Shell, shell
from server.frame.texts import DESK_LANGUAGES, NAMES, catalogue, choose_language, say
from surveys.people import accounts
from surveys.public.organisation import load

LINKS = {
    "hr": (
        ("overview", "/hr"),
        ("waves", "/hr/waves"),
        ("results", "/hr/results"),
        ("indicators", "/hr/indicators"),
        ("actions", "/hr/actions"),
        ("people", "/hr/people"),
        ("organisation", "/hr/organisation"),
    ),
    "representative": (("keys", "/keys"), ("log", "/keys/log"), ("desk_log", "/keys/desk-log")),
    "recovery": (("keys", "/keys"),),
    "guarantee": (("keys", "/keys"),),
    "auditor": (
        ("audit", "/audit"),
        ("scorecard", "/audit/scorecard"),
        ("figures", "/audit/figures"),
        ("register", "/audit/register"),
    ),
}
MORE = {
    "hr": (
        ("scorecard", "/hr/scorecard"),
        ("figures", "/hr/figures"),
        ("register", "/hr/register"),
        ("channel", "/hr/channel"),
        ("audit", "/audit"),
        ("keys", "/keys"),
    )
}
"""What a role reaches under its own name: seldom needed."""
HOME = {
    "hr": "/hr",
    "representative": "/keys",
    "recovery": "/keys",
    "guarantee": "/keys",
    "auditor": "/audit",
    "handler": "/cases",
}


MOST_TYPED = 10_000
"""So much of a field that was refused is shown again."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A form that was refused: which one of its page, and what was typed into it, so that nobody types it twice."""

    form: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    def typed(self, form: str, name: str, otherwise: object = "") -> object:
        """What stands in a field: what was typed where this form was refused, else what the page begins with."""
        return self.fields.get(name, "")[:MOST_TYPED] if form == self.form else otherwise


NOTHING_REFUSED = Refused()


@dataclass(frozen=True, slots=True)
class Desk:
    """The frame of a page behind a sign-in."""

    account: str
    role: str
    form: str
    links: tuple[tuple[str, str, bool], ...]
    more: tuple[tuple[str, str, bool], ...]
    languages: tuple[tuple[str, str], ...]
    notice: str
    error: str
    refused: Refused


def desk_language(request: AppRequest) -> str:
    """Italian or English; asked for once it stays in the addresses that a page makes."""
    return choose_language(request.query_params.get("lang"), request.headers.get("accept-language", ""), DESK_LANGUAGES)


async def frame(request: AppRequest, *, error: str = "", refused: Refused = NOTHING_REFUSED) -> tuple[Shell, Desk]:
    """Make the frame of a desk page; a notice comes as a key in the address, never as text."""
    language = desk_language(request)
    account = getattr(request.state, "account", None)
    token = getattr(request.state, "token", "")
    role, path = account.role if account else "", request.url.path
    key = f"desk.notice.{request.query_params.get('done', '')}"
    notice = say(language, key) if key in catalogue(language) else ""
    desk = Desk(
        account=account.name if account else "",
        role=role,
        form=accounts.form_token(token) if token else "",
        links=_links(LINKS.get(role, ()), path, language),
        more=_links(MORE.get(role, ()), path, language),
        languages=tuple((code, NAMES[code]) for code in DESK_LANGUAGES),
        notice=notice,
        error=error,
        refused=refused,
    )
    return shell(await load(), language), desk


def _links(places: tuple[tuple[str, str], ...], path: str, language: str) -> tuple[tuple[str, str, bool], ...]:
    """Addresses with their names; the one that the page lies under is marked."""
    under = [a for _, a in places if path == a or (a.count("/") > 1 and path.startswith(f"{a}/"))]
    here = max(under, key=len, default="")
    return tuple((address, say(language, f"desk.nav.{name}"), address == here) for name, address in places)


def done(address: str, notice: str) -> Redirect:
    """Go to a page that says what was done."""
    return Redirect(f"{address}?{urlencode({'done': notice})}", status_code=303)
