"""Room for attachments that no message has claimed yet: strangers may fill this much of the disk, and no more.

Answers and reports must always find room: pieces are refused as well while less than the reserve is free. Where the room is
taken, one attachment by lot makes way: whoever fills it loses nearly all of the lots, and closes it for nobody.
"""

import secrets
import shutil
from pathlib import Path

from surveys.cases.incoming import hexed
from surveys.cases.pieces import PIECE_BYTES
from surveys.cases.tables import Piece
from surveys.cells import octets

BUDGET = 2 * 2**30
RESERVE = 2**30


class SpoolFull(Exception):
    """No room for attachments now; words still fit."""


async def make_sure_of_room(data: Path, upload: str, more: int = PIECE_BYTES, *, budget: int = BUDGET) -> None:
    """Check that so many bytes of an attachment may be kept; make room for them where the spool is full.

    Parameters
    ----------
    data : the folder on whose disk it lies
    upload : the attachment's name, 16 bytes in hex: it does not make way for itself
    more : bytes that come, without their row
    budget : of all that nobody has claimed, each piece counted as a whole one

    Raises
    ------
    SpoolFull
        If the disk is, or the attachment alone fills the room.
    """
    if shutil.disk_usage(data).free < RESERVE + more:
        raise SpoolFull
    own = hexed(upload, 16, "upload")
    waiting = [octets(row["upload"]) for row in await Piece.select(Piece.upload).where(Piece.case.is_null())]
    while len(waiting) * PIECE_BYTES + more > budget:
        others = [name for name in waiting if name != own]
        if not others:
            raise SpoolFull
        lot = secrets.choice(others)
        await Piece.delete().where((Piece.upload == lot) & Piece.case.is_null())
        waiting = [name for name in waiting if name != lot]
