"""Who sits at the handlers' desk, and the stores as she has them."""

from litestar.exceptions import PermissionDeniedException

from server.frame.asked import AppRequest
from server.frame.security import account_of
from server.settings import Settings
from surveys.cases import desk as cases
from surveys.cases.desk import open_desk
from surveys.cases.keeper import keeper_at
from surveys.lifecycle.clock import day_of
from surveys.lifecycle.context import today
from surveys.people import accounts
from surveys.public import readers
from surveys.stores import Engines


async def seat_of(settings: Settings, engines: Engines) -> cases.Desk:
    """The stores of cases as a handler's page has them today."""
    day = day_of(settings.data, today())
    return await open_desk(engines["cases"], keeper_at(settings.data), await readers.load(settings.data), day)


def ours(request: AppRequest) -> str:
    """The handler of a script's request, which carries the session's form token in a header.

    Raises
    ------
    PermissionDeniedException
        If it does not: another site cannot set it.
    """
    if not accounts.form_token_is(request.state.token, request.headers.get("x-form", "")):
        raise PermissionDeniedException
    return account_of(request).name
