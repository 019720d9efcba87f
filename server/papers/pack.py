"""The audit pack: one ZIP that an auditor can check without us, and its paper. Gathers parts; writes, signs, prints.

The same stores give the same bytes on the same day. A part that cannot be believed is said to be broken, and the rest comes. Runs
in a process that ends (`server.command.worker`): the web process never loads the typesetter.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from analysis.document import canonical
from server.frame import faults
from server.frame.display import day, number
from server.frame.texts import DESK_LANGUAGES, catalogue, say
from server.papers.board import MARK, grouped
from server.papers.pack_acts import actions_part, channel_part, log_part, promises_part
from server.papers.pack_archive import Writer
from server.papers.pack_evidence import content_of, evidence_part, figures_part, scorecards_part
from server.papers.pack_part import About, Chapter, Gap, Kept, Part, Table, row
from server.papers.pack_register import register_part
from server.papers.pack_signers import signers_part
from server.papers.pack_waves import waves_part
from surveys import certification
from surveys.public import organisation
from surveys.public.signing import fingerprint, installation_key, public_text, sign

SCHEMA = "ascolto-pack/1"
INDEX, PAPER, README = "index.json", "pack.pdf", "README.txt"
MEGABYTE = 1024 * 1024


async def _elsewhere(about: About) -> Part:
    """What the practice's auditors ask for and no store of this program holds as such."""
    return Part(absent=tuple(Gap(name, "elsewhere") for name in ("dpia", "minutes")))


PARTS: Mapping[str, Callable[[About], Awaitable[Part]]] = {
    "releases": waves_part,
    "evidence": evidence_part,
    "scorecards": scorecards_part,
    "actions": actions_part,
    "register": register_part,
    "promises": promises_part,
    "channel": channel_part,
    "figures": figures_part,
    "log": log_part,
    "signers": signers_part,
    "elsewhere": _elsewhere,
}
"""By name, in the order of the paper."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of the pack in its index."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What a pack would hold, for the page that offers it: words of what is there, absent and broken."""

    there: tuple[str, ...]
    absent: tuple[str, ...]
    broken: tuple[str, ...]


def signed_bytes(index: dict[str, Any]) -> bytes:
    """What is signed of an index: all of it but its signature, under a word of its own."""
    return b"ascolto pack 1\n" + canonical({name: part for name, part in index.items() if name != "signature"})


def mark_of(files: Sequence[Listed]) -> str:
    """The digest of the list of all files but the paper, which prints it."""
    listed = [[one.path, one.sha256, one.size] for one in sorted(files, key=lambda one: one.path) if one.path != PAPER]
    return hashlib.sha256(canonical({"files": listed})).hexdigest()


async def gather(about: About) -> Part:
    """All parts as one; what lies in a store and cannot even be read is a part that is broken, and the others come."""
    parts = []
    for name, part in PARTS.items():
        try:
            parts.append(await part(about))
        except Exception as problem:
            faults.note(f"pack {name}", problem)
            parts.append(Part(broken=(Gap("part", "unreadable", name),)))
    return Part(
        *(
            tuple(one for part in parts for one in getattr(part, name))
            for name in ("files", "kept", "left_out", "absent", "broken", "chapters")
        )
    )


def gap_words(about: About, gap: Gap) -> str:
    """One line of what is absent or broken."""
    return row(about.say(f"gap.{gap.part}.{gap.reason}", what=gap.what))[0]


async def contents(about: About) -> Contents:
    """What a pack of this moment holds, in words; documents of the evidence are looked at when it is made."""
    found = await gather(replace(about, whole=False))
    return Contents(
        tuple(one.title for one in found.chapters),
        tuple(gap_words(about, one) for one in found.absent),
        tuple(gap_words(about, one) for one in found.broken),
    )


def _left_out(about: About, one: Kept) -> str:
    size = number(one.size / MEGABYTE, about.language)
    return about.say("left_out", name=one.name.rpartition("-")[2], sha256=one.sha256, size=size)


async def write(
    about: About, target: Path, printed: Callable[[str, dict[str, Any]], bytes], *, paper_only: bool
) -> None:
    """Write the pack, or its paper alone, into a file.

    Parameters
    ----------
    about : for whom
    target : where; what is there is written over
    printed : the typesetter, as `server.papers.printing.printed`
    paper_only : whether only the paper is kept

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    found = await gather(about)
    name = await _name()
    files = sorted([*found.files, (README, _readme(name, about).encode())])
    with target.open("wb") as file:
        archive, listed, broken = Writer(file), list[Listed](), list(found.broken)
        for kept in sorted(found.kept, key=lambda one: one.name):  # one after the other: never two in memory
            content = await content_of(kept)
            if content is None:
                broken.append(Gap("evidence", "file", kept.name.rpartition("/")[2]))
                continue
            archive.add(kept.name, content)
            listed.append(Listed(kept.name, kept.sha256, kept.size))
        for path, content in files:
            archive.add(path, content)
            listed.append(_listed(path, content))
        paper = printed("pack", _facts(about, name, found, broken, listed))
        if paper_only:
            file.seek(0)
            file.truncate()
            file.write(paper)
            return
        archive.add(PAPER, paper)
        listed.append(_listed(PAPER, paper))
        archive.add(INDEX, canonical(_index(about, name, found, broken, listed)))
        archive.end()


def _listed(path: str, content: bytes) -> Listed:
    return Listed(path, hashlib.sha256(content).hexdigest(), len(content))


async def _name() -> str:
    about = await organisation.load()
    return about.name if about else "Ascolto"


def _index(about: About, name: str, found: Part, broken: Sequence[Gap], listed: Sequence[Listed]) -> dict[str, Any]:
    key = installation_key(about.data)
    index = {
        "schema": SCHEMA,
        "installation": row(name)[0],
        "key": public_text(key),
        "day": str(about.day),
        "edition": certification.catalogue().edition,
        "language": about.language,
        "mark": mark_of(listed),
        "files": [asdict(one) for one in sorted(listed, key=lambda one: one.path)],
        "absent": [_plain(one) for one in found.absent],
        "broken": [_plain(one) for one in broken],
        "left_out": [{"path": one.name, "sha256": one.sha256, "size": one.size} for one in found.left_out],
    }
    return index | {"signature": sign(key, signed_bytes(index))}


def _plain(gap: Gap) -> dict[str, str]:
    return {"part": gap.part, "reason": gap.reason, "what": row(gap.what)[0]}


def _readme(name: str, about: About) -> str:
    public = fingerprint(public_text(installation_key(about.data)))
    return "\n\n".join(
        say(language, "pack.readme", name=row(name)[0], day=day(about.day, language), key=public)
        for language in DESK_LANGUAGES
    )


def _facts(about: About, name: str, found: Part, broken: Sequence[Gap], listed: Sequence[Listed]) -> dict[str, Any]:
    """All that ``pack.typ`` prints."""
    public = fingerprint(public_text(installation_key(about.data)))
    mark, on, edition = mark_of(listed), day(about.day, about.language), certification.catalogue().edition
    printed_name = row(name)[0]
    left_out = tuple(_left_out(about, one) for one in found.left_out)
    return {
        "lang": about.language,
        "t": {
            key.removeprefix("pack.t."): str(text)
            for key, text in catalogue(about.language).items()
            if key.startswith("pack.t.")
        },
        "title": about.say("title"),
        "organisation": printed_name,
        "lead": about.say("lead_all", name=printed_name, day=on, edition=edition),
        "source": about.say("source", day=on, key=public),
        "mark": about.say("mark", mark=grouped(mark[:MARK])),
        "facts": [
            (about.say("fact.day"), on),
            (about.say("fact.edition"), edition),
            (about.say("fact.key"), public),
            (about.say("fact.mark"), f"{mark[:32]}\u200b{mark[32:]}"),
            (about.say("fact.files"), number(len(listed), about.language)),
        ],
        "absent": [gap_words(about, one) for one in found.absent],
        "broken": [*(gap_words(about, one) for one in broken), *left_out],
        "chapters": [asdict(one) for one in (*found.chapters, _files(about, listed))],
    }


def _files(about: About, listed: Sequence[Listed]) -> Chapter:
    """Every file with its hash, the paper aside."""
    rows = tuple(row(one.path, one.sha256, str(one.size)) for one in sorted(listed, key=lambda one: one.path))
    heads = tuple(about.say(f"head.{name}") for name in ("file", "sha256", "bytes"))
    table = Table(about.say("table.files"), heads, (5, 5, 1), rows)
    return Chapter(about.say("chapter.files"), about.say("lead.files"), INDEX, (table,))
