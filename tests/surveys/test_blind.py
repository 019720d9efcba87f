"""Blind signatures: what is signed verifies and joins to nobody; beside each honest token there is a forged one."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from math import gcd

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.blind import (
    KEY_BITS,
    PREPARED_BYTES,
    SIGNATURE_BYTES,
    KeyRefused,
    PublicKey,
    SigningFault,
    SigningKey,
    TokenRefused,
    _mgf1,
    blind,
    blind_with,
    decode_token,
    encode_pss,
    encode_token,
    finalize,
    generate_key,
    prepare,
    sign_blinded,
    token_digest,
    verify,
)


@cache
def _keys() -> tuple[SigningKey, SigningKey]:
    return generate_key(), generate_key()


@cache
def _token() -> tuple[bytes, bytes]:
    return _issued(_keys()[0], secrets.token_bytes(32))


def _issued(key: SigningKey, msg: bytes) -> tuple[bytes, bytes]:
    prepared = prepare(msg)
    z, inverse = blind(key.public, prepared)
    return prepared, finalize(key.public, prepared, sign_blinded(key, z), inverse)


def _flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


# --- issuing ---


@settings(max_examples=10, deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_what_was_signed_blind_verifies_and_survives_being_written(msg: bytes) -> None:
    prepared, signature = _issued(_keys()[0], msg)
    assert prepared[32:] == msg
    assert decode_token(encode_token(prepared, signature)) == (prepared, signature)
    assert verify(_keys()[0].public, prepared, signature)


def test_every_blinded_value_could_have_become_every_token() -> None:
    """For any issue and any token there is one blinding factor that joins them: who saw both learns nothing."""
    key = _keys()[0]
    n, e = key.public.n, key.public.e
    tokens = [_issued(key, bytes([i]) * 32) for i in range(3)]
    seen = [blind(key.public, prepare(secrets.token_bytes(32)))[0] for _ in range(3)]
    for z in seen:
        signed = int.from_bytes(sign_blinded(key, z))
        for prepared, signature in tokens:
            joining = signed * pow(int.from_bytes(signature), -1, n) % n
            encoded = pow(int.from_bytes(signature), e, n)
            assert encoded * pow(joining, e, n) % n == int.from_bytes(z)
            # The salt is in the signature; with it the phone would have sent this very z.
            salt = _salt_of(encoded, prepared)
            assert blind_with(key.public, prepared, salt, joining)[0] == z


def _salt_of(encoded: int, prepared: bytes) -> bytes:
    """Read the salt out of an encoded message: the mask is known from its hash."""
    content = encoded.to_bytes(SIGNATURE_BYTES)
    hashed, masked = content[-49:-1], content[:-49]
    salt = bytes(a ^ b for a, b in zip(masked, _mgf1(hashed, len(masked)), strict=True))[-48:]
    assert encode_pss(prepared, KEY_BITS - 1, salt) == content
    return salt


def test_a_message_blinded_twice_is_sent_as_two_values() -> None:
    public = _keys()[0].public
    prepared = prepare(bytes(32))
    assert blind(public, prepared)[0] != blind(public, prepared)[0]


def test_a_message_prepared_twice_is_two_messages() -> None:
    assert prepare(bytes(32)) != prepare(bytes(32))


def test_one_blinded_value_is_signed_alike_each_time_whatever_the_servers_own_blinding() -> None:
    key = _keys()[0]
    z, _ = blind(key.public, prepare(bytes(32)))
    assert len({sign_blinded(key, z) for _ in range(5)}) == 1


def test_the_server_blinds_with_fresh_randomness_each_time() -> None:
    key, given = _keys()[0], []

    def remembered(length: int) -> bytes:
        given.append(secrets.token_bytes(length))
        return given[-1]

    z, _ = blind(key.public, prepare(bytes(32)))
    sign_blinded(key, z, remembered)
    first = given.copy()
    sign_blinded(key, z, remembered)
    assert 0 < len(first) < len(given)
    assert {len(drawn) for drawn in given} == {SIGNATURE_BYTES}


def test_a_blinding_factor_out_of_range_is_drawn_again() -> None:
    public = _keys()[0].public
    one = (1).to_bytes(SIGNATURE_BYTES)
    answers = [bytes(48), bytes(SIGNATURE_BYTES), b"\xff" * SIGNATURE_BYTES, public.n.to_bytes(SIGNATURE_BYTES), one]
    assert blind(public, bytes(PREPARED_BYTES), lambda _: answers.pop(0))[1] == one
    assert answers == []


def test_the_signature_is_a_plain_power_of_the_blinded_value() -> None:
    key = _keys()[0]
    z, _ = blind(key.public, prepare(bytes(32)))
    d = pow(key.public.e, -1, (key.p - 1) * (key.q - 1))
    assert int.from_bytes(sign_blinded(key, z)) == pow(int.from_bytes(z), d, key.public.n)


# --- refusing ---


@settings(max_examples=60, deadline=None)
@given(st.integers(0, PREPARED_BYTES * 8 - 1))
def test_a_message_with_one_bit_changed_is_refused(bit: int) -> None:
    prepared, signature = _token()
    assert verify(_keys()[0].public, prepared, signature)
    assert not verify(_keys()[0].public, _flipped(prepared, bit), signature)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, SIGNATURE_BYTES * 8 - 1))
def test_a_signature_with_one_bit_changed_is_refused(bit: int) -> None:
    prepared, signature = _token()
    assert verify(_keys()[0].public, prepared, signature)
    assert not verify(_keys()[0].public, prepared, _flipped(signature, bit))


def test_a_token_of_another_key_is_refused() -> None:
    key, other = _keys()
    prepared, signature = _issued(other, bytes(32))
    assert verify(other.public, prepared, signature)
    assert not verify(key.public, prepared, signature)


def test_a_signature_written_in_another_way_is_refused() -> None:
    key = _keys()[0].public
    prepared, signature = _token()
    beyond = int.from_bytes(signature) + key.n
    written = [signature + b"\0", b"\0" + signature, signature[:-1], b"", beyond.to_bytes(SIGNATURE_BYTES + 1)]
    assert [verify(key, prepared, other) for other in written] == [False] * 5


@pytest.mark.parametrize("value", [0, 1])
def test_a_signature_that_is_no_more_than_a_number_is_refused(value: int) -> None:
    assert not verify(_keys()[0].public, bytes(PREPARED_BYTES), value.to_bytes(SIGNATURE_BYTES))


@pytest.mark.parametrize("length", [0, 32, 63, 65, 128])
def test_a_signed_message_of_another_length_is_no_token(length: int) -> None:
    key, message = _keys()[0], bytes(length)
    z, inverse = blind_with(key.public, message, bytes(48), 7)
    signed = sign_blinded(key, z)  # the server cannot see the length; whoever verifies can
    with pytest.raises(TokenRefused):
        finalize(key.public, message, signed, inverse)
    with pytest.raises(TokenRefused):
        blind(key.public, message)


def test_a_message_that_is_not_32_bytes_is_not_prepared() -> None:
    for length in (0, 31, 33):
        with pytest.raises(TokenRefused):
            prepare(bytes(length))


@pytest.mark.parametrize(
    "z",
    [
        lambda key: b"",
        lambda key: bytes(SIGNATURE_BYTES),
        lambda key: (2).to_bytes(SIGNATURE_BYTES - 1),
        lambda key: (2).to_bytes(SIGNATURE_BYTES + 1),
        lambda key: key.public.n.to_bytes(SIGNATURE_BYTES),
        lambda key: (key.public.n + 1).to_bytes(SIGNATURE_BYTES),
        lambda key: b"\xff" * SIGNATURE_BYTES,
        lambda key: key.p.to_bytes(SIGNATURE_BYTES),
        lambda key: (5 * key.q).to_bytes(SIGNATURE_BYTES),
    ],
    ids=["empty", "zero", "short", "long", "modulus", "one above", "largest", "a factor", "a multiple of a factor"],
)
def test_a_value_that_does_not_fit_the_key_is_not_signed(z: Callable[[SigningKey], bytes]) -> None:
    with pytest.raises(TokenRefused):
        sign_blinded(_keys()[0], z(_keys()[0]))


def test_what_comes_back_wrongly_signed_gives_no_token() -> None:
    key, other = _keys()
    prepared = prepare(bytes(32))
    z, inverse = blind(key.public, prepared)
    signed = sign_blinded(key, z)
    reduced = (int.from_bytes(z) % other.public.n).to_bytes(SIGNATURE_BYTES)
    for wrong in (z, _flipped(signed, 9), signed[1:], signed + b"\0", b"", sign_blinded(other, reduced)):
        with pytest.raises(TokenRefused):
            finalize(key.public, prepared, wrong, inverse)
    with pytest.raises(TokenRefused):
        finalize(key.public, prepared, signed, _flipped(inverse, 0))
    assert verify(key.public, prepared, finalize(key.public, prepared, signed, inverse))


@pytest.mark.parametrize("part", ["dp", "dq", "q_inverse"])
def test_a_fault_in_one_half_is_caught_and_nothing_is_given_out(part: str) -> None:
    key = _keys()[0]
    z, _ = blind(key.public, prepare(bytes(32)))
    broken = replace(key, **{part: getattr(key, part) ^ 2})
    with pytest.raises(SigningFault):
        sign_blinded(broken, z)


def test_a_faulty_signature_would_have_given_away_a_factor() -> None:
    """The data that could leak: Boneh, DeMillo and Lipton's attack on a signature with an error in one half."""
    key = _keys()[0]
    z = int.from_bytes(blind(key.public, prepare(bytes(32)))[0])
    of_p, of_q = pow(z, key.dp ^ 2, key.p), pow(z, key.dq, key.q)
    faulty = of_q + key.q * (key.q_inverse * (of_p - of_q) % key.p)
    assert gcd(pow(faulty, key.public.e, key.public.n) - z, key.public.n) == key.q


# --- the text of a token ---


def test_a_token_is_598_letters() -> None:
    assert len(encode_token(*_token())) == 598


def test_a_token_written_in_another_way_is_refused() -> None:
    text = encode_token(*_token())
    spare = text[:-1] + chr(ord(text[-1]) + 1)  # the last letter holds four bits of nothing
    padded = base64.urlsafe_b64encode(b"".join(_token())).decode()
    assert base64.urlsafe_b64decode(spare + "==") == base64.urlsafe_b64decode(padded)
    for wrong in ("", text[:-1], text + "A", padded, spare, text + "\n", *(letter + text[1:] for letter in " +=é")):
        with pytest.raises(TokenRefused):
            decode_token(wrong)


@given(st.text(max_size=700))
def test_any_other_text_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(TokenRefused) as refused:
        decode_token(text)
    assert str(refused.value) == "a token has 598 letters of base64url"


def test_parts_of_another_length_are_not_written() -> None:
    prepared, signature = _token()
    for parts in ((prepared[1:], signature), (prepared, signature[1:]), (prepared + b"\0", signature[1:])):
        with pytest.raises(TokenRefused):
            encode_token(*parts)


def test_what_is_stored_of_a_token_is_the_hash_of_its_message() -> None:
    """FIPS 180-2, appendix B.1."""
    assert token_digest(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


# --- keys ---


def test_a_key_is_read_as_it_was_written() -> None:
    key = _keys()[0]
    assert SigningKey.from_pem(key.to_pem()) == key
    assert PublicKey.from_der(key.public.to_der()) == key.public
    assert (key.public.n.bit_length(), key.public.e, key.public.size) == (KEY_BITS, 65537, SIGNATURE_BYTES)


def test_two_keys_have_two_fingerprints() -> None:
    first, second = (key.public.fingerprint() for key in _keys())
    assert first != second
    assert {len(first), len(second)} == {64}


def test_a_secret_key_does_not_show_in_a_trace() -> None:
    assert repr(_keys()[0]) == "SigningKey()"


def _der(exponent: int, bits: int) -> bytes:
    key = rsa.generate_private_key(exponent, bits).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_no_other_kind_of_key_is_read() -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    good = _keys()[0].public.to_der()
    others = [
        b"",
        good[:-1],
        good + b"\0",
        _der(65537, 2048),
        _der(3, KEY_BITS),
        curve.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ]
    for der in others:
        with pytest.raises(KeyRefused):
            PublicKey.from_der(der)
    assert PublicKey.from_der(_der(65537, 2048), bits=2048).size == 256


def test_no_other_kind_of_secret_key_is_read() -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    others = [
        b"",
        _keys()[0].to_pem()[:-40],
        generate_key(2048).to_pem(),
        curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    ]
    for pem in others:
        with pytest.raises(KeyRefused):
            SigningKey.from_pem(pem)
