"""Which waves take sheets: each checked when this process first needs it, and fixed from then on."""

from pathlib import Path

from surveys.answers.plans import PlanOther
from surveys.answers.rights import OpenWave
from surveys.lifecycle import frozen, pins
from surveys.lifecycle.context import read_wave_key
from surveys.lifecycle.ready import checked_plan, is_second, unconfirmed
from surveys.public.questionnaires import questionnaire_of
from surveys.public.waves import State, WaveRecord, get, open_ids, states

_fixed: dict[str, OpenWave] = {}
"""Open waves of this process by id; another process makes its own, from the same frozen record."""
_data = Path()


def begin(data: Path) -> None:
    """Begin with a folder of keys, and without what an application before this one had in memory."""
    global _data
    _data = data
    _fixed.clear()


async def to_answer(wanted: str | None) -> OpenWave | None:
    """The wave asked for if it is open, else any open one.

    Raises
    ------
    PlanOther
        If its row, its file and the signatures of its plan do not agree: no answer is taken.
    """
    open_now = await open_ids()
    if not open_now:
        return None
    return await _known(wanted if wanted in open_now else open_now[0])


async def to_send(named: str) -> OpenWave | None:
    """The wave that a filled form names, from its opening to its closing: a sheet that was on its way at the end still arrives. One that
    closed while this process knew it, whose codes the urn knows no more; else any open one.

    Raises
    ------
    PlanOther
        As `to_answer`.
    """
    state = (await states(State.OPEN, State.ENDED, State.CLOSED)).get(named)
    if state is not None and (state != State.CLOSED or named in _fixed):
        return await _known(named)
    return await to_answer(named)


def known(named: str) -> OpenWave | None:
    """The wave of this name if this process knows it: whether it still takes a sheet its urn says, without another look."""
    return _fixed.get(named)


async def let_go() -> None:
    """Forget the waves that can take no sheet ever again, and with each its wave key; one that is closed stays until its release."""
    may = await states(State.OPEN, State.ENDED, State.CLOSED)
    for wave in set(_fixed) - set(may):
        _fixed.pop(wave, None)


async def _known(wave: str) -> OpenWave:
    if wave not in _fixed:
        _fixed[wave] = await _checked(await get(wave))
    return _fixed[wave]


async def _checked(record: WaveRecord) -> OpenWave:
    await frozen.check(_data, record)
    common = (record.id, questionnaire_of(record), record.token_key, record.messages)
    if not is_second(_data, record.id):
        pins.check(_data, record)
        return OpenWave(*common, seal_key=record.seal_key, phone_key=record.phone_key)
    plan = await checked_plan(_data, record)
    if unconfirmed(plan, record.confirmations):
        raise PlanOther("a holder has not confirmed the plan")
    try:
        return OpenWave(*common, plan, read_wave_key(_data, record.id))
    except (OSError, ValueError):
        raise PlanOther("the wave key is not here") from None
