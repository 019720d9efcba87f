"""The board report: a paper that everyone can read, with the figures of the release and no other, whatever people typed into it."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from analysis.steps import is_coded
from server.certification import scorecard
from server.certification.things import things
from server.frame.texts import say
from server.papers import board_groups
from server.papers.board import board_report
from server.papers.printing import printed
from server.results.reading import AREAS, figure_text, interval_text
from server.results.story import EVERYONE, Story, dot, story_of
from surveys import certification
from surveys.lifecycle.context import Site, today
from surveys.public import actions, organisation
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, ORGANISATION
from tests.server.hr.offices import Offices, offices
from tests.server.hr.readings import CLOSED, keep, keep_two, reading
from tests.server.papers.pdfs import info_of, inside, numbers, pages_of, tree_of

REPORT = "/hr/results/adesso/report.pdf?lang="
HOSTILE = 'Anna #import "x" $a$ \\ [b] *c* <d> `e` {years} {0} @f // g /* h'
TURNED = "prima\u202edopo\u0007"


async def _report(served: Offices, language: str = "it") -> bytes:
    found = await served.get(f"{REPORT}{language}")
    assert (found.status_code, found.headers["content-type"]) == (200, "application/pdf"), found.text[:300]
    return found.content


@asynccontextmanager
async def _few(settings: StoreSettings, n: int) -> AsyncIterator[Offices]:
    """One release of so few people that no group is shown."""
    async with stores(settings) as engines:
        await keep(Site(engines, settings.data, DAY, "test"), "adesso", CLOSED, n=n)
    async with offices(settings) as served:
        yield served


@pytest.mark.parametrize("language", ["it", "en"])
async def test_it_is_a_tagged_pdf_ua_of_six_to_ten_pages_with_a_title_and_a_language(
    tmp_path: Any, language: str
) -> None:
    async with reading(StoreSettings(tmp_path)) as served:
        made = await _report(served, language)
    said, opened = info_of(made), inside(made)
    assert 6 <= int(re.findall(r"Pages:\s+(\d+)", said)[0]) <= 10
    assert re.search(r"Tagged:\s+yes", said) and re.search(r"Page size:.*\(A4\)", said)
    assert "pdfuaid:part" in said and say(language, "board.about", title="adesso") in said
    assert (
        b"/MarkInfo" in opened
        and b"/StructTreeRoot" in opened
        and f"/Lang({language})".encode() in opened.replace(b"/Lang (", b"/Lang(")
    )


async def test_every_drawing_says_in_words_what_it_shows_and_every_page_has_one_heading_and_its_source(
    tmp_path: Any,
) -> None:
    settings = StoreSettings(tmp_path)
    async with reading(settings) as served:
        made = await _report(served)
        async with stores(settings):
            story = await story_of("adesso", "it")
    opened, pages = inside(made), pages_of(made)
    assert opened.count(b"/S /Figure") + opened.count(b"/S/Figure") == opened.count(b"/Alt") > 20
    tree = tree_of(made)
    assert len(re.findall(r"^\s*H1\b", tree, re.M)) == 7
    area = dot(story, "areas", EVERYONE, "1")
    assert f"{area.name}: {area.value} ({area.limits})" in _alternatives(opened)
    assert ["pubblicata il" in page and "Limiti al 95 %" in page for page in pages] == [True] * len(pages)


def _alternatives(opened: bytes) -> str:
    """The words of all drawings, from their UTF-16 strings."""
    found = []
    for text in re.findall(rb"/Alt\s*(\((?:\\.|[^\\)])*\)|<[0-9A-Fa-f]+>)", opened, re.S):
        raw = bytes.fromhex(text[1:-1].decode()) if text[:1] == b"<" else _unescaped(text[1:-1])
        found.append(raw[2:].decode("utf-16-be") if raw[:2] == b"\xfe\xff" else raw.decode("latin-1"))
    return "\n".join(found)


def _unescaped(text: bytes) -> bytes:
    signs = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}

    def one(found: re.Match[bytes]) -> bytes:
        sign = found[1]
        return bytes([int(sign, 8)]) if sign[:1].isdigit() else signs.get(sign, sign)

    return re.sub(rb"\\([0-7]{1,3}|.)", one, text, flags=re.S)


def _between(page: str, names: list[str]) -> dict[str, str]:
    """The part of a page's text that follows each name, up to the next."""
    places: list[int] = []
    for name in names:
        at = page.index(name, places[-1] if places else 0)
        places.append(at)
    ends = [*places[1:], len(page)]
    return {name: page[at + len(name) : end] for name, at, end in zip(names, places, ends, strict=True)}


@pytest.mark.parametrize("language", ["it", "en"])
async def test_every_figure_of_a_row_is_the_one_that_the_page_says(tmp_path: Any, language: str) -> None:
    """Could mislead: a figure of another view, a rounded one, an end without its sign."""
    settings = StoreSettings(tmp_path)
    async with reading(settings) as served:
        pages = pages_of(await _report(served, language))
        async with stores(settings):
            story = await story_of("adesso", language)
            bars = scorecard.evidence_bars(await certification.scores(today()), language)
    page = next(one for one in pages if say(language, "board.t.areas") in one)
    page = page[page.index(say(language, "board.t.areas")) :]
    rows = _between(page, [f"{area} {story.name('areas', area)}" for area in AREAS])
    for area, row in zip(AREAS, rows.values(), strict=True):
        one = dot(story, "areas", EVERYONE, area)
        figure = story.document.everyone.areas[area]
        wanted = f"{bars[area].points} {figure_text(figure.index, language)} {interval_text(figure.ci.index, language)}"
        wanted = f"{wanted} {one.trend} {one.trend_limits}"
        assert numbers(row)[: len(numbers(wanted))] == numbers(wanted), area
    _same_place(pages, story, language)
    _same_gaps(pages, story, language)


def _same_place(pages: list[str], story: Story, language: str) -> None:
    heading = say(language, "hr.story.low", group="Prato", n=6, of=6).rstrip(".")
    page = next(one for one in pages[2:] if heading in one)
    rows = _between(page[page.index(heading) :], [story.name("areas", area) for area in AREAS])
    for area, row in zip(AREAS, rows.values(), strict=True):
        one = dot(story, "areas", "unit:po", area)
        wanted = numbers(f"{one.value} {one.limits} {one.gap} {one.gap_limits} {one.trend} {one.trend_limits}")
        assert numbers(row)[: len(wanted)] == wanted and len(wanted) >= 4, area


def _same_gaps(pages: list[str], story: Story, language: str) -> None:
    page = next(one for one in pages if say(language, "board.t.women") in one)
    page = page[page.index(say(language, "board.t.women")) :]
    rows = _between(page, [story.name("areas", area) for area in AREAS])
    for area, row in zip(AREAS, rows.values(), strict=True):
        one = story.difference("areas", "gender:f", area)
        assert one is not None
        wanted = [numbers(figure_text(abs(value), language))[0] for value in (one.gap, one.low, one.high)]
        assert numbers(row)[:3] == wanted, area


async def test_no_number_of_the_paper_is_of_something_that_the_release_does_not_print(tmp_path: Any) -> None:
    """Could leak: a raw mean, or how many of three people a service has. All numbers of all pages are walked over."""
    settings = StoreSettings(tmp_path)
    async with reading(settings) as served:
        pages = pages_of(await _report(served))
        async with stores(settings):
            story = await story_of("adesso", "it")
            ground = await certification.ground(today())
            road = scorecard.road(ground, ground.scores(), (), "it")
    known = _figures(story) | set(numbers(f"{road.hero} {road.verdict} {road.words}"))
    known |= {str(number) for number in range(101) if number in {*range(0, 11), 20, 30, 60, 95, 100}} | {"125", "256"}
    text = " ".join(pages)
    digests = re.compile(r"\b[0-9a-f]{4}(?: [0-9a-f]{4})+\b|\b[0-9a-f]{16,}\b")
    days = re.compile(r"\b\d{1,2} [a-z]+ 20\d\d\b|\b[a-z]+ 20\d\d\b|:2022\b|\+\S+ punti")
    ids = re.compile(r"\b\d\.\d\b")
    left = numbers(ids.sub(" ", days.sub(" ", digests.sub(" ", text))))
    assert len(left) > 200
    assert sorted(set(left) - known) == []
    assert "Nido" not in text and "Gruppi non mostrati" in text


def _figures(story: Story) -> set[str]:
    """What the document prints, as a page writes it."""
    document, found = story.document, set[str]()
    for view in document.views:
        found |= set(numbers(view.n_band))
        found |= set(numbers(figure_text(view.participation, "it")))
        for family in ("areas", "scales", "items"):
            for figure in view.family(family).values():
                found |= set(numbers(f"{figure_text(figure.index, 'it')} {interval_text(figure.ci.index, 'it')}"))
    for one in document.differences:
        found |= {numbers(figure_text(abs(value), "it"))[0] for value in (one.gap, one.low, one.high)}
    for trend in story.trends.values():
        found |= {numbers(figure_text(abs(value), "it"))[0] for value in (trend.change, trend.low, trend.high)}
    counts = document.participation
    share = round(100 * counts["received"] / counts["invited"])
    hidden = sum(not view.shown for view in document.views)
    found |= {str(one) for one in (*counts.values(), share, hidden, *document.rules.k.values())}
    return found | set(numbers(figure_text(document.quality.nonresponse.get("items"), "it")))


async def test_the_shell_writes_the_same_report_or_says_what_is_missing(tmp_path: Any) -> None:
    settings = StoreSettings(tmp_path / "data")
    async with reading(settings) as served:
        given = pages_of(await _report(served, "en"))
    environment = dict(os.environ) | {"ASCOLTO_DATA": str(settings.data), "LC_ALL": "en"}
    command = [sys.executable, "-m", "server.command.cli", "report", "board"]

    def ran(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *words], env=environment, capture_output=True, text=True)

    file = tmp_path / "report.pdf"
    written, missing, nowhere = (
        ran("adesso", str(file)),
        ran("manca", str(file)),
        ran("adesso", str(tmp_path / "no" / "a.pdf")),
    )
    assert (written.returncode, missing.returncode, nowhere.returncode) == (0, 1, 1)
    assert (
        "manca" in missing.stderr and "a.pdf" in nowhere.stderr and "Traceback" not in missing.stderr + nowhere.stderr
    )
    assert pages_of(file.read_bytes()) == given


async def test_the_fingerprint_is_that_of_the_document_that_the_page_of_results_gives_out(tmp_path: Any) -> None:
    async with reading(StoreSettings(tmp_path)) as served:
        pages = pages_of(await _report(served))
        document = (await served.client.get("/results/adesso/release.json")).content
    digest = hashlib.sha256(document).hexdigest()
    assert digest in pages[-1].replace(" ", "")
    assert all(f"{digest[:4]} {digest[4:8]} {digest[8:12]} {digest[12:16]}" in page for page in pages)


async def test_what_people_typed_is_printed_as_text_and_never_set(tmp_path: Any) -> None:
    """Could fail: a sign of the typesetter's in a title, a sign that turns the line round, a word longer than the page."""
    settings = StoreSettings(tmp_path)
    async with stores(settings) as engines:
        site = Site(engines, settings.data, DAY, "test")
        await keep(site, "adesso", CLOSED, title=HOSTILE)
        await organisation.save(engines["public"], replace(ORGANISATION, name=HOSTILE))
        for text, owner in (
            (HOSTILE, HOSTILE),
            (TURNED, "x" * 5000),
            ("x" * 5000, "a"),
            ("parola " * 900, "b"),
            ("😀 漢", "c"),
        ):
            await actions.add("adesso", "", text, owner, DAY, DAY)
    async with offices(settings) as served:
        made = await _report(served)
    pages = pages_of(made)
    text = " ".join(pages)
    assert 6 <= len(pages) <= 10
    assert HOSTILE in pages[0] and text.count(HOSTILE) >= 3
    assert "primadopo" in text.replace(" ", "") and "\u202e" not in text and "\u0007" not in text
    assert re.search(r"x{100,}…", text.replace(" ", ""))


async def test_coded_ends_keep_their_sign(tmp_path: Any) -> None:
    """Could mislead: "10 or less" printed as 10."""
    settings = StoreSettings(tmp_path)
    async with stores(settings) as engines:
        await keep(Site(engines, settings.data, DAY, "test"), "adesso", CLOSED, low=3.5)
        story = await story_of("adesso", "it")
    async with offices(settings) as served:
        pages = pages_of(await _report(served))
    view = next(one for one in story.document.views if one.id == "unit:po")
    coded = {area: figure_text(one.index, "it") for area, one in view.areas.items() if is_coded(one.index)}
    page = next(one for one in pages if say("it", "board.clear_in", groups="Firenze") in one)
    row = _between(page[page.index(say("it", "board.t.place")) :], [say("it", "results.everyone"), "Prato", "Firenze"])[
        "Prato"
    ]
    assert len(coded) == 6 and all(text.startswith("≤") for text in coded.values())
    assert row.split(maxsplit=1)[1].strip() == " ".join(text.replace("\u00a0", " ") for text in coded.values())


async def test_of_ten_people_the_report_comes_and_says_what_is_not_shown(tmp_path: Any) -> None:
    """Could leak: two territories of four and six people, and what their women and men said."""
    settings = StoreSettings(tmp_path)
    async with _few(settings, 10) as served:
        made = await _report(served)
        async with stores(settings):
            story = await story_of("adesso", "it")
    pages, hidden = pages_of(made), {story.group(view.id) for view in story.document.views if not view.shown}
    text = " ".join(pages)
    assert 6 <= len(pages) <= 10 and re.search(r"Tagged:\s+yes", info_of(made))
    assert say("it", "results.gender.hidden").rstrip(".") in text and say("it", "board.t.hidden") in text
    assert say("it", "board.t.map_nothing") in text and say("it", "board.moved.first") in text
    assert {"Prato", "Cucina", "Nido", "m"} <= hidden
    assert [name for name in hidden if re.search(rf"\b{re.escape(name)}\b", text)] == []


async def test_where_nothing_is_clear_no_place_has_a_page_and_the_paper_says_so(tmp_path: Any) -> None:
    async with _few(StoreSettings(tmp_path), 60) as served:
        pages = pages_of(await _report(served))
    text = " ".join(pages)
    assert "Prato" in text and say("it", "board.t.map_nothing_note") in text and say("it", "board.t.no_things") in text
    assert say("it", "board.t.against") not in text and " ↓" not in text.replace(say("it", "board.t.map_note"), "")


async def test_a_pulse_has_its_report_and_poster_too(tmp_path: Any) -> None:
    """Could mislead: the disagreement of evidence and people, which is of the wave of everyone, told as the pulse's."""
    settings = StoreSettings(tmp_path)
    async with stores(settings) as engines:
        site = Site(engines, settings.data, DAY, "test")
        await keep(site, "adesso", CLOSED)
        await keep(site, "lampo", CLOSED + timedelta(days=30), kind="pulse")
        story, standings = await story_of("lampo", "it"), (await certification.ground(DAY)).standings()
        gaps = [replace(one, alignment="alignment_gap") for one in standings]
        of_both = [things(one, gaps) for one in (story, await story_of("adesso", "it"))]
    async with offices(settings) as served:
        found = [await served.get(f"/hr/results/lampo/{one}.pdf?lang=it") for one in ("report", "poster")]
    assert [one.status_code for one in found] == [200, 200] and 6 <= len(pages_of(found[0].content)) <= 10
    assert [any("/indicators/" in claim.address for claim in one) for one in of_both] == [False, True]


async def test_many_long_actions_and_many_clear_places_stay_within_ten_pages(
    tmp_path: Any,
) -> None:
    settings = StoreSettings(tmp_path)
    async with stores(settings) as engines:
        await keep_two(Site(engines, settings.data, DAY, "test"))
        for wave in ("prima", "adesso"):
            for _ in range(20):
                await actions.add(wave, "", "parola lunga " * 60, "ufficio " * 20, DAY, DAY)
        facts = await board_report("adesso", "it")
    places = [facts["places"][0]] * board_groups.MOST_PLACES
    pages = pages_of(printed("board", facts | {"places": places, "more_places": [facts["title"]] * 12}))
    assert len(facts["places"]) <= board_groups.MOST_PLACES and 6 <= len(pages) <= 10
    assert say("it", "board.t.open_acts") in pages[0] and say("it", "board.t.areas") in pages[1]
    assert say("it", "board.acts.more", n=28) in " ".join(pages)


async def test_a_theme_that_does_not_hold_together_is_printed_nowhere_as_one_figure(tmp_path: Any) -> None:
    async with reading(StoreSettings(tmp_path)) as served:
        pages = pages_of(await _report(served, "en"))
    page = next(one for one in pages if say("en", "board.t.themes") in one)
    assert "Read them one by one" in page and len(page.split("Read them one by one")) == 2


async def test_only_hr_and_the_auditor_have_it_each_at_their_own_address(tmp_path: Any) -> None:
    async with reading(StoreSettings(tmp_path)) as served:
        for path, who, status in (
            ("/hr/results/adesso/report.pdf", "rappresentante", 403),
            ("/hr/results/adesso/report.pdf", "verifica", 403),
            ("/hr/results/adesso/poster.pdf", "verifica", 403),
            ("/audit/results/adesso/report.pdf", "rappresentante", 403),
            ("/audit/results/adesso/report.pdf", "verifica", 200),
            ("/hr/results/manca/report.pdf", "direzione", 404),
            ("/audit/results/manca/report.pdf", "verifica", 404),
        ):
            assert (await served.get(path, who)).status_code == status, (path, who)
        assert (await served.client.get("/hr/results/adesso/report.pdf")).status_code in (303, 401)
        assert "/hr/results/adesso/report.pdf?lang=it" in (await served.get("/hr/results/adesso?lang=it")).text
        pack = await served.get("/audit?lang=it", "verifica")
        assert "/audit/results/adesso/report.pdf?lang=it" in pack.text


async def test_actions_stand_beside_what_changed_with_how_they_stand(tmp_path: Any) -> None:
    settings = StoreSettings(tmp_path)
    async with stores(settings) as engines:
        await keep_two(Site(engines, settings.data, DAY, "test"))
        await actions.add("prima", "", "Turni scritti prima", "Anna", DAY, DAY)
        await actions.add("adesso", "", "Incontro a Prato", "Livia", DAY + timedelta(days=9000), DAY)
        first = next(one for one in await actions.everything() if one.wave == "prima")
        await actions.finish(engines["public"], first.id, first.mark, DAY)
    async with offices(settings) as served:
        page = next(one for one in pages_of(await _report(served)) if "Turni scritti prima" in one)
    assert say("it", "board.acts.title", done=1, open=1) in page
    before, now = page.index(say("it", "board.t.acts_before")), page.index(say("it", "board.t.acts_now"))
    assert before < page.index("Turni scritti prima") < now < page.index("Incontro a Prato")
    assert "fatta, 2 novembre 2026" in page and say("it", "board.t.moved_note") in page
