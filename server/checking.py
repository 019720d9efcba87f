"""Checks of an installed machine: a canary through the staff pages, and what the system around could write down."""

import base64
import gzip
import os
import resource
import secrets
import stat
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from server.settings import Settings

STAFF_PAGES = ("/", "/help", "/answer", "/concern", "/trust", "/thanks", "/no-such-page")
CHUNK = 1 << 20
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check: its key, whether it holds (None: could not be looked at), and where it does not."""

    key: str
    holds: bool | None
    where: str = ""


def run(settings: Settings, url: str, logs: list[Path]) -> Iterator[Verdict]:
    """All checks, one after the other."""
    mark = f"kanarienvogel{secrets.token_hex(8)}"
    answers = send_canary(url, mark)
    yield Verdict("reached", bool(answers), url)
    if answers:
        yield from _pages(url, answers)
        time.sleep(1)  # a log is written a moment later
        found = [str(path) for path in holding([settings.data, *logs], mark)] + journal_with(mark)
        yield Verdict("canary", not found, ", ".join(found))
    loose = [str(path) for path in (settings.data, *_files(settings.data / "keys")) if _is_loose(path)]
    yield Verdict("modes", not loose, ", ".join(loose[:5]))
    yield Verdict("core", resource.getrlimit(resource.RLIMIT_CORE)[0] == 0)
    yield Verdict("swap", no_swap())
    secure = urlsplit(url).hostname in LOOPBACK or (url.startswith("https://") and settings.https)
    yield Verdict("https", secure)


def send_canary(url: str, mark: str) -> list[tuple[str, dict[str, str]]]:
    """Send the mark in path, query, headers, cookie and body of every staff page; gives each page's headers."""
    answers = []
    headers = {
        "User-Agent": mark, "Referer": f"https://{mark}.example", "Cookie": f"c={mark}", "Accept-Language": f"it,{mark};q=0.1",
        "X-Forwarded-For": "192.0.2.77",
    }  # fmt: skip
    body = f"_code={mark}&_wave={mark}&OPN1={mark}&CUL1={mark}".encode()
    for page, data in [
        *((page, None) for page in STAFF_PAGES),
        ("/answer", body),
        ("/concern", body),
        ("/answer/token", b"{" + body),
    ]:
        request = urllib.request.Request(f"{url}{page}?q={mark}", data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                answers.append((page, dict(answer.headers.items())))
        except urllib.error.HTTPError as problem:
            answers.append((page, dict(problem.headers.items())))
        except OSError:
            return []
    return answers


def _pages(url: str, answers: list[tuple[str, dict[str, str]]]) -> Iterator[Verdict]:
    named = [(page, {name.lower(): value for name, value in headers.items()}) for page, headers in answers]
    cookies = [page for page, headers in named if "set-cookie" in headers]
    yield Verdict("cookies", not cookies, ", ".join(cookies))
    wanted = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
    wrong = [
        page
        for page, headers in named
        if any(headers.get(n) != v for n, v in wanted.items()) or "content-security-policy" not in headers
    ]
    yield Verdict("headers", not wrong, ", ".join(wrong))
    if url.startswith("https://"):
        bare = [page for page, headers in named if "strict-transport-security" not in headers]
        yield Verdict("hsts", not bare, ", ".join(bare))


def _is_loose(path: Path) -> bool:
    """Whether others may enter a folder or read a file. A closed data folder protects all in it; keys are closed twice."""
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def _files(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        yield from (Path(root) / name for name in names if (Path(root) / name).is_file())


def holding(folders: list[Path], mark: str) -> list[Path]:
    """Files that hold the mark: as it is, percent-encoded, in hex or in base64 at any offset; also in .gz."""
    plain = mark.encode()
    needles = {plain, quote(mark).encode(), plain.hex().encode()}
    for shift in range(3):  # base64 of the mark with one, two or no bytes before it, without the uncertain edges
        coded = base64.b64encode(b"\0" * shift + plain)
        needles.add(coded[4 if shift else 0 : -4])
    found = []
    for folder in folders:
        for path in _files(folder):
            try:
                if _holds(path, needles):
                    found.append(path)
            except (OSError, EOFError):
                continue
    return found


def _holds(path: Path, needles: set[bytes]) -> bool:
    keep = max(map(len, needles))
    before = b""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        while piece := file.read(CHUNK):
            if any(needle in before + piece for needle in needles):
                return True
            before = piece[-keep:]
    return False


def journal_with(mark: str) -> list[str]:
    """Whether the system's journal of the last minutes holds the mark; nothing where there is no journal."""
    try:
        said = subprocess.run(
            ["journalctl", "--since", "-5min", "--no-pager", "-o", "cat"], capture_output=True, text=True, timeout=60
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    return ["journalctl"] if mark in said else []


def no_swap() -> bool | None:
    """Whether the machine has no swap in use; None where that cannot be read."""
    try:
        lines = Path("/proc/swaps").read_text().splitlines()[1:]
    except OSError:
        return None
    return all(line.split()[3] == "0" for line in lines)
