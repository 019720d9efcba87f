"""Faults to plant: each is what somebody could write by mistake, and the lives of `life` must find every one."""

from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import pytest

from surveys.answers import batches, filling
from surveys.answers import wave as urn_of
from surveys.answers.tables import Slip, SlipBatch
from surveys.lifecycle import clock, closing, printing, resuming, steps, two_keys
from surveys.people import links, log
from surveys.people import steps as rows
from surveys.people import two_keys as acts
from surveys.people.tables import StepBegun
from surveys.public import waves
from surveys.public.waves import State
from surveys.slips import row_key

type Patch = pytest.MonkeyPatch


async def _nothing(*_: Any, **__: Any) -> None:
    return None


def _do_nothing(*_: Any, **__: Any) -> None:
    return None


def _no_resuming(patch: Patch) -> None:
    patch.setattr(resuming, "resume", _nothing)


def _steps_not_held(patch: Patch) -> None:
    @asynccontextmanager
    async def free(*_: Any, **__: Any) -> Any:
        yield

    patch.setattr(steps, "alone", free)


def _step_said_twice(patch: Patch) -> None:
    async def say(engine: Any, step: Any, act: str, **details: str) -> None:
        await log.record(engine, step.day, step.actor, act, **details)

    patch.setattr(rows, "say", say)


def _row_gone_before_its_act(patch: Patch) -> None:
    async def over(engine: Any, step: Any, act: str = "", **details: str) -> None:
        row = await StepBegun.select(StepBegun.said).where(StepBegun.id == step.key).first()
        await StepBegun.delete().where(StepBegun.id == step.key)
        if act and row and not row["said"]:
            await log.record(engine, step.day, step.actor, act, **details)

    patch.setattr(rows, "over", over)


def _row_written_after_the_step(patch: Patch) -> None:
    plain = steps._do

    async def do(site: Any, step: Any) -> None:
        await StepBegun.delete().where(StepBegun.id == step.key)
        await plain(site, step)
        await log.record(site.engines["people"], step.day, step.actor, _ACT.get(step.name, "?"), wave=step.wave)

    patch.setattr(steps, "_do", do)


_ACT = {"end": "wave ended", "extend": "wave extended", "slips": "slips printed", "void": "slips void"}


def _batch_and_codes_in_two_commits(patch: Patch) -> None:
    async def keep(engine: Any, wave: str, number: int, codes: Any, day: Any, **named: Any) -> None:
        digests = batches._digests(codes, False)
        await Slip.insert(*(Slip(id=row_key(of), wave=wave, digest=bytes(of)) for of in digests))
        await SlipBatch.insert(batches._row(wave, number, len(digests), batches.PRINTED, day))

    patch.setattr(batches, "keep", keep)


def _slips_counted_by_hand(patch: Patch) -> None:
    async def count(site: Any, wave: str) -> None:
        record = await waves.get(wave)
        last = (await batches.of_wave(wave))[-1]
        await waves.change(site.engines["public"], wave, State.OPEN, slips=record.slips + last.slips)

    patch.setattr(printing, "_count", count)


def _seed_drawn_again(patch: Patch) -> None:
    def keep(path: Any, content: bytes) -> bool:
        path.write_bytes(content)
        return True

    patch.setattr(printing, "keep_once", keep)


def _void_leaves_the_slips(patch: Patch) -> None:
    async def void(engine: Any, wave: str, number: int, codes: Any, spoiled: int, **_: Any) -> None:
        async with engine.transaction():
            await SlipBatch.update({SlipBatch.state: batches.VOID, SlipBatch.voided: spoiled}).where(
                SlipBatch.id == batches._key(wave, number)
            )

    patch.setattr(batches, "make_void", void)


def _handed_over_keeps_its_seed(patch: Patch) -> None:
    patch.setattr(printing, "destroy_file", _do_nothing)


def _closing_keeps_seeds(patch: Patch) -> None:
    patch.setattr(closing, "destroy_seeds", _do_nothing)


def _closing_keeps_the_slips(patch: Patch) -> None:
    patch.setattr(urn_of, "withdraw_slips", _nothing)


def _urn_stays_when_the_wave_is_over(patch: Patch) -> None:
    patch.setattr(urn_of, "destroy", _nothing)


def _one_key_for_two(patch: Patch) -> None:
    async def asked(_: Any, act: int) -> Any:
        return await acts.find(act)

    patch.setattr(two_keys, "_asked_of_another", asked)


def _extended_twice(patch: Patch) -> None:
    async def extend(site: Any, step: Any) -> None:
        ends = date.fromisoformat(step.details["ends"])
        await waves.change(
            site.engines["public"],
            step.wave,
            State.OPEN,
            State.ENDED,
            state=State.OPEN,
            ends=ends,
            extensions=lambda record: (*record.extensions, {"after": step.details["ends"]}),
        )
        await steps.over(site, step, "wave extended", wave=step.wave, ends=step.details["ends"])

    patch.setitem(steps._PARTS, "extend", (extend, (waves.WrongState,)))


def _number_of_slips_not_checked(patch: Patch) -> None:
    async def count(record: Any, unused: int) -> tuple[int, int, int]:
        return await urn_of.received(record.id), await links.issued(record.id), record.slips - unused

    patch.setattr(closing, "_count", count)


def _ends_a_day_early(patch: Patch) -> None:
    async def end_due(site: Any) -> None:
        for wave in await waves.in_state(State.OPEN):
            if wave.ends and site.day >= wave.ends:
                await closing.end(site, wave.id)

    patch.setattr(closing, "end_due", end_due)


def _any_clock_believed(patch: Patch) -> None:
    patch.setattr(clock.Seen, "is_believed", property(lambda _: True))


def _confirmed_twice(patch: Patch) -> None:
    async def settle(*_: Any, **__: Any) -> bool:
        return True

    patch.setattr(acts, "settle", settle)


def _one_key_for_the_end(patch: Patch) -> None:
    async def ask(site: Any, wave: str) -> None:
        await closing.end(site, wave)

    patch.setattr(two_keys, "ask_end", ask)


def _same_code_twice(patch: Patch) -> None:
    plain = filling._decide
    patch.setattr(filling, "_decide", lambda sheets, _, slips, gates: plain(sheets, {}, slips, gates))


PLANTED: dict[str, Callable[[Patch], None]] = {
    "nothing that was cut off is finished": _no_resuming,
    "two steps of a wave at once": _steps_not_held,
    "an act told each time its step runs": _step_said_twice,
    "the row of a step gone before its act": _row_gone_before_its_act,
    "a step that writes nothing down before": _row_written_after_the_step,
    "a batch and its codes in two commits": _batch_and_codes_in_two_commits,
    "slips counted by adding": _slips_counted_by_hand,
    "another seed when a batch is resumed": _seed_drawn_again,
    "void slips still answer": _void_leaves_the_slips,
    "a batch handed over keeps its seed": _handed_over_keeps_its_seed,
    "a closing keeps seeds": _closing_keeps_seeds,
    "a closing keeps the slips": _closing_keeps_the_slips,
    "the urn stays when all is over": _urn_stays_when_the_wave_is_over,
    "one person confirms what she asked for": _one_key_for_two,
    "an extension that is resumed stands twice": _extended_twice,
    "more sheets than codes": _number_of_slips_not_checked,
    "a wave ends a day early": _ends_a_day_early,
    "any clock is believed": _any_clock_believed,
    "an act stays asked": _confirmed_twice,
    "one person ends a wave early": _one_key_for_the_end,
    "a code answers twice": _same_code_twice,
}
