"""What every handler may ask for: the request, and the stores and keys as the person who asks may act on them."""

from typing import Any

from litestar import Request
from litestar.di import NamedDependency

from server.settings import Settings
from surveys.lifecycle.clock import day_of
from surveys.lifecycle.context import Site, today
from surveys.stores import Engines

AppRequest = Request[Any, Any, Any]
"""A request of this application; who is signed in stands in its state."""


async def site_of(request: AppRequest, engines: NamedDependency[Engines], settings: NamedDependency[Settings]) -> Site:
    """The stores and keys today, in the name of who is signed in; of nobody where nobody is."""
    account = getattr(request.state, "account", None)
    return Site(engines, settings.data, day_of(settings.data, today()), account.name if account else "")
