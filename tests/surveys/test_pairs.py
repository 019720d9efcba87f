"""The urn, version 2, without a store: holders' statements, the plan, confirmations, and sheets sealed to pairs."""

import json
import random
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from surveys import signed
from surveys.answers import holders, pairs, plans
from surveys.answers.envelope import ENVELOPE_BYTES, EnvelopeUnreadable, SheetTooLarge
from surveys.answers.holders import HolderKeys, HolderRefused
from surveys.answers.keys import SEATS, new_secret
from surveys.answers.plans import PlanOther, SignedPlan
from surveys.public.rings import Ring
from tests.surveys.cases.memory import World
from tests.vectors.urn import DAY, FILE, FROZEN, WAVE, made, world

TOKEN = "ab" * 32


@pytest.fixture(scope="module")
def there() -> tuple[World, Ring]:
    return world()


@pytest.fixture(scope="module")
def keys(there: tuple[World, Ring]) -> dict[str, HolderKeys]:
    dice = random.Random(11)
    return {seat: holders.holder_keys(new_secret(dice.randrange), there[0].anchor.hash, WAVE, seat) for seat in SEATS}


def _stated(there: tuple[World, Ring], keys: dict[str, HolderKeys]) -> list[str]:
    return [holders.state(keys[seat], there[0].anchor.hash, WAVE, seat, f"Custode {seat}", DAY) for seat in SEATS]


def _plan(there: tuple[World, Ring], stated: list[str], **other: Any) -> str:
    return plans.draft(there[0].anchor.hash, WAVE, there[1].number, stated, FROZEN | other, token=TOKEN)


@pytest.fixture(scope="module")
def plan(there: tuple[World, Ring], keys: dict[str, HolderKeys]) -> SignedPlan:
    return plans.read(_plan(there, _stated(there, keys)), there[0].anchor.hash)


def test_the_frozen_vectors_are_what_the_code_makes() -> None:
    assert made() == json.loads(FILE.read_text("utf-8"))


def test_eight_words_give_other_keys_for_another_house_wave_or_seat() -> None:
    words = new_secret(random.Random(3).randrange)
    found = {
        (holders.holder_keys(words, house, wave, seat).point, holders.holder_keys(words, house, wave, seat).signer)
        for house, wave, seat in (("a", "w", "hr"), ("b", "w", "hr"), ("a", "x", "hr"), ("a", "w", "recovery"))
    }
    assert len(found) == 4


def test_a_statement_with_another_name_key_wave_or_house_is_refused(
    there: tuple[World, Ring], keys: dict[str, HolderKeys]
) -> None:
    house = there[0].anchor.hash
    text = _stated(there, keys)[0]
    body = json.loads(json.loads(text)["body"])
    for change in ({"name": "Altra"}, {"point": keys["recovery"].point.hex()}, {"seat": "recovery"}, {"v": True}):
        content = json.loads(text) | {"body": signed.canonical(body | change)}
        with pytest.raises(HolderRefused):
            holders.read_statement(signed.canonical(content), house, WAVE)
    with pytest.raises(
        HolderRefused, match="another key"
    ):  # her statement with her signer named, signed by somebody else
        holders.read_statement(signed.sign(body, "holder", keys["recovery"].seed), house, WAVE)
    for wrong in (("0" * 64, WAVE), (house, "primavera-2026")):
        with pytest.raises(HolderRefused, match="another house or wave"):
            holders.read_statement(text, *wrong)
    off = signed.sign(body | {"point": "04" + "11" * 64}, "holder", keys["hr"].seed)
    with pytest.raises(HolderRefused, match="curve"):
        holders.read_statement(off, house, WAVE)


def test_two_of_the_rings_three_seats_sign_a_plan_and_nobody_else(there: tuple[World, Ring], plan: SignedPlan) -> None:
    team, ring = there
    one = {seat: plans.sign(plan.text, seed) for seat, seed in team.seats.items()}
    foreign = plans.sign(plan.text, b"f" * 32)
    for pair in combinations(one, 2):
        assert plans.verify(plan.text, [one[seat] for seat in pair], team.anchor.hash, ring) == plan
    for bad in ([one["legal"]], [one["legal"], one["legal"]], [one["legal"], foreign], [foreign, foreign], []):
        with pytest.raises(PlanOther, match="signatures"):
            plans.verify(plan.text, bad, team.anchor.hash, ring)
    with pytest.raises(PlanOther, match="another ring"):
        plans.verify(plan.text, list(one.values()), team.anchor.hash, replace(ring, number=2))


def test_a_signature_of_another_purpose_signs_no_plan(there: tuple[World, Ring], plan: SignedPlan) -> None:
    team, ring = there
    still = [{"key": signed.public_of(s), "sig": signed.signature(plan.text, "ring", s)} for s in team.seats.values()]
    with pytest.raises(PlanOther, match="signatures"):
        plans.verify(plan.text, still, team.anchor.hash, ring)


def test_a_plan_has_three_holders_of_three_seats_with_three_keys(
    there: tuple[World, Ring], keys: dict[str, HolderKeys]
) -> None:
    stated = _stated(there, keys)
    house = there[0].anchor.hash
    twice = holders.state(keys["hr"], house, WAVE, "recovery", "Custode", DAY)
    for wrong in (
        stated[:2],
        [*stated, stated[0]],
        [stated[1], stated[0], stated[2]],
        [*stated[:2], stated[1]],
        [*stated[:2], twice],
    ):
        with pytest.raises(PlanOther):
            _plan(there, wrong)


@pytest.mark.parametrize(
    "change",
    [
        {"questionnaire": {"id": "altro"}},
        {"groups": {}},
        {"rules": {**FROZEN["rules"], "items": 2}},
        {"panel": {**FROZEN["panel"], "people": 61}},
    ],
)
def test_whatever_is_changed_in_a_plan_it_is_another_plan(
    there: tuple[World, Ring], keys: dict[str, HolderKeys], plan: SignedPlan, change: dict[str, Any]
) -> None:
    other = plans.read(_plan(there, _stated(there, keys), **change), there[0].anchor.hash)
    assert other.hash != plan.hash
    assert other.words != plan.words


def test_a_confirmation_is_of_one_plan_by_the_holder_in_it(plan: SignedPlan, keys: dict[str, HolderKeys]) -> None:
    me = plan.holder("hr")
    right = holders.confirm(keys["hr"], plan.hash, "hr", DAY)
    assert holders.read_confirm(right, plan.hash, me) == DAY
    for wrong in (
        holders.confirm(keys["recovery"], plan.hash, "hr", DAY),
        holders.confirm(keys["hr"], "0" * 64, "hr", DAY),
        holders.confirm(keys["hr"], plan.hash, "recovery", DAY),
        "",
        "{}",
    ):
        with pytest.raises(HolderRefused):
            holders.read_confirm(wrong, plan.hash, me)


def _seal(plan: SignedPlan, sheet: bytes = b"she shouts", proof: bytes = b"p" * 32) -> bytes:
    return pairs.seal(sheet, proof, plan.hash, plan.points)


def test_any_two_holders_open_a_sheet_and_one_does_not(plan: SignedPlan, keys: dict[str, HolderKeys]) -> None:
    sealed = _seal(plan)
    for pair in combinations(range(3), 2):
        opened = pairs.open_sealed(
            sealed, plan.hash, plan.points, {place: keys[SEATS[place]].private for place in pair}
        )
        assert opened == pairs.Opened(b"p" * 32, b"she shouts")
    for mine, other in product(range(3), range(3)):
        if mine != other:  # one holder who claims a second seat with a key of her own, or with the same key
            for claimed in (ec.generate_private_key(ec.SECP256R1()), keys[SEATS[mine]].private):
                with pytest.raises(EnvelopeUnreadable):
                    pairs.open_sealed(sealed, plan.hash, plan.points, {mine: keys[SEATS[mine]].private, other: claimed})


def test_a_sheet_opens_under_its_own_plan_alone_and_whatever_is_changed_in_it(
    plan: SignedPlan, keys: dict[str, HolderKeys]
) -> None:
    both = {0: keys["hr"].private, 2: keys["recovery"].private}
    sealed = _seal(plan)
    with pytest.raises(EnvelopeUnreadable):
        pairs.open_sealed(sealed, "0" * 64, plan.points, both)
    for place in (0, 5, 40, 90, 140, 200, 8059):  # mark, point, each wrap, content, tag
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(EnvelopeUnreadable):
            pairs.open_sealed(bytes(changed), plan.hash, plan.points, both)


def test_every_sheet_has_one_size_and_looks_like_noise_under_the_wave_key(plan: SignedPlan) -> None:
    wave_key = b"k" * 32
    for size in (0, 1, pairs.ROOM):
        envelope = pairs.layered(_seal(plan, b"x" * size), wave_key)
        assert len(envelope) == ENVELOPE_BYTES
        assert len(pairs.without_layer(envelope, wave_key)) == pairs.SEALED_BYTES
    firsts = {pairs.layered(_seal(plan), wave_key)[0] for _ in range(40)}
    assert len(firsts) > 10  # no byte says that a phone sealed it
    with pytest.raises(SheetTooLarge):
        _seal(plan, b"x" * (pairs.ROOM + 1))
    with pytest.raises(EnvelopeUnreadable):
        pairs.without_layer(envelope, b"j" * 32)


def test_what_is_no_sealed_sheet_is_seen_before_it_is_kept(plan: SignedPlan) -> None:
    sealed = _seal(plan)
    assert pairs.looks_sealed(sealed)
    off = sealed[:1] + b"\x05" + sealed[2:]
    assert [pairs.looks_sealed(wrong) for wrong in (b"", sealed[:-1], sealed + b"\0", b"\1" + sealed[1:], off)] == [
        False
    ] * 5


def test_an_opened_sheet_with_something_behind_its_end_is_unreadable(
    plan: SignedPlan, keys: dict[str, HolderKeys], monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = _seal(plan, b"ab\0")
    both = {0: keys["hr"].private, 1: keys["representative"].private}
    assert pairs.open_sealed(sealed, plan.hash, plan.points, both).sheet == b"ab\0"
    monkeypatch.setattr(pairs, "ROOM", 2)
    with pytest.raises(EnvelopeUnreadable):
        pairs.open_sealed(sealed, plan.hash, plan.points, both)
