"""The steps of a wave's life that are walked: what was there before, the step as its person takes it, and what is there after it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from surveys.answers import batches
from surveys.cases import desk, standing
from surveys.cases import log as handlers_log
from surveys.cases.keeper import keeper_at
from surveys.cases.tables import Case
from surveys.lifecycle import closing, opening, printing
from surveys.lifecycle.channel import publish_ring
from surveys.lifecycle.context import Site
from surveys.lifecycle.planning import Wish, plan
from surveys.lifecycle.releasing import release_wave
from surveys.lifecycle.two_keys import ask_void, confirm
from surveys.people import roster, two_keys
from surveys.public import organisation, readers
from surveys.public.waves import State, WaveRecord, get
from tests import urn
from tests.conftest import DAY, ORGANISATION, WAVE, Opened, small_cooperative
from tests.surveys.cases.people import ALL, opened, report
from tests.surveys.test_releasing import fill

LATE = DAY + timedelta(days=15)


@dataclass(frozen=True, slots=True)
class Step:
    """A step, and the acts of the log that tell it, each exactly once."""

    before: str
    take: Callable[[Site], Awaitable[object]]
    after: State
    acts: tuple[str, ...]
    done: Callable[[Site], Awaitable[bool]] | None = None
    """Whether it happened, where the state does not say so."""


async def _release(site: Site) -> None:
    words = urn.WORDS
    await release_wave(replace(site, day=LATE), WAVE, (words["hr"], words["recovery"]), lambda _: None)


async def _extended(_: Site) -> bool:
    return bool((await get(WAVE)).extensions)


async def _voided(site: Site) -> None:
    act = (await two_keys.of_wave(WAVE))[0]
    await confirm(replace(site, actor="rappresentante"), act.id)


def _batch(number: int, state: str) -> Callable[[Site], Awaitable[bool]]:
    """Whether a batch is in a state, and the row of the wave says what may have been drawn."""

    async def found(_: Site) -> bool:
        there, record = await batches.of_wave(WAVE), await get(WAVE)
        assert record.slips == batches.drawable(there)
        return any((batch.number, batch.state) == (number, state) for batch in there)

    return found


def _late(step: Callable[[Site], Awaitable[object]]) -> Callable[[Site], Awaitable[object]]:
    return lambda site: step(replace(site, day=LATE))


def _next_ring(site: Site) -> Path:
    """The signed ring that follows, as its signers hand it over."""
    return site.data / "next-ring.json"


async def _publish(site: Site) -> None:
    given = json.loads(_next_ring(site).read_text())
    await publish_ring(site, given["text"], given["signatures"])


async def _in_use(site: Site) -> bool:
    """Whether the next ring is in use; then, and only then, nothing of whoever left is in any case, and the handlers' log tells it."""
    lists, keeper = await readers.load(site.data), keeper_at(site.data)
    assert lists.chain is not None
    in_use = len(lists.chain.rings) == 2
    seat = await desk.open_desk(site.engines["cases"], keeper, lists, site.day)
    left = [case for case in await cases_of(site) if "bruno" in await desk.holders_of(seat, case)]
    told = [line.act for line in await handlers_log.read(keeper)].count("published_keyring")
    assert (len(left), await standing.waiting_for_keys(), told) == ((0, 3, 2) if in_use else (3, 0, 1))
    return in_use


async def cases_of(site: Site) -> list[int]:
    return [int(row["id"]) for row in await Case.select(Case.id)]


STEPS = {
    "publish ring": Step("three cases", _publish, State.OPEN, (), _in_use),
    "open": Step("ready", lambda site: opening.open_wave(site, WAVE), State.OPEN, ("wave opened",)),
    "print": Step(
        "opened", lambda site: printing.print_slips(site, WAVE, 7), State.OPEN, ("slips printed",), _batch(1, "printed")
    ),
    "hand over": Step(
        "open", lambda site: printing.hand_over(site, WAVE, 1), State.OPEN, ("slips handed over",), _batch(1, "handed")
    ),
    "void": Step("void asked", _voided, State.OPEN, ("slips void",), _batch(1, "void")),
    "extend": Step(
        "open",
        lambda site: closing.extend(site, WAVE, DAY + timedelta(days=20)),
        State.OPEN,
        ("wave extended",),
        _extended,
    ),
    "end": Step("open", lambda site: closing.end(site, WAVE), State.ENDED, ("wave ended",)),
    "close": Step(
        "ended",
        _late(lambda site: closing.close(site, WAVE, unused_slips=40)),
        State.CLOSED,
        ("wave closed", "closing kept"),
    ),
    "close with too few": Step(
        "ended early",
        _late(lambda site: closing.close(site, WAVE, unused_slips=55)),
        State.TOO_FEW,
        ("wave too few", "closing kept", "urn destroyed"),
    ),
    "cancel": Step(
        "open", lambda site: closing.cancel(site, WAVE), State.CANCELLED, ("wave cancelled", "urn destroyed")
    ),
    "release": Step("closed", _release, State.RELEASED, ("wave released", "urn destroyed")),
}


async def _ready(site: Site) -> None:
    await organisation.save(site.engines["public"], ORGANISATION)
    await roster.replace(site.engines["people"], *small_cooperative(), DAY - timedelta(days=30))
    await urn.anchor(site)
    await plan(site, Wish(WAVE, {"it": "Autunno", "en": "Autumn"}, DAY, DAY + timedelta(days=14)))
    await urn.get_ready(site, WAVE)


async def _opened(site: Site) -> WaveRecord:
    await _ready(site)
    return await opening.open_wave(site, WAVE)


async def _void_asked(site: Site) -> None:
    await _open(site)
    await ask_void(site, WAVE, 1, 60)


async def _open(site: Site) -> Opened:
    record = await _opened(site)
    return Opened(record, dict(urn.WORDS), await printing.print_slips(site, WAVE, 60))


async def _ended(site: Site, sheets: int) -> None:
    await fill(site, await _open(site), sheets)
    await closing.end(replace(site, day=LATE), WAVE)


async def _closed(site: Site) -> None:
    await _ended(site, 20)
    await closing.close(replace(site, day=LATE), WAVE, unused_slips=40)


async def _three_cases(site: Site) -> None:
    made = await opened(site, ORGANISATION)
    for text in ("uno", "due", "tre"):
        await report(site, made, text)
    ring = made.ring_of([name for name in ALL if name != "bruno"], site.day)
    _next_ring(site).write_text(json.dumps({"text": ring.text, "signatures": list(ring.signatures)}))


BEFORE: dict[str, Callable[[Site], Awaitable[object]]] = {
    "three cases": _three_cases,
    "ready": _ready,
    "opened": _opened,
    "open": _open,
    "void asked": _void_asked,
    "ended": lambda site: _ended(site, 20),
    "ended early": lambda site: _ended(site, 5),
    "closed": _closed,
}
