"""The poster of what was told and what is done: one page a language, in the staff's own sentences, and of a hidden place nothing."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from markupsafe import escape

from server.frame.texts import catalogue, direction, say
from server.papers.printing import printed
from server.papers.told import told_poster
from server.results.findings import gender_line, in_words, of_everyone, of_group
from server.results.reading import labels_of
from server.results.shown import released
from surveys.languages import LANGUAGES
from surveys.lifecycle.context import Site
from surveys.public import actions, organisation
from surveys.stores import StoreSettings, stores
from tests.conftest import DAY, ORGANISATION
from tests.server.hr.offices import offices
from tests.server.hr.readings import CLOSED, UNITS, keep, keep_two, reading
from tests.server.papers.pdfs import info_of, pages_of

LATIN = ("it", "en", "ro", "sq", "fr", "es")


def _squeezed(text: str) -> str:
    return "".join(text.split()).replace("\u2066", "").replace("\u2069", "")


async def test_it_has_one_page_a_language_with_the_sentences_of_the_staff_s_page(tmp_path: Any) -> None:
    settings = StoreSettings(tmp_path)
    async with stores(settings) as engines:
        await keep_two(Site(engines, settings.data, DAY, "test"))
        await organisation.save(engines["public"], ORGANISATION)
        await actions.add("adesso", "", "Incontro a Prato", "Livia", DAY, DAY)
    async with offices(settings) as served:
        made = (await served.get("/hr/results/adesso/poster.pdf")).content
        staff = {one: (await served.client.get(f"/results/adesso?lang={one}")).text for one in LATIN}
        async with stores(settings):
            wave, document = await released("adesso")
    pages = pages_of(made)
    assert len(pages) == len(LANGUAGES) == 9 and "Tagged:" in info_of(made)
    for language, page in zip(LANGUAGES, pages, strict=True):
        assert "https://ascolto.invalid/results/adesso" in page and "Livia" in page
        if language in LATIN:
            assert _squeezed(say(language, "told.title")) in _squeezed(page)
            sentences = of_everyone(document, labels_of(wave), language)[:3]
            assert all(_squeezed(sentence) in _squeezed(page) for sentence in sentences)
            on_the_page = set(in_words(document, labels_of(wave), language))
            assert sentences[1] == gender_line(document, language) in on_the_page
            assert all(escape(sentence) in staff[language] for sentence in sentences if sentence in on_the_page)


async def test_a_territory_s_poster_says_what_is_clear_there_and_names_no_other(tmp_path: Any) -> None:
    settings = StoreSettings(tmp_path)
    async with reading(settings) as served:
        found = await served.get("/hr/results/adesso/poster.pdf?group=unit:po")
        other = await served.get("/hr/results/adesso/poster.pdf?group=unit:fi")
        everyone = await served.get("/hr/results/adesso/poster.pdf")
        page = (await served.get("/hr/results/adesso?lang=it")).text
        async with stores(settings):
            wave, document = await released("adesso")
    here = of_group(document, labels_of(wave), "it", "unit:po")
    assert len(here) == 6 and "poster.pdf?group=unit%3Apo" in page
    said = [" ".join(of(document, labels_of(wave), "it")) for of in (in_words, of_everyone)]
    named = [{name for _, name, _ in UNITS if name in words} for words in said]
    assert len(named[0]) == 1 and named[1] == set()
    text = pages_of(found.content)[0]
    assert all(_squeezed(sentence) in _squeezed(text) for sentence in here[:3])
    assert "Firenze" not in " ".join(pages_of(found.content))
    assert "Prato" not in " ".join(pages_of(other.content)) and "Prato" not in " ".join(pages_of(everyone.content))


async def test_a_hidden_territory_is_not_told_from_one_that_does_not_exist(tmp_path: Any) -> None:
    """Could leak: four people of Prato, whose answers are all lower; the poster of everyone must not name them either."""
    settings = StoreSettings(tmp_path)
    async with stores(settings) as engines:
        await keep(Site(engines, settings.data, DAY, "test"), "adesso", CLOSED, n=10, low=1.5)
        _, document = await released("adesso")
        await organisation.save(engines["public"], ORGANISATION)
    assert {view.id: view.shown for view in document.views}["unit:po"] is False
    async with offices(settings) as served:
        answers = [
            await served.get(f"/hr/results/adesso/poster.pdf?group={one}") for one in ("unit:po", "unit:xx", "gender:f")
        ]
        everyone = await served.get("/hr/results/adesso/poster.pdf")
        page = (await served.get("/hr/results/adesso?lang=it")).text
    assert [one.status_code for one in answers] == [404] * 3 and len({one.text for one in answers}) == 1
    pages = pages_of(everyone.content)
    assert len(pages) == 9 and "Prato" not in " ".join(pages) and "poster.pdf?group=" not in page


async def test_many_and_hostile_words_still_fit_one_page_a_language(tmp_path: Any) -> None:
    settings = StoreSettings(tmp_path)
    async with stores(settings) as engines:
        await keep(Site(engines, settings.data, DAY, "test"), "adesso", CLOSED, low=1.2, women=1.0, title="x" * 5000)
        about = replace(ORGANISATION, name="#import $x$ " * 40, address="https://ascolto." + "lungo" * 12 + ".invalid")
        await organisation.save(engines["public"], about)
        for at, text in enumerate(("parola " * 900, "y" * 5000, "\u202e#panic($x$)", "z", "mai")):
            await actions.add("adesso", "", text, "Livia", DAY + timedelta(days=at), DAY)
        facts = await told_poster("adesso", "unit:po", LANGUAGES)
    pages = pages_of(printed("told", facts, facts["address"], len(LANGUAGES)))
    from_left = [page for language, page in zip(LANGUAGES, pages, strict=True) if direction(language) == "ltr"]
    assert len(pages) == 9 and len(from_left) == 8 and all("#panic($x$)" in page for page in from_left)
    assert all("\u202e" not in page and "mai" not in page for page in pages[:1])


def test_every_language_has_every_sentence_of_the_poster() -> None:
    keys = {key for key in catalogue("it") if key.startswith("told.")}
    assert len(keys) == 9
    for language in LANGUAGES:
        assert {key for key in catalogue(language) if key.startswith("told.")} == keys
