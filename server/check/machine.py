"""The machine around the service: who may read its files, and where its memory or its keys could be written."""

import json
import os
import shutil
import smtplib
import stat
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from server.check import Finding, failed, good, listed, unsure
from server.check.traces import files_under, search
from server.mail import post
from server.operation.watch import RESERVE_BYTES
from server.settings import Settings
from surveys.backup import rehearsing
from surveys.backup.making import MARK
from surveys.lifecycle import clock

FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO
KEY_FILES = ("*.pem", "*.key", "*.wraps.json", "*.slips-*")
BACK_SECONDS = 600
"""A file from further ahead than this means that the clock went back."""
BACKUP_DAYS = 7
"""An older last backup is named as a fault."""
REHEARSAL_DAYS = 40
"""And so is an older last rehearsal of a restore."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running process that serves an installation, seen from outside."""

    folder: Path
    https: bool


def services_of(data: Path, processes: Path = Path("/proc")) -> list[Service]:
    """Find the processes that serve this data folder; none if there is none, or this account may not look."""
    found = []
    for folder in processes.glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
            if not {b"serve", b"demo-serve"} & set(arguments):
                continue
            if not any(part == b"server.command.cli" or part.endswith(b"/ascolto") for part in arguments):
                continue
            pairs = (entry.partition(b"=") for entry in (folder / "environ").read_bytes().split(b"\0"))
            environ = {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}
            served = Path(os.readlink(folder / "cwd")) / environ.get("ASCOLTO_DATA", "data")
            if served.resolve() == data.resolve():
                found.append(Service(folder, environ.get("ASCOLTO_HTTPS") == "1"))
        except OSError:
            continue  # ended meanwhile, or another account's
    return found


def _is_loose(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & FOR_OTHERS)


def judge_modes(data: Path) -> Iterator[Finding]:
    """The data folder closes out everyone else; so does each key, wherever the folder is copied to."""
    yield failed("data_mode", path=data) if _is_loose(data) else good("data_mode")
    keys = data / "keys"
    if not keys.is_dir():
        yield unsure("key_modes", path=keys)
        return
    loose = [str(path) for path in (keys, *sorted(keys.iterdir())) if path.suffix != ".lock" and _is_loose(path)]
    yield failed("key_modes", paths=listed(loose)) if loose else good("key_modes")


def judge_keys_apart(data: Path) -> Finding:
    """No key lies outside ``keys/``, and no bytes of one lie in the files of the answers store."""
    keys, unread = data / "keys", list[str]()
    if not keys.is_dir():
        return unsure("keys_apart")
    outside = [
        str(path) for path in files_under(data, unread) if keys not in path.parents and any(map(path.match, KEY_FILES))
    ]
    if keys.is_symlink() and keys.resolve().is_relative_to(data.resolve()):
        outside.append(str(keys))
    secrets = [secret.lower() for path in keys.iterdir() if path.is_file() for secret in _secrets_in(path)]
    for path in sorted(data.glob("answers.sqlite*")):
        if secrets and path.is_file() and search([path], secrets).found:
            outside.append(str(path))
    return failed("keys_apart", paths=listed(outside)) if outside else good("keys_apart")


def _secrets_in(path: Path) -> list[bytes]:
    """What a key's file holds, as bytes to look for: a wrap both raw and in hex, the middle line of a PEM, a raw key."""
    content = path.read_bytes()
    if path.suffix == ".json":
        try:
            wraps = [str(wrap) for wrap in json.loads(content)["wraps"].values()]
        except (ValueError, KeyError, TypeError, AttributeError):
            return []
        return [form for wrap in wraps if len(wrap) >= 32 for form in (wrap.encode(), bytes.fromhex(wrap))]
    if path.suffix == ".pem":
        lines = content.split()
        return [line for line in lines[len(lines) // 2 :][:1] if len(line) >= 32]
    return [content, content.hex().encode()] if path.suffix == ".key" and len(content) >= 16 else []


def judge_core(services: Sequence[Service]) -> Finding:
    """No copy of a service's memory is written when it crashes: the soft limit of core files is 0 for each process."""
    limits = [_core_limit(service) for service in services]
    if any(limit not in ("0", "") for limit in limits):
        return failed("core")
    return good("core") if limits and "" not in limits else unsure("core")


def _core_limit(service: Service) -> str:
    try:
        lines = (service.folder / "limits").read_text().splitlines()
    except OSError:
        return ""
    return next((line.split()[4] for line in lines if line.startswith("Max core file size")), "")


def swap_areas(text: str) -> list[str]:
    """The swap areas of ``/proc/swaps`` that lie on a disk; zram is memory."""
    return [line.split()[0] for line in text.splitlines()[1:] if line.split() and not line.startswith("/dev/zram")]


def judge_swap(
    services: Sequence[Service], swaps: Path = Path("/proc/swaps"), groups: Path = Path("/sys/fs/cgroup")
) -> Finding:
    """Memory of the service never waits on a disk: there is no swap, or no process of the service may use it.

    Swap without that limit is a warning: it may be encrypted, which cannot be seen from here.
    """
    try:
        areas = swap_areas(swaps.read_text())
    except OSError:
        return unsure("swap", areas="?")
    if not areas or (services and all(_may_not_swap(service, groups) for service in services)):
        return good("swap")
    return unsure("swap", areas=listed(areas))


def _may_not_swap(service: Service, groups: Path) -> bool:
    try:
        group = (service.folder / "cgroup").read_text().strip().rpartition("::")[2]
        return (groups / group.lstrip("/") / "memory.swap.max").read_text().strip() == "0"
    except OSError:
        return False


def judge_clock(data: Path, now: float) -> Finding:
    """Days are Rome's: the time zone is known, and the clock is not behind what is already written."""
    try:
        day = datetime.fromtimestamp(now, ZoneInfo("Europe/Rome")).date()
    except ZoneInfoNotFoundError:
        return failed("clock", why="tzdata")
    newest = max((path.stat().st_mtime for path in data.glob("*") if path.is_file()), default=now)
    if newest > now + BACK_SECONDS:
        return failed("clock", why=datetime.fromtimestamp(newest, ZoneInfo("Europe/Rome")).date())
    if _said_by("timedatectl", "show", "--property=NTPSynchronized", "--value") == "no":
        return unsure("clock", day=day)
    return good("clock", day=day)


def judge_days(data: Path) -> Finding:
    """Whether the days that the service has seen follow each other."""
    found = clock.seen(data)
    if found.last is None:
        return unsure("days")
    if not found.is_believed:
        return failed("days", last=found.last, day=found.strange[-1])
    return good("days", last=found.last)


def _said_by(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def judge_backup(data: Path, now: float) -> Finding:
    """How old the last backup is that `ascolto backup` made of this folder; one made in another way is not seen."""
    try:
        day = date.fromisoformat((data / MARK).read_text("ascii").strip())
    except (OSError, ValueError):
        return unsure("backup")
    days = (datetime.fromtimestamp(now, ZoneInfo("Europe/Rome")).date() - day).days
    return failed("backup", n=days, day=day) if days > BACKUP_DAYS else good("backup", n=days, day=day)


def judge_rehearsal(data: Path, now: float) -> Finding:
    """How old the last rehearsal of a restore is, and whether it came to a good end."""
    last = rehearsing.last(data)
    if last is None:
        return unsure("rehearsal")
    days = (datetime.fromtimestamp(now, ZoneInfo("Europe/Rome")).date() - last.day).days
    if not last.good:
        return failed("rehearsal", day=last.day)
    return failed("rehearsal_old", day=last.day, n=days) if days > REHEARSAL_DAYS else good("rehearsal", day=last.day)


def judge_disk(data: Path) -> Finding:
    """Whether the data folder's disk has the room that a stir and a backup need."""
    free = shutil.disk_usage(data).free
    megabytes, wanted = free // 2**20, RESERVE_BYTES // 2**20
    if free < RESERVE_BYTES:
        return failed("disk", free=megabytes, wanted=wanted)
    return good("disk", free=megabytes)


def judge_mail(settings: Settings) -> Finding:
    """Whether the mail server that is set answers, and takes this account; no message is sent."""
    if not settings.smtp:
        return unsure("mail")
    try:
        with post.mail_server(settings) as server:
            server.noop()
    except (OSError, ValueError, smtplib.SMTPException) as problem:
        return failed("mail", why=type(problem).__name__)
    return good("mail")


def judge(data: Path, services: Sequence[Service]) -> Iterator[Finding]:
    """All that can be seen of the machine without asking the service."""
    yield from judge_modes(data)
    yield judge_keys_apart(data)
    yield judge_core(services)
    yield judge_swap(services)
    yield judge_clock(data, time.time())
    yield judge_days(data)
    yield judge_backup(data, time.time())
    yield judge_rehearsal(data, time.time())
    yield judge_disk(data)
