"""Waves as records: their state, and what is frozen when they open."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec

from surveys import cells
from surveys.engines import StoreEngine
from surveys.odd import StoreOdd, reading
from surveys.public.tables import Wave


class State(StrEnum):
    """Where a wave is in its story (PRIVACY, closing and releasing)."""

    DRAFT = "draft"
    PLANNED = "planned"
    READY = "ready"
    """Its plan is signed, and each holder has confirmed that she stands in it."""
    OPEN = "open"
    ENDED = "ended"
    CLOSED = "closed"
    RELEASED = "released"
    TOO_FEW = "too few"
    CANCELLED = "cancelled"


class NoSuchWave(LookupError):
    """No wave has this id."""


class WrongState(Exception):
    """The wave is not in a state from which this step leads on."""

    def __init__(self, wave: str, state: State, wanted: tuple[State, ...]) -> None:
        super().__init__(f"wave {wave} is {state}, needed: {', '.join(wanted)}")
        self.wave, self.state, self.wanted = wave, state, wanted


@dataclass(frozen=True, slots=True)
class WaveRecord:
    """One wave. `questionnaire`, `plan`, `rules` and `holders` are plain JSON as frozen.

    `signed_plan` is the plan of version 2 with its signatures, as its file holds it, and `confirmations` what each holder
    signed of it, by seat. `token_key` verifies tokens. `seal_key` and `phone_key` sealed sheets of waves of version 1.
    """

    id: str
    title: Mapping[str, str]
    state: State
    starts: date | None = None
    ends: date | None = None
    opened: date | None = None
    closed: date | None = None
    released: date | None = None
    origin: str = "ascolto"
    panel: Mapping[str, Any] = field(default_factory=dict)
    questionnaire: Mapping[str, Any] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)
    headcount_bands: Mapping[str, str] = field(default_factory=dict)
    messages: Mapping[str, Any] = field(default_factory=dict)
    holders: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    signed_plan: str = ""
    confirmations: Mapping[str, str] = field(default_factory=dict)
    seal_key: bytes = b""
    phone_key: bytes = b""
    token_key: bytes = b""
    invited: int = 0
    slips: int = 0
    drawn: int = 0
    received_tens: int | None = None
    received_on: date | None = None
    extensions: tuple[Mapping[str, str], ...] = ()
    read_on: date | None = None
    """The day on which HR first opened its results."""

    def holder_keys(self) -> dict[str, bytes]:
        """Version 1: the public keys of the holders who have made their secrets; not of the team that reads comments."""
        return {seat: bytes.fromhex(holder["key"]) for seat, holder in self.holders.items() if seat != "guarantee"}

    def statements(self) -> dict[str, str]:
        """What each holder said of herself and signed, by seat."""
        return {seat: holder["statement"] for seat, holder in self.holders.items() if "statement" in holder}


_JSON = (
    "title",
    "panel",
    "plan",
    "rules",
    "headcount_bands",
    "messages",
    "holders",
    "confirmations",
    "extensions",
)


def _from_row(row: Mapping[str, Any]) -> WaveRecord:
    """A wave of a row.

    Raises
    ------
    StoreOdd
    """
    with reading("wave"):
        return _record(row)


def _record(row: Mapping[str, Any]) -> WaveRecord:
    values = {f.name: row[f.name] for f in fields(WaveRecord)}
    if not isinstance(row["id"], str):
        raise TypeError("a wave without a name")
    for name in _JSON:
        values[name] = _read(values[name], list if name == "extensions" else dict)
    values["questionnaire"] = _questions(values["questionnaire"])
    values["extensions"] = tuple(values["extensions"])
    if not all(isinstance(holder, dict) for holder in values["holders"].values()):
        raise TypeError("a holder of another shape")
    values["state"] = State(values["state"])
    for name in ("seal_key", "phone_key", "token_key"):
        values[name] = bytes(values[name] or b"")  # SQLite gives '' where a migration added the column
    return WaveRecord(**values)


def _read(text: Any, kind: type[dict[str, Any] | list[Any]]) -> dict[str, Any] | list[Any]:
    """A column of a row; what has another shape than in any wave is nothing, which no plan says."""
    try:
        found = msgspec.json.decode(text)
    except (TypeError, ValueError, msgspec.MsgspecError):
        return kind()
    return found if isinstance(found, kind) else kind()


@lru_cache(maxsize=8)
def _questions(text: Any) -> Mapping[str, Any]:
    """What a wave asks: by far the longest column, the same in every wave and on every page, and nothing of anybody. Nobody changes it."""
    return dict(_read(text, dict))


def _to_columns(record: WaveRecord) -> dict[str, Any]:
    values = {f.name: getattr(record, f.name) for f in fields(WaveRecord)}
    for name in (*_JSON, "questionnaire"):
        values[name] = json.dumps(values[name], ensure_ascii=False)
    values["state"] = str(record.state)
    return values


async def add(engine: StoreEngine, record: WaveRecord) -> None:
    await Wave.insert(Wave(**_to_columns(record)))


async def get(wave: str) -> WaveRecord:
    """Read one wave.

    Raises
    ------
    NoSuchWave
    """
    row = await Wave.select().where(Wave.id == wave).first()
    if row is None:
        raise NoSuchWave(wave)
    return _from_row(row)


async def everything() -> list[WaveRecord]:
    """All waves, newest first."""
    return _newest_first(_from_row(row) for row in await Wave.select())


def _newest_first(waves: Iterable[WaveRecord]) -> list[WaveRecord]:
    return sorted(waves, key=lambda wave: (wave.starts or wave.opened or date.min, wave.id), reverse=True)


async def look() -> tuple[list[WaveRecord], tuple[str, ...]]:
    """All waves that can be read, newest first, and the ids of those that cannot be: for lists, never to decide by."""
    found, odd = [], []
    for name in [row["id"] for row in await cells.read(Wave, *(f.name for f in fields(WaveRecord) if f.name != "id"))]:
        try:
            found.append(await get(name or ""))
        except (NoSuchWave, StoreOdd):
            odd.append(name or "?")
    return _newest_first(found), tuple(sorted(odd))


async def in_state(*states: State) -> list[WaveRecord]:
    rows = await Wave.select().where(Wave.state.is_in([str(state) for state in states]))
    return [_from_row(row) for row in rows]


async def states(*wanted: State) -> dict[str, State]:
    """Waves in one of these states by id: a look that reads no frozen text."""
    rows = await Wave.select(Wave.id, Wave.state).where(Wave.state.is_in([str(state) for state in wanted]))
    return {str(row["id"]): State(row["state"]) for row in rows}


async def is_released(wave: str) -> bool:
    """Whether there is such a wave, and its results are published."""
    return bool(await Wave.exists().where((Wave.id == wave) & (Wave.state == str(State.RELEASED))))


async def open_ids() -> list[str]:
    """The ids of open waves: a look that reads no frozen text."""
    return [str(row["id"]) for row in await Wave.select(Wave.id).where(Wave.state == str(State.OPEN))]


async def held(wave: str) -> WaveRecord:
    """Read one wave inside a transaction, whose end lets others change it.

    Raises
    ------
    NoSuchWave
    """
    await Wave.update({Wave.state: Wave.state}).where(Wave.id == wave)
    return await get(wave)


async def first_read(wave: str, day: date) -> None:
    """Note the day on which HR first opened the results of a released wave; later days change nothing."""
    unread = (Wave.id == wave) & (Wave.state == str(State.RELEASED)) & Wave.read_on.is_null()
    await Wave.update({Wave.read_on: day}).where(unread)


async def change(engine: StoreEngine, wave: str, *from_states: State, **new: Any) -> WaveRecord:
    """Change a wave, only if it is still in one of these states; two processes cannot both succeed.

    A new value may be a function of the record as it stands in that moment: what another one wrote just before stays.

    Raises
    ------
    NoSuchWave, WrongState
    """
    async with engine.transaction():
        before = await held(wave)
        if before.state not in from_states:
            raise WrongState(wave, before.state, from_states)
        after = replace(before, **{name: value(before) if callable(value) else value for name, value in new.items()})
        columns = _to_columns(after)
        changed = (
            await Wave.update({name: columns[name] for name in new})
            .where((Wave.id == wave) & (Wave.state == str(before.state)))
            .returning(Wave.id)
        )
        if len(changed) != 1:
            raise WrongState(wave, (await get(wave)).state, from_states)
    return after
