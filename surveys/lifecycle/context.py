"""What every step of a wave's life needs: the stores, the data folder, the day."""

import json
import os
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from surveys.answers.keys import SealedUrnKey
from surveys.stores import Engines

ROME = ZoneInfo("Europe/Rome")


def today() -> date:
    """The day it is in Italy."""
    return datetime.now(ROME).date()


@dataclass(frozen=True, slots=True)
class House:
    """The opened stores and the folder of keys; `day` is the day of this step, `actor` who takes it."""

    engines: Engines
    data: Path
    day: date
    actor: str

    def wraps_file(self, wave: str) -> Path:
        """Where the wrapped key of a wave lies: apart from the answers, so that their backups do not hold it."""
        return self.data / "keys" / f"{wave}.wraps.json"


def keep_wraps(house: House, wave: str, sealed: SealedUrnKey) -> None:
    """Write the wrapped key durably."""
    path = house.wraps_file(wave)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = wraps_text(sealed)
    partial = path.with_suffix(".partial")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


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


def read_wraps(house: House, wave: str) -> SealedUrnKey:
    """Read the wrapped key of a wave.

    Raises
    ------
    FileNotFoundError
        If it was destroyed, or never made.
    """
    return wraps_from(house.wraps_file(wave).read_text())


def destroy_wraps(house: House, wave: str) -> None:
    """Overwrite and remove the wrapped key."""
    destroy_file(house.wraps_file(wave))


def destroy_file(path: Path) -> None:
    """Overwrite a file with noise and remove it; nothing if it is not there."""
    if path.exists():
        size = path.stat().st_size
        with open(path, "r+b") as file:
            file.write(os.urandom(size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
