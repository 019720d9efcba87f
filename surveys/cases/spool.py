"""Room for attachments that no message has claimed yet: strangers may fill this much of the disk, and no more.

Answers and reports must always find room: pieces are refused as well while less than the reserve is free.
"""

import shutil
from pathlib import Path

from surveys.cases.pieces import PIECE_BYTES
from surveys.cases.tables import Piece

BUDGET = 2 * 2**30
RESERVE = 2**30


class SpoolFull(Exception):
    """No room for attachments now; words still fit."""


async def make_sure_of_room(data: Path, more: int = PIECE_BYTES, *, budget: int = BUDGET) -> None:
    """Check that so many bytes of an attachment may be kept.

    Raises
    ------
    SpoolFull
    """
    if shutil.disk_usage(data).free < RESERVE + more:
        raise SpoolFull
    waiting = await Piece.count().where(Piece.case.is_null())
    if waiting * PIECE_BYTES + more > budget:
        raise SpoolFull
