"""A pack of everything that one can hold, made once for all tests: a wave that was really opened and released, two that were kept,
documents with hostile names, two kept scorecards, figures by gender, actions, promises, an open channel."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from analysis.pdr125.year_figures import YearFigures
from server.papers.pack import write
from server.papers.pack_archive import Writer
from server.papers.pack_part import About
from server.papers.printing import printed
from surveys import scorecards
from surveys.lifecycle import closing
from surveys.lifecycle.context import Site
from surveys.lifecycle.opening import open_wave
from surveys.lifecycle.planning import Wish, plan
from surveys.lifecycle.printing import print_slips
from surveys.lifecycle.releasing import release_wave
from surveys.people import figures, log, roster
from surveys.people.figures import Kept
from surveys.public import actions, channel, evidence, organisation, promises, register, ring_store
from surveys.public import house as house_file
from surveys.public.channel import YearBand
from surveys.public.evidence_state import EvidenceState
from surveys.public.register_entry import Entry
from surveys.public.signing import installation_key
from surveys.stores import StoreSettings, stores
from tests import once, urn
from tests.analysis.pdr125.years import WHOLE
from tests.conftest import DAY, ORGANISATION, WAVE, Opened, small_cooperative
from tests.server.hr.readings import keep_two
from tests.surveys.cases.memory import World
from tests.surveys.test_releasing import fill

LATER = DAY + timedelta(days=60)
"""The day of the pack."""
NAMES = ("../../etc/passwd", "verbale\u202efdp.exe", "n" * 300 + ".pdf", "piano.pdf")
"""What files of the evidence are called by whoever uploaded them."""


def stored() -> Path:
    """A folder ``data`` with stores that hold everything; copy it."""
    return once.made("packed", lambda folder: asyncio.run(_made(folder))) / "data"


async def _made(folder: Path) -> None:
    settings = StoreSettings(folder / "data")
    async with stores(settings) as engines:
        site = Site(engines, settings.data, DAY, "direzione")
        await organisation.save(engines["public"], ORGANISATION)
        await keep_two(site)
        await _wave(site)
        bands = {"2025": YearBand("5-9", True)}
        known = await channel.load()
        await channel.save(
            engines["public"], replace(known, opened=DAY.isoformat(), hearing_day=DAY.isoformat(), bands=bands)
        )
        await _evidence(site)
        await figures.keep(
            engines["people"],
            Kept(_year(), "Libro unico", "direzione", DAY),
            figures.mark_of(await figures.everything()),
        )
        await actions.add("prima", "", "Turni scritti prima", "Anna", DAY, DAY, area="4")
        await actions.add("", "3.6", "Nominare una referente\u202e", "Livia", LATER, DAY)
        await promises.answer(
            engines["public"],
            "adesso",
            {"it": "Abbiamo letto tutto quello che dite."},
            "Rosa",
            DAY,
            promises.UNANSWERED,
        )
        await _register(site)
        await scorecards.keep(site)
        await scorecards.keep(replace(site, actor="risorse"))  # which names the one before it
        for act, details in (
            ("signed in", {}),
            ("links made", {"wave": WAVE, "channel": "letter", "n": "3"}),
            ("switched to slip", {"wave": WAVE, "person": "Persona 7"}),
            ("wave opened", {"wave": WAVE, "invited": "60", "person": "Persona 8"}),
        ):
            await log.record(engines["people"], DAY, "direzione", act, **details)


def _year() -> YearFigures:
    return replace(WHOLE, year=DAY.year - 1)


async def _wave(site: Site) -> None:
    """A wave with everything it needs, opened, answered, closed, released."""
    await roster.replace(site.engines["people"], *small_cooperative(60), DAY - timedelta(days=30))
    install = installation_key(site.data).public_key().public_bytes_raw().hex()
    anchored = World(random.Random(7).randbytes, install=install)
    house_file.keep(site.data, anchored.anchor)
    first = anchored.found[0]
    await ring_store.publish(
        site.engines["public"], anchored.anchor, first.text, first.signatures, max(site.day, anchored.day)
    )
    await plan(site, Wish(WAVE, {"it": "Autunno", "en": "Autumn"}, DAY, DAY + timedelta(days=14)))
    secrets = await urn.make_words(site, WAVE)
    await urn.sign_and_confirm(site, WAVE, anchored)
    opened = Opened(await open_wave(site, WAVE), secrets, await print_slips(site, WAVE, 60))
    await promises.sign(site.engines["public"], WAVE, DAY + timedelta(days=40), "Rosa", DAY)
    await fill(site, opened, 40)
    late = replace(site, day=DAY + timedelta(days=15))
    await closing.end(late, WAVE)
    await closing.close(late, WAVE, unused_slips=20)
    await release_wave(late, WAVE, (secrets["hr"], secrets["recovery"]), lambda _: None)


async def _evidence(site: Site) -> None:
    engine = site.engines["public"]
    for place, name in enumerate(NAMES):
        content = f"documento {place}".encode() * 400
        await evidence.add_document(
            engine, "1.1", f"Documento {place}", DAY, DAY, who="anna", file_name=name, content=content
        )
    await evidence.add_document(engine, "2.1", "Nomina", DAY, DAY, who="anna", link="https://example.org/a.pdf")
    for indicator, state in (("1.1", "met"), ("2.1", "partly")):
        await evidence.set_state(engine, EvidenceState(indicator, state, set_by="anna", set_on=DAY))
        seen = (await evidence.of(indicator)).mark
        await evidence.review(engine, indicator, "berta", seen, DAY)


async def _register(site: Site) -> None:
    """A finding with a document, and a line that was taken away."""
    engine = site.engines["public"]
    for title in ("Manca la procedura", "Voce sbagliata"):
        await register.add(
            engine, Entry("observation", title, "6.3", "3.6", owner="Livia", due=LATER), "direzione", DAY
        )
    gone = (await register.everything())[2]
    await register.remove(engine, 2, gone.mark, "direzione", DAY)
    await register.add_document(
        engine, 1, "Rapporto", DAY, DAY, who="direzione", file_name="../rapporto.pdf", content=b"rapporto " * 300
    )


async def pack_of(
    settings: StoreSettings, target: Path, language: str = "it", day: date = LATER, *, paper_only: bool = False
) -> bytes:
    """A pack of these stores."""
    async with stores(settings):
        await write(About(settings.data, day, language), target, printed, paper_only=paper_only)
    return target.read_bytes()


def contents_of(made: bytes) -> dict[str, bytes]:
    """The files of a pack, as any program for ZIP files reads them."""
    with ZipFile(BytesIO(made)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def again(files: Mapping[str, bytes]) -> bytes:
    """A pack of these files, in the one form."""
    target = BytesIO()
    writer = Writer(target)
    for name, content in files.items():
        writer.add(name, content)
    writer.end()
    return target.getvalue()
