"""Drafts that the office completes: notice, register entry, impact assessment, minutes of hearing the unions (.docx).

What the installation knows is filled in; what it does not is a visible blank. Each says first that a lawyer must check it.
"""

import io
import re
import tomllib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from docx import Document
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from surveys.lifecycle.context import today

KINDS = ("notice", "register", "dpia", "hearing")
_FOLDER = Path(__file__).parents[1] / "locale"
_LOCALES = {"it": "it-IT", "en": "en-GB"}
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What no XML document may hold."""


@dataclass(frozen=True, slots=True)
class Channel:
    """What is known of the channel, as text."""

    organisation: str
    address: str
    fingerprint: str
    words: str
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
        "organisation": channel.organisation,
        "address": channel.address,
        "controller": channel.controller,
        "contact": channel.contact,
        "years": str(channel.retention_years),
        "hearing_day": channel.hearing_day,
        "hearing_document": channel.hearing_document,
        "checked_day": channel.checked_day,
        "opened_day": channel.opened_day,
        "fingerprint": channel.fingerprint,
        "readers": readers,
    }
    known = {name: _CONTROLS.sub("", value) for name, value in known.items()}
    return {name: value or f"[{texts['words']['complete']}: {blanks[name]}]" for name, value in known.items()}


def _blank(title: str, language: str) -> Any:
    """An empty A4 document in this language, without the library's own author, comment and date."""
    made: Any = Document()
    made.styles["Normal"].font.size = Pt(11)
    for mark in made.styles.element.iter(qn("w:lang")):
        mark.set(qn("w:val"), _LOCALES[language])
    made.sections[0].page_width, made.sections[0].page_height = Mm(210), Mm(297)
    about = made.core_properties
    about.title, about.language, about.author, about.comments = title, _LOCALES[language], "Ascolto", ""
    about.created = about.modified = datetime.combine(today(), time(), UTC)
    return made


def document(kind: str, channel: Channel, language: str) -> bytes:
    """Write one draft.

    Raises
    ------
    KeyError
        If there is no such kind or language.
    """
    texts = _texts(language)
    paper, values = texts[kind], _values(channel, texts)
    made = _blank(paper["title"], language)
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
    return _undated(out)


def _undated(made: io.BytesIO) -> bytes:
    """The same archive; each part said the second in which it was written."""
    out = io.BytesIO()
    with zipfile.ZipFile(made) as parts, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as written:
        for name in parts.namelist():
            written.writestr(zipfile.ZipInfo(name), parts.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()
