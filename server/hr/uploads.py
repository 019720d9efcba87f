"""Files that HR's forms bring: read in a process of its own within bounds, and refused in words or cell by cell."""

from pathlib import Path
from typing import Any

from litestar.datastructures import UploadFile

from server.processes import workers
from server.settings import Settings
from surveys.importing.sheets import RefusedRow
from surveys.lifecycle import copies

READING_SECONDS = 30


class FileRefused(Exception):
    """What was sent is not taken: the key of a sentence with what fills it, or the cells that are wrong, and how many."""

    def __init__(self, key: str = "", cells: tuple[RefusedRow, ...] = (), count: int = 0, **params: Any) -> None:
        super().__init__(key)
        self.key, self.cells, self.count, self.params = key, cells, count, params


async def read_sent(settings: Settings, sent: object, command: str, **given: Any) -> dict[str, Any]:
    """What the worker finds in a file that was sent: a workbook that unpacks to very much holds up nobody.

    Raises
    ------
    FileRefused
        If no file was chosen, it cannot be read, or cells of it are wrong.
    """
    if not isinstance(sent, UploadFile) or not sent.filename:
        raise FileRefused("import.file.none")
    kind = "".join(letter for letter in Path(sent.filename).suffix if letter.isalnum() and letter.isascii())
    await sent.seek(0)
    with copies.passing(settings.data, f".{kind[:9]}" if kind else "") as file:
        file.write(await sent.read())
        file.flush()
        try:
            answer = await workers.run(settings, command, {"path": file.name, **given}, seconds=READING_SECONDS)
        except workers.WorkFailed as problem:
            raise FileRefused("import.file.heavy") from problem
    if "unreadable" in answer:
        raise FileRefused(f"import.file.{answer['unreadable']}", **answer["params"])
    if answer["refused"]:
        raise FileRefused(cells=tuple(RefusedRow(**one) for one in answer["refused"]), count=answer["n"])
    return answer
