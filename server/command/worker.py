"""What a short-lived process does: release a wave, draw its charts, set slips and papers, write the audit pack, read a file, rehearse a restore. Started by `server.processes.workers` alone."""

import asyncio
import base64
import json
import sys
from collections.abc import Callable
from datetime import date
from typing import Any

from server.settings import from_environment
from surveys.lifecycle.context import Site, today
from surveys.stores import stores


def _tell(message: dict[str, Any]) -> None:
    print(json.dumps(message) + "\n", end="", flush=True)  # in one piece: steps are told from another thread


async def _release(given: dict[str, Any]) -> dict[str, Any]:
    from server.results.releasing import release_and_draw

    settings = from_environment()
    async with stores(settings.stores) as engines:
        site = Site(
            engines, settings.data, date.fromisoformat(given["day"]) if "day" in given else today(), given["actor"]
        )
        failure = await release_and_draw(
            site,
            given["wave"],
            (given["first"], given["second"]),
            lambda s: _tell({"step": s}),
            given.get("without", 0),
        )
    return {"failed": failure} if failure else {"wave": given["wave"]}


async def _charts(given: dict[str, Any]) -> dict[str, Any]:
    from server.results.releasing import draw

    settings = from_environment()
    async with stores(settings.stores) as engines:
        await draw(Site(engines, settings.data, today(), ""), given["wave"], lambda _: None)
    return {}


async def _slips(given: dict[str, Any]) -> dict[str, Any]:
    from server.papers.slips import slip_sheets

    return {"pdf": base64.b64encode(slip_sheets(given["codes"], given["about"])).decode()}


async def _paper(given: dict[str, Any]) -> dict[str, Any]:
    from server.papers.poster import poster
    from server.papers.typeset import Channel, document

    kind, language, languages = given.pop("kind"), given.pop("language"), given.pop("languages")
    about = Channel(**given | {"readers": tuple((name, role, outside) for name, role, outside in given["readers"])})
    if kind == "poster":
        made = poster(about.organisation, about.address, (about.fingerprint, about.words), about.readers, languages)
    else:
        made = document(kind, about, language)
    return {"content": made.hex()}


async def _letters(given: dict[str, Any]) -> dict[str, Any]:
    from server.papers.letters import letter_pages

    return {"pdf": base64.b64encode(letter_pages(given["letters"])).decode()}


async def _print(given: dict[str, Any]) -> dict[str, Any]:
    from server.papers.printing import printed

    return {"pdf": base64.b64encode(printed(**given)).decode()}


async def _pack(given: dict[str, Any]) -> dict[str, Any]:
    """Write the audit pack into a file that is there: of many documents it holds one at a time."""
    from pathlib import Path

    from server.papers.pack import write
    from server.papers.pack_part import About
    from server.papers.printing import printed

    settings = from_environment()
    async with stores(settings.stores):
        about = About(settings.data, date.fromisoformat(given["day"]), given["language"])
        await write(about, Path(given["path"]), printed, paper_only=given["paper_only"])
    return {}


async def _preview(given: dict[str, Any]) -> dict[str, Any]:
    from surveys.lifecycle.preview import DRAWS, preview
    from surveys.odd import StoreOdd
    from surveys.public.waves import get

    async with stores(from_environment().stores):
        try:
            found = await preview(await get(given["wave"]))
        except StoreOdd:
            return {"failed": "odd"}
    rates = [{"rate": e.rate, "respondents": e.respondents, "shown": e.shown, "residual": e.residual} for e in found]
    return {"draws": DRAWS, "rates": rates}


async def _rehearse(given: dict[str, Any]) -> dict[str, Any]:
    """Rehearse a restore, in a thread with a loop of its own."""
    from surveys.backup.archive import BackupRefused
    from surveys.backup.rehearsing import rehearse

    try:
        await asyncio.to_thread(rehearse, from_environment().stores, date.fromisoformat(given["day"]))
    except BackupRefused as problem:
        return {"failed": problem.reason}
    return {}


READING_BYTES = 768 * 1024 * 1024
READING_SECONDS = 45
"""Of a processor; the largest list that is taken needs about 17."""
TOLD = 1000
"""So many cells that are wrong are told at once."""


def _tired(*_: object) -> None:
    raise MemoryError


def _bounded(read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Read a file within bounds: what is too heavy ends this process and no other."""
    import resource
    import signal

    from surveys.importing.sheets import FileUnreadable

    resource.setrlimit(resource.RLIMIT_AS, (READING_BYTES, READING_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (READING_SECONDS, READING_SECONDS + 5))
    signal.signal(signal.SIGXCPU, _tired)
    try:
        return read()
    except FileUnreadable as problem:
        return {"unreadable": problem.reason, "params": dict(problem.params)}
    except MemoryError:
        return {"unreadable": "heavy", "params": {}}


async def _people(given: dict[str, Any]) -> dict[str, Any]:
    """Read a staff list."""
    from dataclasses import asdict, replace
    from pathlib import Path

    from surveys.importing.people import read_people

    def read() -> dict[str, Any]:
        found = read_people(Path(given["path"]))
        return {"found": asdict(replace(found, refused=found.refused[:TOLD]))}

    return _bounded(read)


async def _figures(given: dict[str, Any]) -> dict[str, Any]:
    """Read the figures of a year."""
    from dataclasses import asdict
    from pathlib import Path

    from analysis.pdr125.year_figures import to_json
    from surveys.importing.figures import read_figures

    def read() -> dict[str, Any]:
        found = read_figures(Path(given["path"]), given["year"])
        figures = None if found.figures is None else to_json(found.figures)
        return {"figures": figures, "refused": [asdict(one) for one in found.refused[:TOLD]], "n": len(found.refused)}

    return _bounded(read)


async def _register(given: dict[str, Any]) -> dict[str, Any]:
    """Read a file of the register."""
    from dataclasses import asdict
    from pathlib import Path

    from surveys.importing.register import read_register

    def read() -> dict[str, Any]:
        found = read_register(Path(given["path"]), given["kinds"], given["numbers"], date.fromisoformat(given["day"]))
        rows = [json.loads(json.dumps([number, asdict(entry)], default=str)) for number, entry in found.rows]
        return {"rows": rows, "refused": [asdict(one) for one in found.refused[:TOLD]], "n": len(found.refused)}

    return _bounded(read)


COMMANDS = {
    "register": _register,
    "people": _people,
    "figures": _figures,
    "preview": _preview,
    "letters": _letters,
    "release": _release,
    "charts": _charts,
    "slips": _slips,
    "paper": _paper,
    "print": _print,
    "pack": _pack,
    "rehearse": _rehearse,
}


def main() -> None:
    """Run the command named by the only argument on the JSON of standard input."""
    given = json.loads(sys.stdin.read())
    _tell({"result": asyncio.run(COMMANDS[sys.argv[1]](given))})


if __name__ == "__main__":
    main()
