"""Attachments in pieces: kept in a spool until a message claims them, resumable, ciphertext only."""

from collections.abc import Sequence
from datetime import date

from surveys.cases.incoming import FILES, CaseUnknown, ReportRefused, hexed, row_id
from surveys.cases.tables import Piece
from surveys.cells import octets
from surveys.engines import StoreEngine

PIECE_BYTES = 256 * 1024
FILE_LIMIT = 33 * 1024 * 1024
"""25 MB of content in its power of two, sealed."""


async def keep_piece(engine: StoreEngine, upload: str, number: int, sealed: bytes, day: date) -> int:
    """Keep one piece of an attachment in the spool; sent again, it is kept once. Gives the number of pieces kept.

    Parameters
    ----------
    engine : of the cases store
    upload : the attachment's name, 16 bytes in hex
    number : the piece's place, 0 to 131
    sealed : 1 byte to 256 KiB of the age file
    day : it arrived on

    Raises
    ------
    ReportRefused
        If it is too large or out of bounds, or a letter has claimed the attachment.
    """
    name = hexed(upload, 16, "upload")
    if not 0 < len(sealed) <= PIECE_BYTES or not 0 <= number < FILE_LIMIT // PIECE_BYTES:
        raise ReportRefused("piece")
    key = row_id(upload, "piece", number)
    async with engine.transaction():
        if not await Piece.exists().where(Piece.id == key):
            if await Piece.exists().where((Piece.upload == name) & Piece.case.is_not_null()):
                raise ReportRefused("upload")  # a finished attachment is not written again
            await Piece.insert(Piece(id=key, upload=name, number=number, sealed=sealed, arrived=day))
    return int(await Piece.count().where(Piece.upload == name))


async def pieces_kept(upload: str) -> list[int]:
    """Which pieces of an attachment have arrived: where an upload that broke off goes on."""
    rows = await Piece.select(Piece.number).where(Piece.upload == hexed(upload, 16, "upload"))
    return sorted(int(row["number"]) for row in rows)


async def claim(uploads: Sequence[str], case: int) -> None:
    """Take attachments out of the spool into a case.

    Raises
    ------
    ReportRefused
        If there are too many, or one of them made way for others: a letter is not kept without what it names.
    """
    if len(uploads) > FILES:
        raise ReportRefused("uploads")
    names = [hexed(upload, 16, "uploads") for upload in uploads]
    if names:
        if any([not await Piece.exists().where(Piece.upload == name) for name in names]):
            raise ReportRefused("uploads")
        # its day was for the spool: beside a case it would say when each letter with an attachment was written
        await Piece.update({Piece.case: case, Piece.arrived: None}).where(
            Piece.upload.is_in(names) & Piece.case.is_null()
        )


async def attachment(case: int, upload: str) -> bytes:
    """The sealed bytes of an attachment of this case.

    Raises
    ------
    CaseUnknown
        If the case has none of that name.
    """
    wanted = (Piece.case == case) & (Piece.upload == hexed(upload, 16, "upload"))
    rows = await Piece.select(Piece.sealed).where(wanted).order_by(Piece.number)
    if not rows:
        raise CaseUnknown
    return b"".join(octets(row["sealed"]) for row in rows)
