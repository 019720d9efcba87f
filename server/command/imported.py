"""`ascolto import responses`: a released wave of another tool's export, said step by step."""

import sys
import time
from pathlib import Path

from analysis.document import ReleaseInvalid
from analysis.rules import DisclosureError, TooFew
from server.frame.terminal import LANGUAGE, refuse, tell, tell_refused, unreadable
from server.results.reading import view_name
from server.results.releasing import draw
from surveys.importing.drafting import draft
from surveys.importing.mapping import MappingBroken, read_mapping
from surveys.importing.responses import ResponsesRefused, read_responses
from surveys.importing.sheets import FileUnreadable
from surveys.lifecycle.context import Site
from surveys.lifecycle.imported import SourceReleased, correct_words, release_file, source_key
from surveys.lifecycle.releasing import FiguresDiffer
from surveys.public import releases
from surveys.public.waves import NoSuchWave, WrongState


def _rows_read(n: int) -> None:
    print(f"  {n}…", file=sys.stderr, flush=True)


def draft_mapping(file: Path, wave: str, output: str) -> int:
    """Write a first mapping for a file, or print it; never over a file that is there."""
    try:
        text = draft(file, wave)
    except FileUnreadable as problem:
        return unreadable(problem)
    if not output:
        print(text)
        return 0
    try:
        with Path(output).open("x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError:
        return refuse("import_draft_exists", file=output)
    except OSError:
        return refuse("import_draft_not_written", file=output)
    tell("import_drafted", file=output, n=text.count("CHECK") - 1)
    return 0


async def import_file(site: Site, file: Path, mapping_file: Path, *, words: bool = False) -> int:
    """Read, protect and publish; or say every row that is wrong, and keep nothing. `words`: only put other words to what is published."""
    began = time.monotonic()
    try:
        mapping = read_mapping(mapping_file)
        found = read_responses(file, mapping, key=source_key(site.data), progress=_rows_read)
    except FileUnreadable as problem:
        return unreadable(problem)
    except MappingBroken as problem:
        return refuse("import_bad_mapping", problem="; ".join(problem.problems))
    except ResponsesRefused as problem:
        refuse("import_bad_rows")
        tell_refused(problem.rows)
        if more := problem.total - len(problem.rows):
            tell("import_more", n=more)
        return refuse("import_refused", n=problem.total)
    try:
        await (correct_words if words else release_file)(site, mapping, found, lambda _: None)
    except (FiguresDiffer, NoSuchWave, ReleaseInvalid):
        return refuse("import_figures", wave=mapping.wave)
    except WrongState:
        return refuse("import_figures" if words else "import_exists", wave=mapping.wave)
    except SourceReleased as problem:
        return refuse("import_source", wave=problem)
    except TooFew:
        return refuse("import_too_few")
    except DisclosureError:
        return refuse("import_audit")
    await draw(site, mapping.wave, lambda _: None)
    document = await releases.read(mapping.wave)
    assert document is not None  # committed a moment ago
    names = {
        shown: [
            view_name(view.filter, document.plan.dimensions, LANGUAGE) for view in document.views if view.shown is shown
        ]
        for shown in (True, False)
    }
    if found.duplicates:
        tell("imported_duplicates", n=found.duplicates)
    if found.dropped:
        tell("imported_dropped", columns=", ".join(found.dropped))
    seconds = round(time.monotonic() - began, 1)
    tell("imported", wave=mapping.wave, rows=found.n, seconds=seconds, shown=len(names[True]), hidden=len(names[False]))
    tell("imported_shown", groups="; ".join(names[True]))
    tell("imported_hidden", groups="; ".join(names[False]) or "–")
    return 0
