"""Gives out the audit pack: made in a process that ends, written into the log of acts, and sent piece by piece from a file that has
no name any more."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any, BinaryIO

from litestar import Response
from litestar.response import Stream

from server.frame.asked import AppRequest
from server.frame.pages import MessagePage, show
from server.frame.security import account_of
from server.frame.signed_in import desk_language, frame
from server.frame.texts import say
from server.processes import workers
from server.settings import Settings
from surveys.lifecycle import copies
from surveys.lifecycle.context import today
from surveys.people import log
from surveys.stores import Engines

SECONDS = 120
"""A pack of usual size takes three; one of fifty large documents up to ten."""
KINDS = {"zip": "application/zip", "pdf": "application/pdf"}
_PIECE = 1024 * 1024


class _Making:
    """How many packs this process is making: each may take hundreds of megabytes of the disk."""

    most, now = 2, 0


async def give_pack(request: AppRequest, kind: str, settings: Settings, engines: Engines) -> Response[Any]:
    """The pack, or its paper, in the desk's language; or a page that says why there is none now."""
    if _Making.now >= _Making.most:
        return await _none(request, "pack.busy", 429)
    language, day = desk_language(request), today()
    _Making.now += 1
    try:
        file = await _made(settings, {"day": str(day), "language": language, "paper_only": kind == "pdf"})
    except (workers.WorkFailed, OSError):
        return await _none(request, "pack.failed", 503)
    finally:
        _Making.now -= 1
    await log.record(engines["people"], day, account_of(request).name, "pack exported", kind=kind)
    headers = {
        "Content-Disposition": f'attachment; filename="ascolto-{day}-{language}.{kind}"',
        "Content-Length": str(os.fstat(file.fileno()).st_size),
        "Cache-Control": "no-store",
    }
    return Stream(_pieces(file), media_type=KINDS[kind], headers=headers)


async def _made(settings: Settings, given: dict[str, Any]) -> BinaryIO:
    """A pack in an open file whose name is gone: whatever happens, nothing of it stays on the disk."""
    with copies.passing(settings.data) as file:
        await workers.run(settings, "pack", given | {"path": file.name}, seconds=SECONDS)
        return await asyncio.to_thread(open, file.name, "rb")


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


async def _none(request: AppRequest, key: str, status: int) -> Response[str]:
    shell = (await frame(request))[0]
    return show(MessagePage(shell, say(shell.language, "staff.error.wrong"), say(shell.language, key)), status=status)
