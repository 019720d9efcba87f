"""The life of reports as a state machine over a real store of cases: virtual days, deaths between any two things that last, two at once.

What was acknowledged to somebody (a letter, a hold, a file) is remembered here; after each step the store is asked for it.
"""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache, partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from surveys.cases import acts, codes, desk, intake, keeping, log, pieces, standing
from surveys.cases.clocks import add_months
from surveys.cases.codes import CodeKeys, Secret
from surveys.cases.desk import NotAllowed
from surveys.cases.incoming import CaseUnknown, OutOfStep, Reply, Report, ReportRefused
from surveys.cases.keeper import REPORTER
from surveys.cases.sealed_case import OpenedCase
from surveys.cases.sealing import CannotOpen
from surveys.cases.tables import Case, Epoch, Message, Piece, Wrap
from surveys.cases.writing import Writing, append_letter
from surveys.lifecycle import resuming
from surveys.lifecycle.channel import publish_ring
from surveys.lifecycle.context import Site
from surveys.lifecycle.leftovers import leftovers
from surveys.public import readers
from surveys.stores import StoreSettings, close_stores, open_stores, stores
from tests import once
from tests.conftest import DAY, ORGANISATION
from tests.simulation import dying
from tests.simulation.dying import Died
from tests.surveys.cases import people
from tests.surveys.cases.memory import ALL, World, dice_of
from tests.surveys.cases.people import SALT, Written

REFUSED = (CaseUnknown, OutOfStep, ReportRefused, NotAllowed, CannotOpen)
YEARS = 5
MOST = 4
deaths = st.none() | st.integers(0, 12)
seeds = st.integers(0, 2**20)
places = st.integers(0, 50)


def world() -> World:
    """The same team with the same keys each time."""
    return World(dice_of(15), day=DAY)


@cache
def codes_of(place: int) -> tuple[Secret, CodeKeys]:
    secret = codes.new_code(dice_of(1000 + place))
    return secret, codes.derive(secret, SALT)


def _prepare(folder: Path) -> None:
    async def story() -> None:
        async with stores(StoreSettings(folder / "data")) as engines:
            await people.opened(Site(engines, folder / "data", DAY, "administrator"), ORGANISATION, world())

    asyncio.run(story())


@dataclass
class Known:
    """A case as the people who work on it remember it."""

    written: Written
    out: tuple[str, ...]
    diary: bool
    began: date
    thread: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    holds: set[str] = field(default_factory=set)
    held: bool = False
    ring: int = 0
    """The number of the list that it was sent under."""
    outcome: date | None = None
    ender: str = ""
    ended: bool = False

    @property
    def over(self) -> date:
        """The last day it may be kept, as far as its people know."""
        if self.diary:
            return add_months(self.began, 12)
        return add_months(self.outcome, 12 * YEARS) if self.outcome else date.max


class CaseLife(RuleBasedStateMachine):
    """Up to four reports and diaries, from their first letter to their deletion."""

    @initialize(out=st.sampled_from(((), ("bruno",))), diary=st.booleans())
    def begun(self, out: tuple[str, ...], diary: bool) -> None:
        self.folder, self.loop, self.day = Path(mkdtemp(prefix="cases-")), asyncio.new_event_loop(), DAY
        shutil.copytree(once.made("cases", _prepare), self.folder, dirs_exist_ok=True)
        self.world, self.cases, self.told = world(), list[Known](), ["published_keyring"]
        self.filed: dict[int, int] = {}
        self.spool: dict[str, date] = {}
        self.made = self.words = 0
        self._open()
        self.files_a_report(out, diary, False, 0, None)

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.run(close_stores(self.engines))
            self.loop.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- the process, and its death ---

    def run[T](self, story: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(story)

    def _open(self) -> None:
        self.engines = self.run(open_stores(StoreSettings(self.folder / "data")))

    def site(self, actor: str = "administrator") -> Site:
        return Site(self.engines, self.folder / "data", self.day, actor)

    @property
    def store(self) -> Any:
        return self.engines["cases"]

    def take(self, step: Callable[[], Awaitable[object]], death: int | None, seed: int) -> bool | None:
        """Take a step: whether it was acknowledged or refused; None if it died. Then another process begins, and looks once."""
        done: bool | None = True
        dying.begin(death, seed)
        try:
            self.run(_of(step))
        except REFUSED:
            done = False
        except Died:
            dying.end()
            done = None
            self.run(close_stores(self.engines))
            for half in (self.folder / "data" / "keys").glob(f"*.{os.getpid()}.partial"):
                half.rename(half.with_name(half.name.replace(f".{os.getpid()}.", ".999999999.")))
            self._open()
        dying.end()
        self.run(resuming.resume(self.site("ascolto")))
        return done

    def both(self, *steps: Callable[[], Awaitable[object]], seed: int) -> list[bool]:
        """Take several at once by a seeded schedule; which of them were acknowledged."""
        said: list[bool] = []

        async def story() -> None:
            for problem in await asyncio.gather(*(_of(step) for step in steps), return_exceptions=True):
                if isinstance(problem, BaseException) and not isinstance(problem, REFUSED):
                    raise problem
                said.append(problem is None or not isinstance(problem, BaseException))

        self.take(story, None, seed)
        return said

    # --- what people do ---

    @rule(
        out=st.sampled_from(((), ("bruno",), ("carla",))),
        diary=st.booleans(),
        twice=st.booleans(),
        death=deaths,
        seed=seeds,
    )
    def files_a_report(self, out: tuple[str, ...], diary: bool, twice: bool, seed: int, death: int | None) -> None:
        """Sent again after no answer came, or twice at once, it is one report."""
        if len(self.cases) >= MOST:
            return
        secret, keys = codes_of(self.made)
        self.made += 1
        text = self._word()
        sent = msgspec.convert(people.made_report(self.world, keys, text, out, self.site(), diary=diary), Report)
        accounts = [reader.id for reader in self.world.ring.readers]

        async def file() -> None:
            await intake.receive(self.store, people.keeper_of(self.site()), sent, accounts, self.day)

        if twice:
            assert all(self.both(file, file, seed=seed)), "what came was refused when it came again"
        elif self.take(file, death, seed) is None:
            assert self.take(file, None, seed), "what was sent again after a death is refused"
        written = Written(secret, keys, int(sent.case, 16))
        new = Known(written, out, diary, self.day, thread=[] if diary else [text], entries=[text] if diary else [])
        self.cases.append(new)
        if not diary:
            self._filed(new)

    def _filed(self, case: Known) -> None:
        case.ring = self.world.ring.number
        self.filed[self.day.year] = self.filed.get(self.day.year, 0) + 1

    @rule(
        place=places,
        who=st.sampled_from((REPORTER, "anna", "bruno", "carla")),
        file=st.booleans(),
        seed=seeds,
        death=deaths,
    )
    def writes(self, place: int, who: str, file: bool, seed: int, death: int | None) -> None:
        case = self._case(place, diary=False)
        if case is None or (file and who != REPORTER):
            return
        text, upload = self._word(), os.urandom(16).hex()
        letter = self.run(self._letter(case, who, text))
        if letter is None:
            return
        if file:
            self.run(pieces.keep_piece(self.store, upload, 0, b"sealed", self.day))
            self.spool[upload] = self.day
        uploads = [upload] if file else []
        done = self.take(partial(self._send, case, who, letter, uploads), death, seed)
        there = text in self._read(case, REPORTER)
        assert done is None or there == done, f"acknowledged {done}, there {there}"
        if there:
            case.thread.append(text)
            self._tells(who, "wrote_thread")
            if file:
                case.files.append(upload)
                self.spool.pop(upload)

    @rule(place=places, seed=seeds)
    def three_write_at_once(self, place: int, seed: int) -> None:
        """One number of the thread is one letter's: whoever was acknowledged is there, once, and nobody else."""
        case = self._case(place, diary=False)
        if case is None:
            return
        pairs = [(who, self._word()) for who in (REPORTER, "anna", "carla") if who not in case.out]
        letters = [(who, text, self.run(self._letter(case, who, text))) for who, text in pairs]
        sent = [(who, text, letter) for who, text, letter in letters if letter is not None]
        said = self.both(*(partial(self._send, case, who, letter, []) for who, _, letter in sent), seed=seed)
        kept = [(who, text) for (who, text, _), done in zip(sent, said, strict=True) if done]
        assert len(kept) == min(1, len(sent)), "a number of the thread is one letter's"
        for who, text in kept:
            case.thread.append(text)
            self._tells(who, "wrote_thread")

    @rule(place=places, who=st.sampled_from(("anna", "carla")), seed=seeds, death=deaths)
    def notes(self, place: int, who: str, seed: int, death: int | None) -> None:
        case = self._case(place, diary=False)
        if case is None or who in case.out:
            return
        text = self._word()

        async def made() -> dict[str, Any]:
            opened = await people.open_of(self.site(), self.world, case.written, who)
            return acts.note(
                opened, self.world.ring, self.world.author(who), "note", {"text": text}, self.day, os.urandom
            )

        self.take(partial(self._send, case, who, self.run(made()), []), death, seed)
        if text in [one.content["text"] for one in self._opened(case, who).notes if one.content]:
            case.notes.append(text)
            self._tells(who, "wrote_notes")

    @rule(place=places, who=st.sampled_from(("anna", "carla")), seed=seeds, death=deaths)
    def gives_an_outcome(self, place: int, who: str, seed: int, death: int | None) -> None:
        case = self._case(place, diary=False)
        if case is None or who in case.out or case.outcome:
            return
        text = self._word()
        letter = self.run(self._letter(case, who, text, "outcome"))
        assert letter is not None
        self.take(partial(self._send, case, who, letter | {"move": "outcome"}, []), death, seed)
        if text in self._read(case, REPORTER):
            case.thread.append(text)
            case.outcome, case.ender, case.ended = self.day, who, False
            self._tells(who, "moved_outcome")

    @rule(place=places, who=st.sampled_from(("anna", "carla")))
    def finds_how_it_stands(self, place: int, who: str) -> None:
        case = self._case(place, diary=False)
        if case is None or who in case.out:
            return
        self.run(people.stands(self.site(), self.world, case.written, who))
        if case.outcome and who != case.ender:
            case.ended = True

    @rule(place=places, who=st.sampled_from(("anna", "carla")), wanted=st.booleans(), seed=seeds, death=deaths)
    def holds(self, place: int, who: str, wanted: bool, seed: int, death: int | None) -> None:
        case = self._case(place, diary=False)
        if case is None or who in case.out:
            return
        if self.take(partial(self._hold, case, who, wanted), death, seed) is None:
            self.take(partial(self._hold, case, who, wanted), None, seed)
        self._held(case, who, wanted)

    async def _hold(self, case: Known, who: str, wanted: bool) -> None:
        site = self.site()
        await standing.set_hold(await people.seat(site, self.world), case.written.case, who, wanted)

    def _held(self, case: Known, who: str, wanted: bool) -> None:
        case.holds = case.holds | {who} if wanted else case.holds - {who}
        case.held = len(case.holds) >= 2 or (case.held and bool(case.holds))

    @rule(place=places, who=st.sampled_from(("anna", "carla")), seed=seeds, death=deaths)
    def makes_new_keys(self, place: int, who: str, seed: int, death: int | None) -> None:
        case = self._case(place, diary=False)
        if case is None or who in case.out:
            return
        site, made = self.site(), self.world

        async def change() -> dict[str, Any]:
            opened = await people.open_of(site, made, case.written, who)
            assert opened.fold is not None and not opened.problem, opened.problem
            wanted = acts.Change(await people.wanted(site, made, case.written, who), opened.fold.recovery)
            return acts.change(opened, made.ring, made.author(who), wanted, self.day, os.urandom, self._word())

        sent = self.run(change())
        before = self._letters(case)
        self.take(partial(self._send, case, who, sent["letter"] | {"epochs": sent["epochs"]}, []), death, seed)
        if self._letters(case) > before:
            case.thread.append(self._read(case, REPORTER)[-1])
            self._tells(who, "changed_keys")

    @rule(place=places, send=st.booleans(), throw=st.booleans(), seed=seeds, death=deaths)
    def ends_a_diary(self, place: int, send: bool, throw: bool, seed: int, death: int | None) -> None:
        """Sent, thrown away, or both at once: then it is one of the two."""
        case = self._case(place, diary=True)
        if case is None or not (send or throw):
            return
        text, site, me = self._word(), self.site(), case.written.me
        epoch, sealed = acts.first_letter(
            me, self.world.ring, self.world.anchor.hash, [], {"text": text}, self.day, os.urandom
        )
        terms = {"stream": "thread", "number": 1, "epoch": 1, "sealed": sealed, "uploads": [], "epochs": [epoch]}
        reply = msgspec.convert(me.proofs | terms, Reply)
        accounts = [reader.id for reader in self.world.ring.readers]

        async def sends() -> None:
            await intake.add(self.store, people.keeper_of(site), reply, accounts, self.day)

        async def throws() -> None:
            row = await Case.select().where(Case.id == case.written.case).first()
            if row is None:
                raise CaseUnknown
            await keeping.delete_by_reporter(self.store, row, self.day)

        wanted = [step for step, is_wanted in ((sends, send), (throws, throw)) if is_wanted]
        if len(wanted) == 2:
            assert sum(self.both(*wanted, seed=seed)) == 1, "sent and thrown away"
        else:
            self.take(wanted[0], death, seed)
        if not self._is_there(case):
            self.cases.remove(case)
        elif self._letters(case):
            case.diary, case.out, case.thread = False, (), [text]
            self._filed(case)

    @rule(place=places, seed=seeds, death=deaths)
    def writes_on_in_a_diary(self, place: int, seed: int, death: int | None) -> None:
        case = self._case(place, diary=True)
        if case is not None:
            text = self._word()
            self.take(partial(self._entry, case, text), death, seed)
            self._entered(case, text)

    async def _entry(self, case: Known, text: str) -> None:
        opened = await people.open_of(self.site(), self.world, case.written, REPORTER)
        me = case.written.me
        sent = acts.diary(me, self.world.anchor.hash, {"text": text}, self.day, os.urandom, opened)
        await intake.add(self.store, people.keeper_of(self.site()), msgspec.convert(sent, Reply), [], self.day)

    def _entered(self, case: Known, text: str) -> None:
        if self._is_there(case) and text in [
            one.content["text"] for one in self._opened(case, REPORTER).diary if one.content
        ]:
            case.entries.append(text)
            case.began = self.day

    @rule(without=st.sampled_from(("", "bruno")), seed=seeds, death=deaths)
    def a_list_of_readers_is_published(self, without: str, seed: int, death: int | None) -> None:
        names = [name for name in ALL if name != without]
        if {reader.id for reader in self.world.ring.readers} == set(names):
            return
        ring = self.world.ring_of(names, self.day)
        self.take(partial(publish_ring, self.site(), ring.text, ring.signatures), death, seed)
        if self.run(_rings_there(self.site())) < len(self.world.found):
            self.world.found.pop()
        else:
            self.told.append("published_keyring")

    @rule(days=st.sampled_from((0, 1, 2, 40, 366, 1810)), seed=seeds, busy=st.booleans(), place=places, death=deaths)
    def a_day_comes(self, days: int, seed: int, busy: bool, place: int, death: int | None) -> None:
        """The sweep looks, on the last day of a case (0) or so many days later; perhaps somebody holds one, or writes on in a diary, at
        that very moment."""
        case = self.cases[place % len(self.cases)] if self.cases else None
        if days == 0 and case is not None and self.day < case.over < date.max:
            self.day = case.over
        else:
            self.day += timedelta(days=days or 1)

        async def sweep() -> None:
            await keeping.sweep(self.store, people.keeper_of(self.site()), self.day, lambda _: YEARS)

        if busy and case is not None and case.diary:
            text = self._word()
            self.both(sweep, partial(self._entry, case, text), seed=seed)
            self._entered(case, text)
        elif busy and case is not None and "anna" not in case.out:
            said = self.both(sweep, partial(self._hold, case, "anna", True), seed=seed)
            if said[1]:
                self._held(case, "anna", True)
        else:
            self.take(sweep, death, seed)
            if death is not None:
                self.take(sweep, None, seed)
        self._swept()

    @rule(place=places, seed=seeds)
    def the_store_is_stirred_while_somebody_writes(self, place: int, seed: int) -> None:
        case = self._case(place, diary=False)
        if case is None:
            return
        text = self._word()
        letter = self.run(self._letter(case, REPORTER, text))
        assert letter is not None
        said = self.both(partial(keeping.stir, self.store), partial(self._send, case, REPORTER, letter, []), seed=seed)
        assert said == [True, True]
        case.thread.append(text)

    # --- what people remember ---

    def _word(self) -> str:
        self.words += 1
        return f"parole {self.words}"

    def _tells(self, who: str, act: str) -> None:
        if who != REPORTER:
            self.told.append(act)

    def _case(self, place: int, *, diary: bool) -> Known | None:
        fitting = [case for case in self.cases if case.diary == diary]
        return fitting[place % len(fitting)] if fitting else None

    async def _letter(self, case: Known, who: str, text: str, kind: str = "message") -> dict[str, Any] | None:
        """What somebody's device makes of a text; None if the case does not exist for her."""
        try:
            opened = await people.open_of(self.site(), self.world, case.written, who)
        except (CaseUnknown, CannotOpen):
            return None
        assert opened.fold is not None and not opened.problem, opened.problem
        author = case.written.me.author if who == REPORTER else self.world.author(who)
        return acts.letter(opened.fold, self.world.ring, author, kind, {"text": text}, self.day, os.urandom)

    async def _send(self, case: Known, who: str, letter: dict[str, Any], uploads: Sequence[str]) -> None:
        """As the pages do: a handler's letter and its line in her log are one."""
        site, keeper = self.site(), people.keeper_of(self.site())
        if who == REPORTER:
            reply = msgspec.convert(case.written.me.proofs | letter | {"uploads": list(uploads)}, Reply)
            await intake.add(self.store, keeper, reply, [r.id for r in self.world.ring.readers], self.day)
            return
        writing = msgspec.convert({"uploads": list(uploads)} | letter, Writing)
        seat = await people.seat(site, self.world)
        act = "changed_keys" if writing.epochs and writing.stream == "thread" else f"wrote_{writing.stream}"
        async with log.telling(self.store, keeper, self.day, who, f"moved_{writing.move}" if writing.move else act):
            await append_letter(seat, case.written.case, who, writing)

    def _opened(self, case: Known, who: str) -> OpenedCase:
        return self.run(people.open_of(self.site(), self.world, case.written, who))

    def _read(self, case: Known, who: str) -> list[str]:
        return [one.content["text"] for one in self._opened(case, who).thread if one.content is not None]

    def _letters(self, case: Known) -> int:
        where = (Message.case == case.written.case) & (Message.stream == "thread")
        return self.run(_count(Message, where))

    def _is_there(self, case: Known) -> bool:
        return self.run(_count(Case, Case.id == case.written.case)) == 1

    def _swept(self) -> None:
        """What had to go is gone, and nothing else; of a held case, and of one whose end one person alone says, nothing goes."""
        for case in list(self.cases):
            there = self._is_there(case)
            over = self.day > case.over and (case.diary or (case.ended and not case.held))
            assert there != over, (
                f"day {self.day}, over {case.over}, ended {case.ended}, held {case.holds}: there {there}"
            )
            if not there:
                self.cases.remove(case)
        gone = {upload for upload, day in self.spool.items() if self.day > day + timedelta(days=2)}
        self.spool = {upload: day for upload, day in self.spool.items() if upload not in gone}

    # --- what must be true ---

    @invariant()
    def each_reads_what_was_acknowledged_and_whoever_is_kept_out_nothing(self) -> None:
        on_list = {reader.id for reader in self.world.ring.readers} if hasattr(self, "world") else set()
        for case in getattr(self, "cases", []):
            mine = self._opened(case, REPORTER)
            assert not mine.problem and [one.content["text"] for one in mine.diary if one.content] == case.entries
            for who in (REPORTER, "anna", "bruno", "carla"):
                if who == REPORTER or (who in on_list and who not in case.out and not case.diary):
                    if who != "bruno" or self._reads_since(case, who):
                        assert self._read(case, who) == case.thread, f"{who} reads something else"
                else:
                    with suppress(CaseUnknown, CannotOpen):
                        raise AssertionError(f"{who} reads {self._read(case, who)}")
            if "anna" not in case.out and not case.diary:
                told = [one.content["text"] for one in self._opened(case, "anna").notes if one.content]
                assert told == case.notes

    def _reads_since(self, case: Known, who: str) -> bool:
        """Whether she was never taken off the list while the case was there: whoever was has lost its keys, on purpose."""
        return all(ring.reader(who) is not None for ring in self.world.found if ring.number >= case.ring)

    @invariant()
    def no_row_is_without_its_case(self) -> None:
        if hasattr(self, "engines"):
            cases, epochs, uploads, claimed = self.run(_rows())
            assert cases == {case.written.case for case in self.cases}
            assert epochs <= cases, "rows without their case"
            wanted = {upload for case in self.cases for upload in case.files}
            assert uploads == wanted | set(self.spool)
            assert claimed == wanted, "a file of no letter is out of the spool"

    @invariant()
    def whoever_left_the_list_has_no_key_of_any_case(self) -> None:
        on_list = {reader.id for reader in self.world.ring.readers} if hasattr(self, "world") else set(ALL)
        for case in getattr(self, "cases", []):
            holders = self.run(_holders(self.site(), self.world, case))
            assert holders <= on_list, f"{holders - on_list} left, and could still open it"

    @invariant()
    def a_year_counts_each_report_once(self) -> None:
        if hasattr(self, "engines"):
            for year, cases in self.filed.items():
                assert self.run(keeping.count_year(year, self.day))[0] == cases

    @invariant()
    def the_log_tells_each_act_once(self) -> None:
        if hasattr(self, "engines"):
            lines = self.run(log.read(people.keeper_of(self.site())))
            assert all(line.intact for line in lines)
            assert [line.act for line in lines] == self.told

    @invariant()
    def nothing_is_left_half_done(self) -> None:
        if hasattr(self, "engines"):
            assert [str(one) for one in self.run(leftovers(self.site()))] == []


async def _of(step: Callable[[], Awaitable[object]]) -> object:
    return await step()


async def _count(table: Any, where: Any) -> int:
    return int(await table.count().where(where))


async def _holders(site: Site, world: World, case: Known) -> set[str]:
    return await desk.holders_of(await people.seat(site, world), case.written.case) & set(ALL)


async def _rings_there(site: Site) -> int:
    chain = (await readers.load(site.data)).chain
    return len(chain.rings) if chain else 0


async def _rows() -> tuple[set[int], set[int], set[str], set[str]]:
    """The cases, what rows of other tables name as their case, the uploads that are there, and those that letters have."""
    cases = {int(row["id"]) for row in await Case.select(Case.id)}
    epochs = {int(row["id"]): int(row["case"]) for row in await Epoch.select(Epoch.id, Epoch.case)}
    named = set(epochs.values()) | {int(row["case"]) for row in await Message.select(Message.case)}
    named |= {epochs.get(int(row["epoch"]), -1) for row in await Wrap.select(Wrap.epoch)}
    found = await Piece.select(Piece.case, Piece.upload)
    named |= {int(row["case"]) for row in found if row["case"] is not None}
    uploads = {bytes(row["upload"]).hex(): row["case"] for row in found}
    return cases, named, set(uploads), {upload for upload, case in uploads.items() if case is not None}
