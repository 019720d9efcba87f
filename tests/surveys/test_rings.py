"""The anchor and who reads: one house file, rings that two of three seats sign, that expire and succeed; handlers' statements."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys import signed
from surveys.lifecycle.channel import publish_ring, publish_still
from surveys.lifecycle.context import Site
from surveys.public import house as house_file
from surveys.public import readers, rings, statements
from surveys.public.house import HouseRefused, printed_from, words_of
from surveys.public.rings import LONGEST_DAYS, Wanted
from surveys.public.statements import RingRefused
from surveys.public.tables import Ring as Row
from surveys.signed import NotSigned
from tests.conftest import ORGANISATION
from tests.surveys.cases.memory import ALL, DAY, OUTSIDE, World, dice_of
from tests.surveys.cases.people import opened


@pytest.fixture
def world() -> World:
    return World(dice_of(3))


def draft(world: World, names: tuple[str, ...] = ALL, **other: Any) -> str:
    wanted = [Wanted(world.statement(name), {"it": "r"}, name == OUTSIDE) for name in names]
    return rings.draft(world.anchor, DAY, wanted, **other)


@given(st.binary(min_size=16, max_size=16))
def test_the_printed_half_is_twelve_words_and_comes_back_from_them(half: bytes) -> None:
    words = words_of(half.hex())
    assert len(words) == 12
    assert printed_from("  ".join(words).upper()) == printed_from(half.hex()) == half.hex()


def test_words_with_a_slip_are_no_house() -> None:
    words = list(words_of("00" * 16))
    for wrong in (words[:11], [*words[:11], "zuppa"], ["zebra", *words[1:]]):
        with pytest.raises(HouseRefused):
            printed_from(" ".join(wrong))


def test_a_house_file_is_made_once_and_a_damaged_one_is_refused(world: World, tmp_path: object) -> None:
    from pathlib import Path

    data = Path(str(tmp_path))
    assert house_file.load(data) is None
    house_file.keep(data, world.anchor)
    assert house_file.load(data) == world.anchor
    assert house_file.path_of(data).stat().st_mode & 0o777 == 0o600
    with pytest.raises(HouseRefused):
        house_file.keep(data, world.anchor)
    house_file.path_of(data).write_text(world.anchor.text + " ")
    with pytest.raises(HouseRefused):
        house_file.load(data)


def test_any_two_of_the_three_seats_sign_and_one_does_not(world: World) -> None:
    text = draft(world)
    one = {seat: rings.sign(text, seed) for seat, seed in world.seats.items()}
    for pair in (("legal", "staff"), ("staff", "reserve"), ("reserve", "legal")):
        assert rings.verify(text, [one[seat] for seat in pair], world.anchor, None).number == 1
    stranger = rings.sign(text, os.urandom(32))
    still = {"key": one["staff"]["key"], "sig": signed.signature(text, "still", world.seats["staff"])}
    for wrong in ([], [one["legal"]], [one["legal"]] * 2, [one["legal"], stranger], [one["legal"], still]):
        with pytest.raises(RingRefused, match="signatures"):
            rings.verify(text, wrong, world.anchor, None)
    with pytest.raises(RingRefused):
        rings.verify(text.replace("Anna", "Capo"), list(one.values()), world.anchor, None)


def test_a_chain_of_the_attackers_own_from_number_1_is_refused(world: World) -> None:
    own = World(dice_of(4))
    assert rings.chain([(own.ring.text, own.ring.signatures)], own.anchor)[0].number == 1
    with pytest.raises(RingRefused):
        rings.chain([(own.ring.text, own.ring.signatures)], world.anchor)
    text = draft(world)
    with pytest.raises(RingRefused, match="signatures"):
        rings.chain([(text, [rings.sign(text, seed) for seed in own.seats.values()])], world.anchor)


def test_the_next_ring_follows_and_two_seats_may_put_another_in_the_third(world: World) -> None:
    lost, fresh = "reserve", os.urandom(32)
    signers = {**world.ring.signers, lost: signed.public_of(fresh)}
    text = draft(world, before=world.ring, signers=signers)
    second = rings.verify(
        text, [rings.sign(text, world.seats[s]) for s in ("legal", "staff")], world.anchor, world.ring
    )
    with pytest.raises(RingRefused, match="follow"):
        rings.verify(second.text, second.signatures, world.anchor, second)
    third = draft(world, before=second)
    assert (
        rings.verify(
            third, [rings.sign(third, fresh), rings.sign(third, world.seats["legal"])], world.anchor, second
        ).number
        == 3
    )
    with pytest.raises(RingRefused, match="signatures"):
        rings.verify(
            third, [rings.sign(third, world.seats[lost]), rings.sign(third, world.seats["legal"])], world.anchor, second
        )


def test_another_key_beside_a_handlers_name_cannot_be_written(world: World) -> None:
    """What a draft copies from the database is her own signed statement, or it is refused."""
    spy = world.new_keys()
    forged = statements.state(world.anchor, "anna", "Anna", (spy.recipient, spy.signer, spy.ed25519), DAY)
    honest, other = json.loads(world.statement("anna")), json.loads(forged)
    mixed = signed.canonical(honest | {"body": other["body"]})
    with pytest.raises(RingRefused):
        statements.read_statement(mixed, world.anchor.hash)
    with pytest.raises(RingRefused, match="another house"):
        statements.read_statement(world.statement("anna"), "00" * 32)
    own, hers = (
        statements.read_statement(forged, world.anchor.hash),
        statements.read_statement(world.statement("anna"), world.anchor.hash),
    )
    assert own.words != hers.words and len(hers.words) == 6  # the six words she reads to each signer


def test_a_ring_lasts_120_days_at_most_and_a_still_lengthens_it(world: World) -> None:
    with pytest.raises(RingRefused, match="120"):
        draft(world, until=DAY + timedelta(days=LONGEST_DAYS + 1))
    ring = world.ring
    assert not ring.is_overdue(ring.until) and ring.is_overdue(ring.until + timedelta(days=1))
    on = ring.until - timedelta(days=3)
    text = rings.draft_still(world.anchor, ring, on)
    both = [rings.sign_still(text, world.seats[seat]) for seat in ("staff", "reserve")]
    assert rings.lengthened(ring, text, both, world.anchor).until == on + timedelta(days=LONGEST_DAYS)
    with pytest.raises(RingRefused):
        rings.lengthened(ring, text, both[:1], world.anchor)
    with pytest.raises(RingRefused, match="another ring"):
        rings.lengthened(replace(ring, number=2), text, both, world.anchor)


@pytest.mark.parametrize("names", [("anna", OUTSIDE), ("anna", "bruno", "carla")])
def test_a_ring_has_two_handlers_inside_and_a_substitute_outside(world: World, names: tuple[str, ...]) -> None:
    with pytest.raises(RingRefused):
        draft(world, names)


async def test_a_ring_is_put_in_use_and_lengthened_and_a_wrong_one_changes_nothing(sqlite_site: Site) -> None:
    made = await opened(sqlite_site, ORGANISATION)
    text = rings.draft(
        made.anchor,
        sqlite_site.day,
        [Wanted(made.statement(n, sqlite_site.day), {"it": "r"}, n == OUTSIDE) for n in ALL[1:]],
        before=made.ring,
    )
    with pytest.raises(RingRefused):
        await publish_ring(sqlite_site, text, [rings.sign(text, made.seats["legal"])])
    lists = await readers.load(sqlite_site.data)
    assert lists.chain is not None and [ring.number for ring in lists.chain.rings] == [1]
    later = replace(sqlite_site, day=sqlite_site.day + timedelta(days=100))
    still = rings.draft_still(made.anchor, made.ring, later.day)
    signatures = [rings.sign_still(still, made.seats[s]) for s in ("legal", "reserve")]
    with pytest.raises(RingRefused, match="a day to come"):  # it would last 220 days from today
        await publish_still(sqlite_site, still, signatures)
    ahead = rings.draft(
        made.anchor,
        later.day,
        [Wanted(made.statement(n, sqlite_site.day), {"it": "r"}, n == OUTSIDE) for n in ALL],
        before=made.ring,
    )
    with pytest.raises(RingRefused, match="a day to come"):
        await publish_ring(sqlite_site, ahead, [rings.sign(ahead, made.seats[s]) for s in ("legal", "staff")])
    await publish_still(later, still, signatures)
    lists = await readers.load(sqlite_site.data)
    assert lists.chain is not None and lists.chain.newest.until == sqlite_site.day + timedelta(days=220)


@pytest.mark.parametrize(
    "change", [lambda t: t.replace("Bruno", "Spia"), lambda t: t + " ", lambda t: t.replace('"v":2', '"v":true')]
)
async def test_a_ring_changed_in_the_database_is_noticed(sqlite_site: Site, change: Callable[[str], str]) -> None:
    await opened(sqlite_site, ORGANISATION)
    row = await Row.select().first()
    assert row is not None and change(row["text"]) != row["text"]
    await Row.update({Row.text: change(row["text"])}).where(Row.number == 1)
    with pytest.raises(readers.ListsRefused):
        await readers.load(sqlite_site.data)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"a":1.0}',
        '{"a": 1}',
        '{"b":1,"a":1}',
        '{"a":9007199254740993}',
        '{"a":NaN}',
        '{"a":-0}',
        '{"a":"\\u0061"}',
        '{"a":"\\ud800"}',
        "[1,2",
        '{"a":1e2}',
        '{"a":"\ud800"}',
        '{"a":1}\n',
    ],
)
def test_json_that_is_not_in_its_one_form_is_refused(text: str) -> None:
    with pytest.raises(NotSigned):
        signed.parse(text)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53) + 1, 2**53 - 1)
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abcxyz_", min_size=1), inner),
    )
)
def test_what_is_written_in_its_one_form_comes_back(content: object) -> None:
    assert signed.parse(signed.canonical(content)) == content


async def test_an_account_is_never_given_to_somebody_else(sqlite_site: Site) -> None:
    """Done from outside: Paolo left the list, his account became Anna's, and pages called his letters hers."""
    made = await opened(sqlite_site, ORGANISATION)

    async def publish(title: str) -> None:
        """The next list, on which the first account has this name."""
        chain = (await readers.load(sqlite_site.data)).chain
        assert chain is not None
        keys = made.keys[ALL[0]]
        stated = statements.state(
            made.anchor, ALL[0], title, (keys.recipient, keys.signer, keys.ed25519), sqlite_site.day
        )
        others = [Wanted(made.statement(n, sqlite_site.day), {"it": "r"}, n == OUTSIDE) for n in ALL[1:]]
        text = rings.draft(made.anchor, sqlite_site.day, [Wanted(stated, {"it": "r"}), *others], before=chain.newest)
        await publish_ring(sqlite_site, text, [rings.sign(text, made.seats[seat]) for seat in ("legal", "staff")])

    name = next(reader.name for reader in made.ring.readers if reader.id == ALL[0])
    with pytest.raises(RingRefused, match=f"{ALL[0]} was the account of {name}"):
        await publish("Anna Altra")
    await publish(name.upper())  # written otherwise it is the same name
    lists = await readers.load(sqlite_site.data)
    assert lists.chain is not None and lists.chain.newest.number == 2


@pytest.mark.parametrize("other", [str.upper, lambda text: f" {text}", lambda text: f"{text[:2]} {text[2:]}"])
def test_a_signature_has_one_writing_in_both_languages(other: Callable[[str], str]) -> None:
    """Somebody could keep one signature in several writings, and a browser refused what Python took."""
    seed = bytes(range(32))
    key, sig = signed.public_of(seed), signed.signature("text", "letter", seed)
    assert signed.is_signed("text", "letter", key, sig)
    assert not signed.is_signed("text", "letter", other(key), sig)
    assert not signed.is_signed("text", "letter", key, other(sig))


def test_a_key_of_small_order_signs_nothing() -> None:
    """The neutral point verifies any text for a library that does not look."""
    neutral = "01" + "00" * 31
    for sig in ("01" + "00" * 63, neutral + "00" * 32):
        assert not signed.is_signed("anything", "letter", neutral, sig)
    order_8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
    assert not signed.is_signed("anything", "letter", order_8, order_8 + "00" * 32)


@pytest.mark.parametrize("wrong", ["reporter", "recovery", "constructor!", "", "A", "a" * 41, 7, None, True])
def test_reserved_words_and_strange_names_are_nobodys_account(wrong: object) -> None:
    assert not signed.identifier(wrong)
    assert signed.identifier("constructor")  # a name like any other: objects are never looked up by it


def test_true_is_no_number() -> None:
    assert not signed.whole(0, 9)(True) and signed.whole(0, 9)(1)
    assert not signed.exactly(1)(True) and not signed.exactly(2)(2.0)


def test_days_are_days_of_the_calendar() -> None:
    assert [signed.day(text) for text in ("2026-02-28", "2026-02-29", "2028-02-29", "26-02-28", "2026-2-28")] == [
        True,
        False,
        True,
        False,
        False,
    ]
    assert date.fromisoformat("2026-02-28")
