"""What is claimed where there is nothing to claim, and where there is: whole releases of people who all feel alike, and of women who do not.

430 are asked and 268 answer: 200 women, 60 men, 8 others or nobody said. Each person has a mood of her own, so that questions go together
(omega of about 0.65). "I do not know" is given by 0 to 60 % of those who may where nothing is to be claimed.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from analysis import published
from analysis.findings import findings, standing_out
from analysis.release import Facts, release
from analysis.responses import DONT_KNOW, RawResponses
from analysis.rules import Rules
from analysis.trend import trends
from tests.benchmarks.installation import cooperative
from tests.benchmarks.simulated import AGES, instrument_and_plan

TIMES = 200
WOMEN, MEN, OTHERS, ASKED = 200, 60, 8, 430
GAP = 0.437
"""So much lower is what women feel, on the scale of answers: ten points of the index, as answers end at 1 and 5."""
AREA = "4"
MOOD, NOISE = 0.62, 1.0
MOST_UNKNOWN = 0.6
COMPARATIVE = ("view_gap", "lowest_area", "highest_area")


def _answers(seed: int, gap: float, unknown: float) -> RawResponses:
    dice = np.random.default_rng(seed)
    instrument, _ = instrument_and_plan()
    n = WOMEN + MEN + OTHERS
    people = cooperative(n)[1]
    gender = np.array(["f"] * WOMEN + ["m"] * MEN + ["nb"] * 4 + [""] * (OTHERS - 4))
    dice.shuffle(gender)
    groups = {
        "unit": [person.unit for person in people],
        "gender": gender.tolist(),
        "age": dice.choice(AGES, n).tolist(),
    }
    mood, answers = dice.normal(0, MOOD, n), {}
    for item in instrument.items:
        if item.family != "items":
            answers[item.id] = np.zeros(n, dtype=np.int64).tolist()
            continue
        shift = np.where(gender == "f", -gap, 0.0) if int(AREA) in item.areas else 0.0
        sign = -1 if item.reverse else 1
        value = np.clip(np.rint(3.2 + sign * (mood + shift) + dice.normal(0, NOISE, n)), 1, 5).astype(np.int64)
        value[dice.random(n) < 0.03] = -1
        if item.dont_know:
            value[dice.random(n) < dice.uniform(0, unknown)] = DONT_KNOW
        answers[item.id] = value.tolist()
    return RawResponses(n, groups, answers)


def _document(seed: int, gap: float, unknown: float) -> published.Document:
    instrument, plan = instrument_and_plan()
    raw = _answers(seed, gap, unknown)
    heads = {f"gender:{name}": round(ASKED * part / 268) for name, part in (("f", WOMEN), ("m", MEN), ("nb", 4))}
    for person in cooperative(ASKED)[1]:
        for unit in (person.unit, person.unit.rpartition(".")[0]):
            heads[f"unit:{unit}"] = heads.get(f"unit:{unit}", 0) + 1
    heads |= {view.id: ASKED for view in plan.views if view.id not in heads}
    counts = {"invited": ASKED, "issued": 0, "drawn": len(raw), "received": len(raw), "unreadable": 0}
    about = {"id": "w", "title": {"it": "W"}, "opened": "", "closed": ""}
    known = Facts("bench", "ascolto", about, {"id": "q", "version": "1", "sha256": ""}, counts, heads)
    return published.read(release(raw, plan, instrument, Rules(), known).to_json())


def _claims(document: published.Document) -> list[str]:
    """Everything comparative that a page could say or colour."""
    said = [f"{d.view} {d.family} {d.statistic}" for d in document.differences if d.clear]
    said += [found.kind for found in findings(document) if found.kind in COMPARATIVE]
    for figures in (document.everyone.areas, document.scales):
        said += [f"stands out: {name}" for name in standing_out(figures) if name]
    return said


def _null(seed: int) -> tuple[list[str], list[str]]:
    """Claims of one wave, and of what moved since another one that was drawn in the same way."""
    now, before = _document(2 * seed, 0.0, MOST_UNKNOWN), _document(2 * seed + 1, 0.0, MOST_UNKNOWN)
    moved = [
        f"{view} {statistic} {trend.word}"
        for family in ("areas", "scales")
        for (view, statistic), trend in trends(now, before, family, set(now.everyone.family(family))).items()
        if trend.word in ("rose", "fell", "little")
    ]
    return _claims(now), moved


def _real(seed: int) -> bool:
    document = _document(100_000 + seed, GAP, 0.0)
    wanted = "gender:f", "areas", AREA
    return any((d.view, d.family, d.statistic) == wanted and d.clear for d in document.differences)


def count(times: int) -> tuple[int, int, int]:
    """Of so many: waves of people who feel alike of which something is claimed, pairs that are said to have moved, and gaps found."""
    with ProcessPoolExecutor(2) as pool:
        nulls = list(pool.map(_null, range(times)))
        found = sum(pool.map(_real, range(times)))
    for claims, moved in nulls:
        if claims or moved:
            print("   ", *claims, *moved, sep=" | ", file=sys.stderr)
    return sum(bool(claims) for claims, _ in nulls), sum(bool(moved) for _, moved in nulls), found


async def measure(folder: Path) -> list[tuple[str, str, str]]:
    alike, moved, found = count(TIMES)
    return [
        (f"{TIMES} waves of people who feel alike: something is claimed", f"{100 * alike / TIMES:.1f} %", "<= 5 %"),
        (f"{TIMES} pairs of such waves: something is said to have moved", f"{100 * moved / TIMES:.1f} %", "<= 5 %"),
        (f"{TIMES} waves with 10 points between women and men: said", f"{100 * found / TIMES:.1f} %", ">= 80 %"),
    ]


if __name__ == "__main__":
    print(count(int(sys.argv[1])))
