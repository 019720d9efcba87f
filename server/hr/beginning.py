"""From an empty installation to the first survey: six steps, each with who does it, the next one with its button."""

from dataclasses import dataclass

from server.frame.texts import say
from surveys.people import accounts, roster
from surveys.public.organisation import load
from surveys.public.waves import State, everything

SEATS = ("representative", "recovery")
"""Who holds a key of a survey beside HR."""
READY = (State.READY, State.OPEN, State.ENDED, State.CLOSED, State.RELEASED)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: done, the next one, or later."""

    state: str
    text: str
    who: str
    address: str


async def steps(language: str) -> tuple[Step, ...]:
    """The six steps as they stand."""
    waves = await everything()
    states = {wave.state for wave in waves if wave.origin == "ascolto"}
    held = {account.role for account in await accounts.everyone()}
    done = {
        "organisation": await load() is not None,
        "people": await roster.count() > 0,
        "seats": all(seat in held for seat in SEATS),
        "wave": bool(states - {State.DRAFT, State.CANCELLED}),
        "keys": any(state in READY for state in states),
        "open": any(state in READY[1:] for state in states),
    }
    places = {
        "organisation": "/hr/organisation",
        "people": "/hr/people",
        "seats": "",
        "wave": "/hr/waves/new",
        "keys": "/keys",
        "open": "/hr/waves",
    }
    upcoming = next((name for name, is_done in done.items() if not is_done), "")
    return tuple(
        Step(
            "done" if is_done else "next" if name == upcoming else "later",
            say(language, f"hr.beginning.{name}"),
            say(language, f"hr.beginning.{name}_who"),
            places[name] if name == upcoming else "",
        )
        for name, is_done in done.items()
    )
