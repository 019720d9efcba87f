"""A PDF as a reader's programs see it: its pages as text, what it says of itself, and the tree that a screen reader walks."""

import re
import subprocess
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory


def _asked(made: bytes, *command: str) -> str:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "a.pdf"
        file.write_bytes(made)
        given = [str(file) if part == "FILE" else part for part in command]
        return subprocess.run(given, check=True, capture_output=True).stdout.decode(errors="replace")


def pages_of(made: bytes) -> list[str]:
    """The text of each page on one line, in the order in which it is read; places where a line may break are no letters."""
    text = _asked(made, "pdftotext", "-raw", "FILE", "-").replace("\u200b", "")
    return [" ".join(page.split()) for page in text.split("\f")[:-1]]


def info_of(made: bytes) -> str:
    return _asked(made, "pdfinfo", "FILE") + _asked(made, "pdfinfo", "-meta", "FILE")


def tree_of(made: bytes) -> str:
    """The structure: headings, tables, figures with their words."""
    return _asked(made, "pdfinfo", "-struct-text", "FILE")


def inside(made: bytes) -> bytes:
    """The file with its compressed parts opened."""
    parts = [made]
    for found in re.finditer(rb"stream\r?\n(.*?)endstream", made, re.S):
        try:
            parts.append(zlib.decompress(found[1]))
        except zlib.error:
            continue
    return b"\n".join(parts)


def numbers(text: str) -> list[str]:
    """Every number of a text, as it is written, without its sign."""
    return re.findall(r"\d+(?:[.,]\d+)*", text)
