"""The paper of the audit pack, as a screen reader and a validator see it: tagged, titled, with headings in order and headed tables.

No validator of PDF/UA can be had from the registries that a test may use: what one checks by the structure is checked here.
"""

import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from server.frame.texts import say
from surveys.public import actions, organisation
from surveys.public.organisation import OrganisationRecord
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY
from tests.server.papers import packed
from tests.server.papers.pdfs import info_of, inside, pages_of, tree_of

HOSTILE = 'Anna #import "x" $a$ \\ [b] *c* <d> `e` {years} @f'
_ELEMENT = re.compile(r"^( *)(Document|H\d|Table|TR|TH|TD|THead|TBody|Figure|TOC|TOCI|L|LI|P|Link)\b", re.M)


@pytest.fixture(scope="module", params=["it", "en"])
def paper(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    """The language and the paper of a pack that holds everything."""
    import asyncio

    folder = tmp_path_factory.mktemp("paper")
    shutil.copytree(packed.stored(), folder / "data")
    settings = StoreSettings(folder / "data")
    return request.param, asyncio.run(packed.pack_of(settings, folder / "a.pdf", request.param, paper_only=True))


def test_it_says_that_it_is_pdf_ua_with_its_title_and_language(paper: tuple[str, bytes]) -> None:
    language, made = paper
    said, opened = info_of(made), inside(made)
    assert re.search(r"Tagged:\s+yes", said) and "pdfuaid:part" in said
    assert f"Cooperativa Prova. {say(language, 'pack.title')}" in said
    assert f"/Lang({language})".encode() in opened.replace(b"/Lang (", b"/Lang(")
    assert b"/DisplayDocTitle true" in opened and b"/MarkInfo" in opened and b"/StructTreeRoot" in opened


def test_headings_begin_with_the_first_and_none_is_skipped(paper: tuple[str, bytes]) -> None:
    levels = [int(level) for level in re.findall(r"^\s*H(\d)\b", tree_of(paper[1]), re.M)]
    assert levels[0] == 1 and len(levels) > 30
    assert [(one, after) for one, after in pairwise(levels) if after > one + 1] == []


def test_every_table_has_a_row_of_header_cells_and_as_many_cells_in_each_row(paper: tuple[str, bytes]) -> None:
    """Could fail: a table that is only drawn, or a row that lacks a cell."""
    tables: list[list[list[str]]] = []
    for _, kind in _ELEMENT.findall(tree_of(paper[1])):
        if kind == "Table":
            tables.append([])
        elif kind == "TR":
            tables[-1].append([])
        elif kind in ("TH", "TD"):
            tables[-1][-1].append(kind)
    assert len(tables) > 15
    assert [rows[0] for rows in tables if set(rows[0]) != {"TH"}] == []
    assert [rows for rows in tables if len({len(row) for row in rows}) != 1 or len(rows) < 2] == []


def test_no_drawing_is_without_words_and_every_link_says_where_it_leads(paper: tuple[str, bytes]) -> None:
    opened = inside(paper[1])
    assert len(re.findall(rb"/S\s*/Figure\b", opened)) == 0
    links = len(re.findall(rb"/Subtype\s*/Link\b", opened))
    assert links > 5 and len(re.findall(rb"/Contents\b", opened)) >= links


def test_the_contents_name_the_page_on_which_each_part_begins(paper: tuple[str, bytes]) -> None:
    language, made = paper
    pages = pages_of(made)
    names = ("evidence", "scorecards", "actions", "register", "promises", "channel", "figures", "log", "files")
    titles = [say(language, f"pack.chapter.{name}") for name in names]
    titles += [say(language, "pack.chapter.wave", title=wave) for wave in ("adesso", "prima")]
    for title in titles:
        found = re.search(rf"{re.escape(title)}[ .\u2060]+(\d+)", pages[0])
        assert found, title
        begin = pages[int(found[1]) - 1][:700]
        assert title in begin and say(language, "pack.t.where") in begin, title


def test_every_file_stands_with_its_whole_name_and_hash_and_nothing_is_wider_than_its_column(
    paper: tuple[str, bytes],
) -> None:
    """Could fail: names of 120 letters without a space, printed over the hash beside them."""
    language, made = paper
    pages = pages_of(made)
    begin = next(n for n, page in enumerate(pages[1:], 1) if say(language, "pack.chapter.files") in page[:300])
    text = "".join(pages[begin:]).replace(" ", "")
    assert len(re.findall(r"evidence/files/([0-9a-f]{64})-[A-Za-z0-9._-]+?\1", text)) == len(packed.NAMES)


def test_every_page_carries_the_day_the_key_and_the_mark_of_the_contents(paper: tuple[str, bytes]) -> None:
    language, made = paper
    pages = pages_of(made)
    marks = {re.search(r"(?:[0-9a-f]{4} ){3}[0-9a-f]{4}$", page[-19:]) is not None for page in pages}
    sources = {say(language, "pack.source", day="", key="").split("{")[0][:8] in page for page in pages}
    assert marks == {True} and sources == {True}


async def test_what_people_typed_is_printed_as_text_and_never_set(tmp_path: Path) -> None:
    """Could fail: a sign of the typesetter's, one that turns the line round, a word longer than the page."""
    settings = StoreSettings(tmp_path / "data")
    async with stores(settings) as engines:
        await organisation.save(engines["public"], OrganisationRecord(HOSTILE))
        for text, owner in ((HOSTILE, HOSTILE), ("prima\u202edopo\u0007", "x" * 5000), ("parola " * 900, "😀 漢")):
            await actions.add("", "3.6", text, owner, DAY, DAY)
    made = await packed.pack_of(settings, tmp_path / "a.pdf", paper_only=True)
    text = " ".join(pages_of(made))
    assert HOSTILE in text and text.count(HOSTILE) >= 2
    assert "\u202e" not in text and "\u0007" not in text
    cut = "".join(text.split())  # a long word may go on over the end of a page, whose foot is then inside it
    assert "x" * 20 in cut and "x…" in cut and cut.count("x") < 1000
