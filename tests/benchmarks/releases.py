"""Releases of 400 people: the default plan, whole process; the full cross of unit, gender and age, proven optimum; slips."""

import asyncio
import json
import random
import resource
import secrets
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from analysis.audit.structure import audit_structure
from analysis.demographics import Category
from analysis.protect.suppression import solve
from analysis.responses import RawResponses
from analysis.views import incidence
from surveys.answers.urn import Urn
from surveys.lifecycle import closing
from surveys.lifecycle.context import Site, today
from surveys.public import waves
from surveys.questionnaire import Questionnaire, read_form
from surveys.slips import new_code
from surveys.stores import StoreSettings, stores
from tests.benchmarks.installation import WAVE, cooperative, opened
from tests.crosses import full_cross_plan
from tests.rights import right
from tests.urn import put_in

PEOPLE = 400


async def _answered(folder: Path, codes: list[str]) -> None:
    dice = random.Random(2)
    async with stores(StoreSettings(folder)) as engines:
        site = Site(engines, folder, today(), "bench")
        record = await waves.get(WAVE)
        questionnaire = Questionnaire.from_json(dict(record.questionnaire))
        urn = Urn(engines["answers"])
        urn.start()
        puts = []
        for number, (code, person) in enumerate(zip(codes, cooperative(PEOPLE)[1], strict=True)):
            form = {
                item.id: [dice.choice([c for c in item.codes if c not in item.exclusive])]
                for item in questionnaire.items()
                if dice.random() > 0.04
            }
            form |= {"unit": [person.unit], "gender": [person.gender], "age": [person.age]}
            sheet = read_form(questionnaire, form).to_bytes()
            row, envelope = put_in(site, record, code, sheet)
            puts.append(urn.put(right(WAVE, row), number.to_bytes(16), envelope))
        await asyncio.gather(*puts)
        await urn.stop()
        await closing.end(site, WAVE)
        await closing.close(site, WAVE, unused_slips=0)


def _timed(command: list[str], given: str, environment: dict[str, str]) -> tuple[float, float]:
    """Seconds of a whole process, and the most memory any child has taken so far, in MB."""
    began = time.perf_counter()
    subprocess.run(command, input=given, text=True, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def full_cross() -> tuple[float, int, int, bool, bool, int]:
    """The hard case of PRIVACY 2.4: 6 territories, 40 services, 3 genders, 4 ages, all margins."""
    rng = np.random.default_rng(7)
    units = [Category(f"t{t}", f"T{t}") for t in range(6)] + [
        Category(f"s{s}", f"S{s}", f"t{s % 6}") for s in range(40)
    ]
    gender, age = [Category(c, c) for c in ("f", "m", "nb")], [Category(c, c) for c in "abcd"]
    groups = {
        "unit": [f"s{i}" for i in rng.choice(40, PEOPLE, p=rng.dirichlet(np.ones(40) * 3))],
        "gender": rng.choice(["f", "m", "nb"], PEOPLE, p=[0.72, 0.25, 0.03]).tolist(),
        "age": rng.choice(list("abcd"), PEOPLE).tolist(),
    }
    plan = full_cross_plan(units, gender, age)
    found = incidence(plan, RawResponses(PEOPLE, groups, {}))
    sizes = found.sizes()
    began = time.perf_counter()
    pattern = solve(found.matrix, found.n, np.ones(len(plan.views), dtype=np.int64), 5, allowed=sizes > 0)
    passed = audit_structure(found.matrix, found.n, pattern.shown, 5).passed
    seconds = time.perf_counter() - began
    naive = len(audit_structure(found.matrix, found.n, sizes >= 5, 5).exposed)
    return seconds, int(((sizes > 0) & ~pattern.shown).sum()), int((sizes > 0).sum()), pattern.optimal, passed, naive


async def measure(folder: Path) -> list[tuple[str, str, str]]:
    import os

    codes, held = opened(folder, PEOPLE)
    await _answered(folder, codes)
    environment = {**os.environ, "ASCOLTO_DATA": str(folder), "OMP_NUM_THREADS": "1"}
    worker = [sys.executable, "-m", "server.command.worker"]
    about = {
        "organisation": "Cooperativa",
        "title": "Misura",
        "address": "https://ascolto.invalid",
        "ends": "",
        "mark": "",
    }
    slips = json.dumps({"codes": [new_code(secrets.token_bytes) for _ in range(430)], "about": about})
    slip_seconds, _ = _timed([*worker, "slips"], slips, environment)
    given = json.dumps({"wave": WAVE, "first": held["hr"], "second": held["recovery"], "actor": "bench"})
    seconds, memory = _timed([*worker, "release"], given, environment)
    cross, hidden, views, optimal, passed, naive = full_cross()
    return [
        ("release of 400 people, default plan, audit and charts, whole process", f"{seconds:.1f} s", "<= 10 s"),
        ("release and chart process, peak", f"{memory:.0f} MB", "<= 500 MB"),
        ("full cross of 400 people, solved and audited", f"{cross:.1f} s", "<= 30 s"),
        (
            f"  views not shown, of {views}; optimum proven; audit passed",
            f"{hidden}; {optimal}; {passed}",
            "True; True",
        ),
        ("  atoms exposed by plain n < 5 on the same table", str(naive), "(ours: 0)"),
        ("430 slips, whole process", f"{slip_seconds:.1f} s", "<= 5 s"),
    ]
