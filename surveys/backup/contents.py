"""Which files of the data folder a backup holds. By a list: what nobody put on it is left out, and named as left out.

The stores hold sheets and reports sealed. What opens them without their people, or shows an order, is never in: a thief of a
backup and of its key then has what a thief of the databases has.
"""

import re
from enum import StrEnum

from surveys.lifecycle.copies import STAGING as STAGING

INSTALLATION_KEY = "keys/installation.pem"
REVIEWS = "keys/reviews.json"
"""Says that reviews of evidence were taken down once: without it those that somebody wrote into the store are believed at the next start."""
LEFT_ROWS = {
    ("people", "session"): "1 = 1",
    ("people", "list_draft"): "1 = 1",
    ("people", "list_before"): "1 = 1",
    ("cases", "piece"): '"case" IS NULL',
}
"""Rows that no copy holds: sessions, as nobody is still signed in to a restored copy; staff lists that wait for a yes or to be taken
back, as a copy lasts longer than they may; and attachments that no report has claimed."""

_KEPT = re.compile(
    r"keys/(installation\.pem"
    r"|(house|version-1|version-1-cases|frozen|closings|over|imports|imports-moves|comments|reviews)\.json"
    r"|\w[\w.-]{0,79}\.(plan|frozen|over|closing))",
    re.ASCII,
)


class Left(StrEnum):
    """Why a file is left out, and with that who keeps it."""

    CASES_KEY = "cases_key"
    """With it and the store one reads who may read which report: kept apart by hand."""
    WAVE_KEY = "wave_key"
    """With it and two holders' words sheets are opened: its text is on the reserve sheet."""
    TOKEN_KEY = "token_key"
    """With it codes are made that nobody was given; it must be gone at the closing: kept apart by hand until then."""
    SLIPS = "slips"
    """With it the codes of a batch of slips are printed again; it goes when the batch is handed over: nobody keeps it."""
    DRAW = "draw"
    """With it the moves of published figures are taken back: nobody keeps it."""
    MADE_AGAIN = "made_again"
    """Locks, logs that are emptied, marks of a day: the program makes them."""
    UNKNOWN = "unknown"


_LEFT = (
    (re.compile(r"keys/cases\.key"), Left.CASES_KEY),
    (re.compile(r"keys/.*(\.wave\.key|\.wraps\.json)"), Left.WAVE_KEY),
    (re.compile(r"keys/.*\.sign\.pem"), Left.TOKEN_KEY),
    (re.compile(r"keys/.*\.slips-[0-9]+"), Left.SLIPS),
    (re.compile(r"keys/.*\.draw"), Left.DRAW),
    (re.compile(r".*\.(lock|releasing|partial)|.*\.sqlite-(wal|shm|journal)"), Left.MADE_AGAIN),
    (re.compile(r"(notice|backup|rehearsal|moved)\.day|(jobs|clock)\.json|keys/awaited\.json"), Left.MADE_AGAIN),
)


def why_left(name: str) -> Left | None:
    """Why a file is not in a backup; None if it is.

    Parameters
    ----------
    name : str
        Its path inside the data folder, with ``/``; not of one of the four databases.
    """
    for pattern, why in _LEFT:  # first: no name of a wave brings a key in
        if pattern.fullmatch(name):
            return why
    return None if _KEPT.fullmatch(name) else Left.UNKNOWN


def database(store: str) -> str:
    return f"{store}.sqlite"
