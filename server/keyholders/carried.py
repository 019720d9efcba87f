"""The guarantee team's words between two pages of one sitting: locked to session and wave, for half an hour; a page never holds the words.

No process remembers them either: what a page carries is opened by this installation's key, the session's token and the wave together.
"""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from surveys.public.signing import installation_key, key_for

SITTING = timedelta(minutes=30)
_ROOM = 200
"""Every carried text has one length, whatever the words."""


def _box(data: Path, token: str, wave: str) -> SecretBox:
    key = key_for(installation_key(data), "comments carried")
    return SecretBox(hmac.digest(key, f"{token}\n{wave}".encode(), "sha256"))


def carry(data: Path, token: str, wave: str, words: str, now: datetime | None = None) -> str:
    """Lock the words for this session's next pages of a wave.

    Raises
    ------
    ValueError
        If they are longer than any generated words.
    """
    until = (now or datetime.now(UTC)) + SITTING
    said = json.dumps([words, int(until.timestamp())]).encode()
    if len(said) > _ROOM:
        raise ValueError("longer than any words of the team")
    return base64.urlsafe_b64encode(_box(data, token, wave).encrypt(said.ljust(_ROOM))).decode()


def carried(data: Path, token: str, wave: str, locked: str, now: datetime | None = None) -> str:
    """The words again; "" where this is not of this session and wave, was changed, or is older than half an hour."""
    try:
        opened = _box(data, token, wave).decrypt(base64.urlsafe_b64decode(locked.encode()))
        words, until = json.loads(opened)
    except (CryptoError, ValueError):
        return ""
    return str(words) if (now or datetime.now(UTC)).timestamp() <= until else ""
