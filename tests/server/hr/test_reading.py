"""HR's reading, from two real releases of the full form: what is clear is said, what is not shown is nowhere, and a pulse moves nothing."""

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import numpy as np
import pytest

from server.frame.texts import say
from surveys.importing.mapping import parse_mapping
from surveys.importing.responses import read_responses
from surveys.lifecycle.context import Site, today
from surveys.lifecycle.imported import release_file, source_key
from surveys.lifecycle.instrument import instrument_of
from surveys.public import evidence
from surveys.public.evidence_state import EvidenceState
from surveys.public.tables import Wave
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY
from tests.server.hr.offices import offices
from tests.server.hr.readings import CLOSED, LOOSE, TINY
from tests.server.hr.readings import document_of as _document
from tests.server.hr.readings import form_of as _form
from tests.server.hr.readings import keep as _keep
from tests.server.hr.readings import reading as _reading


def _heading(page: str) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page, re.S)
    assert found
    return found[1]


async def test_what_is_clear_is_the_title_and_leads_to_its_page(tmp_path: Any) -> None:
    async with _reading(StoreSettings(tmp_path)) as served:
        page = (await served.get("/hr?lang=it")).text
        assert _heading(page) == "Prato è chiaramente sotto la cooperativa in 6 aree su 6"
        assert "/hr/results/adesso/group/unit:po?lang=it" in page and "Le donne vedono «Crescita" in page
        group = (await served.get("/hr/results/adesso/group/unit:po?lang=it")).text
        assert _heading(group).startswith("Prato è chiaramente sotto")
        assert "è scesa in" in group and "▼" in group
        theme = (await served.get("/hr/results/adesso/areas/4?lang=it")).text
        assert "Chiaramente sotto la cooperativa: Prato" in theme and "Donne rispetto agli uomini: −" in theme


async def test_colour_is_only_where_a_difference_is_clear(tmp_path: Any) -> None:
    """Could mislead: every cell was coloured by its level, groups of five people too."""
    async with _reading(StoreSettings(tmp_path)) as served:
        page = (await served.get("/hr/results/adesso?lang=en")).text
    document = _document("adesso", "full", CLOSED, 1.2, 1.0)
    clear = {(d["view"], d["statistic"]) for d in document["differences"] if d["clear"] and d["against"] == "all"}
    rows = re.findall(r"<tr class=\"[^\"]*\">.*?</tr>", page, re.S)
    coloured = sum(row.count('class="lo"') + row.count('class="hi"') for row in rows)
    assert coloured == len(clear) > 0
    assert all("unit:po" in row or "unit:fi" in row for row in rows if 'class="lo"' in row)


async def test_a_group_that_is_not_shown_is_not_told_from_one_that_does_not_exist(tmp_path: Any) -> None:
    """Could leak: an address that answers otherwise for three people than for nobody."""
    async with _reading(StoreSettings(tmp_path)) as served:
        answers = [await served.get(f"/hr/results/adesso/group/unit:{code}?lang=it") for code in (TINY, "fi.z")]
        page = (await served.get("/hr/results/adesso?lang=it")).text
    assert [one.status_code for one in answers] == [404, 404] and answers[0].text == answers[1].text
    assert "Nido" not in page and "Gruppi non mostrati:" in page


async def test_with_one_wave_nothing_is_said_of_before(tmp_path: Any) -> None:
    async with _reading(StoreSettings(tmp_path), before=False) as served:
        pages = [
            (await served.get(f"{path}?lang=it")).text
            for path in (
                "/hr",
                "/hr/results/adesso/group/unit:po",
                "/hr/results/adesso/areas/1",
                "/hr/results/adesso/scales/SAF",
            )
        ]
    assert all("Rispetto a" not in page and "come prima" not in page and "▼" not in page for page in pages)


async def test_an_earlier_wave_whose_questions_were_changed_in_its_row_is_compared_with_nothing(tmp_path: Any) -> None:
    """Could mislead: with one UPDATE of last year's questions "rose" became "questions changed", or the other way round."""
    settings = StoreSettings(tmp_path)
    async with _reading(settings) as served:
        assert "Rispetto a" in (await served.get("/hr/results/adesso/group/unit:po?lang=it")).text
        other = _form("full").to_json()
        other["sections"][0]["items"][0]["text"]["it"] = "Un'altra domanda?"
        async with stores(settings):
            await Wave.update({Wave.questionnaire: json.dumps(other)}).where(Wave.id == "prima")
        page = await served.get("/hr/results/adesso/group/unit:po?lang=it")
        assert page.status_code == 200 and "Rispetto a" not in page.text
        async with stores(settings):
            await Wave.update({Wave.questionnaire: "[1"}).where(Wave.id == "prima")
        assert (await served.get("/hr?lang=it")).status_code == 200


async def test_the_day_in_a_row_makes_no_later_wave_an_earlier_one(tmp_path: Any) -> None:
    """Could mislead: `closed` of a row moved back, and a wave is compared with one that came after it."""
    settings = StoreSettings(tmp_path)
    async with _reading(settings) as served:
        async with stores(settings):
            await Wave.update({Wave.closed: CLOSED - timedelta(days=900)}).where(Wave.id == "adesso")
        page = (await served.get("/hr/results/prima?lang=it")).text
        assert "rispetto a" not in page.lower()


@pytest.mark.parametrize(("days", "word"), [(0, "soddisfatto"), (-1, "scaduto: da valutare di nuovo")])
async def test_evidence_says_that_it_has_expired_from_the_day_after(tmp_path: Any, days: int, word: str) -> None:
    settings = StoreSettings(tmp_path)
    async with offices(settings) as served:
        async with stores(settings) as engines:
            await evidence.add_document(
                engines["public"], "1.1", "Piano", DAY, DAY, who="a", link="https://example.org"
            )
            last = today() + timedelta(days=days)
            state = EvidenceState("1.1", "met", set_by="a", set_on=DAY, valid_until=last)
            await evidence.set_state(engines["public"], state)
        for path in ("/hr/indicators?lang=it", "/hr/indicators/1.1?lang=it"):
            assert f'<span class="pill">{word}</span>' in (await served.get(path)).text


async def test_an_area_lists_the_questions_of_its_index_alone(tmp_path: Any) -> None:
    """Could mislead: the two outcomes stood under Culture, whose index they never enter."""
    async with _reading(StoreSettings(tmp_path)) as served:
        listed = set(re.findall(r"/item/(\w+)\?", (await served.get("/hr/results/adesso/areas/1?lang=it")).text))
    members = {item.id for item in instrument_of(_form("full")).likert() if 1 in item.areas and not item.outcome}
    assert listed == members


async def test_a_theme_that_does_not_hold_together_has_no_page_and_no_column(tmp_path: Any) -> None:
    """Could mislead: an index of questions that have nothing to do with each other, with limits and a rank."""
    async with _reading(StoreSettings(tmp_path)) as served:
        page = (await served.get("/hr/results/adesso?lang=en")).text
        assert "Read them one by one" in page and f"/scales/{LOOSE}?" not in page and "/scales/SAF?" in page
        assert (await served.get(f"/hr/results/adesso/scales/{LOOSE}?lang=en")).status_code == 404
        assert (await served.get("/hr/results/adesso/item/VOI1?lang=en")).status_code == 200


@pytest.mark.parametrize("language", ["it", "en"])
async def test_findings_map_actions_and_answer_lie_open_and_all_else_is_one_click_away(
    tmp_path: Any, language: str
) -> None:
    """Was three and a half screens at 1280: the map, which the page is for, between lists that few read."""
    async with _reading(StoreSettings(tmp_path)) as served:
        page = (await served.get(f"/hr/results/adesso?lang={language}")).text
    main = page[page.index("<main") :]
    open_parts = re.sub(
        r"<details.*?</details>", "", re.sub(r"<details>.*?</details>", "", main, flags=re.S), flags=re.S
    )
    keys = ("hr.results.clear", "hr.results.map", "hr.results.act", "promise.heading")
    assert re.findall(r"<h2[^>]*>([^<]+)<", unescape(open_parts)) == [say(language, key) for key in keys]
    folded = {
        say(language, key)
        for key in ("hr.results.items", "hr.results.quality", "hr.results.others", "board.poster.heading")
    }
    inside = re.findall(r'<details class="card fold">\s*<summary><h2>([^<]+)<', unescape(main))
    assert folded <= set(inside)


async def test_every_link_of_the_map_leads_somewhere(tmp_path: Any) -> None:
    """Crossings too, whose addresses hold a plus sign."""
    async with _reading(StoreSettings(tmp_path)) as served:
        page = (await served.get("/hr/results/adesso?lang=it")).text
        links = set(re.findall(r'href="(/hr/results/adesso/(?:group|areas|scales)/[^"#]+)"', page))
        assert any("+" in link for link in links) and len(links) > 15
        assert {(await served.get(link.replace("&amp;", "&"))).status_code for link in links} == {200}


async def test_an_imported_wave_with_groups_of_its_own_is_read_on_the_same_pages(tmp_path: Any) -> None:
    """Could fail: a page that knows territories, genders and ages alone."""
    mapping = parse_mapping(
        {
            "wave": {"id": "fuori", "title": "Fuori", "opened": "2024-03-01", "closed": "2024-03-31"},
            "file": {"on_bad_row": "refuse"},
            "groups": {"size": {"column": "S", "title": "S", "recode": {"a": "small", "b": "large"}}},
            "items": {n: {"column": n, "text": n, "construct": "voice", "areas": [1]} for n in ("Q1", "Q2", "Q3")},
            "scales": {"voice": {"title": "Voce"}},
        }
    )
    source = np.random.default_rng(4)
    rows = [["S", "Q1", "Q2", "Q3"], *([("a", "b")[i % 2], *map(str, source.integers(1, 6, 3))] for i in range(120))]
    path = tmp_path / "fuori.csv"
    path.write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
    settings = StoreSettings(tmp_path / "data")
    async with stores(settings) as engines:
        site = Site(engines, settings.data, DAY, "test")
        await release_file(site, mapping, read_responses(path, mapping, key=source_key(settings.data)), lambda _: None)
    async with offices(settings) as served:
        assert (await served.get("/hr/results?lang=it")).headers["location"].startswith("/hr/results/fuori")
        page = (await served.get("/hr/results/fuori?lang=it")).text
        assert "Voce" in page and "small" in page
        for place in (
            "group/size:small",
            "areas/1",
            "scales/voice",
            "item/Q1",
            "release.csv",
            "release.xlsx",
            "report.pdf",
            "poster.pdf",
        ):
            assert (await served.get(f"/hr/results/fuori/{place}?lang=it")).status_code == 200, place


async def test_a_pulse_changes_no_byte_of_overview_indicators_and_scores(tmp_path: Any) -> None:
    settings = StoreSettings(tmp_path)
    paths = ("/hr?lang=it", "/hr/indicators?lang=it", "/hr/scorecard?lang=it", "/hr/indicators/3.6?lang=it")
    async with _reading(settings) as served:
        before = [(await served.get(path)).text for path in paths]
        site = Site(served.engines, settings.data, DAY, "test")
        await _keep(site, "lampo", CLOSED + timedelta(days=30), kind="pulse")
        assert [(await served.get(path)).text for path in paths] == before
        assert (await served.get("/hr/results/lampo?lang=it")).status_code == 200


async def test_before_the_first_results_the_overview_is_the_way_there(tmp_path: Any) -> None:
    async with offices(StoreSettings(tmp_path)) as served:
        page = (await served.get("/hr?lang=en")).text
        assert page.count("<li class=") == 6 and page.count('aria-current="step"') == 1
        assert "/hr/organisation?lang=en" in page and "not shown" not in page
        nothing = await served.get("/hr/results?lang=en")
        assert nothing.status_code == 200 and "first published survey" in nothing.text
        for path in ("group/unit:po", "areas/1", "scales/SAF", "item/SAF1"):
            assert (await served.get(f"/hr/results/nessuna/{path}")).status_code == 404


@pytest.mark.parametrize("path", ["", "/adesso", "/adesso/group/unit:po", "/adesso/areas/1", "/adesso/scales/SAF"])
async def test_nobody_but_hr_reads_it(tmp_path: Any, path: str) -> None:
    async with offices(StoreSettings(tmp_path)) as served:
        for who in ("verifica", "rappresentante"):
            assert (await served.get(f"/hr/results{path}", who)).status_code == 403


async def test_an_indicator_stands_beside_itself_only_where_its_questions_were_the_same(tmp_path: Any) -> None:
    """Could mislead: "before 30" of a question that asked something else. 3.6 has SAF1 among its questions, 1.1 has not."""
    settings = StoreSettings(tmp_path)
    async with stores(settings) as engines:
        site = Site(engines, settings.data, DAY, "test")
        await _keep(site, "prima", CLOSED - timedelta(days=200), other="SAF1")
        await _keep(site, "adesso", CLOSED, low=1.2)
    async with offices(settings) as served:
        pages = [unescape((await served.get(f"/hr/indicators/{one}?lang=it")).text) for one in ("1.1", "3.6")]
    assert ["Prima (" in page for page in pages] == [True, False]
    questions = re.findall(r"<tr>.*?</tr>", pages[1].partition("questions")[2], re.S)
    hollow = {("Davvero" in row or "al sicuro" in row): 'class="before"' in row for row in questions if "item/" in row}
    assert hollow == {True: False, False: True}
