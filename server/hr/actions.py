"""What the organisation will do: written down beside a release or an indicator, and marked as done."""

from datetime import date

from litestar import post
from litestar.params import FromPath
from litestar.response import Redirect

from server.frame.asked import AppRequest
from server.frame.security import checked_form
from server.frame.signed_in import done
from surveys.lifecycle.context import today
from surveys.public import actions


def _back(data: dict[str, str]) -> str:
    back = data.get("back", "")
    return back if back.startswith("/hr/") else "/hr"


@post("/actions")
async def add_action(request: AppRequest) -> Redirect:
    """Write an action down."""
    data = await checked_form(request)
    try:
        due = date.fromisoformat(data.get("due", ""))
        await actions.add(
            data.get("wave", ""),
            data.get("indicator", ""),
            data.get("text", "")[:500],
            data.get("owner", "")[:100],
            due,
            today(),
        )
    except ValueError:
        return done(_back(data), "action_incomplete")
    return done(_back(data), "action_added")


@post("/actions/{action:str}/done")
async def finish_action(request: AppRequest, action: FromPath[str]) -> Redirect:
    """Mark an action as done."""
    data = await checked_form(request)
    await actions.finish(action, today())
    return done(_back(data), "action_finished")


HANDLERS = (add_action, finish_action)
