"""Which open waves take sheets: each checked when this process first needs it, and fixed from then on."""

from pathlib import Path

from surveys.answers.plans import PlanOther
from surveys.answers.rights import OpenWave
from surveys.lifecycle import pins
from surveys.lifecycle.context import read_wave_key
from surveys.lifecycle.ready import checked_plan, is_second, unconfirmed
from surveys.public.questionnaires import questionnaire_of
from surveys.public.waves import WaveRecord, get, open_ids

_fixed: dict[str, OpenWave] = {}
"""Open waves of this process by id; another process makes its own, from the same frozen record."""
_data = Path()


def begin(data: Path) -> None:
    """Begin with a folder of keys, and without what an application before this one had in memory."""
    global _data
    _data = data
    _fixed.clear()


async def accepting(wanted: str | None) -> OpenWave | None:
    """The wave asked for if it is open, else any open one.

    Raises
    ------
    PlanOther
        If its row, its file and the signatures of its plan do not agree: no answer is taken.
    """
    open_now = await open_ids()
    if not open_now:
        return None
    chosen = wanted if wanted in open_now else open_now[0]
    if chosen not in _fixed:
        _fixed[chosen] = await _checked(await get(chosen))
    return _fixed[chosen]


async def accepted(named: str) -> OpenWave | None:
    """The wave that a form names, also where it closed meanwhile: the urn knows no code of a closed wave; else any open one."""
    return _fixed.get(named) or await accepting(named)


async def _checked(record: WaveRecord) -> OpenWave:
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
