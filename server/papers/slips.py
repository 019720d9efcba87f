"""Slips to print: ten to an A4 page, each with its code, a QR and one line in the most spoken languages."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import segno
import typst

from surveys.public.house import words_of
from surveys.slips import SlipCode, grouped

_PAGE = """
#set document(date: none)
#set page(paper: "a4", margin: 10mm)
#set text(size: 9pt, font: ("Noto Sans", "DejaVu Sans", "Libertinus Serif"))
#let words(k, code) = [
  #set text(size: 9pt * k)
  *#sys.inputs.organisation* \\
  #sys.inputs.title \\
  #v(1mm * k)
  #box(text(size: 11pt * calc.max(k, 0.8), font: "DejaVu Sans Mono", weight: "bold")[#code]) \\
  #v(1mm * k)
  #sys.inputs.address \\
  #text(size: 7.5pt * k)[#sys.inputs.ends \\ Un foglio, una risposta. · One sheet, one answer. · O foaie, un răspuns. · Një fletë, një përgjigje. · Une feuille, une réponse. · Una hoja, una respuesta. \\ #sys.inputs.plan]
]
// Long names make the letters smaller: a slip that runs over its edge is printed on the next one, and cut off.
#let fitted(code) = layout(room => {
  let fits = k => measure(width: room.width, words(k, code)).height <= 44mm
  let found = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5).find(fits)
  words(if found == none { 0.42 } else { found }, code)
})
#let slip(qr, code) = rect(width: 100%, height: 52mm, stroke: (paint: luma(150), dash: "dashed"), inset: 4mm)[
  #grid(columns: (30mm, 1fr), gutter: 4mm, image(qr, width: 30mm), fitted(code))
]
#grid(columns: (1fr, 1fr), gutter: 2mm,
"""


def slip_sheets(codes: Sequence[str], about: Mapping[str, str]) -> bytes:
    """Set slips as a PDF in memory; neither codes nor PDF are kept anywhere.

    Parameters
    ----------
    codes : sequence of str
        Codes as made.
    about : mapping
        ``organisation``, ``title``, ``address`` (of this installation, without a path), ``ends`` (a sentence) and ``mark``:
        half of π in hex, which the phone compares; "" for a wave of version 1.
    """
    files: dict[str, bytes] = {}
    lines = [_PAGE]
    mark = f".{about['mark']}" if about["mark"] else ""
    words = " ".join(words_of(about["mark"])) if mark else ""
    for place, code in enumerate(codes):
        picture = io.BytesIO()
        segno.make(f"{about['address']}/answer#{code}{mark}", error="m").save(picture, kind="svg", border=2, scale=2)
        files[f"q{place}.svg"] = picture.getvalue()
        lines.append(f'slip("q{place}.svg", "{grouped(SlipCode(code))}"),')
    lines.append(")")
    files["main.typ"] = "\n".join(lines).encode()
    inputs = {name: about[name] for name in ("organisation", "title", "address", "ends")} | {"plan": words}
    compile_files: Any = typst.compile  # its stubs do not know several files
    made = compile_files(files, format="pdf", sys_inputs=inputs)
    if not isinstance(made, bytes):
        raise RuntimeError("the typesetter gave no document")
    return made
