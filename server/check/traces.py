"""Looking for a marked word in files, rotated logs and the system's journal, however it was written."""

import base64
import bz2
import gzip
import lzma
import os
import shutil
import stat
import subprocess
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHUNK = 1 << 20
SLACK_SECONDS = 3600
"""A disk may have a clock of its own."""
OPENERS: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
NOT_OPENED = (".zst", ".lz4", ".zip")
DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError)


@dataclass(slots=True)
class Traces:
    """Where the word is, and what could not be read."""

    found: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    n_read: int = 0


def spellings(word: str) -> tuple[bytes, ...]:
    """The word as logs write it, in small letters: plain, percent-encoded, hexadecimal, base64 at each of three offsets."""
    plain = word.encode()
    found = {plain, plain.hex().encode(), "".join(f"%{byte:02x}" for byte in plain).encode()}
    found.add("".join(f"\\x{byte:02x}" for byte in plain).encode())
    for offset, first in ((0, 0), (1, 2), (2, 3)):
        whole = (offset + len(plain)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            found.add(encode(bytes(offset) + plain)[first:whole])
    return tuple(sorted(spelling.lower() for spelling in found))


def holds(stream: Any, spelled: Iterable[bytes]) -> bool:
    """Read a stream piece by piece; a word across two pieces is found. Case counts for nothing.

    A packed log that is still being written ends in the middle: what comes before is searched.
    """
    wanted = tuple(spelled)
    overlap = max(map(len, wanted)) - 1
    before = b""
    while piece := stream.read1(CHUNK):
        block = before + piece.lower()
        if any(one in block for one in wanted):
            return True
        before = block[-overlap:] if overlap else b""
    return False


def files_under(folder: Path, unread: list[str]) -> Iterator[Path]:
    """Every regular file, links followed, each once; folders that may not be entered are named."""
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        try:
            about = path.stat()
            if (about.st_dev, about.st_ino) in seen:
                continue
            seen.add((about.st_dev, about.st_ino))
            if stat.S_ISDIR(about.st_mode):
                waiting.extend(sorted(path.iterdir(), reverse=True))
            elif stat.S_ISREG(about.st_mode):
                yield path
        except FileNotFoundError:
            continue  # rotated away, or a link to nothing
        except OSError:
            unread.append(str(path))


def search(folders: Iterable[Path], spelled: Iterable[bytes], *, since: float = 0.0) -> Traces:
    """Search all files, rotated and packed ones too. One that did not change after `since` cannot hold a newer word."""
    wanted, traces = tuple(spelled), Traces()
    for folder in folders:
        for path in files_under(folder, traces.unread):
            try:
                about = path.stat()
                if max(about.st_mtime, about.st_ctime) < since - SLACK_SECONDS:
                    continue
                with path.open("rb") as file:
                    there = holds(file, wanted)
            except FileNotFoundError:
                continue
            except OSError:
                traces.unread.append(str(path))
                continue
            traces.n_read += 1
            if there or _holds_packed(path, wanted, traces.unread):
                traces.found.append(str(path))
    return traces


def _holds_packed(path: Path, wanted: tuple[bytes, ...], unread: list[str]) -> bool:
    if path.suffix in NOT_OPENED:
        unread.append(str(path))
    if path.suffix not in OPENERS:
        return False
    try:
        with OPENERS[path.suffix](path) as file:
            return holds(file, wanted)
    except DAMAGED:
        unread.append(str(path))
        return False


def journal_holds(spelled: Iterable[bytes], *, since: float) -> bool | None:
    """Whether the system's journal holds the word; None where there is none or this account sees only its own part."""
    program = shutil.which("journalctl")
    if program is None:
        return None
    try:
        probe = subprocess.run([program, "--lines=1", "--no-pager"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if probe.returncode or b"No journal files" in probe.stderr or b"not seeing messages from" in probe.stderr:
        return None
    asked = [program, f"--since=@{int(since) - 5}", "--output=export", "--all", "--no-pager"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as reading:
        assert reading.stdout is not None
        there = holds(reading.stdout, spelled)
        if there:
            reading.kill()
    return there if there or reading.returncode == 0 else None


def readable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)
