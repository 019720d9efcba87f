"""The register of the audit in the pack: every line as it stands, the acts on it, and its documents."""

import json
from collections.abc import Mapping
from typing import Any

from server.frame.display import day
from server.frame.texts import say
from server.papers.pack_evidence import placed
from server.papers.pack_part import About, Chapter, Gap, Part, row, table
from surveys.public import register, register_log
from surveys.public.register import Record
from surveys.public.register_log import FROM_FILE, REMOVED, Act

PART, FOLDER = "register", "register/files"
FILES_LIMIT = 150 * 1024 * 1024
"""So many bytes of documents of the register go into one pack, besides those of the evidence."""


def agrees(line: Mapping[str, Any] | None, act: Mapping[str, Any]) -> bool:
    """Whether a line is what its last act left; None of a line that is not there."""
    if act["act"] == REMOVED or line is None:
        return act["act"] == REMOVED and line is None
    return dict(line) == {name: part for name, part in act["after"].items() if name != FROM_FILE}


async def register_part(about: About) -> Part:
    """Every line, the newest acts too of those that were taken away, and each kept file once."""
    records, odd = await register.look()
    last = await register_log.last_number()
    if not last and not records and not odd.lines:
        return Part(absent=(Gap(PART, "none"),))
    if not about.whole:
        return Part(chapters=(Chapter(about.say("chapter.register"), "", ""),))
    papers = [(paper, number) for number, record in records.items() for paper in record.documents]
    found = await placed(papers, FOLDER, FILES_LIMIT)
    known, odd_acts = await register_log.look()
    acts = [_plain(act) for act in sorted(known, key=lambda act: (act.entry, act.number))]
    newest = {act["line"]: act for act in acts}
    lines = {number: record.as_it_stands() for number, record in records.items()}
    plain = {
        "schema": "ascolto-register/1",
        "day": str(about.day),
        "lines": [
            {"number": number, "set_on": str(record.set_on), "changed_on": str(record.changed_on or "")}
            | {"line": lines[number]}
            for number, record in records.items()
        ],
        "acts": acts,
        "files": {one.document: one.name for one in found.kept},
    }
    others = {str(number) for number in {*lines, *newest} if not _held(lines.get(number), newest.get(number))}
    others |= {*odd.lines, *odd.documents, *(key.partition("-")[0] for key in odd_acts)}
    content = json.dumps(plain, ensure_ascii=False, sort_keys=True, indent=1).encode()
    return Part(
        files=(("register/register.json", content),),
        kept=tuple({one.name: one for one in found.kept}.values()),
        left_out=found.left_out,
        broken=(
            *found.broken,
            *(Gap(PART, "record", f"#{number}") for number in sorted(others, key=lambda name: (len(name), name))),
        ),
        chapters=(_chapter(about, records),),
    )


def _held(line: Mapping[str, Any] | None, act: Mapping[str, Any] | None) -> bool:
    return act is not None and agrees(line, act)


def _plain(act: Act) -> dict[str, Any]:
    return {
        "line": act.entry,
        "number": act.number,
        "day": str(act.day),
        "who": act.who,
        "act": act.act,
        "after": dict(act.state),
    }


def _chapter(about: About, records: Mapping[int, Record]) -> Chapter:
    rows = []
    for record in register.in_order(records):
        entry = record.entry
        closed = about.say("closed", day=day(entry.closed_on, about.language)) if entry.closed_on else ""
        late = about.say("late") if entry.is_late(about.day) else about.say("still_open")
        rows.append(
            row(
                str(record.number),
                say(about.language, f"register.kinds.{entry.kind}"),
                " ".join(filter(None, (entry.clause, entry.indicator))),
                entry.title,
                entry.owner,
                day(entry.due, about.language),
                closed or late,
                entry.outcome,
            )
        )
    columns = ("number", "kind", "clause", "finding", "owner", "due", "state", "outcome_of")
    return Chapter(
        about.say("chapter.register"),
        about.say("lead.register"),
        f"register/register.json, {FOLDER}/",
        table(about, "register", columns, (1, 3, 2, 5, 2, 2, 2, 4), rows),
    )
