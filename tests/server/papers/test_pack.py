"""The audit pack: everything that an auditor asks for, the same figures as on the pages, what is absent said to be absent."""

import csv
import hashlib
import io
import json
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from piccolo.columns import Column
from piccolo.columns.combination import Where
from piccolo.table import Table

from analysis.published import Document, read
from analysis.steps import as_number, is_coded
from server.frame.display import number
from server.frame.texts import say
from server.papers import pack_evidence
from server.papers.pack_check import verify
from server.papers.pack_part import About, Gap, Kept, Part
from server.results.exports import FIGURES, full_name, tables
from server.results.reading import AREAS, band_text, figure_cell, figure_text, interval_text, labels_of
from surveys.lifecycle.context import plan_path, today
from surveys.people import log
from surveys.people.tables import LogEntry
from surveys.public import evidence, waves
from surveys.public.tables import Evidence, EvidenceDocument, KeptScorecard, RegisterEntry, ReleaseDocument, Wave
from surveys.stores import StoreSettings, stores
from tests.conftest import WAVE
from tests.server.hr.offices import Offices, offices
from tests.server.papers import packed
from tests.server.papers.pdfs import numbers, pages_of

OF_A_WAVE = {
    "release.json",
    "plan.json",
    "signed-plan.json",
    "questionnaire.json",
    "notice.json",
    "results.csv",
    "results.xlsx",
}


@pytest.fixture
def full(tmp_path: Path) -> StoreSettings:
    """Stores that hold everything."""
    shutil.copytree(packed.stored(), tmp_path / "data")
    return StoreSettings(tmp_path / "data")


async def _files(settings: StoreSettings, language: str = "it") -> dict[str, bytes]:
    return packed.contents_of(await packed.pack_of(settings, settings.data.parent / "a.zip", language))


@asynccontextmanager
async def _served(settings: StoreSettings) -> AsyncIterator[Offices]:
    async with offices(settings) as served:
        yield served


async def test_it_holds_all_that_its_index_lists_and_verifies_from_the_file_alone(full: StoreSettings) -> None:
    made = await packed.pack_of(full, full.data.parent / "a.zip")
    files = packed.contents_of(made)
    assert {name for name in files if name.startswith(f"releases/{WAVE}/")} == {
        f"releases/{WAVE}/{one}" for one in OF_A_WAVE
    }
    once = {
        "README.txt",
        "index.json",
        "pack.pdf",
        "house.json",
        "rings.json",
        "actions.json",
        "promises.json",
        "channel.json",
        "log.json",
    }
    once |= {
        "evidence/evidence.json",
        "evidence/log.json",
        "scorecards/today.json",
        "scorecards/2026-1.json",
        "figures/2025.json",
    }
    assert once <= set(files)
    index = json.loads(files["index.json"])
    assert [one["path"] for one in index["files"]] == sorted(set(files) - {"index.json"})
    assert all(hashlib.sha256(files[one["path"]]).hexdigest() == one["sha256"] for one in index["files"])
    verdict = verify(io.BytesIO(made))
    assert [check for check in verdict.checks if not check.holds] == []
    assert len(verdict.checks) > len(files)


async def test_the_same_stores_give_the_same_bytes_on_the_same_day(full: StoreSettings) -> None:
    first = await packed.pack_of(full, full.data.parent / "a.zip")
    async with stores(full) as engines:
        await log.record(engines["people"], packed.LATER, "verifica", "pack exported", kind="zip")
    assert await packed.pack_of(full, full.data.parent / "b.zip") == first
    other_day = await packed.pack_of(full, full.data.parent / "c.zip", day=packed.LATER + timedelta(days=1))
    assert other_day != first


async def test_release_plan_scorecard_and_channel_are_to_the_byte_what_the_pages_give(full: StoreSettings) -> None:
    files = await _files(full)
    async with _served(full) as served:
        for wave in (WAVE, "adesso", "prima"):
            given = (await served.client.get(f"/results/{wave}/release.json")).content
            assert given == files[f"releases/{wave}/release.json"]
            for kind in ("csv", "xlsx"):
                given = (await served.get(f"/hr/results/{wave}/release.{kind}?lang=it")).content
                assert given == files[f"releases/{wave}/results.{kind}"], (wave, kind)
        assert (await served.client.get(f"/wave/{WAVE}/plan.json")).content == files[f"releases/{WAVE}/plan.json"]
        given = (await served.get("/audit/scorecard/2026-1/signed.json", "verifica")).content
        assert given == files["scorecards/2026-1.json"]
        channel = (await served.get("/audit/channel.json", "verifica")).json()
        assert (
            channel["years"]
            == json.loads(files["channel.json"])["channel"]["years"]
            == {"2025": {"band": "5-9", "times_kept": True}}
        )
    assert (full.data / "keys" / "house.json").read_bytes() == files["house.json"]
    assert plan_path(full.data, WAVE).read_bytes() == files[f"releases/{WAVE}/signed-plan.json"]


@pytest.mark.parametrize("language", ["it", "en"])
async def test_every_figure_of_paper_csv_and_workbook_is_the_signed_document_s(
    full: StoreSettings, language: str
) -> None:
    """Could mislead: a figure of another view, a rounded one, an end without its sign. All tables are walked over."""
    files = await _files(full, language)
    text = " ".join(pages_of(files["pack.pdf"])).replace("\u00a0", " ")
    async with stores(full):
        records = {wave.id: wave for wave in await waves.everything()}
    walked = 0
    for wave in (WAVE, "adesso", "prima"):
        document = read(json.loads(files[f"releases/{wave}/release.json"]))
        made = tables(document, labels_of(records[wave]), language)
        book = openpyxl.load_workbook(io.BytesIO(files[f"releases/{wave}/results.xlsx"]))
        for table, sheet in zip(made, book, strict=False):
            rows = list(sheet.iter_rows(min_row=2, max_col=len(table.columns), values_only=True))
            found = [tuple("" if cell is None else cell for cell in one) for one in rows]
            assert found == list(table.rows), (wave, table.name)
        delimiter = ";" if language == "it" else ","
        lines = io.StringIO(files[f"releases/{wave}/results.csv"].decode("utf-8-sig"), newline="")
        cells = [tuple(one[3:]) for one in csv.reader(lines, delimiter=delimiter)][1:]
        written = [tuple(_written(cell, language) for cell in one) for one in made[0].rows]
        assert cells == written, wave
        at, least = FIGURES.index("index"), FIGURES.index("index_low")
        assert [(one[at], one[least]) for one in cells if one[at]] == list(_indices(document, language)), wave
        rows_of_paper = [*_area_rows(document, language), *_group_rows(document, language)]
        assert [row for row in rows_of_paper if row not in text] == []
        walked += len(rows_of_paper)
    assert walked > 40


def _written(cell: str | float, language: str) -> str:
    return cell if isinstance(cell, str) else number(cell, language)


def _indices(document: Document, language: str) -> Iterator[tuple[str, str]]:
    """Index and lower limit of every figure of every group that is shown, from the document alone, as a table writes them."""
    for view in (view for view in document.views if view.shown):
        for family in ("areas", "scales", "items", "indicators"):
            for figure in view.family(family).values():
                sign = (
                    figure_cell(figure.index, "en")
                    if is_coded(figure.index)
                    else number(as_number(figure.index), language)
                )
                yield sign, number(figure.ci.index[0], language) if figure.ci.index else ""


def _area_rows(document: Document, language: str) -> Iterator[str]:
    """Each area as the paper must print it for everyone: the document's own figure and limits."""
    for area, figure in document.everyone.areas.items():
        limits = interval_text(figure.ci.index, language)
        said = f"{area} {say(language, f'results.area.{area}')} {figure_text(figure.index, language)} {limits}"
        yield said.replace("\u00a0", " ")


def _group_rows(document: Document, language: str) -> Iterator[str]:
    """Each group that is shown with its six areas, where it has all of them."""
    for view in (view for view in document.views if view.shown and len(view.areas) == 6):
        figures = " ".join(figure_text(view.areas[area].index, language) for area in AREAS)
        share = figure_text(view.participation, language, " %")
        said = " ".join(filter(None, (band_text(view.n_band), share, figures)))
        yield f"{full_name(view.filter, document.plan.dimensions, language)} {said}".replace("\u00a0", " ")


async def test_no_number_of_a_group_that_is_not_shown_is_printed_and_no_person_is_named(full: StoreSettings) -> None:
    """Could leak: the service of three people, and the names that two acts of the log hold against the rule."""
    files = await _files(full)
    text = " ".join(pages_of(files["pack.pdf"]))
    everything = text.encode() + b"".join(
        content for name, content in files.items() if not name.endswith((".xlsx", ".pdf"))
    )
    document = read(json.loads(files["releases/adesso/release.json"]))
    assert any(not view.shown and view.filter.get("unit") == ("fi.a",) for view in document.views)
    assert not re.search(r"Firenze · Nido \d", text)
    assert (
        not re.search(rb"Persona \d", everything) and b"switched" not in everything and b"signed in" not in everything
    )
    acts = json.loads(files["log.json"])["acts"]
    assert {"wave opened", "wave released", "plan signed", "figures kept"} <= {act["act"] for act in acts}
    assert {"wave": WAVE, "invited": "60"} in [act["details"] for act in acts]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", act["day"]) for act in acts)


async def test_what_is_absent_is_listed_as_absent_in_the_index_and_on_paper(full: StoreSettings) -> None:
    files = await _files(full)
    absent = json.loads(files["index.json"])["absent"]
    wanted = [
        ("releases", "no_plan", "adesso"),
        ("promises", "wave", "prima"),
        ("minutes", "elsewhere", ""),
        ("dpia", "elsewhere", ""),
    ]
    assert {(one["part"], one["reason"], one["what"]) for one in absent} >= set(wanted)
    first = pages_of(files["pack.pdf"])[0]
    assert all(say("it", f"pack.gap.{part}.{reason}", what=what) in first for part, reason, what in wanted)


async def test_an_empty_installation_has_a_pack_that_lists_everything_as_absent_and_verifies(tmp_path: Path) -> None:
    settings = StoreSettings(tmp_path / "data")
    made = await packed.pack_of(settings, tmp_path / "a.zip")
    files = packed.contents_of(made)
    index = json.loads(files["index.json"])
    parts = {
        "releases",
        "evidence",
        "scorecards",
        "actions",
        "promises",
        "channel",
        "figures",
        "log",
        "signers",
        "register",
        "dpia",
        "minutes",
    }
    assert {one["part"] for one in index["absent"]} == parts and index["broken"] == []
    assert set(files) == {"README.txt", "index.json", "pack.pdf", "scorecards/today.json"}
    assert verify(io.BytesIO(made)).holds


async def _column(table: type[Table], column: Column, where: Where) -> str:
    row = await table.select(column).where(where).first()
    assert row is not None
    return str(next(iter(row.values())))


async def test_what_cannot_be_believed_is_named_and_the_rest_comes(full: StoreSettings) -> None:
    """In the stores: a release of other figures, questions exchanged, a scorecard and a document changed, a line of the log too."""
    async with stores(full):
        text = await _column(ReleaseDocument, ReleaseDocument.document, ReleaseDocument.wave == "prima")
        await ReleaseDocument.update(
            {ReleaseDocument.document: text.replace('"received":240', '"received":241')}
        ).where(ReleaseDocument.wave == "prima")
        asked = await _column(Wave, Wave.questionnaire, Wave.id == "adesso")
        await Wave.update({Wave.questionnaire: asked.replace("rispetto", "sospetto")}).where(Wave.id == "adesso")
        card = await _column(KeptScorecard, KeptScorecard.text, KeptScorecard.id == "2026-1")
        await KeptScorecard.update({KeptScorecard.text: card.replace("27", "72")}).where(KeptScorecard.id == "2026-1")
        await EvidenceDocument.update({EvidenceDocument.content: b"altro"}).where(
            EvidenceDocument.title == "Documento 3"
        )
        await Evidence.update({Evidence.state: "met", Evidence.reviewed_mark: ""}).where(Evidence.indicator == "2.1")
        await RegisterEntry.update({RegisterEntry.title: "Tutto bene"}).where(RegisterEntry.number == 1)
        await LogEntry.update({LogEntry.actor: "nessuno"}).where(LogEntry.number == 2)
    made = await packed.pack_of(full, full.data.parent / "a.zip")
    files = packed.contents_of(made)
    broken = {(one["part"], one["reason"]) for one in json.loads(files["index.json"])["broken"]}
    assert broken == {
        ("releases", "not_ours"),
        ("releases", "questions"),
        ("scorecards", "signature"),
        ("evidence", "file"),
        ("evidence", "record"),
        ("register", "record"),
        ("log", "chain"),
    }
    assert f"releases/{WAVE}/release.json" in files and "scorecards/today.json" in files and "log.json" not in files
    assert not any(name.startswith("releases/prima/") for name in files) and "releases/adesso/results.csv" not in files
    first = " ".join(pages_of(files["pack.pdf"])[:2])
    assert (
        say("it", "pack.gap.releases.not_ours", what="prima") in first
        and say("it", "pack.gap.log.chain", what="2") in first
    )
    assert [check for check in verify(io.BytesIO(made)).checks if not check.holds] == []


@pytest.mark.parametrize(
    ("change", "gap", "stays"),
    [
        (
            """UPDATE action SET due = 'x', id = 'a1' WHERE wave = ''""",
            {"part": "actions", "reason": "record", "what": "a1"},
            "figures/2025.json",
        ),
        (
            """UPDATE reported_year SET figures = '{"year": "x"}'""",
            {"part": "figures", "reason": "record", "what": "2025"},
            "actions.json",
        ),
    ],
)
async def test_what_cannot_even_be_read_is_named_and_the_others_come(
    full: StoreSettings, change: str, gap: dict[str, str], stays: str
) -> None:
    """One action, or a year of figures."""
    async with stores(full) as engines:
        await engines["public" if "action" in change else "people"]._run_in_new_connection(change)
    made = await packed.pack_of(full, full.data.parent / "a.zip")
    files = packed.contents_of(made)
    assert json.loads(files["index.json"])["broken"] == [gap]
    assert say("it", f"pack.gap.{gap['part']}.{gap['reason']}", what=gap["what"]) in pages_of(files["pack.pdf"])[0]
    assert stays in files and verify(io.BytesIO(made)).holds


async def test_the_newest_release_exchanged_leaves_the_evidence_and_says_that_today_has_no_scorecard(
    full: StoreSettings,
) -> None:
    async with stores(full):
        text = await _column(ReleaseDocument, ReleaseDocument.document, ReleaseDocument.wave == WAVE)
        await ReleaseDocument.update({ReleaseDocument.document: text.replace('"received":40', '"received":41')}).where(
            ReleaseDocument.wave == WAVE
        )
    made = await packed.pack_of(full, full.data.parent / "a.zip")
    files = packed.contents_of(made)
    assert ("scorecards", "today") in {
        (one["part"], one["reason"]) for one in json.loads(files["index.json"])["broken"]
    }
    assert "evidence/evidence.json" in files and "scorecards/today.json" not in files
    assert verify(io.BytesIO(made)).holds
    async with _served(full) as served:
        page = await served.get("/audit?lang=it", "verifica")
    assert page.status_code == 200 and say("it", "pack.gap.releases.not_ours", what=WAVE) in page.text


async def test_names_of_documents_become_plain_and_stay_apart(full: StoreSettings) -> None:
    files = await _files(full)
    kept = sorted(name.rpartition("/")[2].partition("-")[2] for name in files if name.startswith("evidence/files/"))
    assert kept == sorted(["etc_passwd", "verbale_fdp.exe", "n" * 56 + ".pdf", "piano.pdf"])
    assert all(re.fullmatch(r"[A-Za-z0-9._/-]{1,200}", name) and ".." not in name for name in files)
    assert "\u202e" not in "".join(pages_of(files["pack.pdf"]))


async def test_a_document_that_changed_while_the_pack_was_made_is_not_written(full: StoreSettings) -> None:
    async with stores(full):
        paper = (await evidence.of("1.1")).documents[0]
        for sha256, there in ((paper.sha256, True), ("0" * 64, False)):
            found = await pack_evidence.content_of(Kept("x", paper.id, sha256, 1))
            assert (found is not None) is there


async def test_documents_over_the_limit_are_left_out_with_their_hash_and_said_to_be(
    full: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack_evidence, "FILES_LIMIT", 12_000)
    made = await packed.pack_of(full, full.data.parent / "a.zip")
    files = packed.contents_of(made)
    left_out, placed = (
        json.loads(files["index.json"])["left_out"],
        [name for name in files if name.startswith("evidence/files/")],
    )
    assert (len(left_out), len(placed)) == (2, 2)
    text = "".join(pages_of(files["pack.pdf"])).replace(" ", "")
    assert all(one["sha256"] in text for one in left_out)
    assert verify(io.BytesIO(made)).holds


async def test_auditor_and_hr_have_it_and_nobody_else_and_each_download_is_an_act(full: StoreSettings) -> None:
    async with _served(full) as served:
        for who in ("verifica", "direzione"):
            given = await served.get("/audit/pack.zip?lang=it", who)
            assert (given.status_code, given.headers["content-type"]) == (200, "application/zip")
            assert f'filename="ascolto-{today()}-it.zip"' in given.headers["content-disposition"]
            assert "content-encoding" not in given.headers and verify(io.BytesIO(given.content)).holds
        paper = await served.get("/audit/pack.pdf?lang=en", "verifica")
        assert (
            paper.headers["content-type"] == "application/pdf" and say("en", "pack.title") in pages_of(paper.content)[0]
        )
        for path in ("/audit/pack.zip", "/audit/pack.pdf", "/audit"):
            assert (await served.get(path, "rappresentante")).status_code == 403
            assert (await served.client.get(path)).status_code in (303, 401)
        acts = [(act.actor, act.act, dict(act.details)) for act in await log.read()][-3:]
        assert acts == [
            ("verifica", "pack exported", {"kind": "zip"}),
            ("direzione", "pack exported", {"kind": "zip"}),
            ("verifica", "pack exported", {"kind": "pdf"}),
        ]
        assert list(full.data.glob(".pack*")) == []
        seat = (await served.get("/audit?lang=it", "verifica")).text
    assert "/audit/pack.zip?lang=it" in seat and "/audit/pack.pdf?lang=it" in seat
    assert say("it", "pack.gap.minutes.elsewhere") in seat and say("it", "pack.chapter.evidence") in seat


async def test_the_paper_alone_is_the_paper_of_the_pack(full: StoreSettings) -> None:
    files = await _files(full)
    assert await packed.pack_of(full, full.data.parent / "a.pdf", paper_only=True) == files["pack.pdf"]


async def test_a_wave_s_scorecard_of_the_page_is_the_one_of_the_pack(full: StoreSettings) -> None:
    """Points, and how people live each area, as the auditor's page prints them."""
    files = await _files(full)
    card = json.loads(files["scorecards/today.json"])
    text = " ".join(pages_of(files["pack.pdf"]))
    async with stores(full):
        stored = await evidence.everything()
    assert (
        card["wave"] == WAVE
        and {line["id"] for line in card["lines"] if line["counted"] == "met"} == {"1.1"}
        and set(stored) == {"1.1", "2.1"}
    )
    area = next(one for one in card["areas"] if one["number"] == 1)
    assert f"{area['earned']} / {area['applicable']}" in text and numbers(f"{area['earned']}") == ["20"]


async def test_one_more_part_is_a_function_and_its_sentences(
    full: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.papers import pack

    async def another(_: About) -> Part:
        return Part(absent=(Gap("minutes", "elsewhere", "x"),))

    monkeypatch.setattr(pack, "PARTS", {"other": another})
    files = await _files(full)
    assert set(files) == {"README.txt", "index.json", "pack.pdf"}
    assert [one["what"] for one in json.loads(files["index.json"])["absent"]] == ["x"]
