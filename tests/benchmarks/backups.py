"""Backups while people answer, on both engines: whole, of one moment, nothing acknowledged missing; and what a thief of one learns."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

from surveys.cases.keeper import awaited_path
from surveys.lifecycle.context import Site
from surveys.lifecycle.releasing import release_wave
from surveys.stores import StoreSettings, stores
from tests import postgres
from tests.conftest import DAY, WAVE, end_and_close
from tests.promises.test_order import _on_server, tau
from tests.surveys.backed_up import Keys
from tests.surveys.loaded import Loaded, afternoon_of, back_up
from tests.urn import WORDS

PAGES = {"spent": 8192, "panel": 4096}
"""Where several rows lie on one page."""
BETWEEN_SECONDS = {"SQLite": 0.2, "PostgreSQL": 1.0}


def _order(copy: Path, needles: dict[str, list[bytes]]) -> Iterator[tuple[str, float]]:
    """Kendall's tau of the order of sending and the place in the files of a copy, over all pairs, and over those of one page."""
    files = {"spent": copy / "answers.sqlite", "slot": copy / "answers.sqlite", "panel": copy / "people.sqlite"}
    for name, sought in needles.items():
        content = files[name].read_bytes()
        found = [(number, content.find(one)) for number, one in enumerate(sought)]
        order, places = (list(column) for column in zip(*[one for one in found if one[1] >= 0], strict=True))
        yield f"{name}, all pairs", tau(order, places)
        if name in PAGES:
            yield f"{name}, pairs of one page", tau(order, places, PAGES[name])


async def _released(site: Site, settings: StoreSettings, found: Loaded) -> int:
    """Close and release the last copy, with the keys brought to it; gives the sheets that were read."""
    for name in (f"{WAVE}.wave.key", f"{WAVE}.sign.pem", "cases.key"):
        if (settings.data / "keys" / name).exists():
            (found.last / "keys" / name).write_bytes((settings.data / "keys" / name).read_bytes())
    assert not awaited_path(found.last).exists() or (found.last / "keys" / "cases.key").exists()
    async with stores(StoreSettings(found.last)) as engines:
        again = replace(site, engines=engines, data=found.last)
        await end_and_close(again)
        document = await release_wave(again, WAVE, (WORDS["hr"], WORDS["recovery"]), lambda _: None)
    return int(document.to_json()["participation"]["received"])


async def _measure(settings: StoreSettings, folder: Path, backups: int) -> list[tuple[str, str, str]]:
    name = "PostgreSQL" if settings.database_url else "SQLite"
    folder.mkdir(parents=True, exist_ok=True)
    async with stores(settings) as engines:
        site = Site(engines, settings.data, DAY, "hr")
        afternoon = await afternoon_of(site, 40 * backups)
        found = await back_up(afternoon, settings, Keys(folder / "owner"), folder, backups, BETWEEN_SECONDS[name])
        live = await _on_server(afternoon) if settings.database_url else {}
    sent = {
        "spent": afternoon.attempts,
        "slot": [e[:48] for e in afternoon.envelopes],
        "panel": [s[:48] for s in afternoon.signed],
    }
    learnt = dict(_order(found.last, sent))
    order = list(range(len(afternoon.attempts)))
    read = await _released(site, settings, found)
    return [
        (f"{name}: torn of {backups} backups while {len(afternoon.attempts):,} people answered", str(found.torn), "0"),
        (f"{name}: acknowledged before a backup and not in it", str(found.missing), "0"),
        (f"{name}: distinct moments among them", str(len(set(found.sizes))), ""),
        (
            f"{name}: nobody could write for, median and longest",
            f"{median(found.held_ms):.0f}, {max(found.held_ms):.0f} ms",
            "< 1,000 ms",
        ),
        (
            f"{name}: the last copy closes and releases with so many sheets of {found.sizes[-1]:,}",
            f"{read:,}",
            "",
        ),
        *((f"{name}: tau, {what} of {found.sizes[-1]:,}", f"{one:.3f}", "chance") for what, one in learnt.items()),
        *(
            (f"{name}: tau, {mark} on the server itself, not stirred", f"{tau(order, places):.3f}", "")
            for mark, places in live.items()
            if mark.endswith("xmin")
        ),
    ]


async def measure(folder: Path, backups: int = 100) -> list[tuple[str, str, str]]:
    found = await _measure(StoreSettings(folder / "files"), folder / "of files", backups)
    with postgres.server(durable=True) as address:
        url = postgres.fresh_databases(address, "backups")
        return found + await _measure(StoreSettings(folder / "pg", url), folder / "of pg", backups)
