"""Static files by hashed name, and the installation's public key."""

import gzip
import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any

import brotli
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from server.frame.asked import AppRequest
from server.frame.pages import STATIC, static_address
from server.settings import Settings
from surveys.lifecycle.context import today
from surveys.public.organisation import load
from surveys.public.signing import fingerprint, installation_key, public_text
from surveys.public.waves import State, in_state
from surveys.signed import digest

_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_TYPES = {"txt": "text/plain", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@cache
def _by_address() -> dict[str, str]:
    return {static_address(path.name).rpartition("/")[2]: path.name for path in STATIC.iterdir() if path.is_file()}


_PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda content: bytes(brotli.compress(content, quality=11)),
    "gzip": lambda content: gzip.compress(content, 9, mtime=0),
}


@cache
def _packed(name: str, coding: str) -> bytes:
    """A file as small as it gets: packed once for a process, where pages are packed each time and less."""
    content = (STATIC / name).read_bytes()
    return _PACKERS[coding](content) if coding else content


def _taken(header: str) -> set[str]:
    """What a browser takes; a weight of 0 is a no (RFC 9110, 12.4.2)."""
    named = (part.lower().replace(" ", "").partition(";q=") for part in header.split(","))
    return {name for name, _, weight in named if weight.strip("0.") or not weight}


@get("/static/{name:str}")
async def static_file(request: AppRequest, name: FromPath[str]) -> Response[bytes]:
    """Give a file whose name carries its hash; it may be kept for ever."""
    wanted = _by_address().get(name)
    if wanted is None:
        raise NotFoundException
    kind = _TYPES[wanted.rpartition(".")[2]]
    coding = next((one for one in _PACKERS if one in _taken(request.headers.get("accept-encoding", ""))), "")
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    return Response(
        _packed(wanted, coding), media_type=kind, headers=headers | ({"Content-Encoding": coding} if coding else {})
    )


@get("/answer-worker.js")
async def answer_worker() -> Response[bytes]:
    """The service worker of the answer page; its address, without a hash, bounds what it may see to ``/answer``."""
    return Response((STATIC / "answer-worker.js").read_bytes(), media_type=_TYPES["js"])


@get("/.well-known/ascolto")
async def well_known(settings: NamedDependency[Settings]) -> dict[str, Any]:
    """The installation's public key, and of open waves the hashes of their plans and token keys (SHA-256), to compare with what is printed."""
    public = public_text(installation_key(settings.data))
    waves = await in_state(State.OPEN)
    return {
        "key": public,
        "fingerprint": fingerprint(public),
        "plans": {wave.id: digest(json.loads(wave.signed_plan)["plan"]) for wave in waves if wave.signed_plan},
        "token_keys": {wave.id: hashlib.sha256(wave.token_key).hexdigest() for wave in waves if wave.token_key},
    }


@get("/.well-known/security.txt")
async def security_txt() -> Response[str]:
    """Whom to tell of a weakness (RFC 9116): the organisation's own contact, good for half a year from today."""
    about = await load()
    if about is None:
        raise NotFoundException
    mail = _MAIL.search(about.notice.contact)
    lines = [
        f"Contact: mailto:{mail[0]}" if mail else f"Contact: {about.address}/help",
        f"Expires: {(today() + timedelta(days=180)).isoformat()}T00:00:00Z",
        f"Preferred-Languages: {', '.join(about.languages)}",
        f"Canonical: {about.address}/.well-known/security.txt",
    ]
    return Response("\n".join([*lines, ""]), media_type="text/plain")
