"""The demonstration: an invented cooperative of 430 people, three past waves with a story, one open wave.

Answers are made up by a fixed seed and sent through the real form over the application itself, not inserted.
"""

import asyncio
import json
import random
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from server.demonstration import channel, figures, register, years
from server.demonstration.stories import STORIES, Story
from server.frame.terminal import refuse, tell
from server.frame.texts import catalogue, say
from server.processes import workers
from server.settings import Settings
from surveys.languages import LANGUAGES
from surveys.lifecycle import closing, opening, printing
from surveys.lifecycle.context import Site, today
from surveys.lifecycle.planning import Wish, plan
from surveys.people import accounts, roster
from surveys.people.panel import members
from surveys.people.roster import PersonEntry, UnitEntry
from surveys.public import organisation, promises
from surveys.public.organisation import Notice, OrganisationRecord, SupportContact
from surveys.questionnaire import Item, Questionnaire
from surveys.slips import grouped
from surveys.stores import Engines

MARK = "demonstration.json"
"""What `make run` prints: invented accounts and codes. Only a demonstration ever writes such a file."""
SEED = 125
TERRITORIES = {
    "fi": ("Firenze", 122),
    "po": ("Prato", 96),
    "pt": ("Pistoia", 70),
    "li": ("Livorno", 62),
    "ms": ("Massa Carrara", 45),
    "mu": ("Mugello", 35),
}
SERVICES = (
    ("cura", "Cura a domicilio"),
    ("anziani", "Residenza anziani"),
    ("nido", "Asilo nido"),
    ("scuola", "Sostegno a scuola"),
    ("pulizie", "Pulizie"),
    ("logistica", "Logistica"),
    ("ufficio", "Ufficio"),
)
_SIZES = (0.27, 0.22, 0.17, 0.13, 0.11, 0.06, 0.04)
SPOKEN = (("it", 58), ("ro", 12), ("sq", 9), ("ar", 5), ("uk", 5), ("es", 4), ("fr", 3), ("zh-Hans", 2), ("en", 2))
_FIRST = (
    "Anna",
    "Luca",
    "Maria",
    "Elena",
    "Dana",
    "Arben",
    "Olena",
    "Youssef",
    "Giulia",
    "Marco",
    "Mei",
    "Ion",
    "Rosa",
    "Paolo",
    "Irina",
    "Fatima",
)
_LAST = ("Prova", "Esempio", "Finto", "Inventata", "Campione", "Modello", "Bozza", "Schema")


MOOD = 0.75
"""How far people differ in all they answer; a single answer differs by 1. Five questions then go together with an omega of about
0.7, as the five of Agreeableness in psych::bfi do (0.724, docs/statistics.md 2.8)."""


def is_made(settings: Settings) -> bool:
    """Say whether this data folder holds a finished demonstration."""
    return (settings.data / MARK).exists()


def _people(dice: random.Random) -> tuple[list[UnitEntry], list[PersonEntry]]:
    units: list[UnitEntry] = []
    persons: list[PersonEntry] = []
    for code, (name, size) in TERRITORIES.items():
        units.append(UnitEntry(code, name, ""))
        for (service, label), share in zip(SERVICES, _SIZES, strict=True):
            unit = f"{code}.{service}"
            units.append(UnitEntry(unit, f"{label} {name}", code))
            count = max(1, round(size * share))
            if service == "cura" and count >= 20:
                units += [UnitEntry(f"{unit}.{team}", f"Squadra {team.upper()} {name}", unit) for team in ("a", "b")]
            for _ in range(count):
                place = f"{unit}.{dice.choice('ab')}" if service == "cura" and count >= 20 else unit
                persons.append(_person(dice, place, len(persons)))
    while len(persons) > 430:
        persons.pop(dice.randrange(len(persons)))
    while len(persons) < 430:
        persons.append(_person(dice, "fi.nido", 1000 + len(persons)))
    return units, persons


def _person(dice: random.Random, unit: str, number: int) -> PersonEntry:
    language = dice.choices([code for code, _ in SPOKEN], [share for _, share in SPOKEN])[0]
    gender = dice.choices(("f", "m", "nb", ""), (76, 22, 1, 1))[0]
    age = dice.choices(("u30", "30_39", "40_49", "50_59", "60p"), (14, 24, 28, 25, 9))[0]
    return PersonEntry(f"{dice.choice(_FIRST)} {dice.choice(_LAST)} {number + 1}", "", language, unit, gender, age, {})


def _chosen(item: Item, person: Any, story: Story, mood: float, dice: random.Random) -> list[str]:
    """What an invented person answers to one item."""
    match item.id:
        case "unit":
            known = [code for code in item.codes if code == person.unit or person.unit.startswith(f"{code}.")]
            return (
                [max(known, key=len)]
                if known and dice.random() > 0.06
                else dice.choice([["prefer_not"], ["several"], []])
            )
        case "gender":
            return [person.gender] if person.gender and dice.random() > 0.02 else ["prefer_not"]
        case "age":
            return [person.age] if dice.random() > 0.04 else ["prefer_not"]
    if item.type == "experience":
        return _lived(item, dice)
    if dice.random() < 0.02:
        return []
    if dice.random() < 0.02:
        return ["prefer_not"]
    if "dont_know" in item.codes and dice.random() < (0.34 if item.id in ("LEA1", "SAF5") else 0.09):
        return ["dont_know"]
    mean = story.themes.get(item.construct, 3.4) + mood + story.territories.get(person.unit.split(".")[0], 0.0)
    if person.gender == "f" and item.construct in ("GRO", "PAY"):
        mean -= 0.9
    if "3.6" in item.indicators:
        mean -= 0.8
    value = min(5, max(1, round(dice.gauss(mean, 1.0))))
    return [str(6 - value if item.reverse else value)]


def _lived(item: Item, dice: random.Random) -> list[str]:
    if item.multiple:
        if item.id == "EXP6":
            return [dice.choice(("gender", "age", "origin", "parent"))] if dice.random() < 0.12 else ["none"]
        return [dice.choice([code for code in item.codes if code != "prefer_not"])] if dice.random() < 0.12 else []
    return [dice.choices(("0", "1", "2", "prefer_not"), (88, 6, 3, 3))[0]]


async def _answer(client: Any, wave: str, form: dict[str, Any], gate: asyncio.Semaphore) -> None:
    async with gate:
        answered = await client.post("/answer", data=form, follow_redirects=False)
        if answered.status_code != 303:
            raise RuntimeError(f"the form of {wave} was refused with {answered.status_code}")


async def _answers(
    client: Any, story: Story, codes: Sequence[str], questionnaire: Questionnaire, dice: random.Random
) -> int:
    """Send the sheets of a wave through the application's own form."""
    people = sorted(await members(""), key=lambda member: member.person)
    those = [person for person in people if dice.random() < story.response]
    gate = asyncio.Semaphore(32)
    forms = []
    for person, code in zip(those, codes, strict=False):
        mood = dice.gauss(0, MOOD)
        chosen = {item.id: _chosen(item, person, story, mood, dice) for item in questionnaire.items()}
        forms.append(
            {**chosen, "_code": code, "_wave": story.id, "_lang": "it", "_attempt": f"{dice.getrandbits(128):032x}"}
        )
    await asyncio.gather(*(_answer(client, story.id, form, gate) for form in forms))
    return len(forms)


async def make(settings: Settings, address: str) -> int:
    """Make the demonstration; refuses a data folder that holds an organisation."""
    import httpx

    from server.app import create_app

    began = time.monotonic()
    app = create_app(settings, with_jobs=False)
    dice = random.Random(SEED)
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://demonstration") as client,  # type: ignore[arg-type]  # Litestar is an ASGI application
    ):
        engines: Engines = app.state.engines
        if await organisation.load() is not None:
            return refuse("demo_not_empty", folder=settings.data)
        tell("demo_begin")
        known = await _set_up(engines, settings, address, dice)
        known["channel"] = await channel.make(Site(engines, settings.data, today(), "administrator"))
        for story in STORIES:
            known[story.id] = await _wave(engines, settings, story, client, dice, known["channel"]["seats"])
            tell("demo_wave", wave=story.id, sheets=known[story.id]["sheets"], seconds=round(time.monotonic() - began))
        await years.make(engines, settings, STORIES)
        await figures.make(engines["people"], today())
        await register.make(engines["public"], today())
    known["codes"] = known[STORIES[-1].id].pop("unused")
    _mark(settings, known)
    tell("demo_done", seconds=round(time.monotonic() - began))
    return 0


def _mark(settings: Settings, known: Mapping[str, Any]) -> None:
    path = settings.data / MARK
    path.write_text(json.dumps(known, ensure_ascii=False, indent=1), "utf-8")
    path.chmod(0o600)


async def _set_up(engines: Engines, settings: Settings, address: str, dice: random.Random) -> dict[str, Any]:
    """Organisation, people, accounts."""
    what = {language: say(language, "demo.contact") for language in LANGUAGES if "demo.contact" in catalogue(language)}
    await organisation.save(
        engines["public"],
        OrganisationRecord(
            name="Cooperativa Esempio",
            demonstration=True,
            referente="Sara Finta, 055 000000",
            canale="la cassetta gialla in ogni sede",
            help_checked_on=today().isoformat(),
            address=address,
            notice=Notice(
                "Cooperativa sociale Esempio (inventata), Firenze",
                "Conoscere come il personale vive rispetto e parità, e migliorare.",
                "I fogli cifrati fino alla pubblicazione, poi vengono distrutti. I risultati per cinque anni.",
                "privacy@esempio.invalid",
            ),
            contacts=(
                SupportContact("Sara Finta, persona di riferimento", what, "055 000000", "lun-ven 9-13", True),
                SupportContact("Consigliera di parità", what, "055 000001", "mar 15-18", False),
            ),
        ),
    )
    units, persons = _people(dice)
    await roster.replace(engines["people"], units, persons, today() - timedelta(days=800))
    known: dict[str, Any] = {"accounts": {}}
    for name, role in (
        ("direzione", "hr"),
        ("direzione2", "hr"),
        ("rappresentante", "representative"),
        ("custode", "recovery"),
        ("verifica", "auditor"),
    ):
        password = f"prova-{secrets.token_hex(4)}"
        await accounts.add(engines["people"], name, role, password)
        second = await channel.with_codes(Site(engines, settings.data, today(), "administrator"), name)
        known["accounts"][name] = {"role": role, "password": password, "second": second}
    return known


async def _wave(
    engines: Engines, settings: Settings, story: Story, client: Any, dice: random.Random, seats: Mapping[str, str]
) -> dict[str, Any]:
    """Plan, open, answer; past waves are also closed and released."""
    opened = today() - timedelta(days=story.ago)
    site = Site(engines, settings.data, opened, "direzione")
    await organisation.save(engines["public"], replace(await _organisation(), help_checked_on=opened.isoformat()))
    ends = opened + timedelta(days=story.length)
    record = await plan(site, Wish(story.id, story.title, opened, ends))
    due = ends + timedelta(days=story.promise)
    await promises.sign(engines["public"], story.id, due, "Rosa Inventata, presidente", opened)
    held = await channel.hold_ceremony(site, story.id, seats)
    await opening.open_wave(site, story.id)
    codes = await printing.print_slips(site, story.id, 430)
    sheets = await _answers(client, story, codes, Questionnaire.from_json(dict(record.questionnaire)), dice)
    if story is STORIES[-1]:
        await organisation.save(engines["public"], replace(await _organisation(), help_checked_on=today().isoformat()))
        await closing.count_received(replace(site, day=today()))
        return {"sheets": sheets, "secrets": held, "unused": [grouped(code) for code in codes[-10:]]}
    ended = replace(site, day=opened + timedelta(days=story.length + 1))
    await closing.end(ended, story.id)
    await closing.close(ended, story.id, unused_slips=430 - sheets - 3)
    await workers.run(
        settings,
        "release",
        {
            "wave": story.id,
            "first": held["hr"],
            "second": held["representative"],
            "actor": "direzione",
            "day": str(ended.day + timedelta(days=2)),
        },
    )
    return {"sheets": sheets}


async def _organisation() -> OrganisationRecord:
    record = await organisation.load()
    if record is None:
        raise RuntimeError("the demonstration lost its organisation")
    return record


def greet(settings: Settings, address: str, *, qr: bool) -> None:
    """Say once where everything is: staff, HR, holders, results. Invented accounts and codes only."""
    known = json.loads((settings.data / MARK).read_text("utf-8"))
    tell("greet_staff", address=address)
    for code in known["codes"]:
        print(f"    {code}")
    if qr:
        import segno

        segno.make(f"{address}/answer#{known['codes'][0]}").terminal(compact=True)
    tell("greet_results", address=address, wave=STORIES[-2].id)
    tell("greet_accounts", address=address)
    for name, account in known["accounts"].items():
        print(f"    {name:<16}{account['password']}   ({account['role']}; {account.get('second', '-')})")
    tell("greet_secrets")
    for seat, secret in known[STORIES[-1].id]["secrets"].items():
        print(f"    {seat:<16}{secret}")
    tell("greet_handlers", address=address)
    for name, handler in known["channel"]["handlers"].items():
        print(f"    {name:<16}{handler['passphrase']}   ({handler['second']})")


def show_code(settings: Settings, name: str) -> int:
    """Print the six digits that the app of an invented account shows now: a demonstration has no telephone."""
    from base64 import b32decode
    from datetime import UTC, datetime

    if not is_made(settings):
        return refuse("demo_none")
    known = json.loads((settings.data / MARK).read_text("utf-8"))
    account = (known["accounts"] | known["channel"]["handlers"]).get(name, {})
    if "second" not in account:
        return refuse("demo_no_code", name=name)
    print(channel.code(b32decode(account["second"]), datetime.now(UTC)))
    return 0
