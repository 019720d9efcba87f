"""The second key: the representative confirms or refuses what the personnel office asked for."""

from litestar import Router, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from server.frame.asked import AppRequest
from server.frame.security import DeskAccount, checked_form
from server.frame.signed_in import done
from surveys.lifecycle import two_keys
from surveys.lifecycle.context import Site
from surveys.lifecycle.planning import PlanRefused
from surveys.people.two_keys import find
from surveys.public.waves import WrongState


@post("/{act:int}/{answer:str}")
async def settle(
    request: AppRequest, act: FromPath[int], answer: FromPath[str], site: NamedDependency[Site]
) -> Redirect:
    """Confirm or refuse one act."""
    await checked_form(request)
    if await find(act) is None or answer not in ("confirm", "refuse"):
        raise NotFoundException
    try:
        if answer == "confirm":
            await two_keys.confirm(site, act)
        else:
            await two_keys.refuse(site, act)
    except (PlanRefused, WrongState):
        return done("/keys", "two_keys_not")
    return done("/keys", f"two_keys_{answer}")


ROUTERS = [Router(path="/keys/two-keys", guards=[DeskAccount("representative")], route_handlers=[settle])]
