"""What happens at the doors, as acts of the log: by day and account, and a flood of failures in at most four lines a day."""

from datetime import date

from surveys.engines import StoreEngine
from surveys.people import log
from surveys.people.accounts import SignInRefused
from surveys.people.attempts import BANDS


async def refused(engine: StoreEngine, day: date, problem: SignInRefused) -> None:
    """Write a refusal down where the day's count reaches a band; of a name that nobody has, the name is not kept."""
    if problem.failures_today in BANDS:
        act = "sign-ins failed" if problem.account else "sign-ins of nobody"
        await log.record(engine, day, problem.account or "ascolto", act, least=str(problem.failures_today))
