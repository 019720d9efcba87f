"""Seals: age files, padding, signatures, wraps, chains. Beside each honest thread there is a forged one."""

import json
import os
from dataclasses import replace
from datetime import date
from typing import Any

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.cases import age_file, composing
from surveys.cases.keeper import REPORTER
from surveys.cases.letters import first_content
from surveys.cases.sealing import (
    CannotOpen,
    bucket,
    canonical,
    check,
    decrypt,
    encrypt,
    identity_text,
    new_identity,
    open_sealed,
    public_of,
    recipient_of,
    seal,
    sign,
)
from surveys.cases.thread import FIRST, Author, EpochKey, Place, Trust, open_wrap, read_stream, write
from tests.surveys.cases.first_version import make_wrap

DAY = date(2026, 11, 23)
CASE = 77
REPORTER_SEED, HANDLER_SEED, STRANGER_SEED = os.urandom(32), os.urandom(32), os.urandom(32)
ME, ANNA = Author(REPORTER, REPORTER_SEED), Author("anna", HANDLER_SEED)
TRUST = Trust(public_of(REPORTER_SEED), {"anna": {public_of(HANDLER_SEED)}})


@given(st.binary(max_size=200), st.sampled_from([0, 1, 65535, 65536, 65537, 131072]))
def test_pyrage_opens_what_we_write_and_its_size_is_told_by_the_content_alone(start: bytes, length: int) -> None:
    plain = (start * (length // max(1, len(start)) + 1))[:length] if start else bytes(length)
    identity, recipient = new_identity()
    sealed = age_file.write(plain, recipient)
    assert pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(identity)]) == plain
    assert len(sealed) == age_file.sealed_size(length)


@pytest.mark.parametrize("cut", [1, 16, 17, 65536, 65552, 65553, 131087])
def test_a_file_cut_before_at_or_after_a_chunk_border_does_not_open(cut: int) -> None:
    identity, recipient = new_identity()
    sealed = encrypt(bytes(200_000), recipient)
    head = len(sealed) - 200_000 - 16 * 4
    assert len(decrypt(sealed, identity)) == 200_000
    for shorter in (sealed[: head + cut], sealed[:-cut]):
        with pytest.raises(CannotOpen):
            decrypt(shorter, identity)


def test_a_file_with_two_chunks_swapped_or_one_bit_turned_does_not_open() -> None:
    identity, recipient = new_identity()
    sealed = encrypt(bytes(200_000), recipient)
    head, chunk = len(sealed) - 200_000 - 16 * 4, 65552
    first, second = sealed[head : head + chunk], sealed[head + chunk : head + 2 * chunk]
    for changed in (
        sealed[:head] + second + first + sealed[head + 2 * chunk :],
        sealed[:head] + bytes([sealed[head] ^ 1]) + sealed[head + 1 :],
        sealed[:60] + bytes([sealed[60] ^ 1]) + sealed[61:],
    ):
        with pytest.raises(CannotOpen):
            decrypt(changed, identity)


@given(st.text(max_size=9000))
def test_a_sealed_text_has_a_size_of_a_few(text: str) -> None:
    identity, recipient = new_identity()
    sealed = seal(sign({"text": text}, "message", ME.seed), recipient)
    sizes = {age_file.sealed_size(4096 * 2**n) for n in range(6)}
    assert len(sealed) in sizes
    assert open_sealed(sealed, identity, "message").body == {"text": text}


@pytest.mark.parametrize(("length", "size"), [(0, 4096), (4096, 4096), (4097, 8192), (70_000, 131_072)])
def test_buckets_are_powers_of_two_from_4_kib(length: int, size: int) -> None:
    assert bucket(length) == size


def test_a_signature_of_one_purpose_does_not_serve_another() -> None:
    signed = sign({"a": 1}, "wrap", ME.seed)
    assert check(signed, "wrap").body == {"a": 1}
    with pytest.raises(CannotOpen):
        check(signed, "message")


def test_a_seed_writes_the_identity_that_pyrage_reads() -> None:
    seed = bytes(range(32))
    assert str(pyrage.x25519.Identity.from_str(identity_text(seed)).to_public()) == recipient_of(seed)


def _thread(recipient: str, author: Author = ANNA, **changes: Any) -> list[tuple[int, bytes]]:
    """A report and an answer to it, with what is asked for changed in the answer."""
    first = write(Place(CASE, "thread", 1), ME, "report", DAY, "fp", {"text": "uno"})
    place = Place(CASE, "thread", 2, check_hash(first))
    second = write(replace(place, **changes), author, "message", DAY, "fp", {"text": "due"})
    return [(1, seal(first, recipient)), (1, seal(second, recipient))]


def check_hash(signed: str) -> str:
    import hashlib

    return hashlib.sha256(check(signed, "message").text.encode()).hexdigest()


def test_an_honest_thread_opens_in_order() -> None:
    identity, recipient = new_identity()
    opened = read_stream(CASE, "thread", _thread(recipient), {1: identity}, TRUST)
    assert [(m.number, m.author, m.content["text"]) for m in opened] == [(1, REPORTER, "uno"), (2, "anna", "due")]


def test_half_an_emoji_that_a_field_cut_off_takes_no_letter_with_it() -> None:
    """Pages of version 1 sent what their fields cut, and Python has no UTF-8 for a half."""
    told = first_content(json.loads('{"text": "ciao \\ud83d", "where": "\\ud83d\\ude00", "wish": ["\\ude00"], "v": 1}'))
    assert told == {"text": "ciao \ufffd", "where": "\U0001f600", "wish": ["\ufffd"]}


@pytest.mark.parametrize("change", [{"case": 78}, {"stream": "notes"}, {"number": 3}, {"before": FIRST}])
def test_a_message_of_another_place_fails_loudly(change: dict[str, Any]) -> None:
    identity, recipient = new_identity()
    with pytest.raises(CannotOpen, match="belongs"):
        read_stream(CASE, "thread", _thread(recipient, **change), {1: identity}, TRUST)


def test_messages_swapped_replayed_or_missing_fail_loudly() -> None:
    identity, recipient = new_identity()
    first, second = _thread(recipient)
    for wrong in ([second, first], [first, first], [second], [first, second, second]):
        with pytest.raises(CannotOpen):
            read_stream(CASE, "thread", wrong, {1: identity}, TRUST)


def test_a_message_forged_by_somebody_who_can_write_the_database_fails_loudly() -> None:
    identity, recipient = new_identity()
    for author in (Author("anna", STRANGER_SEED), Author(REPORTER, STRANGER_SEED), Author("bruno", HANDLER_SEED)):
        with pytest.raises(CannotOpen, match="vouches"):
            read_stream(CASE, "thread", _thread(recipient, author), {1: identity}, TRUST)


def test_a_handler_cannot_write_as_the_reporter_does() -> None:
    identity, recipient = new_identity()
    forged = write(Place(CASE, "thread", 1), ANNA, "contest", DAY, "fp", {"text": "x"})
    with pytest.raises(CannotOpen, match="kind"):
        read_stream(CASE, "thread", [(1, seal(forged, recipient))], {1: identity}, TRUST)


def test_a_redaction_takes_the_place_of_a_message_and_the_chain_stands() -> None:
    identity, recipient = new_identity()
    first, second = _thread(recipient)
    opened = read_stream(CASE, "thread", [first, second], {1: identity}, TRUST)
    redacted = write(Place(CASE, "thread", 1), ANNA, "redacted", DAY, "fp", {"text": "…", "was": opened[0].hash})
    again = read_stream(CASE, "thread", [(1, seal(redacted, recipient)), second], {1: identity}, TRUST)
    assert [m.content["text"] for m in again] == ["…", "due"]


def test_a_wrap_opens_for_its_reader_and_this_case_only() -> None:
    identity, recipient = new_identity()
    epoch_identity, _ = new_identity()
    key = EpochKey(CASE, "thread", 1, epoch_identity, public_of(REPORTER_SEED))
    wrap = make_wrap(key, ME, recipient)
    assert open_wrap(wrap, identity, CASE, "thread", {}) == key
    for case, stream, opener in (
        (78, "thread", identity),
        (CASE, "notes", identity),
        (CASE, "thread", new_identity()[0]),
    ):
        with pytest.raises(CannotOpen):
            open_wrap(wrap, opener, case, stream, {})


def test_a_wrap_by_a_stranger_who_calls_herself_handler_is_refused() -> None:
    identity, recipient = new_identity()
    key = EpochKey(CASE, "thread", 2, new_identity()[0], public_of(REPORTER_SEED))
    with pytest.raises(CannotOpen, match="vouches"):
        open_wrap(make_wrap(key, Author("anna", STRANGER_SEED), recipient), identity, CASE, "thread", TRUST.handlers)


@pytest.mark.parametrize("lost", ["number", "identity"])
def test_a_signed_wrap_without_a_key_in_it_is_refused(lost: str) -> None:
    identity, recipient = new_identity()
    place = {"case": f"{CASE:016x}", "stream": "thread", "by": "reporter", "reporter": public_of(REPORTER_SEED)}
    body: dict[str, Any] = {"number": 1, "identity": new_identity()[0], **place}
    for inside in ({name: value for name, value in body.items() if name != lost}, body | {lost: None}):
        with pytest.raises(CannotOpen, match="no key"):
            open_wrap(seal(sign(inside, "wrap", REPORTER_SEED), recipient), identity, CASE, "thread", {})


def test_all_wraps_have_one_size_and_one_form() -> None:
    sizes = set()
    for name in ("a", "x" * 60):
        key = EpochKey(CASE, "thread", 9999, new_identity()[0], public_of(REPORTER_SEED))
        wrap = make_wrap(key, Author(name, REPORTER_SEED), new_identity()[1])
        sizes.add(len(wrap))
        assert wrap.count(b"\n-> ") == 1
    assert sizes == {age_file.sealed_size(1024)}


def test_an_attachment_opens_as_it_was_and_not_when_it_was_put_in_another_place() -> None:
    sealed, entry = composing.seal_file("foto.jpg", "image/jpeg", b"pixel" * 9000)
    other, _ = composing.seal_file("foto.jpg", "image/jpeg", b"altro" * 9000)
    assert composing.open_file(sealed, entry) == b"pixel" * 9000
    for wrong in (other, sealed[:-1], sealed + b"x"):
        with pytest.raises(CannotOpen):
            composing.open_file(wrong, entry)
    assert len(sealed) == age_file.sealed_size(65536)


def test_canonical_text_does_not_depend_on_the_order_of_keys() -> None:
    assert canonical({"b": 1, "a": {"d": 2, "c": "è"}}) == '{"a":{"c":"è","d":2},"b":1}'


@pytest.mark.parametrize("size", [0, 1, 2048, 65536, 65537])
def test_a_file_for_nobody_has_the_size_and_the_form_of_a_real_one(size: int) -> None:
    noise, real = age_file.noise(size), encrypt(bytes(size), new_identity()[1])
    assert len(noise) == len(real) == age_file.sealed_size(size)
    assert age_file.is_well_formed(noise) and age_file.noise(size) != noise
    assert [len(line) for line in noise.split(b"\n")[:4]] == [len(line) for line in real.split(b"\n")[:4]]
    with pytest.raises(CannotOpen):
        decrypt(noise, new_identity()[0])
