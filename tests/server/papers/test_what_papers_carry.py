"""What leaves the house as a file: no second in which somebody made it, and no word of a slip that is lost on the next one."""

import io
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any

from server.papers.letters import letter_pages
from server.papers.poster import poster
from server.papers.slips import slip_sheets
from server.papers.typeset import KINDS, document
from surveys.importing import figures, register, staff_list
from surveys.lifecycle.context import Site
from surveys.public.house import words_of
from surveys.slips import SlipCode
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY
from tests.server.hr.offices import offices
from tests.server.hr.readings import CLOSED, keep
from tests.server.papers.test_papers import HOUSE, READERS, _channel

MARK = "0123456789abcdef0123456789abcdef"
CODES = [SlipCode(f"0123456789ABCD{n:02d}") for n in range(10)]
ABOUT = {"address": "https://ascolto.invalid", "ends": "Fino al 20 dicembre 2026.", "mark": MARK}
SHORT = {"organisation": "Cooperativa Prova", "title": "Come stai al lavoro?", **ABOUT}
LONG = {
    **ABOUT,
    "organisation": ("Cooperativa sociale di solidarietà per l'assistenza domiciliare e i servizi educativi " * 2)[
        :100
    ],
    "title": "Come stai al lavoro nelle case e nei servizi? Autunno 2026, seconda indagine su parità e sicurezza",
    "address": "https://segnalazioni.cooperativa-sociale-esempio-di-firenze.invalid",
}
TIME = re.compile(rb"/(?:Creation|Mod)Date|<xmp:(?:Create|Modify)Date|\d\dT(?!00:00:00)\d\d:\d\d")


def _parts(made: bytes) -> list[tuple[str, tuple[int, ...], bytes]]:
    """The parts of an office file: name, time, content."""
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        return [(part.filename, part.date_time, archive.read(part)) for part in archive.infolist()]


def test_posters_slips_and_letters_carry_no_second_of_their_making() -> None:
    letter = {"name": "Anna", "language": "it", "lines": ["Cara"], "address": "https://ascolto.invalid/x"}
    made = [
        poster("Cooperativa", "https://ascolto.invalid", HOUSE, READERS, ["it"]),
        slip_sheets(CODES, SHORT),
        letter_pages([letter]),
    ]
    assert [TIME.findall(one) for one in made] == [[], [], []]


async def test_reports_and_posters_of_results_carry_no_second_of_their_making(tmp_path: Any) -> None:
    settings = StoreSettings(tmp_path)
    async with stores(settings) as engines:
        await keep(Site(engines, settings.data, DAY, "test"), "adesso", CLOSED)
    async with offices(settings) as served:
        found = [await served.get(f"/hr/results/adesso/{one}.pdf?lang=it") for one in ("report", "poster")]
    assert [(one.status_code, TIME.findall(one.content)) for one in found] == [(200, []), (200, [])]


def test_drafts_and_workbooks_carry_no_second_of_their_making() -> None:
    made = [document(kind, _channel(), "it") for kind in KINDS]
    made += [
        staff_list.people_workbook([["nome"], ["Anna"]]),
        figures.as_workbook([["codice"] * 6, ["x"] * 6]),
        register.as_workbook(register.written_rows((), {}), ["a"], ["b"], ["c"]),
    ]
    parts = [part for one in made for part in _parts(one)]
    assert [(name, TIME.findall(content)) for name, _, content in parts if TIME.search(content)] == []
    assert [(name, time) for name, time, _ in parts if time[3:] != (0, 0, 0)] == []


def _slip(file: Path, place: int) -> str:
    """What is printed inside the edges of one slip, in points from the corner of an A4 page."""
    across, down = place % 2, place // 2
    box = ("-x", str(29 + across * 272), "-y", str(29 + down * 153), "-W", "265", "-H", "146")
    told = subprocess.run(["pdftotext", "-r", "72", *box, file, "-"], check=True, capture_output=True, text=True)
    return " ".join(told.stdout.split())


def test_a_slip_with_long_names_holds_all_its_words_and_none_of_its_neighbour_s(tmp_path: Path) -> None:
    """Before, what did not fit was printed over the next slip, and below the last one cut off."""
    file, plan = tmp_path / "slips.pdf", words_of(MARK)
    for about in (SHORT, LONG):
        file.write_bytes(slip_sheets(CODES, about))
        found = [_slip(file, place) for place in range(10)]
        assert [sum(f"ABCD-{n:02d}" in text or f"CD{n:02d}" in text for n in range(10)) for text in found] == [1] * 10
        assert [text.count(plan[-1]) for text in found] == [1] * 10
        assert [text.count("Fino al 20 dicembre") for text in found] == [1] * 10
