"""An act that needs two keys, said in a sentence to the two who decide."""

from server.frame.display import day
from server.frame.texts import say
from surveys.people.two_keys import END, RAISE, SPARE, VOID, Asked, name_of


async def act_in_words(act: Asked, language: str) -> str:
    """What was asked, by whom, on which day."""
    facts = {"who": act.asked_by, "day": day(act.asked_on, language)}
    if act.act == RAISE:
        return say(language, "desk.two_keys.raise", family=say(language, f"hr.two_keys.{act.family}"), k=act.k, **facts)
    if act.act == END:
        return say(language, "desk.two_keys.end", **facts)
    if act.act == VOID:
        return say(language, "desk.two_keys.void", batch=act.k, spoiled=act.family, **facts)
    if act.act == SPARE:
        return say(language, "desk.two_keys.spare", slips=act.k, **facts)
    return say(language, "desk.two_keys.second", name=await name_of(act.person), **facts)
