"""What an attacker and a first-time user found: each test fails on the version that it was written for."""

import re
from datetime import timedelta
from typing import Any

import pytest

from server.frame.display import day
from server.hr import register_files, uploads
from server.hr.actions import calendar_entry
from surveys import certification
from surveys.lifecycle import reviews
from surveys.lifecycle.context import Site, today
from surveys.public import actions, evidence, promises, register, scorecards, waves
from surveys.public.evidence_state import EvidenceState
from surveys.public.register_entry import Entry
from surveys.public.scorecards import ScorecardInvalid
from surveys.public.tables import Evidence, EvidenceDocument, KeptScorecard
from surveys.public.waves import State, WaveRecord
from surveys.scorecards import keep
from surveys.stores import StoreSettings
from tests.conftest import DAY
from tests.server.hr.offices import offices
from tests.server.hr.readings import reading
from tests.server.papers.pdfs import pages_of

NOW = today()
SAID = {"text": "Corso", "owner": "Anna", "due": str(NOW + timedelta(days=60))}


async def test_an_action_about_no_wave_leaves_the_page_of_actions_open(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        await here.post("/hr/actions", **SAID, wave="nonesuch")
        assert (await here.get("/hr/actions")).status_code == 200


async def test_what_is_said_to_be_done_is_an_action_that_is_there(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        answered = await here.post("/hr/actions/nonesuch/done")
        assert "action_finished" not in answered.headers.get("location", "")


@pytest.mark.parametrize("due", ["0001-01-01", "9999-12-31"])
async def test_the_reminder_of_a_far_day_is_a_calendar_file(sqlite_settings: StoreSettings, due: str) -> None:
    async with offices(sqlite_settings) as here:
        await here.post("/hr/actions", **SAID | {"due": due})
        for one in await actions.everything():
            entry = calendar_entry(one, "Corso")
            assert re.search(r"DTSTART;VALUE=DATE:\d{8}\r\n", entry) and re.search(r"DTEND;VALUE=DATE:\d{8}\r\n", entry)


async def test_a_line_taken_away_while_a_file_is_read_breaks_no_page(
    sqlite_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with offices(sqlite_settings) as here:
        public = here.engines["public"]
        entry = Entry("observation", "Riga", owner="Anna", due=NOW)
        number = await register.add(public, entry, "direzione", NOW)
        file = (await here.get("/hr/register/file/csv")).content.replace(b"Riga", b"Riga bis")
        read = uploads.read_sent

        async def slowly(*given: Any, **more: Any) -> Any:
            found = await read(*given, **more)
            mark = (await register.everything())[number].mark
            await register.remove(public, number, mark, "risorse", NOW)
            return found

        monkeypatch.setattr(register_files, "read_sent", slowly)
        answered = await here.post("/hr/register/import", files={"file": ("r.csv", file)})
        assert answered.status_code < 500


async def _reviewed(site: Site) -> None:
    public = site.engines["public"]
    await evidence.add_document(
        public, "1.1", "Piano", DAY, DAY, who="anna", file_name="p.pdf", content=b"what berta has read"
    )
    await evidence.set_state(public, EvidenceState("1.1", "met", set_by="anna", set_on=DAY))
    await evidence.review(public, "1.1", "berta", (await evidence.of("1.1")).mark, DAY)
    assert (await certification.scores(DAY)).earned > 0


async def test_a_review_of_a_file_that_was_changed_counts_no_more(sqlite_site: Site) -> None:
    """Could mislead: points for a document that is not the one that was reviewed, and that the page no longer gives."""
    await _reviewed(sqlite_site)
    await EvidenceDocument.update({EvidenceDocument.content: b"another policy"}, force=True)
    assert await reviews.look_at_files(sqlite_site) == ("1.1",)
    assert (await certification.scores(DAY)).earned == 0


async def test_a_review_whose_mark_was_wiped_counts_no_more(sqlite_site: Site) -> None:
    """Could mislead: whoever changes finding and documents in the store only has to empty one more column."""
    await _reviewed(sqlite_site)
    await EvidenceDocument.update({EvidenceDocument.title: "Un altro"}, force=True)
    await Evidence.update({Evidence.reviewed_mark: ""}, force=True)
    assert (await certification.scores(DAY)).earned == 0


async def test_a_review_that_no_log_knows_counts_nothing(sqlite_site: Site) -> None:
    """Could mislead: evidence, its second person and its points written into the store by one hand."""
    await EvidenceDocument.insert(
        EvidenceDocument(id="f", indicator="1.4", title="Finto", day=DAY, link="https://x", file_name="", sha256="")
    )
    await Evidence.insert(
        Evidence(indicator="1.4", state="met", set_by="anna", set_on=DAY, reviewed_by="berta", reviewed_on=DAY)
    )
    assert (await certification.scores(DAY)).earned == 0


async def _two_kept(site: Site) -> None:
    await keep(site)
    await _reviewed(site)
    await keep(site)


async def test_two_scorecards_of_one_year_cannot_change_places(sqlite_site: Site) -> None:
    """Could mislead: the one that reaches the threshold put in the place of the last one, which does not."""
    await _two_kept(sqlite_site)
    for before, after in ((f"{DAY.year}-1", "x"), (f"{DAY.year}-2", f"{DAY.year}-1"), ("x", f"{DAY.year}-2")):
        await KeptScorecard.update({KeptScorecard.id: after}).where(KeptScorecard.id == before)
    with pytest.raises(ScorecardInvalid):
        await scorecards.read(f"{DAY.year}-1")


async def test_after_one_was_taken_away_a_scorecard_can_still_be_kept(sqlite_site: Site) -> None:
    await _two_kept(sqlite_site)
    await KeptScorecard.delete().where(KeptScorecard.id == f"{DAY.year}-1")
    await keep(sqlite_site)


async def test_a_scorecard_under_an_odd_name_breaks_no_page(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        await here.post("/hr/scorecard")
        await KeptScorecard.update({KeptScorecard.id: f"{NOW.year}-x"}, force=True)
        assert (await here.get("/hr/scorecard")).status_code == 200
        assert (await here.get("/hr/indicators/1.1")).status_code == 200


async def test_a_changed_scorecard_is_not_given_as_signed(sqlite_settings: StoreSettings) -> None:
    async with offices(sqlite_settings) as here:
        await here.post("/hr/scorecard")
        row = await KeptScorecard.select().first()
        assert row
        await KeptScorecard.update(
            {KeptScorecard.text: row["text"].replace('"earned":"0"', '"earned":"99"')}, force=True
        )
        assert (await here.get(f"/hr/scorecard/{row['id']}/signed.json")).status_code != 200


async def test_a_word_said_in_time_does_not_carry_the_answer_of_months_later(sqlite_site: Site) -> None:
    """Could mislead: "." on the last day, the answer half a year on, and the page says "as promised"."""
    public = sqlite_site.engines["public"]
    await waves.add(public, WaveRecord("w", {"it": "w"}, State.PLANNED, starts=DAY, ends=DAY))
    due = DAY + timedelta(days=30)
    await promises.sign(public, "w", due, "Rosa", DAY)
    await waves.change(public, "w", State.PLANNED, state=State.RELEASED)
    late = due + timedelta(days=180)
    try:
        await promises.answer(public, "w", {"it": "."}, "Rosa", due, promises.UNANSWERED)
    except promises.PromiseRefused:
        pass
    await promises.answer(public, "w", {"it": "Ecco che cosa facciamo."}, "Anna", late, promises.UNANSWERED)
    found = await promises.of("w")
    assert found is not None and (found.answered_on == late or hasattr(found, "changed_on"))


@pytest.mark.parametrize("state", [State.TOO_FEW, State.CANCELLED])
async def test_a_missed_promise_of_a_wave_that_came_to_nothing_stands_on_the_front_page(
    sqlite_settings: StoreSettings, state: State
) -> None:
    async with offices(sqlite_settings) as here:
        public = here.engines["public"]
        past = NOW - timedelta(days=90)
        await waves.add(public, WaveRecord("w", {"it": "Indagine"}, State.PLANNED, starts=past, ends=past, opened=past))
        await promises.sign(public, "w", past + timedelta(days=10), "Rosa Inventata", past)
        await waves.change(public, "w", State.PLANNED, state=state)
        assert "Non ha ancora risposto" in (await here.client.get("/?lang=it")).text


async def test_evidence_that_earns_nothing_is_not_said_to_lose_points(sqlite_settings: StoreSettings) -> None:
    """Could mislead: a qualitative indicator that is met in part earns nothing, so when it ends nothing is lost."""
    async with offices(sqlite_settings) as here:
        public = here.engines["public"]
        await evidence.add_document(public, "1.5", "Corso", NOW, NOW, who="anna", link="https://example.org")
        await evidence.set_state(public, EvidenceState("1.5", "partly", set_by="anna", set_on=NOW))
        await evidence.review(public, "1.5", "berta", (await evidence.of("1.5")).mark, NOW)
        assert (await certification.scores(NOW)).earned == 0
        assert all(one.points == 0 for one in (await certification.ground(NOW)).expiries() if one.indicator.id == "1.5")


async def test_points_of_today_stand_beside_the_newest_survey_alone_and_the_board_reads_their_day(
    tmp_path: Any,
) -> None:
    """Could mislead: 2024's survey under a total that was reached two years later."""
    async with reading(StoreSettings(tmp_path)) as here:
        pages = [(await here.client.get(f"/results/{wave}?lang=it")).text for wave in ("adesso", "prima")]
        assert ["di 100 punti" in page for page in pages] == [True, False]
        paper = (await here.get("/hr/results/prima/report.pdf?lang=it")).content
    assert f"I punti sono quelli del {day(NOW, 'it')}" in " ".join(" ".join(pages_of(paper)).split())


@pytest.mark.parametrize(("days", "late"), [(0, False), (-1, True)])
async def test_staff_read_that_an_action_is_late_as_hr_does(tmp_path: Any, days: int, late: bool) -> None:
    """Could mislead: "by 20 November", still read in December as if it were to come."""
    async with reading(StoreSettings(tmp_path)) as here:
        await here.post("/hr/actions", **SAID | {"due": str(NOW + timedelta(days=days))}, wave="adesso")
        for page in (
            (await here.client.get("/results/adesso?lang=it")).text,
            (await here.get("/hr/results/adesso?lang=it")).text,
        ):
            assert ("in ritardo" in page) is late


@pytest.mark.parametrize(
    "change",
    [{Evidence.state: "bogus"}, {Evidence.state: ""}, {EvidenceDocument.title: ""}, {EvidenceDocument.title: " "}],
)
async def test_an_odd_cell_of_evidence_takes_no_page_down_and_earns_nothing(tmp_path: Any, change: Any) -> None:
    async with reading(StoreSettings(tmp_path)) as here:
        site = Site(here.engines, tmp_path, DAY, "test")
        await _reviewed(site)
        await (Evidence if Evidence.state in change else EvidenceDocument).update(change, force=True)
        assert (await certification.scores(DAY)).earned == 0
        for path in ("/results/adesso", "/hr", "/hr/scorecard", "/hr/indicators", "/hr/indicators/1.1"):
            assert (await here.get(path)).status_code == 200, path


async def test_the_poster_of_the_channel_is_there_before_the_organisation_is_written_down(
    sqlite_settings: StoreSettings,
) -> None:
    """Done from outside: on a new installation its link, which the page shows, was a fault of the server."""
    async with offices(sqlite_settings) as desk:
        assert "/hr/channel/papers/poster" in (await desk.get("/hr/channel")).text
        made = await desk.get("/hr/channel/papers/poster")
        assert (made.status_code, made.content[:5]) == (200, b"%PDF-")
