"""What every step of a wave's life needs: the stores, the data folder, the day."""

import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from surveys.answers.keys import SealedUrnKey
from surveys.answers.pairs import WAVE_KEY_BYTES
from surveys.public.waves import NoSuchWave
from surveys.stores import Engines

ROME = ZoneInfo("Europe/Rome")
_FILE_NAME = re.compile(r"\w[\w.-]{0,79}")


def today() -> date:
    """The day it is in Italy."""
    return rome_day(datetime.now(UTC))


def rome_day(instant: datetime) -> date:
    """The day it is in Italy at an instant.

    Raises
    ------
    ValueError
        If the instant has no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(ROME).date()


@dataclass(frozen=True, slots=True)
class Site:
    """The opened stores and the folder of keys; `day` is the day of this step, `actor` who takes it."""

    engines: Engines
    data: Path
    day: date
    actor: str

    def wraps_file(self, wave: str) -> Path:
        """Where the wrapped key of a wave of version 1 lies: apart from the answers, so that their backups do not hold it."""
        return _file_of(self.data, wave, "wraps.json")

    def wave_key_file(self, wave: str) -> Path:
        """Where the key of the server's layer lies (version 2): apart from the answers and their backups."""
        return wave_key_path(self.data, wave)


def keep_wraps(site: Site, wave: str, sealed: SealedUrnKey) -> None:
    """Write the wrapped key durably."""
    keep_file(site.wraps_file(wave), wraps_text(sealed).encode())


def keep_file(path: Path, content: bytes) -> None:
    """Write a file of the folder of keys durably: the old one or the new one, never a half."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = _beside(path)
    _write(partial, content)
    partial.replace(path)
    _settle(path.parent)


def keep_once(path: Path, content: bytes) -> bool:
    """Write a file of the folder of keys durably unless there is one: never a half, never over another; says whether it did."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = _beside(path)
    _write(partial, content)
    try:
        os.link(partial, path)  # fails where a file is, as a renaming would not
    except FileExistsError:
        return False
    finally:
        partial.unlink()
    _settle(path.parent)
    return True


def _beside(path: Path) -> Path:
    """Where a file is written before it has its name: apart from those of other files of the wave and of other processes."""
    return path.with_name(f"{path.name}.{os.getpid()}.partial")


def _settle(path: Path) -> None:
    """Keep the names in a folder: log and stores will speak of a file, and a power cut must not take it."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def wraps_text(sealed: SealedUrnKey) -> str:
    """The wrapped key as text, for its file and for the recovery sheet: useless without two secrets."""
    content = {"public": sealed.public.hex(), "wraps": {pair: wrap.hex() for pair, wrap in sealed.wraps.items()}}
    return json.dumps(content, separators=(",", ":"))


def wraps_from(text: str) -> SealedUrnKey:
    """Read what `wraps_text` writes; spaces and line breaks from a typed sheet do no harm.

    Raises
    ------
    ValueError
        If the text is not a wrapped key.
    """
    try:
        content = json.loads("".join(text.split()))
        wraps = {str(pair): bytes.fromhex(wrap) for pair, wrap in content["wraps"].items()}
        return SealedUrnKey(bytes.fromhex(content["public"]), wraps)
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise ValueError("not the text of a wrapped key") from problem


def read_wraps(site: Site, wave: str) -> SealedUrnKey:
    """Read the wrapped key of a wave.

    Raises
    ------
    FileNotFoundError
        If it was destroyed, or never made.
    """
    return wraps_from(site.wraps_file(wave).read_text())


def make_wave_key(site: Site, wave: str) -> bytes:
    """Make the key of the server's layer, in a file outside the stores and their backups; gives what the row may hold of it."""
    key = os.urandom(WAVE_KEY_BYTES)
    keep_file(site.wave_key_file(wave), key)
    return wave_key_digest(key)


def wave_key_digest(key: bytes) -> bytes:
    """What is kept of a wave key, to know it again when it comes back from paper."""
    return sha256(b"ascolto wave key v2" + key).digest()


def read_wave_key(data: Path, wave: str) -> bytes:
    """Read the wave key.

    Raises
    ------
    FileNotFoundError
        If it was destroyed, or never made.
    """
    return wave_key_path(data, wave).read_bytes()


def _file_of(data: Path, wave: str, kind: str) -> Path:
    """A file of a wave in the folder of keys; what an address names and no wave can be called, names none."""
    if not _FILE_NAME.fullmatch(wave):
        raise NoSuchWave(wave)
    return data / "keys" / f"{wave}.{kind}"


def wave_key_path(data: Path, wave: str) -> Path:
    return _file_of(data, wave, "wave.key")


def plan_path(data: Path, wave: str) -> Path:
    """Where the signed plan of a wave lies, outside the databases: it decides that a wave is of version 2."""
    return _file_of(data, wave, "plan")


def over_path(data: Path, wave: str) -> Path:
    """Where stands that a wave is over and its sheets were to be destroyed: no row of a database brings it back."""
    return _file_of(data, wave, "over")


def frozen_path(data: Path, wave: str) -> Path:
    """Where the headcounts and least sizes of an opened wave stand (`surveys.lifecycle.frozen`)."""
    return _file_of(data, wave, "frozen")


def sign_path(data: Path, wave: str) -> Path:
    """Where the key lies that signs the tokens of a wave, while it is open."""
    return _file_of(data, wave, "sign.pem")


def draw_path(data: Path, wave: str) -> Path:
    """Where the seed of a release's moves stands until it is over (`surveys.lifecycle.drawing`)."""
    return _file_of(data, wave, "draw")


def slips_path(data: Path, wave: str, number: int) -> Path:
    """Where lies what the codes of a batch of slips follow from, until it is handed over (`surveys.lifecycle.printing`)."""
    return _file_of(data, wave, f"slips-{number}")


def seed_paths(data: Path, wave: str) -> list[Path]:
    """The same of every batch of a wave."""
    begin = _file_of(data, wave, "slips-").name
    return sorted(path for path in (data / "keys").glob("*.slips-*") if path.name.startswith(begin))


def destroy_seeds(data: Path, wave: str) -> None:
    """Nobody prints slips of this wave again."""
    for path in seed_paths(data, wave):
        destroy_file(path)


def destroy_wraps(site: Site, wave: str) -> None:
    """Overwrite and remove what opens sheets besides the holders' words: the wave key, or the wrapped key of version 1."""
    destroy_file(site.wraps_file(wave))
    destroy_file(site.wave_key_file(wave))


def destroy_file(path: Path) -> None:
    """Overwrite a file with noise and remove it; nothing if it is not there."""
    if path.exists():
        size = path.stat().st_size
        with open(path, "r+b") as file:
            file.write(os.urandom(size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
