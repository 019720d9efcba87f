"""All surveys beside each other: a line only between what may be compared, a gap with its reason, and nothing of who is not shown."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from server.results.lines import BOTTOM, HIGH, LOW, TOP, line_of, y_of
from server.results.story import stories_of_everyone
from surveys.lifecycle.context import Site
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY
from tests.server.hr.offices import offices
from tests.server.hr.readings import CLOSED, TINY, keep


@pytest.mark.parametrize(
    ("value", "y"), [(LOW, BOTTOM), (HIGH, TOP), (50, (TOP + BOTTOM) / 2), (0, BOTTOM), (100, TOP), (30, 79.0)]
)
def test_values_lie_on_the_axis_and_beyond_it_at_its_ends(value: float, y: float) -> None:
    assert y_of(value) == y


async def _three(settings: StoreSettings) -> None:
    """Of three waves the second asked SAF1 in other words; a pulse and one of a territory stand between them."""
    async with stores(settings) as engines:
        site = Site(engines, settings.data, DAY, "test")
        await keep(site, "prima", CLOSED - timedelta(days=800))
        await keep(site, "lampo", CLOSED - timedelta(days=500), kind="pulse")
        await keep(site, "mezzo", CLOSED - timedelta(days=400), other="SAF1")
        await keep(site, "adesso", CLOSED, low=1.2, other="SAF1")


async def test_a_line_is_drawn_between_waves_that_asked_the_same_and_broken_where_they_did_not(tmp_path: Any) -> None:
    settings = StoreSettings(tmp_path)
    await _three(settings)
    async with stores(settings):
        stories = await stories_of_everyone("it")
        assert [story.wave.id for story in stories] == ["prima", "mezzo", "adesso"]
        culture = line_of(stories, "areas", "all", "1", name="Cultura", address="", width=268)
        safety = line_of(stories, "scales", "all", "SAF", name="Sicurezza", address="", width=268)
        prato = line_of(stories, "areas", "unit:po", "1", name="Prato", address="", width=176)
        hidden = line_of(stories, "areas", f"unit:{TINY}", "1", name="Nido", address="", width=176)
    assert (len(culture.stretches), len(culture.bands), culture.gaps, culture.reasons) == (2, 2, (), ())
    assert (len(safety.stretches), len(safety.bands), len(safety.gaps)) == (1, 1, 1)
    assert safety.reasons == (f"{stories[1].document.wave.closed[:4]}: le domande sono cambiate, la linea ricomincia",)  # type: ignore[index]  # a released wave was closed
    assert prato.bands == () and prato.look == "down" and prato.verdict.startswith("▼ −")
    assert [point.value for point in hidden.points] == ["", "", ""] and hidden.stretches == ()
    figures = [story.document.everyone.areas["1"] for story in stories]
    assert [point.value for point in culture.points] == [f"{figure.index:g}" for figure in figures]
    assert culture.stretches[1][3] == y_of(float(figures[2].index))


async def test_the_page_shows_every_area_every_theme_that_holds_and_the_territories_that_show_it(tmp_path: Any) -> None:
    settings = StoreSettings(tmp_path)
    await _three(settings)
    async with offices(settings) as served:
        page = unescape((await served.get("/hr/trend?lang=it&theme=scales/SAF")).text)
        other = unescape((await served.get("/hr/trend?lang=it&theme=%3Cscript%3E")).text)
    names = re.findall(r'<h3><a href="[^"]+">([^<]+)</a>', page)
    assert len(names) == len(set(names)) and {"Prato", "Firenze", "Rispetto e sicurezza"} <= set(names)
    assert "Ascolto e voce" not in names and "Nido" not in page and "lampo" not in page
    assert "3 indagini" in page and "Rispetto e sicurezza, nei territori" in page
    assert "Cultura e strategia, nei territori" in other and "<script>" not in other


async def test_before_the_first_wave_the_page_says_when_it_begins_and_only_hr_reads_it(tmp_path: Any) -> None:
    async with offices(StoreSettings(tmp_path)) as served:
        page = await served.get("/hr/trend?lang=it")
        assert page.status_code == 200 and "comincia con la prima indagine" in page.text and "<svg" not in page.text
        assert [(await served.get("/hr/trend", who)).status_code for who in ("verifica", "rappresentante")] == [403] * 2
