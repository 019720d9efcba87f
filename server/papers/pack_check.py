"""Checking an audit pack from its file alone: nothing of an installation is asked, nothing is written.

Structure and names, then the index and its signature, then every hash; only what has all of them is read at all. Then each kind of
file is held against the others: what is signed twice must agree.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from analysis.document import ReleaseInvalid
from server.papers.pack import INDEX, PAPER, README, SCHEMA, Listed, mark_of, signed_bytes
from server.papers.pack_archive import ArchiveRefused, Reader
from server.papers.pack_held import HELD, OTHER, Held, Pack
from server.papers.pack_signers import HOUSE, is_of
from surveys import signed
from surveys.answers.plans import PlanOther
from surveys.public import house as house_file
from surveys.public.house import HouseFile, HouseRefused
from surveys.public.signing import fingerprint, is_signed
from surveys.public.statements import RingRefused
from surveys.signed import exactly, hexed, listed, object_of, text_of, whole

UNCHECKED = ("key", "protection", "signers", "band", "papers", "workbook", "log")
INDEX_LIMIT = 4 * 1024 * 1024
_ANY = text_of(0, 400)
_FILE = object_of({"path": text_of(1, 200), "sha256": hexed(32), "size": whole(0, 2**40)})
_GAP = object_of({"part": _ANY, "reason": _ANY, "what": text_of(0, 1000)})
_SHAPE = object_of(
    {
        "schema": exactly(SCHEMA),
        "installation": text_of(0, 1000),
        "key": text_of(44, 44),
        "day": signed.day,
        "edition": _ANY,
        "language": exactly("it", "en"),
        "mark": hexed(32),
        "files": listed(_FILE, 0, 5000),
        "absent": listed(_GAP, 0, 20_000),
        "broken": listed(_GAP, 0, 20_000),
        "left_out": listed(_FILE, 0, 20_000),
        "signature": text_of(88, 88),
    }
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: the key of its sentence under ``pack.verify``, what it is of, and whether it holds."""

    key: str
    holds: bool
    what: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """All checks; `unchecked` names what nobody can see from here. `key` is the fingerprint to compare,
    `words` the twelve words of the house that names this key, "" where none does."""

    checks: tuple[Check, ...]
    unchecked: tuple[str, ...] = UNCHECKED
    key: str = ""
    mark: str = ""
    words: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing failed, and something was looked at."""
        return bool(self.checks) and all(check.holds for check in self.checks)


def verify(file: BinaryIO, expected_key: str = "") -> Verdict:
    """Check a pack.

    Parameters
    ----------
    file : open for reading
    expected_key : the twelve words of a poster, or the fingerprint of the key, spaces or not; "" leaves the comparison to
        whoever reads
    """
    try:
        archive = Reader(file)
        index = _index(archive)
    except ArchiveRefused as problem:
        return Verdict((Check(problem.reason, False, problem.entry),))
    if index is None:
        return Verdict((Check("archive", True), Check("index", False)))
    checks = [Check("archive", True), Check("index", True), *_signed(archive, index, expected_key)]
    checks += _listed(archive, index)
    try:
        if all(check.holds for check in checks):
            checks += _hashes(archive, index)
        if all(check.holds for check in checks):
            checks += _held(archive, index)
    except ArchiveRefused as problem:
        checks.append(Check(problem.reason, False, problem.entry))
    house = _house(archive, index)
    words = " ".join(house.words) if house else ""
    return Verdict(tuple(checks), key=fingerprint(index["key"]), mark=str(index["mark"]), words=words)


def _index(archive: Reader) -> dict[str, Any] | None:
    """The index, if it is there in its one form."""
    if INDEX not in archive.entries or archive.entries[INDEX].size > INDEX_LIMIT:
        return None
    text = archive.content(INDEX)
    try:
        found = signed.parse(text.decode())  # whole numbers alone, no doubled names, not too deep
    except (ValueError, RecursionError):
        return None
    if not _SHAPE(found):
        return None
    try:
        is_key = len(base64.b64decode(found["key"], validate=True)) == 32
    except ValueError:
        return None
    return dict(found) if is_key else None


def _house(archive: Reader, index: Mapping[str, Any]) -> HouseFile | None:
    """The house of the pack, if it names the key of the index: whoever knows its words knows the key."""
    if HOUSE not in archive.entries or archive.entries[HOUSE].size > INDEX_LIMIT:
        return None
    try:
        found = house_file.read(b"".join(archive.pieces(HOUSE)).decode())
    except ValueError:
        return None
    return found if is_of(found, index["key"]) else None


def _signed(archive: Reader, index: Mapping[str, Any], expected: str) -> Iterator[Check]:
    own = fingerprint(index["key"])
    yield Check("index_signature", is_signed(index["key"], signed_bytes(dict(index)), index["signature"]), own)
    if expected:
        house = _house(archive, index)
        known = {own.replace(" ", ""), house.printed if house else ""}
        yield Check("index_key", _typed(expected) in known, own)


def _typed(expected: str) -> str:
    """Words or digits as somebody typed them, as 32 hex digits."""
    try:
        return house_file.printed_from(expected)
    except HouseRefused:
        return "-"


def _listed(archive: Reader, index: Mapping[str, Any]) -> Iterator[Check]:
    """The files of the index and of the archive are the same, each once."""
    paths = [one["path"] for one in index["files"]]
    there = set(archive.entries) - {INDEX}
    extra, missing = sorted(there - set(paths)), sorted({PAPER, README} | set(paths) - there)
    missing = [path for path in missing if path not in there]
    yield from (Check("extra", False, path) for path in extra)
    yield from (Check("missing", False, path) for path in missing)
    if not extra and not missing:
        yield Check("listed", paths == sorted(set(paths)))


def _hashes(archive: Reader, index: Mapping[str, Any]) -> Iterator[Check]:
    other = []
    for one in index["files"]:
        digest = hashlib.sha256()
        for piece in archive.pieces(one["path"]):
            digest.update(piece)
        if digest.hexdigest() != one["sha256"] or archive.entries[one["path"]].size != one["size"]:
            other.append(one["path"])
    yield from (Check("hash_bad", False, path) for path in other)
    if not other:
        yield Check("hash", True, str(len(index["files"])))
    yield Check("contents", mark_of([Listed(**one) for one in index["files"]]) == index["mark"])


def _held(archive: Reader, index: Mapping[str, Any]) -> Iterator[Check]:
    """Each file against the others. What lies here was hashed; what it says may still be of another shape."""
    pack = Pack(archive, index)
    known = {INDEX, PAPER, README}
    for held in HELD:
        for path in sorted(path for path in archive.entries if held.path.fullmatch(path)):
            known.add(path)
            yield _one(held, pack, path)
    yield from (Check("unknown", False, path) for path in sorted(set(archive.entries) - known))


def _one(held: Held, pack: Pack, path: str) -> Check:
    """A file's check. Whatever a stranger wrote into it: a failure, never a fault."""
    try:
        problem = held.check(pack, path)
    except (HouseRefused, PlanOther, ReleaseInvalid, RingRefused):
        return Check(held.key, False, path)
    except Exception:
        return Check("shape", False, path)
    return Check(held.key, not problem, path, "" if problem == OTHER else problem)
