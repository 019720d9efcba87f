"""A case whose row holds what no page writes takes no other case with it: in the list, at the day's sweep, in the stir, for recovery."""

from datetime import timedelta

import pytest

from surveys.cases import desk, handlers, keeping, standing
from surveys.cases.tables import Case, Epoch, Handler
from surveys.engines import PooledSQLite
from surveys.lifecycle.context import Site
from surveys.odd import StoreOdd
from tests.conftest import ORGANISATION
from tests.surveys.cases.people import OUTSIDE, Team, Written, keeper_of, later, opened, report, seat, sees

CELLS = ("received", "acknowledged", "outcome", "written")


async def make_odd(site: Site, written: Written, column: str = "received") -> None:
    """What its engine lets somebody write there: SQLite anything, PostgreSQL days that Python has no name for."""
    value = "x" if isinstance(site.engines["cases"], PooledSQLite) else "0044-03-15 BC"
    await Case.raw(f'UPDATE "case" SET "{column}" = \'{value}\' WHERE id = {written.case}')


@pytest.mark.parametrize("column", CELLS)
async def test_a_case_with_a_day_that_cannot_be_read_is_named_and_the_others_are_listed(
    site: Site, made: Team, column: str
) -> None:
    whole, odd = await report(site, made), await report(site, made, out=["bruno"])
    await make_odd(site, odd, column)
    assert await sees(site, made, "anna") == [whole.case]
    assert await sees(site, made, "bruno") == [whole.case]
    at_desk = await seat(site, made)
    assert (await desk.unreadable(at_desk, "anna")) == [odd.case]
    assert (await desk.unreadable(at_desk, "bruno")) == []  # of a case that she is kept out of she learns nothing
    assert (await desk.unreadable(at_desk, OUTSIDE)) == []  # nor the substitute, who is not in
    with pytest.raises(StoreOdd):
        await desk.case_row(at_desk, odd.case, "anna")


@pytest.mark.parametrize("column", ["contested", "held", "rekey"])
@pytest.mark.parametrize("value", ["'x'", "2", "x'01'", "''", "0.5"])
async def test_what_is_neither_yes_nor_no_beside_a_case_is_not_taken_for_no(
    sqlite_site: Site, column: str, value: str
) -> None:
    """Read: a contested case was shown as one that nobody contests, and one that is held back was deleted by the day's sweep."""
    site, made = sqlite_site, await opened(sqlite_site, ORGANISATION)
    whole, odd = await report(site, made), await report(site, made)
    await Case.raw(f'UPDATE "case" SET "{column}" = {value} WHERE id = {odd.case}')
    assert await sees(site, made, "anna") == [whole.case]
    at_desk = await seat(site, made)
    assert await desk.unreadable(at_desk, "anna") == [odd.case] and await desk.unreadable(at_desk, OUTSIDE) == []
    on = later(site, 4000)
    await keeping.sweep(on.engines["cases"], keeper_of(on), on.day, lambda _: 5)
    assert await Case.exists().where(Case.id == odd.case)


async def test_an_epoch_without_its_number_hides_no_other_case(sqlite_site: Site) -> None:
    """PostgreSQL keeps numbers alone there."""
    site, made = sqlite_site, await opened(sqlite_site, ORGANISATION)
    whole, odd = await report(site, made), await report(site, made)
    await Epoch.raw(
        'INSERT INTO epoch (id, "case", stream, number, recipient, link, "at", confirmed, maker) '
        f"VALUES (77, {odd.case}, 'thread', 'x', '', x'', 0, 1, x'')"
    )
    assert await sees(site, made, "anna") == [whole.case]
    assert await desk.unreadable(await seat(site, made), "anna") == [odd.case]
    await standing.drop_everywhere(await seat(site, made), "anna")  # as where she leaves the list
    assert await sees(site, made, "anna") == await desk.unreadable(await seat(site, made), "anna") == []


async def test_the_day_s_sweep_deletes_what_is_over_beside_a_case_that_cannot_be_read(site: Site, made: Team) -> None:
    """Found by reading: one such row, and nothing was ever deleted again."""
    diary, odd = await report(site, made, diary=True), await report(site, made)
    await make_odd(site, odd)
    on = later(site, 400)
    deleted = await keeping.sweep(on.engines["cases"], keeper_of(on), on.day, lambda _: 5)
    assert deleted.diaries == 1
    assert await Case.exists().where(Case.id == odd.case)
    assert not await Case.exists().where(Case.id == diary.case)


async def test_the_order_of_arrival_is_taken_away_beside_a_case_that_cannot_be_read(site: Site, made: Team) -> None:
    """Found by reading: what asks whether a stir is due failed, so that none was done any more."""
    odd = await report(site, made)
    await make_odd(site, odd)
    before = await keeping.arrived()
    assert await keeping.arrived() == before
    await report(site, made)
    assert await keeping.arrived() != before


async def test_a_year_s_band_counts_the_cases_beside_one_that_cannot_be_read(site: Site, made: Team) -> None:
    odd = await report(site, made)
    await report(site, made)
    await make_odd(site, odd)
    assert await keeping.count_year(site.day.year, site.day + timedelta(days=1)) == (1, 0)


async def test_recovery_writes_out_the_cases_beside_one_that_cannot_be_read_and_names_it(
    site: Site, made: Team
) -> None:
    whole, odd = await report(site, made), await report(site, made)
    await make_odd(site, odd)
    files, left_out = await desk.for_recovery(await seat(site, made))
    assert ([file.case for file in files], left_out) == ([whole.case], [odd.case])


@pytest.mark.parametrize("column", ["trained", "away_from", "away_until"])
async def test_a_day_that_cannot_be_read_beside_one_handler_closes_no_desk(site: Site, made: Team, column: str) -> None:
    """Done from outside: one cell of one colleague, and no handler had a list, a case or a step."""
    written = await report(site, made)
    record = await handlers.load("bruno")
    assert record is not None
    value = "x" if isinstance(site.engines["cases"], PooledSQLite) else "0044-03-15 BC"
    await Handler.raw(f"UPDATE handler SET \"{column}\" = '{value}' WHERE name = 'bruno'")
    assert await sees(site, made, "anna") == await sees(site, made, "bruno") == [written.case]
    found = await handlers.load("bruno")
    assert found is not None and getattr(found, column) is None  # as a day that cannot be
    assert (found.salt, found.signer) == (record.salt, record.signer)
