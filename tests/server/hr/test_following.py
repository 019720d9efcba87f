"""What follows a survey, as the pages post it: actions, the promise and its answer, scorecards that are kept."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from server.frame.texts import say
from server.hr.actions import calendar_entry
from surveys import scorecards
from surveys.lifecycle.context import Site, today
from surveys.public import actions, evidence, promises, waves
from surveys.public.actions import ActionRecord
from surveys.public.evidence_state import EvidenceState
from surveys.public.tables import Promise
from surveys.public.waves import State, WaveRecord
from surveys.stores import StoreSettings
from tests.conftest import DAY
from tests.server.hr.offices import Offices, offices
from tests.server.hr.readings import reading
from tests.server.hr.test_promises import seen

SAID = {"text": "Turni due settimane prima", "owner": "Anna", "due": "2027-01-15"}
HOSTILE = "<script>x</script> \u202egnicilop {{ page }}"


@asynccontextmanager
async def served(settings: StoreSettings) -> AsyncIterator[Offices]:
    async with offices(settings) as signed_in:
        yield signed_in


async def _only() -> ActionRecord:
    (found,) = await actions.everything()
    return found


async def test_an_action_is_written_said_anew_done_opened_again_and_taken_away(sqlite_settings: StoreSettings) -> None:
    async with served(sqlite_settings) as desk:
        assert (await desk.post("/hr/actions", **SAID)).headers["location"] == "/hr/actions?done=action_added"
        first = await _only()
        assert (first.text, first.owner, first.due.isoformat(), first.done) == (*SAID.values(), False)
        again = SAID | {"owner": "Berta", "due": "2027-02-15", "seen": first.mark}
        assert (await desk.post(f"/hr/actions/{first.id}", **again)).status_code == 303
        changed = await _only()
        assert (changed.owner, changed.due.isoformat(), changed.set_on) == ("Berta", "2027-02-15", first.set_on)
        for step, is_done in (("done", True), ("done", True), ("open", False)):
            assert (await desk.post(f"/hr/actions/{first.id}/{step}", seen=(await _only()).mark)).status_code == 303
            assert (await _only()).done is is_done
        assert (await desk.post(f"/hr/actions/{first.id}/remove", seen=(await _only()).mark)).status_code == 303
        assert await actions.everything() == []
        gone = await desk.post(f"/hr/actions/{first.id}", **again)
        assert gone.status_code == 422 and "non c'è più" in unescape(gone.text)


async def test_a_form_that_is_sent_twice_in_one_moment_writes_one_action(sqlite_settings: StoreSettings) -> None:
    """Done from outside: two taps on "Add", and staff read the same action twice."""
    async with served(sqlite_settings) as desk:
        answered = await asyncio.gather(*(desk.post("/hr/actions", **SAID) for _ in range(4)))
        assert {answer.headers.get("location") for answer in answered} == {"/hr/actions?done=action_added"}
        assert [(one.text, one.owner, one.due.isoformat()) for one in await actions.everything()] == [(*SAID.values(),)]


async def test_what_somebody_else_changed_meanwhile_is_neither_overwritten_nor_taken_away(
    sqlite_settings: StoreSettings,
) -> None:
    async with served(sqlite_settings) as desk:
        await desk.post("/hr/actions", **SAID)
        seen = await _only()
        await desk.post(f"/hr/actions/{seen.id}", **SAID | {"text": "Di Berta", "seen": seen.mark})
        for path, data in (
            (f"/hr/actions/{seen.id}", SAID | {"text": "Di Anna"}),
            (f"/hr/actions/{seen.id}/remove", {}),
        ):
            answered = await desk.post(path, "risorse", **data, seen=seen.mark)
            assert answered.status_code == 422 and "qualcuno ha cambiato" in answered.text
        assert (await _only()).text == "Di Berta"


async def test_what_somebody_else_changed_meanwhile_is_not_marked_as_done_or_opened_again(
    sqlite_settings: StoreSettings,
) -> None:
    """Could mislead: Berta says another action in its place, and Anna, who saw the one before, marks hers as done."""
    async with served(sqlite_settings) as desk:
        await desk.post("/hr/actions", **SAID)
        seen = await _only()
        await desk.post(f"/hr/actions/{seen.id}", **SAID | {"text": "Di Berta", "seen": seen.mark})
        for mark in (seen.mark, ""):
            answered = await desk.post(f"/hr/actions/{seen.id}/done", "risorse", seen=mark)
            assert answered.status_code == 422 and say("it", "actions.refused.changed") in unescape(answered.text)
            assert not (await _only()).done
        now = await _only()
        assert (await desk.post(f"/hr/actions/{seen.id}/done", seen=now.mark)).status_code == 303
        assert (await desk.post(f"/hr/actions/{seen.id}/done", "risorse", seen=now.mark)).status_code == 303  # both did
        done = await _only()
        await desk.post(f"/hr/actions/{seen.id}", **SAID | {"text": "Di nuovo Berta", "seen": done.mark})
        assert (await desk.post(f"/hr/actions/{seen.id}/open", "risorse", seen=done.mark)).status_code == 422
        assert (await _only()).done


@pytest.mark.parametrize("lack", ["text", "owner", "due"])
async def test_an_action_that_lacks_something_stays_as_it_was(sqlite_settings: StoreSettings, lack: str) -> None:
    async with served(sqlite_settings) as desk:
        await desk.post("/hr/actions", **SAID)
        before = await _only()
        answered = await desk.post(f"/hr/actions/{before.id}", **SAID | {lack: " ", "seen": before.mark})
        assert answered.status_code == 422 and "rimasta come era" in answered.text and await _only() == before
        answered = await desk.post("/hr/actions", **SAID | {lack: ""})
        assert answered.status_code == 422 and await _only() == before


async def test_words_of_an_action_are_words_on_every_page(sqlite_settings: StoreSettings) -> None:
    """Could harm: a script in a title, or letters that turn the line round."""
    async with served(sqlite_settings) as desk:
        await desk.post("/hr/actions", **SAID | {"text": HOSTILE, "indicator": "1.1"})
        for path in ("/hr/actions", "/hr/indicators/1.1", "/audit/indicators/1.1"):
            page = (await desk.get(path)).text
            assert "<script>x" not in page and "\u202e" not in page and "&lt;script&gt;x" in page, path


def test_a_reminder_is_a_calendar_entry_whose_lines_are_short_and_whose_words_are_whole() -> None:
    """RFC 5545, 3.1: no line is longer than 75 octets; 3.3.11: comma, semicolon and backslash are escaped."""
    words = "Turni, due; settimane \\ prima\n" + "città è già più " * 20
    record = ActionRecord("ab", "", "", words, "Anna", DAY, False, None, DAY)
    entry = calendar_entry(record, words)
    assert all(len(line.encode()) <= 75 for line in entry.split("\r\n"))
    assert "\n" not in entry.replace("\r\n", "")
    unfolded = entry.replace("\r\n ", "")
    said = re.search(r"SUMMARY:(.*?)\r\n", unfolded)
    assert said is not None
    assert said[1].replace("\\n", "\n").replace("\\,", ",").replace("\\;", ";").replace("\\\\", "\\") == words
    assert f"DTSTART;VALUE=DATE:{DAY:%Y%m%d}" in entry and "TRIGGER:-P7D" in entry


async def test_an_action_of_an_earlier_survey_says_what_the_next_one_found(tmp_path: Any) -> None:
    """Prato fell by 1.2 on a scale of five: an area there fell, and the page says no more than trends do."""
    async with reading(StoreSettings(tmp_path)) as desk:
        for unit, area in (("unit:po", "1"), ("", "5"), ("unit:po", "")):
            await desk.post("/hr/actions", **SAID | {"wave": "prima", "area": area, "unit": unit})
        await desk.post("/hr/actions", **SAID | {"wave": "adesso", "area": "1"})
        await desk.post("/hr/actions", **SAID | {"wave": "prima", "area": "x", "unit": "unit:fi.a"})
        page = unescape((await desk.get("/hr/actions?lang=it")).text)
    assert "Prato · Cultura e strategia" in page and re.search(r"prima \d+, dopo \d+(,5)?: scesa", page)
    assert "aree salite: 0, scese:" in page and "si vedrà alla prossima indagine" in page
    assert "Nido" not in page  # a service of three people, whatever a form names


async def test_the_groups_page_takes_an_action_and_shows_it_there_and_to_staff(tmp_path: Any) -> None:
    async with reading(StoreSettings(tmp_path)) as desk:
        here = "/hr/results/adesso/group/unit:po"
        form = (await desk.get(f"{here}?lang=it")).text
        assert 'name="unit" value="unit:po"' in form and f'name="back" value="{here}"' in form
        answered = await desk.post("/hr/actions", wave="adesso", unit="unit:po", back=here, **SAID)
        assert answered.headers["location"] == f"{here}?done=action_added"
        assert SAID["text"] in (await desk.get(here)).text
        assert SAID["text"] not in (await desk.get("/hr/results/adesso/group/unit:fi")).text
        assert SAID["text"] in (await desk.client.get("/results/adesso")).text


async def _wave(desk: Offices, state: State, **more: Any) -> None:
    ends = today() + timedelta(days=10)
    record = WaveRecord("w", {"it": "Onda"}, state, starts=today(), ends=ends, rules={"k": {}}, **more)
    await waves.add(desk.engines["public"], record)


async def test_a_promise_is_signed_on_the_waves_page_and_refused_in_words(sqlite_settings: StoreSettings) -> None:
    async with served(sqlite_settings) as desk:
        await _wave(desk, State.PLANNED)
        form = (await desk.get("/hr/waves/w")).text
        assert 'action="/hr/waves/w/promise' in form
        due = (today() + timedelta(days=40)).isoformat()
        for data, said in (
            ({"due": due, "by": ""}, "chi firma"),
            ({"due": "domani", "by": "Rosa"}, "non si legge"),
            ({"due": today().isoformat(), "by": "Rosa"}, "dopo la fine"),
            ({"due": "2099-01-01", "by": "Rosa"}, "troppo lontano"),
        ):
            refused = await desk.post("/hr/waves/w/promise", **data)
            assert refused.status_code == 422 and said in unescape(refused.text), data
            assert await promises.of("w") is None
        assert (await desk.post("/hr/waves/w/promise", due=due, by="Rosa, presidente")).status_code == 303
        await waves.change(desk.engines["public"], "w", State.PLANNED, state=State.ENDED)
        page = unescape((await desk.get("/hr/waves/w")).text)
        assert "Lo ha promesso Rosa, presidente." in page and 'action="/hr/waves/w/promise' not in page


@pytest.mark.parametrize(("days", "said"), [(0, "La direzione risponde entro il"), (-1, "Non ha ancora risposto.")])
async def test_a_promise_that_was_missed_says_so_by_itself_on_every_page_of_staff(
    tmp_path: Any, days: int, said: str
) -> None:
    async with reading(StoreSettings(tmp_path)) as desk:
        await Promise.insert(
            Promise(
                wave="adesso",
                due=today() + timedelta(days=days),
                signed_by="Rosa",
                signed_on=DAY,
                answer="{}",
            )
        )
        for path in ("/?lang=it", "/results/adesso?lang=it"):
            assert said in unescape((await desk.client.get(path)).text), path
        assert ("mancata" in (await desk.get("/hr?lang=it")).text) is (days < 0)


async def test_the_answer_is_read_by_staff_in_their_language_and_kept_when_it_is_refused(tmp_path: Any) -> None:
    async with reading(StoreSettings(tmp_path)) as desk:
        refused = await desk.post("/hr/results/adesso/answer", answer_en="Thank you, one and all", by="Rosa")
        assert refused.status_code == 422 and "Thank you, one and all" in refused.text
        assert await promises.of("adesso") is None
        said = {"answer_it": f"Grazie. {HOSTILE}", "answer_ro": "Mulțumim.", "by": "Rosa"}
        said["seen"] = await seen(desk, "/hr/results/adesso")
        assert (await desk.post("/hr/results/adesso/answer", **said)).status_code == 303
        italian, romanian, french = [
            (await desk.client.get(f"/results/adesso?lang={language}")).text for language in ("it", "ro", "fr")
        ]
        assert "Mulțumim." in romanian and "Grazie." in french  # where there is none, the first language
        assert "&lt;script&gt;x" in italian and "<script>x" not in italian and "\u202e" not in italian


async def test_the_scorecard_is_kept_by_hr_and_printed_again_for_both(sqlite_settings: StoreSettings) -> None:
    async with served(sqlite_settings) as desk:
        assert (await desk.post("/hr/scorecard")).headers["location"] == "/hr/scorecard?done=scorecard_kept"
        name = f"{today().year}-1"
        for base, who in (("/hr/scorecard", "direzione"), ("/audit/scorecard", "verifica")):
            assert f"{base}/{name}" in (await desk.get(base, who)).text
            assert f"Punteggi {today().year}" in (await desk.get(f"{base}/{name}?lang=it", who)).text
            signed = await desk.get(f"{base}/{name}/signed.json", who)
            assert signed.json()["scorecard"]["year"] == today().year and len(signed.json()["signature"]) == 88
            assert (await desk.get(f"{base}/1999-1", who)).status_code == 404
        assert "Conserva i punteggi" not in (await desk.get("/audit/scorecard?lang=it", "verifica")).text


async def test_what_if_is_answered_on_the_page_and_unknown_indicators_are_not(sqlite_settings: StoreSettings) -> None:
    async with served(sqlite_settings) as desk:
        page = (await desk.get("/hr/scorecard?lang=it&met=1.6&met=5.1&met=9.9&met=%3Cb%3E")).text
        assert "Con 1.6, 5.1 soddisfatti i punti sarebbero 11 (ora 0)" in page and "9.9" not in page


REFUSED = (
    ("post", "/hr/actions"),
    ("post", "/hr/actions/x"),
    ("post", "/hr/actions/x/remove"),
    ("post", "/hr/actions/x/done"),
    ("post", "/hr/scorecard"),
    ("post", "/hr/waves/w/promise"),
    ("post", "/hr/results/w/answer"),
    ("get", "/hr/actions"),
    ("get", "/hr/actions/x/reminder.ics"),
    ("get", "/hr/scorecard/2026-1/signed.json"),
)


@pytest.mark.parametrize("who", ["verifica", "rappresentante"])
@pytest.mark.parametrize(("method", "path"), REFUSED)
async def test_nobody_but_hr_writes_what_follows(
    sqlite_settings: StoreSettings, who: str, method: str, path: str
) -> None:
    async with served(sqlite_settings) as desk:
        answered = await (desk.post(path, who, **SAID) if method == "post" else desk.get(path, who))
        assert answered.status_code == 403 and await actions.everything() == []


async def test_the_scorecard_stands_beside_the_years_before_it_and_says_what_each_area_brought(
    sqlite_settings: StoreSettings,
) -> None:
    """20 of 100 points of an area that weighs 15 % are 3 of the total; what is only supposed is marked as such."""
    async with served(sqlite_settings) as desk:
        public, last = desk.engines["public"], today().replace(year=today().year - 1, day=1)
        await scorecards.keep(Site(desk.engines, sqlite_settings.data, last, "direzione"))
        await evidence.add_document(public, "1.1", "Piano", last, today(), who="anna", link="https://example.org")
        await evidence.set_state(public, EvidenceState("1.1", "met", set_by="anna", set_on=today()))
        await evidence.review(public, "1.1", "berta", (await evidence.of("1.1")).mark, today())
        page = unescape((await desk.get("/hr/scorecard?lang=it&met=5.1")).text)
    totals = re.findall(
        r'<tr class="(\w*)">\s*<th scope="row">([^<]+)</th>\s*<td class="num"><span class="hero">([^<]+)', page
    )
    assert totals == [("", str(last.year), "0"), ("now", f"{today().year}, oggi", "3"), ("supposed", "E se…", "11")]
    first = re.search(r"1 Cultura e strategia</th>(.*?)</tr>", page, re.S)
    assert first is not None and re.findall(r"aria-label=\"([^\"]+)\"", first[1]) == [f"{last.year}: 0", "Oggi: 20"]
    assert f'data-label="sul totale, dal {last.year}">+3<' in first[1]


@pytest.mark.parametrize("state", [State.TOO_FEW, State.CANCELLED])
async def test_of_a_survey_that_came_to_nothing_the_answer_is_given_on_its_page_and_read_by_staff(
    sqlite_settings: StoreSettings, state: State
) -> None:
    """Could strand: a missed promise on the front page, and no page on which it could be answered."""
    async with served(sqlite_settings) as desk:
        await _wave(desk, State.PLANNED)
        await promises.sign(desk.engines["public"], "w", today() + timedelta(days=40), "Rosa", today())
        await waves.change(desk.engines["public"], "w", State.PLANNED, state=state)
        assert 'action="/hr/waves/w/answer' in (await desk.get("/hr/waves/w?lang=it")).text
        refused = await desk.post("/hr/waves/w/answer?lang=it", answer_it="Poche parole", by="Rosa")
        assert refused.status_code == 422 and "Poche parole" in refused.text
        said = "Troppo pochi hanno risposto: riproviamo in primavera."
        written = {"answer_it": said, "by": "Rosa", "seen": await seen(desk, "/hr/waves/w")}
        assert (await desk.post("/hr/waves/w/answer", **written)).status_code == 303
        assert "La direzione ha risposto" in (await desk.client.get("/?lang=it")).text
        assert said in (await desk.get("/hr/waves/w?lang=it")).text
        assert (await desk.post("/hr/waves/w/answer", "verifica", answer_it=said, by="Rosa")).status_code == 403
