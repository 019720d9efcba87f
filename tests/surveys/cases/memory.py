"""A case in memory as a server would keep it, with people who act on it: for the rules of the fold, without a store."""

import base64
import random
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest

from surveys.cases import acts, codes, letters
from surveys.cases.acts import Change, Reporter
from surveys.cases.bundles import HandlerKeys
from surveys.cases.codes import CodeKeys, Secret
from surveys.cases.letters import REPORTER, Author
from surveys.cases.opening import handler, open_case
from surveys.cases.sealed_case import OpenedCase, SealedCase, SealedEpochRow, SealedLetter
from surveys.cases.sealing import public_of, recipient_of
from surveys.public import house, rings, statements
from surveys.public.house import HouseFile
from surveys.public.rings import Chain, RecoveryHolder, Ring, Wanted
from tests.surveys.cases import desk_side

DAY = date(2026, 11, 25)
INSIDE = ("anna", "bruno", "carla")
OUTSIDE = "esterna"
ALL = (*INSIDE, OUTSIDE)
NO_CODE = Secret(b"")


def dice_of(seed: int) -> Callable[[int], bytes]:
    return random.Random(seed).randbytes


@dataclass
class World:
    """An anchored installation: the house, its seats' seeds, handlers with keys, and the chain of rings."""

    dice: Callable[[int], bytes]
    seats: dict[str, bytes] = field(default_factory=dict)
    keys: dict[str, HandlerKeys] = field(default_factory=dict)
    holders: dict[str, bytes] = field(default_factory=dict)
    found: list[Ring] = field(default_factory=list)
    day: date = DAY
    shown: dict[str, str] = field(default_factory=dict)
    """Names that people see, where they are not the account's."""
    install: str = ""
    """The key of the installation in hex; one of its own where nothing asks whose it is."""
    anchor: HouseFile = field(init=False)

    def __post_init__(self) -> None:
        self.seats = {seat: self.dice(32) for seat in house.SEATS}
        self.keys = {name: self.new_keys() for name in ALL}
        self.holders = {seat: self.dice(32) for seat in rings.RECOVERY_SEATS}
        publics = {seat: public_of(seed) for seat, seed in self.seats.items()}
        self.anchor = house.draft(self.install or self.dice(32).hex(), bytes(range(16)).hex(), publics)
        self.ring_of(ALL, self.day)

    def new_keys(self) -> HandlerKeys:
        return HandlerKeys(self.dice(32), self.dice(32))

    def statement(self, name: str, on: date = DAY, keys: HandlerKeys | None = None) -> str:
        mine = keys or self.keys[name]
        return statements.state(
            self.anchor, name, self.shown.get(name, name.title()), (mine.recipient, mine.signer, mine.ed25519), on
        )

    def ring_of(self, names: Collection[str], on: date = DAY, *, signers: Collection[str] = ("legal", "staff")) -> Ring:
        """Sign and add the next ring."""
        wanted = [Wanted(self.statement(name, on), {"it": "persona di fiducia"}, name == OUTSIDE) for name in names]
        recovery = [RecoveryHolder(seat, f"Custode {seat}", recipient_of(seed)) for seat, seed in self.holders.items()]
        before = self.found[-1] if self.found else None
        text = rings.draft(self.anchor, on, wanted, recovery, before=before)
        self.found.append(
            rings.verify(text, [rings.sign(text, self.seats[seat]) for seat in signers], self.anchor, before)
        )
        return self.found[-1]

    @property
    def ring(self) -> Ring:
        return self.found[-1]

    @property
    def chain(self) -> Chain:
        return Chain(tuple(self.found), None)

    def author(self, name: str) -> Author:
        return Author(name, self.keys[name].ed25519)


@dataclass
class Kept:
    """The rows of one case."""

    world: World
    me: Reporter
    secret: Secret = NO_CODE
    epochs: list[dict[str, Any]] = field(default_factory=list)
    rows: list[SealedLetter] = field(default_factory=list)
    day: date = DAY

    def take(self, sent: Mapping[str, Any], epochs: Collection[Mapping[str, Any]] = ()) -> None:
        """Keep what somebody sends, as a server that follows the rules would."""
        for epoch in epochs:
            self.epochs.append(
                {
                    **epoch,
                    "wraps": {n: base64.b64decode(w) for n, w in epoch["wraps"].items()},
                    "link": base64.b64decode(epoch["link"]),
                    "at": 0 if _older else sent["number"],
                }
            )
        self.rows.append(
            SealedLetter(sent["stream"], sent["number"], sent.get("epoch", 1), base64.b64decode(sent["sealed"]))
        )

    def sealed(self, name: str) -> SealedCase:
        epochs = [
            SealedEpochRow(e["stream"], e["number"], e["wraps"].get(name, b""), e["link"], e.get("at", 0))
            for e in self.epochs
        ]
        return SealedCase(self.me.case, epochs, list(self.rows))

    def opened(self, name: str, keys: HandlerKeys | None = None) -> OpenedCase:
        party = self.me.party if name == REPORTER else handler(name, (keys or self.world.keys[name]).identity)
        return open_case(self.sealed(name), party, self.world.anchor.hash, self.world.chain)

    def write(
        self, name: str, kind: str, text: str = "", terms: Mapping[str, Any] | None = None, **content: Any
    ) -> str:
        """Write as somebody's device does; gives the letter's hash."""
        opened = self.opened(name)
        assert opened.fold is not None and not opened.problem, opened.problem
        author = self.me.author if name == REPORTER else self.world.author(name)
        self.take(
            acts.letter(
                opened.fold, self.world.ring, author, kind, {"text": text, **content}, self.day, self.world.dice, terms
            )
        )
        after = self.opened(REPORTER)
        return after.fold.heads[-1] if after.fold else ""

    def change(self, name: str, readers: Collection[Mapping[str, str]], asked: str = "", recovery: Any = None) -> None:
        opened = self.opened(name)
        assert opened.fold is not None
        wanted = Change(list(readers), opened.fold.recovery if recovery is None else recovery, asked)
        made = acts.change(opened, self.world.ring, self.world.author(name), wanted, self.day, self.world.dice)
        self.take(made["letter"], made["epochs"])

    def note(self, name: str, text: str) -> None:
        opened = self.opened(name)
        made = acts.note(
            opened, self.world.ring, self.world.author(name), "note", {"text": text}, self.day, self.world.dice
        )
        self.take(made, made["epochs"])

    def later(self, days: int) -> None:
        self.day += timedelta(days=days)


def new_secret(world: World) -> Secret:
    return Secret((int.from_bytes(world.dice(11)) >> 4).to_bytes(11))


def code(world: World) -> CodeKeys:
    return codes.derive(new_secret(world), bytes.fromhex(world.anchor.salt))


def report(world: World, text: str = "parole", out: Collection[str] = ()) -> Kept:
    """A report that was sent."""
    secret = new_secret(world)
    me = Reporter(codes.derive(secret, bytes.fromhex(world.anchor.salt)))
    sent = acts.report(me, world.ring, world.anchor.hash, out, {"text": text}, DAY, world.dice)
    kept = Kept(world, me, secret)
    kept.take({"stream": "thread", "number": 1, "sealed": sent["letters"][0]}, sent["epochs"])
    return kept


def readers_but(kept: Kept, *names: str) -> list[dict[str, str]]:
    fold = kept.opened(REPORTER).fold
    assert fold is not None
    return [dict(one) for name, one in sorted(fold.readers.items()) if name not in names]


def asked(kept: Kept, name: str, readers: list[dict[str, str]]) -> str:
    fold = kept.opened(name).fold
    assert fold is not None
    payload = desk_side.ask_payload(fold, kept.world.ring, readers, name)
    return kept.write(name, "ask", "chiedo", {"what": "change", "payload": acts.hash_of(payload)}, payload=payload)


def hide_notes(kept: Kept) -> tuple[list[Any], list[Any]]:
    """What somebody who writes the store puts aside; gives what was there."""
    there = (list(kept.rows), list(kept.epochs))
    kept.rows[:] = [row for row in kept.rows if row.stream != "notes"]
    kept.epochs[:] = [one for one in kept.epochs if one["stream"] != "notes"]
    return there


def put_back(kept: Kept, there: tuple[list[Any], list[Any]]) -> None:
    kept.rows += [row for row in there[0] if row.stream == "notes"]
    kept.epochs += [one for one in there[1] if one["stream"] == "notes"]


def without(terms: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {other: value for other, value in terms.items() if other != name}


_older = False


@contextmanager
def older_changes() -> Iterator[None]:
    """Changes of keys are written and kept as they were before 1 December 2026, when nothing was said of notes, nor which letter
    brought an epoch."""
    global _older
    _older, write = True, letters.write

    def older(
        place: letters.Place, author: Author, kind: str, on: str, content: Any, salt: bytes, terms: Any = None
    ) -> tuple[str, str]:
        return write(place, author, kind, on, content, salt, without(terms or {}, "noted"))

    letters.write = older
    try:
        yield
    finally:
        letters.write, _older = write, False


def old_change(kept: Kept, name: str, readers: list[dict[str, str]], ask: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of keys as it was written where no notes were seen: without a key for them."""
    with monkeypatch.context() as patch:
        write = letters.write

        def older(
            place: letters.Place,
            author: Author,
            kind: str,
            on: str,
            content: Any,
            salt: bytes,
            terms: Mapping[str, Any],
        ) -> tuple[str, str]:
            return write(place, author, kind, on, content, salt, {**without(terms, "noted"), "notes": ""})

        patch.setattr(letters, "write", older)
        opened = kept.opened(name)
        assert opened.fold is not None
        made = acts.change(
            opened,
            kept.world.ring,
            kept.world.author(name),
            acts.Change(readers, opened.fold.recovery, ask),
            DAY,
            kept.world.dice,
        )
    kept.take(made["letter"], made["epochs"][:1])


def broken_letter(opened: OpenedCase, world: World, name: str, number: int) -> dict[str, Any]:
    """What somebody's desk writes to go back before the newest change, whose keys failed her."""
    assert opened.fold is not None
    back = opened.fold.undo[opened.fold.act]
    place = letters.Place(
        opened.fold.house,
        opened.fold.case,
        opened.fold.start,
        "thread",
        number,
        opened.fold.act,
        back.epoch,
        back.to,
        world.ring.number,
        world.ring.hash,
    )
    plain, _ = letters.write(
        place, world.author(name), "broken", DAY.isoformat(), {"text": ""}, world.dice(32), {"change": opened.fold.act}
    )
    return {
        "stream": "thread",
        "number": number,
        "sealed": base64.b64encode(letters.seal(plain, back.to)).decode(),
        "epoch": back.epoch,
    }


def broken(kept: Kept, name: str) -> None:
    """Somebody's desk goes back before the newest change alone, as desks did before 1 December 2026."""
    number = 1 + sum(row.stream == "thread" for row in kept.rows)
    kept.take(broken_letter(kept.opened(name), kept.world, name, number))


def fails(kept: Kept, name: str) -> None:
    """Somebody says that the keys of the newest change she sees do not open for her."""
    opened, rows = kept.opened(name), sum(row.stream == "thread" for row in kept.rows)
    author = kept.me.author if name == REPORTER else kept.world.author(name)
    kept.take(acts.fails(opened, kept.world.ring, author, rows, kept.day, kept.world.dice))


def muted(kept: Kept, maker: str, names: Collection[str]) -> None:
    """A change of keys whose wraps are noise for some."""
    opened = kept.opened(maker)
    assert opened.fold is not None
    made = acts.change(
        opened,
        kept.world.ring,
        kept.world.author(maker),
        Change(readers_but(kept), opened.fold.recovery),
        kept.day,
        kept.world.dice,
    )
    for epoch in made["epochs"]:
        epoch["wraps"] |= {name: base64.b64encode(kept.world.dice(2248)).decode() for name in names}
    kept.take(made["letter"], made["epochs"])
