"""The doors under attack: many wrong passwords at once, one code at once, a flood against a name that everybody can read."""

import asyncio
import base64
import contextlib
import hashlib
import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import Type, extract_parameters

from surveys.lifecycle.context import Site
from surveys.people import accounts, acts, attempts, log, passwords, second, sessions
from surveys.people.accounts import DoorBusy, Entered, SignInRefused
from surveys.people.tables import Account, Attempts, Device, SecondFactor, Session
from surveys.public import signing
from tests.conftest import DAY
from tests.signing_in import STEP, code_at

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
PASSWORD = "una-password-lunga"
SECRET = b"a secret of an app 1"


def code(steps: int = 0, now: datetime = NOW) -> str:
    return code_at(base64.b32encode(SECRET).decode(), int(now.timestamp()) // STEP + steps)


async def _ada(site: Site, *, codes: bool = True) -> None:
    await accounts.add(site.engines["people"], "ada", "hr", PASSWORD)
    if codes:
        assert await accounts.set_second(site.engines["people"], "ada", SECRET, code(-1), NOW)


async def _enter(
    site: Site,
    password: str = PASSWORD,
    now: datetime = NOW,
    *,
    name: str = "ada",
    second: str = "",
    device: str = "",
) -> Entered | type[SignInRefused]:
    devices = [device] if device else []
    try:
        return await accounts.sign_in(site.engines["people"], name, password, now, second=second, devices=devices)
    except SignInRefused as problem:
        return type(problem)


async def _flood(site: Site, now: datetime = NOW, n: int = 8) -> None:
    for _ in range(n):
        assert await _enter(site, "wrong", now) is SignInRefused


async def test_of_forty_guesses_at_once_the_right_one_is_not_let_in_and_every_one_counts(site: Site) -> None:
    """Could let in: the right one comes while the others are on their way, when the first of them have failed."""
    await _ada(site, codes=False)
    failed, enough = 0, asyncio.Event()

    async def guess(password: str) -> object:
        nonlocal failed
        while True:
            try:
                found = await _enter(site, password)
            except DoorBusy:  # nothing was counted
                await asyncio.sleep(0.05)
                continue
            failed += found is SignInRefused
            if failed >= 5:
                enough.set()
            return found

    async def right() -> object:
        await enough.wait()
        return await guess(PASSWORD)

    assert await asyncio.gather(*(guess(f"wrong-{number}") for number in range(39)), right()) == [SignInRefused] * 40
    row = await Attempts.select().where(Attempts.lock == "password ada").first()
    assert row is not None and (row["failures"], row["failed_today"]) == (40, 40)


async def test_a_code_sent_four_times_at_once_opens_one_session(site: Site) -> None:
    await _ada(site)
    tried = await asyncio.gather(*(_enter(site, second=code()) for _ in range(4)))
    assert sorted(result is SignInRefused for result in tried) == [False, True, True, True]


async def test_of_two_that_read_the_same_state_one_uses_a_code_up(site: Site) -> None:
    await _ada(site)
    used = await asyncio.gather(*(second.code_is(site.engines["people"], "ada", code(), NOW) for _ in range(8)))
    assert sorted(used) == [False] * 7 + [True]
    assert not await second.code_is(site.engines["people"], "ada", code(-1), NOW)


async def test_a_stranger_s_flood_keeps_nobody_out_who_has_a_code_or_a_known_browser(site: Site) -> None:
    """Could keep out: at both moments the account waits, and a password alone is refused."""
    await _ada(site)
    entered = await _enter(site, second=code())
    assert isinstance(entered, Entered)
    await _flood(site, n=8)
    assert await _waits("ada", NOW)
    assert isinstance(await _enter(site, second=code(1)), Entered)
    later = NOW + timedelta(seconds=90)
    await _flood(site, later, 2)
    assert await _waits("ada", later)
    assert isinstance(await _enter(site, now=later, second=code(now=later), device=entered.device), Entered)


async def _waits(account: str, now: datetime) -> bool:
    row = await Attempts.select(Attempts.waits_until).where(Attempts.lock == f"password {account}").first()
    return bool(row and row["waits_until"] and row["waits_until"].astimezone(UTC) > now)


async def test_a_known_browser_passes_a_flood_before_the_account_has_codes(site: Site) -> None:
    await _ada(site, codes=False)
    entered = await _enter(site)
    assert isinstance(entered, Entered)
    await _flood(site, n=8)
    assert await _enter(site) is SignInRefused
    assert isinstance(await _enter(site, device=entered.device), Entered)


async def test_strangers_keep_an_account_without_codes_waiting_for_a_minute_at_most(site: Site) -> None:
    """Could keep out for a quarter of an hour: what a stranger sends while it waits counts too. A guess a minute stays."""
    await _ada(site, codes=False)
    await _flood(site)
    assert await _enter(site) is SignInRefused
    for seconds in (30, 90, 150):
        await _flood(site, NOW + timedelta(seconds=seconds))
        assert await _enter(site, now=NOW + timedelta(seconds=seconds + 29)) is SignInRefused
    assert isinstance(await _enter(site, now=NOW + timedelta(seconds=210)), Entered)


async def test_a_first_password_that_was_drawn_passes_any_flood_before_the_account_has_codes(site: Site) -> None:
    """Could keep out: a stranger who goes on takes every guess that the account still has."""
    await _ada(site, codes=False)
    word, other = passwords.drawn(), passwords.drawn()
    await accounts.reset(site.engines["people"], "ada", word)
    await _flood(site)
    assert await _waits("ada", NOW)
    assert await _enter(site, other) is await _enter(site, PASSWORD) is SignInRefused
    assert isinstance(await _enter(site, word), Entered)
    assert await _enter(site, f"{word}\n") is SignInRefused
    assert await accounts.set_second(site.engines["people"], "ada", SECRET, code(-1), NOW)
    assert await _enter(site, word) is SignInRefused  # with codes, nothing passes without one


async def test_her_sign_in_during_a_flood_gives_the_stranger_no_new_guesses(site: Site) -> None:
    """Could give: a count that begins anew whenever she comes in."""
    await _ada(site)
    await _flood(site, n=8)
    assert isinstance(await _enter(site, second=code()), Entered)
    row = await Attempts.select().where(Attempts.lock == "password ada").first()
    assert row is not None and row["failures"] == 9 and row["waits_until"].astimezone(UTC) > NOW


async def test_who_knows_the_password_cannot_try_codes_without_end(site: Site) -> None:
    """Could let in: the sixth code is right."""
    await _ada(site)
    wrong = f"{(int(code()) + 1) % 10**6:06}"
    for _ in range(5):
        assert await _enter(site, second=wrong) is SignInRefused
    assert await _enter(site, second=code()) is SignInRefused
    later = NOW + timedelta(seconds=30)
    assert isinstance(await _enter(site, now=later, second=code(now=later)), Entered)


async def test_a_stolen_browser_gets_ten_guesses(site: Site) -> None:
    await _ada(site)
    entered = await _enter(site, second=code())
    assert isinstance(entered, Entered)
    for _ in range(10):
        await _enter(site, "wrong", device=entered.device)
    people = site.engines["people"]
    assert await attempts.known_device(people, "ada", [entered.device]) == ""
    row = await Attempts.select(Attempts.failures).where(Attempts.lock == "password ada").first()
    assert row == {"failures": 0}


async def test_a_browser_of_another_account_is_a_stranger(site: Site) -> None:
    await _ada(site)
    await accounts.add(site.engines["people"], "bea", "hr", PASSWORD)
    other = await _enter(site, name="bea")
    assert isinstance(other, Entered)
    assert await attempts.known_device(site.engines["people"], "ada", [other.device]) == ""
    assert await attempts.known_device(site.engines["people"], "bea", ["planted", other.device]) == other.device


def test_waits_grow_from_half_a_minute_to_a_quarter_of_an_hour() -> None:
    waits = [attempts.wait_after(n).total_seconds() for n in (4, 5, 6, 9, 10, 40, 10**6)]
    assert waits == [0, 30, 60, 480, 900, 900, 900]


async def test_a_day_after_the_last_wait_the_count_begins_anew(site: Site) -> None:
    await _ada(site, codes=False)
    await _flood(site, n=10)
    await _flood(site, NOW + timedelta(seconds=31), 1)
    assert await _enter(site, now=NOW + timedelta(seconds=90)) is SignInRefused
    much_later = NOW + timedelta(days=2)
    for _ in range(4):
        await _enter(site, "wrong", much_later)
    assert isinstance(await _enter(site, now=much_later), Entered)


async def test_a_full_queue_says_busy_counts_nothing_and_keeps_places_for_known_browsers(sqlite_site: Site) -> None:
    await _ada(sqlite_site)
    entered = await _enter(sqlite_site, second=code())
    assert isinstance(entered, Entered)
    later = NOW + timedelta(seconds=30)
    taken = [passwords.place() for _ in range(passwords.PLACES)]
    for one in taken:
        one.__enter__()
    try:
        with pytest.raises(DoorBusy):
            await _enter(sqlite_site, now=later, second=code(now=later))
        assert isinstance(await _enter(sqlite_site, now=later, second=code(now=later), device=entered.device), Entered)
    finally:
        for one in taken:
            one.__exit__(None, None, None)
    row = await Attempts.select(Attempts.failures).where(Attempts.lock == "password ada").first()
    assert row == {"failures": 0}


@pytest.mark.dear
async def test_while_a_password_is_worked_the_event_loop_turns() -> None:
    """Could stand still: a hash in the loop answers nobody until it is done."""
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    turning = asyncio.create_task(turn())
    assert not await passwords.is_right(passwords.NOBODY, "wrong")
    turning.cancel()
    assert turns >= 3


@pytest.mark.dear
async def test_a_password_costs_what_rfc_9106_asks_where_memory_is_short() -> None:
    """RFC 9106, 4: argon2id, three passes over 64 MiB; the same for a name that nobody has."""
    for stored in (await passwords.kept(PASSWORD), passwords.NOBODY):
        found = extract_parameters(stored)
        assert (found.type, found.version, found.time_cost, found.memory_cost, found.salt_len) == (
            Type.ID,
            19,
            3,
            64 * 1024,
            16,
        )


@pytest.mark.dear
async def test_names_that_nobody_has_cost_the_same_work(sqlite_site: Site) -> None:
    """Could tell: a door that counts or hashes only for accounts that exist."""
    await _ada(sqlite_site)
    spent: dict[tuple[str, str], list[float]] = {}
    for _ in range(9):
        for name, password in (("ada", "wrong"), ("nobody", "wrong"), ("ada", PASSWORD)):
            began = time.perf_counter()
            assert await _enter(sqlite_site, password, name=name) is SignInRefused
            spent.setdefault((name, password), []).append(time.perf_counter() - began)
    medians = {key: statistics.median(times) * 1000 for key, times in spent.items()}
    print("\nmedian ms:", {f"{name} {password[:5]}": round(ms, 2) for (name, password), ms in medians.items()})
    known = medians["ada", "wrong"]
    assert [abs(ms - known) < 0.4 * known for ms in medians.values()] == [True] * 3


async def test_a_flood_fills_four_lines_of_the_log_and_keeps_no_strange_name(sqlite_site: Site) -> None:
    people = sqlite_site.engines["people"]
    await _ada(sqlite_site, codes=False)
    for name in ("ada", "mariarossi"):
        for number in range(1, 1002):
            await acts.refused(people, DAY, SignInRefused(name if name == "ada" else "", number))
    lines = [(act.actor, act.act, dict(act.details)) for act in await log.read()]
    assert lines == [
        *(("ada", "sign-ins failed", {"least": least}) for least in ("1", "10", "100", "1000")),
        *(("ascolto", "sign-ins of nobody", {"least": least}) for least in ("1", "10", "100", "1000")),
    ]


async def test_what_no_name_password_or_code_can_be_is_refused_like_any_other(site: Site) -> None:
    await _ada(site)
    for text in ("\x00", "a\x00da", "\ud800", "ada" * 40, "", "%"):
        assert await _enter(site, name=text) is SignInRefused
    for text in ("\x00", "\ud800", "ü"):
        assert await _enter(site, text) is SignInRefused
        assert await _enter(site, second=text) is SignInRefused
    rows = await Attempts.select(Attempts.failed_today).where(Attempts.lock == "password ")
    assert [row["failed_today"] for row in rows] == [6]


async def test_failures_of_a_day_are_counted_by_day(site: Site) -> None:
    people = site.engines["people"]
    counted = [await attempts.failed_today(people, "ada", DAY + timedelta(days=late)) for late in (0, 0, 0, 1, 1)]
    assert counted == [1, 2, 3, 1, 2]


async def test_a_desk_without_a_click_signs_out_and_one_with_clicks_at_the_end_of_its_day(site: Site) -> None:
    await _ada(site, codes=False)
    entered = await _enter(site)
    assert isinstance(entered, Entered)
    assert await accounts.signed_in(entered.token, NOW + timedelta(minutes=29)) is not None
    assert await accounts.signed_in(entered.token, NOW + timedelta(minutes=58)) is not None
    assert (
        await accounts.signed_in(entered.token, NOW + timedelta(minutes=90)) is None
    )  # 30 after the last, on steps of five
    at_odd = await _enter(site, now=NOW + timedelta(minutes=3, seconds=17, microseconds=5))
    assert isinstance(at_odd, Entered)
    row = await Session.select().where(Session.account == "ada").order_by(Session.expires, ascending=False).first()
    assert row is not None  # no row tells when somebody signed in or asked for a page
    assert row["idle"].astimezone(UTC) == NOW + timedelta(minutes=35)
    assert row["expires"].astimezone(UTC) == NOW + timedelta(hours=8, minutes=5)
    busy = await _enter(site, now=NOW)
    assert isinstance(busy, Entered)
    minutes = [m for m in range(20, 600, 20) if await accounts.signed_in(busy.token, NOW + timedelta(minutes=m))]
    assert minutes[-1] == 460


async def test_one_ends_one_or_all_of_one_s_own_sessions_and_nobody_else_s(site: Site) -> None:
    await _ada(site, codes=False)
    await accounts.add(site.engines["people"], "bea", "hr", PASSWORD)
    mine, other, hers = [await _enter(site, name=name) for name in ("ada", "ada", "bea")]
    assert isinstance(mine, Entered) and isinstance(other, Entered) and isinstance(hers, Entered)
    listed = await sessions.of_account("ada", mine.token, NOW)
    assert [(one.here, one.day) for one in listed] == [(True, NOW.date()), (False, NOW.date())]
    reference = (await sessions.of_account("bea", hers.token, NOW))[0].reference
    await sessions.end_one("ada", reference)
    await sessions.end_one("ada", "%")
    assert len(await sessions.of_account("ada", mine.token, NOW)) == 2
    await sessions.end_one("ada", listed[1].reference)
    assert await accounts.signed_in(other.token, NOW) is None
    await sessions.end_all("ada")
    assert [await accounts.signed_in(one.token, NOW) is None for one in (mine, hers)] == [True, False]


async def test_a_password_asked_for_again_is_tried_five_times_and_then_the_session_ends(site: Site) -> None:
    """Could let in: after seven at once the right one."""
    await _ada(site)
    entered = await _enter(site, second=code())
    assert isinstance(entered, Entered)
    people, later = site.engines["people"], NOW + timedelta(seconds=60)

    async def again(password: str) -> bool:
        return await accounts.confirm(people, entered.token, entered.account, password, code(now=later), later)

    assert await asyncio.gather(*(again("wrong") for _ in range(7))) == [False] * 7
    assert not await again(PASSWORD)
    assert await accounts.signed_in(entered.token, NOW) is None
    row = await SecondFactor.select(SecondFactor.last).first()
    assert (
        row is not None and row["last"] < int(later.timestamp()) // STEP
    )  # a code is used up by a right password alone


async def test_handlers_and_the_others_have_doors_of_their_own(site: Site) -> None:
    people = site.engines["people"]
    await accounts.add(people, "marta", "handler", PASSWORD)
    for door in ("desk", "handlers"):
        with pytest.raises(SignInRefused):
            await accounts.sign_in(people, "marta", PASSWORD, NOW, door=door)
    await accounts.sign_in(people, "marta", PASSWORD, NOW, door="setup")
    assert await accounts.set_second(people, "marta", SECRET, code(-1), NOW)
    with pytest.raises(SignInRefused):
        await accounts.sign_in(people, "marta", PASSWORD, NOW, door="setup")
    await accounts.sign_in(people, "marta", PASSWORD, NOW, door="handlers", second=code())


async def test_a_new_password_forgets_browsers_sessions_and_failures(site: Site) -> None:
    await _ada(site, codes=False)
    entered = await _enter(site)
    assert isinstance(entered, Entered)
    await _flood(site, n=6)
    await accounts.reset(site.engines["people"], "ada", "un-altra-password")
    assert await Device.count() == 0
    assert await accounts.signed_in(entered.token, NOW) is None
    assert isinstance(await _enter(site, "un-altra-password"), Entered)


async def test_no_sign_in_that_was_on_its_way_while_codes_were_set_up_goes_on_without_one(site: Site) -> None:
    """Done to the first mending: a thief with her first password signed in without a pause, and five of his sessions outlived her enrolling."""
    people = site.engines["people"]
    await accounts.add(people, "ada", "hr", PASSWORD)
    tokens, enrolled = [], asyncio.Event()

    async def sign_in_again_and_again() -> None:
        while not enrolled.is_set():
            with contextlib.suppress(SignInRefused):
                tokens.append((await accounts.sign_in(people, "ada", PASSWORD, NOW)).token)

    thieves = [asyncio.create_task(sign_in_again_and_again()) for _ in range(6)]
    while len(tokens) < 6:
        await asyncio.sleep(0.01)
    hers = await accounts.enrol(people, "ada", SECRET, code(-1), NOW)
    enrolled.set()
    await asyncio.gather(*thieves)
    assert hers is not None and await sessions.signed_in(hers, NOW) is not None
    assert [token for token in tokens if await sessions.signed_in(token, NOW) is not None] == []


async def test_a_session_that_began_without_a_code_does_not_come_back_when_codes_are_forgotten(site: Site) -> None:
    """Could leak: it would be none only while its account has codes."""
    people = site.engines["people"]
    await _ada(site, codes=False)
    before = await _enter(site)
    assert isinstance(before, Entered) and await accounts.enrol(people, "ada", SECRET, code(-1), NOW)
    await accounts.forget_second("ada")
    assert await sessions.signed_in(before.token, NOW) is None


async def test_no_sign_in_that_was_on_its_way_while_the_password_was_changed_goes_on_with_the_old_one(
    site: Site,
) -> None:
    people = site.engines["people"]
    await accounts.add(people, "ada", "hr", PASSWORD)
    tokens, changed = [], asyncio.Event()

    async def sign_in_again_and_again() -> None:
        while not changed.is_set():
            with contextlib.suppress(SignInRefused):
                tokens.append((await accounts.sign_in(people, "ada", PASSWORD, NOW)).token)

    thieves = [asyncio.create_task(sign_in_again_and_again()) for _ in range(6)]
    while len(tokens) < 6:
        await asyncio.sleep(0.01)
    await accounts.reset(people, "ada", "un-altra-password")
    changed.set()
    await asyncio.gather(*thieves)
    assert [token for token in tokens if await sessions.signed_in(token, NOW) is not None] == []
    later = NOW + timedelta(days=2)  # his tries in between have her wait
    assert (
        await sessions.signed_in((await accounts.sign_in(people, "ada", "un-altra-password", later)).token, later)
        is not None
    )


async def test_of_two_who_set_up_codes_at_once_one_does(site: Site) -> None:
    """Could take over: whoever comes second would put his codes in the place of hers."""
    people = site.engines["people"]
    await accounts.add(people, "ada", "hr", PASSWORD)
    made = await asyncio.gather(
        *(
            accounts.enrol(
                people,
                "ada",
                SECRET[:-1] + bytes([n]),
                code_at(base64.b32encode(SECRET[:-1] + bytes([n])).decode(), int(NOW.timestamp()) // STEP),
                NOW,
            )
            for n in range(6)
        )
    )
    assert sum(token is not None for token in made) == 1
    kept = await SecondFactor.select(SecondFactor.secret).first()
    assert kept is not None and bytes(kept["secret"])[-1] == next(n for n, token in enumerate(made) if token)
    assert await accounts.enrol(people, "ada", SECRET, code(-1), NOW) is None


async def test_a_row_that_somebody_wrote_is_no_session_and_ones_own_does_not_become_another_s(site: Site) -> None:
    """Done from outside: a row for each handler, and their cases and readers were listed without a line in any log."""
    await _ada(site)
    await accounts.add(site.engines["people"], "bruno", "representative", PASSWORD)
    entered = await _enter(site, second=code())
    assert isinstance(entered, Entered)
    token = str(entered.token)
    assert (await sessions.signed_in(token, NOW)) == sessions.SignedIn("ada", "hr")
    row = await Session.select().first()
    assert row is not None
    forged = hashlib.sha256(b"a token of my own").hexdigest()
    for mark in ("", row["mark"]):
        await Session.insert(Session(**row | {"digest": forged, "account": "ada", "mark": mark}))
        assert await sessions.signed_in("a token of my own", NOW) is None
        await Session.delete().where(Session.digest == forged)
    await Session.update({Session.account: "bruno"}, force=True)
    assert await sessions.signed_in(token, NOW) is None
    await Session.update({Session.account: "ada", Session.coded: False}, force=True)
    assert await sessions.signed_in(token, NOW) is None
    await Session.update({Session.coded: True}, force=True)
    assert (await sessions.signed_in(token, NOW)) == sessions.SignedIn("ada", "hr")
    await Session.update({Session.expires: NOW + timedelta(days=3650)}, force=True)
    assert await sessions.signed_in(token, NOW) is None
    await Session.update({Session.expires: row["expires"]}, force=True)
    # done from outside: HR's own session was the second key of her own raise, for as long as the row said so
    await Account.update({Account.role: "representative"}).where(Account.name == "ada")
    assert await sessions.signed_in(token, NOW) is None


async def test_every_process_of_an_installation_knows_its_sessions_and_another_installation_does_not(
    site: Site, tmp_path: Path
) -> None:
    await _ada(site)
    entered = await _enter(site, second=code())
    assert isinstance(entered, Entered)
    key = signing.installation_key(site.data)
    sessions.bind(signing.key_for(key, "sessions"))
    assert await sessions.signed_in(str(entered.token), NOW) is not None
    sessions.bind(signing.key_for(signing.installation_key(tmp_path / "other"), "sessions"))
    assert await sessions.signed_in(str(entered.token), NOW) is None
    sessions.bind(signing.key_for(key, "sessions"))
