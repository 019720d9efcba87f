"""The invented cooperative's register: findings, audits, reviews and objectives of two years, one late, the yearly review due."""

from dataclasses import replace
from datetime import date, timedelta

from surveys.engines import StoreEngine
from surveys.public import register
from surveys.public.register_entry import Entry

WHO = "direzione"
TEAM = "Marta Esempio, Luca Modello"
_LINES = (
    # kind, title, clause, indicator, evidence, owner, written, due, closed (days from today), outcome
    ("objective", "Metà delle responsabili di unità sono donne", "6.3.2.2", "4.5", "Piano strategico, obiettivo 2", "Direzione", -700, -330, -340, "24 su 37: raggiunto"),
    ("internal_audit", "Primo audit interno", "6.4.4", "", "Programma di audit, prima edizione", "Comitato guida", -690, -640, -640, "Tre rilievi"),
    ("non_conformity", "Annunci senza linguaggio neutro", "6.3.2.1", "3.1", "Cinque annunci su otto, campione di un anno", "Ufficio personale", -640, -560, -570, "Modello nuovo; dieci annunci riletti, tutti corretti"),
    ("observation", "Part-time esclusi dai corsi serali", "6.3.2.2", "3.3", "Calendario dei corsi, interviste in due sedi", "Ufficio formazione", -640, -500, -520, "Corsi doppi, anche al mattino"),
    ("review", "Riesame della direzione", "6.4.6", "", "Indicatori, rilievi e risultati dell'indagine", "Rosa Inventata, presidente", -430, -400, -385, "Confermato il piano; più ore per la formazione"),
    ("internal_audit", "Audit interno sui sei temi", "6.4.4", "", "Programma di audit, seconda edizione", "Comitato guida", -150, -75, -72, "Una non conformità, tre osservazioni, un'opportunità"),
    ("non_conformity", "Fogli firma mancanti in 2 sedi su 6", "6.3.2", "1.5", "Registro della formazione sugli stereotipi", "Ufficio formazione", -72, -8, None, ""),
    ("observation", "Verbale del comitato non firmato", "6.3.1", "2.2", "Verbale della seduta di primavera", "Marta Esempio", -72, 16, None, ""),
    ("observation", "I documenti ci sono, le persone non li vedono", "6.4.3", "3.6", "Otto interviste su dodici; risultati dell'indagine", "Sara Finta", -72, 40, None, ""),
    ("opportunity", "Orari flessibili solo negli uffici", "6.3.2.5", "6.2", "Accordo integrativo", "Coordinamento Livorno", -72, 120, None, ""),
    ("objective", "Tutte le sedi formate contro le molestie", "6.3.2.6", "3.6", "Piano strategico, obiettivo 5", "Direzione", -60, 210, None, ""),
)  # fmt: skip


async def make(engine: StoreEngine, day: date) -> None:
    """Write the lines as they came over the years."""
    for kind, title, clause, indicator, evidence, owner, written, due, closed, outcome in _LINES:
        began = day + timedelta(days=written)
        team = TEAM if kind == "internal_audit" else ""
        entry = Entry(kind, title, clause, indicator, evidence, owner, day + timedelta(days=due), team=team)
        number = await register.add(engine, entry, WHO, began)
        if kind == "internal_audit":
            link = f"https://esempio.invalid/documenti/audit-{number}.pdf"
            held = day + timedelta(days=closed or 0)
            await register.add_document(engine, number, "Rapporto di audit", held, held, who=WHO, link=link)
        if closed is not None:
            over = day + timedelta(days=closed)
            seen = (await register.everything())[number].mark
            ended = replace(entry, closed_on=over, outcome=outcome)
            await register.change(engine, number, seen, ended, WHO, over)
