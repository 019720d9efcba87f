"""The second key: the representative confirms or refuses what the personnel office asked for."""

from typing import Any

from litestar import Request, Router, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from server.frame.security import DeskAccount, account_of, checked_form
from server.frame.signed_in import done
from server.settings import Settings
from surveys.lifecycle import two_keys
from surveys.lifecycle.context import House, today
from surveys.lifecycle.planning import PlanRefused
from surveys.people.two_keys import find
from surveys.public.waves import WrongState
from surveys.stores import Engines


@post("/{act:int}/{answer:str}")
async def settle(
    request: Request[Any, Any, Any],
    act: FromPath[int],
    answer: FromPath[str],
    engines: NamedDependency[Engines],
    settings: NamedDependency[Settings],
) -> Redirect:
    """Confirm or refuse one act."""
    await checked_form(request)
    house = House(engines, settings.data, today(), account_of(request).name)
    if await find(act) is None or answer not in ("confirm", "refuse"):
        raise NotFoundException
    try:
        if answer == "confirm":
            await two_keys.confirm(house, act)
        else:
            await two_keys.refuse(house, act)
    except (PlanRefused, WrongState):
        return done("/keys", "two_keys_not")
    return done("/keys", f"two_keys_{answer}")


ROUTERS = [Router(path="/keys/two-keys", guards=[DeskAccount("representative")], route_handlers=[settle])]
