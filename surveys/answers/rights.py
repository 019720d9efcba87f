"""Who may put a sheet into an open wave: what the wave needs of its keys, and a right that only verification makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from surveys.answers.plans import SignedPlan
from surveys.blind import TOKEN_LETTERS, PublicKey, TokenRefused, decode_token, token_digest, verify
from surveys.questionnaire import Questionnaire
from surveys.slips import Digest, NotACode, digest, read_code, spent_digest


@dataclass(frozen=True, slots=True)
class OpenWave:
    """What answering needs of an open wave: checked when a process first needs it (`lifecycle.accepting`), and fixed from then on.

    A wave has a `plan` and a `wave_key`; one of version 1 has none of the two, but `seal_key` and `phone_key`.
    """

    id: str
    questionnaire: Questionnaire
    token_key: bytes
    messages: Mapping[str, str]
    plan: SignedPlan | None = None
    wave_key: bytes = b""
    seal_key: bytes = b""
    phone_key: bytes = b""

    @property
    def seals_on_phone(self) -> bool:
        """Whether a phone with a script always seals her sheet itself."""
        return self.plan is not None


class Right:
    """What lets one sheet into one wave: a slip's code, or a token whose signature was verified with the wave's key.

    `verified` alone makes one. It says nothing of whether a slip exists or was used: the urn finds that in its commit.
    """

    __slots__ = ("_is_token", "_proof", "_wave")
    _wave: OpenWave
    _proof: Digest
    _is_token: bool

    def __init__(self, *_: Any, **__: Any) -> None:
        raise TypeError("a right to answer is made by verifying what somebody shows")

    @classmethod
    def verified(cls, text: str, wave: OpenWave) -> "Right":
        """Read what somebody answers with: a code as it is typed, or a token of this wave.

        Raises
        ------
        NotACode
            If it can be neither; forged, foreign and damaged tokens alike.
        """
        right = cls.__new__(cls)
        right._wave = wave
        right._is_token = len(text) >= TOKEN_LETTERS
        right._proof = _token(text, wave) if right._is_token else digest(read_code(text))
        return right

    @property
    def wave(self) -> OpenWave:
        return self._wave

    @property
    def is_token(self) -> bool:
        """Whether it is a token, which the urn needs not know before; else a slip, which it must."""
        return self._is_token

    @property
    def proof(self) -> Digest:
        """SHA-256 of the code or of the token's message: what is sealed in the sheet."""
        return self._proof

    @property
    def row(self) -> Digest:
        """What the urn keeps of it when it is spent (the proof itself in a wave of version 1)."""
        return spent_digest(self._proof) if self._wave.plan else self._proof

    def __repr__(self) -> str:
        return "<Right>"


def _token(text: str, wave: OpenWave) -> Digest:
    try:
        prepared, signature = decode_token(text.strip())
    except TokenRefused as problem:
        raise NotACode("not a token") from problem
    if not wave.token_key or not verify(_key(wave.token_key), prepared, signature):
        raise NotACode("not a token of this wave")
    return Digest(token_digest(prepared))


@lru_cache(maxsize=8)
def _key(der: bytes) -> PublicKey:
    return PublicKey.from_der(der)
