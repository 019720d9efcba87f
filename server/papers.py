"""Drafts that the office completes: notice, register entry, impact assessment, minutes of hearing the unions (.docx).

What the installation knows is filled in; what it does not is a visible blank. Each says first that a lawyer must check it.
"""

import io
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docx import Document
from docx.shared import Pt

KINDS = ("notice", "register", "dpia", "hearing")
_FOLDER = Path(__file__).parent / "locale"


@dataclass(frozen=True, slots=True)
class Channel:
    """What is known of the channel, as text."""

    organisation: str
    address: str
    fingerprint: str
    readers: tuple[tuple[str, str, bool], ...]
    controller: str
    contact: str
    retention_years: int
    hearing_day: str
    hearing_document: str
    checked_day: str
    opened_day: str


def _texts(language: str) -> Mapping[str, Any]:
    return tomllib.loads((_FOLDER / language / "papers.toml").read_text("utf-8"))


def _values(channel: Channel, texts: Mapping[str, Any]) -> dict[str, str]:
    """What fills a sentence: known values, or a blank that names what is to be completed."""
    blanks: Mapping[str, str] = texts["blanks"]
    outside = texts["words"]["outside"]
    readers = "; ".join(f"{n}, {role}{f' ({outside})' if out else ''}" for n, role, out in channel.readers)
    known = {
        "organisation": channel.organisation, "address": channel.address, "controller": channel.controller, "contact": channel.contact,
        "years": str(channel.retention_years), "hearing_day": channel.hearing_day, "hearing_document": channel.hearing_document,
        "opened_day": channel.opened_day, "fingerprint": channel.fingerprint, "readers": readers,
    }  # fmt: skip
    return {name: value or f"[{texts['words']['complete']}: {blanks[name]}]" for name, value in known.items()}


def document(kind: str, channel: Channel, language: str) -> bytes:
    """Write one draft.

    Raises
    ------
    KeyError
        If there is no such kind or language.
    """
    texts = _texts(language)
    paper, values = texts[kind], _values(channel, texts)
    made = Document()
    made.styles["Normal"].font.size = Pt(11)
    made.add_heading(paper["title"], 0)
    box = made.add_table(rows=1, cols=1, style="Table Grid").rows[0].cells[0]
    box.paragraphs[0].add_run(texts["words"]["draft"]).bold = True
    made.add_paragraph()
    for part in paper["parts"]:
        made.add_heading(part["heading"], 1)
        for line in part["lines"]:
            style = "List Bullet" if line.startswith("- ") else None
            made.add_paragraph(line.removeprefix("- ").format(**values), style=style)
        if rows := part.get("table"):
            table = made.add_table(rows=0, cols=len(rows[0]), style="Table Grid")
            for row in rows:
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.text = text.format(**values)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()
