"""Two releases of the full form for tests of who reads them: in Prato answers are lower, of women on growth too."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np

from analysis.demographics import Category
from analysis.release import Facts, release
from analysis.responses import RawResponses
from analysis.rules import Rules
from analysis.views import default_plan
from surveys.lifecycle.context import Site
from surveys.lifecycle.instrument import instrument_of
from surveys.lifecycle.releasing import signed
from surveys.public import releases, waves
from surveys.public.waves import State, WaveRecord
from surveys.questionnaire import Questionnaire, UnitNode, shipped
from surveys.stores import StoreSettings, stores
from tests.analysis.waves import dice
from tests.conftest import DAY
from tests.server.hr.offices import Offices, offices

UNITS = (
    ("po", "Prato", ""),
    ("po.a", "Cucina", "po"),
    ("po.b", "Cura", "po"),
    ("fi", "Firenze", ""),
    ("fi.a", "Nido", "fi"),
)
TINY = "fi.a"
"""A service of three people: never shown."""
LOOSE = "VOI"
"""A theme whose questions have nothing to do with each other."""
CLOSED = DAY - timedelta(days=100)


def form_of(kind: str, other: str = "") -> Questionnaire:
    """The questionnaire; one question may be asked in other Italian words."""
    form = shipped(kind, [UnitNode(*unit) for unit in UNITS], ("unit", "gender", "age"))
    words = next((item.text["it"] for item in form.items() if item.id == other), "")
    said = json.dumps(form.to_json(), ensure_ascii=False)
    return Questionnaire.from_json(json.loads(said.replace(words, f"{words} Davvero.") if words else said))


@cache
def document_of(
    name: str, kind: str, closed: date, low: float, women: float, n: int = 240, title: str = "", other: str = ""
) -> dict[str, Any]:
    """So many people; in Prato answers are lower by `low`, and of women on growth by `women`."""
    form, source = form_of(kind, other), np.random.default_rng(len(name))
    instrument = instrument_of(form)
    tree = [Category(code, label, above or None) for code, label, above in UNITS]
    plan = default_plan(tree, [Category(c, c) for c in ("f", "m")], [Category(c, c) for c in ("u30", "30_39")])
    unit = np.array([TINY] * 3 + [("po.a", "po.b", "fi", "fi")[i % 4] for i in range(n - 3)])
    gender = np.array([("f", "f", "m")[i % 3] for i in range(n)])
    groups = {"unit": unit.tolist(), "gender": gender.tolist(), "age": [("u30", "30_39")[i % 2] for i in range(n)]}
    mood, answers = source.normal(0, 0.7, n), {}
    for item in instrument.items:
        shift = np.where(np.char.startswith(unit, "po"), -low, 0.0)
        shift = shift - np.where((gender == "f") & (4 in item.areas), women, 0.0)
        own = source.normal(0, 1.2, n) if item.construct == LOOSE else mood
        felt = 3.3 + (-1 if item.reverse else 1) * (own + shift) + source.normal(0, 0.9, n)
        scored = np.clip(np.rint(felt), item.low, item.high).astype(int)
        answers[item.id] = (scored if item.family == "items" else np.zeros(n, dtype=int)).tolist()
    counts = {"invited": n + 60, "issued": 0, "drawn": n, "received": n, "unreadable": 0}
    about = {"id": name, "title": {"it": title or name}, "opened": str(closed), "closed": str(closed)}
    asked = {"id": form.id, "version": str(form.version), "sha256": form.sha256()}
    facts = Facts("prova", "ascolto", about, asked, counts)
    return release(RawResponses(n, groups, answers), plan, instrument, Rules(), facts, below=dice(1)).to_json()


async def keep(
    site: Site,
    name: str,
    closed: date,
    *,
    kind: str = "full",
    low: float = 0.0,
    women: float = 0.0,
    n: int = 240,
    title: str = "",
    other: str = "",
) -> None:
    document = document_of(name, kind, closed, low, women, n, title, other)
    record = WaveRecord(
        name,
        {"it": title or name},
        State.RELEASED,
        closed=closed,
        released=closed,
        invited=n + 60,
        questionnaire=form_of(kind, other).to_json(),
        plan={part: document["plan"][part] for part in ("dimensions", "views")},
    )
    await waves.add(site.engines["public"], record)
    async with site.engines["public"].transaction():
        await releases.keep(name, signed(site, document), "")


async def keep_two(site: Site, *, before: bool = True) -> None:
    """The wave of which everybody reads, and one that was before it."""
    if before:
        await keep(site, "prima", CLOSED - timedelta(days=200))
    await keep(site, "adesso", CLOSED, low=1.2, women=1.0)


@asynccontextmanager
async def reading(settings: StoreSettings, *, before: bool = True) -> AsyncIterator[Offices]:
    async with stores(settings) as engines:
        await keep_two(Site(engines, settings.data, DAY, "test"), before=before)
    async with offices(settings) as served:
        yield served
