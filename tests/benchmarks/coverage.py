"""How often published limits hold the truth: whole releases of finite staffs of 12 to 430, of whom seven in ten answer by chance.

The truth is the index of everybody, those who did not answer too. Limits hold for the staff as it is (docs/decisions/0030), with the
random rounding inside them; they are published outward in whole numbers, so that more than 95 of 100 must hold it.
"""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from analysis import published
from analysis.demographics import Category
from analysis.release import Facts, release
from analysis.responses import RawResponses
from analysis.rules import Rules
from analysis.scoring import Instrument, ItemSpec, ScaleSpec
from analysis.views import default_plan

STAFFS = (12, 30, 60, 120, 250, 430)
TIMES = 100
RESPONSE = 0.7
MOOD, NOISE = 0.62, 1.0
LEAST, MOST = 0.945, 0.97


def _instrument() -> Instrument:
    items = tuple(
        ItemSpec(f"{theme}{i}", 1, 5, False, theme, (area,), (), "items", False, False, None, 4)
        for area, theme in ((1, "CUL"), (3, "SAF"))
        for i in range(1, 5)
    )
    scales = tuple(ScaleSpec(theme, tuple(f"{theme}{i}" for i in range(1, 5)), 3) for theme in ("CUL", "SAF"))
    return Instrument(items, scales, ())


def _once(staff: int, seed: int) -> list[tuple[bool, float]]:
    """Each published limit of everyone: whether it holds the index of all the staff, and how wide it is."""
    dice, instrument = np.random.default_rng([staff, seed]), _instrument()
    mood, level = dice.normal(0, MOOD, staff), dice.uniform(2.4, 4.0)
    values = {
        item.id: np.clip(np.rint(level + mood + dice.normal(0, NOISE, staff)), 1, 5).astype(np.int64)
        for item in instrument.items
    }
    answering = np.sort(dice.permutation(staff)[: max(10, round(RESPONSE * staff))])
    n = len(answering)
    groups = {name: [""] * n for name in ("unit", "gender", "age")}
    raw = RawResponses(n, groups, {name: value[answering].tolist() for name, value in values.items()})
    plan = default_plan([Category("po", "Prato", None)], [Category("f", "F")], [Category("u30", "U30")])
    counts = {"invited": staff, "issued": 0, "drawn": n, "received": n, "unreadable": 0}
    about = {"id": "w", "title": {"it": "W"}, "opened": "", "closed": ""}
    facts = Facts("bench", "ascolto", about, {"id": "q", "version": "1", "sha256": ""}, counts, {"all": staff})
    document = published.read(release(raw, plan, instrument, Rules(), facts).to_json())
    found = []
    for name, figure in document.everyone.items.items():
        found += _held(figure, 25 * (values[name].mean() - 1))
    for scale in instrument.scales:
        if scale.id in document.everyone.scales:
            truth = 25 * (np.mean([values[item] for item in scale.items]) - 1)
            found += _held(document.everyone.scales[scale.id], truth)
    return found


def _held(figure: published.Statistic, truth: float) -> list[tuple[bool, float]]:
    limits = figure.ci.index
    return [] if limits is None else [(limits[0] <= truth <= limits[1], float(limits[1] - limits[0]))]


def cover(staff: int, times: int) -> tuple[float, float, int]:
    """The share of limits that hold the truth, their mean width in points, and how many they are."""
    with ProcessPoolExecutor(2) as pool:
        found = [one for many in pool.map(_once, [staff] * times, range(times)) for one in many]
    if not found:
        return float("nan"), float("nan"), 0
    return sum(held for held, _ in found) / len(found), sum(width for _, width in found) / len(found), len(found)


async def measure(folder: Path) -> list[tuple[str, str, str]]:
    rows, shares = [], []
    for staff in STAFFS:
        share, width, count = cover(staff, TIMES)
        if count:
            shares.append(share)
            rows.append((f"staff of {staff}: {count} limits of everyone", f"{share:.3f}, {width:.1f} points wide", ""))
        else:
            rows.append((f"staff of {staff}: no limits are published", "-", ""))
    mean = sum(shares) / len(shares)
    return [*rows, ("mean coverage of limits at 95 %", f"{mean:.4f}", f"{LEAST}-{MOST}")]
