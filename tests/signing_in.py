"""How a test signs in: one-time codes as an app shows them, each used once. Nothing of the product is gone around."""

import base64
import time

import httpx
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP = 30
_used: dict[str, int] = {}


def code_at(secret: str, step: int) -> str:
    """The code of a secret (base32, as pages show it) at one step of thirty seconds."""
    made = TOTP(base64.b32decode(secret), 6, SHA1(), STEP, enforce_key_length=False).generate(step * STEP)
    return made.decode()


def next_code(secret: str) -> str:
    """A code that was not used yet; where the three that count now are used up, wait for the next."""
    # time enough to type the code of the step before; not the first time: an account made just now has shown that one already
    grace = secret in _used and time.time() % STEP < 15
    step = max(int(time.time()) // STEP - grace, _used.get(secret, 0) + 1)
    while step > int(time.time()) // STEP + 1:
        time.sleep(1)
    _used[secret] = step
    return code_at(secret, step)


def forget(secrets: list[str]) -> None:
    """A copy of an installation knows nothing of the codes that another one took."""
    for secret in secrets:
        _used.pop(secret, None)


def session_of(answered: httpx.Response) -> str:
    """The token of the session that an answer opened."""
    found = [cookie for cookie in answered.headers.get_list("set-cookie") if cookie.startswith("ascolto=")]
    return str(found[0].split(";")[0].partition("=")[2])
