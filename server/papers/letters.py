"""Links that are handed over: letters, a page a person with the link as a QR, or texts for a gateway."""

import base64
import csv
import io
from collections.abc import Sequence
from typing import Any

from server.mail import invitations
from server.processes import workers
from server.settings import Settings
from surveys.lifecycle import issuing
from surveys.lifecycle.context import Site
from surveys.lifecycle.issuing import address_of
from surveys.people.links import Invitation

_PAGE = """
#set document(date: none)
#set page(paper: "a4", margin: 22mm)
#set text(size: 12pt, font: ("Noto Sans", "Noto Sans Arabic", "Noto Sans CJK SC", "DejaVu Sans", "Libertinus Serif"))
#let letter(dir, lang, name, lines, qr, address) = { set text(dir: dir, lang: lang)
  [*#name* #v(14mm)]
  for line in lines { par(line) }
  [#v(4mm) #image(qr, width: 45mm) #v(2mm) #text(size: 9pt, font: "DejaVu Sans Mono", dir: ltr)[#address]]
  pagebreak(weak: true) }
"""


async def handed_over(settings: Settings, site: Site, wave: str, channel: str) -> tuple[bytes, str]:
    """New links of a channel as a file to download once: content and ending."""
    return await written(settings, wave, channel, await issuing.hand_over(site, wave, channel))


async def written(settings: Settings, wave: str, channel: str, drawn: Sequence[Invitation]) -> tuple[bytes, str]:
    """These links as a file: letters are set in a process that ends."""
    facts = await invitations.about(settings.data, wave)
    if channel == "sms":
        return text_messages(facts, drawn).encode(), "csv"
    made = await workers.run(settings, "letters", pages(facts, drawn))
    return base64.b64decode(made["pdf"]), "pdf"


def text_messages(facts: invitations.About, drawn: Sequence[Invitation]) -> str:
    """Number and text of each message, as CSV for a gateway."""
    table = io.StringIO()
    rows = csv.writer(table)
    for invitation in drawn:
        address = address_of(facts.site, invitation.link, facts.mark)
        rows.writerow(
            [invitation.contact, f"{facts.lines('invitation', invitations.language_for(invitation))[0]} {address}"]
        )
    return table.getvalue()


def pages(facts: invitations.About, drawn: Sequence[Invitation]) -> dict[str, Any]:
    """What the typesetting process needs for letters: plain texts and addresses."""
    return {
        "letters": [
            {
                "name": invitation.name,
                "language": invitations.language_for(invitation),
                "lines": facts.lines("invitation", invitations.language_for(invitation)),
                "address": address_of(facts.site, invitation.link, facts.mark),
            }
            for invitation in drawn
        ]
    }


def letter_pages(letters: Sequence[dict[str, Any]]) -> bytes:
    """Set one page a person, with the link as a QR; neither texts nor PDF are kept anywhere."""
    import json

    import segno
    import typst

    files: dict[str, bytes] = {}
    lines = [_PAGE, '#let all = json("letters.json")']
    for place, letter in enumerate(letters):
        picture = io.BytesIO()
        segno.make(letter["address"], error="m").save(picture, kind="svg", border=2, scale=3)
        files[f"q{place}.svg"] = picture.getvalue()
        direction = "rtl" if letter["language"] == "ar" else "ltr"
        lines.append(
            f'#letter({direction}, "{letter["language"][:2]}", all.at({place}).name, all.at({place}).lines,'
            f' "q{place}.svg", all.at({place}).address)'
        )
    files["letters.json"] = json.dumps(list(letters), ensure_ascii=False).encode()
    files["main.typ"] = "\n".join(lines).encode()
    compile_files: Any = typst.compile  # its stubs do not know several files
    made = compile_files(files, format="pdf")
    if not isinstance(made, bytes):
        raise RuntimeError("the typesetter gave no document")
    return made
