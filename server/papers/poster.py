"""The poster for workplaces: one A4 page a language, with the front door's QR and the fingerprint of the readers' list.

Made in a process of its own. The QR leads to the front door, never to the channel: a scan looks like any visit.
"""

import io
import json
import re
from collections.abc import Sequence
from typing import Any

import segno
import typst

from server.frame.texts import direction, say

_SENTENCES = (
    "title",
    "lead",
    "fact_name",
    "fact_readers",
    "fact_days",
    "fact_code",
    "emergency",
    "how",
    "readers",
    "outside_one",
    "fingerprint",
    "fingerprint_note",
    "elsewhere",
)

_PAGES = """
#let pages = json("pages.json")
#let k = float(sys.inputs.k)
#set document(date: none)
#let z(points) = points * k * 1pt
#set page(paper: "a4", margin: (x: 18mm, y: 14mm), fill: rgb("#fbfaf7"))
#let accent = rgb("#0b6e69")
#let fitted(size, words) = layout(room => {
  let wide = measure(text(size: size, weight: "bold", words)).width
  text(size: if wide > room.width { size * (room.width / wide) * 0.98 } else { size }, weight: "bold", fill: accent, dir: ltr, words)
})
#for (place, one) in pages.enumerate() {
  set text(size: z(13), fill: rgb("#1f2a2e"), lang: one.lang, dir: if one.rtl { rtl } else { ltr },
    font: ("Noto Sans", "Noto Sans Arabic", "Noto Naskh Arabic", "Noto Sans CJK SC", "DejaVu Sans"))
  set par(leading: 0.62em)
  if place > 0 { pagebreak() }
  text(size: z(11), fill: rgb("#55646a"))[#one.organisation]
  v(2mm * k)
  text(size: z(32), weight: "bold")[#one.t.title]
  v(1mm * k)
  text(size: z(17))[#one.t.lead]
  v(3mm * k)
  for fact in (one.t.fact_name, one.t.fact_readers, one.t.fact_days, one.t.fact_code) {
    block(spacing: 4mm * k, grid(columns: (8mm, 1fr), text(fill: accent, size: z(13))[●], text(size: z(16))[#fact]))
  }
  v(3mm * k)
  rect(width: 100%, stroke: 1.5pt + rgb("#9d2f27"), radius: 3mm, inset: 4mm)[#text(size: z(16.5), weight: "bold")[#one.t.emergency]]
  v(3mm * k)
  grid(columns: (52mm, 1fr), gutter: 8mm, align: horizon,
    image("door.svg", width: 52mm),
    [#one.t.how #v(2mm * k) #fitted(z(20), one.address)])
  v(4mm * k)
  text(size: z(17), weight: "bold")[#one.t.readers]
  for reader in one.readers { block(spacing: 3.4mm * k)[*#reader.at(0)* · #reader.at(1)] }
  v(3mm * k)
  text(size: z(17), weight: "bold")[#one.t.fingerprint]
  block(spacing: 3.4mm * k, text(font: "DejaVu Sans Mono", size: z(13), dir: ltr)[#one.fingerprint.at(0) #linebreak() #one.fingerprint.at(1) #linebreak() #one.fingerprint.at(2)])
  text(size: z(12), fill: rgb("#55646a"))[#one.t.fingerprint_note]
  v(1fr)
  text(size: z(11))[#one.t.elsewhere]
}
"""


_SCALES = (1.0, 0.94, 0.88, 0.82, 0.76, 0.7, 0.62)
"""Many readers or long names make the letters smaller, never a second page."""
_PAGE_MARK = re.compile(rb"/Type\s*/Page\b(?!s)")


def grouped(fingerprint: str) -> str:
    """Hex digits in groups of four."""
    return " ".join(fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4))


def _half(words: str, place: int) -> str:
    return " ".join(words.split()[6 * place : 6 * place + 6])


def front_door(address: str, printed: str = "") -> Any:
    """The QR of the front door, and of nothing deeper; the house's printed half rides as a fragment, which is never sent."""
    return segno.make(f"{address.rstrip('/')}/{f'#h={printed}' if printed else ''}", error="m")


def poster(
    organisation: str,
    address: str,
    house: tuple[str, str],
    readers: Sequence[tuple[str, str, bool]],
    languages: Sequence[str],
) -> bytes:
    """Set the poster as a PDF in memory, one page a language.

    Parameters
    ----------
    address : of this installation, ``https://…`` without a path
    house : the house's printed half in hex, and the same as twelve words
    readers : name, role, and whether outside the cooperative; text, never markup: it travels as JSON
    """
    pages = [
        {
            "lang": language.split("-")[0],
            "rtl": direction(language) == "rtl",
            "organisation": organisation,
            "address": address,
            "fingerprint": [_half(house[1], 0), _half(house[1], 1), grouped(house[0])],
            "t": {key: say(language, f"poster.{key}") for key in _SENTENCES},
            "readers": [
                [name, f"{role} ({say(language, 'poster.outside_one')})" if outside else role]
                for name, role, outside in readers
            ],
        }
        for language in languages
    ]
    picture = io.BytesIO()
    front_door(address, house[0]).save(picture, kind="svg", border=2, scale=4)
    files = {"main.typ": _PAGES.encode(), "pages.json": json.dumps(pages).encode(), "door.svg": picture.getvalue()}
    compile_files: Any = typst.compile  # its stubs do not know several files
    for scale in _SCALES:
        made = compile_files(files, format="pdf", sys_inputs={"k": str(scale)})
        if isinstance(made, bytes) and len(_PAGE_MARK.findall(made)) == len(pages):
            return made
    raise RuntimeError("the poster does not fit its pages")
