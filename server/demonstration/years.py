"""The invented cooperative over the years: evidence that grows and ends, scorecards that were kept, promises, actions."""

from collections.abc import Sequence
from datetime import date, timedelta

from server.demonstration.stories import Story
from server.settings import Settings
from surveys import scorecards
from surveys.lifecycle.context import Site, today
from surveys.public import actions, evidence, promises
from surveys.public.evidence_state import EvidenceState
from surveys.stores import Engines

_WRITES, _CONFIRMS = "direzione", "direzione2"
_EVIDENCE = (
    ("1.1", "met", "Piano strategico per la parità", 0),
    ("2.1", "met", "Nomina del comitato guida", 0),
    ("3.1", "met", "Regolamento di selezione", 0),
    ("6.2", "met", "Accordo integrativo", 0),
    ("2.3", "not_met", "Bilancio di previsione", 0),
    ("1.2", "met", "Procedura per opinioni e suggerimenti", 1),
    ("1.3", "met", "Linee guida sul linguaggio", 1),
    ("1.5", "met", "Registro della formazione", 1),
    ("2.2", "met", "Procedura sulla non inclusione", 1),
    ("3.5", "met", "Regolamento sul rientro", 1),
    ("4.5", "met", "Organigramma con i responsabili di unità", 1),
    ("6.3", "met", "Programma per la genitorialità", 1),
    ("2.5", "met", "Visura degli organi sociali", 2),
    ("3.6", "met", "Nomina delle persone di riferimento", 2),
    ("4.2", "met", "Libro unico: donne e uomini in organico", 2),
    ("5.1", "met", "Analisi retributiva per livello", 2),
    ("5.2", "met", "Prospetto delle promozioni per genere e livello", 2),
    ("6.1", "met", "Convenzione con il nido di Prato", 2),
)
"""Indicator, state, document, and in which year it came: 0 two years ago, 1 last year, 2 this year."""
_EXPIRING = "5.1"
"""The indicator whose evidence runs out soon: without it the total falls under the threshold."""
_TRAINING = "1.5"
"""The indicator that the practice itself lets count for two years."""


async def make(engines: Engines, settings: Settings, stories: Sequence[Story]) -> None:
    """Live through the years, the oldest first."""
    now = today()
    ends = [date(now.year - back, 12, 20) for back in (2, 1)]
    days = (ends[0] - timedelta(days=30), ends[1] - timedelta(days=30), max(now - timedelta(days=60), ends[1] + _DAY))
    for year, day in enumerate(days):
        for indicator, state, title, came in _EVIDENCE:
            if came == year:
                await _set(engines, indicator, state, title, day)
        if year < len(ends):
            await scorecards.keep(Site(engines, settings.data, ends[year], _WRITES))
    await _promise(engines, stories)
    await _act(engines, stories)


_DAY = timedelta(days=1)


async def _set(engines: Engines, indicator: str, state: str, title: str, day: date) -> None:
    """A document, what somebody found in it, and somebody else's look."""
    public, now = engines["public"], today()
    paper = min(now - timedelta(days=680), day) if indicator == _TRAINING else day - timedelta(days=20)
    link = f"https://esempio.invalid/documenti/{indicator}.pdf"
    await evidence.add_document(public, indicator, title, paper, day, who=_WRITES, link=link)
    last = now + timedelta(days=50) if indicator == _EXPIRING else day + timedelta(days=1095)
    until = None if indicator == _TRAINING else last
    await evidence.set_state(public, EvidenceState(indicator, state, set_by=_WRITES, set_on=day, valid_until=until))
    mark = (await evidence.of(indicator)).mark
    await evidence.review(public, indicator, _CONFIRMS, mark, min(day + timedelta(days=10), now))


async def _promise(engines: Engines, stories: Sequence[Story]) -> None:
    """The first two surveys were answered in time, the third was not."""
    for story, said in zip(stories[:2], _ANSWERS, strict=True):
        ended = today() - timedelta(days=story.ago - story.length)
        answered = ended + timedelta(days=story.promise - 5)
        await promises.answer(
            engines["public"], story.id, said, "Rosa Inventata, presidente", answered, promises.UNANSWERED
        )


_ANSWERS = (
    {
        "it": "Grazie a chi ha risposto. A Prato i turni cambiano troppo spesso: dal mese prossimo escono due settimane prima.",
        "en": "Thank you to those who answered. In Prato shifts change too often: from next month they come two weeks ahead.",
    },
    {
        "it": "Molte persone non sapevano a chi dire di una molestia. Abbiamo nominato una persona di riferimento e la presentiamo.",
        "en": "Many did not know whom to tell of harassment. We have named a contact person and present her.",
    },
)


async def _act(engines: Engines, stories: Sequence[Story]) -> None:
    """What was done after the last surveys, and what is still to do."""
    now, last, before = today(), stories[2].id, stories[1].id
    for wave, indicator, area, unit, text, owner, due, done in (
        (before, "", "", "unit:po", "Turni di Prato due settimane prima", "Coordinamento Prato", -250, -260),
        (before, "", "3", "", "Nominare le persone di riferimento", "Direzione", -220, -215),
        (last, "3.6", "", "", "Presentare le persone di riferimento in ogni sede", "Sara Finta", 40, None),
        (last, "", "", "unit:li", "Turni di Livorno pubblicati con tre settimane di anticipo", "Coordinamento Livorno", 20, None),
        (last, "1.5", "", "", "Completare la formazione sugli stereotipi", "Ufficio formazione", -10, None),
    ):  # fmt: skip
        day = now + timedelta(days=due)
        written = now - timedelta(days=300 if wave == before else 150)
        await actions.add(wave, indicator, text, owner, day, written, area=area, unit=unit)
        if done is not None:
            made = next(one for one in await actions.everything() if one.text == text)
            await actions.finish(engines["public"], made.id, made.mark, now + timedelta(days=done))
