"""The register of the audit: numbered lines that nobody writes over unseen, a log of every act, files taken in whole or not at all."""

import asyncio
from dataclasses import asdict, replace
from datetime import date, timedelta

import pytest

from analysis.pdr125.catalogue import load_catalogue
from surveys.lifecycle.context import Site
from surveys.public import register, register_log
from surveys.public.evidence import EvidenceRefused
from surveys.public.register import Record, RegisterRefused
from surveys.public.register_entry import KINDS, MOST, Entry, Fault, entry_of, faults
from surveys.public.register_intake import plan, take_in
from surveys.public.tables import RegisterDocument, RegisterEntry
from tests.conftest import DAY

SOON = DAY + timedelta(days=30)
FOUND = Entry("non_conformity", "Fogli firma mancanti", "6.3.2", "1.5", "Due sedi su sei", "Ufficio formazione", SOON)
HELD = Entry(
    "internal_audit",
    "Audit interno",
    "6.4.4",
    owner="Comitato",
    due=DAY,
    closed_on=DAY,
    outcome="Due rilievi",
    team="A, B",
)


async def written(site: Site, *entries: Entry) -> list[Record]:
    public = site.engines["public"]
    numbers = [await register.add(public, entry, "anna", DAY) for entry in entries]
    records = await register.everything()
    return [records[number] for number in numbers]


async def acts(number: int) -> list[tuple[int, str, str]]:
    return [(one.number, one.act, one.who) for one in reversed(await register_log.history(number))]


async def test_a_line_is_kept_as_it_was_said_under_a_number_that_is_given_once(site: Site) -> None:
    first, second = await written(site, FOUND, HELD)
    assert (first.number, first.entry, first.set_on, first.changed_on) == (1, FOUND, DAY, None)
    assert (second.number, second.entry) == (2, HELD)
    await register.remove(site.engines["public"], 2, second.mark, "berta", DAY)
    assert [one.number for one in await written(site, FOUND)] == [3]  # not 2 again: the log knows what 2 was
    assert list(await register.everything()) == [1, 3]


async def test_whoever_changes_a_line_changes_what_she_saw_and_nothing_newer(site: Site) -> None:
    (seen,) = await written(site, FOUND)
    public = site.engines["public"]
    theirs, mine = replace(FOUND, owner="Direzione"), replace(FOUND, title="Un altro rilievo")
    await register.change(public, 1, seen.mark, theirs, "berta", SOON)
    for act in (
        register.change(public, 1, seen.mark, mine, "carla", SOON),
        register.remove(public, 1, seen.mark, "carla", SOON),
    ):
        with pytest.raises(RegisterRefused, match="changed"):
            await act
    kept = (await register.everything())[1]
    assert (kept.entry, kept.changed_on) == (theirs, SOON)
    assert await acts(1) == [(1, "added", "anna"), (2, "changed", "berta")]


async def test_of_twenty_who_change_the_same_line_at_once_one_does(site: Site) -> None:
    (seen,) = await written(site, FOUND)
    wanted = [replace(FOUND, owner=f"Persona {n}") for n in range(20)]
    tried = await asyncio.gather(
        *(register.change(site.engines["public"], 1, seen.mark, one, one.owner, DAY) for one in wanted),
        return_exceptions=True,
    )
    assert sorted(str(one) for one in tried) == ["None", *["changed"] * 19]
    assert (await register.everything())[1].entry == wanted[tried.index(None)]
    assert len(await register_log.history(1)) == 2


async def test_twenty_lines_written_at_once_have_twenty_numbers(site: Site) -> None:
    numbers = await asyncio.gather(
        *(register.add(site.engines["public"], FOUND, f"persona {n}", DAY) for n in range(20))
    )
    assert sorted(numbers) == list(range(1, 21)) == sorted(await register.everything())


async def test_every_act_is_in_the_log_with_what_stood_after_it(site: Site) -> None:
    (seen,) = await written(site, FOUND)
    public = site.engines["public"]
    over = replace(FOUND, closed_on=DAY, outcome="Fogli raccolti")
    await register.change(public, 1, seen.mark, over, "berta", DAY)
    await register.change(public, 1, (await register.everything())[1].mark, over, "berta", DAY)  # says nothing new
    again = replace(over, closed_on=None)
    await register.change(public, 1, (await register.everything())[1].mark, again, "carla", DAY)
    await register.add_document(public, 1, "Verbale", DAY, DAY, who="dora", file_name="v.pdf", content=b"%PDF")
    paper = (await register.everything())[1].documents[0]
    await register.remove_document(public, 1, paper.id, "dora", DAY)
    await register.remove_document(public, 1, paper.id, "dora", DAY)
    await register.remove(public, 1, (await register.everything())[1].mark, "elena", DAY)
    assert await acts(1) == [
        (1, "added", "anna"),
        (2, "closed", "berta"),
        (3, "reopened", "carla"),
        (4, "document_added", "dora"),
        (5, "document_removed", "dora"),
        (6, "removed", "elena"),
    ]
    log = list(reversed(await register_log.history(1)))
    assert [one.state["closed_on"] for one in log] == [None, str(DAY), None, None, None, None]
    assert [[one["sha256"] for one in act.state["documents"]] for act in log] == [[], [], [], [paper.sha256], [], []]
    assert [one.entry for one in (await register_log.look(act=register_log.REMOVED))[0]] == [1] and log[5].state[
        "title"
    ] == FOUND.title


async def test_what_is_open_comes_by_its_day_then_what_is_over_the_newest_first(site: Site) -> None:
    over = replace(FOUND, closed_on=DAY, outcome="Fatto")
    await written(
        site,
        replace(over, closed_on=DAY - timedelta(days=9)),
        replace(FOUND, due=SOON),
        replace(over, closed_on=DAY - timedelta(days=2)),
        replace(FOUND, due=DAY - timedelta(days=1)),
        replace(FOUND, due=DAY),
    )
    found = register.in_order(await register.everything())
    assert [one.number for one in found] == [4, 5, 2, 3, 1]
    assert [one.entry.is_late(DAY) for one in found] == [True, False, False, False, False]


@pytest.mark.parametrize(("days", "due"), [(0, False), (365, False), (366, True)])
async def test_the_review_by_the_management_is_due_when_the_last_one_is_older_than_a_year(
    sqlite_site: Site, days: int, due: bool
) -> None:
    assert not register.review_is_due(await register.everything(), DAY)  # none was ever written down
    review = replace(HELD, kind="review", closed_on=DAY - timedelta(days=days))
    await written(sqlite_site, review, replace(review, closed_on=DAY - timedelta(days=800)), HELD)
    records = await register.everything()
    last = register.last_held(records, "review")
    assert last is not None and last.number == 1 and register.review_is_due(records, DAY) is due


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"kind": "sin"}, ("kind", "kind")),
        ({"title": " ··· "}, ("title", "title")),
        ({"owner": ""}, ("owner", "owner")),
        ({"due": None}, ("due", "due")),
        ({"due": date(1999, 12, 31)}, ("due", "due_out")),
        ({"due": date(2100, 1, 1)}, ("due", "due_out")),
        ({"indicator": "9.9"}, ("indicator", "indicator")),
        ({"clause": "6" * 21}, ("clause", "long")),
        ({"title": "a" * 301}, ("title", "long")),
        ({"evidence": "a" * 2001}, ("evidence", "long")),
        ({"closed_on": DAY}, ("outcome", "outcome")),
        ({"closed_on": DAY + timedelta(days=1), "outcome": "Fatto"}, ("closed_on", "closed_out")),
        ({"closed_on": DAY, "outcome": "Fatto", "kind": "internal_audit"}, ("team", "team")),
    ],
)
async def test_what_may_not_stand_in_the_register_is_refused_by_its_field(
    sqlite_site: Site, wrong: dict[str, object], fault: tuple[str, str]
) -> None:
    entry = replace(FOUND, **wrong)  # type: ignore[arg-type]
    assert faults(entry, DAY) == (Fault(*fault),)
    (kept,) = await written(sqlite_site, FOUND)
    public = sqlite_site.engines["public"]
    for act in (
        register.add(public, entry, "anna", DAY),
        register.change(public, 1, kept.mark, entry, "anna", DAY),
        take_in(
            public, [(None, replace(FOUND, title="Buono")), (1, entry)], register.mark_of({1: kept}), "f", "x", DAY
        ),
    ):
        with pytest.raises(RegisterRefused) as refused:
            await act
        assert refused.value.faults == (Fault(*fault),)
    assert await register.everything() == {1: kept} and await acts(1) == [(1, "added", "anna")]


def test_signs_that_show_nothing_or_turn_the_line_round_are_left_out() -> None:
    typed = {
        "title": " Rilievo\u202e \x00del\n 18\t",
        "evidence": "uno\r\n due\u200b\x07 \n\ntre\t",
        "kind": "observation",
    }
    entry = entry_of(typed, SOON, None)
    assert (entry.title, entry.evidence, entry.owner) == ("Rilievo del 18", "uno\n due\n\ntre", "")
    again = entry_of(asdict(entry), entry.due, entry.closed_on)
    assert again == entry and set(MOST) < set(asdict(entry))


async def test_a_document_belongs_to_its_line_and_is_given_as_it_was_kept(sqlite_site: Site) -> None:
    await written(sqlite_site, FOUND, HELD)
    public = sqlite_site.engines["public"]
    await register.add_document(public, 1, "Verbale", DAY, DAY, who="anna", file_name="v.pdf", content=b"vero")
    await register.add_document(public, 1, "Foto", DAY, DAY, who="anna", link="https://example.org/f")
    papers = {one.title: one.id for one in (await register.everything())[1].documents}
    assert await register.file_of(1, papers["Verbale"]) == ("v.pdf", b"vero")
    assert await register.file_of(2, papers["Verbale"]) is None and await register.file_of(1, papers["Foto"]) is None
    with pytest.raises(EvidenceRefused, match="link"):
        await register.add_document(public, 1, "Foto", DAY, DAY, who="anna", link="javascript:alert(1)")
    with pytest.raises(RegisterRefused, match="gone"):
        await register.add_document(public, 9, "Foto", DAY, DAY, who="anna", link="https://example.org/f")
    await RegisterDocument.update({RegisterDocument.content: b"falso"}).where(RegisterDocument.title == "Verbale")
    assert await register.file_of(1, papers["Verbale"]) is None


async def test_a_document_that_came_meanwhile_is_not_taken_away_unseen(sqlite_site: Site) -> None:
    (seen,) = await written(sqlite_site, FOUND)
    public = sqlite_site.engines["public"]
    await register.add_document(public, 1, "Verbale", DAY, DAY, who="anna", link="https://example.org/v")
    with pytest.raises(RegisterRefused, match="changed"):
        await register.remove(public, 1, seen.mark, "berta", DAY)
    await register.remove(public, 1, (await register.everything())[1].mark, "berta", DAY)
    assert await RegisterDocument.count() == 0 and await register.everything() == {}


async def test_a_file_adds_changes_and_never_takes_away(site: Site) -> None:
    first, second = await written(site, FOUND, HELD)
    public, before = site.engines["public"], await register.everything()
    new, said = replace(FOUND, title="Nuovo"), replace(FOUND, closed_on=DAY, outcome="Fatto")
    wanted = [(1, said), (None, new), (None, HELD)]
    made = plan(before, wanted)
    assert (made.added, made.changed, made.same) == ((new,), ((first, said),), 1)
    assert await register.everything() == before  # a plan writes nothing
    assert await take_in(public, wanted, register.mark_of(before), "ab" * 32, "dora", SOON) == made
    after = await register.everything()
    assert {number: one.entry for number, one in after.items()} == {1: said, 2: HELD, 3: new}
    assert after[2] == second and await acts(2) == [(1, "added", "anna")]
    assert await acts(1) == [(1, "added", "anna"), (2, "closed", "dora")] and await acts(3) == [(1, "added", "dora")]
    assert [(await register_log.history(n))[0].state.get("from_file") for n in (1, 2, 3)] == [
        "ab" * 32,
        None,
        "ab" * 32,
    ]


async def test_a_file_that_was_seen_before_somebody_wrote_is_refused_whole(site: Site) -> None:
    await written(site, FOUND)
    public, seen = site.engines["public"], register.mark_of(await register.everything())
    await written(site, HELD)
    before = await register.everything()
    for mark, rows, reason in (
        (seen, [(None, replace(FOUND, title="Nuovo"))], "changed"),
        (register.mark_of(before), [(None, replace(FOUND, title="Nuovo")), (9, FOUND)], "gone"),
    ):
        with pytest.raises(RegisterRefused, match=reason):
            await take_in(public, rows, mark, "f", "dora", DAY)
    assert await register.everything() == before and await RegisterEntry.count() == 2


async def test_a_file_of_two_thousand_lines_is_taken_in_and_taken_in_again_changes_nothing(site: Site) -> None:
    rows = [(None, replace(FOUND, title=f"Rilievo {n}", kind=KINDS[n % 3])) for n in range(2_000)]
    public = site.engines["public"]
    await take_in(public, rows, register.mark_of({}), "f", "dora", DAY)
    records = await register.everything()
    assert [one.entry.title for one in records.values()] == [entry.title for _, entry in rows]
    assert plan(records, rows).same == 2_000 == len(await register_log.history(1)) + 1_999


def test_clauses_have_one_number_each_and_say_which_were_read_in_a_source() -> None:
    clauses = load_catalogue().clauses
    assert len({one.number for one in clauses}) == len(clauses) and all(
        len(one.number) <= MOST["clause"] for one in clauses
    )
    assert [one.number for one in clauses if one.verified] == ["5.2", "5.3", "5.4", "5.5", "5.6", "5.7", "6.3.2.6"]
    assert {"6.2", "6.3.1", "6.3.2", "6.4"} < {one.number for one in clauses if not one.verified}
    areas = load_catalogue().areas  # 5.2 to 5.7 are the six areas, in their order
    assert [one.number for one in clauses][:6] == [f"5.{area.number + 1}" for area in areas]
