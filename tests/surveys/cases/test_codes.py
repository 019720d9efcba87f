"""The reporter's code. Words: BIP39 Italian list; HKDF: RFC 5869."""

import hashlib
import os
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.cases.codes import NotACode, Secret, derive, expand, new_code, read_code, to_digits, to_words

secrets = st.integers(0, 2**84 - 1).map(lambda number: Secret(number.to_bytes(11, "big")))


@given(secrets)
def test_a_code_reads_back_from_its_words_and_from_its_digits(secret: Secret) -> None:
    assert read_code(" ".join(to_words(secret))) == secret
    assert read_code("".join(to_digits(secret))) == secret


@given(secrets)
def test_a_code_is_read_however_it_is_typed(secret: Secret) -> None:
    words = to_words(secret)
    assert read_code(", ".join(word.upper()[:4] for word in words)) == secret
    assert read_code("-".join(to_digits(secret)) + "\n") == secret


@given(secrets, st.integers(0, 27), st.integers(1, 9))
def test_one_wrong_digit_is_never_taken_for_the_same_code(secret: Secret, place: int, shift: int) -> None:
    digits = list("".join(to_digits(secret)))
    digits[place] = str((int(digits[place]) + shift) % 10)
    try:
        assert read_code("".join(digits)) != secret
    except NotACode:
        pass


def test_one_wrong_digit_in_500_is_taken_for_another_code() -> None:
    """Nine check bits: about one slip in 512 passes; held within three standard errors."""
    secret = Secret(bytes(11))
    digits = "".join(to_digits(secret))
    passed = 0
    for trial in range(2000):
        typed = f"{trial * 7919 % 10**12:012d}{digits[12:]}"
        try:
            read_code(typed)
            passed += 1
        except NotACode:
            continue
    assert passed <= 2000 / 512 + 3 * (2000 / 512) ** 0.5 + 1


@pytest.mark.parametrize(
    "text", ["", "abaco", "1234", "abaco " * 7, "abaco " * 9, "zzzz " * 8, "9" * 28, "abaco 1234", "１" * 3]
)
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(NotACode):
        read_code(text)


def test_a_new_code_has_84_random_bits() -> None:
    assert new_code(lambda n: b"\xff" * n) == (2**84 - 1).to_bytes(11, "big")
    assert len({new_code(os.urandom) for _ in range(50)}) == 50


def test_hkdf_matches_rfc_5869_test_case_3() -> None:
    """RFC 5869, appendix A.3: empty salt and info; the first 32 bytes of its OKM."""
    assert expand(b"\x0b" * 22, "").hex() == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"


def test_proof_and_keys_of_a_code_have_nothing_in_common() -> None:
    keys = derive(Secret(bytes(11)), bytes(16))
    parts = (keys.locator, keys.auth, keys.x25519, keys.ed25519, keys.number)
    assert len(set(parts)) == 5
    seed = hashlib.pbkdf2_hmac("sha256", bytes(11), bytes(16), 310_000, 32)
    assert keys.locator == expand(seed, "ascolto concern v1 locator")
    assert all(hashlib.sha256(part).digest() not in parts for part in parts)


def test_another_installation_gives_other_keys() -> None:
    first, second = (derive(Secret(bytes(11)), salt) for salt in (bytes(16), b"\x01" * 16))
    assert first.locator != second.locator and first.case != second.case


def test_random_codes_do_not_repeat_a_locator() -> None:
    tries = count()
    made = {derive(Secret(next(tries).to_bytes(11, "big")), bytes(16)).locator for _ in range(3)}
    assert len(made) == 3
