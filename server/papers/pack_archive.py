"""The one form of a pack's ZIP: stored entries, fixed dates, no gaps, nothing behind. Written and read here alone.

What cannot be said in two ways cannot hide anything: a reader computes every header anew and compares. Nothing is compressed, so
nothing unpacks to more than it is; any program for ZIP files opens it.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MOST_ENTRIES = 4000
LARGEST_ENTRY = 64 * 1024 * 1024
LARGEST_FILE = 640 * 1024 * 1024
LONGEST_NAME = 200
_PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_NAME = re.compile(rf"{_PART}(?:/{_PART})*", re.ASCII)
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_VERSION, _UNIX = 20, 3 << 8 | 20
_FIRST_OF_1980 = 0x21
_READABLE = 0o100644 << 16
_PIECE = 1024 * 1024


class ArchiveRefused(ValueError):
    """A file is no pack as it was written; `reason` is the key of its sentence, `entry` where it was seen."""

    def __init__(self, reason: str, entry: str = "") -> None:
        super().__init__(f"{reason} {entry}".strip())
        self.reason, self.entry = reason, entry


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a pack: name, size in bytes, CRC-32, and where its header begins."""

    name: str
    size: int
    crc: int
    offset: int

    def local(self) -> bytes:
        name = self.name.encode("ascii")
        head = (b"PK\3\4", _VERSION, 0, 0, 0, _FIRST_OF_1980, self.crc, self.size, self.size, len(name), 0)
        return _LOCAL.pack(*head) + name

    def central(self) -> bytes:
        name = self.name.encode("ascii")
        what = (b"PK\1\2", _UNIX, _VERSION, 0, 0, 0, _FIRST_OF_1980, self.crc, self.size, self.size)
        return _CENTRAL.pack(*what, len(name), 0, 0, 0, 0, _READABLE, self.offset) + name


def _end(count: int, size: int, offset: int) -> bytes:
    return _END.pack(b"PK\5\6", 0, 0, count, count, size, offset, 0)


def is_name(name: str) -> bool:
    """Whether an entry may be called so: plain letters, no part that begins with a point."""
    return len(name) <= LONGEST_NAME and _NAME.fullmatch(name) is not None


def plain_name(text: str, most: int = 60) -> str:
    """A name that somebody typed, as a part of an entry's name: plain letters, digits, points and dashes, its ending kept."""
    letters = re.sub(r"[^A-Za-z0-9._-]+", "_", text).lstrip("._-").rstrip("._-")
    stem, point, ending = letters.rpartition(".")
    if len(letters) <= most:
        return letters or "file"
    return f"{stem[: most - len(ending) - 1]}.{ending}" if point and len(ending) <= 8 else letters[:most]


class Writer:
    """Writes a pack into a file that is open for writing at its beginning."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._entries, self._at = file, list[Entry](), 0

    def add(self, name: str, content: bytes) -> None:
        """Append a file.

        Raises
        ------
        ValueError
            If the name is none, or it does not fit into a pack.
        """
        if not is_name(name) or len(content) > LARGEST_ENTRY or len(self._entries) >= MOST_ENTRIES:
            raise ValueError(f"no entry of a pack: {name[:80]!r}")
        entry = Entry(name, len(content), zlib.crc32(content), self._at)
        for piece in (entry.local(), content):
            self._file.write(piece)
            self._at += len(piece)
        if self._at > LARGEST_FILE:
            raise ValueError("a pack is larger than any may be")
        self._entries.append(entry)

    def end(self) -> None:
        """Write the list of entries; nothing comes after it."""
        listed = b"".join(entry.central() for entry in self._entries)
        self._file.write(listed + _end(len(self._entries), len(listed), self._at))


class Reader:
    """A pack whose every byte belongs to an entry of its own, or to the one form of headers.

    Raises
    ------
    ArchiveRefused
        ``large``, ``no_zip`` (its end is not as a pack's), ``repacked`` (headers that no pack has), ``name``, ``twice``, or, while
        a content is read, ``damaged``.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        size = file.seek(0, 2)
        if size > LARGEST_FILE:
            raise ArchiveRefused("large")
        if size < _END.size:
            raise ArchiveRefused("no_zip")
        tail = self._at(size - _END.size, _END.size)
        count, length, offset = _END.unpack(tail)[4:7]
        if tail != _end(count, length, offset) or offset + length + _END.size != size:
            raise ArchiveRefused("no_zip")
        if count > MOST_ENTRIES or length > MOST_ENTRIES * (_CENTRAL.size + LONGEST_NAME):
            raise ArchiveRefused("large")
        self.entries = {entry.name: entry for entry in _listed(self._at(offset, length), count)}
        if len(self.entries) != count or len({name.casefold() for name in self.entries}) != count:
            raise ArchiveRefused("twice")
        self._check_places(offset)

    def _at(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(size)

    def _check_places(self, end: int) -> None:
        """Entries lie one behind the other, each under its header, from the first byte on."""
        at = 0
        for entry in self.entries.values():
            header = entry.local()
            if entry.offset != at or self._at(at, len(header)) != header:
                raise ArchiveRefused("repacked", entry.name)
            at += len(header) + entry.size
        if at != end:
            raise ArchiveRefused("repacked")

    def pieces(self, name: str) -> Iterator[bytes]:
        """The content of an entry, a piece after the other."""
        entry, crc, left = self.entries[name], 0, self.entries[name].size
        at = entry.offset + len(entry.local())
        while left:
            piece = self._at(at, min(left, _PIECE))
            if not piece:
                raise ArchiveRefused("damaged", name)
            crc, at, left = zlib.crc32(piece, crc), at + len(piece), left - len(piece)
            yield piece
        if crc != entry.crc:
            raise ArchiveRefused("damaged", name)

    def content(self, name: str) -> bytes:
        """The content of an entry, of at most 64 MiB."""
        return b"".join(self.pieces(name))


def _listed(text: bytes, count: int) -> Iterator[Entry]:
    at = 0
    for _ in range(count):
        if len(text) - at < _CENTRAL.size:
            raise ArchiveRefused("repacked")
        found = _CENTRAL.unpack_from(text, at)
        crc, size, length, offset = found[7], found[8], found[10], found[16]
        name = text[at + _CENTRAL.size : at + _CENTRAL.size + length].decode("ascii", "replace")
        if not is_name(name):
            raise ArchiveRefused("name", name[:80])
        entry = Entry(name, size, crc, offset)
        if size > LARGEST_ENTRY:
            raise ArchiveRefused("large", name)
        if text[at : at + _CENTRAL.size + length] != entry.central():
            raise ArchiveRefused("repacked", name)
        yield entry
        at += _CENTRAL.size + length
    if at != len(text):
        raise ArchiveRefused("repacked")
