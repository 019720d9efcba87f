"""Scripts of a page: their address, and the hash that the browser holds them against."""

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha384

from server.frame.pages import STATIC, static_address


@dataclass(frozen=True, slots=True)
class Script:
    """A script of the page: its address and the hash that the browser holds it against."""

    address: str
    integrity: str


def script(name: str) -> Script:
    digest = b64encode(sha384((STATIC / name).read_bytes()).digest()).decode()
    return Script(static_address(name), f"sha384-{digest}")
