"""The certification in the audit pack: evidence with its documents and log, scorecards of all years and of today, figures by gender."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from analysis.document import ReleaseInvalid
from analysis.pdr125.year_figures import to_json
from server.certification.figures import computed_of
from server.frame.display import day, number
from server.frame.texts import say
from server.papers.pack_archive import LARGEST_ENTRY, plain_name
from server.papers.pack_part import About, Chapter, Gap, Kept, Part, Table, row, table
from server.results.findings import indicator_text
from surveys import certification, scorecards
from surveys.people import figures
from surveys.public import evidence, evidence_log, evidence_state, register
from surveys.public import scorecards as kept_cards
from surveys.public.evidence_log import Entry
from surveys.public.evidence_state import DocumentRecord, EvidenceState
from surveys.public.scorecards import Scorecard, ScorecardInvalid

FILES_LIMIT = 400 * 1024 * 1024
"""So many bytes of documents go into one pack; of what is over it, the hash is listed and the seat gives the file."""
MOST_FILES = 1800
FOLDER = "evidence/files"


def _text(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1).encode()


async def evidence_part(about: About) -> Part:
    """Every record as it stands, the log of its acts, and each kept file once."""
    stored, odd = await evidence.look()
    entries, odd_acts = await evidence_log.look()
    broken = {*odd.records, *odd.documents, *(key.partition("-")[0] for key in odd_acts)}
    if not stored and not broken:
        return Part(absent=(Gap("evidence", "none"),))
    papers = [(paper, 0) for state in stored.values() for paper in state.documents] if about.whole else []
    found = await placed(papers, FOLDER, FILES_LIMIT)
    has_files = any(paper.sha256 for state in stored.values() for paper in state.documents)
    plain = {
        "schema": "ascolto-evidence/1",
        "day": str(about.day),
        "records": {name: state.as_it_stands() for name, state in sorted(stored.items())},
        "files": {one.document: one.name for one in found.kept},
    }
    log = [
        {
            "indicator": entry.indicator,
            "number": entry.number,
            "day": str(entry.day),
            "who": entry.who,
            "act": entry.act,
            "after": entry.state,
        }
        for entry in sorted(entries, key=lambda entry: (entry.indicator, entry.number))
    ]
    return Part(
        files=(
            ("evidence/evidence.json", _text(plain)),
            ("evidence/log.json", _text({"schema": "ascolto-evidence-log/1", "acts": log})),
        ),
        kept=tuple({one.name: one for one in found.kept}.values()),
        left_out=found.left_out,
        absent=() if has_files else (Gap("evidence", "no_files"),),
        broken=(
            *found.broken,
            *(Gap("evidence", "record", name) for name in sorted({*_others(stored, entries), *broken})),
        ),
        chapters=(await _evidence_chapter(about, stored, {one.document: one.name for one in found.kept}),),
    )


@dataclass(frozen=True, slots=True)
class Placed:
    """Documents that are in, those over the limit, and those that are something else than what was kept."""

    kept: tuple[Kept, ...] = ()
    left_out: tuple[Kept, ...] = ()
    broken: tuple[Gap, ...] = ()


async def placed(papers: Iterable[tuple[DocumentRecord, int]], folder: str, limit: int) -> Placed:
    """Look at every file, one after the other in memory, and give it a name.

    Parameters
    ----------
    papers : documents, each with its line of the register, or 0 where it is of the evidence
    folder : where they lie in the pack
    limit : bytes that fit, each file once
    """
    kept, left_out, broken, taken = list[Kept](), list[Kept](), list[Gap](), dict[str, int]()
    for paper, line in sorted((one for one in papers if one[0].sha256), key=lambda one: (*_order(one[0]), one[1])):
        content = await _content(paper.id, line)
        if content is None:
            broken.append(Gap("evidence", "file", f"{paper.title} ({paper.sha256[:16]})"))
            continue
        name = f"{folder}/{paper.sha256}-{plain_name(paper.file_name)}"
        fits = len(content) <= LARGEST_ENTRY and sum(taken.values()) + len(content) <= limit
        if name in taken or (fits and len(taken) < MOST_FILES):
            taken[name] = len(content)
            kept.append(Kept(name, paper.id, paper.sha256, len(content), line))
        else:
            left_out.append(Kept(name, paper.id, paper.sha256, len(content), line))
    return Placed(tuple(kept), tuple(left_out), tuple(broken))


async def _content(document: str, line: int) -> bytes | None:
    found = await (register.file_of(line, document) if line else evidence.file_of(document))
    return found[1] if found else None


def agrees(state: EvidenceState, after: Mapping[str, Any]) -> bool:
    """Whether a record is what its last act left: the finding, and who confirmed it when. Acts of before there were marks say less."""
    if "mark" not in after:
        return True
    try:
        left = evidence_state.from_plain(after)
    except (KeyError, TypeError, ValueError):
        return False
    return (left.mark, left.reviewed_by, left.reviewed_on) == (state.mark, state.reviewed_by, state.reviewed_on)


def _others(stored: Mapping[str, EvidenceState], entries: Sequence[Entry]) -> list[str]:
    """The indicators whose record is not what the log of its acts says: somebody wrote it without an act."""
    last = {entry.indicator: entry for entry in sorted(entries, key=lambda entry: entry.number)}
    return sorted(
        name for name, entry in last.items() if not agrees(stored.get(name, EvidenceState(name)), entry.state)
    )


def _order(paper: DocumentRecord) -> tuple[str, str, str]:
    return paper.sha256, plain_name(paper.file_name), paper.id


async def content_of(kept: Kept) -> bytes | None:
    """The file as it is written; None if it went meanwhile, or is not what it was."""
    content = await _content(kept.document, kept.line)
    return content if content and hashlib.sha256(content).hexdigest() == kept.sha256 else None


async def _evidence_chapter(about: About, stored: Mapping[str, EvidenceState], names: Mapping[str, str]) -> Chapter:
    language, rows, papers = about.language, [], []
    for one in certification.standings_of(stored, None, about.day, await certification.band()):
        state = one.evidence
        who = [
            say(language, f"evidence.{key}", who=name, day=day(on, language))
            for key, name, on in (
                ("set", state.set_by, state.set_on),
                ("reviewed", state.reviewed_by, state.reviewed_on),
            )
            if name
        ]
        said = "expired" if one.expired else state.state
        counts = say(language, f"evidence.state.{one.counted.assessed_state}")
        rows.append(
            row(
                one.indicator.id,
                indicator_text(one.indicator, language),
                number(one.indicator.points, language),
                say(language, f"evidence.state.{said}"),
                counts,
                " ".join(who),
                day(one.last, language),
            )
        )
    for name, state in sorted(stored.items()):
        for paper in state.documents:
            place = names.get(paper.id, "").rpartition("/")[2][:20] or paper.link or about.say("not_in_pack")
            papers.append(row(name, paper.title, day(paper.day, language), place))
    columns = ("indicator", "text", "points", "state", "counts", "who", "until")
    return Chapter(
        about.say("chapter.evidence"),
        about.say("lead.evidence"),
        f"evidence/evidence.json, evidence/log.json, {FOLDER}/",
        (
            *table(about, "evidence", columns, (1, 5, 1, 2, 2, 4, 2), rows),
            *table(about, "papers", ("indicator", "paper", "day", "file"), (1, 6, 2, 4), papers),
        ),
    )


async def scorecards_part(about: About) -> Part:
    """The scorecard of this day, and those that were kept, as they were signed."""
    absent, broken, files = list[Gap](), list[Gap](), list[tuple[str, bytes]]()
    cards: list[tuple[str, Scorecard]] = []
    try:
        today = await scorecards.as_of(about.day, "")
    except ReleaseInvalid:
        broken.append(Gap("scorecards", "today"))
    else:
        cards.append((about.say("today"), today))
        files.append(("scorecards/today.json", msgspec.json.encode(today, order="sorted")))
    names = await kept_cards.names()
    for name in names:
        try:
            card, given = await kept_cards.read(name), await kept_cards.signed_text(name)
        except ScorecardInvalid:
            broken.append(Gap("scorecards", "signature", name))
            continue
        if card and given:
            cards.append((name, card))
            files.append((f"scorecards/{plain_name(name)}.json", given.encode()))
        else:
            broken.append(Gap("scorecards", "signature", name))
    chain, unsigned = await scorecards.chain(), {gap.what for gap in broken}
    broken += [Gap("scorecards", "missing", name) for name in chain.missing]
    broken += [Gap("scorecards", "signature", name) for name in chain.other if name not in unsigned]
    absent += [Gap("scorecards", "loose", name) for name in chain.loose if name not in unsigned]
    if not names and not chain.missing:
        absent.append(Gap("scorecards", "none"))
    return Part(
        files=tuple(files),
        absent=tuple(absent),
        broken=tuple(broken),
        chapters=(_scorecards_chapter(about, cards),) if cards else (),
    )


def _scorecards_chapter(about: About, cards: list[tuple[str, Scorecard]]) -> Chapter:
    language = about.language
    rows = [
        row(
            name,
            day(card.day, language),
            *(number(float(card.total(part)), language) for part in ("earned", "lost", "open")),
            about.say({True: "reached", False: "not_reached", None: "undecided"}[card.reaches]),
            card.wave or "–",
        )
        for name, card in cards
    ]
    areas = []
    for number_of, name in (
        (str(area.number), say(language, f"results.area.{area.number}")) for area in cards[0][1].areas
    ):
        cells = []
        for _, card in cards[:YEARS]:
            area = next((one for one in card.areas if str(one.number) == number_of), None)
            cells.append(f"{number(area.earned, language)} / {number(area.applicable, language)}" if area else "–")
        areas.append(row(f"{number_of} {name}", *cells))
    heads = (about.say("head.area"), *(row(name)[0] for name, _ in cards[:YEARS]))
    return Chapter(
        about.say("chapter.scorecards"),
        about.say("lead.scorecards"),
        "scorecards/",
        (
            *table(
                about,
                "cards",
                ("card", "day", "earned", "lost", "open", "threshold", "wave"),
                (2, 3, 2, 2, 2, 3, 3),
                rows,
            ),
            Table(about.say("table.card_areas"), heads, (6, *(2 for _ in heads[1:])), tuple(areas)),
        ),
    )


YEARS = 5
"""So many scorecards stand beside each other by area; the files hold all."""


async def figures_part(about: About) -> Part:
    """The figures of each year as they were given, and what they make of the quantitative indicators."""
    years, odd = await figures.look()
    broken = tuple(Gap("figures", "record", year) for year in odd)
    if not years:
        return Part(broken=broken) if broken else Part(absent=(Gap("figures", "none"),))
    files, tables = [], []
    for year, kept in years.items():
        plain = {
            "schema": "ascolto-figures/1",
            "source": kept.source,
            "typed_by": kept.typed_by,
            "typed_on": str(kept.typed_on),
            "figures": to_json(kept.figures),
        }
        files.append((f"figures/{year}.json", _text(plain)))
        rows = [
            row(one.id, one.text, one.result, one.outcome, " ".join((*one.readings, *one.lacking)))
            for one in await computed_of(years, year, about.language)
        ]
        heads = tuple(about.say(f"head.{name}") for name in ("indicator", "text", "result", "outcome", "reading"))
        title = row(about.say("table.figures", year=year, source=kept.source))[0]
        tables.append(Table(title, heads, (1, 4, 2, 2, 5), tuple(rows)))
    chapter = Chapter(
        about.say("chapter.figures"), about.say("lead.figures"), ", ".join(name for name, _ in files), tuple(tables)
    )
    return Part(files=tuple(files), broken=broken, chapters=(chapter,))
