"""The life of a survey as a state machine over real stores: virtual days, deaths between any two things that last, two at once.

What must be true is asked after each step from the stores, the folder of keys and the log of acts; what was acknowledged to
somebody (an answer, a printed code) is remembered here.
"""

import asyncio
import os
import random
import shutil
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from surveys.answers import batches
from surveys.answers import wave as urn_of
from surveys.answers.envelope import ENVELOPE_BYTES
from surveys.answers.filling import Receipt
from surveys.answers.urn import Urn
from surveys.lifecycle import closing, printing, resuming, two_keys
from surveys.lifecycle.clock import look
from surveys.lifecycle.context import Site, seed_paths
from surveys.lifecycle.leftovers import leftovers
from surveys.lifecycle.steps import PlanRefused
from surveys.people import log
from surveys.people import two_keys as acts
from surveys.public import releases
from surveys.public.waves import State, WaveRecord, WrongState, get
from surveys.slips import SlipCode
from surveys.stores import StoreSettings, close_stores, open_stores
from tests import once
from tests.conftest import DAY, WAVE
from tests.rights import right
from tests.simulation import dying
from tests.simulation.dying import Died
from tests.simulation.prepared import folder_before
from tests.urn import spent

REFUSED = (PlanRefused, WrongState, printing.TooManySlips)
FOLLOWS = {
    State.OPEN: {State.OPEN, State.ENDED, State.CANCELLED},
    State.ENDED: {State.ENDED, State.OPEN, State.CLOSED, State.TOO_FEW, State.CANCELLED},
}
deaths = st.none() | st.integers(0, 24)
seeds = st.integers(0, 2**20)


class Life(RuleBasedStateMachine):
    """One survey from its opening to its end."""

    @initialize(slips=st.sampled_from((0, 30)), sheets=st.sampled_from((0, 4, 14)), ended=st.booleans())
    def opened(self, slips: int, sheets: int, ended: bool) -> None:
        self.folder, self.loop, self.day = Path(mkdtemp(prefix="life-")), asyncio.new_event_loop(), DAY
        shutil.copytree(once.made("before opened", partial(folder_before, "opened")), self.folder, dirs_exist_ok=True)
        self.printed: dict[int, list[SlipCode]] = {}
        self.answered: set[SlipCode] = set()
        self.ended = self.attempts = 0
        look(self.folder / "data", self.day)
        self._begin()
        self.state = State.OPEN
        if slips:
            self.prints(slips, None, 0)
            for code in self.printed[1][:sheets]:
                self._answer(code)
        if slips and ended:
            self.day = DAY + timedelta(days=15)
            self.take(lambda: closing.end_due(self.site("ascolto")), None, 0)
            look(self.folder / "data", DAY + timedelta(days=7))
            look(self.folder / "data", DAY + timedelta(days=14))

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self._close()
            self.loop.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- the process, and its death ---

    def run[T](self, story: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(story)

    def _begin(self) -> None:
        settings = StoreSettings(self.folder / "data")

        async def story() -> None:
            self.engines = await open_stores(settings)
            self.urn = Urn(self.engines["answers"])
            self.urn.start()

        self.run(story())

    def _close(self) -> None:
        async def story() -> None:
            await self.urn.stop()
            await close_stores(self.engines)

        self.run(story())

    def site(self, actor: str = "hr") -> Site:
        return Site(self.engines, self.folder / "data", self.day, actor)

    def take(self, step: Callable[[], Awaitable[object]], death: int | None, seed: int) -> object:
        """Take a step, which may be refused, and may die; then another process begins, and its jobs look once."""
        dying.begin(death, seed)
        given: object = None
        try:
            with suppress(*REFUSED):
                given = self.run(_of(step))
        except Died:
            dying.end()
            self._close()
            for half in (self.folder / "data" / "keys").glob(f"*.{os.getpid()}.partial"):
                half.rename(half.with_name(half.name.replace(f".{os.getpid()}.", ".999999999.")))
            self._begin()
        dying.end()
        self.run(resuming.resume(self.site("ascolto")))
        self._follow()
        return given

    def _follow(self) -> None:
        """A wave goes from state to state as it may, and what was printed can be printed again."""
        now = self.run(get(WAVE)).state
        assert now == self.state or now in FOLLOWS.get(self.state, set()), f"{self.state} became {now}"
        self.ended += now != self.state and self.state == State.OPEN and now == State.ENDED
        self.state = now
        for batch in self.run(batches.of_wave(WAVE)):
            if batch.number not in self.printed:  # it died before it gave its codes
                self.printed[batch.number] = self.run(printing.again(self.site(), WAVE, batch.number))

    # --- what people do ---

    @rule(count=st.integers(1, 40), death=deaths, seed=seeds)
    def prints(self, count: int, death: int | None, seed: int) -> None:
        self.take(lambda: printing.print_slips(self.site(), WAVE, count), death, seed)

    @rule(counts=st.tuples(st.integers(1, 40), st.integers(1, 40)), seed=seeds)
    def two_print(self, counts: tuple[int, int], seed: int) -> None:
        self.take(lambda: _both(*(printing.print_slips(self.site(), WAVE, count) for count in counts)), None, seed)

    @rule(number=st.integers(1, 3), death=deaths, seed=seeds)
    def hands_over(self, number: int, death: int | None, seed: int) -> None:
        self.take(lambda: printing.hand_over(self.site(), WAVE, number), death, seed)

    @rule(number=st.integers(1, 3))
    def asks_for_void(self, number: int) -> None:
        """She counts the sheets that nobody answered with, which are those that lie before her."""
        codes = self.printed.get(number, [])
        spoiled = len({*codes} - self.answered)
        self.take(lambda: two_keys.ask_void(self.site(), WAVE, number, spoiled), None, 0)

    @rule()
    def asks_for_the_end(self) -> None:
        self.take(lambda: two_keys.ask_end(self.site(), WAVE), None, 0)

    @rule(death=deaths, seed=seeds, twice=st.booleans())
    def confirms(self, death: int | None, seed: int, twice: bool) -> None:
        waiting = [act.id for act in self.run(acts.of_wave(WAVE)) if act.state == acts.ASKED]
        if waiting:
            confirm = partial(two_keys.confirm, self.site("rsu"), waiting[0])
            self.take(lambda: _both(confirm(), confirm()) if twice else confirm(), None if twice else death, seed)

    @rule(place=st.integers(0, 10**6), again=st.booleans())
    def answers(self, place: int, again: bool) -> None:
        """Somebody answers with a code that was printed: kept once, however often it is sent."""
        codes = [code for number in sorted(self.printed) for code in self.printed[number]]
        if codes:
            for _ in range(1 + again):
                self._answer(codes[place % len(codes)])

    @rule()
    def confirms_what_she_asked_for_herself(self) -> None:
        before = [act for act in self.run(acts.of_wave(WAVE)) if act.state == acts.ASKED]
        for act in before:
            self.take(partial(two_keys.confirm, self.site("hr"), act.id), None, 0)
        assert [act for act in self.run(acts.of_wave(WAVE)) if act.state == acts.ASKED] == before

    @rule(seed=seeds)
    @precondition(lambda self: any(self.printed.values()))
    def answers_while_one_confirms(self, seed: int) -> None:
        dice, codes = random.Random(seed), [code for number in sorted(self.printed) for code in self.printed[number]]
        waiting = [act.id for act in self.run(acts.of_wave(WAVE)) if act.state == acts.ASKED]
        chosen = dice.sample(codes, min(4, len(codes)))
        received: list[Receipt] = []

        async def sent(code: SlipCode) -> None:
            received.append(await self._put(code))

        confirmed = [two_keys.confirm(self.site("rsu"), act) for act in waiting[:1]]
        self.take(lambda: _both(*map(sent, chosen), *confirmed), None, seed)
        there = set(self.run(urn_of.spent_digests(WAVE)))
        kept = {code for code in codes if spent(code).hex() in there}
        assert len(kept - self.answered) <= received.count(Receipt.RECEIVED)
        self.answered |= kept

    def _answer(self, code: SlipCode) -> None:
        receipt = self.run(self._put(code))
        takes = self.state in (State.OPEN, State.ENDED)
        void = {batch.number for batch in self.run(batches.of_wave(WAVE)) if batch.state == batches.VOID}
        valid = takes and not any(code in self.printed[number] for number in void)
        if code in self.answered:
            assert receipt in (Receipt.USED, Receipt.RECEIVED) or not takes
        else:
            assert (receipt == Receipt.RECEIVED) == valid, f"{receipt} in a wave that is {self.state}, void {void}"
        if receipt == Receipt.RECEIVED:
            self.answered.add(code)

    async def _put(self, code: SlipCode) -> Receipt:
        self.attempts += 1
        return await self.urn.put(right(WAVE, spent(code)), self.attempts.to_bytes(16), b"s" * ENVELOPE_BYTES)

    @rule(more=st.integers(1, 30), death=deaths, seed=seeds)
    def extends(self, more: int, death: int | None, seed: int) -> None:
        self.take(lambda: closing.extend(self.site(), WAVE, self.day + timedelta(days=more)), death, seed)

    @rule(days=st.sampled_from((1, 1, 3, 7, 400, -30)), death=deaths, seed=seeds)
    def a_day_comes(self, days: int, death: int | None, seed: int) -> None:
        """The jobs look on another day; a clock that jumps ends nothing."""
        before, was = self.day, self.state
        self.day += timedelta(days=days)
        believed = look(self.folder / "data", self.day).is_believed
        ends = self.run(get(WAVE)).ends
        if believed:
            self.take(lambda: closing.end_due(self.site("ascolto")), death, seed)
        assert abs(days) <= 7 or not believed
        if was == State.OPEN and self.state == State.ENDED:
            assert ends is not None and self.day > ends, "it ended before its last day was over"
        if not believed:
            self.day = before
            look(self.folder / "data", self.day)

    @rule(unused=st.integers(0, 60), right_number=st.booleans(), death=deaths, seed=seeds)
    @precondition(lambda self: self.state == State.ENDED)
    def closes(self, unused: int, right_number: bool, death: int | None, seed: int) -> None:
        record = self.run(get(WAVE))
        number = max(0, record.slips - len(self.answered)) if right_number else unused
        self.take(lambda: closing.close(self.site(), WAVE, unused_slips=number), death, seed)
        if self.state in (State.CLOSED, State.TOO_FEW):
            self._closed(self.run(get(WAVE)))

    def _closed(self, record: WaveRecord) -> None:
        published = self.run(releases.bulletin(WAVE))
        assert published is not None
        counts, digests = published
        void = sum(batch.voided for batch in self.run(batches.of_wave(WAVE)))
        assert digests == sorted(spent(code).hex() for code in self.answered), "an answer is lost, or there is one more"
        assert counts["received"] == len(self.answered) <= counts["drawn"] == record.drawn
        assert self.state == State.TOO_FEW or counts.get("void_slips", 0) == void
        assert (self.state == State.TOO_FEW) == (len(self.answered) < closing.TOO_FEW)

    @rule(death=deaths, seed=seeds, sure=st.integers(0, 3))
    def cancels(self, death: int | None, seed: int, sure: int) -> None:
        if sure == 0:
            self.take(lambda: closing.cancel(self.site(), WAVE), death, seed)

    # --- what must be true ---

    @invariant()
    def nothing_is_left_half_done(self) -> None:
        if hasattr(self, "state"):
            assert [str(one) for one in self.run(leftovers(self.site()))] == []

    @invariant()
    def every_answer_lies_there_once(self) -> None:
        if hasattr(self, "state") and self.state in (State.OPEN, State.ENDED, State.CLOSED):
            assert self.run(urn_of.spent_digests(WAVE)) == sorted(spent(code).hex() for code in self.answered)

    @invariant()
    def slips_are_counted_with_their_codes(self) -> None:
        if not hasattr(self, "state") or self.state not in (State.OPEN, State.ENDED):
            return
        there, record = self.run(batches.of_wave(WAVE)), self.run(get(WAVE))
        assert record.slips == batches.drawable(there)
        assert {batch.number: batch.slips for batch in there} == {n: len(codes) for n, codes in self.printed.items()}
        for batch in there:
            assert 0 <= batch.voided <= batch.slips and bool(batch.voided) == (batch.state == batches.VOID)
        codes = [code for printed in self.printed.values() for code in printed]
        assert len({*codes}) == len(codes)
        again = {path.name.rpartition("-")[2] for path in seed_paths(self.folder / "data", WAVE)}
        assert again == {str(batch.number) for batch in there if batch.state == batches.PRINTED}

    @invariant()
    def the_log_tells_each_step_once(self) -> None:
        if not hasattr(self, "state"):
            return
        told = self.run(log.read())
        assert all(act.intact for act in told)
        names = [act.act for act in told]
        there, record = self.run(batches.of_wave(WAVE)), self.run(get(WAVE))
        assert names.count("wave ended") == self.ended and names.count("wave extended") == len(record.extensions)
        over = {"closed": State.CLOSED, "too few": State.TOO_FEW, "cancelled": State.CANCELLED}
        assert {name for name in over if f"wave {name}" in names} == {n for n, s in over.items() if s == self.state}
        assert names.count("urn destroyed") == (self.state in (State.TOO_FEW, State.CANCELLED))
        if self.state in (State.OPEN, State.ENDED):
            assert names.count("slips printed") == len(there)
            assert names.count("slips void") == sum(batch.state == batches.VOID for batch in there)
            assert names.count("slips handed over") == sum(batch.state == batches.HANDED for batch in there)


async def _of(step: Callable[[], Awaitable[object]]) -> object:
    return await step()


async def _both(*steps: Awaitable[object]) -> None:
    """Two at once; one that is refused changes nothing, and takes no other with it."""
    for problem in await asyncio.gather(*steps, return_exceptions=True):
        if isinstance(problem, BaseException) and not isinstance(problem, REFUSED):
            raise problem
