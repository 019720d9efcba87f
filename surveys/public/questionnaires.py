"""The questionnaire of a wave, parsed once and kept."""

from functools import lru_cache
from json import dumps, loads

from surveys.public.waves import WaveRecord
from surveys.questionnaire import Questionnaire


@lru_cache(maxsize=8)
def _read_questionnaire(text: str) -> Questionnaire:
    return Questionnaire.from_json(loads(text))


def questionnaire_of(wave: WaveRecord) -> Questionnaire:
    """The frozen questionnaire of a wave; parsed once for each text."""
    return _read_questionnaire(dumps(wave.questionnaire, sort_keys=True))
