"""A handler's private keys, sealed twice: under her passphrase and under twelve printed words. Pure.

Argon2id gives 64 bytes: the first half proves who she is to the server, the second half opens her keys and never leaves
her browser (or the offline tool). The server keeps a hash of the first.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass

from argon2.low_level import Type, hash_secret_raw
from mnemonic import Mnemonic

from surveys.cases.codes import expand
from surveys.cases.sealing import CannotOpen, decrypt, encrypt, identity_text, public_of, recipient_of

TIME, MEMORY_KIB, LANES = 3, 64 * 1024, 1
KIT_WORDS = 12


@dataclass(frozen=True, slots=True, repr=False)
class HandlerKeys:
    """The two private seeds of a handler, 32 bytes each."""

    x25519: bytes
    ed25519: bytes

    @property
    def identity(self) -> str:
        return identity_text(self.x25519)

    @property
    def recipient(self) -> str:
        return recipient_of(self.x25519)

    @property
    def signer(self) -> str:
        return public_of(self.ed25519)


def split(passphrase: str, salt: bytes) -> tuple[str, bytes]:
    """What a passphrase gives: the text that signs in (hex), and the seed that opens the bundle."""
    made = hash_secret_raw(passphrase.encode(), salt, TIME, MEMORY_KIB, LANES, 64, Type.ID)
    return made[:32].hex(), made[32:]


def new_kit(random_bytes: Callable[[int], bytes]) -> str:
    """Twelve words to print: 128 bits and their check (BIP39, Italian)."""
    return str(Mnemonic("italian").to_mnemonic(random_bytes(16)))


def kit_seed(words: str) -> bytes:
    """The seed of a printed kit.

    Raises
    ------
    CannotOpen
        If the words are no kit.
    """
    try:
        entropy = bytes(Mnemonic("italian").to_entropy(" ".join(words.lower().split())))
    except (ValueError, LookupError) as problem:
        raise CannotOpen("these words are no recovery kit") from problem
    return expand(entropy, "ascolto handler v1 kit")


def make_bundle(keys: HandlerKeys, wrap: bytes, kit: str) -> str:
    """Seal the keys under both, as JSON."""
    private = json.dumps({"x25519": keys.x25519.hex(), "ed25519": keys.ed25519.hex()}).encode()
    seeds = {"pass": wrap, "kit": kit_seed(kit)}
    return json.dumps(
        {name: base64.b64encode(encrypt(private, recipient_of(seed))).decode() for name, seed in seeds.items()}
    )


def open_bundle(bundle: str, way: str, seed: bytes) -> HandlerKeys:
    """Open a bundle by ``pass`` or ``kit``.

    Raises
    ------
    CannotOpen
        If the passphrase or the words are wrong.
    """
    try:
        sealed = base64.b64decode(json.loads(bundle)[way])
        private = json.loads(decrypt(sealed, identity_text(seed)))
        return HandlerKeys(bytes.fromhex(private["x25519"]), bytes.fromhex(private["ed25519"]))
    except (KeyError, ValueError, TypeError) as problem:
        raise CannotOpen("this is no bundle of keys") from problem
