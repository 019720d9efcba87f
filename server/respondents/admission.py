"""One sheet received, or what stands in its way as a sentence's key and a status: the same for every door."""

from collections.abc import Awaitable, Callable

from server.frame import faults
from surveys.answers.filling import Receipt
from surveys.answers.intake import NotSealed, receive
from surveys.answers.rights import OpenWave, Right
from surveys.answers.urn import TooManyWaiting, Urn
from surveys.blind import TOKEN_LETTERS
from surveys.lifecycle.accepting import known, to_send
from surveys.questionnaire import AnswerSheet


async def in_wave[Refusal: tuple[object, int]](
    named: str, receive: Callable[[OpenWave], Awaitable[Refusal | None]]
) -> tuple[OpenWave | None, Refusal | None]:
    """Receive a sheet in the wave that it names: which wave took it, None where none takes any; and why it was refused.

    A wave that this process knows is not looked at anew, since its urn says whether it takes the sheet; what the urn refuses is.

    Parameters
    ----------
    named : the wave's id as the form or the phone gives it
    receive : puts the sheet into the urn of a wave; None, or why not and a status
    """
    wave = known(named)
    refused = await receive(wave) if wave is not None else None
    if wave is not None and (refused is None or refused[1] == 503):
        return wave, refused
    now = await to_send(named)
    if now is not None and now is not wave:
        refused = await receive(now)
    return now, refused


async def admit(urn: Urn, right: Right, sheet: AnswerSheet | bytes, attempt: bytes) -> tuple[str, int] | None:
    """Receive one sheet; None where it is in the urn."""
    try:
        receipt = await receive(urn, right, sheet, attempt)
    except NotSealed:
        return "staff.problem.unknown_item", 422
    except TooManyWaiting:
        return "staff.problem.busy", 503
    except Exception as problem:  # a full disk, a read-only file, a lost database: whatever it is, nothing was kept and she may try again
        faults.note("urn", problem)
        return "staff.problem.storage", 503
    match receipt:
        case Receipt.RECEIVED:
            return None
        case Receipt.USED:
            return "staff.problem.used_code", 409
        case Receipt.UNKNOWN:
            return "staff.problem.unknown_code", 422


def not_a_code(text: str) -> str:
    """The sentence for what somebody cannot answer with; the same for every token that is none of this wave."""
    if len(text) >= TOKEN_LETTERS - 100:
        return "link.page.broken"
    return "staff.problem.bad_code" if text.strip() else "staff.problem.no_code"
